/* The pods of the node and the step of each (see pod.h). */
#include "kubelet-lite/pods.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/meta/text.h"
#include "api/proto/runtime.pb-c.h"
#include "base/assert.h"
#include "base/log.h"
#include "kubelet-lite/pod.h"
#include "kubelet-lite/support.h"

/* While the lists do not show yet that something ended (HINT_MS). */
#define HINT_LOOK_MS 10
/* A pod that is still being started after this shows what it waits for. */
#define STATUS_LATER_MS 400

/* ---- small ---- */

uint64_t pod_wall(const struct pod *p)
{
    return env_wall_ns(env_of(p->pods->config.loop));
}

struct pod *pod_find(struct pods *p, const char *uid)
{
    return map_get(&p->by_uid, str_from(uid));
}

void pod_announce(struct pod *p, const char *step, const char *container, int64_t extra)
{
    const struct pods_config *c = &p->pods->config;
    if (c->step != NULL)
        c->step(c->ctx, step, p->namespace, p->name, p->uid, container, extra);
}

void pod_event(struct pod *p, const char *container, bool init, bool warning, const char *reason,
               const char *format, ...)
{
    char message[1024];
    char path[128] = "";
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (container != NULL)
        (void)snprintf(path, sizeof path, "spec.%s{%s}", init ? "initContainers" : "containers",
                       container);
    struct event_subject about = { "Pod", p->namespace, p->name, p->uid, path };
    if (p->known)
        events_record(p->pods->config.events, &about, warning, reason, "%s", message);
}

void pod_place_fill(struct arena *a, const struct pod *p, struct pod_place *out)
{
    const struct pods_config *c = &p->pods->config;
    *out = (struct pod_place){ .node_name = c->node_name, .node_memory = c->node_memory };
    out->cgroup_parent =
        str_printf(a, "%s/%s/pod%s", c->cgroup_root, qos_folder(pod_qos(p->spec)), p->uid).data;
    out->log_dir = str_printf(a, "%s/logs/%s_%s_%s", c->root, p->namespace, p->name, p->uid).data;
    if (!p->spec->spec->host_network)
        out->hosts_path = str_printf(a, "%s/pods/%s/etc-hosts", c->root, p->uid).data;
}

void pod_facts_fill(const struct pod *p, struct pod_facts *out)
{
    const struct pods_config *c = &p->pods->config;
    const struct seen_sandbox *sandbox = p->view != NULL ? view_sandbox_current(p->view) : NULL;
    *out = (struct pod_facts){ .pod_ip = sandbox != NULL ? sandbox->ip : "",
                               .host_ip = c->node_ip,
                               .node_cpu_milli = c->node_cpu_milli,
                               .node_memory = c->node_memory };
    if (p->spec->spec->host_network)
        out->pod_ip = c->node_ip;
}

/* ---- failures ---- */

static struct pod_failure *failure_of(struct pod *p, const char *name)
{
    for (size_t i = 0; i < p->failure_count; i++)
        if (strcmp(p->failures[i].name, name) == 0)
            return &p->failures[i];
    return NULL;
}

void pod_fail(struct pod *p, const char *name, const char *reason, const char *message,
              uint64_t until_ns)
{
    struct pod_failure *f = failure_of(p, name);
    if (f == NULL) {
        /* More failing containers than are remembered: they share the last row's back-off. */
        if (p->failure_count == POD_HOLDS_MAX)
            p->failure_count--;
        f = &p->failures[p->failure_count++];
        *f = (struct pod_failure){ 0 };
        (void)snprintf(f->name, sizeof f->name, "%s", name);
    }
    (void)snprintf(f->reason, sizeof f->reason, "%s", reason);
    (void)snprintf(f->message, sizeof f->message, "%s", message);
    f->until_ns = until_ns;
    f->count++;
}

uint64_t pod_backoff_ns(struct pod *p, const char *name, uint64_t first_s, uint64_t max_s)
{
    const struct pod_failure *f = failure_of(p, name);
    uint64_t delay = first_s;
    for (uint32_t i = 0; f != NULL && i < f->count && delay < max_s; i++)
        delay *= 2;
    return (delay < max_s ? delay : max_s) * ENV_S;
}

void pod_fail_clear(struct pod *p, const char *name)
{
    struct pod_failure *f = failure_of(p, name);
    if (f == NULL)
        return;
    p->failure_count--;
    *f = p->failures[p->failure_count];
}

/* ---- one pod ---- */

static void arena_drop(struct arena **a)
{
    if (*a != NULL) {
        arena_deinit(*a);
        mem_free(*a);
        *a = NULL;
    }
}

/* Something ended in the runtime, and its lists did not show it at the last look. */
static bool pod_hinted(const struct pod *p)
{
    return p->hint_until_ns > pod_wall(p);
}

static void on_wake(struct env_timer *t)
{
    struct pod *p = container_of(t, struct pod, wake);
    if (p->busy) {
        if (!p->plan.going)
            pod_publish(p); /* what it begins takes longer than usual */
        return;
    }
    p->look_needed = p->look_needed || pod_hinted(p);
    p->lists_needed = p->lists_needed || p->look_needed;
    pod_step(p);
}

struct pod *pod_new(struct pods *pods, const char *uid, const char *namespace, const char *name)
{
    struct pod *p = mem_alloc(sizeof *p);
    p->pods = pods;
    p->uid = mem_strdup(uid);
    p->namespace = mem_strdup(namespace);
    p->name = mem_strdup(name);
    /* New since the runtime was listed: it has nothing of it (were it otherwise, making the
     * sandbox would fail, and a look follows). */
    p->look_needed = !pods->listed;
    p->lists_needed = true;
    p->mark = VIEW_MARK_NOTHING;
    p->received_ns = pod_wall(p);
    list_init(&p->gate_node);
    arena_init(&p->work.arena);
    buf_init(&p->delete_body);
    buf_init(&p->status_body);
    env_timer_init(pods->config.loop, &p->wake, on_wake);
    list_append(&pods->all, &p->node);
    (void)map_put(&pods->by_uid, str_from(uid), p);
    pods->added++;
    return p;
}

static void hold_one(void *ctx, enum kind kind, const char *name)
{
    struct pod *p = ctx;
    sources_hold(p->pods->config.sources, kind, p->namespace, name);
}

static void drop_one(void *ctx, enum kind kind, const char *name)
{
    struct pod *p = ctx;
    sources_drop(p->pods->config.sources, kind, p->namespace, name);
}

static void take_next(struct pod *p)
{
    struct arena *old_arena = p->spec_arena;
    const Pod *old = p->spec;
    bool held = p->holds_sources;
    if (p->next == NULL)
        return;
    p->spec = p->next;
    p->spec_arena = p->next_arena;
    p->next = NULL;
    p->next_arena = NULL;
    p->image_ahead = false; /* its names were the old spec's */
    const char *message = NULL;
    bool supported = pod_supported(p->spec_arena, p->spec, &message);
    if (!supported && p->refused == NULL)
        pod_event(p, NULL, false, true, "UnsupportedPodSpec", "%s", message);
    p->refused = supported ? NULL : message;
    p->holds_sources = supported;
    /* First the new ones, so that what stays is not read again. */
    if (p->holds_sources)
        pod_sources(p->spec, hold_one, p);
    if (held)
        pod_sources(old, drop_one, p);
    if (!p->status_busy)
        p->last = NULL; /* the API's status is the newest now */
    arena_drop(&old_arena);
}

void pod_free(struct pod *p)
{
    struct pods *pods = p->pods;
    ASSERT(p->look == NULL && !p->has_slot);
    if (p->status_busy) {
        /* The patch of a pod that is gone ends first; on_patched steps it, and FINISH comes again.
         */
        p->busy = false;
        return;
    }
    if (p->holds_sources)
        pod_sources(p->spec, drop_one, p);
    list_remove(&p->node);
    (void)map_remove(&pods->by_uid, str_from(p->uid));
    pods->completed++;
    env_timer_deinit(&p->wake);
    cri_call_deinit(&p->call);
    image_request_deinit(&p->image);
    arena_deinit(&p->work.arena);
    buf_deinit(&p->delete_body);
    buf_deinit(&p->status_body);
    arena_drop(&p->spec_arena);
    arena_drop(&p->next_arena);
    arena_drop(&p->view_arena);
    arena_drop(&p->last_arena);
    mem_free(p->uid);
    mem_free(p->namespace);
    mem_free(p->name);
    mem_free(p);
}

void pod_input_fill(struct pod *p, struct pod_input *in, struct pod_hold holds[POD_HOLDS_MAX],
                    Pod *copy)
{
    static const struct pod_view nothing;
    *in = (struct pod_input){ .pod = p->spec,
                              .known = p->known,
                              .refused = p->refused,
                              .view = p->view != NULL ? p->view : &nothing,
                              .prepared = p->prepared,
                              .mounted = p->mounted,
                              .cleaned = p->cleaned,
                              .holds = holds,
                              .hold_count = p->failure_count,
                              .now_ns = pod_wall(p) };
    for (size_t i = 0; i < p->failure_count; i++)
        holds[i] = (struct pod_hold){ p->failures[i].name, p->failures[i].reason,
                                      p->failures[i].message, p->failures[i].until_ns };
    if (p->spec != NULL && p->last != NULL) {
        *copy = *p->spec;
        copy->status = p->last;
        in->pod = copy;
    }
}

static void arm(struct pod *p, uint64_t wake_ns)
{
    env_timer_stop(&p->wake);
    if (pod_hinted(p)) {
        env_timer_start(&p->wake, HINT_LOOK_MS);
        return;
    }
    if (wake_ns == 0)
        return;
    uint64_t now = pod_wall(p);
    uint64_t ms = wake_ns > now ? (wake_ns - now) / ENV_MS + 1 : 1;
    env_timer_start(&p->wake, ms);
}

/* The earliest end of a back-off: the status changes then, too. */
static uint64_t next_end(const struct pod *p, uint64_t wake_ns)
{
    uint64_t now = pod_wall(p);
    for (size_t i = 0; i < p->failure_count; i++) {
        uint64_t until = p->failures[i].until_ns;
        if (until > now && (wake_ns == 0 || until < wake_ns))
            wake_ns = until;
    }
    return wake_ns;
}

void pod_step(struct pod *p)
{
    struct pod_hold holds[POD_HOLDS_MAX];
    struct pod_input in;
    Pod copy;
    if (p->busy || p->pods->closing) {
        p->dirty = true;
        return;
    }
    p->dirty = false;
    take_next(p);
    if (p->look_needed) {
        p->look_needed = false;
        p->busy = true;
        pod_look_start(p);
        return;
    }
    bool sandbox_new = p->sandbox_id[0] != '\0';
    p->sandbox_id[0] = '\0';
    /* Remains of an unknown pod: only once the API's list is complete is it known to be gone. */
    if (!p->known && !p->pods->synced)
        return;
    pod_input_fill(p, &in, holds, &copy);
    pod_plan(&in, &p->plan);
    bool begins = !p->plan.going && p->plan.count > 0;
    if (!begins)
        pod_publish(p);
    if (p->plan.going && pod_hold(&in, "") != NULL)
        p->plan.count = 0;
    /* How the containers ended is told before the runtime forgets it; on_patched goes on. */
    if (p->plan.going && p->status_busy && p->plan.count > 0 &&
        p->plan.actions[0].kind != PLAN_STOP)
        p->plan.count = 0;
    if (p->plan.count > 0 && p->plan.actions[0].kind == PLAN_FINISH && p->deleting && p->known)
        p->plan.count = 0; /* the watch goes on from here */
    if (p->plan.count == 0) {
        arm(p, next_end(p, p->plan.wake_ns));
        return;
    }
    enum plan_kind first = p->plan.actions[0].kind;
    p->busy = true;
    pod_run(p);
    if (!begins)
        return;
    /* Begun first, told while it runs. What mostly is over soon is told with what follows it: by
     * itself it would only take time from the start. */
    if (first <= PLAN_RUN_SANDBOX || (sandbox_new && first == PLAN_IMAGE))
        env_timer_start(&p->wake, STATUS_LATER_MS);
    else
        pod_publish(p);
}

void pod_idle(struct pod *p)
{
    p->busy = false;
    pod_step(p);
}

void pod_looked(struct pod *p, int status)
{
    p->busy = false;
    if (status != 0) {
        p->look_needed = true; /* the next relist that works steps it */
        p->lists_needed = true;
        return;
    }
    pod_step(p);
}

/* ---- the manager ---- */

struct pods *pods_new(const struct pods_config *config)
{
    struct pods *p = mem_alloc(sizeof *p);
    p->config = *config;
    p->gate_max = config->starts_max > 0 ? config->starts_max : 1;
    list_init(&p->all);
    list_init(&p->gate_waiting);
    map_init(&p->by_uid);
    return p;
}

void pods_close(struct pods *p)
{
    p->closing = true;
}

void pods_free(struct pods *p)
{
    if (p == NULL)
        return;
    p->closing = true;
    list_foreach_safe (node, &p->all) {
        struct pod *pod = container_of(node, struct pod, node);
        pod->has_slot = false;
        pod->status_busy = false;
        pod_free(pod);
    }
    map_deinit(&p->by_uid);
    mem_free(p);
}

void pods_upsert(struct pods *p, struct lister *lister, const struct lister_item *item)
{
    struct arena *a = mem_alloc(sizeof *a);
    const void *object;
    struct err e = { 0 };
    arena_init(a);
    if (lister_decode(lister, a, item, &object, &e) != 0) {
        log_error("a pod does not decode", KVS("pod", item->name), KV("why", e.msg));
        arena_drop(&a);
        return;
    }
    const Pod *spec = object;
    struct pod *pod = pod_find(p, text_of(spec->metadata->uid));
    bool fresh = pod == NULL || !pod->known;
    if (pod == NULL)
        pod = pod_new(p, text_of(spec->metadata->uid), text_of(spec->metadata->namespace_),
                      text_of(spec->metadata->name));
    arena_drop(&pod->next_arena);
    pod->next_arena = a;
    pod->next = spec;
    pod->known = true;
    if (fresh)
        pod_announce(pod, "received", NULL, -1);
    pod_step(pod);
}

void pods_removed(struct pods *p, const struct lister_item *item)
{
    list_foreach_safe (node, &p->all) {
        struct pod *pod = container_of(node, struct pod, node);
        if (!pod->known || !str_eq_c(item->name, pod->name) ||
            !str_eq_c(item->namespace, pod->namespace))
            continue;
        pod->known = false;
        pod_step(pod);
    }
}

void pods_synced(struct pods *p)
{
    if (p->synced)
        return;
    p->synced = true;
    list_foreach_safe (node, &p->all)
        pod_step(container_of(node, struct pod, node));
}

struct uses {
    enum kind kind;
    const char *name;
    bool found;
};

static void uses_one(void *ctx, enum kind kind, const char *name)
{
    struct uses *u = ctx;
    u->found = u->found || (kind == u->kind && strcmp(name, u->name) == 0);
}

void pods_source_changed(struct pods *p, enum kind kind, const char *namespace, const char *name)
{
    list_foreach_safe (node, &p->all) {
        struct pod *pod = container_of(node, struct pod, node);
        struct uses u = { kind, name, false };
        if (!pod->holds_sources || strcmp(pod->namespace, namespace) != 0)
            continue;
        pod_sources(pod->spec, uses_one, &u);
        if (!u.found)
            continue;
        pod->mounted = false;
        pod->volumes_stale = true;
        /* What it waited for may be there now. */
        pod->failure_count = 0;
        pod_step(pod);
    }
}

/* ---- what others ask ---- */

void pods_load(const struct pods *p, struct pods_load *out)
{
    *out = (struct pods_load){ .waiting = list_count(&p->gate_waiting),
                               .added = p->added,
                               .completed = p->completed };
    list_foreach (node, &p->all) {
        out->count++;
        out->busy += container_of(node, struct pod, node)->busy;
    }
}

/* Why a container has not started, in the words of upstream's kubelet. */
static const char *why_not_started(struct pod *p, const char *container)
{
    const struct pod_failure *f = failure_of(p, container);
    if (f == NULL)
        return p->view != NULL && pod_initialized(p->spec, p->view) ? "ContainerCreating"
                                                                    : "PodInitializing";
    if (strcmp(f->reason, "ErrImagePull") == 0)
        return "image can't be pulled";
    return strcmp(f->reason, "ImagePullBackOff") == 0 ? "trying and failing to pull image"
                                                      : f->reason;
}

static int log_of(struct pod *p, struct arena *a, const char *container, bool previous,
                  struct pods_log *out, struct err *e)
{
    if (p->spec == NULL || !pod_has_container(p->spec, container))
        return err_set(e, ERR_NOT_FOUND, "container \"%s\" not found in pod \"%s\"", container,
                       p->name);
    const struct seen_container *c = NULL;
    if (p->view != NULL)
        c = previous ? view_previous(p->view, container) : view_latest(p->view, container);
    if (c == NULL || c->state == SEEN_CREATED)
        return err_set(e, ERR_INVALID_ARGUMENT, "%scontainer \"%s\" in pod \"%s\" %s%s",
                       previous ? "previous terminated " : "", container, p->name,
                       previous ? "not found" : "is waiting to start: ",
                       previous ? "" : why_not_started(p, container));
    const struct pods_config *k = &p->pods->config;
    (void)snprintf(out->path, sizeof out->path, "%s/logs/%s_%s_%s/%s", k->root, p->namespace,
                   p->name, p->uid, container_log_path(a, container, c->attempt));
    out->running = c->state == SEEN_RUNNING;
    return 0;
}

static struct pod *known_pod(struct pods *p, struct str namespace, struct str name)
{
    list_foreach (node, &p->all) {
        struct pod *pod = container_of(node, struct pod, node);
        if (pod->known && str_eq_c(name, pod->name) && str_eq_c(namespace, pod->namespace))
            return pod;
    }
    return NULL;
}

int pods_log_path(struct pods *p, struct str namespace, struct str name, struct str container,
                  bool previous, struct pods_log *out, struct err *e)
{
    struct pod *pod = known_pod(p, namespace, name);
    if (pod == NULL)
        return err_set(e, ERR_NOT_FOUND, "pod \"%.*s\" does not exist", STR_ARG(name));
    struct arena a;
    arena_init(&a);
    int rc = log_of(pod, &a, str_dup(&a, container), previous, out, e);
    arena_deinit(&a);
    return rc;
}

int pods_stream_target(struct pods *p, struct str namespace, struct str name, struct str container,
                       bool attach, struct pods_stream *out, struct err *e)
{
    const struct pod *pod = known_pod(p, namespace, name);
    const struct seen_sandbox *box =
        pod != NULL && pod->view != NULL ? view_sandbox_current(pod->view) : NULL;
    if (pod == NULL)
        return err_set(e, ERR_NOT_FOUND, "pod does not exist");
    *out = (struct pods_stream){ .container_id = "", .sandbox_id = box != NULL ? box->id : "" };
    if (container.len == 0)
        return box != NULL && box->ready
                   ? 0
                   : err_set(e, ERR_INTERNAL, "pod %s has no running sandbox", pod->name);
    struct arena a;
    arena_init(&a);
    const struct seen_container *c =
        pod->view != NULL ? view_latest(pod->view, str_dup(&a, container)) : NULL;
    arena_deinit(&a);
    if (c == NULL || c->state != SEEN_RUNNING)
        return attach
                   ? err_set(e, ERR_INTERNAL, "container %.*s not found in pod %s_%s",
                             STR_ARG(container), pod->name, pod->namespace)
                   : err_set(e, ERR_INTERNAL, "container not found (\"%.*s\")", STR_ARG(container));
    out->container_id = c->id;
    return 0;
}
