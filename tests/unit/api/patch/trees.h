/* Trees, sets and entries from text, and texts of sets, for the tests of managed fields. */
#ifndef TESTS_UNIT_API_PATCH_TREES_H
#define TESTS_UNIT_API_PATCH_TREES_H

#include "api/patch/managed.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

/* Single quotes stand for double ones; fails the test on what does not parse. */
const struct json *tree(struct arena *a, const char *text);
struct field_set set(struct arena *a, const char *text);

void assert_tree(const char *name, const struct json *got, struct arena *a, const char *want);
void assert_set(const char *name, const struct field_set *got, struct arena *a, const char *want);

#endif
