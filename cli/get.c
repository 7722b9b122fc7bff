/*
 * gantry get: objects as they are, or as they were at a revision that is still kept.
 *
 * Tables are the server's own (meta.k8s.io Table), so every resource it serves has its columns.
 */
#include <stdio.h>
#include <string.h>

#include "api/schema/json.h"
#include "base/buf.h"
#include "cli/ask.h"
#include "cli/objects.h"
#include "cli/verb.h"

#define GET_TABLE       "application/json;as=Table;v=v1;g=meta.k8s.io"
#define GET_COLUMNS_MAX 32

struct get_plan {
    struct str resource;
    struct str name;
    struct str ns;
    bool all;
    const char *revision; /* NULL: the newest */
    const char *output;   /* NULL: the table */
};

/* ---- tables ---- */

static struct str cell_text(struct cli *c, const struct json *cell)
{
    struct buf b;
    if (cell->type == JSON_STRING)
        return json_str(cell);
    if (cell->type == JSON_NULL)
        return str_lit("");
    buf_init(&b);
    json_write(&b, cell, false);
    struct str text = str_copy(&c->arena, buf_str(&b));
    buf_deinit(&b);
    return text;
}

static const struct json *item(const struct json *array, uint32_t i)
{
    return array != NULL && array->type == JSON_ARRAY && i < array->count ? &array->u.items[i]
                                                                          : NULL;
}

static uint32_t count_of(const struct json *array)
{
    return array != NULL && array->type == JSON_ARRAY ? array->count : 0;
}

static struct str member_of_row(const struct json *row, const char *name)
{
    return json_str(json_get_c(json_get_c(json_get_c(row, "object"), "metadata"), name));
}

/* The columns to be shown, by their place in the answer. */
static size_t pick_columns(const struct json *definitions, bool wide, uint32_t out[GET_COLUMNS_MAX])
{
    size_t count = 0;
    for (uint32_t i = 0; i < count_of(definitions) && count < GET_COLUMNS_MAX; i++) {
        const struct json *priority = json_get_c(item(definitions, i), "priority");
        if (wide || priority == NULL || priority->type != JSON_INT || priority->u.integer == 0)
            out[count++] = i;
    }
    return count;
}

static void print_row(struct str *cells, const size_t *widths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count)
            printf("%.*s\n", STR_ARG(cells[i]));
        else
            printf("%-*.*s   ", (int)widths[i], STR_ARG(cells[i]));
    }
}

static struct str upper(struct cli *c, struct str s)
{
    char *out = str_dup(&c->arena, s);
    for (size_t i = 0; i < s.len; i++)
        if (out[i] >= 'a' && out[i] <= 'z')
            out[i] = (char)(out[i] - 'a' + 'A');
    return str_of(out, s.len);
}

static void get_print_table(struct cli *c, const struct get_plan *plan, const struct json *table)
{
    const struct json *definitions = json_get_c(table, "columnDefinitions");
    const struct json *rows = json_get_c(table, "rows");
    bool wide = plan->output != NULL && strcmp(plan->output, "wide") == 0;
    uint32_t picked[GET_COLUMNS_MAX];
    size_t shown = pick_columns(definitions, wide, picked);
    size_t first = plan->all ? 1 : 0;
    size_t columns = shown + first;
    uint32_t count = count_of(rows);
    size_t widths[GET_COLUMNS_MAX + 1] = { 0 };
    struct str *cells = arena_array(&c->arena, (count + 1) * columns, sizeof *cells);
    for (uint32_t r = 0; r <= count; r++) {
        const struct json *row = r > 0 ? item(rows, r - 1) : NULL;
        struct str *line = &cells[r * columns];
        if (plan->all)
            line[0] = r == 0 ? str_lit("NAMESPACE") : member_of_row(row, "namespace");
        for (size_t i = 0; i < shown; i++) {
            const struct json *cell = item(json_get_c(row, "cells"), picked[i]);
            line[first + i] =
                r == 0 ? upper(c, json_str(json_get_c(item(definitions, picked[i]), "name")))
                       : cell_text(c, cell != NULL ? cell : &json_null);
        }
        for (size_t i = 0; i < columns; i++)
            widths[i] = line[i].len > widths[i] ? line[i].len : widths[i];
    }
    if (count == 0)
        (void)fputs("none found\n", stderr);
    for (uint32_t r = 0; count > 0 && r <= count; r++)
        print_row(&cells[r * columns], widths, columns);
}

static void get_print_names(const struct objects_resource *resource, const struct json *table)
{
    const struct json *rows = json_get_c(table, "rows");
    for (uint32_t i = 0; i < count_of(rows); i++)
        printf("%.*s/%.*s\n", STR_ARG(resource->plural),
               STR_ARG(member_of_row(item(rows, i), "name")));
}

/* ---- the verb ---- */

static int get_parse(struct get_plan *plan, int argc, char **argv)
{
    struct str word = { NULL, 0 };
    for (int i = 0; i < argc; i++) {
        const char *value;
        uint64_t revision;
        if ((value = cli_flag(argc, argv, &i, "-n")) != NULL ||
            (value = cli_flag(argc, argv, &i, "--namespace")) != NULL)
            plan->ns = str_from(value);
        else if (strcmp(argv[i], "-A") == 0 || strcmp(argv[i], "--all-namespaces") == 0)
            plan->all = true;
        else if ((value = cli_flag(argc, argv, &i, "--revision")) != NULL)
            plan->revision = value;
        else if ((value = cli_flag(argc, argv, &i, "-o")) != NULL ||
                 (value = cli_flag(argc, argv, &i, "--output")) != NULL)
            plan->output = value;
        else if (argv[i][0] == '-' || plan->name.len > 0)
            return cli_usage(&get_verb, "unknown argument '%s'", argv[i]);
        else if (word.len > 0)
            plan->name = str_from(argv[i]);
        else
            word = str_from(argv[i]);
        if (plan->revision != NULL &&
            (str_to_u64(str_from(plan->revision), &revision) != 0 || revision == 0))
            return cli_usage(&get_verb, "--revision %s is no revision", plan->revision);
    }
    if (!objects_split(word, &plan->resource, &plan->name))
        return cli_usage(&get_verb, "which resource?");
    static const char *const outputs[] = { "yaml", "json", "name", "wide" };
    bool known = plan->output == NULL;
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++)
        known = known || strcmp(plan->output, outputs[i]) == 0;
    if (!known)
        return cli_usage(&get_verb, "-o %s: yaml, json, name or wide", plan->output);
    plan->all = plan->all && plan->name.len == 0;
    return CLI_OK;
}

static const char *get_target(struct cli *c, const struct get_plan *plan,
                              const struct objects_resource *resource)
{
    struct str ns = plan->all ? str_lit("") : plan->ns;
    const char *path = objects_path(c, resource, ns, plan->name);
    if (plan->revision == NULL)
        return path;
    /* A list at one revision is Kubernetes' own; one object at a revision is ours. */
    return str_printf(&c->arena,
                      plan->name.len > 0 ? "%s?gantryRevision=%s"
                                         : "%s?resourceVersion=%s&resourceVersionMatch=Exact",
                      path, plan->revision)
        .data;
}

static int get_run(struct cli *c, int argc, char **argv)
{
    struct get_plan plan = { .ns = c->ns };
    struct objects_resource resource;
    const struct json *table;
    struct str body;
    struct err e;
    int rc = get_parse(&plan, argc, argv);
    if (rc != CLI_OK)
        return rc;
    bool yaml = plan.output != NULL && strcmp(plan.output, "yaml") == 0;
    bool whole = yaml || (plan.output != NULL && strcmp(plan.output, "json") == 0);
    const char *accept = yaml ? "application/yaml" : whole ? "application/json" : GET_TABLE;
    if (objects_find(c, plan.resource, &resource, &e) != 0)
        return cli_fail("%s", e.msg);
    plan.all = plan.all && resource.namespaced;
    rc = ask_any(c, get_target(c, &plan, &resource), accept, &body, &e);
    if (rc == 0 && !whole)
        rc = json_parse(&c->arena, body, &table, &e);
    if (rc != 0)
        return cli_fail("%s", e.msg);
    if (whole)
        printf("%.*s", STR_ARG(body));
    else if (plan.output != NULL && strcmp(plan.output, "name") == 0)
        get_print_names(&resource, table);
    else
        get_print_table(c, &plan, table);
    return CLI_OK;
}

const struct verb get_verb = {
    .name = "get",
    .summary = "objects as they are, or as they were at a revision",
    .help = "get RESOURCE[/NAME] [NAME] [-n NAMESPACE | -A] [--revision N]\n"
            "                  [-o yaml|json|name|wide]\n\n"
            "  RESOURCE      pods, deploy, configmaps, ... as the server has them\n"
            "  -n, -A        of this namespace (default: default), or of all\n"
            "  --revision N  as it was at resourceVersion N, while history reaches that far\n"
            "                (`gantry history` lists an object's revisions)",
    .run = get_run
};
