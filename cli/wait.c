/*
 * gantry wait: until objects have a condition or a field's value, are there, or are gone.
 *
 * An object is looked at once and then watched from that very revision on: no change is missed, and
 * nothing is asked for twice. Objects are waited for one after the other, all within one time.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/schema/json.h"
#include "base/buf.h"
#include "base/env.h"
#include "cli/flags.h"
#include "cli/named.h"
#include "cli/output.h"
#include "cli/tree.h"
#include "cli/wait_for.h"
#include "cli/watch.h"

#define TIMED_OUT "timed out waiting for the condition"
/* What a negative --timeout means. */
#define FOREVER_MS (168 * 3600 * 1000ull)

struct wait_options {
    struct manifest_flags manifests;
    struct flag_texts conditions;
    const char *selector;
    const char *fields;
    const char *output;
    int64_t timeout_ns;
    bool all;
    bool all_namespaces;
};

struct waiting {
    struct cli *cli;
    const struct wait_options *options;
    const struct wait_for *goal; /* the one being waited for */
    uint64_t deadline_ns;
    bool once; /* --timeout=0 */
    bool met;
    bool gone;
    struct err e;
    int rc;
    struct str *failures; /* told at the end; a lone one after "error: " */
    size_t failures_count;
    size_t failures_capacity;
};

/* Notes what went wrong with one object; the others are waited for all the same. */
static int fail(struct waiting *w, struct str text)
{
    w->failures = arena_grow(&w->cli->arena, w->failures, w->failures_count, &w->failures_capacity,
                             sizeof *w->failures);
    w->failures[w->failures_count++] = text;
    return CLI_FAILED;
}

static int fail_of(struct waiting *w, const struct err *e)
{
    return fail(w, str_copy(&w->cli->arena, str_from(e->msg)));
}

static int tell_failures(const struct waiting *w)
{
    for (size_t i = 0; i < w->failures_count; i++) {
        struct str text = w->failures[i];
        bool server = str_starts(text, str_lit("Error from server ("));
        bool several = w->failures_count > 1;
        if (server && several) /* as one of a list, it is the message alone */
            text = str_slice(text, (size_t)str_find(text, str_lit("): ")) + 3, text.len);
        (void)cli_tell("%s%.*s", server || several ? "" : "error: ", STR_ARG(text));
    }
    return w->failures_count > 0 ? CLI_FAILED : CLI_OK;
}

/* Without the word that is put before a lone failure. */
static struct str bare(struct str refusal)
{
    struct str word = str_lit("error: ");
    return str_starts(refusal, word) ? str_slice(refusal, word.len, refusal.len) : refusal;
}

static uint64_t left_ms(const struct waiting *w)
{
    uint64_t now = env_now_ns(w->cli->env);
    return now >= w->deadline_ns ? 0 : (w->deadline_ns - now + ENV_MS - 1) / ENV_MS;
}

/* Looks at one state of the object. False: no further one is wanted. */
static bool look(struct waiting *w, const struct json *object)
{
    bool met = false;
    w->rc = wait_for_met(&w->cli->arena, w->goal, object, &met, &w->e);
    w->met = w->rc == 0 && met;
    return w->rc == 0 && !met;
}

static bool on_event(void *ctx, struct str event, const struct json *object)
{
    struct waiting *w = ctx;
    if (str_eq_c(event, "BOOKMARK"))
        return true;
    if (str_eq_c(event, "ERROR")) {
        w->rc = err_set(&w->e, ERR_EXPIRED, "the watch ended: %.*s",
                        STR_ARG(tree_text(object, "message", NULL)));
        return false;
    }
    if (str_eq_c(event, "DELETED")) {
        w->gone = true;
        w->met = w->goal->kind == WAIT_DELETE;
        return !w->met && w->goal->kind == WAIT_CREATE;
    }
    if (w->goal->kind == WAIT_DELETE)
        return true;
    return look(w, object);
}

static struct fetch_options fetch_of(struct cli *c, const struct wait_options *o)
{
    return (struct fetch_options){ .ns = o->all_namespaces ? str_lit("") : c->ns,
                                   .selector = o->selector,
                                   .fields = o->fields,
                                   .chunk = 500 };
}

static const char *watch_of(struct waiting *w, const struct objects_target *t, struct str ns,
                            struct str revision)
{
    struct arena *a = &w->cli->arena;
    const struct objects_target list = { .resource = t->resource, .ns = t->ns };
    struct fetch_options f = fetch_of(w->cli, w->options);
    f.ns = ns;
    f.chunk = 0;
    if (t->name.len > 0) {
        f.selector = NULL;
        f.fields = str_printf(a, "metadata.name=%.*s", STR_ARG(t->name)).data;
    }
    f.extra = str_printf(a, "watch=true&resourceVersion=%.*s", STR_ARG(revision)).data;
    return fetch_target(w->cli, &list, &f, str_lit(""));
}

/* Watches from revision on until the goal is met, the object is gone, or time is over. */
static int watch_until(struct waiting *w, const struct objects_target *t, struct str ns,
                       struct str revision)
{
    struct err e;
    const struct watch_options o = { .target = watch_of(w, t, ns, revision),
                                     .timeout_ms = left_ms(w),
                                     .event = on_event,
                                     .ctx = w };
    int rc = o.timeout_ms == 0 ? -ERR_TIMEOUT : watch_run(w->cli, &o, &e);
    if (rc == -ERR_TIMEOUT)
        return fail(w, str_printf(&w->cli->arena, TIMED_OUT " on %.*s/%.*s",
                                  STR_ARG(t->resource->plural), STR_ARG(t->name)));
    if (rc != 0)
        return fail_of(w, &e);
    return w->rc != 0 && w->rc != -ERR_EXPIRED ? fail_of(w, &w->e) : CLI_OK;
}

static int not_there(struct waiting *w, const struct objects_target *t)
{
    struct str resource = objects_group_resource(w->cli, t->resource);
    return fail(w,
                str_printf(&w->cli->arena, "Error from server (NotFound): %.*s \"%.*s\" not found",
                           STR_ARG(resource), STR_ARG(t->name)));
}

/* The object as it is now, in *out_object (NULL: it is not there), and the revision of that. */
static int look_now(struct waiting *w, const struct objects_target *t, struct str ns,
                    const struct json **out_object, struct str *out_revision)
{
    struct arena *a = &w->cli->arena;
    const struct objects_target list = { .resource = t->resource };
    struct fetch_options o = { .ns = ns };
    struct fetch f;
    struct err e;
    o.fields = str_printf(a, "metadata.name=%.*s", STR_ARG(t->name)).data;
    if (fetch_all(w->cli, &list, 1, &o, &f, &e) != 0)
        return fail_of(w, &e);
    if (f.refusals_count > 0 || f.count == 0)
        return fail(w, f.refusals[0]);
    *out_object = tree_item(json_get_c(f.items[0].root, "items"), 0);
    *out_revision = tree_text(f.items[0].root, "metadata", "resourceVersion", NULL);
    return CLI_OK;
}

static int say_met(struct waiting *w, const struct objects_target *t, const struct json *object)
{
    struct output output = { .strict = false };
    struct str says = { NULL, 0 };
    struct str title = objects_title(w->cli, t->resource, t->name);
    struct buf out;
    struct err e;
    if (w->options->output == NULL) {
        printf("%.*s condition met\n", STR_ARG(title));
        (void)fflush(stdout); /* a closed pipe ends us by its own means */
        return CLI_OK;
    }
    if (output_parse(w->cli, w->options->output, NULL, &output, &e) != 0)
        return cli_error_of(&e);
    buf_init(&out);
    const struct json *whole = fetch_typed(w->cli, t->resource, object);
    int rc = output_print(w->cli, &output, whole, &out, &says);
    printf("%.*s", STR_ARG(buf_str(&out)));
    buf_deinit(&out);
    return rc == 0 ? CLI_OK : cli_error("%.*s", STR_ARG(says));
}

/* One goal of one object that was there when the wait began. */
static int wait_goal(struct waiting *w, const struct objects_target *t, struct str ns,
                     const struct json *first)
{
    const struct json *object = first;
    struct str revision;
    w->met = w->goal->kind == WAIT_CREATE;
    while (!w->met) {
        int code = look_now(w, t, ns, &object, &revision);
        if (code != CLI_OK)
            return code;
        w->gone = false;
        w->met = object == NULL && w->goal->kind == WAIT_DELETE;
        if (object == NULL && !w->met)
            return not_there(w, t);
        if (object != NULL && w->goal->kind != WAIT_DELETE)
            (void)look(w, object); /* what it says is in w */
        if (w->rc != 0)
            return fail_of(w, &w->e);
        if (!w->met && w->once)
            return fail(w, str_printf(&w->cli->arena, "condition not met for %.*s/%.*s",
                                      STR_ARG(t->resource->plural), STR_ARG(t->name)));
        if (!w->met)
            code = watch_until(w, t, ns, revision);
        if (code != CLI_OK)
            return code;
        w->rc = 0;
    }
    return say_met(w, t, object != NULL ? object : first);
}

/* ---- being there at all ---- */

/* Until the first target, or any object it selects, exists. */
static int wait_created(struct waiting *w, const struct objects_target *t)
{
    const struct fetch_options o = fetch_of(w->cli, w->options);
    const struct objects_target list = { .resource = t->resource, .ns = t->ns };
    static const struct wait_for created = { .kind = WAIT_EXISTS };
    struct fetch_options all = o;
    struct err e;
    w->goal = &created;
    if (t->name.len > 0)
        all.fields = str_printf(&w->cli->arena, "metadata.name=%.*s", STR_ARG(t->name)).data;
    for (;;) {
        struct fetch f;
        if (fetch_all(w->cli, &list, 1, &all, &f, &e) != 0)
            return cli_error_of(&e);
        if (f.refusals_count > 0 || f.count == 0)
            return fetch_tell(&f);
        if (tree_count(json_get_c(f.items[0].root, "items")) > 0)
            return CLI_OK;
        struct str revision = tree_text(f.items[0].root, "metadata", "resourceVersion", NULL);
        const struct watch_options watch = { .target = watch_of(w, t, o.ns, revision),
                                             .timeout_ms = w->once ? 0 : left_ms(w),
                                             .event = on_event,
                                             .ctx = w };
        int rc = watch.timeout_ms == 0 ? -ERR_TIMEOUT : watch_run(w->cli, &watch, &e);
        if (rc == -ERR_TIMEOUT)
            return cli_error(TIMED_OUT);
        if (rc != 0)
            return cli_error_of(&e);
    }
}

/* ---- the verb ---- */

/* The goals of one object, in their order, until one is not reached. */
static void wait_object(struct waiting *w, const struct wait_for *goals, size_t goal_count,
                        const struct objects_resource *resource, const struct json *object)
{
    const struct objects_target one = { .resource = resource,
                                        .name = tree_text(object, "metadata", "name", NULL) };
    struct str ns = tree_text(object, "metadata", "namespace", NULL);
    int code = CLI_OK;
    for (size_t g = 0; code == CLI_OK && g < goal_count; g++) {
        w->goal = &goals[g];
        w->rc = 0;
        code = wait_goal(w, &one, ns, object);
    }
}

static void wait_targets(struct waiting *w, const struct wait_for *goals, size_t goal_count,
                         const struct fetch *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct fetch_item *it = &f->items[i];
        const struct json *items = json_get_c(it->root, "items");
        bool list = it->name.len == 0;
        for (size_t k = 0; k < (list ? tree_count(items) : 1); k++)
            wait_object(w, goals, goal_count, it->resource, list ? tree_item(items, k) : it->root);
    }
    for (size_t i = 0; i < f->refusals_count; i++)
        (void)fail(w, bare(f->refusals[i])); /* told with the others */
}

static size_t objects_in(const struct fetch *f)
{
    size_t count = 0;
    for (size_t i = 0; i < f->count; i++)
        count += f->items[i].name.len > 0 ? 1 : tree_count(json_get_c(f->items[i].root, "items"));
    return count;
}

static bool has_goal(const struct wait_for *goals, size_t count, enum wait_kind kind)
{
    for (size_t i = 0; i < count; i++)
        if (goals[i].kind == kind)
            return true;
    return false;
}

static int wait_check(const struct wait_options *o, const struct words *w,
                      const struct objects_target *targets, size_t count)
{
    bool selects = o->all || o->selector != NULL || o->fields != NULL;
    bool pairs = w->count > 0 && strchr(w->items[0], '/') != NULL;
    for (size_t i = 0; i < count; i++) {
        if (targets[i].name.len == 0 && !selects)
            return cli_error("resource(s) were provided, but no name was specified");
        if (targets[i].name.len > 0 && selects)
            return cli_error(pairs ? "selectors and the all flag cannot be used when passing "
                                     "resource/name arguments"
                                   : "name cannot be provided when a selector is specified");
    }
    return count > 0 ? CLI_OK
                     : cli_error("You must provide one or more resources by argument or filename.\n"
                                 "Example resource specifications include:\n   '-f rsrc.yaml'\n   "
                                 "'--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'");
}

static int wait_act(struct cli *c, const void *options, const struct words *words)
{
    const struct wait_options *o = options;
    uint64_t timeout_ms = o->timeout_ns < 0 ? FOREVER_MS : (uint64_t)o->timeout_ns / ENV_MS;
    struct waiting w = { .cli = c,
                         .options = o,
                         .once = o->timeout_ns == 0,
                         .deadline_ns = env_now_ns(c->env) + timeout_ms * ENV_MS };
    struct wait_for *goals = arena_array(&c->arena, o->conditions.count + 1, sizeof *goals);
    struct named n;
    struct fetch f;
    struct err e;
    size_t goal_count = o->conditions.count;
    for (size_t i = 0; i < goal_count; i++)
        if (wait_for_parse(&c->arena, str_from(o->conditions.items[i]), &goals[i], &e) != 0)
            return cli_error_of(&e);
    if (goal_count == 0)
        return cli_error("unrecognized condition: \"\"");
    struct manifest_flags manifests = o->manifests;
    if (!flags_given(words, "recursive"))
        manifests.recursive = true; /* as kubectl's wait alone has it */
    if (named_read(c, &manifests, words, o->selector, &n) != CLI_OK)
        return CLI_FAILED;
    if (!manifest_named(&o->manifests) && wait_check(o, words, n.targets, n.count) != CLI_OK)
        return CLI_FAILED;
    bool deletes = has_goal(goals, goal_count, WAIT_DELETE);
    bool creates = has_goal(goals, goal_count, WAIT_CREATE);
    for (size_t i = 0; creates && i < n.count; i++)
        if (wait_created(&w, &n.targets[i]) != CLI_OK)
            return CLI_FAILED;
    struct fetch_options fetch = fetch_of(c, o);
    fetch.ignore_missing = deletes;
    if (named_fetch(c, &n, &fetch, &f, &e) != 0)
        return cli_error_of(&e);
    wait_targets(&w, goals, goal_count, &f);
    if (w.failures_count == 0 && objects_in(&f) == 0 && !deletes)
        return cli_error("no matching resources found");
    return tell_failures(&w);
}

#define AT(member) .at = offsetof(struct wait_options, member)

static const struct flag wait_flags[] = {
    { .rows = manifest_rows, AT(manifests) },
    { .name = "all", .type = FLAG_BOOL, AT(all), .help = "For every object of the resource." },
    { .rows = fetch_all_row, AT(all_namespaces) },
    { .rows = fetch_fields_row, AT(fields) },
    { .name = "for",
      .type = FLAG_TEXTS,
      AT(conditions),
      .help = "What is waited for: create, delete, condition=NAME[=VALUE] (true without a value), "
              "or jsonpath={PATH}[=VALUE]. Several are waited for in their order; create comes "
              "first.",
      .values = VALUES_CHOICE,
      .choice = "create delete condition= jsonpath=" },
    { .name = "output",
      .letter = 'o',
      AT(output),
      .help = "How the object is shown when the wait is over: name, json, yaml, jsonpath=...",
      .values = VALUES_CHOICE,
      .choice = "name json yaml jsonpath=" },
    { .rows = fetch_selector_row, AT(selector) },
    { .name = "timeout",
      .type = FLAG_DURATION,
      AT(timeout_ns),
      .value = "30s",
      .help = "How long; 0 looks once, a negative one waits for a week." },
    { 0 }
};

const struct verb wait_verb = {
    .name = "wait",
    .summary = "until objects are as you want them",
    .about = "Waits until objects have a condition, a field has a value, or they are there or "
             "gone.\nIt ends with 1 when the time is over first.",
    .examples = "  # Until a pod is ready\n  gantry wait --for=condition=Ready pod/web-1\n\n"
                "  # Until it is no longer\n  gantry wait --for=condition=Ready=false pod/web-1\n\n"
                "  # Until all pods with a label run\n"
                "  gantry wait --for=jsonpath='{.status.phase}'=Running pod -l app=web\n\n"
                "  # Until a deployment is available, two minutes at most\n"
                "  gantry wait --for=condition=Available deployment/web --timeout=2m\n\n"
                "  # Until all that a manifest made is gone\n"
                "  gantry wait --for=delete -f web.yaml\n\n"
                "  # Until a pod is gone\n  gantry wait --for=delete pod/web-1\n\n"
                "  # Until somebody makes a secret\n  gantry wait --for=create secret/token",
    .help = "wait --for=CONDITION (-f FILE | TYPE NAME... | TYPE/NAME... | TYPE (-l SELECTOR | "
            "--all)) [flags]",
    .flags = wait_flags,
    .options_bytes = sizeof(struct wait_options),
    .completes = WORDS_OBJECTS,
    .act = wait_act
};
