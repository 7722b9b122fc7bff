/* The smallest part of a wrong history that is wrong by itself. */
#ifndef TESTS_LINCHECK_WITNESS_H
#define TESTS_LINCHECK_WITNESS_H

#include <stddef.h>
#include <stdint.h>

#include "tests/lincheck/lincheck.h"

/* ops: of one key, in order of invocation; index: of each in the caller's history; wrong: what
 * search_key found. Fills the witness of result. */
void witness_find(const struct lincheck_op *ops, const uint32_t *index, size_t count, size_t wrong,
                  struct lincheck_result *result);

#endif
