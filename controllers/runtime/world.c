/* What deciders read and append: the world's listers and the list of actions. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/meta/selector.h"
#include "api/proto/meta.pb-c.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/env.h"
#include "controllers/runtime/controller.h"
#include "controllers/runtime/memory.h"

/* ---- reads ---- */

static struct lister *world_lister(struct world *w, enum kind kind)
{
    ASSERT(kind > KIND_NONE && kind < KIND_COUNT);
    return w->listers[kind];
}

static void world_failed(struct world *w, const struct err *e)
{
    if (w->read_error.code == ERR_NONE)
        w->read_error = *e;
}

const void *world_get(struct world *w, enum kind kind, struct str namespace, struct str name)
{
    struct lister *l = world_lister(w, kind);
    const void *object = NULL;
    struct err e = { 0 };
    int rc;

    if (l == NULL)
        return NULL;
    rc = lister_get(l, w->arena, namespace, name, &object, &e);
    if (rc != 0 && rc != -ERR_NOT_FOUND)
        world_failed(w, &e);
    return rc == 0 ? object : NULL;
}

size_t world_list(struct world *w, enum kind kind, struct str namespace,
                  const struct selector *selector, const void ***out)
{
    struct lister *l = world_lister(w, kind);
    struct err e = { 0 };
    size_t count = 0;

    *out = NULL;
    if (l == NULL)
        return 0;
    if (lister_list(l, w->arena, namespace, selector, out, &count, &e) != 0) {
        world_failed(w, &e);
        return 0;
    }
    return count;
}

size_t world_by_index(struct world *w, enum kind kind, enum index_id index, struct str term,
                      const void ***out)
{
    struct lister *l = world_lister(w, kind);
    struct err e = { 0 };
    size_t count = 0;

    *out = NULL;
    if (l == NULL)
        return 0;
    if (lister_by_index(l, w->arena, index, term, out, &count, &e) != 0) {
        world_failed(w, &e);
        return 0;
    }
    return count;
}

/* ---- memory ---- */

uint64_t world_unchanged_ms(struct world *w, struct str name, uint64_t value)
{
    return memory_unchanged_ns(w->memory, name, value, w->now_ns) / ENV_MS;
}

void world_forget(struct world *w, struct str name)
{
    memory_forget(w->memory, name);
}

/* ---- actions ---- */

/* Every kind's message has metadata as its first field, behind the protobuf-c base. */
struct any_object {
    ProtobufCMessage base;
    ObjectMeta *metadata;
};

static struct action *append(struct actions *as, enum action_type type, enum kind kind)
{
    struct action *a;

    ASSERT(as->count < ACTIONS_MAX);
    as->items = arena_grow(as->arena, as->items, as->count, &as->capacity, sizeof(*as->items));
    a = &as->items[as->count++];
    *a = (struct action){ .type = type, .kind = kind, .grace_seconds = ACTION_NO_GRACE };
    return a;
}

static struct action *append_object(struct actions *as, enum action_type type, enum kind kind,
                                    const void *object)
{
    const ObjectMeta *meta = ((const struct any_object *)object)->metadata;
    struct action *a = append(as, type, kind);

    ASSERT(meta != NULL);
    a->object = object;
    a->namespace = str_from(meta->namespace_);
    a->name = str_from(meta->name);
    return a;
}

struct action *actions_create(struct actions *as, enum kind kind, const void *object)
{
    return append_object(as, ACTION_CREATE, kind, object);
}

struct action *actions_update(struct actions *as, enum kind kind, const void *object)
{
    return append_object(as, ACTION_UPDATE, kind, object);
}

struct action *actions_update_status(struct actions *as, enum kind kind, const void *object)
{
    struct action *a = append_object(as, ACTION_UPDATE, kind, object);

    a->subresource = str_lit("status");
    return a;
}

struct action *actions_patch(struct actions *as, enum kind kind, const ObjectMeta *meta,
                             const char *subresource, enum client_content content, struct str body)
{
    struct action *a = append(as, ACTION_PATCH, kind);

    a->namespace = str_from(meta->namespace_);
    a->name = str_from(meta->name);
    a->subresource = str_from(subresource);
    a->content = content;
    a->body = body;
    return a;
}

struct action *actions_delete(struct actions *as, enum kind kind, const ObjectMeta *meta)
{
    struct action *a = append(as, ACTION_DELETE, kind);

    a->namespace = str_from(meta->namespace_);
    a->name = str_from(meta->name);
    a->uid = str_from(meta->uid);
    a->missing_ok = true;
    return a;
}

struct action *actions_confirm_absent(struct actions *as, enum kind kind, struct str namespace,
                                      struct str name, struct str uid)
{
    struct action *a = append(as, ACTION_CONFIRM_ABSENT, kind);

    a->namespace = namespace;
    a->name = name;
    a->uid = uid;
    return a;
}

struct action *actions_delete_collection(struct actions *as, enum kind kind, struct str namespace)
{
    struct action *a = append(as, ACTION_DELETE_COLLECTION, kind);

    a->namespace = namespace;
    return a;
}

struct action *actions_confirm_empty(struct actions *as, enum kind kind, struct str namespace)
{
    struct action *a = append(as, ACTION_CONFIRM_EMPTY, kind);

    a->namespace = namespace;
    return a;
}

static struct str format_text(struct arena *a, const char *format, va_list args)
{
    va_list again;
    char *text;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    ASSERT(len >= 0);
    text = arena_alloc(a, (size_t)len + 1);
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    return str_of(text, (size_t)len);
}

static struct action_note *note_new(struct arena *a, enum kind kind, const ObjectMeta *about,
                                    const char *type, const char *reason, struct str message)
{
    struct action_note *n = arena_new(a, struct action_note);

    n->kind = kind;
    n->about = about;
    n->type = type;
    n->reason = reason;
    n->message = message;
    return n;
}

void actions_event(struct actions *as, enum kind kind, const ObjectMeta *about, const char *type,
                   const char *reason, const char *format, ...)
{
    struct action *a = append(as, ACTION_EVENT, kind);
    va_list args;

    va_start(args, format);
    a->on_success =
        note_new(as->arena, kind, about, type, reason, format_text(as->arena, format, args));
    va_end(args);
}

struct action_note *action_note(struct arena *a, enum kind kind, const ObjectMeta *about,
                                const char *type, const char *reason, const char *format, ...)
{
    struct action_note *n;
    va_list args;

    va_start(args, format);
    n = note_new(a, kind, about, type, reason, format_text(a, format, args));
    va_end(args);
    return n;
}

void actions_requeue_after(struct actions *as, uint64_t delay_ms)
{
    if (delay_ms == 0)
        delay_ms = 1;
    if (as->requeue_after_ms == 0 || delay_ms < as->requeue_after_ms)
        as->requeue_after_ms = delay_ms;
}
