/*
 * Happy path of a call: local_call builds the exchange and posts a message; on the next turn the
 * API loop handles it; respond and write collect the answer; end posts a second message, which
 * tells the request that its exchange is closed and then finishes the call. A watch is the same
 * with many writes, each turned into events on the turn after it was written. Cancel and the
 * deadline close the exchange from this side; what the store is doing goes on without us.
 */
#include "controlplane/apiserver/local.h"

#include <string.h>

#include "api/client/client.h"
#include "api/meta/peek.h"
#include "base/arena.h"
#include "base/assert.h"
#include "controlplane/apiserver/loop.h"
#include "net/http.h"
#include "net/tls.h"

/* Output that a watch's consumer has not seen is bounded by the exchange's own limits. */
#define FRAME_HEAD_BYTES 4

struct local_client {
    struct client base;
    struct api_loop *loop;
    struct api_loop *owned; /* made for this client; NULL: the server's own */
    struct str group;
    struct tls_identity identity;
    struct http_peer peer;
    struct local_client *next;
    char user[128];
};

struct local_exchange {
    struct http_exchange x;
    struct local_client *client;
    struct client_call *call; /* one of these two, until it is done */
    struct client_watch *watch;
    struct env_timer timer;
    struct env_msg msg;
    bool posted;
    bool finished; /* the caller has been told */
    bool handled;  /* the API loop has it */
    bool responded;
    bool ended; /* the answer is complete, or reset */
    int code;   /* why the exchange ends, if not by its answer: -ERR_X */
    bool high;  /* queued output was above the low mark */
    int status;
    struct buf out;
    uint64_t revision;
};

static void on_turn(struct env_msg *m);

static struct local_exchange *exchange_of(struct http_exchange *x)
{
    return container_of(x, struct local_exchange, x);
}

static void post(struct local_exchange *l)
{
    if (!l->posted) {
        l->posted = true;
        env_post(l->client->base.loop, &l->msg, on_turn);
    }
}

/* ---- the exchange's side ---- */

static void op_respond(struct http_exchange *x, int status, const struct http_header *headers,
                       size_t count)
{
    struct local_exchange *l = exchange_of(x);
    (void)headers;
    (void)count;
    l->responded = true;
    l->status = status;
}

static void op_write(struct http_exchange *x, struct str bytes, struct shared *shared)
{
    struct local_exchange *l = exchange_of(x);
    if (l->ended) {
        return;
    }
    buf_append_str(&l->out, shared != NULL ? shared_str(shared) : bytes);
    l->high = l->high || l->out.len > HTTP_QUEUE_LOW_BYTES;
    if (l->watch != NULL) {
        post(l);
    }
}

static void op_end(struct http_exchange *x, const struct http_header *trailers, size_t count)
{
    struct local_exchange *l = exchange_of(x);
    (void)trailers;
    (void)count;
    l->ended = true;
    post(l);
}

static void op_reset(struct http_exchange *x, int code)
{
    struct local_exchange *l = exchange_of(x);
    l->ended = true;
    l->code = code < 0 ? code : -code;
    post(l);
}

static size_t op_queued(const struct http_exchange *x)
{
    return ((const struct local_exchange *)(const void *)x)->out.len;
}

static void op_pause(struct http_exchange *x, bool paused)
{
    (void)x;
    (void)paused;
}

static bool op_responded(const struct http_exchange *x)
{
    return ((const struct local_exchange *)(const void *)x)->responded;
}

static int op_upgrade(struct http_exchange *x, const struct http_header *headers, size_t count)
{
    (void)x;
    (void)headers;
    (void)count;
    return -ERR_UNIMPLEMENTED;
}

static const struct http_exchange_ops local_ops = {
    .respond = op_respond,
    .write = op_write,
    .end = op_end,
    .reset = op_reset,
    .queued = op_queued,
    .pause = op_pause,
    .responded = op_responded,
    .upgrade = op_upgrade,
};

/* ---- building ---- */

static const char *const methods[] = {
    [CLIENT_GET] = "GET",
    [CLIENT_LIST] = "GET",
    [CLIENT_CREATE] = "POST",
    [CLIENT_UPDATE] = "PUT",
    [CLIENT_PATCH] = "PATCH",
    [CLIENT_DELETE] = "DELETE",
    [CLIENT_DELETE_COLLECTION] = "DELETE",
};

static void append_segment(struct buf *out, const char *prefix, struct str text)
{
    if (text.len > 0) {
        buf_append_c(out, prefix);
        client_query_escape(out, text);
    }
}

static void append_path(struct buf *out, enum kind kind, struct str ns, struct str name,
                        struct str sub)
{
    const struct kind_info *k = kind_info(kind);
    if (k->group[0] == '\0') {
        buf_printf(out, "/api/%s", k->version);
    } else {
        buf_printf(out, "/apis/%s/%s", k->group, k->version);
    }
    append_segment(out, "/namespaces/", k->namespaced ? ns : str_lit(""));
    append_segment(out, "/", str_from(k->plural));
    append_segment(out, "/", name);
    append_segment(out, "/", sub);
}

static void add_header(struct local_exchange *l, const char *name, struct str value)
{
    if (value.len > 0) {
        http_headers_add(&l->x.arena, &l->x.headers, str_from(name), value);
    }
}

static struct local_exchange *exchange_new(struct local_client *c, const char *method,
                                           struct buf *target)
{
    struct local_exchange *l = mem_alloc(sizeof(*l));
    l->client = c;
    arena_init(&l->x.arena);
    buf_init(&l->x.body);
    buf_init(&l->out);
    l->x.method = str_from(method);
    l->x.target = str_copy(&l->x.arena, buf_str(target));
    http_split_target(l->x.target, &l->x.path, &l->x.query);
    l->x.version = 20;
    l->x.peer = &c->peer;
    l->x.loop = c->base.loop;
    l->x.ops = &local_ops;
    l->x.body_bytes_max = HTTP_BODY_BYTES_MAX;
    add_header(l, "accept", str_lit("application/vnd.kubernetes.protobuf"));
    /* Fields are managed by "kube-scheduler", as upstream, not by its user. */
    struct str agent = str_from(c->user);
    if (str_starts(agent, str_lit("system:"))) {
        agent = str_slice(agent, sizeof("system:") - 1, agent.len);
    }
    add_header(l, "user-agent", agent);
    return l;
}

/* A message under way still needs the memory: its turn frees it then. */
static void exchange_free(struct local_exchange *l)
{
    l->finished = true;
    if (l->posted) {
        return;
    }
    env_timer_deinit(&l->timer);
    buf_deinit(&l->out);
    buf_deinit(&l->x.body);
    arena_deinit(&l->x.arena);
    mem_free(l);
}

/* ---- finishing ---- */

/* Tells the request that its exchange is gone. */
static void close_exchange(struct local_exchange *l)
{
    if (l->handled && l->x.events != NULL && l->x.events->closed != NULL) {
        l->x.events->closed(&l->x, l->code);
    }
}

static bool is_fenced(struct str body)
{
    static const uint8_t reason_path[] = { 4, 0 };
    struct str kind;
    struct str raw;
    return client_unwrap(body, &kind, &raw) == 0 && str_eq_c(kind, "Status") &&
           str_eq_c(peek_string(raw, reason_path), "Fenced");
}

static void finish_call(struct local_exchange *l)
{
    struct client_call *call = l->call;
    l->call = NULL;
    call->impl = NULL;
    close_exchange(l);
    if (l->code != 0) {
        client_call_fail(call, l->code,
                         l->code == -ERR_TIMEOUT ? "the call's deadline has passed"
                                                 : err_name(l->code));
    } else if (is_fenced(buf_str(&l->out))) {
        client_call_fail(call, ERR_FENCED, "fenced: another leader's term began");
    } else {
        client_call_finish(call, l->status, buf_str(&l->out));
    }
    exchange_free(l);
}

static void read_status(struct str raw, struct err *e)
{
    static const uint8_t message_path[] = { 3, 0 };
    static const uint8_t reason_path[] = { 4, 0 };
    static const uint8_t code_path[] = { 6, 0 };
    struct peek_field code = { 0 };
    struct str message = peek_string(raw, message_path);
    (void)peek_path(raw, code_path, &code);
    (void)err_set(e, client_code(peek_string(raw, reason_path), (int)code.number_value), "%.*s",
                  (int)(message.len > 300 ? 300 : message.len), message.data);
}

static void finish_watch(struct local_exchange *l, int status, struct err *e)
{
    struct client_watch *w = l->watch;
    l->watch = NULL;
    w->impl = NULL;
    close_exchange(l);
    w->end(w, status, e);
    exchange_free(l);
}

/* One WatchEvent. False when it ended the watch (l is gone). */
static bool give_event(struct local_exchange *l, struct str message)
{
    static const char *const types[] = { "ADDED", "MODIFIED", "DELETED", "BOOKMARK" };
    static const uint8_t type_path[] = { 1, 0 };
    static const uint8_t raw_path[] = { 2, 1, 0 };
    static const uint8_t rv_path[] = { 1, 6, 0 };
    static const uint8_t annotations_path[] = { 1, 12, 0 };
    struct str type = peek_string(message, type_path);
    struct str kind;
    struct str raw;
    struct client_event ev = { 0 };
    struct err e = { 0 };
    int rc = client_unwrap(peek_string(message, raw_path), &kind, &raw);
    ASSERT(rc == 0); /* our own encoder wrote it */
    if (str_eq_c(type, "ERROR")) {
        read_status(raw, &e);
        finish_watch(l, -(int)e.code, &e);
        return false;
    }
    for (int t = 0; t < 4; t++) {
        if (str_eq_c(type, types[t])) {
            ev.type = (enum client_event_type)t;
        }
    }
    (void)str_to_u64(peek_string(raw, rv_path), &ev.revision);
    if (ev.type == CLIENT_BOOKMARK) {
        /* The only annotation a bookmark ever has ends the initial events. */
        ev.initial_end = peek_string(raw, annotations_path).len > 0;
    } else {
        ev.object = raw;
    }
    l->watch->event(l->watch, &ev);
    return true;
}

/* Gives out whole frames. False when the watch ended. */
static bool give_events(struct local_exchange *l)
{
    struct buf frames = l->out; /* events may write more */
    size_t at = 0;
    buf_init(&l->out);
    while (l->code == 0 && frames.len - at >= FRAME_HEAD_BYTES) {
        size_t len = load_be32(frames.data + at);
        ASSERT(frames.len - at >= FRAME_HEAD_BYTES + len); /* an event is one write */
        if (!give_event(l, str_of(frames.data + at + FRAME_HEAD_BYTES, len))) {
            buf_deinit(&frames);
            return false;
        }
        at += FRAME_HEAD_BYTES + len;
    }
    buf_deinit(&frames);
    return true;
}

static void watch_turn(struct local_exchange *l)
{
    struct err e = { 0 };
    if (l->code != 0) {
        (void)err_set(&e, (enum err_code) - l->code, "%s", err_name(l->code));
        finish_watch(l, l->code, &e);
        return;
    }
    if (l->responded && l->status >= 300) {
        struct str kind;
        struct str raw;
        if (!l->ended) {
            return;
        }
        (void)err_set(&e, client_code(str_lit(""), l->status), "HTTP %d", l->status);
        if (client_unwrap(buf_str(&l->out), &kind, &raw) == 0) {
            read_status(raw, &e);
        }
        finish_watch(l, -(int)e.code, &e);
        return;
    }
    if (!give_events(l)) {
        return;
    }
    if (l->ended || l->code != 0) {
        if (l->out.len > 0) {
            post(l);
            return;
        }
        finish_watch(l, l->code, &e);
        return;
    }
    if (l->high && l->out.len <= HTTP_QUEUE_LOW_BYTES) {
        l->high = false;
        if (l->x.events->drained != NULL) {
            l->x.events->drained(&l->x);
        }
    }
}

static void on_turn(struct env_msg *m)
{
    struct local_exchange *l = container_of(m, struct local_exchange, msg);
    l->posted = false;
    if (l->finished) {
        exchange_free(l);
        return;
    }
    if (!l->handled && l->code == 0) {
        l->handled = true;
        api_loop_handle(l->client->loop, &l->x);
        if (l->x.has_body && l->x.events->end != NULL && !l->ended) {
            l->x.events->end(&l->x, 0);
        }
        return; /* whatever it wrote has posted another turn */
    }
    if (l->watch != NULL) {
        watch_turn(l);
    } else if (l->ended || l->code != 0) {
        finish_call(l);
    }
}

static void on_deadline(struct env_timer *t)
{
    struct local_exchange *l = container_of(t, struct local_exchange, timer);
    if (!l->ended && !l->finished) {
        l->code = -ERR_TIMEOUT;
        l->ended = true;
        post(l);
    }
}

/* ---- the client's calls ---- */

static void local_call(struct client *c, struct client_call *call)
{
    struct local_client *client = (struct local_client *)c;
    struct buf target;
    buf_init(&target);
    append_path(&target, call->kind, call->namespace, call->name, call->subresource);
    if (call->query.len > 0) {
        buf_append_c(&target, "?");
        buf_append_str(&target, call->query);
    }
    struct local_exchange *l = exchange_new(client, methods[call->verb], &target);
    buf_deinit(&target);
    l->call = call;
    call->impl = l;
    if (call->content != CLIENT_NO_BODY) {
        add_header(l, "content-type", str_from(client_content_type(call->content)));
        buf_append_str(&l->x.body, call->body);
        l->x.has_body = true;
    }
    add_header(l, "gantry-request-id", str_copy(&l->x.arena, call->request_id));
    if (call->fence_term != 0) {
        add_header(l, "gantry-fence-term",
                   str_printf(&l->x.arena, "%llu", (unsigned long long)call->fence_term));
    }
    env_timer_init(c->loop, &l->timer, on_deadline);
    uint64_t now = env_loop_now_ms(c->loop);
    env_timer_start(&l->timer, call->deadline_ms > now ? call->deadline_ms - now : 0);
    post(l);
}

static void cancel(struct local_exchange *l)
{
    if (l != NULL && l->code == 0) {
        l->code = -ERR_CANCELED;
        l->ended = true;
        post(l);
    }
}

static void local_cancel(struct client *c, struct client_call *call)
{
    (void)c;
    cancel(call->impl);
}

static void append_param(struct buf *out, const char *name, struct str value)
{
    if (value.len > 0) {
        buf_printf(out, "&%s=", name);
        client_query_escape(out, value);
    }
}

static void local_watch(struct client *c, struct client_watch *w)
{
    struct local_client *client = (struct local_client *)c;
    struct buf target;
    buf_init(&target);
    append_path(&target, w->kind, w->namespace, str_lit(""), str_lit(""));
    buf_append_c(&target, "?watch=true");
    append_param(&target, "labelSelector", w->label_selector);
    append_param(&target, "fieldSelector", w->field_selector);
    if (w->bookmarks) {
        buf_append_c(&target, "&allowWatchBookmarks=true");
    }
    if (w->revision > 0) {
        buf_printf(&target, "&resourceVersion=%llu", (unsigned long long)w->revision);
    } else {
        buf_append_c(&target, "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
    }
    if (w->timeout_s > 0) {
        buf_printf(&target, "&timeoutSeconds=%u", w->timeout_s);
    }
    struct local_exchange *l = exchange_new(client, "GET", &target);
    buf_deinit(&target);
    l->watch = w;
    w->impl = l;
    env_timer_init(c->loop, &l->timer, on_deadline);
    post(l);
}

static void local_unwatch(struct client *c, struct client_watch *w)
{
    (void)c;
    cancel(w->impl);
}

static const struct client_ops local_client_ops = {
    .call = local_call,
    .cancel = local_cancel,
    .watch = local_watch,
    .unwatch = local_unwatch,
};

struct client *local_client_new(struct api_loop *l, const char *user)
{
    struct local_client *c = mem_alloc(sizeof(*c));
    struct str name = str_slice(str_from(user), 0, sizeof(c->user) - 1);
    memcpy(c->user, name.data, name.len);
    c->base.ops = &local_client_ops;
    c->base.loop = l->loop;
    c->loop = l;
    c->group = str_lit("system:masters");
    c->identity = (struct tls_identity){ .verified = true,
                                         .shown = true,
                                         .common_name = str_from(c->user),
                                         .organizations = &c->group,
                                         .organization_count = 1 };
    c->peer = (struct http_peer){ .address = "local", .tls = true, .identity = &c->identity };
    c->next = l->server->locals;
    l->server->locals = c;
    return &c->base;
}

struct client *apiserver_local_client(struct apiserver *s, struct env_loop *loop, const char *user)
{
    for (size_t i = 0; i < s->loops_count; i++) {
        if (s->loops[i].loop == loop) {
            return local_client_new(&s->loops[i], user);
        }
    }
    for (struct local_client *c = s->locals; c != NULL; c = c->next) {
        if (c->base.loop == loop) {
            return local_client_new(c->loop, user);
        }
    }
    struct api_loop *own = mem_alloc(sizeof(*own));
    api_loop_init(own, s, loop);
    struct client *client = local_client_new(own, user);
    ((struct local_client *)client)->owned = own;
    return client;
}

void local_clients_free(struct apiserver *s)
{
    while (s->locals != NULL) {
        struct local_client *c = s->locals;
        s->locals = c->next;
        if (c->owned != NULL) {
            api_loop_deinit(c->owned);
            mem_free(c->owned);
        }
        mem_free(c);
    }
}
