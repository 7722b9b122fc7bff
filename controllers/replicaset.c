/*
 * The replicaset controller.
 *
 * Pods that match the selector and have no controller are adopted; owned pods that no longer match
 * are released. What is left and active is counted against spec.replicas. Pods are made from the
 * template with a generated name; which pods go is decided by replicaset_rank.c.
 */
#include "controllers/replicaset.h"

#include <string.h>

#include "api/meta/condition.h"
#include "api/meta/labels.h"
#include "api/meta/object.h"
#include "api/meta/owner.h"
#include "api/meta/selector.h"
#include "api/proto/apps.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "controllers/objects.h"

struct context {
    struct world *w;
    struct actions *out;
    const ReplicaSet *rs;
    struct selector selector;
    const Pod **pods; /* claimed and active */
    size_t count;
    size_t capacity;
    int32_t terminating; /* claimed and on their way out */
    int64_t now;
};

static int32_t wanted(const ReplicaSet *rs)
{
    return rs->spec->has_replicas ? rs->spec->replicas : 1;
}

/* ---- claiming ---- */

static void claim(struct context *c, const Pod *pod)
{
    if (!pod_active(pod)) {
        c->terminating += !pod_finished(pod);
        return;
    }
    c->pods = arena_grow(c->w->arena, c->pods, c->count, &c->capacity, sizeof(*c->pods));
    c->pods[c->count++] = pod;
}

static void claim_owned(struct context *c)
{
    const void **owned;
    size_t n =
        world_by_index(c->w, KIND_POD, INDEX_BY_OWNER, str_from(c->rs->metadata->uid), &owned);

    for (size_t i = 0; i < n; i++) {
        const Pod *pod = owned[i];
        struct labels labels = labels_of_entries(pod->metadata->labels, pod->metadata->n_labels);

        if (!owner_is_controlled_by(pod->metadata, c->rs->metadata->uid))
            continue;
        if (selector_matches(&c->selector, &labels))
            claim(c, pod);
        else if (!meta_deleting(c->rs->metadata))
            actions_patch(c->out, KIND_POD, pod->metadata, NULL, CLIENT_STRATEGIC_PATCH,
                          patch_release(c->w->arena, pod->metadata, c->rs->metadata->uid))
                ->missing_ok = true;
    }
}

static void adopt_orphans(struct context *c)
{
    struct arena *a = c->w->arena;
    const void **matching;
    size_t n;

    if (meta_deleting(c->rs->metadata))
        return;
    n = world_list(c->w, KIND_POD, meta_namespace(c->rs->metadata), &c->selector, &matching);
    for (size_t i = 0; i < n; i++) {
        const Pod *pod = matching[i];
        const OwnerReference *ref;

        if (owner_controller(pod->metadata) != NULL || !pod_active(pod))
            continue;
        ref = owner_controller_ref(a, KIND_REPLICA_SET, c->rs->metadata);
        actions_patch(c->out, KIND_POD, pod->metadata, NULL, CLIENT_STRATEGIC_PATCH,
                      patch_adopt(a, pod->metadata, ref))
            ->missing_ok = true;
        claim(c, pod);
    }
}

/* ---- scaling ---- */

static Pod *pod_from_template(struct context *c)
{
    struct arena *a = c->w->arena;
    const PodTemplateSpec *t = c->rs->spec->template_;
    Pod *pod = schema_new(a, kind_info(KIND_POD)->schema);

    pod->metadata = arena_new(a, ObjectMeta);
    object_meta__init(pod->metadata);
    pod->metadata->generate_name = str_dup(a, str_printf(a, "%s-", c->rs->metadata->name));
    pod->metadata->namespace_ = c->rs->metadata->namespace_;
    if (t->metadata != NULL) {
        pod->metadata->labels = t->metadata->labels;
        pod->metadata->n_labels = t->metadata->n_labels;
        pod->metadata->annotations = t->metadata->annotations;
        pod->metadata->n_annotations = t->metadata->n_annotations;
        pod->metadata->finalizers = t->metadata->finalizers;
        pod->metadata->n_finalizers = t->metadata->n_finalizers;
    }
    owner_append(a, pod->metadata, owner_controller_ref(a, KIND_REPLICA_SET, c->rs->metadata));
    pod->spec = t->spec;
    return pod;
}

static void create_pods(struct context *c, size_t count)
{
    struct arena *a = c->w->arena;
    const ObjectMeta *about = c->rs->metadata;
    struct action_note *made =
        action_note(a, KIND_REPLICA_SET, about, "Normal", "SuccessfulCreate", "Created pod: ");
    struct action_note *failed =
        action_note(a, KIND_REPLICA_SET, about, "Warning", "FailedCreate", "Error creating");

    made->append_name = true;
    for (size_t i = 0; i < count && i < ACTIONS_BURST; i++) {
        struct action *act = actions_create(c->out, KIND_POD, pod_from_template(c));

        act->on_success = made;
        act->on_failure = failed;
    }
}

/* Active pods per node, over all ReplicaSets of the same owner: doubled-up pods go first. */
static uint32_t pods_on_node(const Pod *const *pods, size_t count, const char *node)
{
    uint32_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += node[0] != 0 && text_eq(pod_node(pods[i]), node);
    return n;
}

static size_t related_pods(struct context *c, const Pod ***out)
{
    const OwnerReference *owner = owner_controller(c->rs->metadata);
    const void **sets;
    const Pod **pods = NULL;
    size_t count = 0, capacity = 0, n;

    if (owner == NULL) {
        *out = c->pods;
        return c->count;
    }
    n = world_by_index(c->w, KIND_REPLICA_SET, INDEX_BY_OWNER, str_from(owner->uid), &sets);
    for (size_t i = 0; i < n; i++) {
        const ReplicaSet *rs = sets[i];
        const void **owned;
        size_t m =
            world_by_index(c->w, KIND_POD, INDEX_BY_OWNER, str_from(rs->metadata->uid), &owned);

        for (size_t j = 0; j < m; j++) {
            if (!pod_active(owned[j]))
                continue;
            pods = arena_grow(c->w->arena, pods, count, &capacity, sizeof(*pods));
            pods[count++] = owned[j];
        }
    }
    *out = pods;
    return count;
}

static void delete_pods(struct context *c, size_t count)
{
    struct arena *a = c->w->arena;
    struct ranked_pod *ranked = arena_array(a, c->count, sizeof(*ranked));
    const Pod **related;
    size_t related_count = related_pods(c, &related);

    for (size_t i = 0; i < c->count; i++)
        ranked[i] = (struct ranked_pod){ c->pods[i], pods_on_node(related, related_count,
                                                                  pod_node(c->pods[i])) };
    replicaset_rank(ranked, c->count, c->now);
    for (size_t i = 0; i < count && i < ACTIONS_BURST; i++) {
        const ObjectMeta *meta = ranked[i].pod->metadata;
        struct action *act = actions_delete(c->out, KIND_POD, meta);

        act->on_success = action_note(a, KIND_REPLICA_SET, c->rs->metadata, "Normal",
                                      "SuccessfulDelete", "Deleted pod: %s", meta->name);
        act->on_failure = action_note(a, KIND_REPLICA_SET, c->rs->metadata, "Warning",
                                      "FailedDelete", "Error deleting");
    }
}

static void scale(struct context *c)
{
    size_t want = wanted(c->rs) > 0 ? (size_t)wanted(c->rs) : 0;

    if (meta_deleting(c->rs->metadata))
        return;
    if (c->count < want)
        create_pods(c, want - c->count);
    else if (c->count > want)
        delete_pods(c, c->count - want);
}

/* ---- status ---- */

static int32_t count_labeled(const struct context *c)
{
    const ObjectMeta *t = c->rs->spec->template_->metadata;
    int32_t n = 0;

    for (size_t i = 0; i < c->count; i++) {
        const ObjectMeta *meta = c->pods[i]->metadata;

        n += t == NULL || entries_contain(meta->labels, meta->n_labels, t->labels, t->n_labels);
    }
    return n;
}

/* Counts available pods, and asks to come back when the next one will be. */
static int32_t count_available(struct context *c)
{
    int32_t min_ready = c->rs->spec->min_ready_seconds;
    int32_t n = 0;

    for (size_t i = 0; i < c->count; i++) {
        if (pod_available(c->pods[i], min_ready, c->now))
            n++;
        else if (pod_ready(c->pods[i]))
            actions_requeue_after(
                c->out, (uint64_t)(pod_ready_since(c->pods[i]) + min_ready - c->now) * 1000);
    }
    return n;
}

static void set_failure(struct context *c, ReplicaSetStatus *status)
{
    const struct err *e = c->w->last_error;
    size_t n = 0;

    if (e != NULL && c->w->last_error_kind == KIND_POD && e->code != ERR_CONFLICT) {
        struct condition_value v = {
            .type = "ReplicaFailure", .status = "True", .reason = "FailedCreate", .message = e->msg
        };

        if ((int32_t)c->count > wanted(c->rs))
            v.reason = "FailedDelete";
        if (condition_find(status->conditions, status->n_conditions, v.type) == NULL)
            (void)condition_set(c->w->arena, &replica_set_condition__descriptor,
                                &status->conditions, &status->n_conditions, &v, c->w->wall_ns);
        return;
    }
    if (condition_find(status->conditions, status->n_conditions, "ReplicaFailure") == NULL)
        return;
    status->conditions =
        arena_copy(c->w->arena, status->conditions, status->n_conditions * sizeof(void *));
    for (size_t i = 0; i < status->n_conditions; i++)
        if (!text_eq(status->conditions[i]->type, "ReplicaFailure"))
            status->conditions[n++] = status->conditions[i];
    status->n_conditions = n;
}

static void update_status(struct context *c)
{
    struct arena *a = c->w->arena;
    ReplicaSet *rs = changed_copy(a, c->rs);
    ReplicaSetStatus *status = changed_copy(a, c->rs->status);

    rs->status = status;
    status->has_replicas = status->has_fully_labeled_replicas = 1;
    status->has_ready_replicas = status->has_available_replicas = 1;
    status->has_observed_generation = status->has_terminating_replicas = 1;
    status->replicas = (int32_t)c->count;
    status->terminating_replicas = c->terminating;
    status->fully_labeled_replicas = count_labeled(c);
    status->ready_replicas = 0;
    for (size_t i = 0; i < c->count; i++)
        status->ready_replicas += pod_ready(c->pods[i]);
    status->available_replicas = count_available(c);
    status->observed_generation = rs->metadata->generation;
    set_failure(c, status);
    if (!schema_equal(&schema_ReplicaSetStatus, c->rs->status, status))
        actions_update_status(c->out, KIND_REPLICA_SET, rs);
}

/* ---- the decision ---- */

static int replicaset_reconcile(struct world *w, const struct key *k, struct actions *out,
                                struct err *e)
{
    struct context c = { .w = w, .out = out, .now = wall_seconds(w->wall_ns) };
    int rc;

    c.rs = world_get(w, KIND_REPLICA_SET, k->namespace, k->name);
    if (c.rs == NULL)
        return 0; /* its pods are the garbage collector's */
    rc = selector_from_struct(w->arena, c.rs->spec->selector, &c.selector, e);
    if (rc != 0)
        return err_wrap(e, rc, "selector");
    claim_owned(&c);
    adopt_orphans(&c);
    /* After a failure the status first: the same refusal may end this list again. */
    if (w->last_error != NULL) {
        update_status(&c);
        scale(&c);
    } else {
        scale(&c);
        update_status(&c);
    }
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
    const void *rs;

    arena_init(&a);
    if (lister_decode(enqueue_lister(o->queue, KIND_REPLICA_SET), &a, item, &rs, NULL) == 0 &&
        selector_from_struct(&a, ((const ReplicaSet *)rs)->spec->selector, &s, NULL) == 0 &&
        selector_matches(&s, &o->labels))
        enqueue_key(o->queue, KIND_REPLICA_SET, item->namespace, item->name);
    arena_deinit(&a);
    return true;
}

/* A pod without a controller may belong to any ReplicaSet that selects it. */
static void enqueue_orphan(struct enqueue *q, const struct change *c)
{
    struct lister *sets = enqueue_lister(q, KIND_REPLICA_SET);
    struct object_meta meta;
    struct object_owner owner;
    struct orphan o = { .queue = q };

    object_meta_scan(c->now->bytes, &meta);
    if (c->removed || sets == NULL || object_meta_controller(&meta, &owner))
        return;
    o.labels = object_meta_labels(&meta);
    (void)sets->ops->list(sets, c->now->namespace, visit_selecting, &o); /* none is fine */
}

static const struct watch replicaset_watches[] = { { KIND_REPLICA_SET, enqueue_self },
                                                   { KIND_POD, enqueue_owner },
                                                   { KIND_POD, enqueue_orphan },
                                                   { KIND_NONE, NULL } };

const struct controller replicaset_controller = { .name = "replicaset",
                                                  .component = "replicaset-controller",
                                                  .kind = KIND_REPLICA_SET,
                                                  .watches = replicaset_watches,
                                                  .reconcile = replicaset_reconcile };
