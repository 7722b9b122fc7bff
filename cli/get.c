/*
 * gantry get: objects as they are, as they change, or as they were at a revision that is still
 * kept.
 *
 * Tables are the server's own (meta.k8s.io Table), so every resource it serves has its columns.
 */
#include "cli/get.h"

#include <stdio.h>
#include <string.h>

#include "api/schema/json.h"
#include "base/buf.h"
#include "cli/ask.h"
#include "cli/sort.h"
#include "cli/tree.h"

bool get_is_table(const struct get_options *o)
{
    return o->output == NULL || o->output[0] == '\0' || strcmp(o->output, "wide") == 0;
}

struct fetch_options get_fetch(struct cli *c, const struct get_options *o, bool named)
{
    bool table = get_is_table(o);
    struct fetch_options f = { .accept = table ? FETCH_TABLE : NULL,
                               .ns = o->all ? str_lit("") : c->ns,
                               .selector = o->selector,
                               .fields = o->fields,
                               .chunk = o->sort_by != NULL ? 0 : o->chunk,
                               .subresource = o->subresource,
                               .ignore_missing = o->ignore_missing };
    if (table && o->sort_by != NULL)
        f.extra = "includeObject=Object";
    if (o->revision != NULL) {
        /* A list at one revision is Kubernetes' own; one object at a revision is ours. */
        f.extra = str_printf(&c->arena,
                             named ? "gantryRevision=%s"
                                   : "resourceVersion=%s&resourceVersionMatch=Exact",
                             o->revision)
                      .data;
        f.chunk = 0;
    }
    return f;
}

struct table_options get_table(struct cli *c, const struct get_options *o,
                               const struct objects_resource *r, bool with_kind)
{
    struct str title = objects_title(c, r, str_lit(""));
    return (struct table_options){ .wide = o->output != NULL && strcmp(o->output, "wide") == 0,
                                   .no_headers = o->no_headers,
                                   .with_namespace = o->all && r->namespaced,
                                   .with_kind = with_kind || o->show_kind,
                                   .show_labels = o->show_labels,
                                   .label_columns = &o->label_columns,
                                   .kind = str_slice(title, 0, title.len - 1),
                                   .color = c->color_out };
}

static void print_out(const struct buf *b)
{
    if (b->len > 0)
        (void)fwrite(b->data, 1, b->len, stdout); /* a closed pipe ends us by its own means */
    (void)fflush(stdout);
}

/* ---- tables ---- */

/* The rows of one table in the order of a field of their objects. */
static int sort_rows(struct cli *c, const struct get_options *o, const struct json **io_table,
                     struct err *e)
{
    const struct json *rows = json_get_c(*io_table, "rows");
    size_t count = tree_count(rows);
    const struct json **objects = arena_array(&c->arena, count, sizeof *objects);
    struct json *sorted = arena_array(&c->arena, count, sizeof *sorted);
    struct json *table = arena_new(&c->arena, struct json);
    size_t *order = NULL;
    for (size_t i = 0; i < count; i++) {
        objects[i] = json_get_c(tree_item(rows, i), "object");
        if (objects[i] == NULL)
            objects[i] = &json_null;
    }
    int rc = sort_by(&c->arena, str_from(o->sort_by), objects, count, &order, e);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < count; i++)
        sorted[i] = *tree_item(rows, order[i]);
    struct json array = json_array(sorted, count);
    *table = tree_with(&c->arena, *io_table, "rows", &array);
    *io_table = table;
    return 0;
}

static bool several_kinds(const struct fetch *f)
{
    for (size_t i = 1; i < f->count; i++)
        if (f->items[i].resource != f->items[0].resource)
            return true;
    return false;
}

/* The rows of one resource are done: aligned, and apart from what came before. */
static void end_tables(const struct get_options *o, struct table_printer *p, struct buf *rows,
                       struct buf *out)
{
    if (rows->len > 0 && out->len > 0 && !o->no_headers)
        buf_append_byte(out, '\n');
    table_flush(p, rows, out);
}

static int print_tables(struct cli *c, const struct get_options *o, const struct fetch *f,
                        struct buf *out)
{
    struct table_printer printer = { .headed = false };
    const struct objects_resource *last = NULL;
    bool many = several_kinds(f);
    struct buf rows;
    struct err e;
    int rc = 0;
    buf_init(&rows);
    for (size_t i = 0; rc == 0 && i < f->count; i++) {
        const struct fetch_item *it = &f->items[i];
        const struct json *table = it->root;
        if (o->sort_by != NULL)
            rc = sort_rows(c, o, &table, &e);
        if (it->resource != last) {
            const struct table_options options = get_table(c, o, it->resource, many);
            end_tables(o, &printer, &rows, out);
            table_start(&printer, &options);
        }
        last = it->resource;
        if (rc == 0)
            table_rows(c, &printer, table, NULL, &rows);
    }
    end_tables(o, &printer, &rows, out);
    buf_deinit(&rows);
    return rc != 0 ? cli_error_of(&e) : CLI_OK;
}

static void say_none(struct cli *c, const struct get_options *o, const struct fetch *f)
{
    bool namespaced = !o->all;
    for (size_t i = 0; i < f->count; i++)
        namespaced = namespaced && f->items[i].resource->namespaced;
    if (namespaced)
        (void)fprintf(stderr, "No resources found in %.*s namespace.\n", STR_ARG(c->ns));
    else
        (void)fputs("No resources found\n", stderr);
}

static int show_tables(struct cli *c, const struct get_options *o, const struct fetch *f)
{
    struct buf out;
    buf_init(&out);
    int code = print_tables(c, o, f, &out);
    print_out(&out);
    if (code == CLI_OK && out.len == 0 && !o->ignore_missing && f->refusals_count == 0)
        say_none(c, o, f);
    buf_deinit(&out);
    return code != CLI_OK ? code : fetch_tell(f);
}

/* ---- whole objects ---- */

static int sort_objects(struct cli *c, const struct get_options *o, const struct json **objects,
                        size_t count, struct err *e)
{
    const struct json **copy = arena_copy(&c->arena, objects, count * sizeof(*objects));
    size_t *order;
    int rc = sort_by(&c->arena, str_from(o->sort_by), copy, count, &order, e);
    for (size_t i = 0; rc == 0 && i < count; i++)
        objects[i] = copy[order[i]];
    return rc;
}

/* implied: one object was asked for, by its name or its file; it is shown as itself, not in a
 * list. */
static int show_objects(struct cli *c, const struct get_options *o, const struct fetch *f,
                        bool implied)
{
    struct output output = { .strict = !o->allow_missing,
                             .managed_fields = o->managed_fields,
                             .no_headers = o->no_headers };
    const struct json **objects;
    struct str says = { NULL, 0 };
    struct buf out;
    struct err e;
    if (implied && f->refusals_count > 0)
        return fetch_tell(f);
    size_t count = fetch_objects(c, f, &objects);
    bool single = implied && count == 1;
    if (count == 0 && o->ignore_missing)
        return fetch_tell(f);
    if (output_parse(c, o->output, o->template, &output, &e) != 0)
        return cli_error_of(&e);
    if (o->sort_by != NULL && count > 0 && !single && sort_objects(c, o, objects, count, &e) != 0)
        return cli_error_of(&e);
    buf_init(&out);
    const struct json *object = single ? objects[0] : output_list(c, objects, count);
    int rc = output_print(c, &output, object, &out, &says);
    print_out(&out);
    buf_deinit(&out);
    if (rc == 0)
        return fetch_tell(f);
    return cli_tell("%.*s", STR_ARG(says));
}

/* ---- the verb ---- */

static int get_raw(struct cli *c, const struct get_options *o)
{
    const struct ask_request request = { .target = o->raw, .accept = "application/json, */*" };
    struct ask_answer answer;
    struct err e;
    if (o->raw[0] != '/')
        return cli_error("--raw must be a valid URL path: parse \"%s\": invalid URI for request",
                         o->raw);
    if (ask_send(c, &request, &answer, &e) != 0)
        return cli_error_of(&e);
    if (!ask_good(&answer))
        return ask_tell(c, &answer);
    printf("%.*s", STR_ARG(answer.body));
    return CLI_OK;
}

static int get_check(const struct get_options *o, const struct words *w)
{
    const char *output = o->output != NULL ? o->output : "";
    uint64_t revision;
    if (o->raw != NULL && w->count > 0)
        return cli_error("arguments may not be passed when --raw is specified");
    if (o->raw != NULL && (o->watch || o->watch_only || o->selector != NULL))
        return cli_error("--raw may not be specified with other flags that filter the server "
                         "request or alter the output");
    if (o->raw != NULL && output[0] != '\0')
        return cli_error("--raw and --output are mutually exclusive");
    if (o->show_labels && !get_is_table(o))
        return cli_error("--show-labels option cannot be used with %s printer", output);
    if (o->watch_events && !o->watch && !o->watch_only)
        return cli_error("--output-watch-events option can only be used with --watch or "
                         "--watch-only");
    if (o->template != NULL && output[0] == '\0') /* alone, it is one of Go's */
        return cli_error("--template needs Go's templates, which gantry does not have; use -o "
                         "jsonpath=... or -o custom-columns=...");
    if (o->revision != NULL && (str_to_u64(str_from(o->revision), &revision) != 0 || revision == 0))
        return cli_error("--revision %s is no revision", o->revision);
    if (o->revision != NULL && (o->watch || o->watch_only))
        return cli_error("what was at a --revision does not change: it cannot be watched");
    return CLI_OK;
}

/* Names exclude selectors, and all namespaces. */
static int check_targets(const struct get_options *o, const struct words *w,
                         const struct objects_target *targets, size_t count)
{
    bool pairs = strchr(w->items[0], '/') != NULL;
    for (size_t i = 0; i < count; i++) {
        if (targets[i].name.len > 0 && (o->selector != NULL || o->fields != NULL))
            return cli_error(pairs ? "selectors and the all flag cannot be used when passing "
                                     "resource/name arguments"
                                   : "name cannot be provided when a selector is specified");
        if (targets[i].name.len > 0 && o->all && targets[i].resource->namespaced)
            return cli_error("a resource cannot be retrieved by name across all namespaces");
    }
    return CLI_OK;
}

static int get_nothing(void)
{
    (void)fputs("You must specify the type of resource to get. Use \"gantry api-resources\" for a "
                "complete list of supported resources.\n\n",
                stderr);
    return cli_error("Required resource not specified.\nUse \"gantry explain <resource>\" for a "
                     "detailed description of that resource (e.g. gantry explain pods).\nSee "
                     "'gantry get -h' for help and examples");
}

static int get_act(struct cli *c, const void *options, const struct words *w)
{
    const struct get_options *o = options;
    struct named n;
    struct fetch f;
    struct err e;
    if (get_check(o, w) != CLI_OK)
        return CLI_FAILED;
    if (o->raw != NULL)
        return get_raw(c, o);
    if (w->count == 0 && !manifest_named(&o->manifests))
        return get_nothing();
    if (named_read(c, &o->manifests, w, o->selector, &n) != CLI_OK)
        return CLI_FAILED;
    if (w->count > 0 && check_targets(o, w, n.targets, n.count) != CLI_OK)
        return CLI_FAILED;
    if (o->watch || o->watch_only)
        return get_watch(c, o, &n);
    const struct fetch_options fetch = get_fetch(c, o, n.count == 1 && n.targets[0].name.len > 0);
    if (named_fetch(c, &n, &fetch, &f, &e) != 0)
        return cli_error_of(&e);
    return get_is_table(o) ? show_tables(c, o, &f) : show_objects(c, o, &f, n.implied);
}

#define AT(member) .at = offsetof(struct get_options, member)

static const struct flag get_flags[] = {
    { .rows = manifest_rows, AT(manifests) },
    { .rows = fetch_all_row, AT(all) },
    { .name = "allow-missing-template-keys",
      .type = FLAG_BOOL,
      AT(allow_missing),
      .value = "true",
      .help = "In JSONPath, a field that is not there is nothing; false makes it an error." },
    { .rows = fetch_chunk_row, AT(chunk) },
    { .rows = fetch_fields_row, AT(fields) },
    { .name = "ignore-not-found",
      .type = FLAG_BOOL,
      AT(ignore_missing),
      .help = "What is not there is no failure, and nothing is said of it." },
    { .name = "label-columns",
      .letter = 'L',
      .type = FLAG_LIST,
      AT(label_columns),
      .help = "Labels that get columns of their own, with commas between them." },
    { .name = "no-headers",
      .type = FLAG_BOOL,
      AT(no_headers),
      .help = "No line of titles above tables and custom columns." },
    { .name = "output",
      .letter = 'o',
      AT(output),
      .help = "How it is shown: wide, name, json, yaml, jsonpath=TEMPLATE, "
              "jsonpath-as-json=TEMPLATE, jsonpath-file=FILE, custom-columns=TITLE:PATH,..., "
              "custom-columns-file=FILE. Without it: a table.",
      .values = VALUES_CHOICE,
      .choice = "wide name json yaml jsonpath= jsonpath-as-json= jsonpath-file= custom-columns= "
                "custom-columns-file=" },
    { .name = "output-watch-events",
      .type = FLAG_BOOL,
      AT(watch_events),
      .help = "With --watch: what happened to each object (ADDED, MODIFIED, DELETED), too." },
    { .name = "raw", AT(raw), .help = "A path of the API to ask for and print as it comes." },
    { .name = "revision",
      AT(revision),
      .help = "As it was at this resourceVersion, while history reaches that far (`gantry "
              "history` lists an object's revisions)." },
    { .rows = fetch_selector_row, AT(selector) },
    { .name = "show-kind",
      .type = FLAG_BOOL,
      AT(show_kind),
      .help = "Names with their resource before them: pod/x." },
    { .name = "show-labels",
      .type = FLAG_BOOL,
      AT(show_labels),
      .help = "All labels as the last column." },
    { .name = "show-managed-fields",
      .type = FLAG_BOOL,
      AT(managed_fields),
      .help = "Keep metadata.managedFields in JSON and YAML." },
    { .name = "sort-by",
      AT(sort_by),
      .help = "The path of a field that lists are sorted by: '.metadata.name'." },
    { .name = "subresource", AT(subresource), .help = "A part of the object: status, scale." },
    { .name = "template",
      AT(template),
      .help = "The template of -o jsonpath, where it is not given with it." },
    { .name = "watch",
      .letter = 'w',
      .type = FLAG_BOOL,
      AT(watch),
      .help = "Show what there is, then each change." },
    { .name = "watch-only", .type = FLAG_BOOL, AT(watch_only), .help = "Show the changes alone." },
    { 0 }
};

const struct verb get_verb = {
    .name = "get",
    .summary = "objects as they are, as they change, or as they were",
    .about = "Shows objects: of one resource or several, all of them or by name, as a table that "
             "the\nserver makes or in a format of your choice.\n\nUse \"gantry api-resources\" "
             "for the resources there are.",
    .examples = "  # The pods of this namespace\n  gantry get pods\n\n"
                "  # With node and address\n  gantry get pods -o wide\n\n"
                "  # One deployment, whole\n  gantry get deployment web -o yaml\n\n"
                "  # Several resources at once, of all namespaces\n"
                "  gantry get deployments,services -A\n\n"
                "  # The phase of one pod\n"
                "  gantry get pod web-1 -o jsonpath='{.status.phase}'\n\n"
                "  # Columns of your own\n"
                "  gantry get pods -o custom-columns=NAME:.metadata.name,NODE:.spec.nodeName\n\n"
                "  # The objects of a manifest, as the server has them\n"
                "  gantry get -f web.yaml -o yaml\n\n"
                "  # What happens to pods with a label, as it happens\n"
                "  gantry get pods -l app=web --watch\n\n"
                "  # A ConfigMap as it was\n  gantry get configmap settings --revision 4711",
    .help = "get (-f FILE | TYPE[.VERSION][.GROUP][,TYPE...] [NAME... | -l SELECTOR] | "
            "TYPE/NAME...) [flags]",
    .flags = get_flags,
    .options_bytes = sizeof(struct get_options),
    .completes = WORDS_OBJECTS,
    .act = get_act
};
