/* Private to api/patch: what the two files of the strategic merge share. */
#ifndef API_PATCH_STRATEGIC_H
#define API_PATCH_STRATEGIC_H

#include "api/schema/json.h"
#include "api/schema/schema.h"

struct arena;
struct err;

struct strategic {
    struct arena *arena;
    struct err *e;
    uint64_t comparisons; /* of keys and values so far; bounded */
};

/* A list in the making. */
struct items {
    struct json *at;
    size_t count;
    size_t capacity;
};

void items_add(struct strategic *c, struct items *l, struct json value);

/* Counts work; an error once a patch and its object are too large to merge. */
int strategic_count(struct strategic *c, uint64_t comparisons);

/* A value as Go prints it, cut to fit a message. */
const char *strategic_show(struct strategic *c, const struct json *value);
/* A $patch that is no directive here. */
int strategic_unknown(struct strategic *c, const struct json *directive, const struct json *patch);

/* Two objects at one place. schema NULL: untyped. */
int strategic_object(struct strategic *c, const struct schema *s, const struct json *original,
                     const struct json *patch, struct json *out);
/* What a patch adds where nothing was: the value without objects that have $patch, and with its
 * nulls or without. Returns false when it has $patch itself. */
bool strategic_plain(struct strategic *c, const struct json *value, bool nulls, struct json *out);

/* Two lists of a field with patchStrategy merge; deletes: of $deleteFromPrimitiveList, then of any
 * field, NULL when it is unknown. */
int strategic_list(struct strategic *c, const struct schema_field *f, const struct json *original,
                   const struct json *patch, bool deletes, struct json *out);
/* The type that all items of two lists have (NULL: no list): at least one item, none a list. */
int strategic_types(struct strategic *c, const struct json *x, const struct json *y,
                    enum json_type *out);
/* Puts merged into the order that $setElementOrder asks for; what the order does not name keeps its
 * place among its neighbours in original. */
int strategic_order(struct strategic *c, const struct schema_field *f, const struct json *merged,
                    const struct json *order, const struct json *original, struct json *out);
/* The patch's items must come in the order's order. */
int strategic_check_order(struct strategic *c, const struct schema_field *f,
                          const struct json *patch, const struct json *order);

#endif
