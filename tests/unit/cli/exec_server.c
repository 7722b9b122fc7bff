/* See the header. */
#include "tests/unit/cli/exec_server.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/env_uv.h"
#include "cli/ask.h"
#include "cli/flags.h"
#include "net/http.h"
#include "net/server.h"
#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

static void send_frame(struct http_exchange *x, uint8_t channel, struct str bytes)
{
    struct buf b;
    buf_init(&b);
    websocket_write(&b, WEBSOCKET_BINARY, true, str_of(&channel, 1), bytes, NULL);
    http_write(x, buf_str(&b));
    buf_deinit(&b);
}

static void finish(struct exec_server *s, struct http_exchange *x)
{
    struct buf b;
    buf_init(&b);
    s->over = true;
    if (s->end == EXEC_STATUS) {
        send_frame(x, 3, str_from(s->status));
        websocket_write_close(&b, WEBSOCKET_NORMAL, str_lit(""));
    } else if (s->end == EXEC_NONSENSE) {
        buf_append_c(&b, "\xff\xff\xff\xff");
    }
    http_write(x, buf_str(&b));
    buf_deinit(&b);
    http_end(x);
}

/* What was sent comes back: on stdout, and in capitals' stead twice on stderr. */
static void on_message(struct exec_server *s, struct http_exchange *x)
{
    struct str bytes = s->decoder.data;
    if (s->decoder.first) {
        s->channel = (uint8_t)bytes.data[0];
        bytes = str_slice(bytes, 1, bytes.len);
    }
    if (s->channel == 0) {
        buf_append_str(&s->input, bytes);
        send_frame(x, 1, bytes);
    } else if (s->channel == 4) {
        (void)snprintf(s->resize, sizeof s->resize, "%.*s", STR_ARG(bytes));
    } else if (s->channel == 255) {
        s->input_ended = true;
        send_frame(x, 2, str_lit("bye\n"));
        finish(s, x);
    }
}

static void on_tunnel(struct http_exchange *x, struct str bytes)
{
    struct exec_server *s = x->user;
    enum websocket_event event;
    while (!s->over && (event = websocket_decode(&s->decoder, &bytes)) != WEBSOCKET_EVENT_MORE) {
        if (event == WEBSOCKET_EVENT_DATA)
            on_message(s, x);
        else if (event == WEBSOCKET_EVENT_ERROR)
            finish(s, x);
    }
}

static void on_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
}

static void upgrade(struct exec_server *s, struct http_exchange *x)
{
    static const struct http_exchange_events events = { .body = on_tunnel, .closed = on_closed };
    struct err e;
    struct str key = http_headers_get(&x->headers, "sec-websocket-key");
    const struct http_header headers[] = {
        { str_lit("upgrade"), str_lit("websocket") },
        { str_lit("sec-websocket-accept"), websocket_accept(&x->arena, key) },
        { str_lit("sec-websocket-protocol"), str_lit("v5.channel.k8s.io") }
    };
    x->events = &events;
    (void)snprintf(s->target, sizeof s->target, "%.*s", STR_ARG(x->target));
    if (s->refusal != 0) {
        http_reply(x, s->refusal, "application/json",
                   str_lit(ACT_STATUS("BadRequest", "not this one")));
        return;
    }
    s->over = websocket_check(&x->headers, &e) != 0;
    websocket_decoder_deinit(&s->decoder);
    websocket_decoder_init(&s->decoder, true);
    assert_int_equal(http_upgrade(x, headers, 3), 0);
    if (s->output.len > 0)
        send_frame(x, 1, s->output);
    bool asked = str_find(x->target, str_lit("command=test&command=-d")) >= 0;
    if (!s->at_once && !asked)
        return;
    const char *status = s->status;
    if (asked)
        s->status = s->folder ? "{\"status\":\"Success\"}" : "{\"status\":\"Failure\"}";
    http_body_pause(x);
    finish(s, x);
    s->status = status;
}

static void serve(void *ctx, struct http_exchange *x)
{
    struct exec_server *s = ctx;
    x->user = s;
    if (str_ends(x->path, str_lit("/exec")) || str_ends(x->path, str_lit("/attach"))) {
        upgrade(s, x);
        return;
    }
    x->events = &http_events_none;
    http_reply(x, 200, "application/json",
               str_from(str_eq_c(x->path, "/api")    ? act_world_api
                        : str_eq_c(x->path, "/apis") ? act_world_apis
                                                     : s->pod));
}

void exec_server_reset(struct exec_server *s)
{
    s->status = "{\"status\":\"Success\"}";
    s->end = EXEC_STATUS;
    s->at_once = false;
    s->output = (struct str){ NULL, 0 };
    s->folder = false;
    s->refusal = 0;
    s->target[0] = '\0';
    s->resize[0] = '\0';
    s->input_ended = false;
    buf_clear(&s->input);
}

int exec_server_setup(void **state)
{
    struct exec_server *s = mem_alloc(sizeof *s);
    struct http_server_options o = { .address = "tcp:127.0.0.1:0", .handler = serve, .ctx = s };
    s->env = env_uv_new();
    s->loop = env_loop_new(s->env, "server");
    buf_init(&s->input);
    websocket_decoder_init(&s->decoder, true);
    exec_server_reset(s);
    assert_int_equal(http_server_open(s->loop, &o, &s->server, NULL), 0);
    (void)snprintf(s->address, sizeof s->address, "tcp:127.0.0.1:%d", http_server_port(s->server));
    env_loop_start(s->loop);
    s->cli.env = s->env;
    s->cli.loop = env_loop_new(s->env, "cli");
    s->cli.ns = str_lit("default");
    arena_init(&s->cli.arena);
    s->cli.servers[s->cli.servers_count++] = str_from(s->address);
    *state = s;
    return 0;
}

static void on_server_closed(void *ctx)
{
    env_loop_stop(((struct exec_server *)ctx)->loop);
}

static void close_server(struct env_msg *m)
{
    struct exec_server *s = container_of(m, struct exec_server, msg);
    http_server_close(s->server, 0, on_server_closed, s);
}

int exec_server_teardown(void **state)
{
    struct exec_server *s = *state;
    ask_end(&s->cli);
    env_loop_free(s->cli.loop);
    env_post(s->loop, &s->msg, close_server);
    env_loop_join(s->loop);
    env_loop_free(s->loop);
    websocket_decoder_deinit(&s->decoder);
    buf_deinit(&s->input);
    arena_deinit(&s->cli.arena);
    env_uv_free(s->env);
    mem_free(s);
    return 0;
}

/* ---- a verb ---- */

static int redirect(int fd, int to)
{
    int saved = dup(fd);
    assert_true(saved >= 0);
    assert_true(dup2(to, fd) >= 0);
    return saved;
}

static void restore(int fd, int saved)
{
    assert_true(dup2(saved, fd) >= 0);
    close(saved);
}

static void read_all(FILE *f, char out[EXEC_RUN_BYTES])
{
    rewind(f);
    out[fread(out, 1, EXEC_RUN_BYTES - 1, f)] = '\0';
    fclose(f);
}

void exec_server_run(struct exec_server *s, const struct verb *v, const char *const *words,
                     const char *input, struct exec_run *r)
{
    FILE *out = tmpfile();
    FILE *errors = tmpfile();
    int ends[2];
    int count = 0;
    while (words[count] != NULL)
        count++;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], input, strlen(input)), (ssize_t)strlen(input));
    close(ends[1]);
    (void)fflush(stdout);
    int saved[3] = { redirect(0, ends[0]), redirect(1, fileno(out)), redirect(2, fileno(errors)) };
    s->cli.objects = NULL;
    r->code = flags_act(&s->cli, v, count, (char **)(uintptr_t)words);
    (void)fflush(stderr);
    for (int i = 0; i < 3; i++)
        restore(i, saved[i]);
    close(ends[0]);
    read_all(out, r->out);
    read_all(errors, r->errors);
}
