/* Pod status from the pod, what the runtime has and what this node could not do (see header). */
#include "kubelet-lite/status.h"

#include <string.h>

#include "api/meta/condition.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "kubelet-lite/resources.h"

static const char *text(const char *s)
{
    return s != NULL ? s : "";
}

static void *message(struct arena *a, const ProtobufCMessageDescriptor *d)
{
    ProtobufCMessage *m = arena_alloc(a, d->sizeof_message);
    protobuf_c_message_init(d, m);
    return m;
}

static Time *time_of(struct arena *a, int64_t ns)
{
    Time *t = message(a, &time__descriptor);
    t->has_seconds = 1;
    t->seconds = ns / (int64_t)ENV_S;
    return t;
}

static char *dup(struct arena *a, const char *s)
{
    return str_dup(a, str_from(text(s)));
}

/* ---- containers ---- */

enum container_class { CLASS_WAITING, CLASS_RUNNING, CLASS_DONE, CLASS_FAILED };

/* How a container counts for the phase: one that will be started again counts by its last end. */
static enum container_class class_of(const struct seen_container *c)
{
    if (c == NULL || c->state == SEEN_CREATED)
        return CLASS_WAITING;
    if (c->state == SEEN_RUNNING)
        return CLASS_RUNNING;
    return c->exit_code == 0 ? CLASS_DONE : CLASS_FAILED;
}

static ContainerStateTerminated *terminated(struct arena *a, const struct seen_container *c)
{
    ContainerStateTerminated *t = message(a, &container_state_terminated__descriptor);
    t->has_exit_code = 1;
    t->exit_code = c->exit_code;
    t->reason = dup(a, c->reason[0] != '\0' ? c->reason
                       : c->exit_code == 0  ? "Completed"
                                            : "Error");
    t->message = c->message[0] != '\0' ? dup(a, c->message) : NULL;
    t->started_at = time_of(a, c->started_ns);
    t->finished_at = time_of(a, c->finished_ns);
    t->container_id = (char *)str_printf(a, "containerd://%s", c->id).data;
    return t;
}

static ContainerStateWaiting *waiting(struct arena *a, const char *reason, const char *why)
{
    ContainerStateWaiting *w = message(a, &container_state_waiting__descriptor);
    w->reason = dup(a, reason);
    w->message = why != NULL && why[0] != '\0' ? dup(a, why) : NULL;
    return w;
}

static bool pod_going(const struct pod_input *in)
{
    return !in->known || in->pod->metadata->deletion_timestamp != NULL;
}

/* Is an ended container to be started again? */
static bool comes_back(const struct pod_input *in, const struct seen_container *c, bool init)
{
    return !pod_going(in) && pod_restarts(in->pod, c, init);
}

static ContainerStateWaiting *crash_wait(struct arena *a, const struct pod_input *in,
                                         const struct Container *spec,
                                         const struct seen_container *c)
{
    uint32_t delay;
    uint64_t due = pod_restart_ns(c, &delay);
    if (due <= in->now_ns)
        return NULL;
    return waiting(a, "CrashLoopBackOff",
                   str_printf(a, "back-off %us restarting failed container=%s pod=%s_%s(%s)", delay,
                              text(spec->name), text(in->pod->metadata->name),
                              text(in->pod->metadata->namespace_), text(in->pod->metadata->uid))
                       .data);
}

static void set_state(struct arena *a, const struct pod_input *in, const struct Container *spec,
                      bool init, bool initialized, const struct seen_container *c,
                      ContainerStatus *out)
{
    const char *name = text(spec->name);
    const struct pod_hold *hold = pod_hold(in, name);
    ContainerState *state = message(a, &container_state__descriptor);
    out->state = state;
    if (c != NULL && c->state == SEEN_RUNNING) {
        state->running = message(a, &container_state_running__descriptor);
        state->running->started_at = time_of(a, c->started_ns);
        return;
    }
    if (c != NULL && c->state == SEEN_EXITED) {
        if (comes_back(in, c, init)) {
            state->waiting =
                hold != NULL ? waiting(a, hold->reason, hold->message) : crash_wait(a, in, spec, c);
            if (state->waiting != NULL) {
                out->last_state = message(a, &container_state__descriptor);
                out->last_state->terminated = terminated(a, c);
                return;
            }
        }
        state->terminated = terminated(a, c);
        return;
    }
    if (in->refused != NULL)
        state->waiting = waiting(a, "UnsupportedPodSpec", in->refused);
    else if (hold != NULL)
        state->waiting = waiting(a, hold->reason, hold->message);
    else if (pod_hold(in, "") != NULL || (init && initialized) ||
             in->pod->spec->n_init_containers == 0)
        state->waiting = waiting(a, "ContainerCreating", NULL);
    else
        state->waiting = waiting(a, "PodInitializing", NULL);
}

static ContainerStatus *container_status(struct arena *a, const struct pod_input *in,
                                         const struct Container *spec, bool init, bool initialized)
{
    const struct seen_container *c = view_latest(in->view, text(spec->name));
    const struct seen_container *before = view_previous(in->view, text(spec->name));
    ContainerStatus *s = message(a, &container_status__descriptor);
    s->name = dup(a, spec->name);
    s->last_state = message(a, &container_state__descriptor);
    set_state(a, in, spec, init, initialized, c, s);
    if (before != NULL && before->state == SEEN_EXITED && s->last_state->terminated == NULL)
        s->last_state->terminated = terminated(a, before);
    bool running = s->state->running != NULL;
    s->has_ready = 1;
    s->ready = init ? s->state->terminated != NULL && c->exit_code == 0 : running;
    s->has_started = 1;
    s->started = running;
    s->has_restart_count = 1;
    s->restart_count = c != NULL ? (int32_t)c->attempt : 0;
    s->image = dup(a, c != NULL && c->image[0] != '\0' ? c->image : spec->image);
    s->image_id = dup(a, c != NULL ? c->image_id : "");
    if (c != NULL)
        s->container_id = (char *)str_printf(a, "containerd://%s", c->id).data;
    return s;
}

static ContainerStatus **statuses(struct arena *a, const struct pod_input *in, Container **list,
                                  size_t count, bool init)
{
    ContainerStatus **out = arena_array(a, count, sizeof *out);
    bool initialized = pod_initialized(in->pod, in->view);
    for (size_t i = 0; i < count; i++)
        out[i] = container_status(a, in, list[i], init, initialized);
    return out;
}

/* ---- phase ---- */

static bool init_is_stuck(const struct pod_input *in)
{
    for (size_t i = 0; i < in->pod->spec->n_init_containers; i++) {
        const struct seen_container *c =
            view_latest(in->view, text(in->pod->spec->init_containers[i]->name));
        if (class_of(c) == CLASS_FAILED && !comes_back(in, c, true))
            return true;
    }
    return false;
}

const char *pod_phase(const struct pod_input *in)
{
    const PodSpec *spec = in->pod->spec;
    size_t counts[CLASS_FAILED + 1] = { 0 };
    const char *now = in->pod->status != NULL ? text(in->pod->status->phase) : "";
    /* The end is the end, whatever becomes of the containers. */
    if (strcmp(now, "Succeeded") == 0 || strcmp(now, "Failed") == 0)
        return now;
    if (init_is_stuck(in))
        return "Failed";
    if (!pod_initialized(in->pod, in->view))
        return "Pending";
    bool again = false;
    for (size_t i = 0; i < spec->n_containers; i++) {
        const struct seen_container *c = view_latest(in->view, text(spec->containers[i]->name));
        enum container_class class = class_of(c);
        counts[class]++;
        if (class == CLASS_DONE || class == CLASS_FAILED)
            again = again || comes_back(in, c, false);
    }
    if (counts[CLASS_WAITING] > 0)
        return strcmp(now, "Running") == 0 ? "Running" : "Pending";
    if (counts[CLASS_RUNNING] > 0 || again)
        return "Running";
    return counts[CLASS_FAILED] > 0 ? "Failed" : "Succeeded";
}

/* ---- conditions ---- */

struct conditions {
    struct arena *a;
    PodStatus *status;
    uint64_t now_ns;
    int64_t generation;
};

static void set(struct conditions *c, const char *type, bool is, const char *reason,
                const char *why)
{
    struct condition_value v = { .type = type,
                                 .status = is ? "True" : "False",
                                 .reason = reason,
                                 .message = why,
                                 .generation = c->generation };
    (void)condition_set(c->a, &pod_condition__descriptor, &c->status->conditions,
                        &c->status->n_conditions, &v, c->now_ns);
}

/* "containers with unready status: [a b]", or NULL when all are. */
static const char *unready(struct arena *a, ContainerStatus **list, size_t count, const char *what)
{
    struct buf b;
    bool any = false;
    buf_init(&b);
    for (size_t i = 0; i < count; i++) {
        if (list[i]->ready)
            continue;
        buf_printf(&b, "%s%s", any ? " " : "", list[i]->name);
        any = true;
    }
    const char *out = NULL;
    if (any)
        out = str_printf(a, "containers with %s status: [%.*s]", what, STR_ARG(buf_str(&b))).data;
    buf_deinit(&b);
    return out;
}

static void set_ready(struct conditions *c, const struct pod_input *in)
{
    PodStatus *s = c->status;
    const char *why = unready(c->a, s->container_statuses, s->n_container_statuses, "unready");
    const char *reason = why != NULL ? "ContainersNotReady" : NULL;
    if (strcmp(s->phase, "Succeeded") == 0) {
        reason = "PodCompleted";
        why = NULL;
    } else if (strcmp(s->phase, "Failed") == 0) {
        reason = "PodFailed";
        why = NULL;
    } else if (in->refused != NULL) {
        reason = "UnsupportedPodSpec";
        why = in->refused;
    }
    set(c, "Ready", reason == NULL, reason, why);
    set(c, "ContainersReady", reason == NULL, reason, why);
}

static void set_conditions(struct conditions *c, const struct pod_input *in)
{
    PodStatus *s = c->status;
    const struct seen_sandbox *sandbox = view_sandbox_current(in->view);
    set(c, "PodReadyToStartContainers", sandbox != NULL && sandbox->ready && sandbox->ip_known,
        NULL, NULL);
    bool initialized = pod_initialized(in->pod, in->view);
    bool done = strcmp(s->phase, "Succeeded") == 0;
    if (initialized || done)
        set(c, "Initialized", true, done ? "PodCompleted" : NULL, NULL);
    else
        set(c, "Initialized", false, "ContainersNotInitialized",
            unready(c->a, s->init_container_statuses, s->n_init_container_statuses, "incomplete"));
    set_ready(c, in);
    if (condition_find(s->conditions, s->n_conditions, "PodScheduled") == NULL)
        set(c, "PodScheduled", true, NULL, NULL);
    for (size_t i = 0; c->generation > 0 && i < s->n_conditions; i++) {
        PodCondition *copy = arena_copy(c->a, s->conditions[i], sizeof *copy);
        copy->has_observed_generation = 1;
        copy->observed_generation = c->generation;
        s->conditions[i] = copy;
    }
}

/* ---- the whole ---- */

static void set_addresses(struct arena *a, const struct status_input *in, PodStatus *s)
{
    const struct seen_sandbox *sandbox = view_sandbox_current(in->pod->view);
    const PodStatus *old = in->pod->pod->status;
    const char *ip = "";
    s->host_ip = dup(a, in->host_ip);
    s->n_host_ips = 1;
    s->host_ips = arena_array(a, 1, sizeof *s->host_ips);
    s->host_ips[0] = message(a, &host_ip__descriptor);
    s->host_ips[0]->ip = s->host_ip;
    if (in->host_network)
        ip = sandbox != NULL || (old != NULL && text(old->pod_ip)[0] != '\0') ? in->host_ip : "";
    else if (sandbox != NULL && sandbox->ip[0] != '\0')
        ip = sandbox->ip;
    else if (old != NULL && (sandbox == NULL || !sandbox->ready))
        ip = text(old->pod_ip); /* of a sandbox that went: the last one known */
    if (ip[0] == '\0')
        return;
    s->pod_ip = dup(a, ip);
    s->n_pod_ips = 1;
    s->pod_ips = arena_array(a, 1, sizeof *s->pod_ips);
    s->pod_ips[0] = message(a, &pod_ip__descriptor);
    s->pod_ips[0]->ip = s->pod_ip;
}

struct PodStatus *pod_status(struct arena *a, const struct status_input *in)
{
    const struct pod_input *p = in->pod;
    const PodSpec *spec = p->pod->spec;
    const PodStatus *old = p->pod->status;
    PodStatus *s = message(a, &pod_status__descriptor);
    s->phase = dup(a, pod_phase(p));
    s->qos_class = dup(a, qos_name(pod_qos(p->pod)));
    s->start_time = old != NULL && old->start_time != NULL && old->start_time->seconds != 0
                        ? old->start_time
                        : time_of(a, (int64_t)in->started_ns);
    s->n_init_container_statuses = spec->n_init_containers;
    s->init_container_statuses =
        statuses(a, p, spec->init_containers, spec->n_init_containers, true);
    s->n_container_statuses = spec->n_containers;
    s->container_statuses = statuses(a, p, spec->containers, spec->n_containers, false);
    set_addresses(a, in, s);
    if (old != NULL) {
        s->nominated_node_name = old->nominated_node_name;
        s->reason = old->reason;
        s->message = old->message;
        if (old->n_conditions > 0)
            s->conditions =
                arena_copy(a, old->conditions, old->n_conditions * sizeof *s->conditions);
        s->n_conditions = old->n_conditions;
    }
    struct conditions c = { a, s, p->now_ns, 0 };
    if (p->pod->metadata->has_generation && p->pod->metadata->generation > 0) {
        c.generation = p->pod->metadata->generation;
        s->has_observed_generation = 1;
        s->observed_generation = c.generation;
    }
    set_conditions(&c, p);
    return s;
}
