/*
 * Reflector: keeps a cache in step with the API by list and watch.
 *
 *   LIST (pages of REFLECTOR_PAGE) -> WATCH from the list's revision -> events ... -> end
 *     end in good order, or a broken connection: WATCH again from the last revision seen
 *     410 Expired: LIST again, and report what vanished meanwhile as deleted
 * Failures back off from REFLECTOR_BACKOFF_MIN_MS to _MAX_MS, doubled, with jitter; a watch that
 * delivered something resets it. Bookmarks advance the revision. On stop nothing more is called.
 *
 * Handlers run after the cache has the change; old/new are borrowed for the call. One thread: the
 * client's loop.
 */
#ifndef API_CLIENT_REFLECTOR_H
#define API_CLIENT_REFLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "api/client/client.h"
#include "api/client/lister.h"

struct buf;
struct reflector;

#define REFLECTOR_PAGE           500
#define REFLECTOR_BACKOFF_MIN_MS 200
#define REFLECTOR_BACKOFF_MAX_MS 20000

struct reflector_config {
    struct client *client;
    enum kind kind;
    struct str namespace;      /* copied; empty: all */
    struct str label_selector; /* copied */
    struct str field_selector; /* copied */
    /* The cache keeps names and revisions only: for a consumer with a picture of its own. Handlers
     * then see no old bytes, and an object that vanished during a relist comes without bytes. */
    bool keys_only;
    /* Otherwise, where the consumer needs only a part of some objects: what the cache keeps of this
     * one, which is its bytes, or what is put into *scratch. Handlers see the whole new object; old
     * ones, and what vanished during a relist, as they were kept. NULL: all. */
    struct str (*keep)(void *ctx, const struct lister_item *item, struct buf *scratch);
    /* The object appeared or changed. old has no bytes when it is new. May be NULL. */
    void (*upsert)(void *ctx, const struct lister_item *old, const struct lister_item *item);
    /* The object is gone; item is its last known state. May be NULL. */
    void (*removed)(void *ctx, const struct lister_item *item);
    /* The lister's revision advanced (after the handlers above; also once after each list). May be
     * NULL. */
    void (*advanced)(void *ctx, uint64_t revision);
    void *ctx;
};

struct reflector *reflector_new(const struct reflector_config *config);
/* Stopped (or never started) only; with a call or watch still ending, memory goes when it ended. */
void reflector_free(struct reflector *r);
void reflector_start(struct reflector *r);
/* No handler runs after it returns. */
void reflector_stop(struct reflector *r);
/* The first list is complete. */
bool reflector_synced(const struct reflector *r);
struct lister *reflector_lister(struct reflector *r);
/* Counts since start, for logs and tests. */
uint64_t reflector_lists(const struct reflector *r);
uint64_t reflector_watches(const struct reflector *r);

#endif
