/* What a group's state half is made of; for group*.c, applier.c, read.c and events.c only. */
#ifndef STORE_GROUP_STATE_H
#define STORE_GROUP_STATE_H

#include <stdatomic.h>

#include "base/metrics.h"
#include "store/folder.h"
#include "store/fsm.h"
#include "store/group.h"
#include "store/ring.h"
#include "store/scrub.h"
#include "store/usage.h"

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
    _Atomic uint32_t alarm;
    _Atomic uint64_t timers;
    _Atomic uint64_t next_deadline_ms;
    _Atomic uint64_t clock_ms;
};

/* An environment and how many are in it. Lives as long as the group: see group_enter. */
struct group_env {
    struct list node; /* in the group's, newest first */
    struct store_group *group;
    struct kv *kv; /* NULL: closed */
    _Atomic uint64_t readers;
    char folder[FOLDER_BYTES_MAX]; /* empty: the caller's kv */
    struct env_work work;          /* its end */
    bool ending;
};

/* A COMPACT that was proposed. */
struct compact_asked {
    uint64_t revision; /* 0: none yet */
    uint64_t at_ns;
    bool done; /* the state says so */
};

struct sample {
    uint64_t at_ns;
    uint64_t revision;
};

struct store_group {
    struct group_config config;
    char folder[FOLDER_BYTES_MAX];
    struct kv *kv; /* the current environment's: the applier's to write */
    _Atomic(struct group_env *) env;
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
    struct env_timer rest;   /* between steps of compaction */
    struct env_timer wait;   /* the disk is full */
    struct env_timer gather; /* until the open transaction is due */
    struct env_msg hurry;
    uint64_t committed_ns;
    struct kv_txn *txn;    /* open: holds entries that are not published, */
    uint64_t txn_revision; /* after this one */
    size_t txn_commands;
    size_t txn_bytes;
    size_t forgotten; /* rows that compaction walked along with entries, since the last rest */
    struct scrub scrub;
    struct env_timer scrubbing; /* until its next step */
    struct env_timer retire;    /* an old environment still has readers */
    struct list envs;
    uint64_t compacted_rows; /* since compaction last had nothing to do */
    bool drain_posted;
    bool started;
    enum group_halt halted;
    char halt_message[ERR_MESSAGE_BYTES];
    struct usage_sampler usage;

    /* Published. */
    struct published published;
    _Atomic(struct store_subscriber *) subscribers;
    struct env_msg defragment;
    _Atomic int defragmenting; /* the message is under way */
    _Atomic uint64_t pinned;   /* group_pin */
    _Atomic uint64_t pinned_ns;
    _Atomic uint64_t queue_bytes;
    _Atomic uint64_t queue_entries;
    _Atomic uint64_t reads_open;
    _Atomic uint64_t reads_longest_ns; /* since it was last asked for */
    _Atomic uint64_t handed;
    _Atomic int durable_wanted; /* the raft loop saw something it waits for */
    _Atomic int durable_posted;
    _Atomic int gathering;
    _Atomic int hurried;
    struct env_msg durable;
    struct env_msg halt;
    _Atomic int starved; /* the disk is full: nothing is applied */
    _Atomic int room_posted;
    struct env_msg room;

    /* The raft loop's. */
    struct sample samples[GROUP_SAMPLES_MAX];
    size_t samples_count; /* ever taken */
    struct compact_asked asked[COMPACT_MARKS_MAX];
    struct list simulated; /* entries in flight, kept only in the simulation (one thread) */
};

extern struct metric *const applier_metrics[]; /* NULL-ended */
extern struct metric *const read_metrics[];

/*
 * group_env.c. Every reader is counted in the environment it reads, from group_enter to
 * group_leave, inside one function. Entering loads the current environment, counts, and looks
 * again: if it is still current, whoever replaces it later sees the count and waits; else it backs
 * off, having touched nothing but the count. That touch is why a struct group_env is never freed
 * before the group. Any thread.
 */
struct group_env *group_enter(struct store_group *g);
void group_leave(struct group_env *v);
/* Opens config's environment as the first one. */
int group_env_open(struct store_group *g, struct err *e);
void group_env_start(struct store_group *g); /* on the applier's loop */
void group_env_stop(struct store_group *g);
/* Closes what is open; no reader is left and the applier's loop is gone. */
void group_env_close(struct store_group *g);

/* applier.c */
void applier_init(struct store_group *g);
void applier_stop(struct store_group *g); /* waits for the applier's own thread */
void applier_drop(struct store_group *g); /* frees what is queued */
/* The state is another one now: forgets queued entries it holds, publishes, tells. */
void applier_installed(struct store_group *g);
void group_publish(struct store_group *g, const struct point *p);
/* What was applied is durable and published when it returns. On the applier's loop. */
void applier_commit(struct store_group *g);
/* Somebody waits for what is published next: nothing gathers. Any thread, and often. */
void applier_hurry(struct store_group *g);

#endif
