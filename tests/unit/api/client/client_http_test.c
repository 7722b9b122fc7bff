/* The HTTP client against our own server in a simulated world: calls, fail-over, watches. */
#include <string.h>

#include "api/client/client_http.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/env_sim.h"
#include "net/http.h"
#include "net/server.h"
#include "tests/unit/unit.h"

#define SERVERS 2

struct world {
    struct env *env;
    struct env_loop *loop;
    struct http_server *servers[SERVERS];
    struct client_http *http;
    struct client *client;
    struct env_msg msg;
    struct client_call *call;
    struct client_watch *watch;
    struct http_exchange *stream; /* an open watch, on the server */
    int requests[SERVERS];
    bool silent; /* servers do not answer */
    int done, events, ends;
    int status;
    char text[256];
    int closed;
};

struct handler {
    struct world *world;
    int number;
};

static struct handler handlers[SERVERS];

/* ---- the servers ---- */

static void reply(struct http_exchange *x, int status, const char *kind, struct str raw)
{
    struct buf b;

    buf_init(&b);
    client_wrap(&b, str_lit("v1"), str_from(kind), raw);
    http_reply(x, status, "application/vnd.kubernetes.protobuf", buf_str(&b));
    buf_deinit(&b);
}

static void on_end(struct http_exchange *x, int status)
{
    struct handler *h = x->user;

    assert_int_equal(status, 0);
    h->world->requests[h->number]++;
    if (h->world->silent)
        return;
    if (str_ends(x->path, str_lit("/missing"))) {
        reply(x, 404, "Status", str_lit("\x1a\x04gone\x22\x08NotFound"));
    } else if (str_starts(x->query, str_lit("watch=true"))) {
        struct http_header type = { str_lit("content-type"), str_lit("x") };

        h->world->stream = x;
        http_respond(x, 200, &type, 1);
    } else {
        assert_true(http_headers_get(&x->headers, "accept").len > 0);
        reply(x, 200, "ConfigMap", buf_str(&x->body));
    }
}

static void on_closed(struct http_exchange *x, int status)
{
    struct handler *h = x->user;

    (void)status; /* either side may have ended it */
    if (h->world->stream == x)
        h->world->stream = NULL;
}

static void on_request(void *ctx, struct http_exchange *x)
{
    static const struct http_exchange_events events = { .end = on_end, .closed = on_closed };

    x->events = &events;
    x->user = ctx;
}

static void open_server(struct world *w, int i)
{
    static const char *const addresses[] = { "tcp:10.0.0.1:80", "tcp:10.0.0.2:80" };
    struct http_server_options options = { .address = addresses[i], .handler = on_request };
    struct err e = { 0 };

    handlers[i] = (struct handler){ w, i };
    options.ctx = &handlers[i];
    assert_int_equal(http_server_open(w->loop, &options, &w->servers[i], &e), 0);
}

static void close_server(struct world *w, int i)
{
    http_server_close(w->servers[i], 0, NULL, NULL);
    w->servers[i] = NULL;
}

/* ---- the client ---- */

static void world_init(struct world *w)
{
    struct client_http_config config = { .servers = str_lit("http://10.0.0.1,http://10.0.0.2"),
                                         .user_agent = "test" };
    struct err e = { 0 };

    *w = (struct world){ .env = env_sim_new(7) };
    w->loop = env_loop_new(w->env, "loop");
    env_loop_start(w->loop);
    for (int i = 0; i < SERVERS; i++)
        open_server(w, i);
    config.loop = w->loop;
    assert_int_equal(client_http_new(&config, &w->http, &e), 0);
    w->client = client_http_client(w->http);
}

static void on_gone(void *ctx)
{
    ((struct world *)ctx)->closed++;
}

static void close_client(struct env_msg *m)
{
    struct world *w = container_of(m, struct world, msg);

    client_http_close(w->http, on_gone, w);
}

static void world_deinit(struct world *w)
{
    env_post(w->loop, &w->msg, close_client);
    env_sim_run(w->env, 1000);
    assert_int_equal(w->closed, 1);
    for (int i = 0; i < SERVERS; i++)
        if (w->servers[i] != NULL)
            close_server(w, i);
    env_sim_run(w->env, 10000);
    env_loop_free(w->loop);
    env_sim_free(w->env);
}

static void on_done(struct client_call *c)
{
    struct world *w = c->priv;

    w->done++;
    w->status = c->status;
    if (c->result.len > 0)
        memcpy(w->text, c->result.data, c->result.len);
    w->text[c->result.len] = 0;
    if (c->status != 0)
        memcpy(w->text, c->err.msg, sizeof(w->text));
}

static void send_call(struct env_msg *m)
{
    struct world *w = container_of(m, struct world, msg);

    client_call(w->client, w->call);
}

static void start_call(struct world *w, struct client_call *c)
{
    w->call = c;
    c->done = on_done;
    c->priv = w;
    w->done = 0;
    env_post(w->loop, &w->msg, send_call);
    env_sim_run(w->env, 1);
}

static struct client_call get(const char *name)
{
    return (struct client_call){ .verb = CLIENT_GET,
                                 .kind = KIND_CONFIG_MAP,
                                 .namespace = str_lit("d"),
                                 .name = str_from(name) };
}

static struct client_call create(const char *request_id)
{
    return (struct client_call){ .verb = CLIENT_CREATE,
                                 .kind = KIND_CONFIG_MAP,
                                 .namespace = str_lit("d"),
                                 .content = CLIENT_PROTOBUF,
                                 .body = str_lit("hello"),
                                 .request_id = str_from(request_id) };
}

static void test_calls(void **state)
{
    struct world w;
    struct client_call c = create("id"), missing = get("missing");

    (void)state; /* no shared fixture */
    world_init(&w);
    start_call(&w, &c);
    env_sim_run(w.env, 1000);
    assert_int_equal(w.done, 1);
    assert_int_equal(w.status, 0);
    assert_string_equal(w.text, "hello");
    start_call(&w, &missing);
    env_sim_run(w.env, 1000);
    assert_int_equal(w.status, -ERR_NOT_FOUND);
    assert_string_equal(w.text, "gone");
    world_deinit(&w);
}

/* A server that went is left for the next; what may be repeated is. */
static void test_fail_over(void **state)
{
    struct world w;
    struct client_call read = get("x"), safe = create("id"), unsafe = create("");

    (void)state; /* no shared fixture */
    world_init(&w);
    close_server(&w, 0);
    env_sim_run(w.env, 100);
    start_call(&w, &read);
    env_sim_run(w.env, 20000);
    assert_int_equal(w.done, 1);
    assert_int_equal(w.status, 0);
    assert_int_equal(w.requests[1], 1);
    open_server(&w, 0);
    w.silent = true;
    start_call(&w, &safe);
    env_sim_run(w.env, 500);
    assert_int_equal(w.done, 0);
    w.silent = false;
    close_server(&w, 1); /* with the request received */
    env_sim_run(w.env, 20000);
    assert_int_equal(w.done, 1);
    assert_int_equal(w.status, 0);
    assert_int_equal(w.requests[0], 1);
    open_server(&w, 1);
    w.silent = true;
    start_call(&w, &unsafe);
    env_sim_run(w.env, 500);
    close_server(&w, 0);
    env_sim_run(w.env, 20000);
    assert_int_equal(w.done, 1);
    assert_int_equal(w.status, -ERR_UNKNOWN_OUTCOME);
    world_deinit(&w);
}

static void test_deadline(void **state)
{
    struct world w;
    struct client_call slow = get("x"), nobody = get("x");

    (void)state; /* no shared fixture */
    world_init(&w);
    w.silent = true;
    slow.deadline_ms = env_loop_now_ms(w.loop) + 700;
    start_call(&w, &slow);
    env_sim_run(w.env, 2000);
    assert_int_equal(w.status, -ERR_TIMEOUT);
    close_server(&w, 0);
    close_server(&w, 1);
    env_sim_run(w.env, 100);
    nobody.deadline_ms = env_loop_now_ms(w.loop) + 3000;
    start_call(&w, &nobody);
    env_sim_run(w.env, 20000);
    assert_int_equal(w.done, 1);
    assert_int_not_equal(w.status, 0);
    world_deinit(&w);
}

/* ---- watches ---- */

static void on_event(struct client_watch *watch, const struct client_event *ev)
{
    struct world *w = watch->priv;

    w->events++;
    assert_int_equal(ev->revision, 41 + w->events);
    assert_int_equal(ev->type, w->events == 3 ? CLIENT_BOOKMARK : CLIENT_MODIFIED);
}

static void on_watch_end(struct client_watch *watch, int status, const struct err *e)
{
    struct world *w = watch->priv;

    w->ends++;
    w->status = status;
    (void)e; /* NULL-safe by the status */
}

static void send_watch(struct env_msg *m)
{
    struct world *w = container_of(m, struct world, msg);

    client_watch(w->client, w->watch);
}

static void frame(struct buf *out, const char *type, const char *kind, struct str raw)
{
    struct buf object, extension, event;

    buf_init(&object);
    buf_init(&extension);
    buf_init(&event);
    client_wrap(&object, str_lit("v1"), str_from(kind), raw);
    buf_append_byte(&extension, 1 << 3 | 2);
    buf_put_bytes(&extension, buf_str(&object));
    buf_append_byte(&event, 1 << 3 | 2);
    buf_put_bytes(&event, str_from(type));
    buf_append_byte(&event, 2 << 3 | 2);
    buf_put_bytes(&event, buf_str(&extension));
    buf_put_be32(out, (uint32_t)event.len);
    buf_append_str(out, buf_str(&event));
    buf_deinit(&object);
    buf_deinit(&extension);
    buf_deinit(&event);
}

static void test_watch(void **state)
{
    struct world w;
    struct client_watch watch = {
        .kind = KIND_CONFIG_MAP, .revision = 41, .event = on_event, .end = on_watch_end, .priv = &w
    };
    struct buf b;

    (void)state; /* no shared fixture */
    world_init(&w);
    buf_init(&b);
    w.watch = &watch;
    env_post(w.loop, &w.msg, send_watch);
    env_sim_run(w.env, 500);
    assert_non_null(w.stream);
    frame(&b, "MODIFIED", "ConfigMap",
          str_lit("\x0a\x04\x32\x02"
                  "42"));
    frame(&b, "MODIFIED", "ConfigMap",
          str_lit("\x0a\x04\x32\x02"
                  "43"));
    frame(&b, "BOOKMARK", "ConfigMap",
          str_lit("\x0a\x04\x32\x02"
                  "44"));
    for (size_t i = 0; i < b.len; i++) { /* byte by byte: frames are cut anywhere */
        http_write(w.stream, str_of(b.data + i, 1));
        env_sim_run(w.env, 5);
    }
    env_sim_run(w.env, 500);
    assert_int_equal(w.events, 3);
    buf_clear(&b);
    frame(&b, "ERROR", "Status",
          str_lit("\x1a\x03old\x22\x07"
                  "Expired\x30\x9a\x03"));
    http_write(w.stream, buf_str(&b));
    env_sim_run(w.env, 500);
    assert_int_equal(w.ends, 1);
    assert_int_equal(w.status, -ERR_EXPIRED);
    env_post(w.loop, &w.msg, send_watch);
    env_sim_run(w.env, 500);
    close_server(&w, 0);
    env_sim_run(w.env, 500);
    assert_int_equal(w.ends, 2);
    assert_int_equal(w.status, -ERR_UNAVAILABLE);
    env_post(w.loop, &w.msg, send_watch); /* at the next endpoint; ended by close */
    env_sim_run(w.env, 500);
    assert_int_equal(w.requests[1], 1);
    buf_deinit(&b);
    world_deinit(&w);
    assert_int_equal(w.ends, 3);
    assert_int_equal(w.status, -ERR_CANCELED);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_calls),
                                        cmocka_unit_test(test_fail_over),
                                        cmocka_unit_test(test_deadline),
                                        cmocka_unit_test(test_watch) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
