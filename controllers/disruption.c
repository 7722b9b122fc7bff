/*
 * The disruption controller: the status of PodDisruptionBudgets.
 *
 * Healthy are the selected pods that are ready and not on their way out. How many have to be is a
 * number, or a part of all that there should be: the sum of the replicas of whatever the pods
 * belong to. What is healthy beyond that may be evicted. Where it cannot be worked out (a part is
 * asked for, and a pod belongs to nothing that has replicas) nothing is allowed, and the condition
 * says why.
 */
#include "controllers/disruption.h"

#include "api/meta/condition.h"
#include "api/meta/labels.h"
#include "api/meta/object.h"
#include "api/meta/owner.h"
#include "api/meta/selector.h"
#include "api/proto/apps.pb-c.h"
#include "api/proto/policy.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "controllers/objects.h"

#define DISRUPTION_ALLOWED "DisruptionAllowed"

struct context {
    struct world *w;
    const PodDisruptionBudget *budget;
    const Pod *const *pods;
    size_t count;
    const char **counted; /* uids of what the pods belong to */
    size_t counted_count;
};

/* ---- how many there should be ---- */

static int64_t replicas_of(bool given, int32_t replicas)
{
    return given ? replicas : 1;
}

/* What has the replicas that a pod is one of, by its uid; -1: nothing that is known here. */
static int64_t scale_of(struct world *w, const Pod *pod, const char **out_uid)
{
    struct str ns = meta_namespace(pod->metadata);
    const OwnerReference *ref = owner_controller(pod->metadata);
    if (ref == NULL)
        return -1;
    *out_uid = ref->uid;
    if (text_eq(ref->kind, "ReplicationController")) {
        const ReplicationController *rc =
            world_get(w, KIND_REPLICATION_CONTROLLER, ns, str_from(ref->name));
        return rc != NULL && text_eq(rc->metadata->uid, ref->uid)
                   ? replicas_of(rc->spec->has_replicas, rc->spec->replicas)
                   : -1;
    }
    const ReplicaSet *rs = text_eq(ref->kind, "ReplicaSet")
                               ? world_get(w, KIND_REPLICA_SET, ns, str_from(ref->name))
                               : NULL;
    if (rs == NULL || !text_eq(rs->metadata->uid, ref->uid))
        return -1;
    const OwnerReference *up = owner_controller(rs->metadata);
    if (up == NULL)
        return replicas_of(rs->spec->has_replicas, rs->spec->replicas);
    const Deployment *d = text_eq(up->kind, "Deployment")
                              ? world_get(w, KIND_DEPLOYMENT, ns, str_from(up->name))
                              : NULL;
    *out_uid = up->uid;
    return d != NULL && text_eq(d->metadata->uid, up->uid)
               ? replicas_of(d->spec->has_replicas, d->spec->replicas)
               : -1;
}

static bool counts_already(struct context *c, const char *uid)
{
    for (size_t i = 0; i < c->counted_count; i++) {
        if (text_eq(c->counted[i], uid))
            return true;
    }
    c->counted[c->counted_count++] = uid;
    return false;
}

static int expected_scale(struct context *c, int64_t *out, struct err *e)
{
    c->counted = arena_array(c->w->arena, c->count + 1, sizeof(*c->counted));
    *out = 0;
    for (size_t i = 0; i < c->count; i++) {
        const char *uid = "";
        const Pod *pod = c->pods[i];
        if (owner_controller(pod->metadata) == NULL)
            continue; /* of nobody: it is not in the sum */
        int64_t scale = scale_of(c->w, pod, &uid);
        if (scale < 0)
            return err_set(e, ERR_NOT_FOUND, "found no controllers for pod \"%s\"",
                           pod->metadata->name);
        if (!counts_already(c, uid))
            *out += scale;
    }
    return 0;
}

static int32_t at_most(int64_t n)
{
    return n > INT32_MAX ? INT32_MAX : (int32_t)n;
}

/* Fills in what is expected and desired. */
static int count_wanted(struct context *c, PodDisruptionBudgetStatus *s, struct err *e)
{
    const PodDisruptionBudgetSpec *spec = c->budget->spec;
    const IntOrString *least = spec->min_available;
    int64_t scale = 0;
    s->expected_pods = least != NULL ? (int32_t)c->count : 0;
    s->desired_healthy = 0;
    if (spec->max_unavailable == NULL && (least == NULL || least->type == 0)) {
        s->desired_healthy = least != NULL ? least->int_val : 0;
        return 0;
    }
    int rc = expected_scale(c, &scale, e);
    if (rc != 0)
        return rc;
    s->expected_pods = at_most(scale);
    if (spec->max_unavailable == NULL) {
        s->desired_healthy = int_or_percent(least, s->expected_pods, true, 0);
    } else {
        int32_t gone = int_or_percent(spec->max_unavailable, s->expected_pods, true, 0);
        s->desired_healthy = gone < s->expected_pods ? s->expected_pods - gone : 0;
    }
    return 0;
}

static int32_t count_healthy(const struct context *c)
{
    int32_t n = 0;
    for (size_t i = 0; i < c->count; i++)
        n += !meta_deleting(c->pods[i]->metadata) && pod_ready(c->pods[i]);
    return n;
}

/* ---- the decision ---- */

static void fill_status(struct context *c, PodDisruptionBudgetStatus *s)
{
    struct err e = { 0 };
    struct condition_value v = { .type = DISRUPTION_ALLOWED,
                                 .status = "False",
                                 .message = "",
                                 .generation = c->budget->metadata->generation };
    s->has_observed_generation = s->has_disruptions_allowed = s->has_current_healthy = 1;
    s->has_desired_healthy = s->has_expected_pods = 1;
    s->observed_generation = c->budget->metadata->generation;
    s->disruptions_allowed = 0;
    if (count_wanted(c, s, &e) != 0) {
        v.reason = "SyncFailed";
        v.message = arena_copy(c->w->arena, e.msg, sizeof(e.msg));
    } else {
        s->current_healthy = count_healthy(c);
        if (s->expected_pods > 0 && s->current_healthy > s->desired_healthy)
            s->disruptions_allowed = s->current_healthy - s->desired_healthy;
        v.status = s->disruptions_allowed > 0 ? "True" : "False";
        v.reason = s->disruptions_allowed > 0 ? "SufficientPods" : "InsufficientPods";
    }
    (void)condition_set(c->w->arena, &condition__descriptor, &s->conditions, &s->n_conditions, &v,
                        c->w->wall_ns);
}

static int disruption_reconcile(struct world *w, const struct key *k, struct actions *out,
                                struct err *e)
{
    static const PodDisruptionBudgetStatus none = POD_DISRUPTION_BUDGET_STATUS__INIT;
    struct context c = { .w = w };
    struct selector selector;
    const void **pods = NULL;
    c.budget = world_get(w, KIND_DISRUPTION_BUDGET, k->namespace, k->name);
    if (c.budget == NULL || meta_deleting(c.budget->metadata))
        return 0;
    if (c.budget->spec->selector != NULL) { /* without one it is about no pod */
        int rc = selector_from_struct(w->arena, c.budget->spec->selector, &selector, e);
        if (rc != 0)
            return err_wrap(e, rc, "selector");
        c.count = world_list(w, KIND_POD, k->namespace, &selector, &pods);
    }
    c.pods = (const Pod *const *)pods;
    const PodDisruptionBudgetStatus *was = c.budget->status != NULL ? c.budget->status : &none;
    PodDisruptionBudget *budget = changed_copy(w->arena, c.budget);
    budget->status = changed_copy(w->arena, was);
    fill_status(&c, budget->status);
    if (!schema_equal(&schema_PodDisruptionBudgetStatus, was, budget->status))
        actions_update_status(out, KIND_DISRUPTION_BUDGET, budget);
    return 0;
}

/* ---- what wakes it ---- */

static bool visit_budget(void *ctx, const struct lister_item *item)
{
    enqueue_key(ctx, KIND_DISRUPTION_BUDGET, item->namespace, item->name);
    return true;
}

/* A namespace has few budgets: each looks again, whichever of them it is that selects the pod (or
 * did). */
static void enqueue_budgets(struct enqueue *q, const struct change *c)
{
    struct lister *budgets = enqueue_lister(q, KIND_DISRUPTION_BUDGET);
    if (budgets != NULL)
        (void)budgets->ops->list(budgets, c->now->namespace, visit_budget, q); /* none is fine */
}

static const struct watch disruption_watches[] = {
    { KIND_DISRUPTION_BUDGET, enqueue_self }, { KIND_POD, enqueue_budgets },
    { KIND_REPLICA_SET, enqueue_budgets },    { KIND_REPLICATION_CONTROLLER, enqueue_budgets },
    { KIND_DEPLOYMENT, enqueue_budgets },     { KIND_NONE, NULL }
};

const struct controller disruption_controller = { .name = "disruption",
                                                  .component = "controllermanager",
                                                  .kind = KIND_DISRUPTION_BUDGET,
                                                  .watches = disruption_watches,
                                                  .reconcile = disruption_reconcile };
