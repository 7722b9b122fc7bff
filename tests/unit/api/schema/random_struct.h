/*
 * Random messages of any schema, for round trips: strings that codecs trip over and strings of any
 * code points, extreme numbers, empty and absent, unknown fields. Values are canonical where JSON
 * cannot tell (times, raw JSON).
 */
#ifndef TESTS_UNIT_API_SCHEMA_RANDOM_STRUCT_H
#define TESTS_UNIT_API_SCHEMA_RANDOM_STRUCT_H

#include "api/schema/schema.h"

struct arena;

struct random {
    uint64_t state;
    unsigned unknown_percent; /* of messages, at any depth, that get unknown fields */
};

uint64_t random_next(struct random *r);
void *random_struct(struct arena *a, const struct schema *s, struct random *r);

#endif
