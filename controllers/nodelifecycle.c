/*
 * Node lifecycle. Keys are nodes and pods.
 *
 * A node whose lease was not renewed for node_grace_ms (or that has none, node_startup_grace_ms
 * after it was seen) has its conditions set to Unknown; its pods are then marked not ready, but not
 * those of a node that nobody described yet: they may be of an agent that does that next. Taints
 * follow the Ready condition: not-ready for False, unreachable for Unknown, each with NoSchedule
 * and NoExecute; they go when the node is back. A pod on a node with NoExecute taints is deleted
 * when the shortest tolerationSeconds of those it tolerates has passed, at once when it tolerates
 * one of them not at all.
 *
 * A renewal is a change of the lease's renewTime, and it counts from when we saw it, by a clock
 * that nobody sets. What renewTime says is the agent's wall clock, which may be wrong, and so may
 * ours: compared with each other, a leader whose clock was set forward would give up living nodes,
 * and one whose clock was set back would not notice dead ones. A new leader grants each node the
 * whole grace from its own first look.
 */
#include "controllers/nodelifecycle.h"

#include <string.h>

#include "api/meta/condition.h"
#include "api/proto/coordination.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "controllers/objects.h"
#include "controllers/taints.h"

#define LEASE_NAMESPACE "kube-node-lease"
#define NOT_READY       "node.kubernetes.io/not-ready"
#define UNREACHABLE     "node.kubernetes.io/unreachable"

/* ---- conditions ---- */

/* Milliseconds until the node counts as lost; 0: it does. */
static uint64_t lease_left_ms(struct world *w, const Node *node)
{
    const Lease *lease =
        world_get(w, KIND_LEASE, str_lit(LEASE_NAMESPACE), str_from(node->metadata->name));
    bool renewed = lease != NULL && lease->spec != NULL && lease->spec->renew_time != NULL;
    uint64_t grace = renewed ? w->flags->node_grace_ms : w->flags->node_startup_grace_ms;
    /* Of another node by this name nothing was seen yet. */
    uint64_t value = str_hash(str_from(node->metadata->uid));
    uint64_t quiet;

    if (renewed)
        value ^= (uint64_t)lease->spec->renew_time->seconds * (uint64_t)ENV_S +
                 (uint64_t)lease->spec->renew_time->nanos;
    quiet = world_unchanged_ms(w, str_from(node->metadata->name), value);
    return quiet < grace ? grace - quiet : 0;
}

static NodeCondition *unknown_condition(struct world *w, const char *type, const NodeCondition *old)
{
    NodeCondition *c = arena_new(w->arena, NodeCondition);

    node_condition__init(c);
    c->type = str_dup(w->arena, str_from(type));
    c->status = str_dup(w->arena, str_lit("Unknown"));
    c->last_transition_time = time_make(w->arena, w->wall_ns);
    c->last_heartbeat_time = old != NULL ? old->last_heartbeat_time : NULL;
    if (old != NULL) {
        c->reason = str_dup(w->arena, str_lit("NodeStatusUnknown"));
        c->message = str_dup(w->arena, str_lit("Kubelet stopped posting node status."));
    } else {
        c->reason = str_dup(w->arena, str_lit("NodeStatusNeverUpdated"));
        c->message = str_dup(w->arena, str_lit("Kubelet never posted node status."));
    }
    return c;
}

/* A changed copy of the node, or NULL when its conditions say so already. */
static Node *with_unknown_conditions(struct world *w, const Node *node)
{
    static const char *const types[] = { "Ready", "MemoryPressure", "DiskPressure", "PIDPressure" };
    Node *copy = changed_copy(w->arena, node);
    bool changed = false;

    copy->status = changed_copy(w->arena, node->status);
    copy->status->conditions =
        arena_array(w->arena, node->status->n_conditions + sizeof(types) / sizeof(types[0]),
                    sizeof(NodeCondition *));
    for (size_t i = 0; i < node->status->n_conditions; i++)
        copy->status->conditions[i] = node->status->conditions[i];
    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        NodeCondition **slot = &copy->status->conditions[copy->status->n_conditions];

        for (size_t i = 0; i < copy->status->n_conditions; i++)
            if (text_eq(copy->status->conditions[i]->type, types[t]))
                slot = &copy->status->conditions[i];
        if (slot == &copy->status->conditions[copy->status->n_conditions]) {
            copy->status->n_conditions++;
            *slot = unknown_condition(w, types[t], NULL);
        } else if (text_eq((*slot)->status, "Unknown")) {
            continue;
        } else {
            *slot = unknown_condition(w, types[t], *slot);
        }
        changed = true;
    }
    return changed ? copy : NULL;
}

static const char *ready_status(const Node *node)
{
    const char *status =
        condition_status(node->status->conditions, node->status->n_conditions, "Ready");

    return status != NULL ? status : "Unknown";
}

/* No agent ever said how the node is, and the time to say it first is not over. */
static bool is_starting(const Node *node)
{
    return condition_find(node->status->conditions, node->status->n_conditions, "Ready") == NULL;
}

/* The node's agent cannot say it: endpoints and deployments must not count on these pods. */
static void mark_pods_not_ready(struct world *w, struct actions *out, const Node *node)
{
    const void **pods;
    size_t n = world_by_index(w, KIND_POD, INDEX_BY_NODE, str_from(node->metadata->name), &pods);
    struct condition_value v = { .type = "Ready", .status = "False" };

    for (size_t i = 0; i < n && i < ACTIONS_BURST; i++) {
        const Pod *pod = pods[i];
        Pod *copy;

        if (!pod_ready(pod))
            continue;
        copy = changed_copy(w->arena, pod);
        copy->status = changed_copy(w->arena, pod->status);
        v.generation = pod->metadata->generation;
        if (condition_set(w->arena, &pod_condition__descriptor, &copy->status->conditions,
                          &copy->status->n_conditions, &v, w->wall_ns))
            actions_update_status(out, KIND_POD, copy)->missing_ok = true;
    }
}

/* ---- taints ---- */

static bool is_ours(const Taint *t)
{
    return text_eq(t->key, NOT_READY) || text_eq(t->key, UNREACHABLE);
}

static bool has_taint(const NodeSpec *spec, const char *key, const char *effect)
{
    for (size_t i = 0; i < spec->n_taints; i++)
        if (text_eq(spec->taints[i]->key, key) && text_eq(spec->taints[i]->effect, effect))
            return true;
    return false;
}

static Taint *taint_new(struct world *w, const char *key, const char *effect)
{
    Taint *t = arena_new(w->arena, Taint);

    taint__init(t);
    t->key = str_dup(w->arena, str_from(key));
    t->effect = str_dup(w->arena, str_from(effect));
    if (text_eq(effect, "NoExecute"))
        t->time_added = time_make(w->arena, w->wall_ns);
    return t;
}

/* Makes the node's taints those that its Ready condition asks for. */
static void follow_with_taints(struct world *w, struct actions *out, const Node *node)
{
    static const char *const effects[] = { "NoSchedule", "NoExecute" };
    const char *ready = ready_status(node);
    const char *want = text_eq(ready, "True")    ? NULL
                       : text_eq(ready, "False") ? NOT_READY
                                                 : UNREACHABLE;
    Taint **taints = arena_array(w->arena, node->spec->n_taints + 2, sizeof(Taint *));
    size_t n = 0;
    bool changed = false;
    Node *copy;

    for (size_t i = 0; i < node->spec->n_taints; i++) {
        Taint *t = node->spec->taints[i];

        if (is_ours(t) && (want == NULL || !text_eq(t->key, want)))
            changed = true;
        else
            taints[n++] = t;
    }
    for (int i = 0; want != NULL && i < 2; i++) {
        if (has_taint(node->spec, want, effects[i]))
            continue;
        taints[n++] = taint_new(w, want, effects[i]);
        changed = true;
    }
    if (!changed)
        return;
    copy = changed_copy(w->arena, node);
    copy->spec = changed_copy(w->arena, node->spec);
    copy->spec->taints = taints;
    copy->spec->n_taints = n;
    actions_update(out, KIND_NODE, copy)->missing_ok = true;
}

static void check_node(struct world *w, const struct key *k, struct actions *out)
{
    const Node *node = world_get(w, KIND_NODE, str_of(NULL, 0), k->name);
    uint64_t left;
    Node *lost;

    if (node == NULL) {
        world_forget(w, k->name);
        return;
    }
    left = lease_left_ms(w, node);
    if (left > 0) {
        actions_requeue_after(out, left + 1);
    } else {
        lost = with_unknown_conditions(w, node);
        if (lost != NULL) {
            struct action *a = actions_update_status(out, KIND_NODE, lost);

            /* Taints follow when the new conditions are visible: that change wakes the key. */
            a->missing_ok = true;
            if (text_eq(ready_status(node), "True"))
                a->on_success =
                    action_note(w->arena, KIND_NODE, node->metadata, "Normal", "NodeNotReady",
                                "Node %s status is now: NodeNotReady", node->metadata->name);
            return;
        }
    }
    follow_with_taints(w, out, node);
    if (!is_starting(node) && !text_eq(ready_status(node), "True"))
        mark_pods_not_ready(w, out, node);
}

/* ---- eviction ---- */

/* Milliseconds until the taints of its node evict the pod; UINT64_MAX: never. */
static uint64_t eviction_due_ms(struct world *w, const Pod *pod, const Node *node)
{
    uint64_t now_ms = w->wall_ns / ENV_MS, due = UINT64_MAX;

    for (size_t i = 0; i < node->spec->n_taints; i++) {
        const Taint *t = node->spec->taints[i];
        int64_t seconds;
        uint64_t at;

        if (!text_eq(t->effect, "NoExecute"))
            continue;
        if (!taint_tolerated_for(pod->spec, t, &seconds))
            return 0;
        if (seconds < 0)
            continue;
        at = ((uint64_t)time_seconds(t->time_added) + (uint64_t)seconds) * 1000;
        at = at > now_ms ? at - now_ms : 0;
        due = at < due ? at : due;
    }
    return due;
}

static void evict(struct world *w, struct actions *out, const Pod *pod)
{
    struct condition_value v = { .type = "DisruptionTarget",
                                 .status = "True",
                                 .reason = "DeletionByTaintManager",
                                 .message = "Taint manager: deleting due to NoExecute taint",
                                 .generation = pod->metadata->generation };
    Pod *copy = changed_copy(w->arena, pod);
    struct action *a;

    copy->status = changed_copy(w->arena, pod->status);
    if (condition_set(w->arena, &pod_condition__descriptor, &copy->status->conditions,
                      &copy->status->n_conditions, &v, w->wall_ns))
        actions_update_status(out, KIND_POD, copy)->missing_ok = true;
    a = actions_delete(out, KIND_POD, pod->metadata);
    a->on_success = action_note(w->arena, KIND_POD, pod->metadata, "Normal", "TaintManagerEviction",
                                "Marking for deletion Pod %s/%s",
                                text_of(pod->metadata->namespace_), pod->metadata->name);
}

static void check_pod(struct world *w, const struct key *k, struct actions *out)
{
    const Pod *pod = world_get(w, KIND_POD, k->namespace, k->name);
    const Node *node;
    uint64_t due;

    if (pod == NULL || pod_node(pod)[0] == 0 || meta_deleting(pod->metadata) || pod_finished(pod))
        return;
    node = world_get(w, KIND_NODE, str_of(NULL, 0), str_from(pod_node(pod)));
    if (node == NULL)
        return;
    due = eviction_due_ms(w, pod, node);
    if (due == 0)
        evict(w, out, pod);
    else if (due != UINT64_MAX)
        actions_requeue_after(out, due);
}

static int nodelifecycle_reconcile(struct world *w, const struct key *k, struct actions *out,
                                   struct err *e)
{
    (void)e; /* nothing here can fail: the reads report through the world */
    if (k->kind == KIND_NODE)
        check_node(w, k, out);
    else
        check_pod(w, k, out);
    return 0;
}

/* ---- what wakes it ---- */

static bool visit_pod_of_node(void *ctx, const struct lister_item *item)
{
    enqueue_key(ctx, KIND_POD, item->namespace, item->name);
    return true;
}

/* A node's change may be its taints: its pods look at them. */
static void enqueue_node(struct enqueue *q, const struct change *c)
{
    struct lister *pods = enqueue_lister(q, KIND_POD);

    enqueue_self(q, c);
    if (c->removed)
        return;
    if (pods != NULL && taints_differ(c->old, c->now))
        (void)pods->ops->by_index(pods, INDEX_BY_NODE, c->now->name, visit_pod_of_node,
                                  q); /* a node without pods is fine */
}

/* A renewal moves the time at which the node would be lost, and ends the loss of one that was. */
static void enqueue_lease(struct enqueue *q, const struct change *c)
{
    if (str_eq_c(c->now->namespace, LEASE_NAMESPACE))
        enqueue_key(q, KIND_NODE, str_of(NULL, 0), c->now->name);
}

static const struct watch nodelifecycle_watches[] = { { KIND_NODE, enqueue_node },
                                                      { KIND_LEASE, enqueue_lease },
                                                      { KIND_POD, enqueue_self },
                                                      { KIND_NONE, NULL } };

const struct controller nodelifecycle_controller = { .name = "nodelifecycle",
                                                     .component = "node-controller",
                                                     .kind = KIND_NONE,
                                                     .watches = nodelifecycle_watches,
                                                     .reconcile = nodelifecycle_reconcile };
