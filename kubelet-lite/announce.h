/*
 * What the node does, told on the bus: each step of a pod's life on cluster.scheduling, samples of
 * its queues on cluster.queue. Over gRPC (gantry.bus.v1 Publish) to any member, the next one when
 * one is gone. Never holds anything up: the queue is bounded, and what does not fit is dropped and
 * counted. A batch is sent again with the same sequence until it is answered. Agent's loop.
 */
#ifndef KUBELET_LITE_ANNOUNCE_H
#define KUBELET_LITE_ANNOUNCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct announce;
struct env_loop;

/* Messages of one topic waiting to be sent. */
#define ANNOUNCE_QUEUE_MAX 1024
#define ANNOUNCE_BATCH_MAX 128

struct announce_config {
    struct env_loop *loop;
    const char *node;   /* source is NODE/kubelet */
    struct str servers; /* "https://10.0.0.1:6443,https://..." */
    struct str ca_pem;
    struct str cert_pem;
    struct str key_pem;
};

/* Everything is copied. */
int announce_new(const struct announce_config *config, struct announce **out, struct err *e);
/* What waits is dropped; then closed is called and a is gone. */
void announce_close(struct announce *a, void (*closed)(void *ctx), void *ctx);

struct announce_step {
    const char *step;
    const char *namespace;
    const char *name;
    const char *uid;
    const char *container; /* or NULL */
    int64_t exit_code;     /* -1: none */
};
void announce_step(struct announce *a, const struct announce_step *s);

/* The fields of a sample, as the controllers' queues have them. */
struct announce_queue {
    const char *queue; /* "pods", "images" */
    uint64_t depth;
    uint64_t processing;
    uint64_t delayed;
    uint64_t oldest_ms;
    uint64_t added;
    uint64_t completed;
    uint64_t retried;
    uint64_t interval_ms;
};
void announce_queue(struct announce *a, const struct announce_queue *s);

#endif
