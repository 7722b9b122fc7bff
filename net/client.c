/*
 * The HTTP client: requests, the connections they need, and their deadlines.
 *
 * A request is in one place at a time: `waiting` (for a connection), a connection's `requests`, or
 * its own posted message (its end is decided and done will run). http_request_http_request_complete
 * is the only place that calls done. A connection that fails gives its requests back through the
 * engine; requests that were waiting for that very attempt fail with it.
 */
#include "net/client.h"

#include <string.h>

#include "base/assert.h"
#include "net/client_internal.h"

static void pump(struct http_client *c);

/* ---- connections ---- */

static void link_wake(struct http_link *l)
{
    transport_wake(&container_of(l, struct conn, link)->t);
}

static size_t link_queued(const struct http_link *l)
{
    return transport_queued(&container_of(l, const struct conn, link)->t);
}

static void link_pause(struct http_link *l, bool pause)
{
    transport_pause(&container_of(l, struct conn, link)->t, pause);
}

static void link_done(struct http_link *l, struct http_request *r, int status)
{
    struct conn *n = container_of(l, struct conn, link);
    ASSERT(r->conn == n);
    http_request_complete(r, status);
    pump(n->client);
}

static void fail_waiting(struct http_client *c, int status)
{
    /* Only those that wait now: done may send again. */
    struct list all;
    list_init(&all);
    while (!list_empty(&c->waiting))
        list_append(&all, list_pop(&c->waiting));
    c->waiting_count = 0;
    struct list *node;
    while ((node = list_pop(&all)) != NULL) {
        struct http_request *r = container_of(node, struct http_request, node);
        r->refused = true;
        http_request_complete_later(r, status);
    }
}

/* The connection is of no use any more: its requests end, and so do those that waited for it. */
static void conn_dead(struct conn *n, int status)
{
    struct http_client *c = n->client;
    if (n->dead)
        return;
    n->dead = true;
    bool attempt = n->engine == NULL;
    if (n->engine != NULL)
        n->engine->ops->fail(n->engine, status == -ERR_CANCELED ? status : -ERR_UNAVAILABLE);
    if (attempt)
        fail_waiting(c, status == -ERR_UNAUTHENTICATED || status == -ERR_CANCELED
                            ? status
                            : -ERR_UNAVAILABLE);
    if (c->state != NULL && !c->closing)
        c->state(c->ctx, status != 0 ? status : -ERR_UNAVAILABLE);
}

static struct conn *conn_of(struct transport *t)
{
    return container_of(t, struct conn, t);
}

static void conn_ready(struct transport *t)
{
    struct conn *n = conn_of(t);
    struct http_client *c = n->client;
    bool http2 = c->protocol == HTTP_PROTOCOL_HTTP2;
    if (t->tls != NULL) {
        n->link.peer.tls = true;
        n->link.peer.identity = tls_peer(t->tls);
        bool agreed = str_eq_c(tls_alpn(t->tls), "h2");
        if (http2 && !agreed) {
            conn_dead(n, -ERR_PROTOCOL);
            transport_cut(t);
            return;
        }
        http2 = agreed && c->protocol != HTTP_PROTOCOL_HTTP1;
    }
    n->http2 = http2;
    n->engine = http2 ? http2_client_new(&n->link) : http1_client_new(&n->link);
    n->received_ms = env_loop_now_ms(c->loop);
    env_timer_stop(&t->timer);
    if (c->ping_ms != 0 && http2)
        env_timer_start(&t->timer, c->ping_ms);
    if (c->state != NULL)
        c->state(c->ctx, 0);
    pump(c);
}

static void conn_data(struct transport *t, struct str bytes)
{
    struct conn *n = conn_of(t);
    n->received_ms = env_loop_now_ms(t->loop);
    n->pinged = false;
    n->engine->ops->receive(n->engine, bytes);
}

static void conn_turn(struct transport *t, struct buf *out, size_t bytes_max)
{
    struct conn *n = conn_of(t);
    n->engine->ops->turn(n->engine);
    n->engine->ops->fill(n->engine, out, bytes_max);
}

static bool conn_again(struct transport *t)
{
    struct conn *n = conn_of(t);
    if (!n->engine->ops->finished(n->engine))
        return n->engine->ops->pending(n->engine);
    conn_dead(n, -ERR_UNAVAILABLE);
    transport_finish(t);
    pump(n->client);
    return false;
}

static void conn_ended(struct transport *t)
{
    struct conn *n = conn_of(t);
    n->engine->ops->ended(n->engine);
}

static void conn_failed(struct transport *t, int status, const struct err *e)
{
    struct conn *n = conn_of(t);
    (void)e;
    conn_dead(n, status);
}

/* The handshake's limit, then the ping's rhythm. */
static void conn_timer(struct transport *t)
{
    struct conn *n = conn_of(t);
    struct http_client *c = n->client;
    if (n->engine == NULL) {
        conn_dead(n, -ERR_TIMEOUT);
        transport_cut(t);
        return;
    }
    uint64_t quiet = env_loop_now_ms(c->loop) - n->received_ms;
    if (quiet >= c->ping_ms && n->pinged) {
        conn_dead(n, -ERR_UNAVAILABLE);
        transport_cut(t);
        return;
    }
    if (quiet >= c->ping_ms && !n->engine->ops->idle(n->engine)) {
        n->pinged = true;
        n->engine->ops->ping(n->engine);
    }
    env_timer_start(&t->timer, c->ping_ms);
}

static void maybe_free(struct http_client *c);

static void conn_free(struct conn *n)
{
    struct http_client *c = n->client;
    if (n->engine != NULL)
        n->engine->ops->free(n->engine);
    ASSERT(list_empty(&n->requests));
    list_remove(&n->node);
    c->conn_count--;
    mem_free(n);
    if (c->closing)
        maybe_free(c);
    else
        pump(c);
}

static void conn_closed(struct transport *t)
{
    struct conn *n = conn_of(t);
    conn_dead(n, -ERR_UNAVAILABLE);
    conn_free(n);
}

static void on_connected(struct dial *dial, struct env_stream *stream, int status)
{
    static const struct transport_ops ops = { .ready = conn_ready,
                                              .data = conn_data,
                                              .turn = conn_turn,
                                              .again = conn_again,
                                              .ended = conn_ended,
                                              .failed = conn_failed,
                                              .timer = conn_timer,
                                              .closed = conn_closed };
    struct conn *n = container_of(dial, struct conn, dial);
    struct http_client *c = n->client;
    if (status != 0) {
        conn_dead(n, status);
        conn_free(n);
        return;
    }
    n->opened = true;
    struct tls *tls = c->tls != NULL ? tls_client_new(c->tls, c->server_name) : NULL;
    if (tls != NULL && c->protocol == HTTP_PROTOCOL_HTTP1)
        tls_offer_none(tls);
    n->link.peer.address = env_stream_peer(stream);
    transport_open(&n->t, &ops, c->loop, stream, tls, &c->scratch);
    env_timer_start(&n->t.timer, c->connect_timeout_ms);
    if (n->dead)
        transport_cut(&n->t); /* disconnected meanwhile */
}

static void start_connection(struct http_client *c)
{
    static const struct http_link_ops link_ops = {
        .wake = link_wake, .queued = link_queued, .pause = link_pause, .done = link_done
    };
    struct conn *n = mem_alloc(sizeof(*n));
    n->client = c;
    n->link.ops = &link_ops;
    n->link.core = &c->core;
    n->link.peer.identity = &tls_identity_none;
    list_init(&n->requests);
    list_append(&c->conns, &n->node);
    c->conn_count++;
    dial_start(&n->dial, c->loop, c->address, c->connect_timeout_ms, on_connected);
}

/* ---- which request goes where ---- */

static struct conn *find_conn(struct http_client *c, uint32_t *out_live, bool *out_attempt)
{
    *out_live = 0;
    *out_attempt = false;
    list_foreach (node, &c->conns) {
        struct conn *n = container_of(node, struct conn, node);
        if (n->dead)
            continue;
        if (n->engine == NULL) {
            *out_attempt = true;
            (*out_live)++;
            continue;
        }
        if (n->engine->ops->can_send(n->engine))
            return n;
        /* One that drains takes no more and does not count; one that is busy does. */
        if (!n->http2 && !n->engine->ops->finished(n->engine))
            (*out_live)++;
    }
    return NULL;
}

static void give(struct conn *n, struct http_request *r)
{
    r->conn = n;
    list_append(&n->requests, &r->node);
    n->engine->ops->send(n->engine, r);
    if (r->body.len > 0) {
        n->engine->ops->write(n->engine, r, buf_str(&r->body));
        buf_clear(&r->body);
    }
    if ((r->flags & REQUEST_ENDED) != 0)
        n->engine->ops->end(n->engine, r);
    if ((r->flags & REQUEST_PAUSED) != 0)
        n->engine->ops->pause(n->engine, r, true);
}

/* Gives waiting requests to connections, and makes one when that is what they wait for. */
static void pump(struct http_client *c)
{
    while (!list_empty(&c->waiting) && !c->closing) {
        uint32_t live = 0;
        bool attempt = false;
        struct conn *n = find_conn(c, &live, &attempt);
        if (n == NULL) {
            if (!attempt && live < c->connections_max)
                start_connection(c);
            return;
        }
        struct list *node = list_pop(&c->waiting);
        c->waiting_count--;
        give(n, container_of(node, struct http_request, node));
    }
}

/* A request that waits outlives what its caller lent for the call. */
static void copy_request(struct http_request *r)
{
    struct arena *a = &r->arena;
    struct http_header *headers = arena_array(a, r->header_count, sizeof(*headers));
    for (size_t i = 0; i < r->header_count; i++) {
        headers[i].name = str_copy(a, r->headers[i].name);
        headers[i].value = str_copy(a, r->headers[i].value);
    }
    r->sent.headers = headers;
    r->sent.target = str_copy(a, r->target);
    if (r->content.len > 0)
        r->sent.content = str_copy(a, r->content);
}

void http_client_send(struct http_client *c, struct http_request *r)
{
    ASSERT(r->events != NULL);
    http_request_reset(c, r);
    if (c->closing) {
        http_request_complete_later(r, -ERR_CANCELED);
        return;
    }
    if (c->waiting_count >= HTTP_CLIENT_QUEUE_MAX) {
        r->refused = true;
        http_request_complete_later(r, -ERR_UNAVAILABLE);
        return;
    }
    if (r->timeout_ms != 0)
        env_timer_start(&r->timer, r->timeout_ms);
    uint32_t live = 0;
    bool attempt = false;
    struct conn *n = list_empty(&c->waiting) ? find_conn(c, &live, &attempt) : NULL;
    if (n != NULL) {
        give(n, r);
        return;
    }
    copy_request(r);
    list_append(&c->waiting, &r->node);
    c->waiting_count++;
    pump(c);
}

/* ---- the client ---- */

struct http_client *http_client_new(struct env_loop *loop, const struct http_client_options *o)
{
    struct http_client *c = mem_alloc(sizeof(*c));
    c->loop = loop;
    c->core.loop = loop;
    c->address = mem_strdup(o->address);
    c->authority = mem_strdup(o->authority != NULL ? o->authority : "localhost");
    c->server_name = mem_strdup(o->server_name != NULL ? o->server_name : c->authority);
    if (o->server_name == NULL) {
        /* The authority without its port; "[::1]:1" becomes "::1". */
        struct str host = str_from(c->authority);
        ptrdiff_t close = str_find_char(host, ']', 0);
        ptrdiff_t colon = str_find_char(host, ':', 0);
        if (host.len > 0 && host.data[0] == '[' && close > 0)
            host = str_slice(host, 1, (size_t)close);
        else if (colon >= 0)
            host = str_slice(host, 0, (size_t)colon);
        memcpy(c->server_name, host.data, host.len);
        c->server_name[host.len] = '\0';
    }
    c->tls = o->tls != NULL ? tls_context_ref(o->tls) : NULL;
    c->protocol = o->protocol;
    c->connections_max = o->connections_max != 0 ? o->connections_max : HTTP_CLIENT_CONNECTIONS_MAX;
    c->connect_timeout_ms =
        o->connect_timeout_ms != 0 ? o->connect_timeout_ms : ENV_CONNECT_TIMEOUT_MS;
    c->ping_ms = o->ping_ms;
    c->state = o->state;
    c->ctx = o->ctx;
    transport_scratch_init(&c->scratch);
    list_init(&c->conns);
    list_init(&c->waiting);
    return c;
}

struct env_loop *http_client_loop(const struct http_client *c)
{
    return c->loop;
}

bool http_client_idle(const struct http_client *c)
{
    list_foreach (node, &c->conns) {
        if (!list_empty(&container_of(node, const struct conn, node)->requests))
            return false;
    }
    return c->waiting_count == 0;
}

static void drop_all(struct http_client *c, int status)
{
    list_foreach_safe (node, &c->conns) {
        struct conn *n = container_of(node, struct conn, node);
        conn_dead(n, status);
        if (n->opened)
            transport_cut(&n->t);
        else
            dial_cancel(&n->dial);
    }
}

static void on_drop(struct env_msg *m)
{
    struct http_client *c = container_of(m, struct http_client, drop_msg);
    c->drop_posted = false;
    if (!c->closing)
        drop_all(c, -ERR_UNAVAILABLE);
}

void http_client_disconnect(struct http_client *c)
{
    if (c->closing || c->drop_posted)
        return;
    c->drop_posted = true;
    env_post(c->loop, &c->drop_msg, on_drop);
}

static void maybe_free(struct http_client *c)
{
    if (!c->freeing || c->conn_count > 0)
        return;
    void (*closed)(void *ctx) = c->closed;
    void *ctx = c->closed_ctx;
    tls_context_unref(c->tls);
    transport_scratch_deinit(&c->scratch);
    mem_free(c->address);
    mem_free(c->authority);
    mem_free(c->server_name);
    mem_free(c);
    if (closed != NULL)
        closed(ctx);
}

static void on_free(struct env_msg *m)
{
    struct http_client *c = container_of(m, struct http_client, msg);
    c->freeing = true;
    maybe_free(c);
}

static void on_close(struct env_msg *m)
{
    struct http_client *c = container_of(m, struct http_client, msg);
    drop_all(c, -ERR_CANCELED);
    fail_waiting(c, -ERR_CANCELED);
    /* Behind the messages of the requests that were just ended. */
    env_post(c->loop, &c->msg, on_free);
}

void http_client_close(struct http_client *c, void (*closed)(void *ctx), void *ctx)
{
    ASSERT(!c->closing);
    c->closing = true;
    c->closed = closed;
    c->closed_ctx = ctx;
    env_post(c->loop, &c->msg, on_close);
}
