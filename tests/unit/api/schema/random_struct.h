/* Random messages of any schema, for round trips: canonical where JSON cannot tell (times, raw). */
#ifndef TESTS_UNIT_API_SCHEMA_RANDOM_STRUCT_H
#define TESTS_UNIT_API_SCHEMA_RANDOM_STRUCT_H

#include "api/schema/schema.h"

struct arena;

struct random {
    uint64_t state;
};

uint64_t random_next(struct random *r);
void *random_struct(struct arena *a, const struct schema *s, struct random *r);

#endif
