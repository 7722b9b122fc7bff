/*
 * What controllers and the scheduler tell the event bus, as plain structs: main.c turns them into
 * messages on cluster.queue and cluster.scheduling. Callbacks run on the publisher's loop and must
 * not block; strings are borrowed for the call.
 */
#ifndef CONTROLLERS_PUBLISH_H
#define CONTROLLERS_PUBLISH_H

#include <stdint.h>

#include "api/client/workqueue.h"
#include "base/str.h"

/* One coalesced sample per queue per this interval; queues that did nothing stay silent. */
#define PUBLISH_INTERVAL_MS 1000

enum scheduling_step {
    SCHEDULING_QUEUED,        /* the pod entered the active queue */
    SCHEDULING_BOUND,         /* node is set; the binding was acknowledged */
    SCHEDULING_UNSCHEDULABLE, /* message says why, as in the FailedScheduling event */
    SCHEDULING_BIND_FAILED    /* message is the API's error */
};

struct scheduling_event {
    enum scheduling_step step;
    struct str namespace;
    struct str name;
    struct str uid;
    struct str node;
    struct str message;
    uint64_t revision;  /* of the pod the decision was made on */
    uint64_t wall_ns;   /* when */
    uint64_t queued_ns; /* time from QUEUED to the decision */
    uint64_t decide_ns; /* time of the decision itself */
    uint64_t bind_ns;   /* time until the binding was acknowledged */
    uint32_t attempt;   /* 1 for the first */
    uint32_t nodes;     /* nodes looked at */
    uint32_t nodes_fit; /* nodes that fit */
};

struct publish {
    void (*queue)(void *ctx, const struct workqueue_sample *sample);
    void (*scheduling)(void *ctx, const struct scheduling_event *ev);
    void *ctx;
};

#endif
