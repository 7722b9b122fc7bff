/*
 * What a log must hold: the requests made of it, in order, as a list of steps; what a reopened log
 * holds must be the result of a prefix of them, at least of those that completed.
 *
 * It makes the requests too: random ones, as a member would make them, with bytes that tell which
 * entry they are.
 */
#ifndef TESTS_UNIT_STORE_WAL_MODEL_H
#define TESTS_UNIT_STORE_WAL_MODEL_H

#include "store/wal.h"

struct model_entry {
    uint64_t id; /* never given twice; its bytes follow from it */
    uint64_t term;
};

struct model_step {
    int kind;
    uint64_t index; /* of an entry, of a truncation, of a snapshot */
    struct model_entry entry;
    uint64_t keep_from;
};

struct model_log {
    struct model_entry *entries; /* of index base + 1 + i */
    uint64_t base;               /* where the log began */
    uint64_t last;
    uint64_t floor; /* entries below may be gone */
    uint64_t snapshot;
    uint64_t snapshot_term;
};

struct wal_model {
    uint64_t (*random)(void *ctx, uint64_t n);
    void *random_ctx;
    bool (*alive)(void *ctx); /* NULL: always; else a change that ends dead may have been in vain */
    struct wal *wal;
    struct model_log kept;    /* what is certainly durable: steps up to `done` are folded in */
    struct model_log current; /* all that was submitted */
    struct model_step *steps;
    size_t steps_count;
    size_t steps_capacity;
    size_t done;   /* steps that completed */
    uint64_t ids;  /* given so far */
    uint64_t term; /* the last that was set */
    uint64_t vote;
    uint64_t term_was; /* before a change that was not seen to end */
    uint64_t vote_was;
    bool changing;
    size_t bytes_max; /* of an entry */
    bool quiet;       /* no new terms and votes */
    bool fails;       /* the disk may */
    bool refused;     /* a term or vote was: the owner's process must end */
    size_t in_flight;
    struct list writes; /* model_writes */
    uint64_t completed; /* requests ever */
    uint64_t dropped;   /* entries that were submitted, not completed, and gone at a check */
    uint64_t survived;  /* and that were there */
    uint64_t read_next; /* index of the next entry of a load */
    struct model_entry *read;
    uint64_t read_first;
    uint64_t read_count;
};

void model_init(struct wal_model *m, uint64_t (*random)(void *ctx, uint64_t n), void *ctx);
void model_deinit(struct wal_model *m);
void model_submit(struct wal_model *m); /* one random request, or a new term or vote */
void model_append(struct wal_model *m, size_t count);
void model_truncate(struct wal_model *m, uint64_t index);
void model_snapshot(struct wal_model *m, uint64_t index, uint64_t term, uint64_t keep_from);
/* Opens, gathering what is visited; 0 or the error. */
int model_open(struct wal_model *m, const struct wal_config *config, struct wal_state *out,
               struct err *e);
/* Asserts that what was opened is right; the model goes on from it. The log was closed or is dead:
 * what was not completed is not any more. */
void model_check(struct wal_model *m, const struct wal_state *state);
void model_visit(void *m, const struct wal_entry *entry);

#endif
