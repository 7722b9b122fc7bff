/*
 * gantry delete: objects by name, by manifest, by label or all of a kind; then, unless told
 * otherwise, it waits until they are gone.
 */
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "cli/compose.h"
#include "cli/fetch.h"
#include "cli/gone.h"

struct delete_options {
    struct manifest_flags manifests;
    const char *selector;
    const char *field_selector;
    bool all;
    bool all_namespaces;
    const char *cascade;
    int64_t grace_period;
    bool force;
    bool now;
    bool wait;
    int64_t timeout;
    bool ignore_not_found;
    const char *dry_run;
    const char *output;
};

static const struct flag delete_flags[] = {
    { .rows = manifest_rows, .at = offsetof(struct delete_options, manifests) },
    { .rows = fetch_selector_row, .at = offsetof(struct delete_options, selector) },
    { .rows = fetch_fields_row, .at = offsetof(struct delete_options, field_selector) },
    { .name = "all",
      .type = FLAG_BOOL,
      .at = offsetof(struct delete_options, all),
      .help = "All objects of the types named." },
    { .name = "all-namespaces",
      .letter = 'A',
      .type = FLAG_BOOL,
      .at = offsetof(struct delete_options, all_namespaces),
      .help = "With -l or --all: in every namespace." },
    { .name = "cascade",
      .at = offsetof(struct delete_options, cascade),
      .value = "background",
      .bare = "background",
      .help = "What becomes of dependents: background (deleted after), foreground (before), "
              "orphan (they stay).",
      .values = VALUES_CHOICE,
      .choice = "background foreground orphan" },
    { .name = "grace-period",
      .type = FLAG_INT,
      .at = offsetof(struct delete_options, grace_period),
      .value = "-1",
      .help = "Seconds an object has to end; negative: its own. 0 only with --force." },
    { .name = "force",
      .type = FLAG_BOOL,
      .at = offsetof(struct delete_options, force),
      .help = "Take it out of the API at once, whatever still runs." },
    { .name = "now",
      .type = FLAG_BOOL,
      .at = offsetof(struct delete_options, now),
      .help = "The same as --grace-period=1." },
    { .name = "wait",
      .type = FLAG_BOOL,
      .at = offsetof(struct delete_options, wait),
      .value = "true",
      .help = "Wait until the objects are gone, finalizers and all." },
    { .name = "timeout",
      .type = FLAG_DURATION,
      .at = offsetof(struct delete_options, timeout),
      .value = "0s",
      .help = "How long to wait; 0: as long as it takes." },
    { .name = "ignore-not-found",
      .type = FLAG_BOOL,
      .at = offsetof(struct delete_options, ignore_not_found),
      .help = "What is not there counts as deleted; so it is with -l and --all." },
    { .rows = act_dry_run_row, .at = offsetof(struct delete_options, dry_run) },
    { .name = "output",
      .letter = 'o',
      .at = offsetof(struct delete_options, output),
      .help = "name: TYPE/NAME alone.",
      .values = VALUES_CHOICE,
      .choice = "name" },
    { 0 }
};

struct deletion {
    struct act act;
    const struct delete_options *options;
    int64_t grace_s; /* negative: the object's own */
    const char *propagation;
    bool ignore_not_found;
    struct act_object *objects; /* deleted, to be waited for */
    size_t count;
    size_t capacity;
    size_t found;
    bool failed;
    bool warn_cluster;
};

/* ---- flags ---- */

static int read_cascade(const char *text, const char **out, struct err *e)
{
    static const char *const words[][2] = { { "background", "Background" },
                                            { "foreground", "Foreground" },
                                            { "orphan", "Orphan" },
                                            { "true", "Background" },
                                            { "false", "Orphan" } };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i][0]) == 0) {
            *out = words[i][1];
            return 0;
        }
    }
    return err_set(e, ERR_INVALID_ARGUMENT,
                   "invalid cascade value (%s). Must be \"background\", \"foreground\", or "
                   "\"orphan\"",
                   text);
}

static int read_grace(const struct delete_options *o, int64_t *out, struct err *e)
{
    *out = o->grace_period;
    if (o->now && *out != -1)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "--now and --grace-period cannot be specified together");
    if (o->now || (*out == 0 && !o->force))
        *out = 1;
    if (o->force && *out < 0)
        *out = 0;
    if (o->force && *out > 0)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "--force and --grace-period greater than 0 cannot be specified together");
    return 0;
}

static int check_options(const struct delete_options *o, struct err *e)
{
    if (o->output != NULL && strcmp(o->output, "name") != 0)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "unexpected -o output mode: %s. We only support '-o name'", o->output);
    if (o->all && (o->selector != NULL || o->field_selector != NULL))
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "setting 'all' parameter but found a non empty selector. ");
    return 0;
}

/* ---- one object ---- */

static void print_deleted(struct deletion *d, const struct act_object *o)
{
    static const char *const dry[] = { "", " (dry run)", " (server dry run)" };
    struct str title = objects_title(d->act.cli, o->resource, o->name);
    ptrdiff_t slash = str_find_char(title, '/', 0);
    struct str type = str_slice(title, 0, (size_t)slash);
    if (d->options->output != NULL)
        printf("%.*s\n", STR_ARG(title));
    else
        printf("%.*s \"%.*s\" %s%s\n", STR_ARG(type), STR_ARG(o->name),
               d->grace_s == 0 ? "force deleted" : "deleted", dry[d->act.dry]);
    (void)fflush(stdout); /* waiting may follow */
}

static struct str options_text(struct deletion *d)
{
    struct arena *a = &d->act.cli->arena;
    struct json propagation = json_string(str_from(d->propagation));
    struct json grace = json_int(d->grace_s);
    struct json version = json_string(str_lit("v1"));
    struct json kind = json_string(str_lit("DeleteOptions"));
    struct json options = compose_with(a, NULL, "apiVersion", &version);
    options = compose_with(a, &options, "kind", &kind);
    options = compose_with(a, &options, "propagationPolicy", &propagation);
    if (d->grace_s >= 0)
        options = compose_with(a, &options, "gracePeriodSeconds", &grace);
    return compose_text(a, &options);
}

/* The uid stands in the object's last state, or in a Status's details. */
static void keep(struct deletion *d, const struct act_object *o, const struct ask_answer *answer)
{
    struct arena *a = &d->act.cli->arena;
    const struct json *said = NULL;
    d->objects = arena_grow(a, d->objects, d->count, &d->capacity, sizeof *d->objects);
    d->objects[d->count] = *o;
    if (json_parse(a, answer->body, &said, NULL) == 0) {
        bool status = str_eq_c(json_str(json_get_c(said, "kind")), "Status");
        d->objects[d->count].uid = compose_text_in(said, status ? "details" : "metadata", "uid");
    }
    d->count++;
}

static void delete_one(struct deletion *d, const struct act_object *o)
{
    struct ask_answer answer;
    struct cli *c = d->act.cli;
    d->found++;
    if (d->warn_cluster && !o->resource->namespaced) {
        (void)fprintf(stderr, "Warning: deleting cluster-scoped resources, not scoped to the "
                              "provided namespace\n");
        d->warn_cluster = false;
    }
    if (d->act.dry == ACT_DRY_CLIENT) {
        print_deleted(d, o);
        return;
    }
    if (!act_send(c, "DELETE", act_target(&d->act, o, /* collection */ false, NULL),
                  "application/json", options_text(d), &answer)) {
        d->failed = true;
        return;
    }
    if (answer.status == 404 && d->ignore_not_found)
        return;
    if (!ask_good(&answer)) {
        (void)act_refused(c, &answer, "deleting", o->source);
        d->failed = true;
        return;
    }
    print_deleted(d, o);
    keep(d, o, &answer);
}

/* ---- what is named ---- */

static void delete_manifests(struct deletion *d)
{
    struct cli *c = d->act.cli;
    struct manifests manifests = { .unchecked = true };
    manifests_read(c, &d->options->manifests, &manifests);
    for (size_t i = 0; i < manifests.errors_count; i++)
        (void)cli_error("%s", manifests.errors[i]);
    d->failed = manifests.errors_count > 0;
    for (size_t i = 0; i < manifests.count; i++) {
        struct act_object object;
        struct err e;
        if (act_resolve(c, &manifests.items[i], &object, &e) != 0) {
            (void)cli_error_of(&e);
            d->failed = true;
        } else if (object.name.len == 0) {
            (void)cli_error("resource name may not be empty");
            d->failed = true;
        } else {
            delete_one(d, &object);
        }
    }
}

static const char *list_target(struct deletion *d, const struct objects_resource *r)
{
    struct cli *c = d->act.cli;
    const struct delete_options *o = d->options;
    struct str none = { NULL, 0 };
    struct str ns = o->all_namespaces ? none : c->ns;
    struct str labels = o->selector != NULL ? objects_escape(c, str_from(o->selector)) : none;
    struct str fields =
        o->field_selector != NULL ? objects_escape(c, str_from(o->field_selector)) : none;
    return str_printf(&c->arena, "%s?labelSelector=%.*s&fieldSelector=%.*s",
                      objects_path(c, r, ns, none), STR_ARG(labels), STR_ARG(fields))
        .data;
}

static void delete_listed(struct deletion *d, const struct objects_resource *r)
{
    struct cli *c = d->act.cli;
    struct ask_answer answer;
    const struct json *list;
    const struct json *items = NULL;
    if (!act_send(c, "GET", list_target(d, r), NULL, str_lit(""), &answer) ||
        (!ask_good(&answer) && ask_tell(c, &answer) == CLI_FAILED) ||
        json_parse(&c->arena, answer.body, &list, NULL) != 0) {
        d->failed = true;
        return;
    }
    size_t count = compose_items(json_get_c(list, "items"), &items);
    for (size_t i = 0; i < count; i++) {
        const struct act_object object = { .resource = r,
                                           .ns =
                                               compose_text_in(&items[i], "metadata", "namespace"),
                                           .name = compose_text_in(&items[i], "metadata", "name") };
        delete_one(d, &object);
    }
}

static int delete_words(struct deletion *d, const struct words *w)
{
    struct cli *c = d->act.cli;
    const struct delete_options *o = d->options;
    bool many = o->all || o->selector != NULL || o->field_selector != NULL;
    struct objects_target *targets;
    size_t count;
    struct err e;
    if (objects_targets(c, w->items, w->count, &targets, &count, &e) != 0)
        return cli_error_of(&e);
    for (size_t i = 0; i < count; i++) {
        if (targets[i].name.len == 0 && !many)
            return cli_error("resource(s) were provided, but no name was specified");
        if (targets[i].name.len > 0 && many)
            return cli_error("name cannot be provided when a selector is specified");
    }
    for (size_t i = 0; i < count; i++) {
        const struct act_object object = { .resource = targets[i].resource,
                                           .ns = targets[i].resource->namespaced ? c->ns
                                                                                 : str_lit(""),
                                           .name = targets[i].name };
        if (many)
            delete_listed(d, targets[i].resource);
        else
            delete_one(d, &object);
    }
    return CLI_OK;
}

static int wait_for_all(struct deletion *d)
{
    struct cli *c = d->act.cli;
    uint64_t wait_ms =
        d->options->timeout > 0 ? (uint64_t)d->options->timeout / ENV_MS : GONE_WAIT_MS;
    uint64_t deadline_ms = env_loop_now_ms(c->loop) + wait_ms;
    int rc = CLI_OK;
    for (size_t i = 0; i < d->count && rc == CLI_OK; i++)
        rc = gone_wait(c, &d->objects[i], deadline_ms);
    return rc;
}

/* ---- the verb ---- */

static int delete_act(struct cli *c, const void *options, const struct words *w)
{
    const struct delete_options *o = options;
    struct deletion d = { .act = { .cli = c }, .options = o };
    struct err e;
    int rc = CLI_OK;
    if (check_options(o, &e) != 0 || act_dry_run(o->dry_run, &d.act.dry, &e) != 0 ||
        read_cascade(o->cascade, &d.propagation, &e) != 0 || read_grace(o, &d.grace_s, &e) != 0)
        return cli_error("%s", e.msg);
    d.warn_cluster = c->ns_given && !o->all_namespaces;
    d.ignore_not_found = o->ignore_not_found;
    if ((o->all || o->selector != NULL || o->field_selector != NULL) &&
        !flags_given(w, "ignore-not-found"))
        d.ignore_not_found = true;
    if (d.grace_s == 0)
        (void)fprintf(stderr, "Warning: Immediate deletion does not wait for confirmation that the "
                              "running resource has been terminated. The resource may continue to "
                              "run on the cluster indefinitely.\n");
    if (!manifest_named(&o->manifests) && w->count == 0)
        return act_nothing_named();
    if (manifest_named(&o->manifests) && w->count > 0)
        return cli_error("when paths, URLs, or stdin is provided as input, you may not specify "
                         "resource arguments as well");
    if (manifest_named(&o->manifests))
        delete_manifests(&d);
    else
        rc = delete_words(&d, w);
    if (rc != CLI_OK || d.failed)
        return CLI_FAILED;
    if (d.found == 0)
        printf("No resources found\n");
    return o->wait && d.act.dry == ACT_REAL ? wait_for_all(&d) : CLI_OK;
}

const struct verb delete_verb = {
    .name = "delete",
    .summary = "delete objects, and wait until they are gone",
    .help = "delete ([-f FILE] | TYPE [(NAME | -l LABEL | --all)]) [flags]",
    .about = "Deletes objects by name, by the manifests that made them, by label, or all of a "
             "type. It returns when they are gone; --wait=false does not wait.",
    .examples = "  gantry delete pod web-1\n"
                "  gantry delete -f web.yaml\n"
                "  gantry delete pods,services -l app=web",
    .flags = delete_flags,
    .options_bytes = sizeof(struct delete_options),
    .completes = WORDS_OBJECTS,
    .act = delete_act
};
