/* See the header. */
#include "cli/channels.h"

#include <signal.h>

#include "api/schema/json.h"
#include "base/assert.h"
#include "cli/ask.h"
#include "cli/compose.h"

#define NOTHING_YET (-1)
/* A command's own codes end at 255. */
#define EXIT_CODE_MAX 255
#define NO_CODE       (-1)

static struct channels *channels_of(struct socket *s)
{
    return container_of(s, struct channels, socket);
}

/* ---- bytes ---- */

void channels_write(struct channels *c, enum channel channel, struct str bytes)
{
    uint8_t number = (uint8_t)channel;
    socket_write(&c->socket, str_of(&number, 1), bytes);
}

void channels_end(struct channels *c, enum channel channel)
{
    uint8_t number = (uint8_t)channel;
    channels_write(c, CHANNEL_CLOSE, str_of(&number, 1));
}

size_t channels_queued(const struct channels *c)
{
    return socket_queued(&c->socket);
}

static void on_data(struct socket *s, struct str bytes, bool first)
{
    struct channels *c = channels_of(s);
    if (first)
        c->channel = NOTHING_YET;
    if (c->channel == NOTHING_YET && bytes.len > 0) {
        c->channel = (uint8_t)bytes.data[0];
        bytes = str_slice(bytes, 1, bytes.len);
    }
    if (c->channel == CHANNEL_STATUS)
        buf_append_str(&c->text, str_slice(bytes, 0, CHANNELS_STATUS_BYTES_MAX - c->text.len));
    else if (bytes.len > 0 && (c->channel == CHANNEL_STDOUT || c->channel == CHANNEL_STDERR))
        c->data(c, (enum channel)c->channel, bytes);
}

/* ---- the connection ---- */

static void on_opened(struct socket *s)
{
    struct channels *c = channels_of(s);
    c->opened(c);
}

static void on_drained(struct socket *s)
{
    struct channels *c = channels_of(s);
    if (c->drained != NULL)
        c->drained(c);
}

static void on_done(struct socket *s, int status)
{
    struct channels *c = channels_of(s);
    c->status = status;
    c->done(c, status);
}

void channels_open(struct channels *c)
{
    buf_init(&c->text);
    c->channel = NOTHING_YET;
    c->socket = (struct socket){ .cli = c->cli,
                                 .loop = c->loop,
                                 .target = c->target,
                                 .protocol = "v5.channel.k8s.io",
                                 .opened = on_opened,
                                 .data = on_data,
                                 .drained = on_drained,
                                 .done = on_done };
    socket_open(&c->socket);
}

void channels_run(struct channels *c, const char *name)
{
    c->loop = env_loop_new(c->cli->env, name);
    (void)signal(SIGPIPE, SIG_IGN); /* a reader that has gone shows as a failed write */
    channels_open(c);
    env_loop_run(c->loop);
    env_loop_free(c->loop);
}

void channels_cancel(struct channels *c)
{
    socket_cancel(&c->socket);
}

void channels_deinit(struct channels *c)
{
    buf_deinit(&c->text);
    socket_deinit(&c->socket);
}

/* ---- how it ended ---- */

/* The cause that holds the exit code; -1: none does. */
static int64_t exit_code_of(const struct json *status)
{
    const struct json *causes = NULL;
    size_t count = compose_items(json_get_c(json_get_c(status, "details"), "causes"), &causes);
    uint64_t code;
    for (size_t i = 0; i < count; i++)
        if (str_eq_c(json_str(json_get_c(&causes[i], "reason")), "ExitCode") &&
            str_to_u64(json_str(json_get_c(&causes[i], "message")), &code) == 0 &&
            code <= EXIT_CODE_MAX)
            return (int64_t)code;
    return -1;
}

static int code_of_status(struct channels *c, const struct json *status, struct str *out_why)
{
    struct str message = json_str(json_get_c(status, "message"));
    int64_t code = exit_code_of(status);
    if (str_eq_c(json_str(json_get_c(status, "status")), "Success"))
        return CLI_OK;
    if (!str_eq_c(json_str(json_get_c(status, "reason")), "NonZeroExitCode"))
        *out_why = str_printf(&c->cli->arena, "error: %.*s", STR_ARG(message));
    else if (code < 0)
        *out_why = str_lit("error: error stream protocol error: no ExitCode cause given");
    else
        return (int)code;
    return NO_CODE;
}

bool channels_answered(const struct channels *c)
{
    return c->text.len > 0;
}

int channels_code(struct channels *c, struct str *out_why)
{
    struct arena *a = &c->cli->arena;
    const struct ask_answer answer = { .status = c->socket.http_status,
                                       .body = buf_str(&c->socket.refusal) };
    const struct json *status;
    if (answer.status == 0)
        *out_why = str_printf(a, "error: Unable to connect to the server: %s", err_name(c->status));
    else if (answer.status != 101 && ask_message(c->cli, &answer).len > 0)
        *out_why = ask_refused(c->cli, &answer);
    else if (answer.status != 101) /* a node's word, which is no Status */
        *out_why = str_printf(a, "error: unable to upgrade connection: %.*s",
                              STR_ARG(str_trim(answer.body)));
    else if (channels_answered(c) && json_parse(a, buf_str(&c->text), &status, NULL) == 0)
        return code_of_status(c, status, out_why);
    else
        *out_why = str_lit("error: the connection to the server was lost before the end of the "
                           "command was known");
    return NO_CODE;
}

int channels_tell(struct channels *c)
{
    struct str why;
    int code = channels_code(c, &why);
    if (code < 0)
        return cli_tell("%.*s", STR_ARG(why));
    if (code > 0)
        (void)cli_tell("command terminated with exit code %d", code);
    return code;
}
