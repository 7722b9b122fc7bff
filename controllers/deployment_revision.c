/* The new ReplicaSet of a deployment: finding or making it, revisions, and the history behind it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta/condition.h"
#include "api/meta/labels.h"
#include "api/meta/names.h"
#include "api/meta/owner.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "controllers/deployment_impl.h"

/* ---- templates ---- */

static const PodTemplateSpec *without_hash(struct arena *a, const PodTemplateSpec *t)
{
    PodTemplateSpec *copy = changed_copy(a, t);

    if (t->metadata == NULL)
        return copy;
    copy->metadata = changed_copy(a, t->metadata);
    copy->metadata->labels =
        entries_drop(a, t->metadata->labels, &copy->metadata->n_labels, TEMPLATE_HASH_LABEL);
    return copy;
}

static bool same_template(struct rollout *r, const PodTemplateSpec *t)
{
    return schema_equal(&schema_PodTemplateSpec, without_hash(r->a, r->d->spec->template_),
                        without_hash(r->a, t));
}

/* The oldest set with this template: sets are sorted by age. */
static struct rollout_set *find_fresh(struct rollout *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (same_template(r, r->sets[i].now->spec->template_))
            return &r->sets[i];
    return NULL;
}

/* ---- revisions ---- */

static int64_t revision_of(const ObjectMeta *meta)
{
    const char *text = meta_annotation(meta, REVISION_ANNOTATION);
    int64_t revision = 0;

    if (text == NULL || str_to_i64(str_from(text), &revision) != 0)
        return 0;
    return revision;
}

static int64_t max_old_revision(const struct rollout *r)
{
    int64_t most = 0;

    for (size_t i = 0; i < r->count; i++)
        if (&r->sets[i] != r->fresh && revision_of(r->sets[i].now->metadata) > most)
            most = revision_of(r->sets[i].now->metadata);
    return most;
}

/* Annotations of a deployment that are not its ReplicaSets'. */
static bool skipped_annotation(const char *key)
{
    static const char *const skipped[] = { "kubectl.kubernetes.io/last-applied-configuration",
                                           REVISION_ANNOTATION,
                                           REVISION_HISTORY_ANNOTATION,
                                           DESIRED_ANNOTATION,
                                           MAX_ANNOTATION,
                                           "deprecated.deployment.rollback.to" };

    for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
        if (text_eq(skipped[i], key))
            return true;
    return false;
}

static bool copy_annotations(struct rollout *r, struct rollout_set *s)
{
    const ObjectMeta *from = r->d->metadata;
    bool changed = false;

    for (size_t i = 0; i < from->n_annotations; i++) {
        const char *key = from->annotations[i]->key;
        const char *value = from->annotations[i]->value;
        const char *old = meta_annotation(s->now->metadata, key);

        if (skipped_annotation(key) || (old != NULL && text_eq(old, value)))
            continue;
        meta_set_annotation(r->a, s->now->metadata, key, value);
        changed = true;
    }
    return changed;
}

/* A template used again gets a new number; its old ones are remembered. */
static bool set_revision(struct rollout *r, struct rollout_set *s, int64_t revision)
{
    ObjectMeta *meta = s->now->metadata;
    const char *old = meta_annotation(meta, REVISION_ANNOTATION);
    const char *history = meta_annotation(meta, REVISION_HISTORY_ANNOTATION);
    char text[24];

    if (revision_of(meta) >= revision)
        return false;
    if (s->was != NULL && old != NULL && old[0] != 0) {
        struct str line = history != NULL && history[0] != 0
                              ? str_printf(r->a, "%s,%s", history, old)
                              : str_from(old);

        meta_set_annotation(r->a, meta, REVISION_HISTORY_ANNOTATION, str_dup(r->a, line));
    }
    (void)snprintf(text, sizeof(text), "%lld", (long long)revision);
    meta_set_annotation(r->a, meta, REVISION_ANNOTATION, text);
    return true;
}

static void copy_revision_to_deployment(struct rollout *r)
{
    const char *revision = meta_annotation(r->fresh->now->metadata, REVISION_ANNOTATION);
    const char *mine = meta_annotation(r->d->metadata, REVISION_ANNOTATION);

    if (revision != NULL && !text_eq(revision, mine))
        meta_set_annotation(r->a, r->d->metadata, REVISION_ANNOTATION, revision);
}

/* ---- making it ---- */

static LabelSelector *selector_with_hash(struct rollout *r, const char *hash)
{
    LabelSelector *s = changed_copy(r->a, r->d->spec->selector);

    s->match_labels = entries_set(r->a, &label_selector__match_labels_entry__descriptor,
                                  s->match_labels, &s->n_match_labels, TEMPLATE_HASH_LABEL, hash);
    return s;
}

static PodTemplateSpec *template_with_hash(struct rollout *r, const char *hash)
{
    PodTemplateSpec *t = changed_copy(r->a, r->d->spec->template_);

    if (t->metadata != NULL) {
        t->metadata = changed_copy(r->a, t->metadata);
    } else {
        t->metadata = arena_new(r->a, ObjectMeta);
        object_meta__init(t->metadata);
    }
    t->metadata->labels =
        entries_set(r->a, &object_meta__labels_entry__descriptor, t->metadata->labels,
                    &t->metadata->n_labels, TEMPLATE_HASH_LABEL, hash);
    return t;
}

static ReplicaSet *new_set(struct rollout *r, const char *hash, const char *name)
{
    ReplicaSet *rs = schema_new(r->a, kind_info(KIND_REPLICA_SET)->schema);

    rs->metadata = arena_new(r->a, ObjectMeta);
    object_meta__init(rs->metadata);
    rs->metadata->name = str_dup(r->a, str_from(name));
    rs->metadata->namespace_ = r->d->metadata->namespace_;
    rs->spec = arena_new(r->a, ReplicaSetSpec);
    replica_set_spec__init(rs->spec);
    rs->spec->template_ = template_with_hash(r, hash);
    rs->spec->selector = selector_with_hash(r, hash);
    rs->spec->has_min_ready_seconds = 1;
    rs->spec->min_ready_seconds = r->d->spec->min_ready_seconds;
    rs->spec->has_replicas = 1;
    rs->metadata->labels = rs->spec->template_->metadata->labels;
    rs->metadata->n_labels = rs->spec->template_->metadata->n_labels;
    owner_append(r->a, rs->metadata, owner_controller_ref(r->a, KIND_DEPLOYMENT, r->was->metadata));
    rs->status = arena_new(r->a, ReplicaSetStatus);
    replica_set_status__init(rs->status);
    return rs;
}

static bool create_fresh(struct rollout *r, int64_t revision)
{
    const DeploymentSpec *spec = r->d->spec;
    struct str bytes = schema_pack_arena(r->a, &schema_PodTemplateSpec, spec->template_);
    int64_t collisions = r->d->status->has_collision_count ? r->d->status->collision_count : -1;
    struct str hash = name_template_hash(r->a, bytes, collisions);
    struct str name = str_printf(r->a, "%s-%.*s", r->d->metadata->name, STR_ARG(hash));
    struct rollout_set *s = &r->sets[r->count];
    int32_t size;

    if (world_get(r->w, KIND_REPLICA_SET, meta_namespace(r->d->metadata), name) != NULL) {
        /* Not ours, or another template with this hash: the next sync hashes with a salt. */
        r->d->status->has_collision_count = 1;
        r->d->status->collision_count++;
        return false;
    }
    size = rollout_new_set_size(r, 0);
    *s = (struct rollout_set){ .now = new_set(r, str_dup(r->a, hash), str_dup(r->a, name)) };
    s->now->spec->replicas = size;
    r->count++;
    r->fresh = s;
    (void)copy_annotations(r, s); /* a new object is written in any case */
    (void)set_revision(r, s, revision);
    rollout_annotate_size(r, s);
    return true;
}

/* ---- public ---- */

bool rollout_revision(struct rollout *r, bool create)
{
    int64_t revision;
    const char *reason = "FoundNewReplicaSet";
    const char *verb = "Found";

    r->fresh = find_fresh(r);
    revision = max_old_revision(r) + 1;
    if (r->fresh != NULL) {
        struct rollout_set *s = r->fresh;
        bool changed = copy_annotations(r, s);

        changed |= set_revision(r, s, revision);
        if (s->now->spec->min_ready_seconds != r->d->spec->min_ready_seconds) {
            s->now->spec->has_min_ready_seconds = 1;
            s->now->spec->min_ready_seconds = r->d->spec->min_ready_seconds;
            changed = true;
        }
        s->changed |= changed;
    } else if (!create) {
        return true;
    } else if (create_fresh(r, revision)) {
        reason = "NewReplicaSetCreated";
        verb = "Created";
    } else {
        return false;
    }
    copy_revision_to_deployment(r);
    if (rollout_has_deadline(r) &&
        (r->fresh->was == NULL ||
         condition_find(r->d->status->conditions, r->d->status->n_conditions, "Progressing") ==
             NULL))
        rollout_condition(
            r, r->d->status, "Progressing", "True", reason,
            str_printf(r->a, "%s new replica set \"%s\"", verb, r->fresh->now->metadata->name));
    return true;
}

static int by_revision(const void *pa, const void *pb)
{
    const struct rollout_set *const *a = pa, *const *b = pb;
    int64_t ra = revision_of((*a)->now->metadata), rb = revision_of((*b)->now->metadata);

    if (ra != rb)
        return ra < rb ? -1 : 1;
    return *a < *b ? -1 : 1; /* by age: both are in one array sorted by it */
}

void rollout_clean_up(struct rollout *r)
{
    struct rollout_set **old = arena_array(r->a, r->count + 1, sizeof(struct rollout_set *));
    size_t n = 0, limit;

    if (!r->d->spec->has_revision_history_limit || r->d->spec->revision_history_limit < 0)
        return;
    limit = (size_t)r->d->spec->revision_history_limit;
    for (size_t i = 0; i < r->count; i++)
        if (&r->sets[i] != r->fresh && !meta_deleting(r->sets[i].now->metadata))
            old[n++] = &r->sets[i];
    if (n <= limit)
        return;
    qsort(old, n, sizeof(struct rollout_set *), by_revision);
    for (size_t i = 0; i < n - limit; i++) {
        const ReplicaSet *rs = old[i]->now;

        if (old[i]->changed || rs->status->replicas != 0 || set_replicas(old[i]) != 0 ||
            rs->metadata->generation > rs->status->observed_generation)
            continue;
        (void)actions_delete(r->out, KIND_REPLICA_SET, rs->metadata);
    }
}
