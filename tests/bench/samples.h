/* Latencies in microseconds, kept whole. */
#ifndef TESTS_BENCH_SAMPLES_H
#define TESTS_BENCH_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples {
    uint32_t *us;
    size_t count;
    size_t capacity;
};

void samples_add(struct samples *s, uint64_t us);
void samples_sort(struct samples *s);
/* Of sorted ones; 0 when there are none. part: 0.5, 0.99, 1. */
uint32_t samples_at(const struct samples *s, double part);
void samples_clear(struct samples *s);
void samples_deinit(struct samples *s);

#endif
