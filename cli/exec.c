/*
 * gantry exec: a command in a container, with our input and output, and its exit code.
 *
 * Input is read on the work pool and stops while the server does not take it; output is written as
 * it comes, and while the terminal does not take it nothing is read from the server. The terminal
 * is raw from the server's yes to its last word.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/channels.h"
#include "cli/compose.h"
#include "cli/pods.h"
#include "cli/terminal.h"

/* A command's own codes end at 255. */
#define EXIT_CODE_MAX 255

struct exec_options {
    const char *container;
    bool in;
    bool tty;
    bool quiet;
    const char *pod_running_timeout;
};

static const struct flag exec_flags[] = {
    { .name = "container",
      .letter = 'c',
      .at = offsetof(struct exec_options, container),
      .help = "The container; else the pod's first." },
    { .name = "stdin",
      .letter = 'i',
      .type = FLAG_BOOL,
      .at = offsetof(struct exec_options, in),
      .help = "Pass standard input to the command." },
    { .name = "tty",
      .letter = 't',
      .type = FLAG_BOOL,
      .at = offsetof(struct exec_options, tty),
      .help = "Give the command a terminal: this one." },
    { .name = "quiet",
      .letter = 'q',
      .type = FLAG_BOOL,
      .at = offsetof(struct exec_options, quiet),
      .help = "Say nothing but what the command says." },
    { .name = "pod-running-timeout",
      .at = offsetof(struct exec_options, pod_running_timeout),
      .value = "1m0s",
      .help = "Taken for kubectl's sake; pods are not waited for." },
    { 0 }
};

struct exec {
    struct cli *cli;
    struct channels channels;
    struct terminal_input input;
    bool in;
    bool tty;
    bool reading; /* the input was started, and has not stopped */
    bool over;    /* the server has said its last word */
    bool failed;  /* the input or the terminal could not be had, or nobody reads our output */
    int status;
};

static struct exec *exec_of_channels(struct channels *c)
{
    return container_of(c, struct exec, channels);
}

static struct exec *exec_of_input(struct terminal_input *t)
{
    return container_of(t, struct exec, input);
}

/* ---- from here to the command ---- */

static void exec_bytes(struct terminal_input *t, struct str bytes)
{
    struct exec *x = exec_of_input(t);
    channels_write(&x->channels, CHANNEL_STDIN, bytes);
    if (channels_queued(&x->channels) > CHANNELS_QUEUE_BYTES)
        terminal_input_pause(t, true);
}

static void exec_input_end(struct terminal_input *t)
{
    channels_end(&exec_of_input(t)->channels, CHANNEL_STDIN);
}

static void exec_resized(struct terminal_input *t)
{
    struct exec *x = exec_of_input(t);
    uint16_t columns;
    uint16_t rows;
    if (!x->tty || !terminal_size(STDOUT_FILENO, &columns, &rows))
        return;
    struct str text = str_printf(&x->cli->arena, "{\"Width\":%u,\"Height\":%u}\n",
                                 (unsigned)columns, (unsigned)rows);
    channels_write(&x->channels, CHANNEL_RESIZE, text);
}

static void exec_drained(struct channels *c)
{
    struct exec *x = exec_of_channels(c);
    if (x->reading)
        terminal_input_pause(&x->input, false);
}

static void finish(struct exec *x)
{
    if (x->over && !x->reading)
        env_loop_stop(x->channels.loop);
}

static void exec_input_stopped(struct terminal_input *t)
{
    struct exec *x = exec_of_input(t);
    x->reading = false;
    finish(x);
}

/* ---- from the command to here ---- */

static void exec_data(struct channels *c, enum channel channel, struct str bytes)
{
    int fd = channel == CHANNEL_STDERR ? STDERR_FILENO : STDOUT_FILENO;
    if (terminal_write(fd, bytes))
        return;
    exec_of_channels(c)->failed = true;
    channels_cancel(c);
}

static void exec_opened(struct channels *c)
{
    struct exec *x = exec_of_channels(c);
    struct err e;
    int rc = x->tty ? terminal_raw(STDIN_FILENO, &e) : 0;
    x->input.loop = c->loop;
    x->input.fd = x->in ? STDIN_FILENO : -1;
    x->input.bytes = exec_bytes;
    x->input.end = exec_input_end;
    x->input.resized = exec_resized;
    x->input.stopped = exec_input_stopped;
    if (rc == 0)
        rc = terminal_input_start(&x->input, &e);
    x->reading = rc == 0;
    if (rc == 0) {
        exec_resized(&x->input);
        return;
    }
    terminal_restore();
    (void)cli_error("%s", e.msg);
    x->failed = true;
    channels_cancel(c);
}

static void exec_done(struct channels *c, int status)
{
    struct exec *x = exec_of_channels(c);
    x->status = status;
    x->over = true;
    terminal_restore();
    if (x->reading)
        terminal_input_stop(&x->input);
    finish(x);
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

static int tell_end(struct exec *x)
{
    struct channels *c = &x->channels;
    const struct ask_answer answer = { .status = c->http_status, .body = buf_str(&c->text) };
    const struct json *status;
    if (x->failed)
        return CLI_FAILED;
    if (c->http_status == 0)
        return cli_error("Unable to connect to the server: %s", err_name(x->status));
    if (c->http_status != 101)
        return ask_tell(x->cli, &answer);
    if (c->text.len > 0 && json_parse(&x->cli->arena, buf_str(&c->text), &status, NULL) == 0)
        return tell_status(status);
    return cli_error("the connection to the server was lost before the end of the command was "
                     "known");
}

/* ---- the verb ---- */

static const char *target_of(struct exec *x, const struct json *pod, struct str container,
                             const struct words *w, size_t from)
{
    struct cli *c = x->cli;
    const struct objects_resource pods = { .group = str_lit(""),
                                           .version = str_lit("v1"),
                                           .plural = str_lit("pods"),
                                           .namespaced = true };
    struct buf b;
    buf_init(&b);
    buf_printf(&b, "%s/exec?container=%.*s&stdout=true",
               objects_path(c, &pods, compose_text_in(pod, "metadata", "namespace"),
                            compose_text_in(pod, "metadata", "name")),
               STR_ARG(objects_escape(c, container)));
    buf_append_c(&b, x->in ? "&stdin=true" : "");
    buf_append_c(&b, x->tty ? "&tty=true" : "&stderr=true");
    for (size_t i = from; i < w->count; i++)
        buf_printf(&b, "&command=%.*s", STR_ARG(objects_escape(c, str_from(w->items[i]))));
    const char *target = str_dup(&c->arena, buf_str(&b));
    buf_deinit(&b);
    return target;
}

static int find_container(struct exec *x, const struct exec_options *o, const struct json *pod,
                          struct str *out)
{
    struct str name = compose_text_in(pod, "metadata", "name");
    struct str phase = compose_text_in(pod, "status", "phase");
    struct str names = pods_container_names(x->cli, pod);
    bool first = false;
    if (str_eq_c(phase, "Succeeded") || str_eq_c(phase, "Failed"))
        return cli_error("cannot exec into a container in a completed pod; current phase is %.*s",
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

static void pick_streams(struct exec *x, const struct exec_options *o)
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

static int run(struct exec *x)
{
    struct channels *c = &x->channels;
    c->cli = x->cli;
    c->loop = env_loop_new(x->cli->env, "exec");
    c->opened = exec_opened;
    c->data = exec_data;
    c->drained = exec_drained;
    c->done = exec_done;
    (void)signal(SIGPIPE, SIG_IGN); /* a reader that has gone shows as a failed write */
    channels_open(c);
    env_loop_run(c->loop);
    env_loop_free(c->loop);
    int rc = tell_end(x);
    channels_deinit(c);
    return rc;
}

static int exec_act(struct cli *c, const void *options, const struct words *w)
{
    const struct exec_options *o = options;
    struct exec *x = arena_new(&c->arena, struct exec);
    struct str container;
    struct pods pods;
    x->cli = c;
    if (w->count == 0 || w->dash == 0)
        return cli_error("pod, type/name or --filename must be specified");
    if (w->dash < 0 && w->count > 1)
        return cli_error("exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- "
                         "[COMMAND] instead\nSee 'gantry exec -h' for help and examples");
    if (w->dash < 0 || (size_t)w->dash == w->count)
        return cli_error("you must specify at least one command for the container");
    if (w->dash > 1)
        return cli_error("exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- "
                         "[COMMAND] instead\nSee 'gantry exec -h' for help and examples");
    if (pods_of_word(c, w->items[0], PODS_FOR_EXEC, /* all */ false, &pods) != CLI_OK ||
        find_container(x, o, pods.items[0], &container) != CLI_OK)
        return CLI_FAILED;
    pick_streams(x, o);
    x->channels.target = target_of(x, pods.items[0], container, w, 1);
    return run(x);
}

const struct verb exec_verb = {
    .name = "exec",
    .summary = "run a command in a container",
    .help = "exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [ARG]...",
    .about = "Runs a command in a container and ends with its exit code.",
    .examples = "  gantry exec web-1 -- date\n"
                "  gantry exec -it web-1 -c httpd -- sh\n"
                "  gantry exec -i deployment/web -- tar x -C /www <site.tar",
    .flags = exec_flags,
    .options_bytes = sizeof(struct exec_options),
    .completes = WORDS_PODS,
    .act = exec_act
};
