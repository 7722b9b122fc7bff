/* See the header. */
#include "tests/bench/samples.h"

#include <stdlib.h>

#include "base/arena.h"

#define SAMPLES_FIRST 4096

void samples_add(struct samples *s, uint64_t us)
{
    if (s->count == s->capacity) {
        s->capacity = s->capacity > 0 ? 2 * s->capacity : SAMPLES_FIRST;
        s->us = mem_realloc(s->us, s->capacity * sizeof s->us[0]);
    }
    s->us[s->count++] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void samples_sort(struct samples *s)
{
    if (s->count > 0)
        qsort(s->us, s->count, sizeof s->us[0], compare);
}

uint32_t samples_at(const struct samples *s, double part)
{
    if (s->count == 0)
        return 0;
    size_t at = (size_t)((double)s->count * part);
    return s->us[at < s->count ? at : s->count - 1];
}

void samples_clear(struct samples *s)
{
    s->count = 0;
}

void samples_deinit(struct samples *s)
{
    mem_free(s->us);
    *s = (struct samples){ 0 };
}
