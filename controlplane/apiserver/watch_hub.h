/*
 * A loop's watchers, and how committed events reach them.
 *
 * The hub walks the store's events after each publication, a few milliseconds a turn. Watchers that
 * want the same part of a collection form a group: an event is tested once per group, encoded once
 * per style, and given to each watcher as a counted slice. A group lies in one place, the narrowest
 * that holds all it may match: one object, one value of an indexed field (spec.nodeName=n), one
 * namespace, or a kind. An event looks into the few places it belongs to (its terms are told with
 * it, old and new) and tests nobody else, however many watch.
 *
 * A watcher is in its group only while it keeps up ("live"). One that does not is let go between
 * two revisions, reads the store at its own pace (watch.c) and joins again when it has reached the
 * hub's position: no gap, no duplicate. Everything is on the loop's thread.
 */
#ifndef CONTROLPLANE_APISERVER_WATCH_HUB_H
#define CONTROLPLANE_APISERVER_WATCH_HUB_H

#include "base/list.h"
#include "base/map.h"
#include "controlplane/apiserver/selection.h"
#include "controlplane/apiserver/watch_encode.h"

struct watch_group;
struct watch_hub;

/* Embedded by watchers. */
struct watch_member {
    struct list node;
    struct list behind;        /* in the hub's list until the revision is whole */
    struct watch_group *group; /* NULL: not live */
    /* Every event up to it was given, or is not wanted: it may be yet to come. While live the hub's
     * position is, when that is more. */
    uint64_t position;
    struct object_style style;
    /* bytes NULL: the event does not encode. false: the watcher does not keep up; it gets what else
     * its revision holds and is then let go. May leave the hub from inside. */
    bool (*event)(struct watch_member *m, struct shared *bytes);
    /* Let go: it did not keep up, or the hub lost its place (compacted away). The member has left
     * already and catches up alone, from its position. */
    void (*left)(struct watch_member *m);
};

struct watch_hub *watch_hub_new(struct api_loop *l);
/* No members may be left. */
void watch_hub_free(struct watch_hub *hub);
/* All members that join from now on start at or below this. The published revision while there are
 * none. A watch that then reads the history up to it may join in the same turn. */
uint64_t watch_hub_position(const struct watch_hub *hub);
/* m->position must be at least the hub's: earlier events would be missed. */
void watch_hub_join(struct watch_hub *hub, const struct selection_text *text,
                    struct watch_member *m);
void watch_hub_leave(struct watch_hub *hub, struct watch_member *m); /* harmless when not in */
size_t watch_hub_groups(const struct watch_hub *hub);                /* for tests */

/* Tests of a selection, events given, members let go because they did not keep up; NULL-ended. */
extern struct metric *const watch_hub_metrics[];

/* What an event is to a selection: WATCH_ADDED, _MODIFIED, _DELETED, or -1: nothing. The payload to
 * show (old for DELETED) is *out_payload. */
int watch_event_type(const struct selection *s, const struct store_event *event,
                     struct str *out_payload);
struct watch_cache *watch_hub_cache(struct watch_hub *hub);

#endif
