/*
 * The search over one key's operations (lincheck.h says how).
 *
 * A register may be known in part: its value, its revision, a revision it must exceed. Each
 * operation narrows what is known. In the beginning it is either absent or anything at all: the
 * latter checks a part of a history without what came before.
 */
#ifndef TESTS_LINCHECK_SEARCH_H
#define TESTS_LINCHECK_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lincheck/lincheck.h"

struct search_register {
    uint64_t value;
    uint64_t revision; /* known, or what the real one is greater than */
    bool value_known;
    bool revision_known;
};

/* What op may leave behind when it takes effect with its outcome (UNKNOWN: its guard holds). False:
 * it cannot take effect on this register. */
bool search_apply(const struct lincheck_op *op, struct search_register *r);

/* ops are of one key, in order of invocation. from_anything: else the key is absent in the
 * beginning. out_op: index into ops of the first answer without an explanation. out_most:
 * configurations at one time. */
enum lincheck_verdict search_key(const struct lincheck_op *ops, size_t count, bool from_anything,
                                 size_t *out_op, size_t *out_most);

#endif
