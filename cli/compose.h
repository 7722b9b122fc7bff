/* New JSON trees made of old ones: for manifests, patches and what is shown of an object. Nothing
 * is changed in place; parts are shared; what is new lives in the arena. */
#ifndef CLI_COMPOSE_H
#define CLI_COMPOSE_H

#include "api/schema/json.h"

struct arena;

/* A row of members in the making. */
struct compose_members {
    struct json_member *at;
    size_t count;
    size_t capacity;
};

/* Replaces the member of that key, or appends one. */
void compose_put(struct arena *a, struct compose_members *m, struct str key, struct json value);
struct json compose_object(const struct compose_members *m);

/* object with its member set, or without it (value NULL). An object of another type counts as
 * empty. */
struct json compose_with(struct arena *a, const struct json *object, const char *key,
                         const struct json *value);
/* The same of object.outer.key. */
struct json compose_with_in(struct arena *a, const struct json *object, const char *outer,
                            const char *key, const struct json *value);
/* Members by key, the last of duplicates alone; numbers as Go prints them. */
struct json compose_sorted(struct arena *a, const struct json *j);
/* Without members that are null, at any depth. */
struct json compose_without_nulls(struct arena *a, const struct json *j);
/* Compact text, in the arena, as Go's encoder writes it. */
struct str compose_text(struct arena *a, const struct json *j);

/* object.outer.key as text; empty when it is not there or no text. */
struct str compose_text_in(const struct json *object, const char *outer, const char *key);
/* The items of an array; 0 for anything else. */
size_t compose_items(const struct json *array, const struct json **out);

#endif
