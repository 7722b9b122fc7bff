/* The API in memory (see fake_api.h). */
#include "tests/unit/controllers/fake_api.h"

#include <stdio.h>
#include <string.h>

#include "api/meta/peek.h"
#include "api/patch/patch.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/schema/codec.h"
#include "base/assert.h"
#include "base/buf.h"
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

struct answer {
    int http_status;
    struct str body;
};

static const struct schema *schema_of(enum kind kind)
{
    return kind_info(kind)->schema;
}

static ObjectMeta *meta_of(void *object)
{
    return ((struct any_object *)object)->metadata;
}

/* A pointer to the field of a message, or NULL. */
static void **field_of(const struct schema *s, void *object, const char *name)
{
    const ProtobufCFieldDescriptor *f =
        protobuf_c_message_descriptor_get_field_by_name(s->pb, name);

    return f == NULL ? NULL : (void **)((char *)object + f->offset);
}

void *fake_object(struct arena *a, enum kind kind, const char *json)
{
    const struct json *tree;
    struct err e = { 0 };
    struct str bytes;
    void *object = NULL;

    if (json_parse(a, str_from(json), &tree, &e) != 0 ||
        schema_decode(a, schema_of(kind), tree, SCHEMA_STRICT, &object, NULL, &e) != 0)
        fail_msg("%s: %s", json, e.msg);
    /* As stored objects have it: every value message is there. */
    bytes = schema_pack_arena(a, schema_of(kind), object);
    assert_int_equal(schema_unpack(a, schema_of(kind), bytes, &object, &e), 0);
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
    meta_of(object)->resource_version = str_dup(a, str_from(text));
    return schema_pack_arena(a, schema_of(kind), object);
}

static void store(struct fake_api *f, struct arena *a, enum kind kind, void *object, bool fresh)
{
    struct str bytes = stamp(f, a, kind, object);
    struct lister_item item = { str_from(meta_of(object)->namespace_),
                                str_from(meta_of(object)->name), bytes, f->revision };

    assert_true(cache_put(f->kinds[kind], &item));
    log_event(f, kind, fresh ? CLIENT_ADDED : CLIENT_MODIFIED, bytes);
}

static void *load(struct fake_api *f, struct arena *a, enum kind kind, struct str namespace,
                  struct str name)
{
    struct lister_item item;
    struct err e = { 0 };
    void *object = NULL;

    if (!cache_find(f->kinds[kind], namespace, name, &item))
        return NULL;
    if (schema_unpack(a, schema_of(kind), item.bytes, &object, &e) != 0)
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

static void prepare_new(struct fake_api *f, struct arena *a, void *object)
{
    ObjectMeta *meta = meta_of(object);

    meta->uid = str_dup(a, str_printf(a, "uid-%llu", (unsigned long long)++f->uids));
    meta->creation_timestamp = now(f, a);
    meta->has_generation = 1;
    meta->generation = 1;
}

static void remove_now(struct fake_api *f, struct arena *a, enum kind kind, void *object)
{
    struct str bytes = stamp(f, a, kind, object);

    assert_true(cache_remove(f->kinds[kind], str_from(meta_of(object)->namespace_),
                             str_from(meta_of(object)->name)));
    log_event(f, kind, CLIENT_DELETED, bytes);
}

/* Terminating while finalizers or an agent hold it. */
static bool delete_object(struct fake_api *f, struct arena *a, enum kind kind, void *object,
                          bool now_please)
{
    bool held = meta_of(object)->n_finalizers > 0 ||
                (kind == KIND_NAMESPACE && ((Namespace *)object)->spec->n_finalizers > 0) ||
                (kind == KIND_POD && !now_please && ((Pod *)object)->spec->node_name != NULL &&
                 ((Pod *)object)->spec->node_name[0] != 0);

    if (!held) {
        remove_now(f, a, kind, object);
        return true;
    }
    if (meta_of(object)->deletion_timestamp == NULL ||
        meta_of(object)->deletion_timestamp->seconds == 0) {
        meta_of(object)->deletion_timestamp = now(f, a);
        store(f, a, kind, object, false);
    }
    return false;
}

/* ---- answers ---- */

static void keep_answer(struct fake_api *f, const struct client_call *c, int http_status,
                        struct str body)
{
    struct answer *answer;

    if (c->request_id.len == 0)
        return;
    answer = mem_alloc(sizeof(*answer));
    *answer = (struct answer){ http_status, str_of(mem_dup(body.data, body.len), body.len) };
    (void)map_put(&f->answers, c->request_id, answer);
}

static void answer_object(struct fake_api *f, struct client_call *c, struct arena *a,
                          enum kind kind, void *object, int http_status)
{
    struct buf b;
    bool write = c->verb != CLIENT_GET && c->verb != CLIENT_LIST;

    buf_init(&b);
    client_wrap(&b, str_from(kind_api_version(kind)), str_from(kind_info(kind)->name),
                schema_pack_arena(a, schema_of(kind), object));
    if (write)
        keep_answer(f, c, http_status, buf_str(&b));
    if (write && f->lose_every > 0 && ++f->writes % f->lose_every == 0)
        client_call_fail(c, ERR_UNKNOWN_OUTCOME, "the answer was lost");
    else
        client_call_finish(c, http_status, buf_str(&b));
    buf_deinit(&b);
}

static void answer_status(struct fake_api *f, struct client_call *c, int code, const char *message)
{
    struct arena a;
    struct buf b;
    Status *s;
    int http_status = code == 0 ? 200 : err_http_status(code);

    arena_init(&a);
    buf_init(&b);
    s = arena_new(&a, Status);
    status__init(s);
    s->message = str_dup(&a, str_from(message));
    s->reason = code == 0 ? NULL : str_dup(&a, str_from(err_reason(code)));
    buf_reserve(&b, 1024);
    {
        uint8_t raw[2048];
        size_t n = protobuf_c_message_pack(&s->base, raw);

        client_wrap(&b, str_lit("v1"), str_lit("Status"), str_of(raw, n));
    }
    if (code == 0)
        keep_answer(f, c, 200, buf_str(&b));
    client_call_finish(c, http_status, buf_str(&b));
    buf_deinit(&b);
    arena_deinit(&a);
}

/* ---- verbs ---- */

static void *decode_body(struct arena *a, const struct client_call *c, enum kind kind)
{
    struct str body_kind, raw;
    struct err e = { 0 };
    void *object = NULL;

    assert_int_equal(client_unwrap(c->body, &body_kind, &raw), 0);
    assert_true(str_eq_c(body_kind, kind_info(kind)->name));
    if (schema_unpack(a, schema_of(kind), raw, &object, &e) != 0)
        fail_msg("body: %s", e.msg);
    return object;
}

static void do_bind(struct fake_api *f, struct client_call *c, struct arena *a)
{
    Binding *binding = decode_body(a, c, KIND_BINDING);
    Pod *pod = load(f, a, KIND_POD, c->namespace, c->name);

    if (pod == NULL) {
        answer_status(f, c, ERR_NOT_FOUND, "no such pod");
    } else if (pod->spec->node_name != NULL && pod->spec->node_name[0] != 0) {
        answer_status(f, c, ERR_CONFLICT, "pod is already assigned");
    } else if (strcmp(binding->metadata->uid, pod->metadata->uid) != 0) {
        answer_status(f, c, ERR_CONFLICT, "another pod of this name");
    } else {
        pod->spec->node_name = binding->target->name;
        store(f, a, KIND_POD, pod, false);
        f->writes++;
        answer_status(f, c, 0, "");
    }
}

static void do_create(struct fake_api *f, struct client_call *c, struct arena *a)
{
    void *object;

    if (str_eq_c(c->subresource, "binding")) {
        do_bind(f, c, a);
        return;
    }
    object = decode_body(a, c, c->kind);
    assert_non_null(meta_of(object)->name);
    if (load(f, a, c->kind, c->namespace, str_from(meta_of(object)->name)) != NULL) {
        answer_status(f, c, ERR_ALREADY_EXISTS, "already exists");
        return;
    }
    prepare_new(f, a, object);
    store(f, a, c->kind, object, true);
    answer_object(f, c, a, c->kind, object, 201);
}

/* Takes what this request may not change from the object as it is. */
static void keep_parts(struct client_call *c, const struct schema *s, void *object, void *old)
{
    bool status = str_eq_c(c->subresource, "status");
    void **spec = field_of(s, object, "spec"), **state = field_of(s, object, "status");

    if (status && spec != NULL)
        *spec = *field_of(s, old, "spec");
    if (!status && state != NULL)
        *state = *field_of(s, old, "status");
    meta_of(object)->uid = meta_of(old)->uid;
    meta_of(object)->creation_timestamp = meta_of(old)->creation_timestamp;
    meta_of(object)->deletion_timestamp = meta_of(old)->deletion_timestamp;
    meta_of(object)->generation = meta_of(old)->generation;
    meta_of(object)->has_generation = 1;
}

static void bump_generation(struct arena *a, const struct schema *s, void *object, void *old)
{
    void **spec = field_of(s, object, "spec");
    const struct schema_field *f = schema_find_field(s, str_lit("spec"));

    (void)a; /* packing is not needed: the schema compares */
    if (spec != NULL && f != NULL && !schema_equal(f->message, *spec, *field_of(s, old, "spec")))
        meta_of(object)->generation++;
}

static bool unheld(enum kind kind, void *object)
{
    return meta_of(object)->deletion_timestamp != NULL &&
           meta_of(object)->deletion_timestamp->seconds != 0 &&
           meta_of(object)->n_finalizers == 0 && kind != KIND_POD &&
           !(kind == KIND_NAMESPACE && ((Namespace *)object)->spec->n_finalizers > 0);
}

static void replace(struct fake_api *f, struct client_call *c, struct arena *a, void *object,
                    void *old)
{
    const struct schema *s = schema_of(c->kind);

    keep_parts(c, s, object, old);
    bump_generation(a, s, object, old);
    meta_of(object)->resource_version = meta_of(old)->resource_version;
    if (unheld(c->kind, object))
        remove_now(f, a, c->kind, object);
    else if (!schema_equal(s, object, old))
        store(f, a, c->kind, object, false);
    answer_object(f, c, a, c->kind, object, 200);
}

static void do_update(struct fake_api *f, struct client_call *c, struct arena *a)
{
    void *object = decode_body(a, c, c->kind);
    void *old = load(f, a, c->kind, c->namespace, c->name);

    if (old == NULL) {
        answer_status(f, c, ERR_NOT_FOUND, "not found");
        return;
    }
    if (strcmp(meta_of(object)->resource_version, meta_of(old)->resource_version) != 0) {
        answer_status(f, c, ERR_CONFLICT, "the object has been modified");
        return;
    }
    replace(f, c, a, object, old);
}

static void do_patch(struct fake_api *f, struct client_call *c, struct arena *a)
{
    const struct schema *s = schema_of(c->kind);
    const struct json *before, *patch, *after = NULL;
    void *old = load(f, a, c->kind, c->namespace, c->name);
    void *object = NULL;
    struct err e = { 0 };
    int rc;

    if (old == NULL) {
        answer_status(f, c, ERR_NOT_FOUND, "not found");
        return;
    }
    assert_int_equal(schema_to_dom(a, s, schema_pack_arena(a, s, old), NULL, &before, &e), 0);
    assert_int_equal(json_parse(a, c->body, &patch, &e), 0);
    rc = c->content == CLIENT_STRATEGIC_PATCH ? patch_strategic(a, s, before, patch, &after, &e)
         : c->content == CLIENT_MERGE_PATCH   ? patch_merge(a, before, patch, &after, &e)
                                              : patch_json(a, before, patch, &after, &e);
    if (rc == 0)
        rc = schema_decode(a, s, after, SCHEMA_STRICT, &object, NULL, &e);
    if (rc == 0 && strcmp(meta_of(object)->uid, meta_of(old)->uid) != 0)
        rc = err_set(&e, ERR_CONFLICT, "uid");
    if (rc != 0)
        answer_status(f, c, rc, e.msg);
    else
        replace(f, c, a, object, old);
}

static void do_delete(struct fake_api *f, struct client_call *c, struct arena *a)
{
    void *old = load(f, a, c->kind, c->namespace, c->name);
    const struct json *options = NULL, *field;
    struct err e = { 0 };
    bool now_please = false;

    if (old == NULL) {
        answer_status(f, c, ERR_NOT_FOUND, "not found");
        return;
    }
    if (c->body.len > 0) {
        assert_int_equal(json_parse(a, c->body, &options, &e), 0);
        field = json_get_c(options, "preconditions");
        if (field != NULL && !str_eq_c(json_str(json_get_c(field, "uid")), meta_of(old)->uid)) {
            answer_status(f, c, ERR_CONFLICT, "uid");
            return;
        }
        field = json_get_c(options, "gracePeriodSeconds");
        now_please = field != NULL && field->u.integer == 0;
    }
    (void)delete_object(f, a, c->kind, old, now_please); /* either way it is answered */
    answer_object(f, c, a, c->kind, old, 200);
}

static size_t items_of(struct fake_api *f, struct arena *a, enum kind kind, struct str namespace,
                       const void ***out)
{
    struct err e = { 0 };
    size_t count = 0;

    *out = NULL;
    if (lister_list(cache_lister(f->kinds[kind]), a, namespace, NULL, out, &count, &e) != 0)
        fail_msg("list: %s", e.msg);
    return count;
}

static void do_list(struct fake_api *f, struct client_call *c, struct arena *a)
{
    const void **items;
    size_t n = items_of(f, a, c->kind, c->namespace, &items);
    struct buf list, meta, body;
    char text[24];

    buf_init(&list);
    buf_init(&meta);
    buf_init(&body);
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)f->revision);
    buf_append_byte(&meta, 2 << 3 | 2);
    buf_put_bytes(&meta, str_from(text));
    buf_append_byte(&list, 1 << 3 | 2);
    buf_put_bytes(&list, buf_str(&meta));
    for (size_t i = 0; i < n; i++) {
        buf_append_byte(&list, 2 << 3 | 2);
        buf_put_bytes(&list, schema_pack_arena(a, schema_of(c->kind), items[i]));
    }
    client_wrap(&body, str_from(kind_api_version(c->kind)), str_from(kind_info(c->kind)->list_name),
                buf_str(&list));
    client_call_finish(c, 200, buf_str(&body));
    buf_deinit(&list);
    buf_deinit(&meta);
    buf_deinit(&body);
}

static void do_delete_collection(struct fake_api *f, struct client_call *c, struct arena *a)
{
    const void **items;
    size_t n = items_of(f, a, c->kind, c->namespace, &items);

    for (size_t i = 0; i < n; i++)
        (void)delete_object(f, a, c->kind, (void *)(uintptr_t)items[i], false); /* either way */
    answer_status(f, c, 0, "");
}

static void do_get(struct fake_api *f, struct client_call *c, struct arena *a)
{
    void *object = load(f, a, c->kind, c->namespace, c->name);

    if (object == NULL)
        answer_status(f, c, ERR_NOT_FOUND, "not found");
    else
        answer_object(f, c, a, c->kind, object, 200);
}

static bool answered_before(struct fake_api *f, struct client_call *c)
{
    struct answer *answer = c->request_id.len > 0 ? map_get(&f->answers, c->request_id) : NULL;

    if (answer == NULL)
        return false;
    client_call_finish(c, answer->http_status, answer->body);
    return true;
}

static void handle(struct fake_api *f, struct client_call *c)
{
    static void (*const verbs[])(struct fake_api *, struct client_call *,
                                 struct arena *) = { [CLIENT_GET] = do_get,
                                                     [CLIENT_LIST] = do_list,
                                                     [CLIENT_CREATE] = do_create,
                                                     [CLIENT_UPDATE] = do_update,
                                                     [CLIENT_PATCH] = do_patch,
                                                     [CLIENT_DELETE] = do_delete,
                                                     [CLIENT_DELETE_COLLECTION] =
                                                         do_delete_collection };
    struct arena a;
    int code = f->refuse != NULL ? f->refuse(f->refuse_ctx, c) : 0;

    if (code == 0 && f->fence != 0 && c->fence_term != 0 && c->fence_term != f->fence)
        code = ERR_FENCED;
    if (code != 0) {
        client_call_fail(c, code, "refused by the test");
        return;
    }
    if (answered_before(f, c))
        return;
    arena_init(&a);
    verbs[c->verb](f, c, &a);
    arena_deinit(&a);
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
        handle(f, call);
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
    copy = schema_copy(&a, schema_of(kind), object);
    old = load(f, &a, kind, str_from(meta_of(copy)->namespace_), str_from(meta_of(copy)->name));
    if (old == NULL) {
        prepare_new(f, &a, copy);
    } else {
        meta_of(copy)->generation = meta_of(old)->generation;
        meta_of(copy)->has_generation = 1;
        bump_generation(&a, schema_of(kind), copy, old);
    }
    store(f, &a, kind, copy, old == NULL);
    arena_deinit(&a);
}

void *fake_get(struct fake_api *f, struct arena *a, enum kind kind, const char *namespace,
               const char *name)
{
    return load(f, a, kind, str_from(namespace), str_from(name));
}

static void take_away(struct fake_api *f, enum kind kind, const char *namespace, const char *name,
                      bool force)
{
    struct arena a;
    void *old;

    arena_init(&a);
    old = load(f, &a, kind, str_from(namespace), str_from(name));
    assert_non_null(old);
    if (force)
        remove_now(f, &a, kind, old);
    else
        (void)delete_object(f, &a, kind, old, false); /* either way */
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
    return items_of(f, a, kind, str_of(NULL, 0), out);
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
