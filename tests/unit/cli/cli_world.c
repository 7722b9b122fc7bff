/* See the header. */
#include "tests/unit/cli/cli_world.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/env_uv.h"
#include "cli/ask.h"
#include "cli/flags.h"
#include "net/http.h"
#include "net/server.h"
#include "tests/unit/unit.h"

static void on_end(struct http_exchange *x, int status)
{
    struct cli_world *w = x->user;
    size_t turn = w->asks < CLI_WORLD_ASKS ? w->asks++ : CLI_WORLD_ASKS - 1;
    size_t at = turn;
    (void)status;
    (void)snprintf(w->asked[turn], sizeof w->asked[turn], "%.*s %.*s %.*s", STR_ARG(x->method),
                   STR_ARG(x->target), (int)x->body.len, (const char *)x->body.data);
    if (strcmp(w->peer, x->peer->address) != 0)
        w->peers++;
    (void)snprintf(w->peer, sizeof w->peer, "%s", x->peer->address);
    while (at > 0 && w->answers[at].status == 0)
        at--;
    struct str bytes = w->answers[at].bytes;
    http_reply(x, w->answers[at].status, "application/json",
               bytes.len > 0 ? bytes : str_from(w->answers[at].body));
}

static void on_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
}

static void serve(void *ctx, struct http_exchange *x)
{
    static const struct http_exchange_events events = { .end = on_end, .closed = on_closed };
    x->events = &events;
    x->user = ctx;
}

int cli_world_setup(void **state)
{
    struct cli_world *w = mem_alloc(sizeof *w);
    struct http_server_options o = { .address = "tcp:127.0.0.1:0", .handler = serve, .ctx = w };
    w->env = env_uv_new();
    w->loop = env_loop_new(w->env, "server");
    assert_int_equal(http_server_open(w->loop, &o, &w->server, NULL), 0);
    (void)snprintf(w->address, sizeof w->address, "tcp:127.0.0.1:%d", http_server_port(w->server));
    env_loop_start(w->loop);
    w->cli.env = w->env;
    w->cli.loop = env_loop_new(w->env, "cli");
    arena_init(&w->cli.arena);
    w->cli.servers[w->cli.servers_count++] = str_from(w->address);
    w->cli.ns = str_lit("default");
    *state = w;
    return 0;
}

static void on_server_closed(void *ctx)
{
    env_loop_stop(((struct cli_world *)ctx)->loop);
}

static void close_server(struct env_msg *m)
{
    struct cli_world *w = container_of(m, struct cli_world, msg);
    http_server_close(w->server, 0, on_server_closed, w);
}

int cli_world_teardown(void **state)
{
    struct cli_world *w = *state;
    ask_end(&w->cli);
    env_loop_free(w->cli.loop);
    env_post(w->loop, &w->msg, close_server);
    env_loop_join(w->loop);
    env_loop_free(w->loop);
    arena_deinit(&w->cli.arena);
    env_uv_free(w->env);
    mem_free(w);
    return 0;
}

/* ---- what it prints ---- */

struct capture {
    FILE *file;
    FILE *stream;
    int saved;
};

static void capture_begin(struct capture *c, FILE *stream)
{
    (void)fflush(stream);
    c->stream = stream;
    c->file = tmpfile();
    assert_non_null(c->file);
    c->saved = dup(fileno(stream));
    assert_true(dup2(fileno(c->file), fileno(stream)) >= 0);
}

static void capture_end(struct capture *c, char out[CLI_WORLD_BYTES])
{
    (void)fflush(c->stream);
    (void)dup2(c->saved, fileno(c->stream));
    close(c->saved);
    rewind(c->file);
    size_t len = fread(out, 1, CLI_WORLD_BYTES - 1, c->file);
    out[len] = '\0';
    fclose(c->file);
}

void cli_world_reset(struct cli_world *w)
{
    memset(w->answers, 0, sizeof w->answers);
}

#define DISCOVERY                                                                                  \
    "{\"items\":[{\"metadata\":{\"name\":\"\"},\"versions\":[{\"version\":\"v1\",\"resources\":["  \
    "{\"resource\":\"configmaps\",\"singularResource\":\"configmap\",\"scope\":\"Namespaced\","    \
    "\"shortNames\":[\"cm\"],\"verbs\":[\"get\",\"list\"],\"responseKind\":{\"kind\":"             \
    "\"ConfigMap\"}}]}]}]}"

void cli_world_answer(struct cli_world *w, const char *one, const char *two)
{
    cli_world_reset(w);
    for (int i = 0; i < 4; i++)
        w->answers[i].status = 200;
    w->answers[0].body = DISCOVERY;
    w->answers[1].body = "{}";
    w->answers[2].body = one;
    w->answers[3].body = two;
}

int cli_world_run(struct cli_world *w, const struct verb *v, const char *const *words)
{
    struct capture out;
    struct capture errors;
    int count = 0;
    while (words[count] != NULL)
        count++;
    w->asks = 0;
    w->cli.objects = NULL;
    memset(w->asked, 0, sizeof w->asked);
    capture_begin(&out, stdout);
    capture_begin(&errors, stderr);
    char **argv = (char **)(uintptr_t)words;
    int code = v->act != NULL ? flags_act(&w->cli, v, count, argv) : v->run(&w->cli, count, argv);
    capture_end(&errors, w->errors);
    capture_end(&out, w->out);
    return code;
}
