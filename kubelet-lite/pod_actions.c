/*
 * Carrying out a plan: each action starts one asynchronous thing and ends in action_done, which
 * starts the next. A failure ends the list and is remembered with a back-off (pod_fail); the pod is
 * looked at and planned again after every list, whatever came of it. When the runtime is away
 * nothing is remembered: the next relist that works steps the pod.
 */
#include <stdio.h>
#include <string.h>

#include "api/meta/text.h"
#include "api/proto/runtime.pb-c.h"
#include "base/assert.h"
#include "base/log.h"
#include "kubelet-lite/pod.h"

static void run_next(struct pod *p);

static const struct plan_action *action_of(const struct pod *p)
{
    return &p->plan.actions[p->at];
}

static bool is_init(const struct pod *p, const struct Container *c)
{
    for (size_t i = 0; p->spec != NULL && i < p->spec->spec->n_init_containers; i++)
        if (p->spec->spec->init_containers[i] == c)
            return true;
    return false;
}

bool pod_runtime_away(int status)
{
    return status == -ERR_UNAVAILABLE || status == -ERR_CANCELED;
}

/* ---- the gate: how many pods keep the runtime busy ---- */

static bool needs_slot(enum plan_kind kind)
{
    return kind == PLAN_RUN_SANDBOX || kind == PLAN_CREATE || kind == PLAN_START ||
           kind == PLAN_STOP_SANDBOX || kind == PLAN_REMOVE_SANDBOX;
}

bool pod_gate_enter(struct pod *p)
{
    struct pods *all = p->pods;
    if (p->has_slot)
        return true;
    if (all->gate_active < all->gate_max) {
        all->gate_active++;
        p->has_slot = true;
        return true;
    }
    p->waits_slot = true;
    list_append(&all->gate_waiting, &p->gate_node);
    return false;
}

void pod_gate_leave(struct pod *p)
{
    struct pods *all = p->pods;
    if (!p->has_slot)
        return;
    p->has_slot = false;
    all->gate_active--;
    struct list *node = list_pop(&all->gate_waiting);
    if (node == NULL)
        return;
    struct pod *next = container_of(node, struct pod, gate_node);
    next->waits_slot = false;
    next->has_slot = true;
    all->gate_active++;
    run_next(next);
}

/* ---- endings ---- */

static void list_done(struct pod *p)
{
    pod_gate_leave(p);
    p->look_needed = true;
    pod_idle(p);
}

/* Anything but making the sandbox and starting new containers. */
static bool leaves_unknown(const struct plan_action *a)
{
    switch (a->kind) {
    case PLAN_PREPARE:
    case PLAN_VOLUMES:
    case PLAN_RUN_SANDBOX:
    case PLAN_IMAGE:
    case PLAN_CREATE:
        return false;
    case PLAN_START:
        return a->id != NULL;
    default:
        return true;
    }
}

void pod_action_done(struct pod *p, int status)
{
    if (status != 0) {
        p->lists_needed = true;
        list_done(p);
        return;
    }
    p->at++;
    run_next(p);
}

void pod_action_failed(struct pod *p, int status, const char *name, const char *reason,
                       const struct err *e, uint64_t first_s, uint64_t max_s)
{
    p->lists_needed = true;
    if (!pod_runtime_away(status))
        pod_fail(p, name, reason, e->msg, pod_wall(p) + pod_backoff_ns(p, name, first_s, max_s));
    pod_action_done(p, status);
}

static void on_plain(struct cri_call *c)
{
    struct pod *p = c->priv;
    enum plan_kind kind = action_of(p)->kind;
    int status = c->status == -ERR_NOT_FOUND ? 0 : c->status;
    if (status != 0 && !pod_runtime_away(status)) {
        pod_event(p, NULL, false, true, "FailedKillPod", "error killing pod: %s", c->err.msg);
        pod_fail(p, "", "", c->err.msg, pod_wall(p) + pod_backoff_ns(p, "", SANDBOX_BACKOFF_S));
        log_warn("runtime refused", KV("pod", p->name), KVN("action", kind), KV("why", c->err.msg));
    }
    pod_action_done(p, status);
}

/* ---- sandbox ---- */

static void stop_sandbox(struct pod *p, const struct plan_action *action)
{
    Runtime__V1__StopPodSandboxRequest q = RUNTIME__V1__STOP_POD_SANDBOX_REQUEST__INIT;
    q.pod_sandbox_id = (char *)action->id;
    p->call.done = on_plain;
    cri_call_start(p->pods->config.cri, &p->call, CRI_STOP_POD_SANDBOX, &q);
}

static void remove_sandbox(struct pod *p, const struct plan_action *action)
{
    Runtime__V1__RemovePodSandboxRequest q = RUNTIME__V1__REMOVE_POD_SANDBOX_REQUEST__INIT;
    q.pod_sandbox_id = (char *)action->id;
    /* From here on the runtime forgets how the containers ended: the status stays as it is. */
    p->frozen = p->frozen || p->plan.going;
    p->call.done = on_plain;
    cri_call_start(p->pods->config.cri, &p->call, CRI_REMOVE_POD_SANDBOX, &q);
}

/* ---- containers ---- */

static void on_image(struct image_request *r)
{
    struct pod *p = r->priv;
    const struct Container *c = action_of(p)->container;
    const char *name = text_of(c->name);
    bool init = is_init(p, c);
    if (r->status == 0) {
        pod_fail_clear(p, name);
        if (r->pulled)
            pod_event(p, name, init, false, "Pulled",
                      "Successfully pulled image \"%s\" in %llums (%llums including waiting). "
                      "Image size: %llu bytes.",
                      r->image, (unsigned long long)(r->pull_ns / ENV_MS),
                      (unsigned long long)((r->pull_ns + r->wait_ns) / ENV_MS),
                      (unsigned long long)r->size);
        else
            pod_event(p, name, init, false, "Pulled",
                      "Container image \"%s\" already present on machine", r->image);
        pod_announce(p, "image", name, -1);
        pod_action_done(p, 0);
        return;
    }
    if (r->reason != NULL && !pod_runtime_away(r->status)) {
        if (strcmp(r->reason, "ImagePullBackOff") == 0)
            pod_event(p, name, init, false, "BackOff", "Back-off pulling image \"%s\"", r->image);
        else
            pod_event(p, name, init, true,
                      strcmp(r->reason, "ErrImageNeverPull") == 0 ? "ErrImageNeverPull" : "Failed",
                      "Failed to pull image \"%s\": %s", r->image, r->err.msg);
        /* A moment, so that ErrImagePull is seen before it turns into the back-off. */
        uint64_t least = pod_wall(p) + ENV_S;
        pod_fail(p, name, r->reason, r->err.msg, r->retry_ns > least ? r->retry_ns : least);
    }
    /* Other containers of the pod need not wait for this one's image. */
    while (r->status != 0 && p->at + 1 < p->plan.count && p->plan.actions[p->at + 1].container == c)
        p->at++;
    pod_action_done(p, pod_runtime_away(r->status) ? r->status : 0);
}

static void run_image(struct pod *p, const struct plan_action *action)
{
    bool known = p->image_ahead && p->image.status == 0 &&
                 strcmp(p->image.image, text_of(action->container->image)) == 0;
    p->image_ahead = false;
    if (known) {
        on_image(&p->image);
        return;
    }
    p->image.image = text_of(action->container->image);
    p->image.policy = text_of(action->container->image_pull_policy);
    p->image.done = on_image;
    p->image.priv = p;
    images_ensure(p->pods->config.images, &p->image);
}

static void create_failed(struct pod *p, const char *reason, int status, const struct err *e)
{
    const struct Container *c = action_of(p)->container;
    if (!pod_runtime_away(status))
        pod_event(p, text_of(c->name), is_init(p, c), true, "Failed", "Error: %s", e->msg);
    pod_action_failed(p, status, text_of(c->name), reason, e, CREATE_BACKOFF_S);
}

/* The call and, beside it, /etc/hosts: both have ended. */
static void create_ended(struct pod *p)
{
    const struct cri_call *c = &p->call;
    const struct Container *container = action_of(p)->container;
    if (c->status != 0) {
        create_failed(p, "CreateContainerError", c->status, &c->err);
        return;
    }
    if (p->work.status != 0) {
        create_failed(p, "CreateContainerConfigError", p->work.status, &p->work.err);
        return;
    }
    const Runtime__V1__CreateContainerResponse *r = c->reply;
    (void)snprintf(p->created_id, sizeof p->created_id, "%s", r->container_id);
    pod_event(p, text_of(container->name), is_init(p, container), false, "Created",
              "Created container: %s", text_of(container->name));
    pod_announce(p, "created", text_of(container->name), -1);
    pod_action_done(p, 0);
}

static void create_part_ended(struct pod *p)
{
    if (--p->parts == 0)
        create_ended(p);
}

static void on_created(struct cri_call *c)
{
    create_part_ended(c->priv);
}

/* The folders to mount are in place: everything is known. False: the action failed. */
static bool create_now(struct pod *p)
{
    const struct plan_action *action = action_of(p);
    struct arena *a = &p->work.arena;
    struct pod_source source = pod_source(p);
    struct pod_facts facts;
    struct pod_place place;
    struct env_vars vars;
    struct err e = { 0 };
    Runtime__V1__CreateContainerRequest q = RUNTIME__V1__CREATE_CONTAINER_REQUEST__INIT;
    const struct seen_sandbox *sandbox = view_sandbox_current(p->view);
    pod_facts_fill(p, &facts);
    pod_place_fill(a, p, &place);
    int rc = container_env(a, p->spec, action->container, &facts, &source.base, &vars, &e);
    struct container_place where = { .image_ref = p->image.ref,
                                     .image_has_uid = p->image.has_uid,
                                     .image_uid = p->image.uid,
                                     .image_user = p->image.user,
                                     .mounts = p->work.mounts,
                                     .vars = &vars,
                                     .attempt = action->attempt,
                                     .backoff_level = action->backoff_level };
    if (rc == 0)
        rc = container_config(a, p->spec, action->container, &place, &where, &q.config, &e);
    if (rc != 0) {
        create_failed(p, "CreateContainerConfigError", rc, &e);
        return false;
    }
    ASSERT(sandbox != NULL);
    q.pod_sandbox_id = (char *)sandbox->id;
    q.sandbox_config = sandbox_config(a, p->spec, &place, sandbox->attempt);
    p->parts++;
    p->call.done = on_created;
    cri_call_start(p->pods->config.cri, &p->call, CRI_CREATE_CONTAINER, &q);
    return true;
}

static void run_create(struct pod *p, const struct plan_action *action)
{
    struct pod_facts facts;
    pod_work_begin(p);
    pod_facts_fill(p, &facts);
    struct pod_work *w = &p->work;
    const struct Container *c = action->container;
    bool whole = true; /* no sub path, which only a pool thread may look for */
    if (!p->spec->spec->host_network)
        w->hosts = pod_hosts(&w->arena, p->spec, facts.pod_ip);
    w->mount_count = c->n_volume_mounts;
    w->folders = arena_array(&w->arena, w->mount_count, sizeof *w->folders);
    w->sub_paths = arena_array(&w->arena, w->mount_count, sizeof *w->sub_paths);
    w->mounts = arena_array(&w->arena, w->mount_count, sizeof *w->mounts);
    for (size_t i = 0; i < w->mount_count; i++) {
        w->folders[i] =
            volume_folder(&w->arena, w->pod_dir, p->spec, text_of(c->volume_mounts[i]->name));
        w->sub_paths[i] = text_of(c->volume_mounts[i]->sub_path);
        w->mounts[i] = w->folders[i];
        whole = whole && w->sub_paths[i][0] == '\0';
    }
    p->parts = 0;
    /* PREPARE made the hosts file: until the start it only has to be there. */
    if (whole && !create_now(p))
        return;
    if (whole && w->hosts.len == 0)
        return;
    p->parts++;
    pod_work_start(p, whole ? pod_work_hosts : pod_work_create);
}

static void on_started(struct cri_call *c)
{
    struct pod *p = c->priv;
    const struct Container *container = action_of(p)->container;
    const char *name = text_of(container->name);
    if (c->status != 0) {
        struct err e = c->err;
        if (!pod_runtime_away(c->status))
            pod_event(p, name, is_init(p, container), true, "Failed", "Error: %s", e.msg);
        pod_action_failed(p, c->status, name, "RunContainerError", &e, CREATE_BACKOFF_S);
        return;
    }
    pod_fail_clear(p, name);
    pod_event(p, name, is_init(p, container), false, "Started", "Started container %s", name);
    pod_announce(p, "started", name, -1);
    if (p->made_count < sizeof p->made / sizeof p->made[0]) {
        struct pod_made *m = &p->made[p->made_count++];
        m->container = container;
        memcpy(m->id, p->created_id, sizeof m->id);
    }
    pod_action_done(p, 0);
}

static void run_start(struct pod *p, const struct plan_action *action)
{
    Runtime__V1__StartContainerRequest q = RUNTIME__V1__START_CONTAINER_REQUEST__INIT;
    q.container_id = action->id != NULL ? (char *)action->id : p->created_id;
    p->call.done = on_started;
    cri_call_start(p->pods->config.cri, &p->call, CRI_START_CONTAINER, &q);
}

static void run_remove(struct pod *p, const struct plan_action *action)
{
    Runtime__V1__RemoveContainerRequest q = RUNTIME__V1__REMOVE_CONTAINER_REQUEST__INIT;
    q.container_id = (char *)action->id;
    p->call.done = on_plain;
    cri_call_start(p->pods->config.cri, &p->call, CRI_REMOVE_CONTAINER, &q);
}

/* ---- stops: all of the list at once ---- */

static void on_stopped(struct cri_call *c)
{
    struct pod_stop *s = c->priv;
    struct pod *p = s->pod;
    if (c->status != 0 && c->status != -ERR_NOT_FOUND) {
        p->stops_status = c->status;
        log_warn("container not stopped", KV("pod", p->name), KV("why", c->err.msg));
    }
    if (--p->stops_left > 0)
        return;
    for (size_t i = 0; i < p->stop_count; i++)
        cri_call_deinit(&p->stops[i].call);
    mem_free(p->stops);
    p->stops = NULL;
    p->at += p->stop_count - 1;
    if (p->stops_status != 0 && !pod_runtime_away(p->stops_status))
        pod_fail(p, "", "", "a container could not be stopped", pod_wall(p) + ENV_S);
    pod_action_done(p, p->stops_status);
}

static void tell_killing(struct pod *p, const char *id)
{
    for (size_t i = 0; i < p->view->container_count; i++)
        if (strcmp(p->view->containers[i].id, id) == 0)
            pod_event(p, p->view->containers[i].name, false, false, "Killing",
                      "Stopping container %s", p->view->containers[i].name);
}

static void run_stops(struct pod *p)
{
    size_t n = 0;
    while (p->at + n < p->plan.count && p->plan.actions[p->at + n].kind == PLAN_STOP)
        n++;
    p->stops = mem_alloc(n * sizeof *p->stops);
    p->stop_count = n;
    p->stops_left = n;
    p->stops_status = 0;
    for (size_t i = 0; i < n; i++) {
        const struct plan_action *action = &p->plan.actions[p->at + i];
        struct pod_stop *s = &p->stops[i];
        Runtime__V1__StopContainerRequest q = RUNTIME__V1__STOP_CONTAINER_REQUEST__INIT;
        q.container_id = (char *)action->id;
        q.timeout = action->grace_s;
        tell_killing(p, action->id);
        s->pod = p;
        s->call.done = on_stopped;
        s->call.priv = s;
        s->call.extra_ms = (uint64_t)action->grace_s * 1000;
        cri_call_start(p->pods->config.cri, &s->call, CRI_STOP_CONTAINER, &q);
    }
}

/* ---- files ---- */

static void run_clean(struct pod *p)
{
    pod_work_begin(p);
    if (p->work.cgroup == NULL) {
        p->work.folders = arena_array(&p->work.arena, 2, sizeof *p->work.folders);
        p->work.folders[0] = p->pods->config.cgroup_root;
        p->work.folders[1] = p->uid;
    }
    pod_work_start(p, pod_work_clean);
}

void pod_worked(struct pod *p, int status, const struct err *e)
{
    enum plan_kind kind = action_of(p)->kind;
    if (kind == PLAN_CREATE && p->work.run == pod_work_hosts) {
        create_part_ended(p);
        return;
    }
    if (kind == PLAN_CREATE) {
        p->parts = 0;
        if (status != 0)
            create_failed(p, "CreateContainerConfigError", status, e);
        else
            (void)create_now(p);
        return;
    }
    if (kind != PLAN_CLEAN) {
        pod_begin_worked(p, status, e);
        return;
    }
    p->cleaned = p->cleaned || status == 0;
    if (status == 0) {
        pod_action_done(p, 0);
        return;
    }
    log_warn("files of a pod", KV("pod", p->name), KVN("action", kind), KV("why", e->msg));
    pod_event(p, NULL, false, true, "Failed", "%s", e->msg);
    pod_action_failed(p, status, "", "", e, VOLUME_BACKOFF_S);
}

/* ---- the end of the pod ---- */

static void on_deleted(struct client_call *c)
{
    struct pod *p = c->priv;
    /* Gone already, or another pod has the name now: the watch tells either way. */
    bool gone = c->status == 0 || c->http_status == 404 || c->http_status == 409;
    p->deleting = gone;
    if (!gone)
        pod_fail(p, "", "", c->err.msg, pod_wall(p) + ENV_S);
    pod_idle(p);
}

static void run_finish(struct pod *p)
{
    pod_gate_leave(p);
    if (!p->known) {
        pod_announce(p, "removed", NULL, -1);
        pod_free(p);
        return;
    }
    buf_clear(&p->delete_body);
    buf_printf(&p->delete_body,
               "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"gracePeriodSeconds\":0,"
               "\"preconditions\":{\"uid\":\"%s\"}}",
               p->uid);
    p->delete_call = (struct client_call){ .verb = CLIENT_DELETE,
                                           .kind = KIND_POD,
                                           .namespace = str_from(p->namespace),
                                           .name = str_from(p->name),
                                           .content = CLIENT_JSON,
                                           .body = buf_str(&p->delete_body),
                                           .done = on_deleted,
                                           .priv = p };
    client_call(p->pods->config.client, &p->delete_call);
}

/* ---- the list ---- */

static void run_next(struct pod *p)
{
    if (p->at >= p->plan.count) {
        list_done(p);
        return;
    }
    const struct plan_action *action = action_of(p);
    if (needs_slot(action->kind) && !pod_gate_enter(p))
        return;
    p->call.priv = p;
    p->lists_needed = p->lists_needed || leaves_unknown(action);
    switch (action->kind) {
    case PLAN_PREPARE:
    case PLAN_VOLUMES:
    case PLAN_RUN_SANDBOX:
        pod_begin(p);
        return;
    case PLAN_IMAGE:
        run_image(p, action);
        return;
    case PLAN_CREATE:
        run_create(p, action);
        return;
    case PLAN_START:
        run_start(p, action);
        return;
    case PLAN_STOP:
        run_stops(p);
        return;
    case PLAN_REMOVE:
        run_remove(p, action);
        return;
    case PLAN_STOP_SANDBOX:
        stop_sandbox(p, action);
        return;
    case PLAN_REMOVE_SANDBOX:
        remove_sandbox(p, action);
        return;
    case PLAN_CLEAN:
        run_clean(p);
        return;
    case PLAN_FINISH:
        run_finish(p);
        return;
    }
}

void pod_run(struct pod *p)
{
    p->at = 0;
    p->made_count = 0;
    p->sandbox_id[0] = '\0';
    run_next(p);
}
