/* The in-process client: calls, failures, fencing, cancelling, deadlines, watches. */
#include "api/client/client.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/env.h"
#include "controlplane/apiserver/apiserver.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

/* One script runs on a loop of its own; each call is checked in its completion. */
struct script {
    struct harness *h;
    struct env_loop *loop;
    struct client *client;
    struct env_msg begin;
    struct client_call call;
    struct client_watch watch;
    struct buf body;
    int step;
    int added;
    int deleted;
    int bookmarks;
    uint64_t revision;
    bool unwatched;
};

static void next(struct script *s);

static void on_done(struct client_call *c)
{
    next(c->priv);
}

static void send(struct script *s, enum client_verb verb, enum kind kind, const char *name)
{
    s->call = (struct client_call){ .verb = verb,
                                    .kind = kind,
                                    .namespace = str_lit("default"),
                                    .name = str_from(name),
                                    .done = on_done,
                                    .priv = s };
    if (verb == CLIENT_CREATE) {
        struct arena a;
        arena_init(&a);
        ConfigMap *m = schema_new(&a, &schema_ConfigMap);
        m->metadata = schema_new(&a, &schema_ObjectMeta);
        m->metadata->name = str_dup(&a, str_from(name));
        buf_clear(&s->body);
        client_wrap(&s->body, str_lit("v1"), str_lit("ConfigMap"),
                    schema_pack_arena(&a, &schema_ConfigMap, m));
        arena_deinit(&a);
        s->call.name = str_lit("");
        s->call.content = CLIENT_PROTOBUF;
        s->call.body = buf_str(&s->body);
    }
}

static void on_event(struct client_watch *w, const struct client_event *ev)
{
    struct script *s = w->priv;
    assert_true(ev->revision > 0);
    s->added += ev->type == CLIENT_ADDED;
    s->deleted += ev->type == CLIENT_DELETED;
    s->bookmarks += ev->type == CLIENT_BOOKMARK && ev->initial_end;
    if (ev->type == CLIENT_ADDED) {
        void *object = NULL;
        struct arena a;
        struct err e;
        arena_init(&a);
        assert_int_equal(schema_unpack(&a, &schema_ConfigMap, ev->object, &object, &e), 0);
        assert_non_null(((ConfigMap *)object)->metadata->name);
        arena_deinit(&a);
    }
    if (s->deleted == 1 && !s->unwatched) {
        s->unwatched = true;
        client_unwatch(s->client, w);
    }
}

static void on_end(struct client_watch *w, int status, const struct err *e)
{
    struct script *s = w->priv;
    (void)e;
    assert_int_equal(status, -ERR_CANCELED);
    assert_int_equal(s->added, 1);
    assert_int_equal(s->bookmarks, 1);
    next(s);
}

static void on_expired(struct client_watch *w, int status, const struct err *e)
{
    (void)e;
    assert_int_equal(status, -ERR_INVALID_ARGUMENT);
    next(w->priv);
}

static void check_created(const struct client_call *c)
{
    assert_int_equal(c->status, 0);
    assert_int_equal(c->http_status, 201);
    assert_true(str_eq_c(c->result_kind, "ConfigMap"));
}

static void step_calls(struct script *s)
{
    struct client_call *c = &s->call;
    switch (s->step) {
    case 0:
        send(s, CLIENT_CREATE, KIND_CONFIG_MAP, "local");
        break;
    case 1:
        check_created(c);
        send(s, CLIENT_CREATE, KIND_CONFIG_MAP, "local");
        break;
    case 2:
        assert_int_equal(c->status, -ERR_ALREADY_EXISTS);
        assert_string_equal(c->err.msg, "configmaps \"local\" already exists");
        send(s, CLIENT_GET, KIND_CONFIG_MAP, "none");
        break;
    case 3:
        assert_int_equal(c->status, -ERR_NOT_FOUND);
        send(s, CLIENT_LIST, KIND_CONFIG_MAP, "");
        s->call.query = str_lit("limit=5");
        break;
    case 4:
        assert_int_equal(c->status, 0);
        assert_true(str_eq_c(c->result_kind, "ConfigMapList"));
        send(s, CLIENT_CREATE, KIND_CONFIG_MAP, "fenced");
        s->call.fence_term = 1000000;
        break;
    case 5:
        assert_int_equal(c->status, -ERR_FENCED);
        send(s, CLIENT_GET, KIND_CONFIG_MAP, "local");
        client_call(s->client, &s->call);
        client_cancel(s->client, &s->call);
        return;
    default:
        assert_int_equal(c->status, -ERR_CANCELED);
        send(s, CLIENT_GET, KIND_CONFIG_MAP, "local");
        s->call.deadline_ms = 1;
        break;
    }
    client_call(s->client, &s->call);
}

static void next(struct script *s)
{
    if (s->step <= 6) {
        step_calls(s);
        s->step++;
        return;
    }
    switch (s->step++) {
    case 7:
        assert_true(s->call.status == -ERR_TIMEOUT || s->call.status == 0);
        s->watch = (struct client_watch){ .kind = KIND_CONFIG_MAP,
                                          .namespace = str_lit("default"),
                                          .field_selector = str_lit("metadata.name=local"),
                                          .bookmarks = true,
                                          .event = on_event,
                                          .end = on_end,
                                          .priv = s };
        client_watch(s->client, &s->watch);
        send(s, CLIENT_DELETE, KIND_CONFIG_MAP, "local");
        client_call(s->client, &s->call);
        break;
    case 8: /* the delete, or the watch's end: both come */
        break;
    case 9:
        assert_int_equal(s->call.status, 0);
        s->watch = (struct client_watch){ .kind = KIND_CONFIG_MAP,
                                          .field_selector = str_lit("no.such=field"),
                                          .event = on_event,
                                          .end = on_expired,
                                          .priv = s };
        client_watch(s->client, &s->watch);
        break;
    default:
        env_loop_stop(s->loop);
        break;
    }
}

static void on_begin(struct env_msg *m)
{
    next(container_of(m, struct script, begin));
}

static void test_script(void **state)
{
    struct harness *h = *state;
    struct script s = { .h = h };
    buf_init(&s.body);
    s.loop = env_loop_new(h->env, "local");
    s.client = apiserver_local_client(h->server, s.loop, "system:test");
    assert_ptr_equal(apiserver_local_client(h->server, s.loop, "other")->loop, s.loop);
    env_post(s.loop, &s.begin, on_begin);
    env_loop_run(s.loop);
    assert_int_equal(s.step, 11);
    buf_deinit(&s.body);
    h->extra = s.loop;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_script),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
