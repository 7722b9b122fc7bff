/* Inside controllers/scheduler: what scheduler.c, track.c and bind.c share. */
#ifndef CONTROLLERS_SCHEDULER_IMPL_H
#define CONTROLLERS_SCHEDULER_IMPL_H

#include "api/client/client.h"
#include "api/client/lister.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/map.h"
#include "controllers/runtime/events.h"
#include "controllers/scheduler/decide.h"
#include "controllers/scheduler/queue.h"
#include "controllers/scheduler/scheduler.h"

struct session;
struct reflector;

/* Bindings in flight at once; decisions wait beyond. */
#define BINDINGS_MAX 256
/* Decisions in one turn of the loop. */
#define DECISIONS_PER_TURN 32
/* Before a binding of unknown outcome is sent again. */
#define BIND_RETRY_MS 100

/* One pod the scheduler knows: it waits, is assumed on a node, or is seen there. */
struct sched_pod {
    struct queue_entry queue;
    struct session *session;
    struct str namespace, name, uid; /* owned */
    uint64_t revision;
    int64_t generation; /* of what waits: a refusal says what it is about */
    uint64_t spec_hash; /* of the stored spec: another one is worth another try */
    struct pod_row row;
    struct str node; /* owned; where the snapshot counts it; empty: nowhere */
    bool assumed;    /* the node is ours to take back: no watch event has shown it yet */
    bool gone;       /* deleted while its binding is in flight: freed by the completion */
    bool waits;      /* schedulable, without a node: belongs to the queue */
    char *refused;   /* text of the last refusal written to its status; NULL: none */
    struct binding *binding;
};

struct binding {
    struct client_call call;
    struct sched_pod *pod;
    struct buf body;
    struct env_timer timer;
    char request_id[CLIENT_REQUEST_ID_MAX + 1];
    uint64_t began_ns, queued_ns, decide_ns;
    uint32_t looked, fit;
    bool in_flight;
    bool waiting; /* for the timer */
};

/* A status patch: written and forgotten. */
struct status_patch {
    struct client_call call;
    struct list node; /* in session.patches */
    struct session *session;
    struct buf body;
    struct str namespace, name; /* owned */
};

/* One generation, under one term. */
struct session {
    struct scheduler *owner;
    struct scheduler_config *config;
    uint64_t term;
    uint64_t nonce;
    uint64_t seed;
    uint64_t sequence;
    struct snapshot snapshot;
    struct queue queue;
    struct map pods; /* "namespace/name" -> struct sched_pod */
    struct reflector *node_reflector;
    struct reflector *pod_reflector;
    struct event_recorder *recorder;
    struct env_timer timer; /* queue_tick */
    struct env_timer sample_timer;
    struct env_msg pump_msg;
    struct env_msg gone_msg;
    bool pump_posted;
    bool stopping;
    bool gone_posted;
    size_t bindings;
    struct list patches;
    uint64_t added, completed, retried; /* since the last sample */
    uint64_t sampled_ms;
};

/* session.c */
void session_kick(struct session *s); /* decisions go on, on a later turn */
void session_fenced(struct session *s);
void session_ended_one(struct session *s);
uint64_t session_now_ms(const struct session *s);
void session_publish(struct session *s, const struct sched_pod *p, enum scheduling_step step,
                     struct str message, const struct binding *b);

/* track.c: watches to snapshot and queue */
void track_node(void *ctx, const struct lister_item *old, const struct lister_item *item);
void track_node_gone(void *ctx, const struct lister_item *item);
void track_pod(void *ctx, const struct lister_item *old, const struct lister_item *item);
void track_pod_gone(void *ctx, const struct lister_item *item);
void sched_pod_place(struct sched_pod *p, struct str node, bool assumed);
void sched_pod_unplace(struct sched_pod *p);
void sched_pod_free(struct sched_pod *p);

/* bind.c: what is written */
void bind_start(struct sched_pod *p, const struct decision *d, uint64_t decide_ns);
void bind_cancel(struct binding *b);
void refuse(struct sched_pod *p, const struct decision *d, uint64_t decide_ns);
void refuse_cancel(struct session *s);

#endif
