/* See the header. */
#include "cli/session.h"

#include <stdio.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/compose.h"
#include "cli/objects.h"
#include "cli/pods.h"

const struct flag session_rows[] = {
    { .name = "container",
      .letter = 'c',
      .at = offsetof(struct session_flags, container),
      .help = "The container; else the pod's first." },
    { .name = "stdin",
      .letter = 'i',
      .type = FLAG_BOOL,
      .at = offsetof(struct session_flags, in),
      .help = "Pass standard input to the container." },
    { .name = "tty",
      .letter = 't',
      .type = FLAG_BOOL,
      .at = offsetof(struct session_flags, tty),
      .help = "There is a terminal at the other end: use this one for it." },
    { .name = "quiet",
      .letter = 'q',
      .type = FLAG_BOOL,
      .at = offsetof(struct session_flags, quiet),
      .help = "Say nothing but what the container says." },
    { .name = "pod-running-timeout",
      .at = offsetof(struct session_flags, pod_running_timeout),
      .value = "1m0s",
      .help = "Taken for kubectl's sake; pods are not waited for." },
    { 0 }
};

static struct session *session_of_channels(struct channels *c)
{
    return container_of(c, struct session, channels);
}

static struct session *session_of_input(struct terminal_input *t)
{
    return container_of(t, struct session, input);
}

/* ---- from here to the container ---- */

static void session_bytes(struct terminal_input *t, struct str bytes)
{
    struct session *x = session_of_input(t);
    channels_write(&x->channels, CHANNEL_STDIN, bytes);
    if (channels_queued(&x->channels) > CHANNELS_QUEUE_BYTES)
        terminal_input_pause(t, true);
}

static void session_input_end(struct terminal_input *t)
{
    channels_end(&session_of_input(t)->channels, CHANNEL_STDIN);
}

static void send_size(struct session *x, unsigned columns, unsigned rows)
{
    struct str text = str_printf(&x->cli->arena, "{\"Width\":%u,\"Height\":%u}\n", columns, rows);
    channels_write(&x->channels, CHANNEL_RESIZE, text);
}

static void session_resized(struct terminal_input *t)
{
    struct session *x = session_of_input(t);
    uint16_t columns;
    uint16_t rows;
    if (!x->tty || !terminal_size(STDOUT_FILENO, &columns, &rows))
        return;
    if (x->redraw) /* a change, even where the window has the very size it was drawn for */
        send_size(x, columns + 1u, rows + 1u);
    x->redraw = false;
    send_size(x, columns, rows);
}

static void session_drained(struct channels *c)
{
    struct session *x = session_of_channels(c);
    if (x->reading)
        terminal_input_pause(&x->input, false);
}

static void finish(struct session *x)
{
    if (x->over && !x->reading)
        env_loop_stop(x->channels.loop);
}

static void session_input_stopped(struct terminal_input *t)
{
    struct session *x = session_of_input(t);
    x->reading = false;
    finish(x);
}

/* ---- from the container to here ---- */

static void session_data(struct channels *c, enum channel channel, struct str bytes)
{
    int fd = channel == CHANNEL_STDERR ? STDERR_FILENO : STDOUT_FILENO;
    if (terminal_write(fd, bytes))
        return;
    session_of_channels(c)->failed = true;
    channels_cancel(c);
}

static void session_opened(struct channels *c)
{
    struct session *x = session_of_channels(c);
    struct err e;
    int rc = x->tty ? terminal_raw(STDIN_FILENO, &e) : 0;
    x->input.loop = c->loop;
    x->input.fd = x->in ? STDIN_FILENO : -1;
    x->input.bytes = session_bytes;
    x->input.end = session_input_end;
    x->input.resized = session_resized;
    x->input.stopped = session_input_stopped;
    if (rc == 0)
        rc = terminal_input_start(&x->input, &e);
    x->reading = rc == 0;
    if (rc == 0) {
        session_resized(&x->input);
        return;
    }
    terminal_restore();
    (void)cli_error("%s", e.msg);
    x->failed = true;
    channels_cancel(c);
}

static void session_done(struct channels *c, int status)
{
    struct session *x = session_of_channels(c);
    (void)status; /* channels_tell knows it */
    x->over = true;
    terminal_restore();
    if (x->reading)
        terminal_input_stop(&x->input);
    finish(x);
}

/* ---- what is asked for ---- */

void session_streams(struct session *x, const struct session_flags *o)
{
    x->in = o->in;
    x->tty = o->in && o->tty;
    if (!x->tty || terminal_is(STDIN_FILENO))
        return;
    x->tty = false;
    if (!o->quiet)
        (void)fprintf(stderr, "Unable to use a TTY - input is not a terminal or the right kind of "
                              "file\n");
}

int session_container(struct cli *c, const struct session_flags *o, const struct json *pod,
                      const char *verb, struct str *out)
{
    struct str name = compose_text_in(pod, "metadata", "name");
    struct str phase = compose_text_in(pod, "status", "phase");
    struct str names = pods_container_names(c, pod);
    bool first = false;
    if (str_eq_c(phase, "Succeeded") || str_eq_c(phase, "Failed"))
        return cli_error("cannot %s a container in a completed pod; current phase is %.*s", verb,
                         STR_ARG(phase));
    *out = o->container != NULL ? str_from(o->container) : pods_default_container(pod, &first);
    if (o->container == NULL && pods_find_container(pod, *out) == NULL)
        return cli_error("container %.*s is not valid for pod %.*s out of: %.*s", STR_ARG(*out),
                         STR_ARG(name), STR_ARG(names));
    if (first && !o->quiet)
        (void)fprintf(stderr, "Defaulted container \"%.*s\" out of: %.*s\n", STR_ARG(*out),
                      STR_ARG(names));
    return CLI_OK;
}

const char *session_target(const struct session *x, const struct json *pod, const char *subresource,
                           struct str container, struct str more)
{
    struct cli *c = x->cli;
    return str_printf(&c->arena, "%s/%s?container=%.*s&stdout=true%s%s%.*s", pods_path(c, pod),
                      subresource, STR_ARG(objects_escape(c, container)),
                      x->in ? "&stdin=true" : "", x->tty ? "&tty=true" : "&stderr=true",
                      STR_ARG(more))
        .data;
}

int session_run(struct session *x, const char *target)
{
    struct channels *c = &x->channels;
    c->cli = x->cli;
    c->target = target;
    c->opened = session_opened;
    c->data = session_data;
    c->drained = session_drained;
    c->done = session_done;
    channels_run(c, "session");
    int rc = x->failed ? CLI_FAILED : channels_tell(c);
    channels_deinit(c);
    return rc;
}
