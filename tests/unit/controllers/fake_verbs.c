/* The verbs of the API in memory: what each request does and answers. */
#include <stdio.h>
#include <string.h>

#include "api/patch/patch.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/schema/codec.h"
#include "base/buf.h"
#include "tests/unit/controllers/fake_api_impl.h"
#include "tests/unit/unit.h"

/* A pointer to the field of a message, or NULL. */
static void **field_of(const struct schema *s, void *object, const char *name)
{
    const ProtobufCFieldDescriptor *f =
        protobuf_c_message_descriptor_get_field_by_name(s->pb, name);

    return f == NULL ? NULL : (void **)((char *)object + f->offset);
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
                schema_pack_arena(a, fake_schema(kind), object));
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
    if (schema_unpack(a, fake_schema(kind), raw, &object, &e) != 0)
        fail_msg("body: %s", e.msg);
    return object;
}

static void do_bind(struct fake_api *f, struct client_call *c, struct arena *a)
{
    Binding *binding = decode_body(a, c, KIND_BINDING);
    Pod *pod = fake_load(f, a, KIND_POD, c->namespace, c->name);

    if (pod == NULL) {
        answer_status(f, c, ERR_NOT_FOUND, "no such pod");
    } else if (pod->spec->node_name != NULL && pod->spec->node_name[0] != 0) {
        answer_status(f, c, ERR_CONFLICT, "pod is already assigned");
    } else if (strcmp(binding->metadata->uid, pod->metadata->uid) != 0) {
        answer_status(f, c, ERR_CONFLICT, "another pod of this name");
    } else {
        pod->spec->node_name = binding->target->name;
        fake_store(f, a, KIND_POD, pod, false);
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
    assert_non_null(fake_meta(object)->name);
    if (fake_load(f, a, c->kind, c->namespace, str_from(fake_meta(object)->name)) != NULL) {
        answer_status(f, c, ERR_ALREADY_EXISTS, "already exists");
        return;
    }
    fake_prepare_new(f, a, object);
    fake_store(f, a, c->kind, object, true);
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
    fake_meta(object)->uid = fake_meta(old)->uid;
    fake_meta(object)->creation_timestamp = fake_meta(old)->creation_timestamp;
    fake_meta(object)->deletion_timestamp = fake_meta(old)->deletion_timestamp;
    fake_meta(object)->generation = fake_meta(old)->generation;
    fake_meta(object)->has_generation = 1;
}

void fake_bump_generation(struct arena *a, const struct schema *s, void *object, void *old)
{
    void **spec = field_of(s, object, "spec");
    const struct schema_field *f = schema_find_field(s, str_lit("spec"));

    (void)a; /* packing is not needed: the schema compares */
    if (spec != NULL && f != NULL && !schema_equal(f->message, *spec, *field_of(s, old, "spec")))
        fake_meta(object)->generation++;
}

static bool unheld(enum kind kind, void *object)
{
    return fake_meta(object)->deletion_timestamp != NULL &&
           fake_meta(object)->deletion_timestamp->seconds != 0 &&
           fake_meta(object)->n_finalizers == 0 && kind != KIND_POD &&
           !(kind == KIND_NAMESPACE && ((Namespace *)object)->spec->n_finalizers > 0);
}

static void replace(struct fake_api *f, struct client_call *c, struct arena *a, void *object,
                    void *old)
{
    const struct schema *s = fake_schema(c->kind);

    keep_parts(c, s, object, old);
    fake_bump_generation(a, s, object, old);
    fake_meta(object)->resource_version = fake_meta(old)->resource_version;
    if (unheld(c->kind, object))
        fake_remove_now(f, a, c->kind, object);
    else if (!schema_equal(s, object, old))
        fake_store(f, a, c->kind, object, false);
    answer_object(f, c, a, c->kind, object, 200);
}

static void do_update(struct fake_api *f, struct client_call *c, struct arena *a)
{
    void *object = decode_body(a, c, c->kind);
    void *old = fake_load(f, a, c->kind, c->namespace, c->name);

    if (old == NULL) {
        answer_status(f, c, ERR_NOT_FOUND, "not found");
        return;
    }
    if (strcmp(fake_meta(object)->resource_version, fake_meta(old)->resource_version) != 0) {
        answer_status(f, c, ERR_CONFLICT, "the object has been modified");
        return;
    }
    replace(f, c, a, object, old);
}

static void do_patch(struct fake_api *f, struct client_call *c, struct arena *a)
{
    const struct schema *s = fake_schema(c->kind);
    const struct json *before, *patch, *after = NULL;
    void *old = fake_load(f, a, c->kind, c->namespace, c->name);
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
    if (rc == 0 && strcmp(fake_meta(object)->uid, fake_meta(old)->uid) != 0)
        rc = err_set(&e, ERR_CONFLICT, "uid");
    if (rc != 0)
        answer_status(f, c, rc, e.msg);
    else
        replace(f, c, a, object, old);
}

static void do_delete(struct fake_api *f, struct client_call *c, struct arena *a)
{
    void *old = fake_load(f, a, c->kind, c->namespace, c->name);
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
        if (field != NULL && !str_eq_c(json_str(json_get_c(field, "uid")), fake_meta(old)->uid)) {
            answer_status(f, c, ERR_CONFLICT, "uid");
            return;
        }
        field = json_get_c(options, "gracePeriodSeconds");
        now_please = field != NULL && field->u.integer == 0;
    }
    (void)fake_delete_object(f, a, c->kind, old, now_please); /* either way it is answered */
    answer_object(f, c, a, c->kind, old, 200);
}

size_t fake_items(struct fake_api *f, struct arena *a, enum kind kind, struct str namespace,
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
    size_t n = fake_items(f, a, c->kind, c->namespace, &items);
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
        buf_put_bytes(&list, schema_pack_arena(a, fake_schema(c->kind), items[i]));
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
    size_t n = fake_items(f, a, c->kind, c->namespace, &items);

    for (size_t i = 0; i < n; i++)
        (void)fake_delete_object(f, a, c->kind, (void *)(uintptr_t)items[i],
                                 false); /* either way */
    answer_status(f, c, 0, "");
}

static void do_get(struct fake_api *f, struct client_call *c, struct arena *a)
{
    void *object = fake_load(f, a, c->kind, c->namespace, c->name);

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

void fake_handle(struct fake_api *f, struct client_call *c)
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
