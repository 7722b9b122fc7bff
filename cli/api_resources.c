/* gantry api-resources and api-versions: what the server has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/schema/json.h"
#include "base/buf.h"
#include "cli/ask.h"
#include "cli/color.h"
#include "cli/flags.h"
#include "cli/objects.h"
#include "cli/tabs.h"
#include "cli/tree.h"

struct resources_options {
    const char *output;
    const char *group;
    const char *sort_by;
    struct flag_texts verbs;
    struct flag_texts categories;
    bool namespaced;
    bool no_headers;
    bool cached;
};

/* ---- which ones ---- */

static bool has_all(const struct json *array, const struct flag_texts *wanted)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (!objects_has(array, wanted->items[i]))
            return false;
    return true;
}

static bool wanted(const struct resources_options *o, const struct words *w,
                   const struct objects_resource *r)
{
    if (flags_given(w, "api-group") && !str_eq_c(r->group, o->group != NULL ? o->group : ""))
        return false;
    if (flags_given(w, "namespaced") && r->namespaced != o->namespaced)
        return false;
    return r->preferred && tree_count(r->verbs) > 0 && has_all(r->verbs, &o->verbs) &&
           has_all(r->categories, &o->categories);
}

static int by_group(const void *a, const void *b)
{
    const struct objects_resource *one = *(const struct objects_resource *const *)a;
    const struct objects_resource *two = *(const struct objects_resource *const *)b;
    int order = str_cmp(one->group, two->group);
    return order != 0 ? order : str_cmp(one->plural, two->plural);
}

static int by_name(const void *a, const void *b)
{
    const struct objects_resource *one = *(const struct objects_resource *const *)a;
    const struct objects_resource *two = *(const struct objects_resource *const *)b;
    int order = str_cmp(one->plural, two->plural);
    return order != 0 ? order : str_cmp(one->group, two->group);
}

static int by_kind(const void *a, const void *b)
{
    const struct objects_resource *one = *(const struct objects_resource *const *)a;
    const struct objects_resource *two = *(const struct objects_resource *const *)b;
    int order = str_cmp(one->kind, two->kind);
    return order != 0 ? order : by_group(a, b);
}

/* ---- how they are shown ---- */

static void append_words(struct buf *b, const struct json *array)
{
    for (size_t i = 0; i < tree_count(array); i++)
        buf_printf(b, "%s%.*s", i > 0 ? "," : "", STR_ARG(json_str(tree_item(array, i))));
}

static void append_title(struct cli *c, struct buf *b, const char *title, char end)
{
    buf_printf(b, "%s%s%s%c", c->color_out ? color_title() : "", title,
               c->color_out ? color_end() : "", end);
}

static void append_titles(struct cli *c, struct buf *b, bool wide)
{
    static const char *const titles[] = { "NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED" };
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        append_title(c, b, titles[i], '\t');
    append_title(c, b, "KIND", wide ? '\t' : '\n');
    if (wide) {
        append_title(c, b, "VERBS", '\t');
        append_title(c, b, "CATEGORIES", '\n');
    }
}

static void append_resource(struct cli *c, struct buf *b, const struct objects_resource *r,
                            bool wide)
{
    buf_printf(b, "%.*s\t", STR_ARG(r->plural));
    append_words(b, r->shorts);
    buf_printf(b, "\t%.*s\t%s\t%.*s", STR_ARG(objects_api_version(c, r)),
               r->namespaced ? "true" : "false", STR_ARG(r->kind));
    if (wide) {
        buf_append_byte(b, '\t');
        append_words(b, r->verbs);
        buf_append_byte(b, '\t');
        append_words(b, r->categories);
    }
    buf_append_byte(b, '\n');
}

static void show(struct cli *c, const struct resources_options *o,
                 const struct objects_resource *const *resources, size_t count)
{
    struct tabs tabs = tabs_table();
    struct buf text;
    struct buf out;
    bool wide = o->output != NULL && strcmp(o->output, "wide") == 0;
    bool names = o->output != NULL && strcmp(o->output, "name") == 0;
    buf_init(&text);
    buf_init(&out);
    if (!names && !o->no_headers)
        append_titles(c, &text, wide);
    for (size_t i = 0; i < count; i++) {
        if (names)
            buf_printf(&text, "%.*s\n", STR_ARG(objects_group_resource(c, resources[i])));
        else
            append_resource(c, &text, resources[i], wide);
    }
    tabs_write(&tabs, buf_str(&text), &out);
    printf("%.*s", STR_ARG(buf_str(&out)));
    buf_deinit(&out);
    buf_deinit(&text);
}

static int check(const struct resources_options *o, const struct words *w)
{
    if (w->count > 0)
        return cli_error("unexpected arguments: [%s%s]\nSee 'gantry api-resources -h' for help and "
                         "examples",
                         w->items[0], w->count > 1 ? " ..." : "");
    if (o->output != NULL && strcmp(o->output, "wide") != 0 && strcmp(o->output, "name") != 0)
        return cli_error("--output %s is not available", o->output);
    if (o->sort_by != NULL && strcmp(o->sort_by, "name") != 0 && strcmp(o->sort_by, "kind") != 0)
        return cli_error("--sort-by accepts only name or kind");
    return CLI_OK;
}

static int resources_act(struct cli *c, const void *options, const struct words *w)
{
    const struct resources_options *o = options;
    const struct objects_list *list;
    struct err e;
    size_t count = 0;
    if (check(o, w) != CLI_OK)
        return CLI_FAILED;
    if (objects_load(c, &list, &e) != 0)
        return cli_error_of(&e);
    const struct objects_resource **resources =
        arena_array(&c->arena, list->count, sizeof *resources);
    for (size_t i = 0; i < list->count; i++)
        if (wanted(o, w, &list->items[i]))
            resources[count++] = &list->items[i];
    qsort(resources, count, sizeof *resources,
          o->sort_by == NULL                ? by_group
          : strcmp(o->sort_by, "name") == 0 ? by_name
                                            : by_kind);
    show(c, o, resources, count);
    return CLI_OK;
}

#define AT(member) .at = offsetof(struct resources_options, member)

static const struct flag resources_flags[] = {
    { .name = "api-group", AT(group), .help = "Of this group alone; '' is the core group." },
    { .name = "categories",
      .type = FLAG_LIST,
      AT(categories),
      .help = "In all of these categories, such as all." },
    { .name = "namespaced",
      .type = FLAG_BOOL,
      AT(namespaced),
      .value = "true",
      .help = "True: those of namespaces; false: those of the cluster. Not given: both." },
    { .name = "cached",
      .type = FLAG_BOOL,
      AT(cached),
      .help = "Taken for kubectl's sake; nothing is cached here." },
    { .name = "no-headers", .type = FLAG_BOOL, AT(no_headers), .help = "No line of titles." },
    { .name = "output",
      .letter = 'o',
      AT(output),
      .help = "wide (verbs and categories, too) or name.",
      .values = VALUES_CHOICE,
      .choice = "wide name" },
    { .name = "sort-by",
      AT(sort_by),
      .help = "name or kind; else by group.",
      .values = VALUES_CHOICE,
      .choice = "name kind" },
    { .name = "verbs",
      .type = FLAG_LIST,
      AT(verbs),
      .help = "That can do all of these: list,watch." },
    { 0 }
};

const struct verb api_resources_verb = {
    .name = "api-resources",
    .summary = "the resources the server has, and their short names",
    .examples = "  # All of them\n  gantry api-resources\n\n"
                "  # With what can be done with them\n  gantry api-resources -o wide\n\n"
                "  # What is not in namespaces\n  gantry api-resources --namespaced=false\n\n"
                "  # Of one group\n  gantry api-resources --api-group=apps",
    .help = "api-resources [flags]",
    .flags = resources_flags,
    .options_bytes = sizeof(struct resources_options),
    .act = resources_act
};

/* ---- api-versions ---- */

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int versions_act(struct cli *c, const void *options, const struct words *w)
{
    const struct objects_list *list;
    struct err e;
    size_t count = 0;
    (void)options;
    if (w->count > 0)
        return cli_error("unexpected arguments: [%s]\nSee 'gantry api-versions -h' for help and "
                         "examples",
                         w->items[0]);
    if (objects_load(c, &list, &e) != 0)
        return cli_error_of(&e);
    struct str *versions = arena_array(&c->arena, list->count, sizeof *versions);
    for (size_t i = 0; i < list->count; i++)
        versions[count++] = objects_api_version(c, &list->items[i]);
    qsort(versions, count, sizeof *versions, by_text);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !str_eq(versions[i], versions[i - 1]))
            printf("%.*s\n", STR_ARG(versions[i]));
    return CLI_OK;
}

const struct verb api_versions_verb = { .name = "api-versions",
                                        .summary = "the API versions the server has",
                                        .examples = "  gantry api-versions",
                                        .help = "api-versions",
                                        .act = versions_act };
