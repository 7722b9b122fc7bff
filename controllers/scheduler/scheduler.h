/*
 * The scheduler: pods without a node get one.
 *
 * Pods and nodes come from watches and are kept as compact rows of numbers (snapshot.h), never as
 * decoded pods. A pod to place is popped from the queue (queue.h), decide.h picks a node purely
 * from the snapshot, the pod is assumed there, and pods/binding is posted while the next pod is
 * decided. A failed binding forgets the assumption and tries again. Life and fencing are as of
 * controllers/controllers.h; one loop, which may be the scheduler's own.
 */
#ifndef CONTROLLERS_SCHEDULER_SCHEDULER_H
#define CONTROLLERS_SCHEDULER_SCHEDULER_H

#include <stdint.h>

#include "controllers/publish.h"

struct client;
struct env_loop;
struct scheduler;

struct scheduler_config {
    struct env_loop *loop;
    struct client *client;
    const char *name;       /* spec.schedulerName it serves; NULL: "default-scheduler" */
    const char *instance;   /* of events */
    uint64_t seed;          /* of tie-breaks; 0: drawn from env at start */
    struct publish publish; /* may be zero */
    void (*fenced)(void *ctx);
    void *ctx;
};

struct scheduler *scheduler_new(const struct scheduler_config *config);
void scheduler_start(struct scheduler *s, uint64_t term);
void scheduler_stop(struct scheduler *s);
void scheduler_close(struct scheduler *s, void (*closed)(void *ctx), void *ctx);

#endif
