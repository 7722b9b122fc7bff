/* Small questions about decoded objects (see objects.h). */
#include "controllers/objects.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta/condition.h"
#include "api/meta/labels.h"
#include "api/schema/json.h"
#include "base/assert.h"
#include "base/buf.h"

int64_t wall_seconds(uint64_t wall_ns)
{
    return (int64_t)(wall_ns / ENV_S);
}

Time *time_make(struct arena *a, uint64_t wall_ns)
{
    Time *t = arena_new(a, Time);

    time__init(t);
    t->has_seconds = 1;
    t->seconds = wall_seconds(wall_ns);
    return t;
}

/* ---- map entries ---- */

struct entry {
    ProtobufCMessage base;
    char *key;
    char *value;
};

void *entries_set(struct arena *a, const ProtobufCMessageDescriptor *entry, const void *entries,
                  size_t *count, const char *key, const char *value)
{
    struct entry *const *old = entries;
    struct entry **now = arena_array(a, *count + 1, sizeof(*now));
    struct entry *fresh = arena_alloc(a, entry->sizeof_message);
    size_t n = 0;

    ASSERT(entry->sizeof_message >= sizeof(*fresh));
    protobuf_c_message_init(entry, &fresh->base);
    fresh->key = str_dup(a, str_from(key));
    fresh->value = str_dup(a, str_from(value));
    for (size_t i = 0; i < *count; i++)
        if (!text_eq(old[i]->key, key))
            now[n++] = old[i];
    now[n++] = fresh;
    *count = n;
    return now;
}

void *entries_drop(struct arena *a, const void *entries, size_t *count, const char *key)
{
    struct entry *const *old = entries;
    struct entry **now = arena_array(a, *count + 1, sizeof(*now));
    size_t n = 0;

    for (size_t i = 0; i < *count; i++)
        if (!text_eq(old[i]->key, key))
            now[n++] = old[i];
    *count = n;
    return now;
}

void meta_set_annotation(struct arena *a, ObjectMeta *meta, const char *key, const char *value)
{
    meta->annotations = entries_set(a, &object_meta__annotations_entry__descriptor,
                                    meta->annotations, &meta->n_annotations, key, value);
}

const char *meta_annotation(const ObjectMeta *meta, const char *key)
{
    return entries_get(meta->annotations, meta->n_annotations, key);
}

bool meta_deleting(const ObjectMeta *meta)
{
    return time_seconds(meta->deletion_timestamp) != 0;
}

int64_t meta_created(const ObjectMeta *meta)
{
    return time_seconds(meta->creation_timestamp);
}

struct str meta_namespace(const ObjectMeta *meta)
{
    return str_from(meta->namespace_);
}

/* ---- pods ---- */

const char *pod_phase(const Pod *pod)
{
    return pod->status != NULL ? text_of(pod->status->phase) : "";
}

const char *pod_node(const Pod *pod)
{
    return pod->spec != NULL ? text_of(pod->spec->node_name) : "";
}

bool pod_finished(const Pod *pod)
{
    return text_eq(pod_phase(pod), "Succeeded") || text_eq(pod_phase(pod), "Failed");
}

bool pod_active(const Pod *pod)
{
    return !pod_finished(pod) && !meta_deleting(pod->metadata);
}

static const PodCondition *ready_condition(const Pod *pod)
{
    const PodCondition *c;

    if (pod->status == NULL)
        return NULL;
    c = condition_find(pod->status->conditions, pod->status->n_conditions, "Ready");
    return c != NULL && text_eq(c->status, "True") ? c : NULL;
}

bool pod_ready(const Pod *pod)
{
    return ready_condition(pod) != NULL;
}

int64_t pod_ready_since(const Pod *pod)
{
    const PodCondition *c = ready_condition(pod);

    return c != NULL ? time_seconds(c->last_transition_time) : 0;
}

bool pod_available(const Pod *pod, int32_t min_ready_seconds, int64_t now_seconds)
{
    if (!pod_ready(pod))
        return false;
    if (min_ready_seconds == 0)
        return true;
    return pod_ready_since(pod) != 0 && pod_ready_since(pod) + min_ready_seconds <= now_seconds;
}

int32_t int_or_percent(const IntOrString *v, int32_t total, bool round_up, int32_t fallback)
{
    int64_t percent;

    if (v == NULL)
        return fallback;
    if (v->type == 0)
        return v->int_val;
    /* Validation let only "N%" through. */
    percent = strtol(text_of(v->str_val), NULL, 10);
    return (int32_t)((percent * total + (round_up ? 99 : 0)) / 100);
}

/* ---- patches of ownership ---- */

static void json_pair(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, ",\"%s\":", name);
    json_write_string(b, str_from(value), false);
}

static struct str finish_patch(struct arena *a, struct buf *b)
{
    struct str text = str_copy(a, buf_str(b));

    buf_deinit(b);
    return text;
}

struct str patch_adopt(struct arena *a, const ObjectMeta *object, const OwnerReference *ref)
{
    struct buf b;

    buf_init(&b);
    buf_append_c(&b, "{\"metadata\":{\"uid\":");
    json_write_string(&b, str_from(object->uid), false);
    buf_append_c(&b, ",\"ownerReferences\":[{\"controller\":true,\"blockOwnerDeletion\":true");
    json_pair(&b, "apiVersion", ref->api_version);
    json_pair(&b, "kind", ref->kind);
    json_pair(&b, "name", ref->name);
    json_pair(&b, "uid", ref->uid);
    buf_append_c(&b, "}]}}");
    return finish_patch(a, &b);
}

struct str patch_release(struct arena *a, const ObjectMeta *object, const char *owner_uid)
{
    struct buf b;

    buf_init(&b);
    buf_append_c(&b, "{\"metadata\":{\"uid\":");
    json_write_string(&b, str_from(object->uid), false);
    buf_append_c(&b, ",\"ownerReferences\":[{\"$patch\":\"delete\"");
    json_pair(&b, "uid", owner_uid);
    buf_append_c(&b, "}]}}");
    return finish_patch(a, &b);
}
