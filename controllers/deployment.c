/* The deployment controller: claiming, the way a sync goes, writing what changed. */
#include "controllers/deployment.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta/labels.h"
#include "api/meta/object.h"
#include "api/meta/owner.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "controllers/deployment_impl.h"

int32_t rollout_replicas(const struct rollout *r)
{
    return r->d->spec->has_replicas ? r->d->spec->replicas : 1;
}

bool rollout_is_rolling(const struct rollout *r)
{
    const DeploymentStrategy *s = r->d->spec->strategy;

    return s == NULL || !text_eq(s->type, "Recreate");
}

int32_t set_replicas(const struct rollout_set *s)
{
    return s->now->spec->has_replicas ? s->now->spec->replicas : 1;
}

int32_t set_available(const struct rollout_set *s)
{
    int32_t available = s->now->status->available_replicas;

    /* The status may still count pods that a smaller spec has already given up. Upstream trusts
     * it, and can then take away more than maxUnavailable. */
    return available < set_replicas(s) ? available : set_replicas(s);
}

/* ---- claiming ---- */

static void add_set(struct rollout *r, const ReplicaSet *rs)
{
    struct rollout_set *s = &r->sets[r->count++];

    *s = (struct rollout_set){ .was = rs, .now = changed_copy(r->a, rs) };
    s->now->metadata = changed_copy(r->a, rs->metadata);
    s->now->spec = changed_copy(r->a, rs->spec);
}

static int by_age(const void *pa, const void *pb)
{
    const struct rollout_set *a = pa, *b = pb;
    int64_t ta = meta_created(a->now->metadata), tb = meta_created(b->now->metadata);

    if (ta != tb)
        return ta < tb ? -1 : 1;
    return strcmp(a->now->metadata->name, b->now->metadata->name);
}

static void claim_owned(struct rollout *r)
{
    const void **owned;
    size_t n = world_by_index(r->w, KIND_REPLICA_SET, INDEX_BY_OWNER,
                              str_from(r->was->metadata->uid), &owned);

    /* One place is kept for the set this sync may make. */
    r->sets = arena_array(r->a, n + 1, sizeof(*r->sets));
    for (size_t i = 0; i < n; i++) {
        const ReplicaSet *rs = owned[i];
        struct labels labels = labels_of_entries(rs->metadata->labels, rs->metadata->n_labels);

        if (!owner_is_controlled_by(rs->metadata, r->was->metadata->uid))
            continue;
        if (selector_matches(&r->selector, &labels))
            add_set(r, rs);
        else if (!meta_deleting(r->was->metadata))
            actions_patch(r->out, KIND_REPLICA_SET, rs->metadata, NULL, CLIENT_STRATEGIC_PATCH,
                          patch_release(r->a, rs->metadata, r->was->metadata->uid))
                ->missing_ok = true;
    }
}

/* Adopted sets take part from the next sync on, when the reference is visible. */
static bool adopt_orphans(struct rollout *r)
{
    const void **matching;
    size_t n;
    bool adopted = false;

    if (meta_deleting(r->was->metadata))
        return false;
    n = world_list(r->w, KIND_REPLICA_SET, meta_namespace(r->was->metadata), &r->selector,
                   &matching);
    for (size_t i = 0; i < n; i++) {
        const ReplicaSet *rs = matching[i];

        if (owner_controller(rs->metadata) != NULL || meta_deleting(rs->metadata))
            continue;
        actions_patch(r->out, KIND_REPLICA_SET, rs->metadata, NULL, CLIENT_STRATEGIC_PATCH,
                      patch_adopt(r->a, rs->metadata,
                                  owner_controller_ref(r->a, KIND_DEPLOYMENT, r->was->metadata)))
            ->missing_ok = true;
        adopted = true;
    }
    return adopted;
}

/* ---- writing what changed ---- */

static void write_set(struct rollout *r, struct rollout_set *s)
{
    const ObjectMeta *about = r->was->metadata;
    struct action *act;

    if (s->was == NULL) {
        act = actions_create(r->out, KIND_REPLICA_SET, s->now);
        if (set_replicas(s) > 0)
            act->on_success = action_note(
                r->a, KIND_DEPLOYMENT, about, "Normal", "ScalingReplicaSet",
                "Scaled up replica set %s from 0 to %d", s->now->metadata->name, set_replicas(s));
        act->on_failure =
            action_note(r->a, KIND_DEPLOYMENT, about, "Warning", "ReplicaSetCreateError",
                        "Failed to create new replica set \"%s\"", s->now->metadata->name);
        return;
    }
    if (!s->changed)
        return;
    act = actions_update(r->out, KIND_REPLICA_SET, s->now);
    if (s->scaled)
        act->on_success = action_note(r->a, KIND_DEPLOYMENT, about, "Normal", "ScalingReplicaSet",
                                      "Scaled %s replica set %s from %d to %d",
                                      s->scaled_from < set_replicas(s) ? "up" : "down",
                                      s->now->metadata->name, s->scaled_from, set_replicas(s));
}

static bool annotations_differ(const ObjectMeta *a, const ObjectMeta *b)
{
    return a->n_annotations != b->n_annotations ||
           !entries_contain(a->annotations, a->n_annotations, b->annotations, b->n_annotations);
}

static void write_all(struct rollout *r)
{
    for (size_t i = 0; i < r->count; i++)
        write_set(r, &r->sets[i]);
    if (!schema_equal(&schema_DeploymentStatus, r->was->status, r->d->status) ||
        annotations_differ(r->was->metadata, r->d->metadata))
        actions_update_status(r->out, KIND_DEPLOYMENT, r->d);
}

/* ---- the decision ---- */

static void sync(struct rollout *r)
{
    if (meta_deleting(r->was->metadata)) {
        if (rollout_revision(r, false))
            rollout_counters(r);
        return;
    }
    rollout_check_paused(r);
    if (r->d->spec->paused || rollout_is_scaling(r)) {
        if (!rollout_revision(r, false))
            return;
        rollout_scale(r);
        if (r->d->spec->paused)
            rollout_clean_up(r);
        rollout_counters(r);
    } else if (rollout_is_rolling(r)) {
        rollout_roll(r);
    } else {
        rollout_recreate(r);
    }
}

static void copy_deployment(struct rollout *r)
{
    r->d = changed_copy(r->a, r->was);
    r->d->metadata = changed_copy(r->a, r->was->metadata);
    r->d->status = changed_copy(r->a, r->was->status);
}

static int deployment_reconcile(struct world *w, const struct key *k, struct actions *out,
                                struct err *e)
{
    struct rollout r = { .w = w, .out = out, .a = w->arena, .now = wall_seconds(w->wall_ns) };
    int rc;

    r.was = world_get(w, KIND_DEPLOYMENT, k->namespace, k->name);
    if (r.was == NULL)
        return 0; /* its ReplicaSets are the garbage collector's */
    copy_deployment(&r);
    rc = selector_from_struct(w->arena, r.was->spec->selector, &r.selector, e);
    if (rc != 0)
        return err_wrap(e, rc, "selector");
    if (selector_everything(&r.selector)) {
        actions_event(out, KIND_DEPLOYMENT, r.was->metadata, "Warning", "SelectingAll",
                      "This deployment is selecting all pods. A non-empty selector is required.");
        r.d->status->has_observed_generation = 1;
        r.d->status->observed_generation = r.d->metadata->generation;
        write_all(&r);
        return 0;
    }
    claim_owned(&r);
    if (adopt_orphans(&r))
        return 0;
    qsort(r.sets, r.count, sizeof(*r.sets), by_age);
    sync(&r);
    write_all(&r);
    return 0;
}

/* ---- what wakes it ---- */

struct orphan {
    struct enqueue *queue;
    struct labels labels;
};

static bool visit_selecting(void *ctx, const struct lister_item *item)
{
    struct orphan *o = ctx;
    struct arena a;
    struct selector s;
    const void *d;

    arena_init(&a);
    if (lister_decode(enqueue_lister(o->queue, KIND_DEPLOYMENT), &a, item, &d, NULL) == 0 &&
        selector_from_struct(&a, ((const Deployment *)d)->spec->selector, &s, NULL) == 0 &&
        selector_matches(&s, &o->labels))
        enqueue_key(o->queue, KIND_DEPLOYMENT, item->namespace, item->name);
    arena_deinit(&a);
    return true;
}

static void enqueue_orphan(struct enqueue *q, const struct change *c)
{
    struct lister *deployments = enqueue_lister(q, KIND_DEPLOYMENT);
    struct object_meta meta;
    struct object_owner owner;
    struct orphan o = { .queue = q };

    object_meta_scan(c->now->bytes, &meta);
    if (c->removed || deployments == NULL || object_meta_controller(&meta, &owner))
        return;
    o.labels = object_meta_labels(&meta);
    (void)deployments->ops->list(deployments, c->now->namespace, visit_selecting,
                                 &o); /* none is fine */
}

static bool visit_owner_of_set(void *ctx, const struct lister_item *item)
{
    struct enqueue *q = ctx;
    struct object_meta meta;
    struct object_owner owner;

    object_meta_scan(item->bytes, &meta);
    if (object_meta_controller(&meta, &owner) && str_eq_c(owner.kind, "Deployment"))
        enqueue_key(q, KIND_DEPLOYMENT, item->namespace, owner.name);
    return false;
}

/* Recreate waits for the last old pod to go. */
static void enqueue_of_gone_pod(struct enqueue *q, const struct change *c)
{
    struct lister *sets = enqueue_lister(q, KIND_REPLICA_SET);
    struct object_meta meta;
    struct object_owner owner;

    object_meta_scan(c->now->bytes, &meta);
    if (!c->removed || sets == NULL || !object_meta_controller(&meta, &owner) ||
        !str_eq_c(owner.kind, "ReplicaSet"))
        return;
    (void)sets->ops->get(sets, c->now->namespace, owner.name, visit_owner_of_set,
                         q); /* a set that is gone wakes its deployment itself */
}

static const struct watch deployment_watches[] = { { KIND_DEPLOYMENT, enqueue_self },
                                                   { KIND_REPLICA_SET, enqueue_owner },
                                                   { KIND_REPLICA_SET, enqueue_orphan },
                                                   { KIND_POD, enqueue_of_gone_pod },
                                                   { KIND_NONE, NULL } };

const struct controller deployment_controller = { .name = "deployment",
                                                  .component = "deployment-controller",
                                                  .kind = KIND_DEPLOYMENT,
                                                  .watches = deployment_watches,
                                                  .reconcile = deployment_reconcile };
