/* gantry exec: a command in a container, with our input and output, and its exit code. */
#include "base/buf.h"
#include "cli/objects.h"
#include "cli/pods.h"
#include "cli/session.h"

struct exec_options {
    struct session_flags session;
    struct manifest_flags manifests;
};

static const struct flag exec_flags[] = {
    { .rows = manifest_rows, .at = offsetof(struct exec_options, manifests) },
    { .rows = session_rows, .at = offsetof(struct exec_options, session) },
    { 0 }
};

/* "&command=sh&command=-c". */
static struct str command_of(struct cli *c, const struct words *w, size_t from)
{
    struct buf b;
    buf_init(&b);
    for (size_t i = from; i < w->count; i++)
        buf_printf(&b, "&command=%.*s", STR_ARG(objects_escape(c, str_from(w->items[i]))));
    struct str command = str_copy(&c->arena, buf_str(&b));
    buf_deinit(&b);
    return command;
}

static int check_words(const struct exec_options *o, const struct words *w)
{
    ptrdiff_t pods = manifest_named(&o->manifests) ? 0 : 1;
    if (pods > 0 && (w->count == 0 || w->dash == 0))
        return cli_error("pod, type/name or --filename must be specified");
    if ((w->dash < 0 && w->count > (size_t)pods) || w->dash > pods)
        return cli_error("exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- "
                         "[COMMAND] instead\nSee 'gantry exec -h' for help and examples");
    if (w->dash < 0 || (size_t)w->dash == w->count)
        return cli_error("you must specify at least one command for the container");
    return CLI_OK;
}

static int exec_act(struct cli *c, const void *options, const struct words *w)
{
    const struct exec_options *o = options;
    struct session *x = arena_new(&c->arena, struct session);
    struct str container;
    struct pods pods;
    bool word = !manifest_named(&o->manifests);
    x->cli = c;
    if (check_words(o, w) != CLI_OK)
        return CLI_FAILED;
    int rc = word ? pods_of_word(c, w->items[0], PODS_FOR_EXEC, /* all */ false, &pods)
                  : pods_of_manifest(c, &o->manifests, PODS_FOR_EXEC, &pods);
    if (rc != CLI_OK ||
        session_container(c, &o->session, pods.items[0], "exec into", &container) != CLI_OK)
        return CLI_FAILED;
    session_streams(x, &o->session);
    return session_run(
        x, session_target(x, pods.items[0], "exec", container, command_of(c, w, word ? 1 : 0)));
}

const struct verb exec_verb = {
    .name = "exec",
    .summary = "run a command in a container",
    .help = "exec (POD | TYPE/NAME | -f FILE) [-c CONTAINER] [flags] -- COMMAND [ARG]...",
    .about = "Runs a command in a container and ends with its exit code.",
    .examples = "  # One command\n  gantry exec web-1 -- date\n\n"
                "  # A shell in a container of your choice, with this terminal\n"
                "  gantry exec -it web-1 -c httpd -- sh\n\n"
                "  # In the pod of a deployment, with input from a file\n"
                "  gantry exec -i deployment/web -- tar x -C /www <site.tar",
    .flags = exec_flags,
    .options_bytes = sizeof(struct exec_options),
    .completes = WORDS_PODS,
    .act = exec_act
};
