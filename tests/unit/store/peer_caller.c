/* See the header. */
#include "tests/unit/store/peer_caller.h"

#include "base/arena.h"
#include "net/client.h"
#include "net/tls.h"
#include "tests/unit/unit.h"

struct stranger {
    struct env_msg msg;
    struct env_loop *loop;
    struct http_client *client;
    struct grpc_call call;
    struct http_request plain; /* instead of the call, when there is no request message */
    const char *path;
    struct str request;
    enum grpc_code code;
    atomic_bool done;
};

static void on_client_closed(void *ctx)
{
    atomic_store(&((struct stranger *)ctx)->done, true);
}

static void close_client(struct env_msg *m)
{
    struct stranger *s = container_of(m, struct stranger, msg);

    grpc_call_deinit(&s->call);
    http_request_deinit(&s->plain);
    http_client_close(s->client, on_client_closed, s);
}

static void on_call_done(struct grpc_call *c)
{
    struct stranger *s = c->user;

    s->code = c->code;
    env_post(s->loop, &s->msg, close_client);
}

static const struct grpc_call_events stranger_events = { .done = on_call_done };

static void on_plain_done(struct http_request *r, int status)
{
    struct stranger *s = r->user;

    (void)status; /* without an answer r->status is 0 */
    env_post(s->loop, &s->msg, close_client);
}

static const struct http_request_events plain_events = { .done = on_plain_done };

static void start_call(struct env_msg *m)
{
    struct stranger *s = container_of(m, struct stranger, msg);

    if (s->request.data == NULL) {
        s->plain.method = "GET";
        s->plain.target = str_from(s->path);
        s->plain.timeout_ms = 5000;
        s->plain.events = &plain_events;
        s->plain.user = s;
        http_client_send(s->client, &s->plain);
        return;
    }
    s->call.path = s->path;
    s->call.kind = GRPC_UNARY;
    s->call.timeout_ms = 5000;
    s->call.events = &stranger_events;
    s->call.user = s;
    grpc_call_start(s->client, &s->call, s->request);
}

static struct str read_file(struct store_world *w, struct arena *a, const char *path)
{
    struct str bytes;

    assert_int_equal(env_file_read(w->env, a, path, 1 << 20, &bytes, NULL), 0);
    return bytes;
}

static void run(struct stranger *s, struct store_world *w, int as)
{
    static const char *const alpn[] = { "h2", NULL };
    struct tls_options o = { .alpn = alpn };
    struct http_client_options c = { .address = w->m.table[0].peer_address,
                                     .authority = "gantry-member-m1",
                                     .server_name = "gantry-member-m1",
                                     .protocol = HTTP_PROTOCOL_HTTP2 };
    struct arena a;
    struct err e;

    arena_init(&a);
    o.ca_pem = read_file(w, &a, w->m.ca);
    if (as >= 0) {
        o.certificate_pem = read_file(w, &a, w->m.certs[as]);
        o.key_pem = read_file(w, &a, w->m.keys[as]);
    }
    c.tls = tls_client_context_new(&o, &e);
    assert_non_null(c.tls);
    s->client = http_client_new(w->loop, &c);
    env_post(w->loop, &s->msg, start_call);
    store_world_wait(&s->done);
    tls_context_unref(c.tls);
    arena_deinit(&a);
}

enum grpc_code peer_caller_call(struct store_world *w, int as, const char *path, struct str request)
{
    struct stranger s = { .loop = w->loop, .path = path, .request = request };

    run(&s, w, as);
    return s.code;
}

int peer_caller_get(struct store_world *w, int as, const char *path)
{
    struct stranger s = { .loop = w->loop, .path = path };

    run(&s, w, as);
    return s.plain.status;
}
