/*
 * Which term the entry at an index has: runs of equal terms, a handful for any log.
 *
 * Not thread safe.
 */
#ifndef STORE_WAL_TERMS_H
#define STORE_WAL_TERMS_H

#include <stddef.h>
#include <stdint.h>

struct wal_terms {
    struct wal_term_run *runs;
    size_t count;
    size_t capacity;
};

void wal_terms_init(struct wal_terms *t);
void wal_terms_deinit(struct wal_terms *t);
/* The entry at index, the largest so far, has this term. */
void wal_terms_add(struct wal_terms *t, uint64_t index, uint64_t term);
void wal_terms_cut(struct wal_terms *t, uint64_t index);  /* entries from index on are gone */
void wal_terms_drop(struct wal_terms *t, uint64_t index); /* nobody asks below index any more */
/* 0: there is no entry at index. Only for an index not above the last one added. */
uint64_t wal_terms_at(const struct wal_terms *t, uint64_t index);

#endif
