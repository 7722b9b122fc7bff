/* See the header. */
#include "tests/bench/watch_streams.h"

#include <stdio.h>
#include <string.h>

#define SCAN_BYTES (3 * MARKER_BYTES)

/* ---- markers ---- */

void watch_marker(char out[MARKER_BYTES + 1], uint32_t group, uint32_t number, uint64_t now_ns)
{
    snprintf(out, MARKER_BYTES + 1, "#%08x%08x%016llx#", group, number, (unsigned long long)now_ns);
}

static bool hex(const char *at, size_t digits, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = at[i];
        bool letter = c >= 'a' && c <= 'f';
        if (!letter && (c < '0' || c > '9'))
            return false;
        *out = *out << 4 | (uint64_t)(letter ? c - 'a' + 10 : c - '0');
    }
    return true;
}

static void take_marker(struct watcher *v, const char *at)
{
    struct watch_streams *w = v->all;
    uint64_t group;
    uint64_t number;
    uint64_t sent_ns;
    if (at[MARKER_BYTES - 1] != '#' || !hex(at + 1, 8, &group) || !hex(at + 9, 8, &number) ||
        !hex(at + 17, 16, &sent_ns) || group != v->group)
        return;
    if (number <= v->last) {
        w->twice++;
        return;
    }
    w->missed += number - v->last - 1;
    v->last = (uint32_t)number;
    w->delivered++;
    samples_add(&w->latency_us, (env_now_ns(w->bench->env) - sent_ns) / 1000);
}

/* Takes the markers that are whole; returns where what may be the begin of one begins. */
static size_t scan(struct watcher *v, const char *data, size_t len)
{
    size_t at = 0;
    while (at < len) {
        const char *found = memchr(data + at, '#', len - at);
        if (found == NULL)
            return len;
        at = (size_t)(found - data);
        if (len - at < MARKER_BYTES)
            return at;
        if (data[at + MARKER_BYTES - 1] == '#') {
            take_marker(v, data + at);
            at += MARKER_BYTES;
        } else {
            at++;
        }
    }
    return at;
}

static void keep(struct watcher *v, const char *data, size_t len)
{
    v->kept = len < MARKER_BYTES ? len : 0;
    if (v->kept > 0)
        memcpy(v->tail, data, v->kept);
}

static void take_bytes(struct watcher *v, struct str bytes)
{
    if (v->kept > 0) {
        char joined[SCAN_BYTES];
        size_t before = v->kept;
        size_t more = bytes.len < MARKER_BYTES - before ? bytes.len : MARKER_BYTES - before;
        memcpy(joined, v->tail, before);
        memcpy(joined + before, bytes.data, more);
        size_t rest = scan(v, joined, before + more);
        if (more == bytes.len) {
            keep(v, joined + rest, before + more - rest);
            return;
        }
        v->kept = 0;
        bytes = str_slice(bytes, rest >= before ? rest - before : 0, bytes.len);
    }
    size_t rest = scan(v, bytes.data, bytes.len);
    keep(v, bytes.data + rest, bytes.len - rest);
}

static void count_opened(struct watch_streams *w)
{
    if (++w->opened == w->count)
        w->all_opened(w);
}

/* ---- Gantry ---- */

static void on_response(struct http_request *r)
{
    struct watcher *v = r->user;
    if (r->status == 200 && !v->opened) {
        v->opened = true;
        count_opened(v->all);
    }
}

static void on_body(struct http_request *r, struct str bytes)
{
    take_bytes(r->user, bytes);
}

static void on_ended(struct http_request *r, int status)
{
    struct watcher *v = r->user;
    if (v->all->ended++ == 0)
        fprintf(stderr, "watch: a stream ended: %d %d\n", status, r->status);
}

static void open_http(struct watch_streams *w, size_t i)
{
    static const struct http_request_events events = { .response = on_response,
                                                       .body = on_body,
                                                       .done = on_ended };
    static const struct http_header headers[] = {
        { STR("accept"), STR("application/vnd.kubernetes.protobuf;stream=watch") }
    };
    struct watcher *v = &w->watchers[i];
    v->http.method = "GET";
    v->http.target = w->target(w, v->group);
    v->http.headers = headers;
    v->http.header_count = 1;
    v->http.events = &events;
    v->http.user = v;
    http_client_send(w->connections[i % w->connections_count].client, &v->http);
}

/* ---- etcd ---- */

/* WatchResponse{ watch_id 2, created 3, canceled 4, events 11 }; ids are the watcher's number + 1.
 */
static void on_watch_response(struct grpc_call *c, struct str bytes)
{
    struct watch_connection *connection = c->user;
    struct watch_streams *w = connection->all;
    struct reader r;
    uint64_t id = 0;
    reader_init(&r, bytes);
    while (reader_left(&r) > 0 && reader_ok(&r)) {
        uint64_t tag = reader_varint(&r);
        if ((tag & 7) == 2) {
            struct str field = reader_bytes(&r);
            if (tag >> 3 == 11 && id > 0 && id <= w->count)
                take_bytes(&w->watchers[id - 1], field);
            continue;
        }
        uint64_t value = reader_varint(&r);
        if (tag >> 3 == 2)
            id = value;
        if (tag >> 3 == 3 && value != 0)
            count_opened(w);
        if (tag >> 3 == 4 && value != 0)
            w->ended++;
    }
}

static void on_watch_done(struct grpc_call *c)
{
    struct watch_connection *connection = c->user;
    if (connection->all->ended++ == 0)
        fprintf(stderr, "watch: a stream ended: %s %.*s\n", grpc_code_name(c->code),
                STR_ARG(c->message));
}

/* WatchRequest{ create_request 1 { key 1, range_end 2, watch_id 7 } } */
static void send_create(struct watch_streams *w, size_t i)
{
    struct buf create;
    struct buf request;
    buf_init(&create);
    buf_init(&request);
    struct str prefix = w->target(w, w->watchers[i].group);
    struct buf end;
    buf_init(&end);
    buf_append_str(&end, str_slice(prefix, 0, prefix.len - 1));
    buf_append_c(&end, "0"); /* '/' + 1 */
    bench_field(&create, 1, prefix);
    bench_field(&create, 2, buf_str(&end));
    buf_put_varint(&create, 7 << 3);
    buf_put_varint(&create, i + 1);
    bench_field(&request, 1, buf_str(&create));
    grpc_call_send(&w->connections[i % w->connections_count].call, buf_str(&request));
    buf_deinit(&end);
    buf_deinit(&request);
    buf_deinit(&create);
}

static void open_grpc(struct watch_connection *c)
{
    static const struct grpc_call_events events = { .message = on_watch_response,
                                                    .done = on_watch_done };
    c->call.path = "/etcdserverpb.Watch/Watch";
    c->call.kind = GRPC_BIDI;
    c->call.events = &events;
    c->call.user = c;
    grpc_call_start(c->client, &c->call, str_lit(""));
}

void watch_streams_open(struct watch_streams *w)
{
    w->watchers = mem_alloc(w->count * sizeof w->watchers[0]);
    w->connections = mem_alloc(w->connections_count * sizeof w->connections[0]);
    for (size_t i = 0; i < w->connections_count; i++) {
        w->connections[i].all = w;
        w->connections[i].client = bench_connect(w->bench, i);
        if (w->bench->etcd)
            open_grpc(&w->connections[i]);
    }
    for (size_t i = 0; i < w->count; i++) {
        w->watchers[i].all = w;
        w->watchers[i].group = (uint32_t)(i % w->groups);
        if (w->bench->etcd)
            send_create(w, i);
        else
            open_http(w, i);
    }
}
