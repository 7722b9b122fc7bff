/*
 * Serving logs. One answer is one struct log_answer: a pool thread reads a piece of the file and
 * makes lines of it, the loop writes them out; the next piece is read when the peer has taken the
 * last one. At the file's end a follower looks again every FOLLOW_MS until the container has ended
 * and the file was read once more after that. The peer gone: what is on the pool ends first.
 */
#include "kubelet-lite/server.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env.h"
#include "base/log.h"
#include "kubelet-lite/log_lines.h"
#include "kubelet-lite/pods.h"
#include "kubelet-lite/streams.h"
#include "net/server.h"
#include "net/tls.h"

#define FOLLOW_MS     100
#define PIECE_BYTES   (64u << 10)
#define PEM_BYTES_MAX (1u << 20)
/* How far a tail is searched from the end of the file. */
#define TAIL_BYTES_MAX (256u << 20)

struct server {
    struct server_config config;
    struct http_server *http;
    struct tls_context *tls;
    struct streams streams;
    size_t answers; /* logs and streams under way */
    bool closing;
    bool http_closed;
    void (*closed)(void *ctx);
    void *ctx;
};

struct log_answer {
    struct server *server;
    struct http_exchange *x; /* NULL: the peer is gone */
    struct str namespace;    /* in arena, as the next two */
    struct str pod;
    struct str container;
    struct arena arena;
    struct pods_log log;
    struct log_reader reader;
    struct env_work work;
    struct env_timer timer;
    struct env_file *file;
    uint64_t offset;
    struct buf out;
    bool opened;
    bool at_end;
    bool last_look; /* the container had ended before this read */
    bool working;
    int status;
    struct err err;
};

/* ---- the pool's part ---- */

/* Where the last n lines begin. */
static int seek_tail(struct log_answer *l, uint64_t size)
{
    uint64_t lines = 0;
    uint64_t at = size;
    char *piece = arena_alloc(&l->arena, PIECE_BYTES);
    l->offset = size;
    if (l->reader.options.tail_lines == 0)
        return 0;
    while (at > 0 && size - at < TAIL_BYTES_MAX) {
        uint64_t step = at < PIECE_BYTES ? at : PIECE_BYTES;
        size_t got = 0;
        int rc = env_file_pread(l->file, at - step, piece, (size_t)step, &got, &l->err);
        if (rc != 0)
            return rc;
        for (size_t i = got; i > 0; i--) {
            /* The newline at the very end closes the last line. */
            if (piece[i - 1] != '\n' || at - step + i == size)
                continue;
            if (++lines == l->reader.options.tail_lines) {
                l->offset = at - step + i;
                return 0;
            }
        }
        at -= step;
    }
    l->offset = at;
    return 0;
}

static int open_file(struct log_answer *l)
{
    struct env_stat st;
    struct env *env = env_of(l->server->config.loop);
    int rc = env_file_open(env, l->log.path, ENV_FILE_READ, 0, &l->file, &l->err);
    if (rc == 0)
        rc = env_file_stat(l->file, &st, &l->err);
    if (rc == 0 && l->reader.options.has_tail)
        rc = seek_tail(l, st.size);
    l->opened = rc == 0;
    return rc;
}

static void on_pool(struct env_work *w)
{
    struct log_answer *l = container_of(w, struct log_answer, work);
    char piece[PIECE_BYTES / 4];
    l->status = l->opened ? 0 : open_file(l);
    l->at_end = false;
    while (l->status == 0 && l->out.len < PIECE_BYTES && !l->reader.full) {
        size_t got = 0;
        l->status = env_file_pread(l->file, l->offset, piece, sizeof piece, &got, &l->err);
        if (l->status == 0 && got == 0) {
            l->at_end = true;
            return;
        }
        l->offset += got;
        log_reader_feed(&l->reader, str_of(piece, got), &l->out);
    }
}

/* ---- the loop's part ---- */

static void server_maybe_gone(struct server *s)
{
    if (!s->closing || !s->http_closed || s->answers > 0)
        return;
    void (*closed)(void *) = s->closed;
    void *ctx = s->ctx;
    tls_context_unref(s->tls);
    mem_free(s);
    closed(ctx);
}

static void answer_free(struct log_answer *l)
{
    struct server *s = l->server;
    env_timer_deinit(&l->timer);
    env_file_close(l->file);
    log_reader_deinit(&l->reader);
    buf_deinit(&l->out);
    arena_deinit(&l->arena);
    mem_free(l);
    s->answers--;
    server_maybe_gone(s);
}

static void on_pool_done(struct env_work *w);

static void read_on(struct log_answer *l)
{
    struct pods_log now;
    if (l->x == NULL) {
        answer_free(l);
        return;
    }
    /* Asked before reading: what the container wrote until its end is in the file then. */
    l->last_look = !l->reader.options.follow || l->reader.options.previous ||
                   pods_log_path(l->server->config.pods, l->namespace, l->pod, l->container, false,
                                 &now, NULL) != 0 ||
                   strcmp(now.path, l->log.path) != 0 || !now.running;
    l->working = true;
    env_work(l->server->config.loop, &l->work, on_pool, on_pool_done);
}

static void on_timer(struct env_timer *t)
{
    read_on(container_of(t, struct log_answer, timer));
}

static void fail(struct http_exchange *x, int status, const struct err *e)
{
    http_reply(x, err_http_status(status), "text/plain", str_from(e->msg));
}

static void on_pool_done(struct env_work *w)
{
    struct log_answer *l = container_of(w, struct log_answer, work);
    l->working = false;
    if (l->x == NULL) {
        answer_free(l);
        return;
    }
    if (l->status != 0) {
        if (http_responded(l->x))
            http_reset(l->x, l->status);
        else
            fail(l->x, l->status, &l->err);
        return;
    }
    if (!http_responded(l->x)) {
        const struct http_header headers[] = { { STR("content-type"), STR("text/plain") } };
        l->x->stalls = HTTP_STALLS_MAY; /* a person reads it */
        http_respond(l->x, 200, headers, 1);
    }
    if (l->out.len > 0) {
        http_write(l->x, buf_str(&l->out));
        buf_clear(&l->out);
    }
    if (l->reader.full || (l->at_end && l->last_look))
        http_end(l->x);
    else if (l->at_end)
        env_timer_start(&l->timer, FOLLOW_MS);
    else if (http_queued(l->x) < HTTP_QUEUE_HIGH_BYTES)
        read_on(l);
    /* Otherwise drained goes on. */
}

static void on_drained(struct http_exchange *x)
{
    struct log_answer *l = x->user;
    if (!l->working && !env_timer_active(&l->timer))
        read_on(l);
}

static void on_closed(struct http_exchange *x, int status)
{
    struct log_answer *l = x->user;
    (void)status;
    l->x = NULL;
    if (!l->working)
        answer_free(l);
}

/* ---- requests ---- */

static bool segment(struct arena *a, struct str *rest, struct str *out)
{
    struct str raw;
    return str_split(rest, '/', &raw) && raw.len > 0 &&
           http_percent_decode(a, raw, false, out) == 0;
}

static void serve_logs(struct server *s, struct http_exchange *x, struct str rest)
{
    static const struct http_exchange_events events = { .drained = on_drained,
                                                        .closed = on_closed };
    struct err e = { 0 };
    struct str namespace;
    struct str pod;
    struct str container;
    struct log_options options;
    struct pods_log log;
    if (!segment(&x->arena, &rest, &namespace) || !segment(&x->arena, &rest, &pod) ||
        !segment(&x->arena, &rest, &container) || rest.len > 0) {
        http_reply(x, 404, "text/plain", str_lit("404 page not found\n"));
        return;
    }
    int64_t now_s = (int64_t)(env_wall_ns(env_of(s->config.loop)) / ENV_S);
    int rc = log_options_parse(&x->arena, x->query, now_s, &options, &e);
    if (rc == 0)
        rc = pods_log_path(s->config.pods, namespace, pod, container, options.previous, &log, &e);
    if (rc != 0) {
        fail(x, rc, &e);
        return;
    }
    struct log_answer *l = mem_alloc(sizeof *l);
    l->server = s;
    l->x = x;
    l->log = log;
    arena_init(&l->arena);
    l->namespace = str_copy(&l->arena, namespace);
    l->pod = str_copy(&l->arena, pod);
    l->container = str_copy(&l->arena, container);
    log_reader_init(&l->reader, &options);
    buf_init(&l->out);
    env_timer_init(s->config.loop, &l->timer, on_timer);
    x->events = &events;
    x->user = l;
    s->answers++;
    read_on(l);
}

static void on_stream_ended(void *ctx)
{
    struct server *s = ctx;
    s->answers--;
    server_maybe_gone(s);
}

static void on_request(void *ctx, struct http_exchange *x)
{
    struct server *s = ctx;
    const struct str logs = STR("/containerLogs/");
    x->events = &http_events_none;
    if (!x->peer->identity->verified) {
        http_reply(x, 401, "text/plain", str_lit("Unauthorized"));
        return;
    }
    bool stream = streams_path(x->path);
    if (stream && (str_eq_c(x->method, "GET") || str_eq_c(x->method, "POST")))
        s->answers += streams_serve(&s->streams, x);
    else if (!str_eq_c(x->method, "GET") && !str_eq_c(x->method, "HEAD"))
        http_reply(x, 405, "text/plain", str_lit("Method Not Allowed"));
    else if (str_eq_c(x->path, "/healthz"))
        http_reply(x, 200, "text/plain", str_lit("ok"));
    else if (str_starts(x->path, logs))
        serve_logs(s, x, str_slice(x->path, logs.len, x->path.len));
    else
        http_reply(x, 404, "text/plain", str_lit("404 page not found\n"));
}

/* ---- life ---- */

static int make_tls(struct server *s, struct err *e)
{
    static const char *const alpn[] = { "h2", "http/1.1", NULL };
    struct arena a;
    struct str ca = { 0 };
    struct str cert = { 0 };
    struct str key = { 0 };
    struct env *env = env_of(s->config.loop);
    arena_init(&a);
    int rc = env_file_read(env, &a, s->config.client_ca, PEM_BYTES_MAX, &ca, e);
    if (rc == 0)
        rc = env_file_read(env, &a, s->config.tls_cert, PEM_BYTES_MAX, &cert, e);
    if (rc == 0)
        rc = env_file_read(env, &a, s->config.tls_key, PEM_BYTES_MAX, &key, e);
    if (rc == 0) {
        s->tls = tls_server_context_new(
            &(struct tls_options){
                .certificate_pem = cert, .key_pem = key, .ca_pem = ca, .alpn = alpn },
            e);
        rc = s->tls != NULL ? 0 : -(int)e->code;
    }
    arena_deinit(&a);
    return rc;
}

int server_open(const struct server_config *config, struct server **out, struct err *e)
{
    struct server *s = mem_alloc(sizeof *s);
    s->config = *config;
    s->streams = (struct streams){ .loop = config->loop,
                                   .pods = config->pods,
                                   .cri = config->cri,
                                   .ended = on_stream_ended,
                                   .ctx = s };
    int rc = make_tls(s, e);
    if (rc == 0)
        rc = http_server_open(
            config->loop,
            &(struct http_server_options){
                .address = config->address, .tls = s->tls, .handler = on_request, .ctx = s },
            &s->http, e);
    if (rc != 0) {
        tls_context_unref(s->tls);
        mem_free(s);
        return rc;
    }
    *out = s;
    return 0;
}

static void on_http_closed(void *ctx)
{
    struct server *s = ctx;
    s->http_closed = true;
    server_maybe_gone(s);
}

void server_close(struct server *s, void (*closed)(void *ctx), void *ctx)
{
    s->closing = true;
    s->closed = closed;
    s->ctx = ctx;
    http_server_close(s->http, 0, on_http_closed, s);
}
