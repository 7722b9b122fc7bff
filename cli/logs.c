/*
 * gantry logs: what containers wrote. One after the other; with -f several at once, whole lines.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/meta/time.h"
#include "base/buf.h"
#include "base/env.h"
#include "cli/compose.h"
#include "cli/log_lines.h"
#include "cli/pods.h"
#include "cli/stream.h"
#include "cli/terminal.h"

/* Lines of each container when pods are named by label and --tail is not given. */
#define SELECTOR_TAIL 10
/* Containers of one command. */
#define LOGS_MAX 10000

struct logs_options {
    const char *selector;
    const char *container;
    bool all_containers;
    bool all_pods;
    bool follow;
    bool previous;
    bool timestamps;
    bool prefix;
    bool ignore_errors;
    bool insecure;
    const char *since_time;
    int64_t since;
    int64_t tail;
    int64_t limit_bytes;
    int64_t requests_max;
    const char *pod_running_timeout;
};

static const struct flag logs_flags[] = {
    { .name = "selector",
      .letter = 'l',
      .at = offsetof(struct logs_options, selector),
      .help = "Pods whose labels match." },
    { .name = "container",
      .letter = 'c',
      .at = offsetof(struct logs_options, container),
      .help = "The container; else the pod's first." },
    { .name = "all-containers",
      .type = FLAG_BOOL,
      .at = offsetof(struct logs_options, all_containers),
      .help = "Every container of the pods." },
    { .name = "all-pods",
      .type = FLAG_BOOL,
      .at = offsetof(struct logs_options, all_pods),
      .help = "Every pod of the object, each line behind its source's name." },
    { .name = "follow",
      .letter = 'f',
      .type = FLAG_BOOL,
      .at = offsetof(struct logs_options, follow),
      .help = "Go on with what is written from now on." },
    { .name = "previous",
      .letter = 'p',
      .type = FLAG_BOOL,
      .at = offsetof(struct logs_options, previous),
      .help = "Of the container's instance before this one." },
    { .name = "since",
      .type = FLAG_DURATION,
      .at = offsetof(struct logs_options, since),
      .value = "0s",
      .help = "Only what is younger: 5s, 2m, 3h." },
    { .name = "since-time",
      .at = offsetof(struct logs_options, since_time),
      .help = "Only what was written after this time (RFC 3339)." },
    { .name = "tail",
      .type = FLAG_INT,
      .at = offsetof(struct logs_options, tail),
      .value = "-1",
      .help = "The last lines only; -1: all (with -l: 10)." },
    { .name = "timestamps",
      .type = FLAG_BOOL,
      .at = offsetof(struct logs_options, timestamps),
      .help = "Each line behind its time." },
    { .name = "prefix",
      .type = FLAG_BOOL,
      .at = offsetof(struct logs_options, prefix),
      .help = "Each line behind its pod's and container's name." },
    { .name = "limit-bytes",
      .type = FLAG_INT,
      .at = offsetof(struct logs_options, limit_bytes),
      .value = "0",
      .help = "At most so many bytes of each container; 0: all." },
    { .name = "max-log-requests",
      .type = FLAG_INT,
      .at = offsetof(struct logs_options, requests_max),
      .value = "5",
      .help = "With -f: containers that may be followed at once." },
    { .name = "ignore-errors",
      .type = FLAG_BOOL,
      .at = offsetof(struct logs_options, ignore_errors),
      .help = "Say what fails, and go on with the others." },
    { .name = "insecure-skip-tls-verify-backend",
      .type = FLAG_BOOL,
      .at = offsetof(struct logs_options, insecure),
      .help = "Do not verify who the node's agent is." },
    { .name = "pod-running-timeout",
      .at = offsetof(struct logs_options, pod_running_timeout),
      .value = "20s",
      .help = "Taken for kubectl's sake; pods are not waited for." },
    { 0 }
};

struct logs;

/* One container. */
struct log_source {
    struct logs *logs;
    struct stream stream;
    struct log_lines lines;
};

struct logs {
    struct cli *cli;
    const struct logs_options *options;
    struct env_loop *loop;
    struct log_source *sources;
    size_t count;
    size_t capacity;
    size_t running;
    struct buf out;
    bool tail_given;
    bool failed;
    bool deaf; /* nobody reads what we write */
};

/* ---- what to ask for ---- */

static int64_t tail_of(const struct logs *l)
{
    bool few = l->options->selector != NULL && l->options->tail == -1 && !l->tail_given;
    return few ? SELECTOR_TAIL : l->options->tail;
}

static void add_flag(struct buf *b, const char *name, bool on)
{
    if (on)
        buf_printf(b, "&%s=true", name);
}

static const char *target_of(struct logs *l, const struct json *pod, struct str container)
{
    const struct logs_options *o = l->options;
    struct cli *c = l->cli;
    struct buf b;
    buf_init(&b);
    buf_printf(&b, "%s/log?container=%.*s", pods_path(c, pod),
               STR_ARG(objects_escape(c, container)));
    add_flag(&b, "follow", o->follow);
    add_flag(&b, "previous", o->previous);
    add_flag(&b, "timestamps", o->timestamps);
    add_flag(&b, "insecureSkipTLSVerifyBackend", o->insecure);
    if (o->since != 0) /* to the nearest second */
        buf_printf(&b, "&sinceSeconds=%lld",
                   (long long)((o->since + (int64_t)ENV_S / 2) / (int64_t)ENV_S));
    if (o->since_time != NULL)
        buf_printf(&b, "&sinceTime=%.*s", STR_ARG(objects_escape(c, str_from(o->since_time))));
    if (tail_of(l) != -1)
        buf_printf(&b, "&tailLines=%lld", (long long)tail_of(l));
    if (o->limit_bytes != 0)
        buf_printf(&b, "&limitBytes=%lld", (long long)o->limit_bytes);
    const char *target = str_dup(&c->arena, buf_str(&b));
    buf_deinit(&b);
    return target;
}

/* ---- reading ---- */

static void write_out(struct logs *l)
{
    if (!l->deaf && !terminal_write(STDOUT_FILENO, buf_str(&l->out)))
        l->deaf = true;
    buf_clear(&l->out);
}

static void stop_others(struct logs *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->sources[i].stream.loop == l->loop)
            stream_cancel(&l->sources[i].stream);
}

static void on_bytes(struct stream *s, struct str bytes)
{
    struct log_source *source = s->user;
    log_lines_add(&source->lines, bytes, &source->logs->out);
    write_out(source->logs);
    if (source->logs->deaf)
        stop_others(source->logs);
}

static int tell_failure(struct log_source *source, int status)
{
    struct cli *c = source->logs->cli;
    const struct ask_answer answer = { .status = source->stream.http_status,
                                       .body = buf_str(&source->stream.refusal) };
    struct str message = ask_message(c, &answer);
    if (status == 0 && source->logs->options->ignore_errors && message.len > 0)
        return cli_error("%.*s", STR_ARG(message));
    if (status == 0)
        return ask_tell(c, &answer);
    return cli_error("the log of %.*s broke off: %s", STR_ARG(source->lines.prefix),
                     err_name(status));
}

static void on_done(struct stream *s, int status)
{
    struct log_source *source = s->user;
    struct logs *l = source->logs;
    log_lines_end(&source->lines, &l->out);
    write_out(l);
    if (!l->deaf && !l->failed && (status != 0 || s->http_status != 200)) {
        (void)tell_failure(source, status);
        l->failed = !l->options->ignore_errors;
    }
    if (l->failed || l->deaf)
        stop_others(l);
    if (--l->running == 0)
        env_loop_stop(l->loop);
}

static void start(struct logs *l, struct log_source *source)
{
    l->running++;
    stream_open(&source->stream, l->cli, l->loop);
}

static void end(struct log_source *source)
{
    stream_deinit(&source->stream);
    log_lines_deinit(&source->lines);
}

static int read_all(struct logs *l)
{
    bool at_once = l->options->follow && l->count > 1;
    size_t done = 0;
    if (at_once && l->count > (size_t)l->options->requests_max)
        return cli_error("you are attempting to follow %zu log streams, but maximum allowed "
                         "concurrency is %lld, use --max-log-requests to increase the limit",
                         l->count, (long long)l->options->requests_max);
    while (done < l->count && !l->failed && !l->deaf) {
        size_t until = at_once ? l->count : done + 1;
        l->loop = env_loop_new(l->cli->env, "logs");
        for (size_t i = done; i < until; i++)
            start(l, &l->sources[i]);
        env_loop_run(l->loop);
        env_loop_free(l->loop);
        for (; done < until; done++)
            end(&l->sources[done]);
    }
    return l->failed ? CLI_FAILED : CLI_OK;
}

/* ---- which containers ---- */

static void add_source(struct logs *l, const struct json *pod, struct str container)
{
    struct arena *a = &l->cli->arena;
    struct str prefix = { NULL, 0 };
    if (l->options->prefix || l->options->all_pods)
        prefix = str_printf(a, "[pod/%.*s/%.*s] ",
                            STR_ARG(compose_text_in(pod, "metadata", "name")), STR_ARG(container));
    l->sources = arena_grow(a, l->sources, l->count, &l->capacity, sizeof *l->sources);
    struct log_source *source = &l->sources[l->count++];
    *source = (struct log_source){ .logs = l,
                                   .stream = { .target = target_of(l, pod, container),
                                               .accept = "*/*",
                                               .bytes = on_bytes,
                                               .done = on_done } };
    log_lines_init(&source->lines, prefix);
}

static void add_every_container(struct logs *l, const struct json *pod)
{
    static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const struct json *items = NULL;
        size_t count = compose_items(json_get_c(json_get_c(pod, "spec"), lists[i]), &items);
        for (size_t j = 0; j < count && l->count < LOGS_MAX; j++)
            add_source(l, pod, json_str(json_get_c(&items[j], "name")));
    }
}

static int add_pod(struct logs *l, const struct json *pod, const char *wanted)
{
    struct str name = compose_text_in(pod, "metadata", "name");
    struct str container = str_from(wanted);
    bool first = false;
    if (l->options->all_containers) {
        add_every_container(l, pod);
        return CLI_OK;
    }
    if (container.len == 0)
        container = pods_default_container(pod, &first);
    struct str names = pods_container_names(l->cli, pod);
    if (first && !l->options->all_pods)
        (void)fprintf(stderr, "Defaulted container \"%.*s\" out of: %.*s\n", STR_ARG(container),
                      STR_ARG(names));
    if (pods_find_container(pod, container) == NULL)
        return cli_error("container %.*s is not valid for pod %.*s", STR_ARG(container),
                         STR_ARG(name));
    add_source(l, pod, container);
    return CLI_OK;
}

static int find_pods(struct logs *l, const struct words *w, struct pods *out)
{
    struct cli *c = l->cli;
    if (l->options->selector == NULL) {
        int rc = pods_of_word(c, w->items[0], PODS_FOR_LOGS, l->options->all_pods, out);
        if (rc == CLI_OK && out->found > 1)
            (void)fprintf(stderr, "Found %zu pods, using pod/%.*s\n", out->found,
                          STR_ARG(compose_text_in(out->items[0], "metadata", "name")));
        return rc;
    }
    int rc = pods_of_selector(c, l->options->selector, out);
    if (rc == CLI_OK && out->count == 0)
        (void)fprintf(stderr, "No resources found in %.*s namespace.\n", STR_ARG(c->ns));
    return rc;
}

/* ---- the verb ---- */

static bool is_time(struct str text)
{
    int64_t seconds;
    int32_t nanos;
    struct err e;
    return time_parse(text, &seconds, &nanos, &e) == 0;
}

static int check_words(const struct logs_options *o, const struct words *w)
{
    const char *container = w->count == 2 ? w->items[1] : o->container;
    if (w->count > 2 || (w->count == 0 && o->selector == NULL))
        return cli_error("expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or "
                         "TYPE/NAME is a required argument for the logs command\nSee 'gantry logs "
                         "-h' for help and examples");
    if (w->count > 0 && o->selector != NULL)
        return cli_error("only a selector (-l) or a POD name is allowed\nSee 'gantry logs -h' for "
                         "help and examples");
    if (o->since_time != NULL && o->since != 0)
        return cli_error("at most one of `sinceTime` or `sinceSeconds` may be specified");
    if (o->since_time != NULL && !is_time(str_from(o->since_time)))
        return cli_error("--since-time=%s is no time of RFC 3339, as 2006-01-02T15:04:05Z is",
                         o->since_time);
    if (o->all_containers && container != NULL)
        return cli_error("--all-containers=true should not be specified with container name %s",
                         container);
    if (w->count == 2 && o->container != NULL)
        return cli_error("only one of -c or an inline [CONTAINER] arg is allowed");
    if (o->limit_bytes < 0)
        return cli_error("--limit-bytes must be greater than 0");
    if (o->since < 0)
        return cli_error("--since must be greater than 0");
    if (o->tail < -1)
        return cli_error("--tail must be greater than or equal to -1");
    return CLI_OK;
}

static int logs_act(struct cli *c, const void *options, const struct words *w)
{
    const struct logs_options *o = options;
    struct logs l = { .cli = c, .options = o, .tail_given = flags_given(w, "tail") };
    struct pods pods;
    if (check_words(o, w) != CLI_OK || find_pods(&l, w, &pods) != CLI_OK)
        return CLI_FAILED;
    const char *container = w->count == 2 ? w->items[1] : o->container;
    for (size_t i = 0; i < pods.count; i++)
        if (add_pod(&l, pods.items[i], container) != CLI_OK)
            return CLI_FAILED;
    for (size_t i = 0; i < l.count; i++)
        l.sources[i].stream.user = &l.sources[i]; /* the array moves no more */
    buf_init(&l.out);
    int rc = read_all(&l);
    buf_deinit(&l.out);
    return rc;
}

const struct verb logs_verb = {
    .name = "logs",
    .summary = "what a container wrote",
    .help = "logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER] [flags]",
    .about = "Prints the log of a container, of all containers of a pod, or of the pods that "
             "labels name.",
    .examples = "  gantry logs web-1\n"
                "  gantry logs -f deployment/web -c httpd\n"
                "  gantry logs -l app=web --prefix --tail=20",
    .flags = logs_flags,
    .options_bytes = sizeof(struct logs_options),
    .completes = WORDS_PODS,
    .act = logs_act
};
