/* get --watch: what there is, then each change as it comes. */
#include <stdio.h>
#include <string.h>

#include "api/schema/json.h"
#include "base/buf.h"
#include "cli/get.h"
#include "cli/tree.h"
#include "cli/watch.h"

struct following {
    struct cli *cli;
    const struct get_options *options;
    struct table_printer table;
    struct output output;
    bool silent; /* until the first event: what it shows was shown already */
    int code;
};

static int show(struct following *f, struct cli *c, const struct json *object, struct str event)
{
    const struct get_options *o = f->options;
    const char *type = o->watch_events ? str_dup(&c->arena, event) : NULL;
    struct str says = { NULL, 0 };
    struct buf out;
    int rc = 0;
    buf_init(&out);
    if (get_is_table(o)) {
        struct buf rows;
        buf_init(&rows);
        table_rows(c, &f->table, object, type, &rows);
        table_flush(&f->table, &rows, &out);
        buf_deinit(&rows);
    } else if (o->watch_events) {
        struct json_member members[] = { { str_lit("type"), json_string(event) },
                                         { str_lit("object"), *object } };
        struct json both = json_object(members, 2);
        rc = output_print(c, &f->output, &both, &out, &says);
    } else {
        rc = output_print(c, &f->output, object, &out, &says);
    }
    if (out.len > 0)
        (void)fwrite(out.data, 1, out.len, stdout); /* a closed pipe ends us by its own means */
    (void)fflush(stdout);
    buf_deinit(&out);
    return rc != 0 ? cli_tell("%.*s", STR_ARG(says)) : CLI_OK;
}

/* Columns outlive the event they came with. */
static const struct json *kept(struct cli *c, const struct json *columns)
{
    const struct json *copy = NULL;
    struct buf b;
    buf_init(&b);
    json_write(&b, columns, false);
    (void)json_parse(&c->arena, str_copy(&c->arena, buf_str(&b)), &copy, NULL); /* it was JSON */
    buf_deinit(&b);
    return copy;
}

static bool on_event(void *ctx, struct str event, const struct json *object)
{
    struct following *f = ctx;
    const struct json *columns = f->table.columns;
    struct cli c = *f->cli;
    if (str_eq_c(event, "BOOKMARK"))
        return true;
    if (str_eq_c(event, "ERROR")) {
        struct str message = tree_text(object, "message", NULL);
        f->code = cli_error("the watch ended: %.*s", STR_ARG(message));
        return false;
    }
    arena_init(&c.arena);
    if (!f->silent)
        f->code = show(f, &c, object, event);
    f->silent = false;
    arena_deinit(&c.arena);
    if (f->table.columns != columns)
        f->table.columns = kept(f->cli, f->table.columns);
    return f->code == CLI_OK;
}

static const char *watch_target(struct cli *c, const struct get_options *o,
                                const struct objects_target *t, struct str revision)
{
    /* One object is watched as the list it is in, all but itself left out. */
    const struct objects_target list = { .resource = t->resource, .ns = t->ns };
    struct fetch_options f = get_fetch(c, o, false);
    if (t->name.len > 0)
        f.fields = str_printf(&c->arena, "metadata.name=%.*s", STR_ARG(t->name)).data;
    f.chunk = 0;
    f.subresource = NULL;
    f.extra = str_printf(&c->arena, "resourceVersion=%.*s&watch=true%s%s", STR_ARG(revision),
                         f.extra != NULL ? "&" : "", f.extra != NULL ? f.extra : "")
                  .data;
    return fetch_target(c, &list, &f, str_lit(""));
}

/* What there is now, one page after the other; whole objects one by one. */
static int show_present(struct following *f, const struct fetch *fetched)
{
    const struct json **objects;
    if (f->options->watch_only)
        return CLI_OK;
    if (get_is_table(f->options)) {
        for (size_t i = 0; i < fetched->count; i++)
            if (show(f, f->cli, fetched->items[i].root, str_lit("ADDED")) != CLI_OK)
                return CLI_FAILED;
        return CLI_OK;
    }
    size_t count = fetch_objects(f->cli, fetched, &objects);
    /* Columns are as wide as the widest of all. */
    if (f->output.format == OUTPUT_COLUMNS && !f->options->watch_events)
        return show(f, f->cli, output_list(f->cli, objects, count), str_lit("ADDED"));
    for (size_t i = 0; i < count; i++)
        if (show(f, f->cli, objects[i], str_lit("ADDED")) != CLI_OK)
            return CLI_FAILED;
    return CLI_OK;
}

static int follow(struct cli *c, const struct get_options *o, const struct objects_target *t,
                  const struct fetch *fetched)
{
    struct following f = { .cli = c, .options = o, .silent = t->name.len > 0 };
    const struct json *last = fetched->items[fetched->count - 1].root;
    struct str revision =
        t->name.len > 0 ? str_lit("0") : tree_text(last, "metadata", "resourceVersion", NULL);
    const struct table_options table = get_table(c, o, t->resource, false);
    struct err e;
    f.output = (struct output){ .strict = !o->allow_missing,
                                .managed_fields = o->managed_fields,
                                .no_headers = o->no_headers };
    table_start(&f.table, &table);
    if (!get_is_table(o) && output_parse(c, o->output, o->template, &f.output, &e) != 0)
        return cli_error_of(&e);
    if (show_present(&f, fetched) != CLI_OK)
        return CLI_FAILED;
    const struct watch_options watch = { .target = watch_target(c, o, t, revision),
                                         .accept = get_is_table(o) ? FETCH_TABLE : NULL,
                                         .event = on_event,
                                         .ctx = &f };
    int rc = watch_run(c, &watch, &e);
    bool over = rc == 0 || rc == -ERR_TIMEOUT; /* --request-timeout is the end that was asked for */
    return over ? f.code : cli_error_of(&e);
}

int get_watch(struct cli *c, const struct get_options *o, const struct named *n)
{
    const struct objects_target *targets = n->targets;
    size_t count = n->count;
    const struct fetch_options options = get_fetch(c, o, count == 1 && targets[0].name.len > 0);
    struct fetch f;
    struct err e;
    for (size_t i = 1; i < count; i++)
        if (targets[i].resource != targets[0].resource)
            return cli_error("you may only specify a single resource type");
    if (count != 1 && n->errors_count == 0)
        return cli_error("watch is only supported on individual resources and resource "
                         "collections - %zu resources were found",
                         count);
    if (o->sort_by != NULL)
        (void)fprintf(stderr, o->watch ? "warning: --watch requested, --sort-by will be ignored "
                                         "for watch events received\n"
                                       : "warning: --watch-only requested, --sort-by will be "
                                         "ignored\n");
    if (named_fetch(c, n, &options, &f, &e) != 0)
        return cli_error_of(&e);
    if (f.refusals_count > 0 || f.count == 0)
        return fetch_tell(&f);
    return follow(c, o, &targets[0], &f);
}
