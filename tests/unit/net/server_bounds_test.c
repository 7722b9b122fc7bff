/* What a server lets a peer keep of it: time for a head, answers that nobody takes, connections. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/metrics.h"
#include "net/server.h"
#include "tests/unit/net/world.h"
#include "tests/unit/unit.h"

#define ANSWER_BYTES (3u << 20)
#define PEERS_MAX    8

/* ---- peers that speak for themselves ---- */

struct peer {
    struct env_connect connect;
    struct env_stream *stream;
    struct buf got;
    bool ended;
    bool reads;
};

static void peer_data(void *ctx, struct str bytes)
{
    struct peer *p = ctx;
    buf_append_str(&p->got, bytes);
}

static void peer_end(void *ctx, int status)
{
    struct peer *p = ctx;
    (void)status;
    p->ended = true;
    env_stream_close(p->stream);
    p->stream = NULL;
}

static void peer_closed(void *ctx)
{
    (void)ctx;
}

static void peer_connected(struct env_connect *c, struct env_stream *s, int status)
{
    static const struct env_stream_events events = { .data = peer_data,
                                                     .end = peer_end,
                                                     .closed = peer_closed };
    struct peer *p = container_of(c, struct peer, connect);
    assert_int_equal(status, 0);
    p->stream = s;
    env_stream_start(s, &events, p);
    if (!p->reads)
        env_stream_pause(s);
}

static void peer_open(struct world *w, struct peer *p, bool reads)
{
    buf_init(&p->got);
    p->reads = reads;
    env_connect(w->client_loop, &p->connect, "m1:api", 0, peer_connected);
    world_run(w, 20);
    assert_true(p->stream != NULL || p->ended);
}

static void peer_say(struct world *w, struct peer *p, struct str bytes)
{
    env_stream_write(p->stream, bytes);
    world_run(w, 20);
}

static void peer_deinit(struct peer *p)
{
    if (p->stream != NULL)
        env_stream_close(p->stream);
    p->stream = NULL;
    buf_deinit(&p->got);
}

#define ASK(path) str_lit("GET " path " HTTP/1.1\r\nhost: a\r\n\r\n")

/* ---- the server ---- */

static struct http_exchange *streams[PEERS_MAX];
static size_t stream_count;
static int last_status;

static void on_closed(struct http_exchange *x, int status)
{
    last_status = status;
    for (size_t i = 0; i < stream_count; i++) {
        if (streams[i] == x)
            streams[i] = NULL;
    }
}

/* /much and /page are complete at once, and /page may be read with pauses; /watch and /log go on,
 * and only the first one must be read; /keep waits for its body. */
static void handler(void *ctx, struct http_exchange *x)
{
    static const struct http_exchange_events events = { .closed = on_closed };
    static char body[ANSWER_BYTES];
    (void)ctx;
    x->events = &events;
    x->stalls = str_eq_c(x->path, "/watch")  ? HTTP_STALLS_CUT
                : str_eq_c(x->path, "/page") ? HTTP_STALLS_MAY
                                             : HTTP_STALLS_END;
    if (str_eq_c(x->path, "/keep"))
        return;
    if (str_eq_c(x->path, "/small")) {
        http_reply(x, 200, "text/plain", str_lit("small"));
        return;
    }
    http_respond(x, 200, NULL, 0);
    http_write(x, str_of(body, sizeof(body)));
    if (str_eq_c(x->path, "/much") || str_eq_c(x->path, "/page")) {
        http_end(x);
    } else {
        assert_true(stream_count < PEERS_MAX);
        streams[stream_count++] = x;
    }
}

/* A world whose server has these limits; 0: what they are. */
static struct world *bounded(enum world_kind kind, struct http_server_options o)
{
    struct world *w = world_new(kind, handler, NULL);
    stream_count = 0;
    world_close_server(w, 0);
    world_run(w, 100);
    o.address = "m1:api";
    o.tls = w->server_tls;
    o.handler = handler;
    assert_int_equal(http_server_open(w->server_loop, &o, &w->server, NULL), 0);
    return w;
}

static const struct http_server_options usual = { 0 };

/* ---- heads ---- */

/* A byte a second of the second request's head: the time for it began with its first byte. */
static void test_a_head_has_its_time(void **state)
{
    struct world *w = bounded(WORLD_HTTP1, usual);
    struct peer p = { 0 };
    (void)state;
    peer_open(w, &p, true);
    peer_say(w, &p, ASK("/small"));
    assert_true(str_ends(buf_str(&p.got), str_lit("small")));
    size_t got = p.got.len;
    world_run(w, 2 * HTTP_SERVER_HANDSHAKE_MS); /* nothing has begun: no time runs */
    assert_false(p.ended);
    struct str slow = ASK("/small");
    size_t sent = 0;
    for (; !p.ended && sent < slow.len; sent++) {
        peer_say(w, &p, str_slice(slow, sent, sent + 1));
        world_run(w, 980);
    }
    assert_true(p.ended);
    assert_in_range(sent, HTTP_SERVER_HANDSHAKE_MS / 1000, HTTP_SERVER_HANDSHAKE_MS / 1000 + 1);
    assert_int_equal(p.got.len, got); /* upstream says nothing either */
    assert_int_equal(http_server_connections(w->server), 0);
    peer_deinit(&p);
    world_free(w);
}

/* The same in HTTP/2, whose head is in pieces: HEADERS without END_HEADERS. */
static void test_half_a_header_block_has_its_time(void **state)
{
    static const char head[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
                               "\0\0\1\1\0\0\0\0\1\x82";
    struct world *w = bounded(WORLD_HTTP2, usual);
    struct peer p = { 0 };
    (void)state;
    peer_open(w, &p, true);
    peer_say(w, &p, str_of(head, sizeof(head) - 1));
    for (uint64_t ms = 0; ms < HTTP_SERVER_HANDSHAKE_MS && !p.ended; ms += 1000) {
        peer_say(w, &p, str_of("\0\0\0\x9\0\0\0\0\1", 9)); /* an empty CONTINUATION */
        world_run(w, 980);
    }
    world_run(w, 1000);
    assert_true(p.ended);
    assert_int_equal(http_server_connections(w->server), 0);
    peer_deinit(&p);
    world_free(w);
}

/* A target as long as a script in kubectl's exec is served, and while it comes it counts. */
static void test_heads_count(void **state)
{
    struct world *w = bounded(WORLD_HTTP1, usual);
    struct peer p = { 0 };
    static char much[HTTP_URI_BYTES_MAX - 100];
    (void)state;
    memset(much, 'a', sizeof(much));
    peer_open(w, &p, true);
    peer_say(w, &p, str_lit("GET /small?"));
    assert_true(http_server_held(w->server) < 100);
    peer_say(w, &p, str_of(much, sizeof(much)));
    world_run(w, 200);
    assert_true(http_server_held(w->server) >= sizeof(much));
    peer_say(w, &p, str_lit(" HTTP/1.1\r\nhost: a\r\n\r\n"));
    world_run(w, 2 * HTTP_SERVER_TICK_MS);
    assert_true(str_starts(buf_str(&p.got), str_lit("HTTP/1.1 200 ")));
    assert_int_equal(http_server_held(w->server), 0);
    peer_deinit(&p);
    world_free(w);
}

/* Over HTTP/2 the peer has said how long a head it takes: more is not sent, and the connection goes
 * on. */
static void test_a_head_that_is_too_long(void **state)
{
    struct world *w = bounded(WORLD_HTTP2, usual);
    (void)state;
    for (size_t bytes = 8; bytes < 128u << 10; bytes *= 16) {
        struct world_call c = { 0 };
        struct buf target;
        buf_init(&target);
        buf_append_c(&target, "/small?");
        while (target.len < bytes)
            buf_append_byte(&target, '~'); /* Huffman's code makes it longer */
        buf_append_byte(&target, '\0');
        world_send(w, &c, "GET", (const char *)target.data);
        world_run(w, 200);
        assert_int_equal(c.done, 1);
        assert_int_equal(c.status, bytes < 60u << 10 ? 0 : -ERR_LIMIT);
        world_call_deinit(&c);
        buf_deinit(&target);
    }
    assert_int_equal(http_server_connections(w->server), 1);
    world_free(w);
}

/* One that comes all the same, from a client that did not wait for the SETTINGS: the connection
 * ends, and says why. */
static void test_a_field_that_is_too_long(void **state)
{
    static const char head[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
                               "\0\0\5\1\5\0\0\0\1\4\x7f\xa1\x8c\6"; /* :path of 100000 */
    struct world *w = bounded(WORLD_HTTP2, usual);
    struct peer p = { 0 };
    (void)state;
    peer_open(w, &p, true);
    peer_say(w, &p, str_of(head, sizeof(head) - 1));
    world_run(w, 100);
    ptrdiff_t at = str_find(buf_str(&p.got), str_lit("longer than 64 KiB"));
    assert_true(at > 0);
    assert_int_equal(at + (ptrdiff_t)strlen("longer than 64 KiB"), p.got.len);
    peer_deinit(&p);
    world_run(w, 1000);
    assert_int_equal(http_server_connections(w->server), 0);
    world_free(w);
}

/* ---- answers that nobody takes ---- */

static void stalling(enum world_kind kind, const char *path, bool cut)
{
    struct world *w = bounded(kind, usual);
    struct world_call c = { .streamed = true };
    world_send(w, &c, "GET", path);
    http_request_pause(&c.r);
    world_run(w, HTTP_STALL_MS - HTTP_SERVER_TICK_MS);
    assert_true(http_server_held(w->server) > 0);
    world_run(w, 3 * HTTP_SERVER_TICK_MS);
    assert_int_equal(http_server_held(w->server) == 0, cut);
    world_run(w, 10 * HTTP_STALL_MS);
    http_request_resume(&c.r);
    world_run(w, 5000);
    assert_int_equal(c.got.len == ANSWER_BYTES, !cut);
    if (cut)
        assert_true(c.done && c.status < 0);
    else if (!c.done)
        http_request_cancel(&c.r);
    world_run(w, 100);
    world_call_deinit(&c);
    world_free(w);
}

static void test_who_stalls_is_cut_as_asked(void **state)
{
    (void)state;
    for (int kind = 0; kind < WORLD_KINDS; kind++) {
        stalling((enum world_kind)kind, "/much", true);
        stalling((enum world_kind)kind, "/watch", true);
        stalling((enum world_kind)kind, "/log", false);
        stalling((enum world_kind)kind, "/page", false);
    }
}

/* A little at a time is a pace, below it is a stall. */
static void test_the_pace_that_is_asked(void **state)
{
    struct world *w = bounded(WORLD_HTTP1, usual);
    struct peer p = { 0 };
    (void)state;
    peer_open(w, &p, false);
    peer_say(w, &p, ASK("/much"));
    for (uint64_t ms = 0; ms < 4 * HTTP_STALL_MS && !p.ended; ms += HTTP_STALL_MS / 3) {
        env_stream_resume(p.stream);
        world_run(w, 1); /* what the link had in it */
        if (p.stream != NULL)
            env_stream_pause(p.stream);
        world_run(w, HTTP_STALL_MS / 3);
    }
    assert_false(p.ended);
    peer_deinit(&p);
    world_free(w);
}

/* ---- too much in all ---- */

static int64_t held_metric(void)
{
    for (struct metric *const *m = http_server_metrics; *m != NULL; m++) {
        if (strcmp((*m)->name, "http_server_held_bytes") == 0)
            return metric_value(*m);
    }
    return -1;
}

/* The sum is bounded soon, by those who do not read; who does is not touched. */
static void test_the_sum_is_bounded(void **state)
{
    struct world *w =
        bounded(WORLD_HTTP1,
                (struct http_server_options){ .held_bytes_high = ANSWER_BYTES + ANSWER_BYTES / 2,
                                              .held_bytes_max = 4 * ANSWER_BYTES });
    struct peer reader = { 0 };
    struct peer p[PEERS_MAX] = { 0 };
    (void)state;
    peer_open(w, &reader, true);
    for (size_t i = 0; i < PEERS_MAX; i++) {
        peer_open(w, &p[i], false);
        peer_say(w, &p[i], ASK("/much"));
        assert_true(http_server_held(w->server) <= 4 * ANSWER_BYTES);
    }
    assert_int_equal(held_metric(), http_server_held(w->server));
    peer_say(w, &reader, ASK("/much"));
    world_run(w, HTTP_SERVER_TICK_MS + HTTP_SERVER_PRESSED_MS + HTTP_SERVER_TICK_MS);
    assert_true(http_server_held(w->server) <= ANSWER_BYTES + ANSWER_BYTES / 2);
    assert_true(reader.got.len > ANSWER_BYTES);
    assert_false(reader.ended);
    world_run(w, 2 * HTTP_STALL_MS);
    assert_int_equal(http_server_held(w->server), 0);
    assert_int_equal(held_metric(), 0);
    assert_int_equal(http_server_connections(w->server), 1);
    for (size_t i = 0; i < PEERS_MAX; i++)
        peer_deinit(&p[i]);
    peer_deinit(&reader);
    world_free(w);
}

/* Whoever stops in the middle of a head goes before any client that is being answered. */
static void test_heads_go_before_answers(void **state)
{
    static char much[HTTP_URI_BYTES_MAX - 100];
    struct world *w = bounded(
        WORLD_HTTP1, (struct http_server_options){ .held_bytes_high = ANSWER_BYTES + sizeof(much),
                                                   .held_bytes_max = ANSWER_BYTES + sizeof(much) });
    struct peer client = { 0 };
    struct peer p[3] = { 0 };
    (void)state;
    memset(much, 'a', sizeof(much));
    peer_open(w, &client, false);
    peer_say(w, &client, ASK("/log")); /* a little of it is in the kernel */
    for (size_t i = 0; i < 3; i++) {
        peer_open(w, &p[i], true);
        peer_say(w, &p[i], str_lit("GET /small?"));
        peer_say(w, &p[i], str_of(much, sizeof(much)));
    }
    world_run(w, 2 * HTTP_SERVER_TICK_MS);
    assert_true(p[0].ended || p[1].ended || p[2].ended);
    assert_true(http_server_held(w->server) <= ANSWER_BYTES + sizeof(much));
    assert_non_null(streams[0]);
    world_run(w, HTTP_SERVER_HANDSHAKE_MS);
    assert_non_null(streams[0]);
    assert_int_equal(http_server_connections(w->server), 1);
    for (size_t i = 0; i < 3; i++)
        peer_deinit(&p[i]);
    peer_deinit(&client);
    world_free(w);
}

/* Streams of one connection count together; the connection goes as a whole. */
static void test_streams_count_together(void **state)
{
    struct world *w = bounded(WORLD_TLS_HTTP2,
                              (struct http_server_options){ .held_bytes_high = 2 * ANSWER_BYTES });
    struct world_call c[PEERS_MAX] = { 0 };
    (void)state;
    for (size_t i = 0; i < PEERS_MAX; i++) {
        c[i].streamed = true;
        world_send(w, &c[i], "GET", "/log");
        http_request_pause(&c[i].r);
    }
    world_run(w, 500);
    assert_true(http_server_held(w->server) > 4 * ANSWER_BYTES);
    world_run(w, 5000);
    assert_int_equal(http_server_held(w->server), 0);
    assert_int_equal(last_status, -ERR_LIMIT);
    for (size_t i = 0; i < PEERS_MAX; i++) {
        http_request_resume(&c[i].r);
        world_run(w, 100);
        assert_int_equal(c[i].done, 1);
        assert_true(c[i].status < 0);
        world_call_deinit(&c[i]);
    }
    world_free(w);
}

/* A body that does not end is kept for its sender: it counts, until it is gone. */
static void test_bodies_count(void **state)
{
    (void)state;
    for (int kind = 0; kind < WORLD_KINDS; kind++) {
        struct world *w = bounded((enum world_kind)kind, usual);
        struct world_call c = { .r.streaming = true };
        char bytes[40000] = { 'b' };
        world_send(w, &c, "POST", "/keep");
        world_run(w, 100);
        http_request_write(&c.r, str_of(bytes, sizeof(bytes)));
        world_run(w, 100);
        assert_int_equal(http_server_held(w->server), sizeof(bytes));
        http_request_cancel(&c.r);
        world_run(w, 2 * HTTP_SERVER_TICK_MS);
        assert_int_equal(http_server_held(w->server), 0);
        world_call_deinit(&c);
        world_free(w);
    }
}

/* ---- connections ---- */

static void test_the_one_idle_for_longest_makes_room(void **state)
{
    struct world *w = bounded(WORLD_HTTP1, (struct http_server_options){ .connections_max = 3 });
    struct peer p[5] = { 0 };
    (void)state;
    for (size_t i = 0; i < 3; i++)
        peer_open(w, &p[i], true);
    peer_say(w, &p[0], ASK("/small")); /* was active last */
    peer_open(w, &p[3], true);
    peer_say(w, &p[3], ASK("/log"));
    assert_false(p[0].ended);
    assert_true(p[1].ended);
    assert_false(p[2].ended);
    peer_say(w, &p[0], ASK("/log"));
    peer_say(w, &p[2], ASK("/log"));
    peer_open(w, &p[4], true); /* all are at work */
    world_run(w, 20);
    assert_true(p[4].ended);
    assert_int_equal(http_server_connections(w->server), 3);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(p[i].ended, i == 1);
    for (size_t i = 0; i < 5; i++)
        peer_deinit(&p[i]);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_head_has_its_time),
        cmocka_unit_test(test_half_a_header_block_has_its_time),
        cmocka_unit_test(test_heads_count),
        cmocka_unit_test(test_a_head_that_is_too_long),
        cmocka_unit_test(test_a_field_that_is_too_long),
        cmocka_unit_test(test_who_stalls_is_cut_as_asked),
        cmocka_unit_test(test_the_pace_that_is_asked),
        cmocka_unit_test(test_the_sum_is_bounded),
        cmocka_unit_test(test_heads_go_before_answers),
        cmocka_unit_test(test_streams_count_together),
        cmocka_unit_test(test_bodies_count),
        cmocka_unit_test(test_the_one_idle_for_longest_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
