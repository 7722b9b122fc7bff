/* What the fuzz targets of patches share: an input of two lines, an object and a patch. */
#ifndef TESTS_FUZZ_PATCH_PAIR_PATCH_PAIR_H
#define TESTS_FUZZ_PATCH_PAIR_PATCH_PAIR_H

#include <stddef.h>
#include <stdint.h>

#include "api/patch/patch.h"

typedef int patch_pair_fn(struct arena *a, const struct json *object, const struct json *patch,
                          const struct json **out, struct err *e);

/* Patches if both lines are JSON: the object stays as it was, and what comes of it can be written
 * and is JSON again. */
void patch_pair(const uint8_t *data, size_t len, patch_pair_fn *patch);

#endif
