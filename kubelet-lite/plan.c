/* The pod plan (see the header). No I/O, no clock, no memory. */
#include "kubelet-lite/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/meta/text.h"
#include "api/proto/core.pb-c.h"
#include "base/assert.h"
#include "base/env.h"
#include "base/str.h"

static const char *text(const char *s)
{
    return s != NULL ? s : "";
}

static struct plan_action *add(struct plan *p, enum plan_kind kind)
{
    static struct plan_action overflow;
    if (p->count == PLAN_ACTIONS_MAX) {
        overflow = (struct plan_action){ 0 };
        return &overflow;
    }
    p->actions[p->count] = (struct plan_action){ .kind = kind };
    return &p->actions[p->count++];
}

static void wake_at(struct plan *p, uint64_t ns)
{
    if (p->wake_ns == 0 || ns < p->wake_ns)
        p->wake_ns = ns;
}

void container_hash(const struct Container *c, char out[CONTAINER_HASH_BYTES])
{
    uint64_t h = str_hash(str_from(text(c->name))) * 31 + str_hash(str_from(text(c->image)));
    (void)snprintf(out, CONTAINER_HASH_BYTES, "%016" PRIx64, h);
}

const struct pod_hold *pod_hold(const struct pod_input *in, const char *name)
{
    for (size_t i = 0; i < in->hold_count; i++)
        if (strcmp(in->holds[i].name, name) == 0 && in->holds[i].until_ns > in->now_ns)
            return &in->holds[i];
    return NULL;
}

/* ---- what the policy says ---- */

bool pod_restarts(const struct Pod *pod, const struct seen_container *ended, bool init)
{
    const char *policy = text(pod->spec->restart_policy);
    if (strcmp(policy, "Never") == 0)
        return false;
    if (init || strcmp(policy, "OnFailure") == 0)
        return ended->exit_code != 0;
    return true;
}

static bool ran_long(const struct seen_container *c)
{
    return c->started_ns > 0 &&
           c->finished_ns - c->started_ns >= (int64_t)(PLAN_BACKOFF_RESET_S * ENV_S);
}

uint64_t pod_restart_ns(const struct seen_container *ended, uint32_t *out_delay_s)
{
    uint64_t delay = 0;
    uint32_t level = ran_long(ended) ? 0 : ended->backoff_level;
    if (level > 0) {
        delay = PLAN_BACKOFF_MIN_S;
        for (uint32_t i = 1; i < level && delay < PLAN_BACKOFF_MAX_S; i++)
            delay *= 2;
        if (delay > PLAN_BACKOFF_MAX_S)
            delay = PLAN_BACKOFF_MAX_S;
    }
    *out_delay_s = (uint32_t)delay;
    int64_t finished = ended->finished_ns > 0 ? ended->finished_ns : ended->created_ns;
    return (uint64_t)(finished > 0 ? finished : 0) + delay * ENV_S;
}

static bool in_sandbox(const struct seen_container *c, const struct seen_sandbox *s)
{
    return c != NULL && s != NULL && strcmp(c->sandbox_id, s->id) == 0;
}

bool pod_has_container(const struct Pod *pod, const char *name)
{
    const PodSpec *s = pod->spec;
    for (size_t i = 0; i < s->n_containers; i++)
        if (text_eq(s->containers[i]->name, name))
            return true;
    for (size_t i = 0; i < s->n_init_containers; i++)
        if (text_eq(s->init_containers[i]->name, name))
            return true;
    for (size_t i = 0; i < s->n_ephemeral_containers; i++) {
        const EphemeralContainerCommon *c = s->ephemeral_containers[i]->ephemeral_container_common;
        if (c != NULL && text_eq(c->name, name))
            return true;
    }
    return false;
}

bool pod_initialized(const struct Pod *pod, const struct pod_view *view)
{
    const struct seen_sandbox *sandbox = view_sandbox_current(view);
    /* The containers proper are created only after the init containers: seeing one is proof. */
    for (size_t i = 0; i < pod->spec->n_containers; i++)
        if (in_sandbox(view_latest(view, text(pod->spec->containers[i]->name)), sandbox))
            return true;
    for (size_t i = 0; i < pod->spec->n_init_containers; i++) {
        const struct seen_container *c =
            view_latest(view, text(pod->spec->init_containers[i]->name));
        if (!in_sandbox(c, sandbox) || c->state != SEEN_EXITED || c->exit_code != 0)
            return false;
    }
    return true;
}

static bool init_failed(const struct Pod *pod, const struct pod_view *view)
{
    for (size_t i = 0; i < pod->spec->n_init_containers; i++) {
        const struct seen_container *c =
            view_latest(view, text(pod->spec->init_containers[i]->name));
        if (c != NULL && c->state == SEEN_EXITED && c->exit_code != 0 &&
            !pod_restarts(pod, c, true))
            return true;
    }
    return false;
}

bool pod_finished(const struct Pod *pod, const struct pod_view *view)
{
    if (init_failed(pod, view))
        return true;
    for (size_t i = 0; i < pod->spec->n_containers; i++) {
        const struct seen_container *c = view_latest(view, text(pod->spec->containers[i]->name));
        if (c == NULL || c->state != SEEN_EXITED || pod_restarts(pod, c, false))
            return false;
    }
    return true;
}

/* ---- the way out ---- */

static int64_t grace_of(const struct pod_input *in, const struct seen_container *c)
{
    if (in->pod == NULL)
        return c->grace_s;
    const ObjectMeta *meta = in->pod->metadata;
    if (meta->has_deletion_grace_period_seconds)
        /* A forced deletion still gives a second, as upstream does. */
        return meta->deletion_grace_period_seconds > 0 ? meta->deletion_grace_period_seconds : 1;
    if (in->pod->spec->has_termination_grace_period_seconds)
        return in->pod->spec->termination_grace_period_seconds;
    return c->grace_s;
}

static void plan_going(const struct pod_input *in, struct plan *out)
{
    const struct pod_view *v = in->view;
    out->going = true;
    for (size_t i = 0; i < v->container_count; i++)
        if (v->containers[i].state == SEEN_RUNNING) {
            struct plan_action *a = add(out, PLAN_STOP);
            a->id = v->containers[i].id;
            a->grace_s = grace_of(in, &v->containers[i]);
        }
    if (out->count > 0)
        return;
    for (size_t i = 0; i < v->sandbox_count; i++)
        if (v->sandboxes[i].ready)
            add(out, PLAN_STOP_SANDBOX)->id = v->sandboxes[i].id;
    for (size_t i = 0; i < v->sandbox_count; i++)
        add(out, PLAN_REMOVE_SANDBOX)->id = v->sandboxes[i].id;
    if (v->sandbox_count > 0)
        return;
    for (size_t i = 0; i < v->container_count; i++)
        add(out, PLAN_REMOVE)->id = v->containers[i].id;
    if (!in->cleaned)
        add(out, PLAN_CLEAN);
    add(out, PLAN_FINISH);
}

/* Everything ran to its end: the sandbox need not run on. */
static void plan_finished(const struct pod_input *in, struct plan *out)
{
    const struct pod_view *v = in->view;
    for (size_t i = 0; i < v->container_count; i++)
        if (v->containers[i].state == SEEN_RUNNING) {
            struct plan_action *a = add(out, PLAN_STOP);
            a->id = v->containers[i].id;
            a->grace_s = grace_of(in, &v->containers[i]);
        }
    if (out->count > 0)
        return;
    for (size_t i = 0; i < v->sandbox_count; i++)
        if (v->sandboxes[i].ready)
            add(out, PLAN_STOP_SANDBOX)->id = v->sandboxes[i].id;
}

/* ---- the way in ---- */

struct start {
    const struct Container *container;
    const struct seen_container *created; /* there already: only to be started */
    uint32_t attempt;
    uint32_t level;
};

/* Is this container to be started now? false: no, or not yet (then the plan has a wake time). */
static bool wants_start(const struct pod_input *in, const struct Container *c, bool init,
                        const struct seen_sandbox *sandbox, struct plan *out, struct start *start)
{
    const struct seen_container *latest = view_latest(in->view, text(c->name));
    *start = (struct start){ .container = c };
    if (latest != NULL && latest->state == SEEN_RUNNING && in_sandbox(latest, sandbox)) {
        char hash[CONTAINER_HASH_BYTES];
        container_hash(c, hash);
        if (latest->hash[0] != '\0' && strcmp(latest->hash, hash) != 0) {
            struct plan_action *a = add(out, PLAN_STOP);
            a->id = latest->id;
            a->grace_s = grace_of(in, latest);
        }
        return false;
    }
    if (latest != NULL && latest->state == SEEN_EXITED && !pod_restarts(in->pod, latest, init) &&
        (!init || in_sandbox(latest, sandbox)))
        return false;
    const struct pod_hold *hold = pod_hold(in, text(c->name));
    if (hold != NULL) {
        wake_at(out, hold->until_ns);
        return false;
    }
    if (latest == NULL)
        return true;
    if (latest->state == SEEN_CREATED && in_sandbox(latest, sandbox)) {
        start->created = latest;
        return true;
    }
    start->attempt = latest->attempt + 1;
    start->level = (ran_long(latest) ? 0 : latest->backoff_level) + 1;
    if (!in_sandbox(latest, sandbox)) {
        /* Its sandbox went (a reboot): no fault of the container. */
        start->level = latest->backoff_level;
        return true;
    }
    uint32_t delay;
    uint64_t due = pod_restart_ns(latest, &delay);
    if (due > in->now_ns) {
        wake_at(out, due);
        return false;
    }
    return true;
}

static void plan_start(const struct start *start, struct plan *out)
{
    if (start->created == NULL) {
        add(out, PLAN_IMAGE)->container = start->container;
        struct plan_action *create = add(out, PLAN_CREATE);
        create->container = start->container;
        create->attempt = start->attempt;
        create->backoff_level = start->level;
    }
    struct plan_action *a = add(out, PLAN_START);
    a->container = start->container;
    a->id = start->created != NULL ? start->created->id : NULL;
}

/* Collects what to start: the next init container, or all others that are due. */
static size_t collect(const struct pod_input *in, const struct seen_sandbox *sandbox,
                      struct plan *out, struct start *starts, size_t max)
{
    const PodSpec *spec = in->pod->spec;
    size_t n = 0;
    if (!pod_initialized(in->pod, in->view)) {
        for (size_t i = 0; i < spec->n_init_containers; i++) {
            const struct seen_container *c =
                view_latest(in->view, text(spec->init_containers[i]->name));
            if (in_sandbox(c, sandbox) && c->state == SEEN_EXITED && c->exit_code == 0)
                continue;
            if (wants_start(in, spec->init_containers[i], true, sandbox, out, &starts[0]))
                n = 1;
            return n;
        }
    }
    for (size_t i = 0; i < spec->n_containers && n < max; i++)
        if (wants_start(in, spec->containers[i], false, sandbox, out, &starts[n]))
            n++;
    return n;
}

static bool kept(const struct pod_view *v, const struct seen_container *c)
{
    return c == view_latest(v, c->name) || c == view_previous(v, c->name);
}

/* Old attempts beyond the previous one, and old sandboxes that hold nothing kept. */
static void plan_garbage(const struct pod_view *v, struct plan *out)
{
    const struct seen_sandbox *current = view_sandbox_current(v);
    for (size_t i = 0; i < v->container_count; i++)
        if (v->containers[i].state != SEEN_RUNNING && !kept(v, &v->containers[i]))
            add(out, PLAN_REMOVE)->id = v->containers[i].id;
    for (size_t i = 0; i < v->sandbox_count; i++) {
        const struct seen_sandbox *s = &v->sandboxes[i];
        if (s == current || s->ready)
            continue;
        bool needed = false;
        for (size_t j = 0; j < v->container_count; j++)
            needed = needed || (in_sandbox(&v->containers[j], s) && kept(v, &v->containers[j]));
        if (!needed)
            add(out, PLAN_REMOVE_SANDBOX)->id = s->id;
    }
}

static bool any_running(const struct pod_view *v)
{
    for (size_t i = 0; i < v->container_count; i++)
        if (v->containers[i].state == SEEN_RUNNING)
            return true;
    return false;
}

static void plan_running(const struct pod_input *in, struct plan *out)
{
    struct start starts[PLAN_ACTIONS_MAX / 4];
    const struct seen_sandbox *current = view_sandbox_current(in->view);
    bool ready = current != NULL && current->ready;
    size_t n = collect(in, ready ? current : NULL, out, starts, sizeof starts / sizeof starts[0]);
    if (out->count > 0)
        return; /* a container is replaced: first it stops */
    const struct pod_hold *hold = pod_hold(in, "");
    if (hold != NULL) {
        wake_at(out, hold->until_ns);
        return;
    }
    bool lost = !ready && (n > 0 || any_running(in->view));
    if ((n > 0 || lost) && !in->prepared)
        add(out, PLAN_PREPARE);
    /* Also for a pod that runs already: its files follow their sources. */
    if (!in->mounted)
        add(out, PLAN_VOLUMES);
    if (lost) {
        for (size_t i = 0; i < in->view->sandbox_count; i++)
            if (any_running(in->view) || in->view->sandboxes[i].ready)
                add(out, PLAN_STOP_SANDBOX)->id = in->view->sandboxes[i].id;
        struct plan_action *a = add(out, PLAN_RUN_SANDBOX);
        a->attempt = current == NULL ? 0 : current->attempt + 1;
        return;
    }
    for (size_t i = 0; i < n; i++)
        plan_start(&starts[i], out);
    if (out->count == 0)
        plan_garbage(in->view, out);
}

void pod_plan(const struct pod_input *in, struct plan *out)
{
    *out = (struct plan){ 0 };
    ASSERT(in->pod != NULL || !in->known);
    if (!in->known || in->pod->metadata->deletion_timestamp != NULL) {
        plan_going(in, out);
        return;
    }
    if (in->refused != NULL)
        return;
    const char *phase = in->pod->status != NULL ? text(in->pod->status->phase) : "";
    bool ended = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
    if (ended || pod_finished(in->pod, in->view)) {
        plan_finished(in, out);
        return;
    }
    plan_running(in, out);
}
