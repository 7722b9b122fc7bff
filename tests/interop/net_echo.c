/*
 * test.Echo: Unary answers its bytes ("fail" answers NOT_FOUND with a message that needs encoding),
 * Collect answers all bytes of the stream, Repeat answers its bytes a thousand times with
 * back-pressure, Chat answers every message, Slow never answers.
 */
#include "tests/interop/net_echo.h"

#include "base/arena.h"

#define REPEATS 1000

struct repeat {
    struct str bytes;
    int left;
};

static void on_unary(struct grpc_stream *s, struct str bytes)
{
    if (str_eq_c(bytes, "fail")) {
        grpc_stream_finish(s, GRPC_NOT_FOUND, str_lit("100% nicht da: \xc3\xa4\n"));
        return;
    }
    grpc_stream_send(s, bytes);
    grpc_stream_finish(s, GRPC_OK, (struct str){ 0 });
}

static void collect_open(struct grpc_stream *s)
{
    struct buf *all = arena_new(&s->x->arena, struct buf);
    buf_init(all);
    s->user = all;
}

static void collect_message(struct grpc_stream *s, struct str bytes)
{
    buf_append_str(s->user, bytes);
}

static void collect_half_close(struct grpc_stream *s)
{
    grpc_stream_send(s, buf_str(s->user));
    grpc_stream_finish(s, GRPC_OK, (struct str){ 0 });
}

static void collect_closed(struct grpc_stream *s, int status)
{
    (void)status;
    buf_deinit(s->user);
}

static void repeat_more(struct grpc_stream *s)
{
    struct repeat *r = s->user;
    while (r->left > 0 && grpc_stream_queued(s) < HTTP_QUEUE_HIGH_BYTES) {
        r->left--;
        grpc_stream_send(s, r->bytes);
    }
    if (r->left == 0)
        grpc_stream_finish(s, GRPC_OK, (struct str){ 0 });
}

static void on_repeat(struct grpc_stream *s, struct str bytes)
{
    struct repeat *r = arena_new(&s->x->arena, struct repeat);
    r->bytes = str_copy(&s->x->arena, bytes);
    r->left = REPEATS;
    s->user = r;
    repeat_more(s);
}

static void chat_message(struct grpc_stream *s, struct str bytes)
{
    grpc_stream_send(s, bytes);
}

static void chat_half_close(struct grpc_stream *s)
{
    grpc_stream_finish(s, GRPC_OK, (struct str){ 0 });
}

static void on_slow(struct grpc_stream *s, struct str bytes)
{
    (void)s;
    (void)bytes;
}

static const struct grpc_method methods[] = {
    { .path = "/test.Echo/Unary", .kind = GRPC_UNARY, .message = on_unary },
    { .path = "/test.Echo/Collect",
      .kind = GRPC_CLIENT_STREAM,
      .open = collect_open,
      .message = collect_message,
      .half_close = collect_half_close,
      .closed = collect_closed },
    { .path = "/test.Echo/Repeat",
      .kind = GRPC_SERVER_STREAM,
      .message = on_repeat,
      .drained = repeat_more },
    { .path = "/test.Echo/Chat",
      .kind = GRPC_BIDI,
      .message = chat_message,
      .half_close = chat_half_close },
    { .path = "/test.Echo/Slow", .kind = GRPC_UNARY, .message = on_slow },
};

const struct grpc_service net_echo_service = { .name = "test.Echo",
                                               .methods = methods,
                                               .method_count = 5 };
