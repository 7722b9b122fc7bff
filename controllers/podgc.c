/*
 * Pod garbage. A key is a pod, except that the key "finished" (below) stands for all of them:
 *
 *   bound to a node that is gone (for orphan_quarantine_ms, asked at the API) -> marked Failed,
 * deleted at terminating and never bound                                                 once more
 * than terminated_pods_max finished pods                              -> the oldest are deleted
 */
#include "controllers/podgc.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta/object.h"
#include "api/meta/peek.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controllers/objects.h"

/* Node names are DNS names: this key can be no node's. It asks for the count of finished pods. */
#define FINISHED_KEY "Finished"

static void delete_now(struct actions *out, const Pod *pod)
{
    actions_delete(out, KIND_POD, pod->metadata)->grace_seconds = 0;
}

/* The phase tells owners that the pod will not come back; a missing node cannot say it. */
static void fail(struct world *w, struct actions *out, const Pod *pod)
{
    Pod *copy;

    if (pod_finished(pod))
        return;
    copy = changed_copy(w->arena, pod);
    copy->status = changed_copy(w->arena, pod->status);
    copy->status->phase = str_dup(w->arena, str_lit("Failed"));
    actions_update_status(out, KIND_POD, copy)->missing_ok = true;
}

static void check_pod(struct world *w, const struct key *k, struct actions *out)
{
    const Pod *pod = world_get(w, KIND_POD, k->namespace, k->name);

    if (pod != NULL && meta_deleting(pod->metadata) && pod_node(pod)[0] == 0)
        delete_now(out, pod);
}

/* ---- nodes that are gone ---- */

/* The key comes when the node goes, then again when the quarantine is over: the first time is told
 * by what pods know. Each pod's clock starts no earlier than the pod. */
static void check_node(struct world *w, const struct key *k, struct actions *out)
{
    const void **pods;
    size_t n;

    if (world_get(w, KIND_NODE, str_of(NULL, 0), k->name) != NULL)
        return;
    n = world_by_index(w, KIND_POD, INDEX_BY_NODE, k->name, &pods);
    if (n == 0)
        return;
    (void)actions_confirm_absent(out, KIND_NODE, str_of(NULL, 0), k->name, str_of(NULL, 0));
    for (size_t i = 0; i < n && i < ACTIONS_BURST; i++) {
        fail(w, out, pods[i]);
        delete_now(out, pods[i]);
    }
}

/* ---- too many finished pods ---- */

static int by_creation(const void *pa, const void *pb)
{
    const Pod *const *a = pa, *const *b = pb;
    int64_t ta = meta_created((*a)->metadata), tb = meta_created((*b)->metadata);

    return ta < tb ? -1 : ta > tb;
}

static void check_finished(struct world *w, struct actions *out)
{
    const void **pods;
    size_t n = world_list(w, KIND_POD, str_of(NULL, 0), NULL, &pods), finished = 0;

    for (size_t i = 0; i < n; i++)
        if (pod_finished(pods[i]))
            pods[finished++] = pods[i];
    if (finished <= w->flags->terminated_pods_max)
        return;
    qsort(pods, finished, sizeof(*pods), by_creation);
    for (size_t i = 0; i < finished - w->flags->terminated_pods_max && i < ACTIONS_BURST; i++)
        delete_now(out, pods[i]);
}

static int podgc_reconcile(struct world *w, const struct key *k, struct actions *out, struct err *e)
{
    (void)e; /* nothing here can fail: the reads report through the world */
    if (k->kind == KIND_POD)
        check_pod(w, k, out);
    else if (str_eq_c(k->name, FINISHED_KEY))
        check_finished(w, out);
    else
        check_node(w, k, out);
    return 0;
}

/* ---- what wakes it ---- */

static bool visit_present(void *ctx, const struct lister_item *item)
{
    (void)item; /* that it is there is all */
    *(bool *)ctx = true;
    return false;
}

static void enqueue_pod(struct enqueue *q, const struct change *c)
{
    static const uint8_t node_path[] = { 2, 10, 0 };
    struct str node = peek_string(c->now->bytes, node_path);
    struct lister *nodes = enqueue_lister(q, KIND_NODE);
    struct object_meta meta;
    bool present = false;

    if (c->removed)
        return;
    object_meta_scan(c->now->bytes, &meta);
    if (node.len == 0 && meta.deleting)
        enqueue_self(q, c);
    if (node.len == 0 || nodes == NULL)
        return;
    (void)nodes->ops->get(nodes, str_of(NULL, 0), node, visit_present,
                          &present); /* asks just that */
    if (!present)
        enqueue_key_after(q, KIND_NODE, str_of(NULL, 0), node,
                          enqueue_flags(q)->orphan_quarantine_ms);
}

static void enqueue_gone_node(struct enqueue *q, const struct change *c)
{
    if (c->removed)
        enqueue_key_after(q, KIND_NODE, str_of(NULL, 0), c->now->name,
                          enqueue_flags(q)->orphan_quarantine_ms);
}

/* Counting all pods costs: once per change of phase to finished, coalesced by the delay. */
#define COUNT_DELAY_MS 20000

static void enqueue_finished(struct enqueue *q, const struct change *c)
{
    static const uint8_t phase_path[] = { 3, 1, 0 };
    struct str phase = peek_string(c->now->bytes, phase_path);

    if (!c->removed && (str_eq_c(phase, "Succeeded") || str_eq_c(phase, "Failed")))
        enqueue_key_after(q, KIND_NODE, str_of(NULL, 0), str_lit(FINISHED_KEY), COUNT_DELAY_MS);
}

static const struct watch podgc_watches[] = { { KIND_POD, enqueue_pod },
                                              { KIND_POD, enqueue_finished },
                                              { KIND_NODE, enqueue_gone_node },
                                              { KIND_NONE, NULL } };

const struct controller podgc_controller = { .name = "podgc",
                                             .component = "pod-garbage-collector",
                                             .kind = KIND_NONE,
                                             .watches = podgc_watches,
                                             .reconcile = podgc_reconcile };
