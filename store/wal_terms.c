/* Runs of terms, ordered by their first index. */
#include "store/wal_terms.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

struct wal_term_run {
    uint64_t first;
    uint64_t term;
};

void wal_terms_init(struct wal_terms *t)
{
    *t = (struct wal_terms){ 0 };
}

void wal_terms_deinit(struct wal_terms *t)
{
    mem_free(t->runs);
    wal_terms_init(t);
}

void wal_terms_add(struct wal_terms *t, uint64_t index, uint64_t term)
{
    if (t->count > 0) {
        ASSERT(t->runs[t->count - 1].first <= index);
        if (t->runs[t->count - 1].term == term)
            return;
    }
    if (t->count == t->capacity) {
        t->capacity = t->capacity == 0 ? 16 : t->capacity * 2;
        t->runs = mem_realloc(t->runs, t->capacity * sizeof(struct wal_term_run));
    }
    t->runs[t->count++] = (struct wal_term_run){ .first = index, .term = term };
}

void wal_terms_cut(struct wal_terms *t, uint64_t index)
{
    while (t->count > 0 && t->runs[t->count - 1].first >= index)
        t->count--;
}

void wal_terms_drop(struct wal_terms *t, uint64_t index)
{
    size_t gone = 0;
    while (gone + 1 < t->count && t->runs[gone + 1].first <= index)
        gone++;
    if (gone == 0)
        return;
    t->count -= gone;
    memmove(t->runs, t->runs + gone, t->count * sizeof(struct wal_term_run));
}

uint64_t wal_terms_at(const struct wal_terms *t, uint64_t index)
{
    size_t from = 0;
    size_t to = t->count; /* the run is the last one that begins at or before index */
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (t->runs[middle].first <= index)
            from = middle + 1;
        else
            to = middle;
    }
    return from == 0 ? 0 : t->runs[from - 1].term;
}
