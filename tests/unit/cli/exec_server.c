/* See the header. */
#include "tests/unit/cli/exec_server.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "cli/flags.h"
#include "net/http.h"
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
    struct str bytes = s->base.decoder.data;
    if (s->base.decoder.first) {
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
    struct exec_server *s = container_of(x->user, struct exec_server, base);
    enum websocket_event event;
    while (!s->over &&
           (event = websocket_decode(&s->base.decoder, &bytes)) != WEBSOCKET_EVENT_MORE) {
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

/* What cp asks before it copies is answered apart from the command. */
static bool answer_test(struct exec_server *s, struct http_exchange *x)
{
    const char *status = s->status;
    int refusal = s->base.refusal;
    if (str_find(x->target, str_lit("command=test&command=-d")) < 0)
        return false;
    s->base.refusal = s->test_refusal;
    if (pod_server_upgrade(&s->base, x)) {
        s->status = s->test;
        http_body_pause(x);
        finish(s, x);
        s->status = status;
    }
    s->base.refusal = refusal;
    return true;
}

static void answer(struct exec_server *s, struct http_exchange *x)
{
    if (!pod_server_upgrade(&s->base, x))
        return;
    s->over = false;
    if (s->errors.len > 0)
        send_frame(x, 2, s->errors);
    if (s->output.len > 0)
        send_frame(x, 1, s->output);
    if (!s->at_once)
        return;
    http_body_pause(x);
    finish(s, x);
}

static bool serve(struct pod_server *base, struct http_exchange *x)
{
    struct exec_server *s = container_of(base, struct exec_server, base);
    if (!str_ends(x->path, str_lit("/exec")) && !str_ends(x->path, str_lit("/attach")))
        return false;
    if (!answer_test(s, x))
        answer(s, x);
    return true;
}

void exec_server_reset(struct exec_server *s)
{
    pod_server_reset(&s->base);
    s->status = "{\"status\":\"Success\"}";
    s->end = EXEC_STATUS;
    s->at_once = false;
    s->output = (struct str){ NULL, 0 };
    s->errors = (struct str){ NULL, 0 };
    s->test = EXEC_EXIT("1");
    s->test_refusal = 0;
    s->resize[0] = '\0';
    s->input_ended = false;
    buf_clear(&s->input);
}

int exec_server_setup(void **state)
{
    static const struct http_exchange_events events = { .body = on_tunnel, .closed = on_closed };
    struct exec_server *s = mem_alloc(sizeof *s);
    s->base.protocol = "v5.channel.k8s.io";
    s->base.events = &events;
    s->base.serve = serve;
    buf_init(&s->input);
    pod_server_init(&s->base);
    pod_server_open(&s->base);
    exec_server_reset(s);
    *state = s;
    return 0;
}

int exec_server_teardown(void **state)
{
    struct exec_server *s = *state;
    pod_server_close(&s->base);
    buf_deinit(&s->input);
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
    s->base.cli.objects = NULL;
    r->code = flags_act(&s->base.cli, v, count, (char **)(uintptr_t)words);
    (void)fflush(stderr);
    for (int i = 0; i < 3; i++)
        restore(i, saved[i]);
    close(ends[0]);
    read_all(out, r->out);
    read_all(errors, r->errors);
}
