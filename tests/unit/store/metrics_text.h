/*
 * A strict reader of Prometheus' text format, for tests of what is rendered: every line, names,
 * labels and values, HELP and TYPE before a family's samples, families in one piece, no series
 * twice, histograms cumulative with +Inf equal to their count. Anything else fails the test.
 */
#ifndef TESTS_UNIT_STORE_METRICS_TEXT_H
#define TESTS_UNIT_STORE_METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define METRICS_SAMPLES_MAX  4096
#define METRICS_FAMILIES_MAX 512

struct metrics_sample {
    struct str family;
    struct str series; /* name and labels as rendered */
    double value;
};

struct metrics_text {
    struct str families[METRICS_FAMILIES_MAX];
    size_t families_count;
    struct metrics_sample samples[METRICS_SAMPLES_MAX];
    size_t samples_count;
};

/* Slices point into text. */
void metrics_parse(struct metrics_text *out, struct str text);
bool metrics_has_family(const struct metrics_text *m, const char *family);
/* Of all series of this name whose text contains `with`; fails the test when there is none. */
double metrics_sum(const struct metrics_text *m, const char *name, const char *with);

#endif
