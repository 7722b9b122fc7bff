/* CRI messages to plain data, and small questions about it. */
#include "kubelet-lite/view.h"

#include <string.h>

#include "api/proto/runtime.pb-c.h"
#include "base/arena.h"
#include "base/str.h"

static const char *copy(struct arena *a, const char *text)
{
    return text == NULL || text[0] == '\0' ? "" : str_dup(a, str_from(text));
}

void view_sandbox(struct arena *a, const struct Runtime__V1__PodSandbox *from,
                  struct seen_sandbox *out)
{
    *out = (struct seen_sandbox){
        .id = copy(a, from->id),
        .uid = copy(a, from->metadata != NULL ? from->metadata->uid : ""),
        .name = copy(a, from->metadata != NULL ? from->metadata->name : ""),
        .namespace = copy(a, from->metadata != NULL ? from->metadata->namespace_ : ""),
        .attempt = from->metadata != NULL ? from->metadata->attempt : 0,
        .ready = from->state == RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_READY,
        .created_ns = from->created_at,
        .ip = ""
    };
}

static enum seen_state state_of(Runtime__V1__ContainerState state)
{
    switch (state) {
    case RUNTIME__V1__CONTAINER_STATE__CONTAINER_CREATED:
        return SEEN_CREATED;
    case RUNTIME__V1__CONTAINER_STATE__CONTAINER_RUNNING:
        return SEEN_RUNNING;
    default:
        return SEEN_EXITED;
    }
}

static int64_t number_or(const char *text, int64_t otherwise)
{
    int64_t n;
    return str_to_i64(str_from(text), &n) == 0 && n >= 0 ? n : otherwise;
}

static void take_annotation(struct arena *a, const char *key, const char *value,
                            struct seen_container *out)
{
    if (strcmp(key, ANNOTATION_HASH) == 0)
        out->hash = copy(a, value);
    else if (strcmp(key, ANNOTATION_GRACE) == 0)
        out->grace_s = number_or(value, VIEW_GRACE_DEFAULT_S);
    else if (strcmp(key, ANNOTATION_BACKOFF) == 0)
        out->backoff_level = (uint32_t)number_or(value, 0);
}

void view_container(struct arena *a, const struct Runtime__V1__Container *from,
                    struct seen_container *out)
{
    *out = (struct seen_container){ .id = copy(a, from->id),
                                    .sandbox_id = copy(a, from->pod_sandbox_id),
                                    .name = copy(a, from->metadata ? from->metadata->name : ""),
                                    .attempt = from->metadata ? from->metadata->attempt : 0,
                                    .state = state_of(from->state),
                                    .hash = "",
                                    .grace_s = VIEW_GRACE_DEFAULT_S,
                                    .image = copy(a, from->image ? from->image->image : ""),
                                    .image_id = copy(a, from->image_ref),
                                    .created_ns = from->created_at,
                                    .reason = "",
                                    .message = "" };
    for (size_t i = 0; i < from->n_annotations; i++)
        take_annotation(a, from->annotations[i]->key, from->annotations[i]->value, out);
}

void view_container_status(struct arena *a, const struct Runtime__V1__ContainerStatus *from,
                           struct seen_container *out)
{
    out->state = state_of(from->state);
    if (from->image != NULL && from->image->image[0] != '\0')
        out->image = copy(a, from->image->image);
    out->image_id = copy(a, from->image_ref);
    out->created_ns = from->created_at;
    out->started_ns = from->started_at;
    out->finished_ns = from->finished_at;
    out->exit_code = from->exit_code;
    out->reason = copy(a, from->reason);
    out->message = copy(a, from->message);
    out->detailed = true;
}

void view_container_made(struct arena *a, const struct Runtime__V1__ContainerStatus *from,
                         struct seen_container *out)
{
    *out = (struct seen_container){ .id = copy(a, from->id),
                                    .sandbox_id = out->sandbox_id,
                                    .name = copy(a, from->metadata ? from->metadata->name : ""),
                                    .attempt = from->metadata ? from->metadata->attempt : 0,
                                    .hash = "",
                                    .grace_s = VIEW_GRACE_DEFAULT_S,
                                    .image = "" };
    for (size_t i = 0; i < from->n_annotations; i++)
        take_annotation(a, from->annotations[i]->key, from->annotations[i]->value, out);
    view_container_status(a, from, out);
}

struct pod_view *view_copy(struct arena *a, const struct pod_view *from)
{
    struct pod_view *v = arena_new(a, struct pod_view);
    v->sandboxes = arena_array(a, from->sandbox_count, sizeof *v->sandboxes);
    v->containers = arena_array(a, from->container_count, sizeof *v->containers);
    v->sandbox_count = from->sandbox_count;
    v->container_count = from->container_count;
    for (size_t i = 0; i < from->sandbox_count; i++) {
        struct seen_sandbox *s = &v->sandboxes[i];
        *s = from->sandboxes[i];
        s->id = copy(a, s->id);
        s->uid = copy(a, s->uid);
        s->name = copy(a, s->name);
        s->namespace = copy(a, s->namespace);
        s->ip = copy(a, s->ip);
    }
    for (size_t i = 0; i < from->container_count; i++) {
        struct seen_container *c = &v->containers[i];
        *c = from->containers[i];
        c->id = copy(a, c->id);
        c->sandbox_id = copy(a, c->sandbox_id);
        c->name = copy(a, c->name);
        c->hash = copy(a, c->hash);
        c->image = copy(a, c->image);
        c->image_id = copy(a, c->image_id);
        c->reason = copy(a, c->reason);
        c->message = copy(a, c->message);
    }
    return v;
}

const struct seen_sandbox *view_sandbox_current(const struct pod_view *v)
{
    const struct seen_sandbox *best = NULL;
    for (size_t i = 0; i < v->sandbox_count; i++) {
        const struct seen_sandbox *s = &v->sandboxes[i];
        if (best == NULL || s->attempt > best->attempt ||
            (s->attempt == best->attempt && s->created_ns > best->created_ns))
            best = s;
    }
    return best;
}

/* The newest of the name that is older than `before` (NULL: no bound). */
static const struct seen_container *newest(const struct pod_view *v, const char *name,
                                           const struct seen_container *before)
{
    const struct seen_container *best = NULL;
    for (size_t i = 0; i < v->container_count; i++) {
        const struct seen_container *c = &v->containers[i];
        if (strcmp(c->name, name) != 0)
            continue;
        if (before != NULL && c->attempt >= before->attempt)
            continue;
        if (best == NULL || c->attempt > best->attempt ||
            (c->attempt == best->attempt && c->created_ns > best->created_ns))
            best = c;
    }
    return best;
}

const struct seen_container *view_latest(const struct pod_view *v, const char *name)
{
    return newest(v, name, NULL);
}

const struct seen_container *view_previous(const struct pod_view *v, const char *name)
{
    const struct seen_container *latest = newest(v, name, NULL);
    return latest == NULL ? NULL : newest(v, name, latest);
}

static uint64_t mix(const char *id, uint64_t state)
{
    uint64_t h = str_hash(str_from(id)) + (state + 1) * 0x9e3779b97f4a7c15ull;
    h ^= h >> 29;
    return h * 0xbf58476d1ce4e5b9ull;
}

uint64_t view_mark_sandbox(const char *id, bool ready)
{
    return mix(id, ready ? 11 : 10);
}

uint64_t view_mark_container(const char *id, enum seen_state state)
{
    return mix(id, (uint64_t)state);
}
