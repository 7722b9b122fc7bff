/* gantry explain: what the fields of a resource are for, from the server's OpenAPI v3. */
#include "cli/explain.h"

#include <stdio.h>
#include <string.h>

#include "api/schema/json.h"
#include "base/buf.h"
#include "cli/ask.h"
#include "cli/flags.h"
#include "cli/tree.h"

/* Names in one path. */
#define EXPLAIN_PATH_MAX 64

struct explain_options {
    const char *api_version;
    const char *output;
    bool recursive;
};

struct explain_plan {
    struct objects_resource resource;
    struct str path[EXPLAIN_PATH_MAX];
    size_t count;
};

static int split_path(struct str text, struct explain_plan *plan, struct err *e)
{
    struct str part;
    plan->count = 0;
    while (str_split(&text, '.', &part)) {
        if (plan->count == EXPLAIN_PATH_MAX)
            return err_set(e, ERR_LIMIT, "a path of more than %d fields", EXPLAIN_PATH_MAX);
        if (part.len > 0)
            plan->path[plan->count++] = part;
    }
    return 0;
}

/* "deployments.v1.apps.spec" names version and group; "deployments.spec" does not. */
static int find_resource(struct cli *c, struct str word, struct explain_plan *plan, struct err *e)
{
    const struct objects_list *list;
    int rc = objects_load(c, &list, e);
    if (rc != 0)
        return rc;
    for (size_t end = word.len; end > 0; end--) {
        if (end < word.len && word.data[end] != '.')
            continue;
        struct str resource = str_slice(word, 0, end);
        const struct objects_resource *r = objects_match(list, &c->arena, resource);
        ptrdiff_t dot = str_find_char(resource, '.', 0);
        struct str of = dot < 0 ? str_lit("") : str_slice(resource, (size_t)dot + 1, resource.len);
        bool whole = r != NULL && (dot < 0 || str_ends(of, r->group));
        if (!whole)
            continue;
        plan->resource = *r;
        return split_path(str_slice(word, end, word.len), plan, e);
    }
    ptrdiff_t dot = str_find_char(word, '.', 0);
    return err_set(e, ERR_NOT_FOUND, "the server doesn't have a resource type \"%.*s\"",
                   STR_ARG(dot < 0 ? word : str_slice(word, 0, (size_t)dot)));
}

static int of_version(struct cli *c, const char *version, struct explain_plan *plan, struct err *e)
{
    struct objects_resource *r = &plan->resource;
    const struct objects_resource *found;
    int rc = objects_of_kind(c, str_from(version), r->kind, &found, e);
    if (rc == 0)
        *r = *found;
    return rc;
}

static int fetch_document(struct cli *c, const struct objects_resource *r, const struct json **out)
{
    struct str target =
        str_printf(&c->arena, "/openapi/v3/%s/%.*s", r->group.len == 0 ? "api" : "apis",
                   STR_ARG(objects_api_version(c, r)));
    const struct ask_request request = { .target = target.data };
    struct ask_answer answer;
    struct err e;
    int rc = ask_send(c, &request, &answer, &e);
    if (rc != 0)
        return cli_error_of(&e);
    if (!ask_good(&answer))
        return ask_tell(c, &answer);
    return json_parse(&c->arena, answer.body, out, &e) == 0 ? CLI_OK : cli_error_of(&e);
}

static int explain_act(struct cli *c, const void *options, const struct words *w)
{
    const struct explain_options *o = options;
    const struct json *document = NULL;
    struct explain_plan plan;
    struct buf out;
    struct err e;
    if (w->count == 0)
        return cli_error("You must specify the type of resource to explain. Use \"gantry "
                         "api-resources\" for a complete list of supported resources.");
    if (w->count > 1)
        return cli_error("We accept only this format: explain RESOURCE");
    if (o->output != NULL && strcmp(o->output, "plaintext") != 0)
        return cli_error("-o %s is not there: explain writes plaintext", o->output);
    int rc = find_resource(c, str_from(w->items[0]), &plan, &e);
    if (rc == 0 && o->api_version != NULL)
        rc = of_version(c, o->api_version, &plan, &e);
    if (rc == -ERR_NOT_FOUND && o->api_version == NULL)
        return cli_tell("%s", e.msg);
    if (rc != 0)
        return cli_error_of(&e);
    if (fetch_document(c, &plan.resource, &document) != CLI_OK)
        return CLI_FAILED;
    if (plan.resource.group.len > 0)
        printf("GROUP:      %.*s\n", STR_ARG(plan.resource.group));
    printf("KIND:       %.*s\nVERSION:    %.*s\n\n", STR_ARG(plan.resource.kind),
           STR_ARG(plan.resource.version));
    buf_init(&out);
    rc = explain_render(&c->arena, document, &plan.resource, plan.path, plan.count, o->recursive,
                        &out, &e);
    printf("%.*s%s", STR_ARG(buf_str(&out)), rc == 0 ? "\n" : "");
    (void)fflush(stdout); /* a closed pipe ends us by its own means */
    buf_deinit(&out);
    return rc == 0 ? CLI_OK : cli_error_of(&e);
}

#define AT(member) .at = offsetof(struct explain_options, member)

static const struct flag explain_flags[] = {
    { .name = "api-version",
      AT(api_version),
      .help = "Of this group and version, where there are several: apps/v1." },
    { .name = "output",
      .letter = 'o',
      AT(output),
      .value = "plaintext",
      .help = "plaintext; there is no other.",
      .values = VALUES_CHOICE,
      .choice = "plaintext" },
    { .name = "recursive",
      .letter = 'R',
      .type = FLAG_BOOL,
      AT(recursive),
      .help = "The fields of fields, too, by their names and types." },
    { 0 }
};

const struct verb explain_verb = {
    .name = "explain",
    .summary = "what the fields of a resource are for",
    .about = "Says what a resource is, or one of its fields, and what fields that has.\n\n"
             "A field is named by its path: TYPE.field.field; arrays and maps are passed through.",
    .examples = "  # What a pod is made of\n  gantry explain pods\n\n"
                "  # One field\n  gantry explain pods.spec.containers\n\n"
                "  # All of them at a glance\n  gantry explain deployments --recursive",
    .help = "explain TYPE[.VERSION][.GROUP][.FIELD...] [flags]",
    .flags = explain_flags,
    .options_bytes = sizeof(struct explain_options),
    .completes = WORDS_RESOURCES,
    .act = explain_act
};
