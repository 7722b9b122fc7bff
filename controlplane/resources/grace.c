/*
 * Graceful deletion. A pod on a node is not removed by the API server: it gets a deadline, the
 * agent stops its containers, and then deletes it for good with grace 0.
 */
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "controlplane/resources/registry.h"
#include "controlplane/resources/rules.h"

#define NS_PER_SECOND 1000000000u

static void mark(const struct resource_context *c, ObjectMeta *meta, int64_t grace)
{
    meta->deletion_timestamp =
        time_new(c->arena, (int64_t)(c->now_wall_ns / NS_PER_SECOND) + grace);
    meta->has_deletion_grace_period_seconds = 1;
    meta->deletion_grace_period_seconds = grace;
}

/* Being deleted is a change of what is wanted, for kinds that track it (others stay at 0). */
static void bump(ObjectMeta *meta)
{
    if (meta->generation > 0)
        meta->generation++;
}

static int64_t pod_grace(const Pod *pod, bool has_grace, int64_t wanted)
{
    int64_t grace = 30;
    if (has_grace)
        grace = wanted;
    else if (pod->spec != NULL && pod->spec->has_termination_grace_period_seconds)
        grace = pod->spec->termination_grace_period_seconds;
    bool placed = pod->spec != NULL && !text_empty(pod->spec->node_name);
    bool ended = pod->status != NULL && (text_eq(pod->status->phase, "Succeeded") ||
                                         text_eq(pod->status->phase, "Failed"));
    /* Nobody would stop it, or nothing is left to stop. */
    if (!placed || ended)
        return 0;
    return grace < 0 ? 1 : grace;
}

/* Already going: the deadline may only come nearer, and only when the client asks. */
static struct resource_grace shorten(const struct resource_context *c, ObjectMeta *meta,
                                     bool has_grace, int64_t wanted)
{
    int64_t present = meta->deletion_grace_period_seconds;
    int64_t now = (int64_t)(c->now_wall_ns / NS_PER_SECOND);
    int64_t grace = wanted < 0 ? 1 : wanted;
    if (!meta->has_deletion_grace_period_seconds || present == 0)
        return (struct resource_grace){ .immediate = true };
    if (!has_grace || grace >= present)
        return (struct resource_grace){ 0 };
    int64_t until = time_seconds(meta->deletion_timestamp) - present + grace;
    if (until < now) {
        until = now;
        grace = grace == 0 ? 0 : 1; /* still graceful: somebody else ends it */
    }
    meta->deletion_timestamp = time_new(c->arena, until);
    meta->deletion_grace_period_seconds = grace;
    return (struct resource_grace){ .immediate = grace == 0, .changed = true };
}

struct resource_grace resource_delete_grace(const struct resource *r,
                                            const struct resource_context *c, void *object,
                                            bool has_grace, int64_t grace_seconds)
{
    if (!r->graceful)
        return (struct resource_grace){ .immediate = true };
    ObjectMeta *meta = resource_meta(object);
    if (meta->deletion_timestamp != NULL)
        return shorten(c, meta, has_grace, grace_seconds);
    int64_t grace = pod_grace(object, has_grace, grace_seconds);
    if (grace == 0)
        return (struct resource_grace){ .immediate = true };
    mark(c, meta, grace);
    bump(meta);
    return (struct resource_grace){ .changed = true };
}

bool resource_mark_deleting(const struct resource_context *c, void *object)
{
    ObjectMeta *meta = resource_meta(object);
    if (meta->deletion_timestamp != NULL && meta->has_deletion_grace_period_seconds &&
        meta->deletion_grace_period_seconds == 0)
        return false;
    const Time *before = meta->deletion_timestamp;
    mark(c, meta, 0);
    if (before == NULL)
        bump(meta);
    else if (time_seconds(before) < time_seconds(meta->deletion_timestamp))
        meta->deletion_timestamp = time_new(c->arena, time_seconds(before));
    return true;
}
