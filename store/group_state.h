/* What a group's state half is made of; for group.c, applier.c and read.c only. */
#ifndef STORE_GROUP_STATE_H
#define STORE_GROUP_STATE_H

#include <stdatomic.h>

#include "base/metrics.h"
#include "store/fsm.h"
#include "store/group.h"
#include "store/ring.h"

#define GROUP_SAMPLES_MAX 128

/* The committed point, for any thread: a sequence (odd while it changes) and the fields. */
struct published {
    _Atomic uint64_t sequence;
    _Atomic uint64_t index;
    _Atomic uint64_t term;
    _Atomic uint64_t revision;
    _Atomic uint64_t digest;
    _Atomic uint64_t compacted;
    _Atomic uint32_t level;
};

struct sample {
    uint64_t at_ns;
    uint64_t revision;
};

struct store_group {
    struct group_config config;
    struct kv *kv;
    struct ring *ring;
    struct env_loop *loop; /* the applier's */
    bool loop_owned;
    void *raft;

    /* The applier's. */
    struct fsm fsm;
    struct list queue; /* entries in order */
    struct env_msg drain;
    struct env_msg start;
    struct env_msg stop;
    struct env_timer rest; /* between steps of compaction */
    bool drain_posted;
    bool started;
    enum group_halt halted;
    char halt_message[ERR_MESSAGE_BYTES];

    /* Published. */
    struct published published;
    _Atomic(struct store_subscriber *) subscribers;
    _Atomic uint64_t queue_bytes;
    _Atomic uint64_t handed;
    _Atomic int durable_wanted; /* the raft loop saw something it waits for */
    _Atomic int durable_posted;
    struct env_msg durable;
    struct env_msg halt;

    /* The raft loop's. */
    struct sample samples[GROUP_SAMPLES_MAX];
    size_t samples_count; /* ever taken */
    uint64_t proposed[COMPACT_MARKS_MAX];
    struct list simulated; /* entries in flight, kept only in the simulation (one thread) */
};

extern struct metric *const applier_metrics[]; /* NULL-ended */
extern struct metric *const read_metrics[];

/* applier.c */
void applier_init(struct store_group *g);
void applier_stop(struct store_group *g); /* waits for the applier's own thread */
void applier_drop(struct store_group *g); /* frees what is queued */
void group_publish(struct store_group *g, const struct point *p);

#endif
