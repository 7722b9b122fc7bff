/*
 * Lists of field errors: what validation finds, and what Status.details.causes shows.
 *
 * Entries live in the arena given to err_list_init and keep their order. At most ERR_LIST_MAX are
 * kept; later ones only count.
 */
#ifndef API_SCHEMA_ERR_LIST_H
#define API_SCHEMA_ERR_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct buf;

#define ERR_LIST_MAX 100

enum field_error_code {
    FIELD_REQUIRED,
    FIELD_INVALID,
    FIELD_DUPLICATE,
    FIELD_NOT_SUPPORTED,
    FIELD_FORBIDDEN,
    FIELD_TOO_LONG,
    FIELD_TOO_MANY,
    FIELD_NOT_FOUND,
    FIELD_TYPE_INVALID,
    FIELD_INTERNAL
};

struct field_error {
    const char *path; /* "spec.containers[0].name" */
    enum field_error_code code;
    const char *text; /* without the path: "Required value", "Invalid value: -1: must be ..." */
};

struct err_list {
    struct arena *arena;
    struct field_error *entries;
    size_t count;
    size_t capacity;
    size_t dropped;
};

void err_list_init(struct err_list *l, struct arena *a);
/* True: it is full, and what would be added counts as dropped. Asked before a costly text is made:
 * an object of three million bytes can be wrong in a million places. */
bool err_list_full(struct err_list *l);
/* text is what follows the code's own phrase: err_list_add(l, "spec.replicas", FIELD_INVALID,
 * "-1: must be greater than or equal to 0") reads "Invalid value: -1: must be ...". NULL: none. */
void err_list_add(struct err_list *l, const char *path, enum field_error_code code,
                  const char *text);
void err_list_addf(struct err_list *l, const char *path, enum field_error_code code,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Takes out what is in old, too: the same path, code and text. Where one of them dropped errors,
 * nothing: it is not known which. */
void err_list_subtract(struct err_list *l, const struct err_list *old);
/* Status cause reason: "FieldValueRequired". */
const char *field_error_reason(enum field_error_code code);
/* "spec.a: Required value", several as "[a, b]": the text of an Invalid Status. */
void err_list_write(const struct err_list *l, struct buf *b);

#endif
