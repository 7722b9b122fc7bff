/*
 * Quantities: exact decimal amounts with a suffix, as in `500m`, `1Gi`, `1e3`.
 *
 * The value is a count of nano-units in 128 bits; the suffix family is kept for printing.
 * Digits below a nano round up (away from zero), and amounts above 2^63-1 units are cut to it, as
 * upstream does. Canonical form: no fraction, the largest suffix that keeps the number whole.
 */
#ifndef API_META_QUANTITY_H
#define API_META_QUANTITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct arena;

/* The longest text accepted, and room for any text printed. */
#define QUANTITY_TEXT_MAX 64

enum quantity_family { QUANTITY_DECIMAL, QUANTITY_BINARY, QUANTITY_EXPONENT };

struct quantity {
    __int128 nanos;
    enum quantity_family family;
};

/* -ERR_INVALID_ARGUMENT with upstream's text. */
int quantity_parse(struct str text, struct quantity *out, struct err *e);
/* Canonical text and NUL into out; returns its length. */
size_t quantity_format(const struct quantity *q, char out[QUANTITY_TEXT_MAX]);
/* Canonical text of a text, in the arena: "0.5" gives "500m". */
int quantity_canonical(struct arena *a, struct str text, struct str *out, struct err *e);

int quantity_cmp(const struct quantity *a, const struct quantity *b);
/* -ERR_LIMIT when the result does not fit. The family of *sum stays unless it was zero. */
int quantity_add(struct quantity *sum, const struct quantity *add);
int quantity_sub(struct quantity *from, const struct quantity *sub);
/* Whole units and thousandths, rounded up (away from zero), cut to int64. */
int64_t quantity_value(const struct quantity *q);
int64_t quantity_milli(const struct quantity *q);
struct quantity quantity_of_value(int64_t units, enum quantity_family family);
struct quantity quantity_of_milli(int64_t thousandths, enum quantity_family family);

#endif
