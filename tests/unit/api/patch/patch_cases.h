/* Table-driven patch tests: JSON texts in, JSON text or error out. */
#ifndef TESTS_UNIT_API_PATCH_PATCH_CASES_H
#define TESTS_UNIT_API_PATCH_PATCH_CASES_H

#include "api/patch/patch.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

struct patch_case {
    const char *name;
    const char *object;
    const char *patch;
    const char *want;    /* compact JSON; NULL: an error */
    int error;           /* enum err_code */
    const char *message; /* part of it */
};

typedef int (*patch_function)(struct arena *a, const struct json *object, const struct json *patch,
                              const struct json **out, struct err *e);

void run_patch_case(const struct patch_case *c, patch_function f);

#endif
