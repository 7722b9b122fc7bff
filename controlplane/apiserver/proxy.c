/*
 * nodes/NAME/proxy, pods/NAME/proxy and services/NAME/proxy: a request for another server, which is
 * found by proxy_target.h, and its answer.
 *
 * Happy path: the request's body is held back until the server is found; then its head goes out,
 * the body piece by piece behind it, and the answer comes back the same way. An upgrade (WebSocket,
 * SPDY) that the server agrees to makes a tunnel of both sides. Either side slow: the other is not
 * read (net/splice.h), so that neither queue grows.
 *
 * Failure modes: no such object, no address, no endpoint (upstream's refusals); the server cannot
 * be reached, or goes away before it answered (503); it goes away later (the answer is cut, so that
 * it does not look whole); the client goes away (the server's connection is closed); nothing passes
 * for SPLICE_IDLE_MS (as if the server had gone). The request is held until the server's side is
 * done.
 */
#include "base/assert.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/pod_target.h"
#include "controlplane/apiserver/proxy_headers.h"
#include "controlplane/apiserver/proxy_html.h"
#include "controlplane/apiserver/proxy_target.h"
#include "controlplane/apiserver/socket.h"
#include "net/splice.h"

struct proxy {
    struct http_request out;
    struct request *request;
    struct proxy_target target;
    struct proxy_path path;
    struct str host; /* of the server */
    struct env_timer timer;
    uint64_t active_ms;
    struct proxy_html html; /* of a page */
    struct buf piece;       /* what leaves of it */
    bool page;
    bool upgrade;  /* asked for */
    bool answered; /* the head of the answer is sent */
};

static struct proxy *proxy_of(struct http_request *out)
{
    return container_of(out, struct proxy, out);
}

static void note_activity(struct proxy *p)
{
    p->active_ms = env_loop_now_ms(p->request->loop->loop);
}

/* ---- the server's side ---- */

/* A whole page in HTML that is not packed: its links are led through the proxy, and its length is
 * another then. */
static void begin_page(struct proxy *p, struct http_headers *h)
{
    size_t kept = 0;
    if (!proxy_is_page(&p->out.response_headers) || p->out.status == 206) {
        return;
    }
    for (size_t i = 0; i < h->count; i++) {
        if (!str_eq_c(h->items[i].name, "content-length")) {
            h->items[kept++] = h->items[i];
        }
    }
    h->count = kept;
    p->page = true;
    proxy_html_init(&p->html, &p->path, p->host, p->request->x->authority);
}

static void pass_page(struct proxy *p)
{
    splice_to_exchange(p->request->x, &p->out, buf_str(&p->piece));
    buf_clear(&p->piece);
}

static void on_response(struct http_request *out)
{
    struct proxy *p = proxy_of(out);
    struct request *r = p->request;
    struct http_headers h = { 0 };
    bool agreed = out->status == 101;
    note_activity(p);
    if (r->x == NULL || (p->upgrade && !agreed && out->status < 400)) {
        http_request_cancel(out); /* answered when that is done */
        return;
    }
    proxy_response_headers(&r->arena, &out->response_headers, r->x, &p->path, p->host, agreed, &h);
    if (!agreed) {
        begin_page(p, &h);
        r->x->stalls = HTTP_STALLS_MAY;
        http_respond(r->x, out->status, h.items, h.count);
    } else if (request_upgrade(r, h.items, h.count) != 0) {
        http_request_cancel(out);
        return;
    }
    p->answered = true;
}

static void on_body(struct http_request *out, struct str bytes)
{
    struct proxy *p = proxy_of(out);
    struct request *r = p->request;
    note_activity(p);
    if (r->x == NULL || !p->answered) {
        return;
    }
    if (p->page) {
        proxy_html_feed(&p->html, bytes, &p->piece);
        pass_page(p);
    } else {
        splice_to_exchange(r->x, out, bytes);
    }
}

static void on_server_drained(struct http_request *out)
{
    struct request *r = proxy_of(out)->request;
    if (r->x != NULL) {
        http_body_resume(r->x);
    }
}

static void answer_failure(struct proxy *p, int status)
{
    struct request *r = p->request;
    if (p->upgrade && p->out.status != 0) {
        (void)status_internal(
            &r->arena, &r->status,
            str_printf(&r->arena, "invalid upgrade response: status code %d", p->out.status));
    } else {
        (void)pod_target_unavailable(r, str_printf(&r->arena,
                                                   "error trying to reach service: %.*s: %s",
                                                   STR_ARG(p->host), err_name(status)));
    }
    (void)request_answer_status(r);
    request_send_answer(r);
}

static void on_done(struct http_request *out, int status)
{
    struct proxy *p = proxy_of(out);
    struct request *r = p->request;
    env_timer_stop(&p->timer);
    backends_release(r->loop->backends, &p->target.to);
    if (r->x != NULL && !p->answered) {
        answer_failure(p, status);
    } else if (r->x != NULL && status == 0) {
        if (p->page) {
            proxy_html_end(&p->html, &p->piece);
            pass_page(p);
        }
        http_end_trailers(r->x, out->trailers.items, out->trailers.count);
    } else if (r->x != NULL) {
        http_reset(r->x, status);
    }
    request_unhold(r); /* may free r and p */
}

static const struct http_request_events out_events = {
    .response = on_response,
    .body = on_body,
    .drained = on_server_drained,
    .done = on_done,
};

/* ---- the client's side ---- */

static void on_timer(struct env_timer *t)
{
    struct proxy *p = container_of(t, struct proxy, timer);
    uint64_t idle_ms = env_loop_now_ms(p->request->loop->loop) - p->active_ms;
    if (idle_ms < SPLICE_IDLE_MS) {
        env_timer_start(t, SPLICE_IDLE_MS - idle_ms);
    } else {
        http_request_cancel(&p->out);
    }
}

static void proxy_received(struct request *r, struct str bytes)
{
    struct proxy *p = r->state;
    note_activity(p);
    if (http_request_active(&p->out) && bytes.len > 0) {
        splice_to_request(r->x, &p->out, bytes);
    }
}

/* The body is complete; or the client has ended its side of a tunnel, and with it the other. */
static void proxy_ended(struct request *r)
{
    struct proxy *p = r->state;
    if (!p->out.streaming || !http_request_active(&p->out)) {
        return;
    }
    if (!p->upgrade || p->out.upgraded) {
        http_request_end(&p->out);
    }
}

static void proxy_drained(struct request *r)
{
    struct proxy *p = r->state;
    if (http_request_active(&p->out)) {
        http_request_resume(&p->out);
    }
}

static void proxy_closed(struct request *r)
{
    struct proxy *p = r->state;
    if (http_request_active(&p->out)) {
        http_request_cancel(&p->out);
    }
}

static void proxy_release(struct request *r)
{
    struct proxy *p = r->state;
    if (p != NULL) {
        env_timer_deinit(&p->timer);
        http_request_deinit(&p->out);
        proxy_html_deinit(&p->html);
        buf_deinit(&p->piece);
    }
}

/* ---- the beginning ---- */

static struct proxy *proxy_new(struct request *r)
{
    struct proxy *p = arena_new(&r->arena, struct proxy);
    const struct http_headers *h = &r->x->headers;
    struct str path = r->route.path;
    p->request = r;
    p->path.tail = r->route.tail;
    p->path.prefix = str_slice(path, 0, path.len - r->route.tail.len);
    p->upgrade = r->x->version == 11 && !r->x->has_body &&
                 http_headers_has_token(h, "connection", "upgrade") &&
                 http_headers_get(h, "upgrade").len > 0;
    env_timer_init(r->loop->loop, &p->timer, on_timer);
    buf_init(&p->piece);
    buf_init(&p->html.held);
    r->state = p;
    return p;
}

/* Links of a page are relative to its folder: the server's root needs its slash. */
static enum request_run redirect_to_root(struct request *r)
{
    struct str query = r->x->query;
    request_header(r, "location",
                   query.len > 0
                       ? str_printf(&r->arena, "%.*s/?%.*s", STR_ARG(r->route.path), STR_ARG(query))
                       : str_printf(&r->arena, "%.*s/", STR_ARG(r->route.path)));
    request_answer(r, 301, NULL, str_lit(""));
    return RUN_ANSWER;
}

static struct str make_target(const struct proxy *p)
{
    struct request *r = p->request;
    struct str path = p->path.tail.len > 0 ? p->path.tail : str_lit("/");
    struct str query = r->x->query;
    return query.data == NULL ? path
                              : str_printf(&r->arena, "%.*s?%.*s", STR_ARG(path), STR_ARG(query));
}

static void send(struct proxy *p, struct http_client *client)
{
    struct request *r = p->request;
    struct http_headers h = { 0 };
    proxy_request_headers(&r->arena, r->x, &p->path, p->upgrade, &h);
    p->out.method = str_dup(&r->arena, r->route.method);
    p->out.target = make_target(p);
    p->out.authority = r->x->authority;
    p->out.headers = h.items;
    p->out.header_count = h.count;
    p->out.streaming = p->upgrade || r->x->has_body;
    p->out.events = &out_events;
    note_activity(p);
    env_timer_start(&p->timer, SPLICE_IDLE_MS);
    request_hold(r);
    http_client_send(client, &p->out);
    if (r->body_ended) {
        proxy_ended(r);
    }
    http_body_resume(r->x);
}

static void redirect(struct proxy *p)
{
    const struct apiserver_config *c = &p->request->server->config;
    if (c->proxy_redirect != NULL) {
        c->proxy_redirect(&p->target.to);
    }
}

static enum request_run proxy_run(struct request *r)
{
    struct proxy *p = r->state != NULL ? r->state : proxy_new(r);
    struct http_client *client = NULL;
    int rc = proxy_target_find(r, &p->target);
    if (rc > 0) {
        return RUN_SUSPEND;
    }
    if (rc == 0 && p->upgrade && http_headers_has_token(&r->x->headers, "upgrade", "websocket")) {
        rc = socket_check_origin(r);
    }
    bool reads = str_eq_c(r->route.method, "GET") || str_eq_c(r->route.method, "HEAD");
    if (rc == 0 && !p->upgrade && reads && p->path.tail.len == 0) {
        return redirect_to_root(r);
    }
    if (rc == 0) {
        p->host = backend_host(&r->arena, &p->target.to);
        redirect(p);
    }
    if (rc != 0 || pod_target_client(r, &p->target.to, &client) != 0) {
        return RUN_FAIL;
    }
    send(p, client);
    return RUN_STREAM;
}

const struct operation operation_proxy = {
    .name = "proxy",
    .passes_body = true,
    .long_running = true,
    .mode = READ_FRESH,
    .run = proxy_run,
    .drained = proxy_drained,
    .stop = proxy_closed,
    .received = proxy_received,
    .ended = proxy_ended,
    .closed = proxy_closed,
    .release = proxy_release,
};
