/* See the header. */
#include "cli/act.h"

#include <stdio.h>
#include <string.h>

#include "api/schema/yaml.h"
#include "base/buf.h"
#include "cli/compose.h"

/* kubectl indents by four; json_indent by two. */
#define INDENT_BYTES 2

/* ---- rows of flags ---- */

const struct flag act_dry_run_row[] = {
    { .name = "dry-run",
      .value = "none",
      .bare = "unchanged",
      .help = "none, client (nothing is changed on the server) or server (it does everything but "
              "store).",
      .values = VALUES_CHOICE,
      .choice = "none client server" },
    { 0 }
};

const struct flag act_output_row[] = { { .name = "output",
                                         .letter = 'o',
                                         .help = "Show the objects: yaml, json or name.",
                                         .values = VALUES_CHOICE,
                                         .choice = "yaml json name" },
                                       { 0 } };

const struct flag act_validate_row[] = {
    { .name = "validate",
      .value = "strict",
      .bare = "strict",
      .help = "What becomes of unknown and doubled fields: strict refuses, warn, ignore.",
      .values = VALUES_CHOICE,
      .choice = "strict warn ignore" },
    { 0 }
};

const struct flag act_managed_fields_row[] = { { .name = "show-managed-fields",
                                                 .type = FLAG_BOOL,
                                                 .help =
                                                     "With -o yaml and json: keep managedFields." },
                                               { 0 } };

/* ---- flags ---- */

int act_dry_run(const char *text, enum act_dry *out, struct err *e)
{
    if (text == NULL || strcmp(text, "none") == 0 || strcmp(text, "false") == 0)
        *out = ACT_REAL;
    else if (strcmp(text, "client") == 0 || strcmp(text, "unchanged") == 0)
        *out = ACT_DRY_CLIENT;
    else if (strcmp(text, "server") == 0)
        *out = ACT_DRY_SERVER;
    else
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "Invalid dry-run value (%s). Must be \"none\", \"server\", or \"client\".",
                       text);
    return 0;
}

int act_validation(const char *text, const char **out, struct err *e)
{
    static const struct {
        const char *word;
        const char *value;
    } words[] = { { "strict", "Strict" },
                  { "true", "Strict" },
                  { "warn", "Warn" },
                  { "ignore", "Ignore" },
                  { "false", "Ignore" } };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i].word) == 0) {
            *out = words[i].value;
            return 0;
        }
    }
    return err_set(e, ERR_INVALID_ARGUMENT,
                   "invalid - validate option \"%s\"; must be one of: strict (or true), warn, "
                   "ignore (or false)",
                   text);
}

int act_output(struct act *a, struct err *e)
{
    static const char *const whole[] = { "yaml", "json", "name" };
    struct str text = str_from(a->output);
    bool path = str_starts(text, str_lit("jsonpath"));
    if (a->output == NULL)
        return 0;
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        if (str_eq_nocase(text, str_from(whole[i]))) {
            a->output = whole[i];
            return 0;
        }
    }
    a->as_path = path;
    if (path || str_starts(text, str_lit("go-template")) || str_starts(text, str_lit("template")))
        return output_parse(a->cli, a->output, NULL, &a->path, e);
    return err_set(e, ERR_INVALID_ARGUMENT,
                   "unable to match a printer suitable for the output format \"%s\", allowed "
                   "formats are: go-template,go-template-file,json,jsonpath,jsonpath-as-json,"
                   "jsonpath-file,name,template,templatefile,yaml",
                   a->output);
}

int act_nothing_named(void)
{
    return cli_error("You must provide one or more resources by argument or filename.\n"
                     "Example resource specifications include:\n   '-f rsrc.yaml'\n"
                     "   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'");
}

/* ---- objects ---- */

static int resolve_namespace(struct cli *c, struct act_object *o, struct err *e)
{
    struct str ns = compose_text_in(o->object, "metadata", "namespace");
    if (!o->resource->namespaced)
        return 0;
    if (ns.len > 0 && c->ns_given && !str_eq(ns, c->ns))
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "the namespace from the provided object \"%.*s\" does not match the "
                       "namespace \"%.*s\". You must pass '--namespace=%.*s' to perform this "
                       "operation.",
                       STR_ARG(ns), STR_ARG(c->ns), STR_ARG(ns));
    o->ns = ns.len > 0 ? ns : c->ns;
    if (ns.len == 0) {
        struct json *object = arena_new(&c->arena, struct json);
        struct json value = json_string(o->ns);
        *object = compose_with_in(&c->arena, o->object, "metadata", "namespace", &value);
        o->object = object;
    }
    return 0;
}

int act_resolve(struct cli *c, const struct manifest *m, struct act_object *out, struct err *e)
{
    struct str version = json_str(json_get_c(m->object, "apiVersion"));
    struct str kind = json_str(json_get_c(m->object, "kind"));
    *out = (struct act_object){ .object = m->object, .source = m->source };
    int rc = objects_of_kind(c, version, kind, &out->resource, e);
    if (rc == -ERR_NOT_FOUND)
        return err_set(e, ERR_NOT_FOUND,
                       "resource mapping not found for name: \"%.*s\" namespace: \"%.*s\" from "
                       "\"%.*s\": no matches for kind \"%.*s\" in version \"%.*s\"\nensure CRDs "
                       "are installed first",
                       STR_ARG(compose_text_in(m->object, "metadata", "name")),
                       STR_ARG(compose_text_in(m->object, "metadata", "namespace")),
                       STR_ARG(m->source), STR_ARG(kind), STR_ARG(version));
    if (rc != 0)
        return rc;
    out->name = compose_text_in(m->object, "metadata", "name");
    return resolve_namespace(c, out, e);
}

/* ---- requests ---- */

static void add_parameter(struct cli *c, struct buf *b, const char *name, const char *value)
{
    bool first = memchr(b->data, '?', b->len) == NULL;
    if (value != NULL)
        buf_printf(b, "%c%s=%.*s", first ? '?' : '&', name,
                   STR_ARG(objects_escape(c, str_from(value))));
}

const char *act_target(const struct act *a, const struct act_object *o, bool collection,
                       const char *more)
{
    struct str none = { NULL, 0 };
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, objects_path(a->cli, o->resource, o->ns, collection ? none : o->name));
    add_parameter(a->cli, &b, "dryRun", a->dry == ACT_DRY_SERVER ? "All" : NULL);
    add_parameter(a->cli, &b, "fieldManager", a->manager);
    add_parameter(a->cli, &b, "fieldValidation", a->validation);
    if (more != NULL)
        buf_printf(&b, "%c%s", memchr(b.data, '?', b.len) == NULL ? '?' : '&', more);
    const char *target = str_dup(&a->cli->arena, buf_str(&b));
    buf_deinit(&b);
    return target;
}

bool act_send(struct cli *c, const char *method, const char *target, const char *content_type,
              struct str body, struct ask_answer *out)
{
    const struct ask_request r = {
        .method = method, .target = target, .content_type = content_type, .body = body
    };
    struct err e;
    if (ask_send(c, &r, out, &e) == 0)
        return true;
    (void)cli_error_of(&e);
    return false;
}

int act_refused(struct cli *c, const struct ask_answer *answer, const char *verb, struct str source)
{
    const struct json *status;
    struct ask_answer said = *answer;
    if (source.len > 0 && json_parse(&c->arena, answer->body, &status, NULL) == 0 &&
        str_eq_c(json_str(json_get_c(status, "kind")), "Status")) {
        struct str message = json_str(json_get_c(status, "message"));
        struct json longer = json_string(str_printf(&c->arena, "error when %s \"%.*s\": %.*s", verb,
                                                    STR_ARG(source), STR_ARG(message)));
        struct json changed = compose_with(&c->arena, status, "message", &longer);
        said.body = compose_text(&c->arena, &changed);
    }
    return ask_tell(c, &said);
}

/* ---- what is shown ---- */

static void append_deeper(struct buf *out, struct str indented)
{
    struct str line;
    while (str_split(&indented, '\n', &line)) {
        size_t spaces = 0;
        while (spaces < line.len && line.data[spaces] == ' ')
            spaces++;
        for (size_t i = 0; i < spaces; i++)
            buf_append_byte(out, ' ');
        buf_append_str(out, line);
        buf_append_byte(out, '\n');
    }
}

struct str act_text(struct cli *c, const struct json *object, bool json)
{
    struct json sorted = compose_sorted(&c->arena, object);
    struct buf compact;
    struct buf indented;
    struct buf out;
    buf_init(&compact);
    buf_init(&indented);
    buf_init(&out);
    if (json) {
        json_write(&compact, &sorted, true);
        json_indent(&indented, buf_str(&compact));
        append_deeper(&out, buf_str(&indented));
    } else {
        (void)yaml_write(&out, &sorted, NULL); /* what was read as JSON can be written */
    }
    struct str text = str_copy(&c->arena, buf_str(&out));
    buf_deinit(&out);
    buf_deinit(&indented);
    buf_deinit(&compact);
    return text;
}

static bool is_whole(const struct act *a)
{
    return a->output != NULL && strcmp(a->output, "name") != 0;
}

void act_print(struct act *a, const struct act_object *o, const struct json *object,
               const char *operation)
{
    static const char *const dry[] = { "", " (dry run)", " (server dry run)" };
    struct arena *arena = &a->cli->arena;
    struct str title = objects_title(a->cli, o->resource, o->name);
    if (is_whole(a)) {
        a->printed = arena_grow(arena, a->printed, a->printed_count, &a->printed_capacity,
                                sizeof *a->printed);
        a->printed[a->printed_count++] =
            a->managed_fields
                ? *object
                : compose_with_in(arena, object, "metadata", "managedFields", /* value */ NULL);
        if (a->one_by_one)
            act_print_end(a);
    } else if (a->output != NULL) {
        printf("%.*s\n", STR_ARG(title));
    } else {
        printf("%.*s %s%s\n", STR_ARG(title), operation, dry[a->dry]);
    }
    (void)fflush(stdout); /* before what a later object has to say on stderr */
}

static struct str list_text(struct act *a, const struct json *list)
{
    struct str text = { NULL, 0 };
    struct buf out;
    if (!a->as_path)
        return act_text(a->cli, list, strcmp(a->output, "json") == 0);
    buf_init(&out);
    if (output_print(a->cli, &a->path, list, &out, &text) != 0) {
        (void)cli_tell("%.*s", STR_ARG(text));
        a->failed = true;
    }
    text = str_copy(&a->cli->arena, buf_str(&out));
    buf_deinit(&out);
    return text;
}

void act_print_end(struct act *a)
{
    struct arena *arena = &a->cli->arena;
    struct json list;
    struct str text;
    if (a->printed_count == 0)
        return;
    if (a->printed_count > 1) {
        struct json version = json_string(str_lit("v1"));
        struct json kind = json_string(str_lit("List"));
        struct json items = json_array(a->printed, a->printed_count);
        struct json metadata = json_object(NULL, 0);
        list = compose_with(arena, NULL, "apiVersion", &version);
        list = compose_with(arena, &list, "items", &items);
        list = compose_with(arena, &list, "kind", &kind);
        list = compose_with(arena, &list, "metadata", &metadata);
    } else {
        list = a->printed[0];
    }
    text = list_text(a, &list);
    a->printed_count = 0;
    bool next = a->documents++ > 0 && strcmp(a->output, "yaml") == 0;
    printf("%s%.*s", next ? "---\n" : "", STR_ARG(text));
    (void)fflush(stdout); /* as above */
}
