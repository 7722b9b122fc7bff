/*
 * The reconcile runtime: one generation of controllers, under one term.
 *
 *   watch -> enqueue -> (queue) -> reconcile -> actions performed -> wait until they are visible ->
 * done
 *
 * One reflector per kind serves all controllers. A key starts when every reflector has its first
 * list. While its actions run and until the lister of each written kind has seen what was written,
 * the key stays "processing" in the work queue, so it never runs twice at once and never on stale
 * knowledge of its own writes.
 *
 * An action whose outcome is unknown (timeout, lost leader, broken connection) is sent again with
 * the same request id until the answer is definite: deciding again instead could make a twin. A
 * refused action ends the list; the key comes back after its back-off and sees world.last_error.
 */
#ifndef CONTROLLERS_RUNTIME_RUNTIME_H
#define CONTROLLERS_RUNTIME_RUNTIME_H

#include <stdint.h>

#include "controllers/publish.h"
#include "controllers/runtime/controller.h"

struct runtime;

/* Children made or deleted at once: 1, 2, 4, ... up to this (a refusal stops the rest early). */
#define RUNTIME_WINDOW_MAX 64
/* Delay before an action of unknown outcome is sent again, doubled up to the maximum. */
#define RUNTIME_RETRY_MIN_MS 50
#define RUNTIME_RETRY_MAX_MS 5000

struct runtime_config {
    struct env_loop *loop;
    struct client *client;
    struct lister *(*lister)(void *ctx, enum kind kind); /* as in controllers.h */
    void *lister_ctx;
    const struct controller *const *controllers; /* NULL-ended */
    const struct controllers_flags *flags;       /* borrowed; outlives the runtime */
    struct publish publish;
    const char *instance; /* borrowed */
    uint64_t term;
    /* A write was fenced; the runtime has stopped itself. Inside a completion. May be NULL. */
    void (*fenced)(void *ctx);
    /* After runtime_stop (or fenced): nothing is in flight, the runtime is gone. Never inside stop.
     */
    void (*stopped)(void *ctx);
    void *ctx;
};

struct runtime *runtime_start(const struct runtime_config *config);
void runtime_stop(struct runtime *rt);

/* Every reflector is synced and no key is queued, delayed for a retry, or in work: for tests. */
bool runtime_idle(const struct runtime *rt);

#endif
