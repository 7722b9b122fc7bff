/*
 * Our gRPC client against somebody else's server of test.Echo: net_client ADDRESS.
 *
 * Runs one call after another, prints each outcome, ends with code 0 when all were as expected.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "base/list.h"
#include "net/grpc.h"

#define MESSAGES   100
#define BIG_BYTES  (3u << 20)
#define TIMEOUT_MS 5000

struct step {
    const char *name;
    const char *path;
    enum grpc_kind kind;
    struct str request;
    uint64_t timeout_ms;
    enum grpc_code want;
    size_t want_bytes; /* of all messages together */
    bool cancel;
};

static char big[BIG_BYTES];

static const struct step steps[] = {
    { "unary", "/test.Echo/Unary", GRPC_UNARY, STR("hello"), TIMEOUT_MS, GRPC_OK, 5, false },
    { "big unary",
      "/test.Echo/Unary",
      GRPC_UNARY,
      { big, BIG_BYTES },
      TIMEOUT_MS,
      GRPC_OK,
      BIG_BYTES,
      false },
    { "status", "/test.Echo/Unary", GRPC_UNARY, STR("fail"), TIMEOUT_MS, GRPC_NOT_FOUND, 0, false },
    { "client stream", "/test.Echo/Collect", GRPC_CLIENT_STREAM, STR("0123456789"), TIMEOUT_MS,
      GRPC_OK, 10 * MESSAGES, false },
    { "server stream",
      "/test.Echo/Repeat",
      GRPC_SERVER_STREAM,
      { big, 10000 },
      TIMEOUT_MS,
      GRPC_OK,
      10000000,
      false },
    { "bidi", "/test.Echo/Chat", GRPC_BIDI, STR("0123456789"), TIMEOUT_MS, GRPC_OK, 10 * MESSAGES,
      false },
    { "deadline", "/test.Echo/Slow", GRPC_UNARY, STR(""), 200, GRPC_DEADLINE_EXCEEDED, 0, false },
    { "cancel", "/test.Echo/Slow", GRPC_UNARY, STR(""), 0, GRPC_CANCELLED, 0, true },
    { "unknown", "/test.Echo/Nothing", GRPC_UNARY, STR(""), TIMEOUT_MS, GRPC_UNIMPLEMENTED, 0,
      false },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static struct env_loop *loop;
static struct http_client *client;
static struct grpc_call call;
static struct env_timer cancel_timer;
static size_t at;
static size_t bytes_seen;
static int bad;

static void start_step(void);

static void on_closed(void *ctx)
{
    (void)ctx;
    env_timer_deinit(&cancel_timer);
    env_loop_stop(loop);
}

static void on_message(struct grpc_call *c, struct str bytes)
{
    (void)c;
    bytes_seen += bytes.len;
}

static void on_done(struct grpc_call *c)
{
    const struct step *s = &steps[at];
    bool ok = c->code == s->want && bytes_seen == s->want_bytes;
    printf("%s %s: %s %.*s\n", ok ? "ok  " : "FAIL", s->name, grpc_code_name(c->code),
           STR_ARG(c->message));
    bad += !ok;
    if (++at < STEPS)
        start_step();
    else
        http_client_close(client, on_closed, NULL);
}

static void on_cancel(struct env_timer *t)
{
    (void)t;
    grpc_call_cancel(&call);
}

static void start_step(void)
{
    static const struct grpc_call_events events = { .message = on_message, .done = on_done };
    const struct step *s = &steps[at];
    bytes_seen = 0;
    call.path = s->path;
    call.kind = s->kind;
    call.timeout_ms = s->timeout_ms;
    call.events = &events;
    grpc_call_start(client, &call, s->request);
    if (s->kind == GRPC_CLIENT_STREAM || s->kind == GRPC_BIDI) {
        for (int i = 0; i < MESSAGES; i++)
            grpc_call_send(&call, s->request);
        grpc_call_end(&call);
    }
    if (s->cancel)
        env_timer_start(&cancel_timer, 100);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    struct env *env = env_uv_new();
    loop = env_loop_new(env, "main");
    struct http_client_options o = { .address = argv[1],
                                     .authority = "localhost",
                                     .protocol = HTTP_PROTOCOL_HTTP2 };
    client = http_client_new(loop, &o);
    env_timer_init(loop, &cancel_timer, on_cancel);
    start_step();
    env_loop_run(loop);
    grpc_call_deinit(&call);
    env_loop_free(loop);
    env_uv_free(env);
    return bad != 0;
}
