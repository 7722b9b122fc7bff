/* Building requirements: shared by the parser and the conversion from LabelSelector. */
#ifndef API_META_SELECTOR_INTERNAL_H
#define API_META_SELECTOR_INTERNAL_H

#include "api/meta/selector.h"

struct name_messages;

struct requirement_draft {
    struct str key;
    enum selector_operator operator;
    struct str *values;
    size_t count;
    size_t capacity;
};

struct selector_draft {
    struct requirement *requirements;
    size_t count;
    size_t capacity;
};

/* Adds a value; duplicates collapse. */
void requirement_draft_add(struct arena *a, struct requirement_draft *r, struct str value);
/* -ERR_INVALID_ARGUMENT with upstream's text for a key that is no qualified name. */
int requirement_bad_key(struct err *e, struct str key, const struct name_messages *messages);
/* Checks the values' number and syntax, then appends. */
int selector_draft_add(struct arena *a, struct selector_draft *d, const struct requirement_draft *r,
                       struct err *e);
/* Sorts by key; d's array becomes the selector's. */
void selector_draft_finish(struct selector_draft *d, struct selector *out);

#endif
