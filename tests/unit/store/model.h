/*
 * A naive model of the state machine: every version of every key in an array. It makes random
 * transactions and says what must come of them; whoever runs them compares (model_test.c).
 */
#ifndef TESTS_UNIT_STORE_MODEL_H
#define TESTS_UNIT_STORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct arena;

#define MODEL_KEYS        14
#define MODEL_PREFIXES    8
#define MODEL_TERMS       4
#define MODEL_COUNTERS    2
#define MODEL_ALARMED     2 /* members */
#define MODEL_PRODUCERS   2
#define MODEL_CHANGES_MAX 20000
#define MODEL_NO_TERM     (-1)

extern const char *const model_keys[MODEL_KEYS];
extern const char *const model_prefixes[MODEL_PREFIXES];
extern const char *const model_terms[MODEL_TERMS];

struct model_change {
    int key;
    uint64_t revision;
    uint64_t created;
    uint64_t version;
    bool deleted;
    int value;
    int term;
    int64_t charge;
    int counter;
    bool charged;
    uint64_t expires;
};

struct model_producer {
    bool known;
    uint64_t sequence;
    uint64_t deadline; /* 0: is not forgotten */
};

struct model {
    struct model_change changes[MODEL_CHANGES_MAX]; /* in order */
    size_t changes_count;
    uint64_t revision;
    uint64_t compacted;
    uint64_t lease_compacted;
    int64_t counters[MODEL_COUNTERS];
    int64_t limits[MODEL_COUNTERS]; /* negative: none */
    uint64_t deadlines[MODEL_KEYS]; /* 0: does not expire */
    uint64_t clock;
    int64_t alarms[MODEL_ALARMED];
    struct model_producer producers[MODEL_PRODUCERS];
    uint64_t seed;
    int next_value;
};

struct model_expected {
    int status;
    uint64_t revision;
};

/* Uniform in [0, n). */
uint64_t model_draw(struct model *m, uint64_t n);
/* The change of key that was newest at revision, or NULL. */
const struct model_change *model_at(const struct model *m, int key, uint64_t revision);
/* The same, NULL when it was a delete. */
const struct model_change *model_present(const struct model *m, int key, uint64_t revision);
/* Timers that run: their number, and the earliest deadline (0: none). */
uint64_t model_timers(const struct model *m, uint64_t *out_first);
/* A transaction whose parts live in the arena, already applied to the model. */
void model_txn(struct model *m, struct arena *arena, struct store_txn *out,
               struct model_expected *expected);

#endif
