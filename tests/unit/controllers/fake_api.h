/*
 * A model of the API in memory, for tests of what speaks to it: a struct client over objects kept
 * here, with revisions, uids, status as a subresource, finalizers, conflicts, the three patches,
 * list, watch with history, and retries by request id. Every answer and every watch event comes on
 * a later turn, after a delay drawn from the simulated world. It is no API server: no validation,
 * no defaults beyond what tests set, no selectors.
 */
#ifndef TESTS_UNIT_CONTROLLERS_FAKE_API_H
#define TESTS_UNIT_CONTROLLERS_FAKE_API_H

#include "api/client/cache.h"
#include "api/client/client.h"
#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"

#define FAKE_DELAY_MS 20

struct fake_event {
    enum kind kind;
    enum client_event_type type;
    uint64_t revision;
    struct str bytes; /* owned */
};

struct fake_api {
    struct client client;
    struct env *env;
    struct cache *kinds[KIND_COUNT];
    uint64_t revision;
    uint64_t uids;
    struct fake_event *log;
    size_t log_count, log_capacity;
    struct list watches;
    struct list calls;
    struct map answers; /* request id -> answer given */
    size_t writes;      /* applied */
    /* Every n-th write is applied but answered "unknown outcome". 0: none. */
    unsigned lose_every;
    /* Asked before each call; a code other than 0 is the answer. May be NULL. */
    int (*refuse)(void *ctx, const struct client_call *call);
    void *refuse_ctx;
    uint64_t fence;      /* writes of another term are refused; 0: none are */
    bool expire_watches; /* watches from before the present end with 410 */
};

void fake_api_init(struct fake_api *f, struct env *env, struct env_loop *loop);
void fake_api_deinit(struct fake_api *f);

/* Writes at once, as if somebody else did: sets uid, times and revision; generation on change of
 * spec. object is a struct of the kind. */
void fake_put(struct fake_api *f, enum kind kind, const void *object);
/* NULL when absent. In the arena; may be changed and put again. */
void *fake_get(struct fake_api *f, struct arena *a, enum kind kind, const char *namespace,
               const char *name);
/* Removes at once. */
void fake_remove(struct fake_api *f, enum kind kind, const char *namespace, const char *name);
/* As DELETE does: finalizers and a pod's grace make it terminating instead. */
void fake_delete(struct fake_api *f, enum kind kind, const char *namespace, const char *name);
size_t fake_list(struct fake_api *f, struct arena *a, enum kind kind, const void ***out);
size_t fake_count(const struct fake_api *f, enum kind kind);
/* Ends every watch, as a lost connection does. */
void fake_break_watches(struct fake_api *f, int status);

/* From JSON, for fixtures: fails the test when it does not parse. */
void *fake_object(struct arena *a, enum kind kind, const char *json);

#endif
