/*
 * Borrowed strings: pointer and length, by value, no terminator assumed.
 *
 * A struct str never owns. It is valid as long as what it points into: an arena, a buf, a request.
 * NULL data with len 0 is the empty string and also "absent" where a header says so.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct str {
    const char *data;
    size_t len;
};

/* A str of a string literal; usable in initializers. */
#define STR(literal)                                                                               \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }
#define str_lit(literal) ((struct str)STR(literal))

/* For printf: "%.*s", STR_ARG(s). */
#define STR_ARG(s) (int)(s).len, (s).data

struct str str_from(const char *c_string); /* NULL gives the empty str */
struct str str_of(const void *data, size_t len);
struct str str_slice(struct str s, size_t from, size_t to); /* clamps to the string */
bool str_eq(struct str a, struct str b);
bool str_eq_c(struct str a, const char *b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII only, as HTTP header names are */
int str_cmp(struct str a, struct str b);        /* bytewise; a prefix sorts first */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_trim(struct str s); /* spaces and tabs on both sides */
/* Index of the first c at or after from, or -1. */
ptrdiff_t str_find_char(struct str s, char c, size_t from);
ptrdiff_t str_find(struct str s, struct str needle);

/*
 * Splits at the first sep: *head is what lies before it, the rest stays in *s; false when *s was
 * exhausted. "a,,b" gives "a", "", "b". Usage: while (str_split(&rest, ',', &part)).
 * An absent rest (data NULL) ends the loop.
 */
bool str_split(struct str *s, char sep, struct str *head);

/* Whole-string numbers: no sign for u64, no spaces, no empty string; -ERR_PARSE or -ERR_LIMIT. */
int str_to_u64(struct str s, uint64_t *out);
int str_to_i64(struct str s, int64_t *out);

/* Copies: NUL-terminated in the arena (the NUL is not counted). */
char *str_dup(struct arena *a, struct str s);
struct str str_copy(struct arena *a, struct str s);
struct str str_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

uint64_t str_hash(struct str s); /* seeded FNV-1a with a finalizer: for maps in memory only */
bool str_utf8_valid(struct str s);

/* Hex and base64 (RFC 4648, padded; decode refuses anything else). Results live in the arena. */
struct str str_hex(struct arena *a, struct str bytes);
struct str str_base64(struct arena *a, struct str bytes);
int str_base64_decode(struct arena *a, struct str text, struct str *out);
/* URL-safe alphabet, no padding: continue tokens. */
struct str str_base64url(struct arena *a, struct str bytes);
int str_base64url_decode(struct arena *a, struct str text, struct str *out);

#endif
