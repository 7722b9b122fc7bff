/* See the header. */
#include "cli/channels.h"

#include <stdio.h>

#include "api/schema/json.h"
#include "base/assert.h"
#include "cli/ask.h"
#include "cli/compose.h"

#define NOTHING_YET (-1)
/* A command's own codes end at 255. */
#define EXIT_CODE_MAX 255

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

static int tell_status(const struct json *status)
{
    struct str message = json_str(json_get_c(status, "message"));
    int64_t code = exit_code_of(status);
    if (str_eq_c(json_str(json_get_c(status, "status")), "Success"))
        return CLI_OK;
    if (!str_eq_c(json_str(json_get_c(status, "reason")), "NonZeroExitCode"))
        return cli_error("%.*s", STR_ARG(message));
    if (code < 0)
        return cli_error("error stream protocol error: no ExitCode cause given");
    (void)fprintf(stderr, "command terminated with exit code %lld\n", (long long)code);
    return (int)code;
}

int channels_code(struct channels *c)
{
    const struct json *status;
    bool said = json_parse(&c->cli->arena, buf_str(&c->text), &status, NULL) == 0;
    return said && str_eq_c(json_str(json_get_c(status, "status")), "Success") ? CLI_OK
                                                                               : CLI_FAILED;
}

int channels_tell(struct channels *c)
{
    const struct ask_answer answer = { .status = c->socket.http_status,
                                       .body = buf_str(&c->socket.refusal) };
    const struct json *status;
    if (answer.status == 0)
        return cli_error("Unable to connect to the server: %s", err_name(c->status));
    if (answer.status != 101)
        return ask_tell(c->cli, &answer);
    if (c->text.len > 0 && json_parse(&c->cli->arena, buf_str(&c->text), &status, NULL) == 0)
        return tell_status(status);
    return cli_error("the connection to the server was lost before the end of the command was "
                     "known");
}
