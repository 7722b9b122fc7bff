/*
 * The controllers of a member: what main.c wires.
 *
 * controllers_start(term) begins a generation: listers fill, then keys are reconciled, and every
 * write carries the term as its fence. controllers_stop, or a write answered -ERR_FENCED, ends it:
 * its calls are canceled and nothing of it runs any more except their completions. Start and stop
 * may follow each other at any pace, also before an old generation's completions are back.
 *
 * Call start only after the leader's own-term barrier is published here, so that the first list
 * sees all that earlier generations wrote. Everything is on config.loop; the client and the listers
 * are that loop's.
 */
#ifndef CONTROLLERS_CONTROLLERS_H
#define CONTROLLERS_CONTROLLERS_H

#include <stdint.h>

#include "controllers/publish.h"
#include "controllers/runtime/controller.h"

struct controllers;

struct controllers_config {
    struct env_loop *loop;
    struct client *client;
    /* A view to read kinds from instead of the reflectors' own caches (the store's). NULL function
     * or result: the cache. A view's revision must be published before the watch delivers it. */
    struct lister *(*lister)(void *ctx, enum kind kind);
    void *lister_ctx;
    struct publish publish; /* queue samples; may be zero */
    struct controllers_flags flags;
    const char *instance; /* of events: this member's name */
    /* A write was fenced: another generation works elsewhere. The generation has stopped itself.
     * May be NULL. */
    void (*fenced)(void *ctx);
    void *ctx;
};

/* grace 40 s, startup grace 60 s, quarantine 40 s, 12500 terminated pods, no root CA. */
void controllers_flags_default(struct controllers_flags *f);

/* Copies the config (strings too). Any thread. */
struct controllers *controllers_new(const struct controllers_config *config);
void controllers_start(struct controllers *c, uint64_t term);
void controllers_stop(struct controllers *c);
/* Stops; closed runs on a later turn, when nothing is in flight any more, and c is gone. */
void controllers_close(struct controllers *c, void (*closed)(void *ctx), void *ctx);

#endif
