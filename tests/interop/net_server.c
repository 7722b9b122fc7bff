/*
 * A server for the interop scripts: one address, plain or TLS, a few fixed answers.
 *
 *   net_server ADDRESS [CERTIFICATE KEY CLIENT-CA]
 *
 * Prints "ready PORT" and runs until SIGTERM.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "net/grpc.h"
#include "net/server.h"
#include "net/tls.h"
#include "tests/interop/net_echo.h"

#define BIG_BYTES  (8u << 20)
#define BIG_PIECE  (64u << 10)
#define FILE_BYTES (1u << 20)

static struct env_loop *main_loop;
static struct http_server *server;
static struct grpc_health *health;

static void ignore_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
}

/* Sends the body back when it is complete. */
static void echo_end(struct http_exchange *x, int status)
{
    if (status != 0)
        http_reply(x, 413, "text/plain", str_lit("too large\n"));
    else
        http_reply(x, 200, "application/octet-stream", buf_str(&x->body));
}

/* Writes as long as the queue is short, then waits for drained: user counts what is left. */
static void big_more(struct http_exchange *x)
{
    static char piece[BIG_PIECE];
    size_t *left = x->user;
    memset(piece, 'x', sizeof(piece));
    while (*left > 0 && http_queued(x) < HTTP_QUEUE_HIGH_BYTES) {
        http_write(x, str_of(piece, sizeof(piece)));
        *left -= sizeof(piece);
    }
    if (*left == 0)
        http_end(x);
}

static void who(struct http_exchange *x)
{
    const struct tls_identity *id = x->peer->identity;
    struct str organization = id->organization_count > 0 ? id->organizations[0] : str_lit("");
    struct str text = str_printf(&x->arena, "verified=%d cn=%.*s o=%.*s\n", id->verified,
                                 STR_ARG(id->common_name), STR_ARG(organization));
    http_reply(x, id->verified ? 200 : 401, "text/plain", text);
}

static void on_request(void *ctx, struct http_exchange *x)
{
    static const struct http_exchange_events plain = { .closed = ignore_closed };
    static const struct http_exchange_events echo = { .end = echo_end, .closed = ignore_closed };
    static const struct http_exchange_events big = { .drained = big_more, .closed = ignore_closed };
    (void)ctx;
    const struct grpc_service *services[] = { &net_echo_service, grpc_health_service(health) };
    if (grpc_serve(x, services, 2))
        return;
    x->events = &plain;
    if (str_eq_c(x->path, "/hello")) {
        http_reply(x, 200, "text/plain", str_lit("hello\n"));
    } else if (str_eq_c(x->path, "/who")) {
        who(x);
    } else if (str_eq_c(x->path, "/echo")) {
        x->events = &echo;
    } else if (str_eq_c(x->path, "/big")) {
        size_t *left = arena_new(&x->arena, size_t);
        *left = BIG_BYTES;
        x->user = left;
        x->events = &big;
        http_respond(x, 200, NULL, 0);
        big_more(x);
    } else {
        http_reply(x, 404, "text/plain", str_lit("not here\n"));
    }
}

static void on_closed(void *ctx)
{
    (void)ctx;
    env_loop_stop(main_loop);
}

static void on_terminate(void *ctx, int signal)
{
    (void)ctx;
    (void)signal;
    http_server_close(server, 1000, on_closed, NULL);
}

static struct tls_context *load_tls(struct env *env, struct arena *a, char **paths, struct err *e)
{
    static const char *const alpn[] = { "h2", "http/1.1", NULL };
    struct tls_options o = { .alpn = alpn };
    if (env_file_read(env, a, paths[0], FILE_BYTES, &o.certificate_pem, e) != 0 ||
        env_file_read(env, a, paths[1], FILE_BYTES, &o.key_pem, e) != 0 ||
        env_file_read(env, a, paths[2], FILE_BYTES, &o.ca_pem, e) != 0)
        return NULL;
    return tls_server_context_new(&o, e);
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 5) {
        fprintf(stderr, "usage: net_server ADDRESS [CERTIFICATE KEY CLIENT-CA]\n");
        return 2;
    }
    struct env *env = env_uv_new();
    struct err e = { 0 };
    struct arena a;
    arena_init(&a);
    health = grpc_health_new();
    grpc_health_set(health, "", true);
    grpc_health_set(health, "test.Echo", false);
    main_loop = env_loop_new(env, "main");
    struct http_server_options o = { .address = argv[1], .handler = on_request };
    if (argc == 5)
        o.tls = load_tls(env, &a, argv + 2, &e);
    if ((argc == 5 && o.tls == NULL) || http_server_open(main_loop, &o, &server, &e) != 0) {
        fprintf(stderr, "net_server: %s\n", e.msg);
        return 1;
    }
    env_on_terminate(main_loop, on_terminate, NULL);
    printf("ready %d\n", http_server_port(server));
    fflush(stdout);
    env_loop_run(main_loop);
    tls_context_unref(o.tls);
    grpc_health_free(health);
    env_loop_free(main_loop);
    env_uv_free(env);
    arena_deinit(&a);
    return 0;
}
