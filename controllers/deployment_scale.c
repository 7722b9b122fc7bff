/*
 * Sizes of a deployment's ReplicaSets: rolling update, recreate, and proportional scaling.
 *
 * A rolling update grows the new set while the total stays within replicas + maxSurge, and shrinks
 * old ones (unhealthy pods first) while at least replicas - maxUnavailable pods are available.
 * Sizes change on the copies of struct rollout; each step sees what the one before decided.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta/labels.h"
#include "controllers/deployment_impl.h"

/* ---- bounds ---- */

static void fenceposts(const struct rollout *r, int32_t *out_surge, int32_t *out_unavailable)
{
    const DeploymentStrategy *s = r->d->spec->strategy;
    const RollingUpdateDeployment *u = s != NULL ? s->rolling_update : NULL;
    int32_t replicas = rollout_replicas(r);

    *out_surge = int_or_percent(u != NULL ? u->max_surge : NULL, replicas, true, 1);
    *out_unavailable = int_or_percent(u != NULL ? u->max_unavailable : NULL, replicas, false, 0);
    /* Both zero (by rounding) would never move. */
    if (*out_surge == 0 && *out_unavailable == 0)
        *out_unavailable = 1;
}

int32_t rollout_max_surge(const struct rollout *r)
{
    int32_t surge, unavailable;

    if (!rollout_is_rolling(r))
        return 0;
    fenceposts(r, &surge, &unavailable);
    return surge;
}

int32_t rollout_max_unavailable(const struct rollout *r)
{
    int32_t surge, unavailable;

    if (!rollout_is_rolling(r) || rollout_replicas(r) == 0)
        return 0;
    fenceposts(r, &surge, &unavailable);
    return unavailable < rollout_replicas(r) ? unavailable : rollout_replicas(r);
}

static int32_t total_replicas(const struct rollout *r)
{
    int32_t total = 0;

    for (size_t i = 0; i < r->count; i++)
        total += set_replicas(&r->sets[i]);
    return total;
}

static int32_t total_available(const struct rollout *r)
{
    int32_t total = 0;

    for (size_t i = 0; i < r->count; i++)
        total += set_available(&r->sets[i]);
    return total;
}

/* Pods that are there or will be: a set that was made smaller may still have more than its size.
 * Upstream counts sizes only, and can then have more pods than maxSurge allows for a while. */
static int32_t total_pods(const struct rollout *r)
{
    int32_t total = 0;

    for (size_t i = 0; i < r->count; i++) {
        int32_t size = set_replicas(&r->sets[i]), pods = r->sets[i].now->status->replicas;

        total += pods > size ? pods : size;
    }
    return total;
}

int32_t rollout_new_set_size(const struct rollout *r, int32_t current)
{
    int32_t want = rollout_replicas(r), room;

    if (!rollout_is_rolling(r))
        return want;
    room = want + rollout_max_surge(r) - total_pods(r);
    if (room <= 0)
        return current;
    return current + (room < want - current ? room : want - current);
}

/* ---- one set ---- */

static bool annotation_is(const ObjectMeta *meta, const char *key, int32_t value)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%d", (int)value);
    return text_eq(meta_annotation(meta, key), text);
}

static void annotate(struct rollout *r, ObjectMeta *meta, const char *key, int32_t value)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%d", (int)value);
    meta_set_annotation(r->a, meta, key, text);
}

void rollout_annotate_size(struct rollout *r, struct rollout_set *s)
{
    int32_t want = rollout_replicas(r), most = want + rollout_max_surge(r);
    ObjectMeta *meta = s->now->metadata;

    if (annotation_is(meta, DESIRED_ANNOTATION, want) && annotation_is(meta, MAX_ANNOTATION, most))
        return;
    annotate(r, meta, DESIRED_ANNOTATION, want);
    annotate(r, meta, MAX_ANNOTATION, most);
    s->changed = true;
}

bool rollout_scale_set(struct rollout *r, struct rollout_set *s, int32_t replicas)
{
    bool resize = set_replicas(s) != replicas;

    rollout_annotate_size(r, s);
    if (!resize)
        return false;
    if (!s->scaled)
        s->scaled_from = set_replicas(s);
    s->scaled = true;
    s->changed = true;
    s->now->spec->has_replicas = 1;
    s->now->spec->replicas = replicas;
    return true;
}

static bool is_old(const struct rollout *r, const struct rollout_set *s)
{
    return s != r->fresh;
}

/* ---- rolling update ---- */

static bool grow_fresh(struct rollout *r)
{
    int32_t size = set_replicas(r->fresh), want = rollout_replicas(r);

    if (size == want || r->fresh->was == NULL)
        return false;
    return rollout_scale_set(r, r->fresh, size > want ? want : rollout_new_set_size(r, size));
}

/* Takes up to most replicas from old sets: all of them, or only those not available. */
static int32_t shrink_old(struct rollout *r, int32_t most, bool unhealthy_only)
{
    int32_t taken = 0;

    for (size_t i = 0; i < r->count && taken < most; i++) {
        struct rollout_set *s = &r->sets[i];
        int32_t size = set_replicas(s);
        int32_t give = unhealthy_only ? size - set_available(s) : size;

        if (!is_old(r, s) || size == 0 || give <= 0)
            continue;
        if (give > most - taken)
            give = most - taken;
        (void)rollout_scale_set(r, s, size - give);
        taken += give;
    }
    return taken;
}

static bool shrink_for_rolling(struct rollout *r)
{
    int32_t least = rollout_replicas(r) - rollout_max_unavailable(r);
    int32_t fresh_unavailable = set_replicas(r->fresh) - set_available(r->fresh);
    int32_t old = total_replicas(r) - set_replicas(r->fresh);
    int32_t most = total_replicas(r) - least - fresh_unavailable;
    int32_t taken;

    if (old == 0 || most <= 0)
        return false;
    taken = shrink_old(r, most, true);
    /* Status still counts pods the line above is about to end only where they were not available,
     * so what is available now may go down to the least. */
    if (total_available(r) > least)
        taken += shrink_old(r, total_available(r) - least, false);
    return taken > 0;
}

void rollout_roll(struct rollout *r)
{
    if (!rollout_revision(r, true))
        return;
    if (!grow_fresh(r) && !shrink_for_rolling(r) && rollout_complete(r, r->d->status))
        rollout_clean_up(r);
    rollout_status(r);
}

/* ---- recreate ---- */

static bool old_pods_running(struct rollout *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct rollout_set *s = &r->sets[i];
        const void **pods;
        size_t n;

        if (!is_old(r, s))
            continue;
        if (s->now->status->replicas > 0)
            return true;
        n = world_by_index(r->w, KIND_POD, INDEX_BY_OWNER, str_from(s->now->metadata->uid), &pods);
        for (size_t j = 0; j < n; j++)
            if (!pod_finished(pods[j]))
                return true;
    }
    return false;
}

void rollout_recreate(struct rollout *r)
{
    bool scaled = false;

    if (!rollout_revision(r, false))
        return;
    for (size_t i = 0; i < r->count; i++)
        if (is_old(r, &r->sets[i]) && set_replicas(&r->sets[i]) > 0)
            scaled |= rollout_scale_set(r, &r->sets[i], 0);
    if (scaled || old_pods_running(r)) {
        rollout_status(r);
        return;
    }
    if (r->fresh == NULL && !rollout_revision(r, true))
        return;
    if (r->fresh->was != NULL)
        (void)rollout_scale_set(r, r->fresh, rollout_replicas(r));
    if (rollout_complete(r, r->d->status))
        rollout_clean_up(r);
    rollout_status(r);
}

/* ---- scaling a deployment of several sets ---- */

bool rollout_is_scaling(const struct rollout *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const ObjectMeta *meta = r->sets[i].now->metadata;

        if (set_replicas(&r->sets[i]) > 0 && meta_annotation(meta, DESIRED_ANNOTATION) != NULL &&
            !annotation_is(meta, DESIRED_ANNOTATION, rollout_replicas(r)))
            return true;
    }
    return false;
}

static size_t active_sets(struct rollout *r, struct rollout_set **out)
{
    size_t n = 0;

    for (size_t i = 0; i < r->count; i++)
        if (set_replicas(&r->sets[i]) > 0)
            out[n++] = &r->sets[i];
    return n;
}

static bool saturated(const struct rollout *r)
{
    int32_t want = rollout_replicas(r);

    return r->fresh != NULL && set_replicas(r->fresh) == want && set_available(r->fresh) == want &&
           annotation_is(r->fresh->now->metadata, DESIRED_ANNOTATION, want);
}

/* What a set gains (or loses) when the deployment's whole size changes in proportion. */
static int32_t fraction(const struct rollout *r, const struct rollout_set *s)
{
    int32_t size = set_replicas(s), want = rollout_replicas(r);
    const char *before_text = meta_annotation(s->now->metadata, MAX_ANNOTATION);
    int64_t before = 0;

    if (want == 0)
        return -size;
    if (before_text == NULL || str_to_i64(str_from(before_text), &before) != 0 || before <= 0)
        before = r->d->status->replicas;
    if (before <= 0)
        return 0;
    /* Rounded to the nearest, halves up. */
    return (int32_t)((2 * (int64_t)size * (want + rollout_max_surge(r)) + before) / (2 * before)) -
           size;
}

/* Biggest first; among equals the newer first when growing, the older when shrinking. */
static int by_size_newer(const void *pa, const void *pb)
{
    const struct rollout_set *const *a = pa, *const *b = pb;

    if (set_replicas(*a) != set_replicas(*b))
        return set_replicas(*a) > set_replicas(*b) ? -1 : 1;
    return *a > *b ? -1 : 1;
}

static int by_size_older(const void *pa, const void *pb)
{
    const struct rollout_set *const *a = pa, *const *b = pb;

    if (set_replicas(*a) != set_replicas(*b))
        return set_replicas(*a) > set_replicas(*b) ? -1 : 1;
    return *a < *b ? -1 : 1;
}

static void scale_in_proportion(struct rollout *r, struct rollout_set **sets, size_t n)
{
    int32_t want = rollout_replicas(r);
    int32_t add = (want > 0 ? want + rollout_max_surge(r) : 0) - total_replicas(r);
    int32_t added = 0;
    int32_t *sizes = arena_array(r->a, n, sizeof(*sizes));

    qsort(sets, n, sizeof(struct rollout_set *), add > 0 ? by_size_newer : by_size_older);
    for (size_t i = 0; i < n; i++) {
        int32_t part = add != 0 && add != added ? fraction(r, sets[i]) : 0;

        if (add > 0 && part > add - added)
            part = add - added;
        if (add < 0 && part < add - added)
            part = add - added;
        sizes[i] = set_replicas(sets[i]) + part;
        added += part;
    }
    sizes[0] += add - added; /* what rounding left over goes to the biggest */
    for (size_t i = 0; i < n; i++)
        (void)rollout_scale_set(r, sets[i], sizes[i] > 0 ? sizes[i] : 0);
}

void rollout_scale(struct rollout *r)
{
    struct rollout_set **sets = arena_array(r->a, r->count + 1, sizeof(struct rollout_set *));
    struct rollout_set *only = NULL;
    size_t n = active_sets(r, sets);

    if (n == 1)
        only = sets[0];
    else if (n == 0 && r->count > 0)
        only = r->fresh != NULL ? r->fresh : &r->sets[r->count - 1];
    if (only != NULL) {
        (void)rollout_scale_set(r, only, rollout_replicas(r)); /* the size may be right already */
        return;
    }
    if (n == 0)
        return;
    if (saturated(r)) {
        for (size_t i = 0; i < n; i++)
            if (is_old(r, sets[i]))
                (void)rollout_scale_set(r, sets[i], 0);
    } else if (rollout_is_rolling(r)) {
        scale_in_proportion(r, sets, n);
    }
}
