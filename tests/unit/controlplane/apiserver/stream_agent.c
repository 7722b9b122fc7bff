/* The agent answers on a loop of its own; the client blocks. */
#include "tests/unit/controlplane/apiserver/stream_agent.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/env.h"
#include "base/env_uv.h"
#include "net/http.h"
#include "net/pki.h"
#include "net/server.h"
#include "net/spdy.h"
#include "net/tls.h"
#include "tests/unit/unit.h"

#define LATE_MS 100
/* Of a target in a refusal: its end, behind its length. */
#define SHOWN_MAX 500
#define EXIT_7                                                                                     \
    "{\"metadata\":{},\"status\":\"Failure\",\"reason\":\"NonZeroExitCode\",\"details\":{"         \
    "\"causes\":[{\"reason\":\"ExitCode\",\"message\":\"7\"}]}}"
#define SUCCESS "{\"metadata\":{},\"status\":\"Success\"}"

_Atomic size_t stream_agent_flooded;

struct agent {
    struct env *env;
    struct arena arena;
    struct env_loop *loop;
    struct http_server *server;
    struct tls_context *server_tls;
    struct tls_context *client_tls;
};

static struct agent agent;

/* One upgraded stream. */
struct peer {
    struct spdy_decoder in;
    struct spdy_encoder out;
    struct buf b;
    struct str container;
    uint32_t error;
    uint32_t from; /* stdin or data */
    uint32_t to;   /* stdout or data */
    size_t opened;
    size_t expected;
    bool late; /* replies wait for the timer, and data before them is thrown away */
    struct env_timer timer;
    struct http_exchange *x;
};

static void send_frames(struct http_exchange *x, struct peer *p)
{
    http_write(x, buf_str(&p->b));
    buf_clear(&p->b);
}

static void finish(struct http_exchange *x, struct peer *p, const char *status)
{
    spdy_write_data(&p->b, p->error, true, str_from(status));
    spdy_write_data(&p->b, p->to, true, str_lit(""));
    send_frames(x, p);
    http_end(x);
}

static void flood(struct http_exchange *x)
{
    static char bytes[16384];
    struct peer *p = x->user;
    while (http_queued(x) < HTTP_QUEUE_HIGH_BYTES) {
        spdy_write_data(&p->b, p->to, false, str_of(bytes, sizeof(bytes)));
        send_frames(x, p);
        atomic_fetch_add(&stream_agent_flooded, sizeof(bytes));
    }
}

static void on_opened(struct http_exchange *x, struct peer *p)
{
    struct str type = http_headers_get(&p->in.headers, "streamtype");
    bool data = str_eq_c(type, "data");
    p->error = str_eq_c(type, "error") ? p->in.stream : p->error;
    p->from = data || str_eq_c(type, "stdin") ? p->in.stream : p->from;
    p->to = data || str_eq_c(type, "stdout") ? p->in.stream : p->to;
    if (!p->late) {
        spdy_write_syn_reply(&p->out, &p->b, p->in.stream, false, NULL, 0);
        send_frames(x, p);
    }
    if (++p->opened < p->expected) {
        return;
    }
    if (p->late) {
        env_timer_start(&p->timer, LATE_MS);
    } else if (str_eq_c(p->container, "good")) {
        finish(x, p, SUCCESS);
    } else if (str_eq_c(p->container, "dies")) {
        spdy_write_data(&p->b, p->to, false, str_lit("half"));
        send_frames(x, p);
        http_end(x);
    } else if (str_eq_c(p->container, "torn") || str_eq_c(p->container, "mad")) {
        spdy_write_data(&p->b, p->to, false, str_lit("half and the rest"));
        p->b.len -= sizeof(" and the rest") - 1;
        buf_append_c(&p->b, p->container.data[0] == 'm' ? " and the rest\x80\x09no frame" : "");
        send_frames(x, p);
        if (p->container.data[0] == 't') {
            http_end(x);
        }
    } else if (str_eq_c(p->container, "flood")) {
        flood(x);
    }
}

static void on_late(struct env_timer *t)
{
    struct peer *p = container_of(t, struct peer, timer);
    p->late = false;
    for (uint32_t i = 0; i < p->opened; i++) {
        spdy_write_syn_reply(&p->out, &p->b, 2 * i + 1, false, NULL, 0);
    }
    send_frames(p->x, p);
}

static void on_bytes(struct http_exchange *x, struct str bytes)
{
    struct peer *p = x->user;
    enum spdy_event event;
    while ((event = spdy_decode(&p->in, &bytes)) != SPDY_EVENT_MORE) {
        assert_int_not_equal(event, SPDY_EVENT_ERROR);
        if (event == SPDY_EVENT_SYN_STREAM) {
            on_opened(x, p);
        } else if (event == SPDY_EVENT_DATA && p->in.stream == p->from && !p->late) {
            spdy_write_data(&p->b, p->to, p->in.fin && p->to == p->from, p->in.data);
            send_frames(x, p);
            if (p->in.fin && p->to != p->from) {
                finish(x, p, EXIT_7);
            }
        }
    }
}

static void on_drained(struct http_exchange *x)
{
    struct peer *p = x->user;
    if (str_eq_c(p->container, "flood")) {
        flood(x);
    }
}

static void on_closed(struct http_exchange *x, int status)
{
    struct peer *p = x->user;
    (void)status;
    if (p != NULL) {
        env_timer_deinit(&p->timer);
        spdy_decoder_deinit(&p->in);
        spdy_encoder_deinit(&p->out);
        buf_deinit(&p->b);
    }
}

static size_t count_streams(struct http_exchange *x)
{
    static const char *const flags[] = { "input=1", "output=1", "error=1", "tty=1" };
    size_t count = 1;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        count += str_find(x->target, str_from(flags[i])) >= 0;
    }
    return str_starts(x->path, str_lit("/portForward/")) ? 2 : count;
}

static void serve_log(struct http_exchange *x)
{
    static const struct http_exchange_events events = { .closed = on_closed };
    static char much[1 << 20];
    bool dies = str_ends(x->path, str_lit("/dies"));
    x->events = &events;
    http_respond(x, 200, NULL, 0);
    http_write(x, dies ? str_lit("half") : str_lit("line\n"));
    if (str_ends(x->path, str_lit("/flood"))) {
        http_write(x, str_of(much, sizeof(much)));
    } else if (str_ends(x->path, str_lit("/good")) || str_ends(x->path, str_lit("/dbg"))) {
        http_end(x);
    } else if (dies) {
        http_reset(x, ERR_CANCELED);
    }
}

static void refuse(struct http_exchange *x, struct str version)
{
    struct str asked = x->target;
    if (asked.len > SHOWN_MAX) {
        asked = str_printf(&x->arena, "%zu bytes, %.*s", asked.len,
                           STR_ARG(str_slice(asked, asked.len - SHOWN_MAX, asked.len)));
    }
    http_reply(x, 500, "text/plain",
               str_printf(&x->arena, "%.*s %.*s %.*s", STR_ARG(x->method), STR_ARG(asked),
                          STR_ARG(version)));
}

static void on_request(void *ctx, struct http_exchange *x)
{
    static const struct http_exchange_events events = { .body = on_bytes,
                                                        .drained = on_drained,
                                                        .closed = on_closed };
    (void)ctx;
    x->events = &events;
    struct str version = http_headers_get(&x->headers, "x-stream-protocol-version");
    if (!x->peer->identity->verified || str_ends(x->path, str_lit("/refuses"))) {
        refuse(x, version);
        return;
    }
    if (str_starts(x->path, str_lit("/containerLogs/"))) {
        serve_log(x);
        return;
    }
    struct peer *p = arena_new(&x->arena, struct peer);
    spdy_decoder_init(&p->in);
    spdy_encoder_init(&p->out);
    buf_init(&p->b);
    for (size_t i = 0; i < x->path.len; i++) {
        if (x->path.data[i] == '/') {
            p->container = str_slice(x->path, i + 1, x->path.len);
        }
    }
    p->expected = count_streams(x);
    p->late = str_eq_c(p->container, "late");
    p->x = x;
    env_timer_init(x->loop, &p->timer, on_late);
    x->user = p;
    const struct http_header headers[] = { { str_lit("upgrade"), str_lit("SPDY/3.1") },
                                           { str_lit("x-stream-protocol-version"), version } };
    assert_int_equal(http_upgrade(x, headers, 2), 0);
}

/* ---- the cluster ---- */

static void make_node(struct harness *h, const char *name, const char *address_type, int port)
{
    struct str node = str_printf(
        &h->arena,
        "{\"metadata\":{\"name\":\"%s\"},\"status\":{\"addresses\":[{\"type\":\"%s\","
        "\"address\":\"127.0.0.1\"}],\"daemonEndpoints\":{\"kubeletEndpoint\":{\"Port\":%d}}}}",
        name, address_type, port);
    struct reply r = harness_post(h, "/api/v1/nodes", node.data);
    harness_expect(&r, 201);
}

static void make_pod(struct harness *h, const char *name, const char *node,
                     const char *const *containers)
{
    struct buf b;
    buf_init(&b);
    buf_printf(&b, "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"nodeName\":\"%s\",\"containers\":[",
               name, node);
    for (size_t i = 0; containers[i] != NULL; i++) {
        buf_printf(&b, "%s{\"name\":\"%s\",\"image\":\"i\"}", i > 0 ? "," : "", containers[i]);
    }
    buf_append_c(&b, "]}}");
    struct reply r = harness_post(h, STREAM_PODS, str_dup(&h->arena, buf_str(&b)));
    harness_expect(&r, 201);
    buf_deinit(&b);
}

static void make_many(struct harness *h)
{
    struct reply r = harness_post(
        h, STREAM_PODS,
        "{\"metadata\":{\"name\":\"many\"},\"spec\":{\"nodeName\":\"n\",\"initContainers\":[{"
        "\"name\":\"in\",\"image\":\"i\"}],\"containers\":[{\"name\":\"a\",\"image\":\"i\"},{"
        "\"name\":\"b\",\"image\":\"i\"}]}}");
    harness_expect(&r, 201);
    r = harness_send(h, "PATCH", STREAM_PODS "/many/ephemeralcontainers",
                     "Content-Type: application/strategic-merge-patch+json\r\n",
                     "{\"spec\":{\"ephemeralContainers\":[{\"name\":\"dbg\",\"image\":\"i\"}]}}");
    harness_expect(&r, 200);
}

int stream_agent_setup(void **state)
{
    static const char *const all[] = { "echo",  "good",    "dies", "torn", "mad",
                                       "flood", "refuses", "late", NULL };
    static const char *const one[] = { "only", NULL };
    struct pki_pair ca;
    struct err e = { 0 };
    agent.env = env_uv_new();
    arena_init(&agent.arena);
    assert_int_equal(
        pki_make_ca(&agent.arena, str_lit("ca"), env_wall_ns(agent.env) / ENV_S, 2, &ca, &e), 0);
    agent.server_tls = harness_tls(agent.env, &agent.arena, true, &ca);
    agent.client_tls = harness_tls(agent.env, &agent.arena, false, &ca);
    agent.loop = env_loop_new(agent.env, "agent");
    const struct http_server_options options = { .address = "tcp:127.0.0.1:0",
                                                 .tls = agent.server_tls,
                                                 .handler = on_request };
    assert_int_equal(http_server_open(agent.loop, &options, &agent.server, &e), 0);
    int rc = harness_setup_tls(state, agent.env, agent.client_tls);
    struct harness *h = *state;
    struct reply r = harness_post(h, "/api/v1/namespaces/default/serviceaccounts",
                                  "{\"metadata\":{\"name\":\"default\"}}");
    harness_expect(&r, 201);
    make_node(h, "n", "InternalIP", http_server_port(agent.server));
    make_node(h, "deaf", "InternalIP", 1); /* nobody listens */
    make_node(h, "lost", "Hostname", 1);
    make_pod(h, "p", "n", all);
    make_pod(h, "free", "", one);
    make_pod(h, "deaf", "deaf", one);
    make_pod(h, "lost", "lost", one);
    make_pod(h, "gone", "none", one);
    make_many(h);
    env_loop_start(agent.loop);
    return rc;
}

static void on_server_closed(void *ctx)
{
    env_loop_stop(ctx);
}

static void close_agent(struct env_msg *m)
{
    (void)m;
    http_server_close(agent.server, 0, on_server_closed, agent.loop);
}

int stream_agent_teardown(void **state)
{
    struct harness *h = *state;
    static struct env_msg msg;
    env_post(agent.loop, &msg, close_agent);
    env_loop_join(agent.loop);
    h->extra = agent.loop;
    int rc = harness_teardown(state);
    tls_context_unref(agent.server_tls);
    tls_context_unref(agent.client_tls);
    arena_deinit(&agent.arena);
    return rc;
}

/* ---- the client ---- */

void client_open(struct harness *h, struct client *c, const char *target, const char *headers)
{
    stream_open(h, &c->s, target, headers);
    assert_int_equal(c->s.status, 101);
    websocket_decoder_init(&c->d, false);
    c->in = str_slice(buf_str(&c->s.raw), c->s.parsed, c->s.raw.len);
}

void client_close(struct client *c)
{
    websocket_decoder_deinit(&c->d);
    stream_close(&c->s);
}

void client_send(struct client *c, struct str bytes)
{
    assert_int_equal(send(c->s.fd, bytes.data, bytes.len, MSG_NOSIGNAL), (ssize_t)bytes.len);
}

bool client_read(struct client *c)
{
    struct pollfd p = { .fd = c->s.fd, .events = POLLIN };
    uint8_t bytes[65536];
    assert_int_equal(poll(&p, 1, HARNESS_WAIT_MS), 1);
    ssize_t n = recv(c->s.fd, bytes, sizeof(bytes), 0);
    size_t left = c->in.len;
    buf_consume(&c->s.raw, c->s.raw.len - left);
    if (n > 0) {
        buf_append(&c->s.raw, bytes, (size_t)n);
    }
    c->in = buf_str(&c->s.raw);
    return n > 0;
}

void client_message(struct client *c, enum websocket_op op, const char *bytes, size_t len)
{
    const uint8_t mask[4] = { 9, 8, 7, 6 };
    struct buf b;
    buf_init(&b);
    websocket_write(&b, op, true, str_lit(""), str_of(bytes, len), mask);
    client_send(c, buf_str(&b));
    buf_deinit(&b);
}

struct str client_next(struct harness *h, struct client *c)
{
    struct buf message;
    struct str out = str_lit("end");
    buf_init(&message);
    for (;;) {
        enum websocket_event event = websocket_decode(&c->d, &c->in);
        assert_int_not_equal(event, WEBSOCKET_EVENT_ERROR);
        if (event == WEBSOCKET_EVENT_MORE && !client_read(c)) {
            break;
        }
        if (event == WEBSOCKET_EVENT_CONTROL) {
            out = c->d.op == WEBSOCKET_CLOSE
                      ? str_printf(&h->arena, "8::%u", c->d.code)
                      : str_printf(&h->arena, "%d::%.*s", c->d.op, STR_ARG(c->d.data));
            break;
        }
        if (event == WEBSOCKET_EVENT_DATA) {
            buf_append_str(&message, c->d.data);
        }
        if (event == WEBSOCKET_EVENT_DATA && c->d.last) {
            struct str all = buf_str(&message);
            assert_true(all.len > 0);
            out = str_printf(&h->arena, "%d:%d:%.*s", c->d.op, all.data[0],
                             STR_ARG(str_slice(all, 1, all.len)));
            break;
        }
    }
    buf_deinit(&message);
    return out;
}
