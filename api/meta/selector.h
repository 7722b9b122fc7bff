/*
 * Label selectors and field selectors: text and struct in, matching over any struct labels.
 *
 * Grammar and error texts are upstream's. Label text: `k=v`, `k==v`, `k!=v`, `k in (a,b)`,
 * `k notin (a)`, `k`, `!k`, `k>1`, `k<1`, joined by commas (AND). Field text: `=`, `==`, `!=` with
 * backslash escapes of `,`, `=` and `\`. A parsed selector lives in the arena it was parsed into,
 * its strings point into the text, and it is constant afterwards: any thread may match with it.
 */
#ifndef API_META_SELECTOR_H
#define API_META_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/meta/labels.h"
#include "base/err.h"
#include "base/str.h"

struct arena;
struct LabelSelector;

/* Bounds of parsed text; above: -ERR_LIMIT. */
#define SELECTOR_BYTES_MAX        (64u << 10)
#define SELECTOR_REQUIREMENTS_MAX 1024

enum selector_operator {
    SELECTOR_EQUALS, /* also `in` with one value, in matching */
    SELECTOR_NOT_EQUALS,
    SELECTOR_IN,
    SELECTOR_NOT_IN,
    SELECTOR_EXISTS,
    SELECTOR_NOT_EXISTS,
    SELECTOR_GREATER,
    SELECTOR_LESS
};

struct requirement {
    struct str key;
    enum selector_operator operator;
    const struct str *values; /* sorted, unique */
    size_t values_count;
};

/* Zeroed: matches everything. */
struct selector {
    bool nothing;                           /* matches nothing (a null LabelSelector) */
    const struct requirement *requirements; /* sorted by key */
    size_t count;
};

/* -ERR_INVALID_ARGUMENT with upstream's text. */
int selector_parse(struct arena *a, struct str text, struct selector *out, struct err *e);
/* NULL matches nothing, an empty one everything. -ERR_INVALID_ARGUMENT for a bad operator or
 * values. The result borrows strings from ls. */
int selector_from_struct(struct arena *a, const struct LabelSelector *ls, struct selector *out,
                         struct err *e);
/* k=v pairs ANDed (nodeSelector, Service.spec.selector): protobuf-c map entries, borrowed. */
void selector_from_entries(struct arena *a, const void *entries, size_t count,
                           struct selector *out);
bool selector_matches(const struct selector *s, const struct labels *l);
bool selector_everything(const struct selector *s);
/* Canonical text: sorted by key, values sorted: `a=b,c in (d,e),!f`. In the arena. */
struct str selector_text(struct arena *a, const struct selector *s);

struct field_requirement {
    struct str field; /* "metadata.name" */
    bool negated;
    struct str value;
};

struct field_selector {
    const struct field_requirement *requirements;
    size_t count;
};

/* -ERR_INVALID_ARGUMENT with upstream's text. Whether a field is known is the registry's matter. */
int field_selector_parse(struct arena *a, struct str text, struct field_selector *out,
                         struct err *e);
/* True when every requirement holds; get yields a field's text. */
bool field_selector_matches(const struct field_selector *s,
                            struct str (*get)(void *ctx, struct str field), void *ctx);
/* The value when the selector pins this field with `=`; false otherwise. */
bool field_selector_exact(const struct field_selector *s, const char *field, struct str *out_value);

#endif
