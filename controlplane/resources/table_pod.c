/* Rows of pods: upstream's printPod, step for step, so that STATUS means the same. */
#include "api/meta/condition.h"
#include "api/meta/time.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/tables.h"

const struct table_column pod_columns[] = {
    { .name = "Name", .type = "string", .format = "name" },
    { .name = "Ready", .type = "string" },
    { .name = "Status", .type = "string" },
    { .name = "Restarts", .type = "string" },
    { .name = "Age", .type = "string" },
    { .name = "IP", .type = "string", .priority = 1 },
    { .name = "Node", .type = "string", .priority = 1 },
    { .name = "Nominated Node", .type = "string", .priority = 1 },
    { .name = "Readiness Gates", .type = "string", .priority = 1 }
};

/* What the walk over container statuses gathers. */
struct pod_summary {
    struct arena *arena;
    const char *reason;
    int64_t total;
    int64_t ready;
    int64_t restarts;
    int64_t last_restart; /* seconds; 0: none */
    int64_t sidecar_restarts;
    int64_t sidecar_last_restart;
    bool initializing;
};

static const ContainerState no_state = CONTAINER_STATE__INIT;

static const ContainerState *state_of(const ContainerState *state)
{
    return state == NULL ? &no_state : state;
}

static int64_t last_finished(const ContainerStatus *s)
{
    const ContainerState *last = state_of(s->last_state);
    return last->terminated == NULL ? 0 : time_seconds(last->terminated->finished_at);
}

static bool is_sidecar(const PodSpec *spec, const char *name)
{
    for (size_t i = 0; i < spec->n_init_containers; i++) {
        const Container *c = spec->init_containers[i];
        if (text_eq(c->name, name))
            return text_eq(c->restart_policy, "Always");
    }
    return false;
}

/* "<prefix>Error", "<prefix>Signal:9" or "<prefix>ExitCode:1". */
static const char *ended_reason(struct arena *a, const ContainerStateTerminated *t,
                                const char *prefix)
{
    struct str text;
    if (!text_empty(t->reason))
        text = str_printf(a, "%s%s", prefix, t->reason);
    else if (t->signal != 0)
        text = str_printf(a, "%sSignal:%d", prefix, t->signal);
    else
        text = str_printf(a, "%sExitCode:%d", prefix, t->exit_code);
    return str_dup(a, text);
}

/* One init container; false when the walk ends here because it has not finished. */
static bool add_init(struct pod_summary *s, const PodSpec *spec, const ContainerStatus *c,
                     size_t at)
{
    const ContainerState *state = state_of(c->state);
    bool sidecar = is_sidecar(spec, c->name);
    int64_t finished = last_finished(c);
    s->restarts += c->restart_count;
    if (finished > s->last_restart)
        s->last_restart = finished;
    if (sidecar) {
        s->sidecar_restarts += c->restart_count;
        if (finished > s->sidecar_last_restart)
            s->sidecar_last_restart = finished;
    }
    if (state->terminated != NULL && state->terminated->exit_code == 0)
        return true;
    if (sidecar && c->started) {
        s->ready += c->ready ? 1 : 0;
        return true;
    }
    struct arena *a = s->arena;
    if (state->terminated != NULL)
        s->reason = ended_reason(a, state->terminated, "Init:");
    else if (state->waiting != NULL && !text_empty(state->waiting->reason) &&
             !text_eq(state->waiting->reason, "PodInitializing"))
        s->reason = str_dup(a, str_printf(a, "Init:%s", state->waiting->reason));
    else
        s->reason = str_dup(a, str_printf(a, "Init:%zu/%zu", at, spec->n_init_containers));
    s->initializing = true;
    return false;
}

/* One main container; true when it is ready and running. */
static bool add_main(struct pod_summary *s, const ContainerStatus *c)
{
    const ContainerState *state = state_of(c->state);
    int64_t finished = last_finished(c);
    s->restarts += c->restart_count;
    if (finished > s->last_restart)
        s->last_restart = finished;
    if (state->waiting != NULL && !text_empty(state->waiting->reason)) {
        s->reason = state->waiting->reason;
    } else if (state->terminated != NULL) {
        s->reason = ended_reason(s->arena, state->terminated, "");
    } else if (c->ready && state->running != NULL) {
        s->ready++;
        return true;
    }
    return false;
}

static void add_mains(struct pod_summary *s, const PodStatus *status)
{
    bool running = false;
    s->restarts = s->sidecar_restarts;
    s->last_restart = s->sidecar_last_restart;
    for (size_t i = status->n_container_statuses; i > 0; i--)
        running = add_main(s, status->container_statuses[i - 1]) || running;
    if (text_eq(s->reason, "Completed") && running)
        s->reason = condition_is_true(status->conditions, status->n_conditions, "Ready")
                        ? "Running"
                        : "NotReady";
}

static void summarize(struct pod_summary *s, const Pod *pod, const PodSpec *spec,
                      const PodStatus *status)
{
    const char *phase = text_of(status->phase);
    s->reason = text_empty(status->reason) ? phase : status->reason;
    s->total = (int64_t)spec->n_containers;
    const PodCondition *scheduled =
        condition_find(status->conditions, status->n_conditions, "PodScheduled");
    if (scheduled != NULL && text_eq(scheduled->reason, "SchedulingGated"))
        s->reason = "SchedulingGated";
    for (size_t i = 0; i < spec->n_init_containers; i++)
        s->total += text_eq(spec->init_containers[i]->restart_policy, "Always") ? 1 : 0;
    for (size_t i = 0; i < status->n_init_container_statuses; i++) {
        if (!add_init(s, spec, status->init_container_statuses[i], i))
            break;
    }
    if (!s->initializing ||
        condition_is_true(status->conditions, status->n_conditions, "Initialized"))
        add_mains(s, status);
    if (pod->metadata == NULL || pod->metadata->deletion_timestamp == NULL)
        return;
    if (text_eq(status->reason, "NodeLost"))
        s->reason = "Unknown";
    else if (!text_eq(phase, "Succeeded") && !text_eq(phase, "Failed"))
        s->reason = "Terminating";
}

static struct table_cell restarts_cell(const struct resource_context *c,
                                       const struct pod_summary *s)
{
    struct arena *a = c->arena;
    if (s->restarts == 0 || s->last_restart == 0)
        return cell_str(str_printf(a, "%lld", (long long)s->restarts));
    struct str age = time_age(a, s->last_restart, c->now_wall_ns);
    return cell_str(str_printf(a, "%lld (%.*s ago)", (long long)s->restarts, STR_ARG(age)));
}

static struct table_cell gates_cell(struct arena *a, const PodSpec *spec, const PodStatus *status)
{
    size_t open = 0;
    if (spec->n_readiness_gates == 0)
        return cell_text("<none>");
    for (size_t i = 0; i < spec->n_readiness_gates; i++)
        open += condition_is_true(status->conditions, status->n_conditions,
                                  text_of(spec->readiness_gates[i]->condition_type));
    return cell_str(str_printf(a, "%zu/%zu", open, spec->n_readiness_gates));
}

void pod_cells(const struct resource_context *c, const void *object, struct table_cell *out)
{
    static const PodSpec no_spec = POD_SPEC__INIT;
    static const PodStatus no_status = POD_STATUS__INIT;
    const Pod *pod = object;
    const PodSpec *spec = pod->spec == NULL ? &no_spec : pod->spec;
    const PodStatus *status = pod->status == NULL ? &no_status : pod->status;
    struct pod_summary s = { .arena = c->arena };
    summarize(&s, pod, spec, status);
    out[0] = cell_name(object);
    out[1] = cell_str(str_printf(c->arena, "%lld/%lld", (long long)s.ready, (long long)s.total));
    out[2] = cell_text(s.reason);
    out[3] = restarts_cell(c, &s);
    out[4] = cell_age(c, object);
    out[5] = cell_or_none(status->n_pod_ips > 0 ? status->pod_ips[0]->ip : status->pod_ip);
    out[6] = cell_or_none(spec->node_name);
    out[7] = cell_or_none(status->nominated_node_name);
    out[8] = gates_cell(c->arena, spec, status);
}

bool pod_completed(const void *object)
{
    const Pod *pod = object;
    return pod->status != NULL &&
           (text_eq(pod->status->phase, "Succeeded") || text_eq(pod->status->phase, "Failed"));
}
