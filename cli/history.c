/* gantry history: the revisions of one object that can still be read, and what changed between. */
#include <stdio.h>
#include <string.h>

#include "api/schema/json.h"
#include "base/buf.h"
#include "cli/ask.h"
#include "cli/diff.h"
#include "cli/objects.h"
#include "cli/verb.h"

#define HISTORY_PAGE "1000"

struct history_plan {
    struct str resource;
    struct str name;
    struct str ns;
    bool json;
    const char *diff[2]; /* NULL: the list */
};

static int history_parse(struct history_plan *plan, int argc, char **argv)
{
    struct str word = { NULL, 0 };
    for (int i = 0; i < argc; i++) {
        const char *value;
        uint64_t revision;
        if ((value = cli_flag(argc, argv, &i, "-n")) != NULL ||
            (value = cli_flag(argc, argv, &i, "--namespace")) != NULL) {
            plan->ns = str_from(value);
        } else if ((value = cli_flag(argc, argv, &i, "-o")) != NULL) {
            if (strcmp(value, "json") != 0)
                return cli_usage(&history_verb, "-o %s: json", value);
            plan->json = true;
        } else if (strcmp(argv[i], "--diff") == 0) {
            if (i + 2 >= argc || str_to_u64(str_from(argv[i + 1]), &revision) != 0 ||
                str_to_u64(str_from(argv[i + 2]), &revision) != 0)
                return cli_usage(&history_verb, "--diff needs two revisions");
            plan->diff[0] = argv[++i];
            plan->diff[1] = argv[++i];
        } else if (argv[i][0] == '-' || plan->name.len > 0) {
            return cli_usage(&history_verb, "unknown argument '%s'", argv[i]);
        } else if (word.len > 0) {
            plan->name = str_from(argv[i]);
        } else {
            word = str_from(argv[i]);
        }
    }
    if (!objects_split(word, &plan->resource, &plan->name) || plan->name.len == 0)
        return cli_usage(&history_verb, "which object?");
    return CLI_OK;
}

static struct str text_of(const struct json *version, const char *name)
{
    const struct json *member = json_get_c(version, name);
    if (member != NULL && member->type == JSON_INT)
        return str_of(member->text, member->count);
    return member != NULL ? json_str(member) : str_lit("-");
}

static void history_print_page(const struct json *page)
{
    const struct json *versions = json_get_c(page, "versions");
    for (uint32_t i = 0; versions != NULL && versions->type == JSON_ARRAY && i < versions->count;
         i++) {
        const struct json *v = &versions->u.items[i];
        printf("%-12.*s %-9.*s %-22.*s %.*s\n", STR_ARG(text_of(v, "revision")),
               STR_ARG(text_of(v, "change")), STR_ARG(text_of(v, "time")),
               STR_ARG(text_of(v, "bytes")));
    }
}

static int history_list(struct cli *c, const struct history_plan *plan, const char *path)
{
    struct str from = { NULL, 0 };
    struct str oldest = { NULL, 0 };
    if (!plan->json)
        printf("%-12s %-9s %-22s %s\n", "REVISION", "CHANGE", "TIME", "BYTES");
    do {
        const struct json *page;
        struct str body;
        struct err e;
        struct str target =
            str_printf(&c->arena, "/gantry/v1/history%s?limit=" HISTORY_PAGE "%s%.*s", path,
                       from.len > 0 ? "&from=" : "", STR_ARG(from));
        int rc = ask_any(c, target.data, "application/json", &body, &e);
        if (rc == 0)
            rc = json_parse(&c->arena, body, &page, &e);
        if (rc != 0)
            return cli_fail("%s", e.msg);
        from = json_str(json_get_c(page, "next"));
        oldest = json_str(json_get_c(page, "oldest"));
        if (plan->json)
            printf("%.*s", STR_ARG(body));
        else
            history_print_page(page);
    } while (from.len > 0);
    if (!plan->json)
        (void)fprintf(stderr, "the oldest revision kept is %.*s\n", STR_ARG(oldest));
    return CLI_OK;
}

static int history_diff(struct cli *c, const struct history_plan *plan, const char *path)
{
    struct str texts[2];
    const char *names[2];
    struct buf out;
    struct err e;
    for (int i = 0; i < 2; i++) {
        struct str target = str_printf(&c->arena, "%s?gantryRevision=%s", path, plan->diff[i]);
        if (ask_any(c, target.data, "application/yaml", &texts[i], &e) != 0)
            return cli_fail("%s", e.msg);
        names[i] = str_printf(&c->arena, "%.*s at %s", STR_ARG(plan->name), plan->diff[i]).data;
    }
    buf_init(&out);
    diff_unified(texts[0], texts[1], names[0], names[1], &out);
    printf("%.*s", STR_ARG(buf_str(&out)));
    buf_deinit(&out);
    return CLI_OK;
}

static int history_run(struct cli *c, int argc, char **argv)
{
    struct history_plan plan = { .ns = c->ns };
    struct objects_resource resource;
    struct err e;
    int rc = history_parse(&plan, argc, argv);
    if (rc != CLI_OK)
        return rc;
    if (objects_find(c, plan.resource, &resource, &e) != 0)
        return cli_fail("%s", e.msg);
    const char *path = objects_path(c, &resource, plan.ns, plan.name);
    return plan.diff[0] != NULL ? history_diff(c, &plan, path) : history_list(c, &plan, path);
}

const struct verb history_verb = {
    .name = "history",
    .summary = "an object's revisions, and what changed between two",
    .help = "history RESOURCE[/NAME] [NAME] [-n NAMESPACE] [-o json]\n"
            "       gantry history RESOURCE NAME [-n NAMESPACE] --diff A B\n\n"
            "  lists the revisions that can still be read, newest first\n"
            "  --diff A B  what changed from revision A to B, in YAML\n"
            "`gantry get RESOURCE NAME --revision N` shows the object as it was.",
    .run = history_run
};
