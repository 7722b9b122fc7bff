/*
 * Structs as their JSON shows them, without the JSON: which fields are there, which are null, and
 * whether two values print the same.
 *
 * A view borrows from the struct. A message pointer that is NULL stands for the message's zero,
 * whose value fields are there all the same, as in what is stored. Pure functions; any thread.
 */
#ifndef API_SCHEMA_VIEW_H
#define API_SCHEMA_VIEW_H

#include "api/schema/json.h"
#include "api/schema/schema.h"

enum schema_presence { SCHEMA_ABSENT, SCHEMA_NULL, SCHEMA_PRESENT };

struct schema_view {
    uint8_t presence;
    /* SCHEMA_PRESENT: where the value lies in the struct; the items or entries of a list or map. */
    const void *at;
    size_t count; /* items or entries */
};

/* f is a field of s, or of the inline message via which s holds it (NULL: of s itself). */
struct schema_view schema_view_field(const struct schema_field *f, const struct schema_field *via,
                                     const void *message);
/* The message at a place, NULL for its zero. */
const void *schema_view_message(const void *at);
/* Where item i of a list lies. */
const void *schema_view_item(const struct schema_field *f, const struct schema_view *v, size_t i);

/* A map by key, the last of equal keys, in the arena. */
struct schema_entry {
    struct str key;
    const void *at; /* of the value */
    size_t index;
};
struct schema_entries {
    struct schema_entry *at;
    size_t count;
};
struct schema_entries schema_view_entries(struct arena *a, const struct schema_field *f,
                                          const struct schema_view *v);

/* False for what is no scalar of its own (messages, bytes). The string is borrowed. */
bool schema_view_scalar(const struct schema_field *f, const void *at, struct json *out);
/* Whether the message's JSON is more than {}. */
bool schema_view_members(const struct schema *s, const void *message);

/* Whether two values of f (one, an item, an entry's value) print the same. The arena is scratch. */
bool schema_view_same_value(struct arena *a, const struct schema_field *f, const void *x,
                            const void *y);
/* The same for two views of f. */
bool schema_view_same(struct arena *a, const struct schema_field *f, const struct schema_view *x,
                      const struct schema_view *y);

#endif
