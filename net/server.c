/*
 * The HTTP server: accepts, finds out which protocol a connection speaks, and keeps its timer.
 *
 * A connection's life: transport (TLS) → ready → engine by ALPN, or by the HTTP/2 preface → engine
 * runs → finished → transport_finish → closed. A failure goes to the engine first, so that every
 * exchange is closed, then the transport is cut. conn_closed is the only place that frees.
 *
 * What connections hold is counted as it is written, and after each of their turns. While they hold
 * anything a timer of the server looks at them, and at once when they hold too much: on a stack of
 * its own, for to cut one runs its handlers' events.
 */
#include "net/server.h"

#include <string.h>

#include "base/assert.h"
#include "base/env.h"
#include "base/metrics.h"
#include "net/engine.h"
#include "net/tls.h"
#include "net/transport.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

struct http_server {
    struct env_loop *loop;
    struct env_listener *listener;
    struct tls_context *tls;
    struct http_core core;
    struct transport_scratch scratch;
    uint32_t connections_max;
    uint64_t handshake_ms;
    uint64_t idle_ms;
    size_t held_bytes_high;
    size_t held_bytes_max;
    size_t held;           /* the sum over conns */
    struct env_timer tick; /* runs while anything is held */
    bool ticking;
    bool relieving;    /* the tick is due at once */
    struct list conns; /* who was active last comes last */
    uint32_t conn_count;
    struct env_timer drain;
    bool closing;
    bool cut; /* the drain is over */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

struct conn {
    struct transport t;
    struct http_link link;
    struct http_engine *engine;
    struct http_server *server;
    struct list node;
    uint64_t active_ms; /* when something was last in progress */
    bool served;        /* past the handshake timeout */
    size_t held;        /* by the engine and in the transport */
    struct http_stall stall;
    size_t head_len; /* of the preface seen so far */
};

static struct metric connections_open = { .name = "http_server_connections",
                                          .help = "connections that are open",
                                          .type = METRIC_GAUGE };
static struct metric held_bytes = { .name = "http_server_held_bytes",
                                    .help = "answers not taken, heads and bodies not complete",
                                    .type = METRIC_GAUGE };
static struct metric full_total = { .name = "http_server_closed_total",
                                    .help = "connections the server closed, by the limit they met",
                                    .labels = "limit=\"connections\"",
                                    .type = METRIC_COUNTER };
static struct metric head_total = { .name = "http_server_closed_total",
                                    .labels = "limit=\"head\"",
                                    .type = METRIC_COUNTER };
static struct metric stall_total = { .name = "http_server_closed_total",
                                     .labels = "limit=\"stall\"",
                                     .type = METRIC_COUNTER };
static struct metric held_total = { .name = "http_server_closed_total",
                                    .labels = "limit=\"held\"",
                                    .type = METRIC_COUNTER };
struct metric *const http_server_metrics[] = {
    &connections_open, &held_bytes, &full_total, &head_total, &stall_total, &held_total, NULL
};

static struct conn *conn_of(struct transport *t)
{
    return container_of(t, struct conn, t);
}

/* Its exchanges are told, and it ends at once. */
static void conn_cut(struct conn *c, int status, struct metric *why)
{
    metric_add(why, 1);
    if (c->engine != NULL)
        c->engine->ops->fail(c->engine, status);
    transport_cut(&c->t);
}

static bool conn_idle(const struct conn *c)
{
    return c->engine == NULL || (c->engine->ops->idle(c->engine) && transport_queued(&c->t) == 0);
}

/* ---- what connections hold ---- */

static void conn_account(struct conn *c)
{
    struct http_server *s = c->server;
    size_t held = transport_queued(&c->t);
    if (c->engine != NULL && !c->t.failed)
        held += c->engine->ops->held(c->engine).bytes;
    metric_add(&held_bytes, (int64_t)held - (int64_t)c->held);
    s->held += held - c->held;
    c->held = held;
    bool relieve = s->held > s->held_bytes_max && !s->relieving;
    if (held > 0 && (!s->ticking || relieve)) {
        s->relieving = relieve;
        s->ticking = true;
        env_timer_start(&s->tick, relieve ? 0 : HTTP_SERVER_TICK_MS);
    }
}

/* Something was written: what it is counts before the turn in which it is sent. */
static void link_wake(struct http_link *l)
{
    struct conn *c = container_of(l, struct conn, link);
    transport_wake(&c->t);
    conn_account(c);
}

/* Cuts whoever stalls, and lets go of what the kernel took meanwhile. */
static void expire_stalled(struct http_server *s, uint64_t now)
{
    list_foreach_safe (node, &s->conns) {
        struct conn *c = container_of(node, struct conn, node);
        if (c->engine == NULL || c->t.failed)
            continue;
        if (c->engine->ops->expire(c->engine, now))
            conn_cut(c, -ERR_TIMEOUT, &stall_total);
        conn_account(c);
    }
}

/* Has the client taken nothing for a while? To be asked at each tick. */
static bool presses(struct conn *c, uint64_t now)
{
    uint64_t taken = c->engine->ops->held(c->engine).taken - transport_queued(&c->t);
    return http_stalled(&c->stall, c->held, taken, now, HTTP_SERVER_PRESSED_MS);
}

/* Who is to go: the longest head that is not complete, for anybody can send one; else the one who
 * holds most. */
static struct conn *largest(struct http_server *s, uint64_t now)
{
    struct conn *found = NULL;
    struct conn *heading = NULL;
    size_t longest = HTTP_SERVER_HEAD_LITTLE_BYTES;
    bool any = s->held > s->held_bytes_max;
    list_foreach (node, &s->conns) {
        struct conn *c = container_of(node, struct conn, node);
        if (c->engine == NULL || c->t.failed || c->held == 0)
            continue;
        size_t head = c->engine->ops->held(c->engine).head;
        if (head > longest) {
            heading = c;
            longest = head;
        }
        bool much = presses(c, now) && c->held > HTTP_SERVER_HELD_LITTLE_BYTES;
        if ((much || any) && (found == NULL || c->held > found->held))
            found = c;
    }
    return heading != NULL ? heading : found;
}

static void on_tick(struct env_timer *t)
{
    struct http_server *s = container_of(t, struct http_server, tick);
    uint64_t now = env_loop_now_ms(s->loop);
    s->relieving = true; /* here is who relieves */
    expire_stalled(s, now);
    while (s->held > s->held_bytes_high) {
        struct conn *c = largest(s, now);
        if (c == NULL)
            break;
        conn_cut(c, -ERR_LIMIT, &held_total);
        conn_account(c);
    }
    s->relieving = false;
    s->ticking = s->held > 0;
    if (s->ticking)
        env_timer_start(&s->tick, HTTP_SERVER_TICK_MS);
}

/* ---- what the engine asks of its connection ---- */

static size_t link_queued(const struct http_link *l)
{
    return transport_queued(&container_of(l, const struct conn, link)->t);
}

static uint64_t link_sent(const struct http_link *l)
{
    return transport_sent(&container_of(l, const struct conn, link)->t);
}

static void link_pause(struct http_link *l, bool pause)
{
    transport_pause(&container_of(l, struct conn, link)->t, pause);
}

/* ---- the transport's events ---- */

static void start_engine(struct conn *c, bool http2)
{
    c->engine = http2 ? http2_server_new(&c->link) : http1_server_new(&c->link);
    c->served = http2; /* HTTP/1.1 has to show a request first */
    if (c->server->closing)
        c->engine->ops->shutdown(c->engine);
}

static void conn_ready(struct transport *t)
{
    struct conn *c = conn_of(t);
    if (t->tls == NULL)
        return;
    c->link.peer.tls = true;
    c->link.peer.identity = tls_peer(t->tls);
    struct str alpn = tls_alpn(t->tls);
    if (alpn.len > 0)
        start_engine(c, str_eq_c(alpn, "h2"));
}

/* Without ALPN the first bytes decide: HTTP/2's preface is no possible HTTP/1.1 request. */
static void conn_detect(struct conn *c, struct str bytes)
{
    size_t want = sizeof(PREFACE) - 1 - c->head_len;
    size_t take = bytes.len < want ? bytes.len : want;
    bool same = memcmp(bytes.data, &PREFACE[c->head_len], take) == 0;
    if (same && take < want) {
        c->head_len += take;
        return;
    }
    start_engine(c, same);
    if (c->head_len > 0)
        c->engine->ops->receive(c->engine, str_of(PREFACE, c->head_len));
    c->engine->ops->receive(c->engine, bytes);
}

static void conn_data(struct transport *t, struct str bytes)
{
    struct conn *c = conn_of(t);
    if (t->tls != NULL)
        tls_check_dates(t->tls, (int64_t)(env_wall_ns(env_of(t->loop)) / ENV_S));
    if (c->engine == NULL)
        conn_detect(c, bytes);
    else
        c->engine->ops->receive(c->engine, bytes);
}

static void conn_turn(struct transport *t, struct buf *out, size_t bytes_max)
{
    struct conn *c = conn_of(t);
    if (c->engine == NULL)
        return;
    bool began = !c->engine->ops->idle(c->engine); /* what it ends in this turn counts too */
    c->engine->ops->turn(c->engine);
    c->engine->ops->fill(c->engine, out, bytes_max);
    bool busy = began || !c->engine->ops->idle(c->engine);
    if (busy) {
        c->active_ms = env_loop_now_ms(t->loop);
        list_remove(&c->node);
        list_append(&c->server->conns, &c->node);
    }
    bool partial = c->engine->ops->partial(c->engine);
    if (partial && c->served) {
        c->served = false; /* until this head is complete */
        env_timer_start(&t->timer, c->server->handshake_ms);
    } else if (busy && !partial) {
        c->served = true;
    }
    conn_account(c);
}

static bool conn_again(struct transport *t)
{
    struct conn *c = conn_of(t);
    if (c->engine == NULL)
        return false;
    if (c->engine->ops->finished(c->engine)) {
        c->engine->ops->fail(c->engine, -ERR_CANCELED); /* what a broken session left open */
        transport_finish(t);
        return false;
    }
    return c->engine->ops->pending(c->engine);
}

static void conn_ended(struct transport *t)
{
    struct conn *c = conn_of(t);
    if (c->engine == NULL)
        transport_cut(t);
    else
        c->engine->ops->ended(c->engine);
}

static void conn_failed(struct transport *t, int status, const struct err *e)
{
    struct conn *c = conn_of(t);
    (void)status; /* whatever broke it, the peer is gone */
    (void)e;
    if (c->engine != NULL)
        c->engine->ops->fail(c->engine, -ERR_CANCELED);
}

static void conn_timer(struct transport *t)
{
    struct conn *c = conn_of(t);
    struct http_server *s = c->server;
    if (c->engine == NULL || !c->served) {
        conn_cut(c, -ERR_TIMEOUT, &head_total);
        return;
    }
    uint64_t now = env_loop_now_ms(t->loop);
    if (!c->engine->ops->idle(c->engine))
        c->active_ms = now;
    uint64_t idle = now - c->active_ms;
    if (idle >= s->idle_ms)
        c->engine->ops->shutdown(c->engine);
    env_timer_start(&t->timer, idle >= s->idle_ms ? s->idle_ms : s->idle_ms - idle);
}

static void maybe_closed(struct http_server *s)
{
    if (!s->closing || s->conn_count > 0 || !s->cut)
        return;
    void (*closed)(void *ctx) = s->closed;
    void *ctx = s->closed_ctx;
    env_timer_deinit(&s->drain);
    env_timer_deinit(&s->tick);
    tls_context_unref(s->tls);
    transport_scratch_deinit(&s->scratch);
    mem_free(s);
    if (closed != NULL)
        closed(ctx);
}

static void conn_closed(struct transport *t)
{
    struct conn *c = conn_of(t);
    struct http_server *s = c->server;
    if (c->engine != NULL)
        c->engine->ops->free(c->engine);
    list_remove(&c->node);
    s->conn_count--;
    metric_add(&connections_open, -1);
    metric_add(&held_bytes, -(int64_t)c->held);
    s->held -= c->held;
    mem_free(c);
    if (s->closing && s->conn_count == 0 && !s->cut)
        env_timer_start(&s->drain, 0); /* nothing to wait for any more */
    maybe_closed(s);
}

/* ---- the server ---- */

/* Room for one more: the one idle for longest goes. False: all are at work. */
static bool make_room(struct http_server *s)
{
    list_foreach (node, &s->conns) {
        struct conn *c = container_of(node, struct conn, node);
        if (!c->t.closing && conn_idle(c)) {
            conn_cut(c, -ERR_UNAVAILABLE, &full_total);
            list_remove(&c->node); /* where the next search does not meet it */
            list_append(&s->conns, &c->node);
            return true;
        }
    }
    metric_add(&full_total, 1);
    return false;
}

void http_server_serve(struct http_server *s, struct env_stream *stream)
{
    static const struct transport_ops ops = { .ready = conn_ready,
                                              .data = conn_data,
                                              .turn = conn_turn,
                                              .again = conn_again,
                                              .ended = conn_ended,
                                              .failed = conn_failed,
                                              .timer = conn_timer,
                                              .closed = conn_closed };
    static const struct http_link_ops link_ops = {
        .wake = link_wake, .queued = link_queued, .sent = link_sent, .pause = link_pause
    };
    if (s->closing || (s->conn_count >= s->connections_max && !make_room(s))) {
        env_stream_close(stream);
        return;
    }
    struct conn *c = mem_alloc(sizeof(*c));
    c->server = s;
    c->link.ops = &link_ops;
    c->link.core = &s->core;
    c->link.peer.address = env_stream_peer(stream);
    c->link.peer.identity = &tls_identity_none;
    c->active_ms = env_loop_now_ms(s->loop);
    list_append(&s->conns, &c->node);
    s->conn_count++;
    metric_add(&connections_open, 1);
    struct tls *tls = s->tls != NULL ? tls_server_new(s->tls) : NULL;
    transport_open(&c->t, &ops, s->loop, stream, tls, &s->scratch);
    env_timer_start(&c->t.timer, s->handshake_ms);
}

static void on_accept(void *ctx, struct env_stream *stream)
{
    http_server_serve(ctx, stream);
}

/* The drain's end: whatever still runs is told and cut. */
static void on_drain(struct env_timer *t)
{
    struct http_server *s = container_of(t, struct http_server, drain);
    s->cut = true;
    list_foreach_safe (node, &s->conns) {
        struct conn *c = container_of(node, struct conn, node);
        if (c->engine != NULL)
            c->engine->ops->fail(c->engine, -ERR_UNAVAILABLE);
        transport_cut(&c->t);
    }
    maybe_closed(s);
}

int http_server_open(struct env_loop *loop, const struct http_server_options *o,
                     struct http_server **out, struct err *e)
{
    struct http_server *s = mem_alloc(sizeof(*s));
    s->loop = loop;
    s->core.loop = loop;
    s->core.handler = o->handler;
    s->core.handler_ctx = o->ctx;
    s->core.refusal = o->refusal;
    s->core.streams_max = o->streams_max != 0 ? o->streams_max : HTTP_SERVER_STREAMS_MAX;
    s->connections_max = o->connections_max != 0 ? o->connections_max : HTTP_SERVER_CONNECTIONS_MAX;
    s->handshake_ms = o->handshake_ms != 0 ? o->handshake_ms : HTTP_SERVER_HANDSHAKE_MS;
    s->held_bytes_high = o->held_bytes_high != 0 ? o->held_bytes_high : HTTP_SERVER_HELD_BYTES_HIGH;
    s->held_bytes_max = o->held_bytes_max != 0 ? o->held_bytes_max : HTTP_SERVER_HELD_BYTES_MAX;
    s->idle_ms = o->idle_ms != 0 ? o->idle_ms : HTTP_SERVER_IDLE_MS;
    list_init(&s->conns);
    if (o->address != NULL) {
        int rc = env_listen(loop, o->address, o->reuse_port, on_accept, s, &s->listener, e);
        if (rc != 0) {
            mem_free(s);
            return err_wrap(e, rc, "listen on %s", o->address);
        }
    }
    transport_scratch_init(&s->scratch);
    env_timer_init(loop, &s->drain, on_drain);
    env_timer_init(loop, &s->tick, on_tick);
    s->tls = o->tls != NULL ? tls_context_ref(o->tls) : NULL;
    *out = s;
    return 0;
}

int http_server_port(const struct http_server *s)
{
    return s->listener != NULL ? env_listener_port(s->listener) : 0;
}

uint32_t http_server_connections(const struct http_server *s)
{
    return s->conn_count;
}

size_t http_server_held(const struct http_server *s)
{
    return s->held;
}

bool http_server_full(const struct http_server *s)
{
    return s->held > s->held_bytes_max;
}

void http_server_close(struct http_server *s, uint64_t drain_ms, void (*closed)(void *ctx),
                       void *ctx)
{
    ASSERT(!s->closing);
    s->closing = true;
    s->closed = closed;
    s->closed_ctx = ctx;
    if (s->listener != NULL)
        env_listener_close(s->listener);
    s->listener = NULL;
    list_foreach_safe (node, &s->conns) {
        struct conn *c = container_of(node, struct conn, node);
        if (c->engine != NULL)
            c->engine->ops->shutdown(c->engine);
    }
    env_timer_start(&s->drain, s->conn_count == 0 ? 0 : drain_ms);
}
