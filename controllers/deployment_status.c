/* A deployment's counters and conditions, with upstream's reasons and texts. */
#include <string.h>

#include "api/meta/condition.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "controllers/deployment_impl.h"

/* ---- conditions ---- */

static const DeploymentCondition *find(const DeploymentStatus *s, const char *type)
{
    return condition_find(s->conditions, s->n_conditions, type);
}

static void drop_condition(struct arena *a, DeploymentStatus *s, const char *type)
{
    DeploymentCondition **kept = arena_array(a, s->n_conditions + 1, sizeof(*kept));
    size_t n = 0;

    for (size_t i = 0; i < s->n_conditions; i++)
        if (!text_eq(s->conditions[i]->type, type))
            kept[n++] = s->conditions[i];
    s->conditions = kept;
    s->n_conditions = n;
}

static DeploymentCondition *condition_new(struct rollout *r, const char *type, const char *status,
                                          const char *reason, struct str message)
{
    DeploymentCondition *c = arena_new(r->a, DeploymentCondition);

    deployment_condition__init(c);
    c->type = str_dup(r->a, str_from(type));
    c->status = str_dup(r->a, str_from(status));
    c->reason = str_dup(r->a, str_from(reason));
    c->message = str_dup(r->a, message);
    c->last_update_time = time_make(r->a, r->w->wall_ns);
    c->last_transition_time = c->last_update_time;
    return c;
}

static void append_condition(struct rollout *r, DeploymentStatus *s, DeploymentCondition *c)
{
    drop_condition(r->a, s, c->type);
    /* drop_condition left one place free. */
    s->conditions[s->n_conditions++] = c;
}

/* Same status and reason: nothing changes, not even the message. */
void rollout_condition(struct rollout *r, DeploymentStatus *status, const char *type,
                       const char *status_text, const char *reason, struct str message)
{
    const DeploymentCondition *old = find(status, type);
    DeploymentCondition *c;

    if (old != NULL && text_eq(old->status, status_text) && text_eq(old->reason, reason))
        return;
    c = condition_new(r, type, status_text, reason, message);
    if (old != NULL && text_eq(old->status, status_text))
        c->last_transition_time = old->last_transition_time;
    append_condition(r, status, c);
}

bool rollout_has_deadline(const struct rollout *r)
{
    return r->d->spec->has_progress_deadline_seconds &&
           r->d->spec->progress_deadline_seconds != INT32_MAX;
}

void rollout_check_paused(struct rollout *r)
{
    const DeploymentCondition *c = find(r->d->status, "Progressing");
    bool marked;

    if (!rollout_has_deadline(r))
        return;
    if (c != NULL && text_eq(c->reason, "ProgressDeadlineExceeded"))
        return;
    marked = c != NULL && text_eq(c->reason, "DeploymentPaused");
    if (r->d->spec->paused && !marked)
        rollout_condition(r, r->d->status, "Progressing", "Unknown", "DeploymentPaused",
                          str_lit("Deployment is paused"));
    else if (!r->d->spec->paused && marked)
        rollout_condition(r, r->d->status, "Progressing", "Unknown", "DeploymentResumed",
                          str_lit("Deployment is resumed"));
}

/* ---- counters ---- */

static void count(struct rollout *r, DeploymentStatus *s)
{
    int32_t sizes = 0;

    s->has_observed_generation = s->has_replicas = s->has_updated_replicas = 1;
    s->has_ready_replicas = s->has_available_replicas = s->has_unavailable_replicas = 1;
    s->observed_generation = r->d->metadata->generation;
    s->replicas = s->ready_replicas = s->available_replicas = s->updated_replicas = 0;
    s->has_terminating_replicas = 1; /* unless one of the sets does not say */
    s->terminating_replicas = 0;
    for (size_t i = 0; i < r->count; i++) {
        const ReplicaSetStatus *rs = r->sets[i].now->status;

        sizes += set_replicas(&r->sets[i]);
        s->replicas += rs->replicas;
        s->ready_replicas += rs->ready_replicas;
        s->available_replicas += rs->available_replicas;
        s->has_terminating_replicas = s->has_terminating_replicas && rs->has_terminating_replicas;
        s->terminating_replicas += rs->terminating_replicas;
    }
    if (!s->has_terminating_replicas)
        s->terminating_replicas = 0;
    if (r->fresh != NULL)
        s->updated_replicas = r->fresh->now->status->replicas;
    s->unavailable_replicas = sizes > s->available_replicas ? sizes - s->available_replicas : 0;
    if (s->available_replicas >= rollout_replicas(r) - rollout_max_unavailable(r))
        rollout_condition(r, s, "Available", "True", "MinimumReplicasAvailable",
                          str_lit("Deployment has minimum availability."));
    else
        rollout_condition(r, s, "Available", "False", "MinimumReplicasUnavailable",
                          str_lit("Deployment does not have minimum availability."));
}

void rollout_counters(struct rollout *r)
{
    count(r, r->d->status);
}

bool rollout_complete(const struct rollout *r, const DeploymentStatus *s)
{
    int32_t want = rollout_replicas(r);

    return s->updated_replicas == want && s->replicas == want && s->available_replicas == want &&
           s->observed_generation >= r->d->metadata->generation;
}

/* ---- progress ---- */

static bool progressing(const DeploymentStatus *old, const DeploymentStatus *now)
{
    return now->updated_replicas > old->updated_replicas ||
           now->replicas - now->updated_replicas < old->replicas - old->updated_replicas ||
           now->ready_replicas > old->ready_replicas ||
           now->available_replicas > old->available_replicas;
}

static bool timed_out(const struct rollout *r, const DeploymentStatus *s)
{
    const DeploymentCondition *c = find(s, "Progressing");

    if (c == NULL || text_eq(c->reason, "NewReplicaSetAvailable"))
        return false;
    if (text_eq(c->reason, "ProgressDeadlineExceeded"))
        return true;
    return time_seconds(c->last_update_time) + r->d->spec->progress_deadline_seconds < r->now;
}

static struct str progress_text(const struct rollout *r, const char *what)
{
    if (r->fresh != NULL)
        return str_printf(r->a, "ReplicaSet \"%s\" %s", r->fresh->now->metadata->name, what);
    return str_printf(r->a, "Deployment \"%s\" %s", r->d->metadata->name, what);
}

/* Progress renews the condition's update time: the deadline counts from there. */
static void renew_progress(struct rollout *r, DeploymentStatus *s)
{
    const DeploymentCondition *old = find(s, "Progressing");
    DeploymentCondition *c = condition_new(r, "Progressing", "True", "ReplicaSetUpdated",
                                           progress_text(r, "is progressing."));

    if (old != NULL && text_eq(old->status, "True"))
        c->last_transition_time = old->last_transition_time;
    append_condition(r, s, c);
}

static void set_progress(struct rollout *r, DeploymentStatus *s)
{
    const DeploymentCondition *c = find(r->was->status, "Progressing");

    if (!rollout_has_deadline(r)) {
        if (find(s, "Progressing") != NULL)
            drop_condition(r->a, s, "Progressing");
        return;
    }
    if (s->replicas == s->updated_replicas && c != NULL &&
        text_eq(c->reason, "NewReplicaSetAvailable"))
        return;
    if (rollout_complete(r, s))
        rollout_condition(r, s, "Progressing", "True", "NewReplicaSetAvailable",
                          progress_text(r, "has successfully progressed."));
    else if (progressing(r->was->status, s))
        renew_progress(r, s);
    else if (timed_out(r, s))
        rollout_condition(r, s, "Progressing", "False", "ProgressDeadlineExceeded",
                          progress_text(r, "has timed out progressing."));
}

static const ReplicaSetCondition *failure_of(const struct rollout_set *s)
{
    if (s == NULL)
        return NULL;
    return condition_find(s->now->status->conditions, s->now->status->n_conditions,
                          "ReplicaFailure");
}

static void set_failure(struct rollout *r, DeploymentStatus *s)
{
    const ReplicaSetCondition *f = failure_of(r->fresh);

    for (size_t i = 0; f == NULL && i < r->count; i++)
        f = failure_of(&r->sets[i]);
    if (f != NULL)
        rollout_condition(r, s, "ReplicaFailure", f->status, f->reason, str_from(f->message));
    else if (find(s, "ReplicaFailure") != NULL)
        drop_condition(r->a, s, "ReplicaFailure");
}

/* Nothing else wakes a rollout that is stuck: come back when its deadline has passed. */
static void requeue_stuck(struct rollout *r, const DeploymentStatus *s)
{
    const DeploymentCondition *c = find(s, "Progressing");
    int64_t left;

    if (!rollout_has_deadline(r) || c == NULL || rollout_complete(r, s) ||
        text_eq(c->reason, "ProgressDeadlineExceeded") ||
        text_eq(c->reason, "NewReplicaSetAvailable"))
        return;
    left = time_seconds(c->last_update_time) + r->d->spec->progress_deadline_seconds - r->now;
    actions_requeue_after(r->out, left >= 0 ? (uint64_t)(left + 1) * 1000 : 1000);
}

void rollout_status(struct rollout *r)
{
    count(r, r->d->status);
    set_progress(r, r->d->status);
    set_failure(r, r->d->status);
    requeue_stuck(r, r->d->status);
}
