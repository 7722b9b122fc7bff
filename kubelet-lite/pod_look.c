/*
 * Looking at one pod in the runtime: lists by its uid, then the status of what changed, all at
 * once; the new view replaces the old one only when everything arrived. After a list of actions
 * that only made things, all of them known by their ids, the lists are skipped: the view so far
 * and what was made are the whole.
 */
#include <string.h>

#include "api/meta/text.h"
#include "api/proto/runtime.pb-c.h"
#include "base/assert.h"
#include "kubelet-lite/pod.h"

/* The runtime tells of an end before its lists show it: looked at for so long. */
#define HINT_MS 500

struct detail {
    struct cri_call call;
    struct pod_look *look;
    size_t index; /* of the container, or of the sandbox */
};

struct pod_look {
    struct pod *pod;
    struct arena *arena; /* of the view being made */
    struct pod_view *view;
    struct cri_call sandboxes;
    struct cri_call containers;
    struct detail *details;
    size_t detail_count;
    size_t pending;
    int status;
    bool short_look; /* without lists */
};

static void look_free(struct pod_look *l)
{
    cri_call_deinit(&l->sandboxes);
    cri_call_deinit(&l->containers);
    for (size_t i = 0; i < l->detail_count; i++)
        cri_call_deinit(&l->details[i].call);
    mem_free(l->details);
    if (l->arena != NULL) {
        arena_deinit(l->arena);
        mem_free(l->arena);
    }
    mem_free(l);
}

static uint64_t mark_of(const struct pod_view *v)
{
    uint64_t mark = VIEW_MARK_NOTHING;
    for (size_t i = 0; i < v->sandbox_count; i++)
        mark += view_mark_sandbox(v->sandboxes[i].id, v->sandboxes[i].ready);
    for (size_t i = 0; i < v->container_count; i++)
        mark += view_mark_container(v->containers[i].id, v->containers[i].state);
    return mark;
}

/* Tells of ends that the view before did not have. */
static void tell_exits(struct pod *p, const struct pod_view *now)
{
    for (size_t i = 0; i < now->container_count; i++) {
        const struct seen_container *c = &now->containers[i];
        if (c->state != SEEN_EXITED)
            continue;
        for (size_t j = 0; p->view != NULL && j < p->view->container_count; j++)
            if (strcmp(p->view->containers[j].id, c->id) == 0 &&
                p->view->containers[j].state != SEEN_EXITED)
                pod_announce(p, "exited", c->name, c->exit_code);
    }
}

static void finish(struct pod_look *l)
{
    struct pod *p = l->pod;
    int status = l->status;
    if (status != 0 && l->short_look) {
        /* Not as the calls' answers said: what is there? */
        look_free(l);
        p->lists_needed = true;
        pod_look_start(p);
        return;
    }
    if (status == 0) {
        tell_exits(p, l->view);
        if (p->view_arena != NULL) {
            arena_deinit(p->view_arena);
            mem_free(p->view_arena);
        }
        p->view_arena = l->arena;
        p->view = l->view;
        if (p->mark != mark_of(l->view))
            p->hint_until_ns = 0; /* that was it */
        p->mark = mark_of(l->view);
        p->made_count = 0;
        l->arena = NULL;
    }
    p->look = NULL;
    look_free(l);
    pod_looked(p, status);
}

static void part_done(struct pod_look *l, int status)
{
    if (status != 0 && l->status == 0)
        l->status = status;
    ASSERT(l->pending > 0);
    if (--l->pending == 0)
        finish(l);
}

/* ---- details ---- */

static void on_container(struct cri_call *c)
{
    struct detail *d = c->priv;
    const Runtime__V1__ContainerStatusResponse *r = c->reply;
    struct seen_container *seen = &d->look->view->containers[d->index];
    /* Gone since the list: the next look shows it. */
    if (c->status == 0 && r->status != NULL && seen->name == NULL)
        view_container_made(d->look->arena, r->status, seen);
    else if (c->status == 0 && r->status != NULL)
        view_container_status(d->look->arena, r->status, seen);
    part_done(d->look, c->status == -ERR_NOT_FOUND && !d->look->short_look ? 0 : c->status);
}

static void on_sandbox(struct cri_call *c)
{
    struct detail *d = c->priv;
    const Runtime__V1__PodSandboxStatusResponse *r = c->reply;
    struct seen_sandbox *s = &d->look->view->sandboxes[d->index];
    if (c->status == 0 && r->status != NULL) {
        s->ready = r->status->state == RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_READY;
        s->created_ns = r->status->created_at;
        s->ip_known = s->ready;
        if (r->status->network != NULL)
            s->ip = str_dup(d->look->arena, str_from(text_of(r->status->network->ip)));
    }
    part_done(d->look, c->status == -ERR_NOT_FOUND && !d->look->short_look ? 0 : c->status);
}

static const struct seen_container *old_container(const struct pod *p, const char *id)
{
    for (size_t i = 0; p->view != NULL && i < p->view->container_count; i++)
        if (strcmp(p->view->containers[i].id, id) == 0)
            return &p->view->containers[i];
    return NULL;
}

static const struct seen_sandbox *old_sandbox(const struct pod *p, const char *id)
{
    for (size_t i = 0; p->view != NULL && i < p->view->sandbox_count; i++)
        if (strcmp(p->view->sandboxes[i].id, id) == 0)
            return &p->view->sandboxes[i];
    return NULL;
}

/* Takes over what was known of this state; true: a status must be read. */
static bool container_is_new(struct pod_look *l, struct seen_container *c)
{
    const struct seen_container *old = old_container(l->pod, c->id);
    if (old == NULL || !old->detailed || old->state != c->state)
        return true;
    c->image = str_dup(l->arena, str_from(old->image));
    c->image_id = str_dup(l->arena, str_from(old->image_id));
    c->started_ns = old->started_ns;
    c->finished_ns = old->finished_ns;
    c->exit_code = old->exit_code;
    c->reason = str_dup(l->arena, str_from(old->reason));
    c->message = str_dup(l->arena, str_from(old->message));
    c->detailed = true;
    return false;
}

static bool sandbox_is_new(struct pod_look *l, struct seen_sandbox *s)
{
    const struct seen_sandbox *old = old_sandbox(l->pod, s->id);
    if (old != NULL && (old->ip_known || !s->ready)) {
        s->ip = str_dup(l->arena, str_from(old->ip));
        s->ip_known = old->ip_known && s->ready;
        return false;
    }
    return s->ready;
}

static struct detail *next_detail(struct pod_look *l, size_t index,
                                  void (*done)(struct cri_call *c))
{
    struct detail *d = &l->details[l->detail_count++];
    d->look = l;
    d->index = index;
    d->call.done = done;
    d->call.priv = d;
    l->pending++;
    return d;
}

static void look_closer(struct pod_look *l)
{
    struct pod_view *v = l->view;
    struct cri *cri = l->pod->pods->config.cri;
    l->details = mem_alloc((v->container_count + v->sandbox_count) * sizeof *l->details + 1);
    l->pending++; /* so that nothing finishes in here */
    for (size_t i = 0; i < v->container_count; i++) {
        if (!container_is_new(l, &v->containers[i]))
            continue;
        Runtime__V1__ContainerStatusRequest q = RUNTIME__V1__CONTAINER_STATUS_REQUEST__INIT;
        q.container_id = (char *)v->containers[i].id;
        cri_call_start(cri, &next_detail(l, i, on_container)->call, CRI_CONTAINER_STATUS, &q);
    }
    for (size_t i = 0; i < v->sandbox_count; i++) {
        if (!sandbox_is_new(l, &v->sandboxes[i]))
            continue;
        Runtime__V1__PodSandboxStatusRequest q = RUNTIME__V1__POD_SANDBOX_STATUS_REQUEST__INIT;
        q.pod_sandbox_id = (char *)v->sandboxes[i].id;
        cri_call_start(cri, &next_detail(l, i, on_sandbox)->call, CRI_POD_SANDBOX_STATUS, &q);
    }
    part_done(l, 0);
}

/* ---- lists ---- */

static void take_lists(struct pod_look *l)
{
    const Runtime__V1__ListPodSandboxResponse *s = l->sandboxes.reply;
    const Runtime__V1__ListContainersResponse *c = l->containers.reply;
    struct pod_view *v = arena_new(l->arena, struct pod_view);
    v->sandboxes = arena_array(l->arena, s->n_items, sizeof *v->sandboxes);
    v->containers = arena_array(l->arena, c->n_containers, sizeof *v->containers);
    for (size_t i = 0; i < s->n_items; i++)
        view_sandbox(l->arena, s->items[i], &v->sandboxes[v->sandbox_count++]);
    for (size_t i = 0; i < c->n_containers; i++)
        view_container(l->arena, c->containers[i], &v->containers[v->container_count++]);
    l->view = v;
}

static void on_list(struct cri_call *call)
{
    struct pod_look *l = call->priv;
    if (call->status != 0 && l->status == 0)
        l->status = call->status;
    if (--l->pending > 0)
        return;
    if (l->status != 0) {
        finish(l);
        return;
    }
    take_lists(l);
    look_closer(l);
}

static void ask_lists(struct pod *p, struct pod_look *l)
{
    Runtime__V1__PodSandboxFilter sandbox_filter = RUNTIME__V1__POD_SANDBOX_FILTER__INIT;
    Runtime__V1__PodSandboxFilter__LabelSelectorEntry sandbox_label =
        RUNTIME__V1__POD_SANDBOX_FILTER__LABEL_SELECTOR_ENTRY__INIT;
    Runtime__V1__PodSandboxFilter__LabelSelectorEntry *sandbox_labels[] = { &sandbox_label };
    Runtime__V1__ListPodSandboxRequest sandboxes = RUNTIME__V1__LIST_POD_SANDBOX_REQUEST__INIT;
    Runtime__V1__ContainerFilter filter = RUNTIME__V1__CONTAINER_FILTER__INIT;
    Runtime__V1__ContainerFilter__LabelSelectorEntry label =
        RUNTIME__V1__CONTAINER_FILTER__LABEL_SELECTOR_ENTRY__INIT;
    Runtime__V1__ContainerFilter__LabelSelectorEntry *labels[] = { &label };
    Runtime__V1__ListContainersRequest containers = RUNTIME__V1__LIST_CONTAINERS_REQUEST__INIT;
    sandbox_label.key = label.key = (char *)LABEL_POD_UID;
    sandbox_label.value = label.value = p->uid;
    sandbox_filter.label_selector = sandbox_labels;
    filter.label_selector = labels;
    sandbox_filter.n_label_selector = filter.n_label_selector = 1;
    sandboxes.filter = &sandbox_filter;
    containers.filter = &filter;
    l->sandboxes.done = l->containers.done = on_list;
    l->sandboxes.priv = l->containers.priv = l;
    l->pending = 2;
    cri_call_start(p->pods->config.cri, &l->sandboxes, CRI_LIST_POD_SANDBOX, &sandboxes);
    cri_call_start(p->pods->config.cri, &l->containers, CRI_LIST_CONTAINERS, &containers);
}

/* ---- without lists ---- */

/* The view so far, and what the list of actions made; its statuses follow. */
static void take_made(struct pod *p, struct pod_look *l)
{
    static const struct pod_view nothing;
    struct arena *a = l->arena;
    struct pod_view *v = view_copy(a, p->view != NULL ? p->view : &nothing);
    struct seen_sandbox *sandboxes = arena_array(a, v->sandbox_count + 1, sizeof *sandboxes);
    struct seen_container *containers =
        arena_array(a, v->container_count + p->made_count, sizeof *containers);
    if (v->sandbox_count > 0)
        memcpy(sandboxes, v->sandboxes, v->sandbox_count * sizeof *sandboxes);
    if (v->container_count > 0)
        memcpy(containers, v->containers, v->container_count * sizeof *containers);
    v->sandboxes = sandboxes;
    v->containers = containers;
    if (p->sandbox_id[0] != '\0')
        sandboxes[v->sandbox_count++] =
            (struct seen_sandbox){ .id = str_dup(a, str_from(p->sandbox_id)),
                                   .uid = str_dup(a, str_from(p->uid)),
                                   .name = str_dup(a, str_from(p->name)),
                                   .namespace = str_dup(a, str_from(p->namespace)),
                                   .attempt = p->sandbox_attempt,
                                   .ready = true,
                                   .ip = "" };
    for (size_t i = 0; i < p->made_count; i++)
        containers[v->container_count++] =
            (struct seen_container){ .id = str_dup(a, str_from(p->made[i].id)),
                                     .sandbox_id = view_sandbox_current(v)->id,
                                     .image = "" };
    l->view = v;
}

void pod_look_start(struct pod *p)
{
    struct pod_look *l = mem_alloc(sizeof *l);
    l->pod = p;
    l->arena = mem_alloc(sizeof *l->arena);
    arena_init(l->arena);
    l->short_look = !p->lists_needed && (p->sandbox_id[0] != '\0' || p->made_count > 0);
    p->lists_needed = false;
    p->look = l;
    if (!l->short_look) {
        ask_lists(p, l);
        return;
    }
    take_made(p, l);
    look_closer(l);
}

/* ---- all pods: which are to be looked at? ---- */

static const char *label_of(const Runtime__V1__Container *c, const char *key)
{
    for (size_t i = 0; i < c->n_labels; i++)
        if (strcmp(c->labels[i]->key, key) == 0)
            return c->labels[i]->value;
    return "";
}

struct mark {
    uint64_t value;
    const char *namespace;
    const char *name;
};

static struct mark *mark_for(struct arena *a, struct map *marks, const char *uid)
{
    struct mark *m = map_get(marks, str_from(uid));
    if (m == NULL) {
        m = arena_new(a, struct mark);
        m->value = VIEW_MARK_NOTHING;
        m->namespace = "";
        m->name = "";
        (void)map_put(marks, str_from(uid), m);
    }
    return m;
}

static void collect_marks(struct arena *a, struct map *marks,
                          const Runtime__V1__ListPodSandboxResponse *sandboxes,
                          const Runtime__V1__ListContainersResponse *containers)
{
    for (size_t i = 0; i < sandboxes->n_items; i++) {
        const Runtime__V1__PodSandbox *s = sandboxes->items[i];
        if (s->metadata == NULL || s->metadata->uid[0] == '\0')
            continue;
        struct mark *m = mark_for(a, marks, s->metadata->uid);
        m->value +=
            view_mark_sandbox(s->id, s->state == RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_READY);
        m->namespace = s->metadata->namespace_;
        m->name = s->metadata->name;
    }
    for (size_t i = 0; i < containers->n_containers; i++) {
        struct seen_container seen;
        const Runtime__V1__Container *c = containers->containers[i];
        const char *uid = label_of(c, LABEL_POD_UID);
        if (uid[0] == '\0')
            continue;
        view_container(a, c, &seen);
        struct mark *m = mark_for(a, marks, uid);
        m->value += view_mark_container(seen.id, seen.state);
        if (m->name[0] == '\0') {
            m->namespace = label_of(c, LABEL_POD_NAMESPACE);
            m->name = label_of(c, LABEL_POD_NAME);
        }
    }
}

void pods_relisted(struct pods *p, const struct Runtime__V1__ListPodSandboxResponse *sandboxes,
                   const struct Runtime__V1__ListContainersResponse *containers)
{
    struct arena a;
    struct map marks;
    arena_init(&a);
    map_init(&marks);
    collect_marks(&a, &marks, sandboxes, containers);
    p->listed = true;
    map_foreach (it, &marks) {
        const struct mark *m = it.value;
        const char *uid = str_dup(&a, it.key);
        if (pod_find(p, uid) == NULL)
            (void)pod_new(p, uid, m->namespace, m->name);
    }
    list_foreach_safe (node, &p->all) {
        struct pod *pod = container_of(node, struct pod, node);
        const struct mark *m = map_get(&marks, str_from(pod->uid));
        if (pod->busy)
            continue;
        if (!pod->look_needed && (m != NULL ? m->value : VIEW_MARK_NOTHING) == pod->mark)
            continue;
        pod->look_needed = true;
        pod->lists_needed = true;
        pod_step(pod);
    }
    map_deinit(&marks);
    arena_deinit(&a);
}

static bool has_id(const struct pod *p, const char *id)
{
    for (size_t i = 0; p->view != NULL && i < p->view->container_count; i++)
        if (strcmp(p->view->containers[i].id, id) == 0)
            return true;
    for (size_t i = 0; p->view != NULL && i < p->view->sandbox_count; i++)
        if (strcmp(p->view->sandboxes[i].id, id) == 0)
            return true;
    return strcmp(p->created_id, id) == 0;
}

void pods_hint(struct pods *p, const char *id)
{
    list_foreach_safe (node, &p->all) {
        struct pod *pod = container_of(node, struct pod, node);
        if (!has_id(pod, id))
            continue;
        pod->hint_until_ns = pod_wall(pod) + HINT_MS * ENV_MS;
        pod->lists_needed = true;
        if (pod->busy)
            return; /* looked at when that is over */
        pod->look_needed = true;
        pod_step(pod);
        return;
    }
}
