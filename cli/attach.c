/* gantry attach: the process that runs in a container already, with our input and output. */
#include <stdio.h>

#include "cli/compose.h"
#include "cli/pods.h"
#include "cli/session.h"
#include "cli/tree.h"

static const struct flag attach_flags[] = { { .rows = session_rows }, { 0 } };

static const struct json *container_named(const struct json *pod, struct str name)
{
    const char *list = pods_find_container(pod, name);
    const struct json *items = NULL;
    size_t count = list == NULL ? 0 : compose_items(tree_at(pod, "spec", list, NULL), &items);
    for (size_t i = 0; i < count; i++)
        if (str_eq(json_str(json_get_c(&items[i], "name")), name))
            return &items[i];
    return NULL;
}

/* A terminal is where the container was made with one, whatever is asked for. */
static void settle_streams(struct session *x, const struct session_flags *asked,
                           const struct json *container, struct str name)
{
    struct session_flags o = *asked;
    o.tty = o.tty && tree_true(container, "tty");
    if (asked->tty && !o.tty && !o.quiet)
        (void)fprintf(stderr, "error: Unable to use a TTY - container %.*s did not allocate one\n",
                      STR_ARG(name));
    session_streams(x, &o);
    x->redraw = x->tty;
    if (!o.quiet)
        (void)fprintf(stderr, "If you don't see a command prompt, try pressing enter.\n");
}

static void say_resume(const struct session *x, const struct session_flags *o,
                       const struct json *pod, struct str container)
{
    struct str policy = compose_text_in(pod, "spec", "restartPolicy");
    if (!x->tty || o->quiet || !str_eq_c(policy, "Always"))
        return;
    struct str name = compose_text_in(pod, "metadata", "name");
    printf("Session ended, resume using 'gantry attach %.*s -c %.*s -i -t' command when the pod is "
           "running\n",
           STR_ARG(name), STR_ARG(container));
}

static int attach_act(struct cli *c, const void *options, const struct words *w)
{
    const struct session_flags *o = options;
    struct session *x = arena_new(&c->arena, struct session);
    struct str container;
    struct pods pods;
    struct str none = { NULL, 0 };
    x->cli = c;
    if (w->count == 0)
        return cli_error("at least 1 argument is required for attach");
    if (w->count > 2)
        return cli_error("expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw %zu: "
                         "[%s %s %s]",
                         w->count, w->items[0], w->items[1], w->items[2]);
    const char *word =
        w->count == 2 ? str_printf(&c->arena, "%s/%s", w->items[0], w->items[1]).data : w->items[0];
    if (pods_of_word(c, word, PODS_FOR_EXEC, /* all */ false, &pods) != CLI_OK ||
        session_container(c, o, pods.items[0], "attach", &container) != CLI_OK)
        return CLI_FAILED;
    const struct json *spec = container_named(pods.items[0], container);
    if (spec == NULL)
        return cli_error("cannot attach to the container: container %.*s not found in pod %.*s",
                         STR_ARG(container),
                         STR_ARG(compose_text_in(pods.items[0], "metadata", "name")));
    settle_streams(x, o, spec, container);
    int rc = session_run(x, session_target(x, pods.items[0], "attach", container, none));
    if (rc == CLI_OK)
        say_resume(x, o, pods.items[0], container);
    return rc;
}

const struct verb attach_verb = {
    .name = "attach",
    .summary = "see and steer the process that runs in a container",
    .help = "attach (POD | TYPE/NAME) [-c CONTAINER] [flags]",
    .about = "Joins the process that runs in a container: what it writes comes here until it ends, "
             "and\nwith -i what is written here goes to it. Logs show what it wrote before.",
    .examples = "  # What the first container of a pod writes from now on\n"
                "  gantry attach web-1\n\n"
                "  # Of a container by its name\n  gantry attach web-1 -c httpd\n\n"
                "  # A container that was made with stdin and tty, with this terminal\n"
                "  gantry attach -it shell -c bash\n\n"
                "  # The first pod of a replica set\n  gantry attach rs/web",
    .flags = attach_flags,
    .options_bytes = sizeof(struct session_flags),
    .completes = WORDS_PODS,
    .act = attach_act
};
