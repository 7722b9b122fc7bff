/* The API in memory (see fake_api.h). */
#include "tests/unit/controllers/fake_api.h"

#include <stdio.h>
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/schema/codec.h"
#include "base/assert.h"
#include "base/buf.h"
#include "tests/unit/controllers/fake_api_impl.h"
#include "tests/unit/unit.h"

struct any_object {
    ProtobufCMessage base;
    ObjectMeta *metadata;
};

struct fake_call {
    struct list node;
    struct fake_api *api;
    struct client_call *call;
    struct env_timer timer;
    bool canceled;
};

struct fake_watch {
    struct list node;
    struct fake_api *api;
    struct client_watch *watch;
    struct env_timer timer;
    size_t at; /* in the log */
    int end;   /* status, when ending */
    bool ending;
};

const struct schema *fake_schema(enum kind kind)
{
    return kind_info(kind)->schema;
}

ObjectMeta *fake_meta(void *object)
{
    return ((struct any_object *)object)->metadata;
}

void *fake_object(struct arena *a, enum kind kind, const char *json)
{
    const struct json *tree;
    struct err e = { 0 };
    struct str bytes;
    void *object = NULL;

    if (json_parse(a, str_from(json), &tree, &e) != 0 ||
        schema_decode(a, fake_schema(kind), tree, SCHEMA_STRICT, &object, NULL, &e) != 0)
        fail_msg("%s: %s", json, e.msg);
    /* As stored objects have it: every value message is there. */
    bytes = schema_pack_arena(a, fake_schema(kind), object);
    assert_int_equal(schema_unpack(a, fake_schema(kind), bytes, &object, &e), 0);
    return object;
}

/* ---- objects ---- */

static void log_event(struct fake_api *f, enum kind kind, enum client_event_type type,
                      struct str bytes)
{
    if (f->log_count == f->log_capacity) {
        f->log_capacity = f->log_capacity ? 2 * f->log_capacity : 256;
        f->log = mem_realloc(f->log, f->log_capacity * sizeof(*f->log));
    }
    f->log[f->log_count++] =
        (struct fake_event){ kind, type, f->revision,
                             str_of(mem_dup(bytes.data, bytes.len), bytes.len) };
    list_foreach (node, &f->watches) {
        struct fake_watch *w = container_of(node, struct fake_watch, node);

        if (!env_timer_active(&w->timer))
            env_timer_start(&w->timer, env_random_u64(f->env) % FAKE_DELAY_MS);
    }
}

static struct str stamp(struct fake_api *f, struct arena *a, enum kind kind, void *object)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)++f->revision);
    fake_meta(object)->resource_version = str_dup(a, str_from(text));
    return schema_pack_arena(a, fake_schema(kind), object);
}

void fake_store(struct fake_api *f, struct arena *a, enum kind kind, void *object, bool fresh)
{
    struct str bytes = stamp(f, a, kind, object);
    struct lister_item item = { str_from(fake_meta(object)->namespace_),
                                str_from(fake_meta(object)->name), bytes, f->revision };

    assert_true(cache_put(f->kinds[kind], &item));
    log_event(f, kind, fresh ? CLIENT_ADDED : CLIENT_MODIFIED, bytes);
}

void *fake_load(struct fake_api *f, struct arena *a, enum kind kind, struct str namespace,
                struct str name)
{
    struct lister_item item;
    struct err e = { 0 };
    void *object = NULL;

    if (!cache_find(f->kinds[kind], namespace, name, &item))
        return NULL;
    if (schema_unpack(a, fake_schema(kind), item.bytes, &object, &e) != 0)
        fail_msg("unpack: %s", e.msg);
    return object;
}

static Time *now(struct fake_api *f, struct arena *a)
{
    Time *t = arena_new(a, Time);

    time__init(t);
    t->has_seconds = 1;
    t->seconds = (int64_t)(env_wall_ns(f->env) / ENV_S);
    return t;
}

void fake_prepare_new(struct fake_api *f, struct arena *a, void *object)
{
    ObjectMeta *meta = fake_meta(object);

    meta->uid = str_dup(a, str_printf(a, "uid-%llu", (unsigned long long)++f->uids));
    meta->creation_timestamp = now(f, a);
    meta->has_generation = 1;
    meta->generation = 1;
}

void fake_remove_now(struct fake_api *f, struct arena *a, enum kind kind, void *object)
{
    struct str bytes = stamp(f, a, kind, object);

    assert_true(cache_remove(f->kinds[kind], str_from(fake_meta(object)->namespace_),
                             str_from(fake_meta(object)->name)));
    log_event(f, kind, CLIENT_DELETED, bytes);
}

/* Terminating while finalizers or an agent hold it. */
bool fake_delete_object(struct fake_api *f, struct arena *a, enum kind kind, void *object,
                        bool now_please)
{
    bool held = fake_meta(object)->n_finalizers > 0 ||
                (kind == KIND_NAMESPACE && ((Namespace *)object)->spec->n_finalizers > 0) ||
                (kind == KIND_POD && !now_please && ((Pod *)object)->spec->node_name != NULL &&
                 ((Pod *)object)->spec->node_name[0] != 0);

    if (!held) {
        fake_remove_now(f, a, kind, object);
        return true;
    }
    if (fake_meta(object)->deletion_timestamp == NULL ||
        fake_meta(object)->deletion_timestamp->seconds == 0) {
        fake_meta(object)->deletion_timestamp = now(f, a);
        fake_store(f, a, kind, object, false);
    }
    return false;
}

/* ---- the client ---- */

static void on_call(struct env_timer *t)
{
    struct fake_call *p = container_of(t, struct fake_call, timer);
    struct fake_api *f = p->api;
    struct client_call *call = p->call;
    bool canceled = p->canceled;

    list_remove(&p->node);
    env_timer_deinit(&p->timer);
    mem_free(p);
    if (canceled)
        client_call_fail(call, ERR_CANCELED, "canceled");
    else
        fake_handle(f, call);
}

static void fake_call(struct client *client, struct client_call *call)
{
    struct fake_api *f = container_of(client, struct fake_api, client);
    struct fake_call *p = mem_alloc(sizeof(*p));

    p->api = f;
    p->call = call;
    call->impl = p;
    env_timer_init(client->loop, &p->timer, on_call);
    env_timer_start(&p->timer, env_random_u64(f->env) % FAKE_DELAY_MS);
    list_append(&f->calls, &p->node);
}

static void fake_cancel(struct client *client, struct client_call *call)
{
    struct fake_call *p = call->impl;

    (void)client; /* the call knows all */
    p->canceled = true;
}

static void end_watch(struct fake_watch *w)
{
    struct client_watch *watch = w->watch;
    int status = w->end;

    list_remove(&w->node);
    env_timer_deinit(&w->timer);
    mem_free(w);
    watch->end(watch, status, NULL);
}

static void on_watch(struct env_timer *t)
{
    struct fake_watch *w = container_of(t, struct fake_watch, timer);
    struct fake_api *f = w->api;

    if (w->ending) {
        end_watch(w);
        return;
    }
    while (w->at < f->log_count) {
        struct fake_event *ev = &f->log[w->at++];
        struct client_event out = { ev->type, ev->bytes, ev->revision, false };

        if (ev->kind != w->watch->kind)
            continue;
        /* The watch may be ended from inside, which only arms the timer. */
        env_timer_start(&w->timer, 1);
        w->watch->event(w->watch, &out);
        return;
    }
}

static void fake_watch(struct client *client, struct client_watch *watch)
{
    struct fake_api *f = container_of(client, struct fake_api, client);
    struct fake_watch *w = mem_alloc(sizeof(*w));

    w->api = f;
    w->watch = watch;
    watch->impl = w;
    while (w->at < f->log_count && f->log[w->at].revision <= watch->revision)
        w->at++;
    env_timer_init(client->loop, &w->timer, on_watch);
    list_append(&f->watches, &w->node);
    if (f->expire_watches && watch->revision < f->revision) {
        w->ending = true;
        w->end = -ERR_EXPIRED;
    }
    env_timer_start(&w->timer, env_random_u64(f->env) % FAKE_DELAY_MS);
}

static void fake_unwatch(struct client *client, struct client_watch *watch)
{
    struct fake_watch *w = watch->impl;

    (void)client; /* the watch knows all */
    w->ending = true;
    w->end = -ERR_CANCELED;
    env_timer_start(&w->timer, 1);
}

static const struct client_ops fake_ops = {
    .call = fake_call, .cancel = fake_cancel, .watch = fake_watch, .unwatch = fake_unwatch
};

/* ---- public ---- */

void fake_api_init(struct fake_api *f, struct env *env, struct env_loop *loop)
{
    *f = (struct fake_api){ .client = { &fake_ops, loop }, .env = env };
    for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++)
        f->kinds[kind] = cache_new((enum kind)kind);
    list_init(&f->watches);
    list_init(&f->calls);
    map_init(&f->answers);
}

void fake_api_deinit(struct fake_api *f)
{
    assert_true(list_empty(&f->calls));
    assert_true(list_empty(&f->watches));
    for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++)
        cache_free(f->kinds[kind]);
    for (size_t i = 0; i < f->log_count; i++)
        mem_free((char *)(uintptr_t)f->log[i].bytes.data);
    mem_free(f->log);
    map_foreach (it, &f->answers) {
        struct answer *answer = it.value;

        mem_free((char *)(uintptr_t)answer->body.data);
        mem_free(answer);
    }
    map_deinit(&f->answers);
}

void fake_put(struct fake_api *f, enum kind kind, const void *object)
{
    struct arena a;
    void *copy, *old;

    arena_init(&a);
    copy = schema_copy(&a, fake_schema(kind), object);
    old = fake_load(f, &a, kind, str_from(fake_meta(copy)->namespace_),
                    str_from(fake_meta(copy)->name));
    if (old == NULL) {
        fake_prepare_new(f, &a, copy);
    } else {
        fake_meta(copy)->generation = fake_meta(old)->generation;
        fake_meta(copy)->has_generation = 1;
        fake_bump_generation(&a, fake_schema(kind), copy, old);
    }
    fake_store(f, &a, kind, copy, old == NULL);
    arena_deinit(&a);
}

void *fake_get(struct fake_api *f, struct arena *a, enum kind kind, const char *namespace,
               const char *name)
{
    return fake_load(f, a, kind, str_from(namespace), str_from(name));
}

static void take_away(struct fake_api *f, enum kind kind, const char *namespace, const char *name,
                      bool force)
{
    struct arena a;
    void *old;

    arena_init(&a);
    old = fake_load(f, &a, kind, str_from(namespace), str_from(name));
    assert_non_null(old);
    if (force)
        fake_remove_now(f, &a, kind, old);
    else
        (void)fake_delete_object(f, &a, kind, old, false); /* either way */
    arena_deinit(&a);
}

void fake_remove(struct fake_api *f, enum kind kind, const char *namespace, const char *name)
{
    take_away(f, kind, namespace, name, true);
}

void fake_delete(struct fake_api *f, enum kind kind, const char *namespace, const char *name)
{
    take_away(f, kind, namespace, name, false);
}

size_t fake_list(struct fake_api *f, struct arena *a, enum kind kind, const void ***out)
{
    return fake_items(f, a, kind, str_of(NULL, 0), out);
}

size_t fake_count(const struct fake_api *f, enum kind kind)
{
    return cache_count(f->kinds[kind]);
}

void fake_break_watches(struct fake_api *f, int status)
{
    list_foreach (node, &f->watches) {
        struct fake_watch *w = container_of(node, struct fake_watch, node);

        w->ending = true;
        w->end = status;
        env_timer_start(&w->timer, 1);
    }
}
