/* See the header. */
#include "cli/output.h"

#include <string.h>

#include "api/schema/json.h"
#include "api/schema/yaml.h"
#include "base/buf.h"
#include "base/env.h"
#include "cli/jsonpath.h"
#include "cli/tree.h"

#define ALLOWED                                                                                    \
    "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,"               \
    "jsonpath-as-json,jsonpath-file,name,template,templatefile,wide,yaml"

/* ---- what is asked for ---- */

static int parse_path(struct cli *c, struct output *o, struct str template, struct err *e)
{
    struct err why;
    int rc = jsonpath_parse(&c->arena, template, &o->path, &why);
    o->template = template;
    return rc == 0 ? 0
                   : err_set(e, why.code, "error parsing jsonpath %.*s, %s", STR_ARG(template),
                             why.msg);
}

static int parse_file(struct cli *c, const char *path, struct str *out, struct err *e)
{
    int rc = env_file_read(c->env, &c->arena, path, OUTPUT_FILE_BYTES_MAX, out, e);
    return rc == 0 ? 0 : err_wrap(e, rc, "error reading template %s", path);
}

static int parse_templated(struct cli *c, struct str name, struct str value, struct output *o,
                           struct err *e)
{
    bool file = str_ends(name, str_lit("-file"));
    bool columns = str_starts(name, str_lit("custom-columns"));
    int rc = 0;
    if (value.len == 0 && columns)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "custom-columns format specified but no custom columns given");
    if (value.len == 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "template format specified but no template given");
    if (file)
        rc = parse_file(c, str_dup(&c->arena, value), &value, e);
    if (rc != 0)
        return rc;
    o->format = columns                              ? OUTPUT_COLUMNS
                : str_eq_c(name, "jsonpath-as-json") ? OUTPUT_JSONPATH_AS_JSON
                                                     : OUTPUT_JSONPATH;
    if (!columns)
        return parse_path(c, o, value, e);
    return file ? columns_parse_lines(&c->arena, value, &o->columns, e)
                : columns_parse(&c->arena, value, &o->columns, e);
}

int output_parse(struct cli *c, const char *format, const char *template, struct output *io,
                 struct err *e)
{
    static const char *const plain[] = { "json", "yaml", "name" };
    static const char *const templated[] = { "jsonpath", "jsonpath-as-json", "jsonpath-file",
                                             "custom-columns", "custom-columns-file" };
    static const char *const foreign[] = { "go-template", "go-template-file", "template",
                                           "templatefile" };
    struct str text = str_from(format);
    ptrdiff_t equals = str_find_char(text, '=', 0);
    struct str name = equals < 0 ? text : str_slice(text, 0, (size_t)equals);
    struct str value =
        equals < 0 ? str_from(template) : str_slice(text, (size_t)equals + 1, text.len);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (str_eq_nocase(text, str_from(plain[i]))) {
            io->format = (enum output_format)i;
            return 0;
        }
    }
    for (size_t i = 0; i < sizeof templated / sizeof templated[0]; i++)
        if (str_eq_c(name, templated[i]))
            return parse_templated(c, name, value, io, e);
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (str_eq_c(name, foreign[i]))
            return err_set(e, ERR_UNIMPLEMENTED,
                           "-o %.*s needs Go's templates, which gantry does not have; use -o "
                           "jsonpath=... or -o custom-columns=...",
                           STR_ARG(name));
    return err_set(e, ERR_INVALID_ARGUMENT,
                   "unable to match a printer suitable for the output format \"%s\", allowed "
                   "formats are: " ALLOWED,
                   format);
}

/* ---- objects ---- */

const struct json *output_list(struct cli *c, const struct json *const *objects, size_t count)
{
    struct json *items = arena_array(&c->arena, count, sizeof *items);
    struct json_member *meta = arena_new(&c->arena, struct json_member);
    struct json_member *members = arena_array(&c->arena, 4, sizeof *members);
    struct json *list = arena_new(&c->arena, struct json);
    for (size_t i = 0; i < count; i++)
        items[i] = *objects[i];
    *meta = (struct json_member){ str_lit("resourceVersion"), json_string(str_lit("")) };
    members[0] = (struct json_member){ str_lit("apiVersion"), json_string(str_lit("v1")) };
    members[1] = (struct json_member){ str_lit("items"), json_array(items, count) };
    members[2] = (struct json_member){ str_lit("kind"), json_string(str_lit("List")) };
    members[3] = (struct json_member){ str_lit("metadata"), json_object(meta, 1) };
    *list = json_object(members, 4);
    return list;
}

static bool is_list(const struct json *object)
{
    return str_eq_c(tree_text(object, "kind", NULL), "List") && json_get_c(object, "items") != NULL;
}

static struct json without_managed(struct arena *a, const struct json *object)
{
    const struct json *meta = json_get_c(object, "metadata");
    if (json_get_c(meta, "managedFields") == NULL)
        return *object;
    struct json less = tree_with(a, meta, "managedFields", NULL);
    return tree_with(a, object, "metadata", &less);
}

/* The object in a watch's event, where it is one. */
static const struct json *of_event(const struct json *object)
{
    const struct json *inner = json_get_c(object, "object");
    return inner != NULL && tree_text(object, "type", NULL).len > 0 ? inner : object;
}

/* Of an object, of each in a list, or of the one in a watch event. */
static struct json shown(struct cli *c, const struct output *o, const struct json *object)
{
    struct arena *a = &c->arena;
    const struct json *inner = of_event(object);
    if (o->managed_fields)
        return *object;
    if (inner != object) {
        struct json less = without_managed(a, inner);
        return tree_with(a, object, "object", &less);
    }
    if (!is_list(object))
        return without_managed(a, object);
    const struct json *items = json_get_c(object, "items");
    struct json *copies = arena_array(a, tree_count(items), sizeof *copies);
    for (size_t i = 0; i < tree_count(items); i++)
        copies[i] = without_managed(a, tree_item(items, i));
    struct json array = json_array(copies, tree_count(items));
    return tree_with(a, object, "items", &array);
}

static int print_json(struct cli *c, const struct output *o, const struct json *object,
                      struct buf *out)
{
    struct json copy = shown(c, o, object);
    struct json sorted = tree_sorted(&c->arena, &copy);
    const struct json *inner = of_event(&sorted);
    if (inner != &sorted) {
        /* A watch's event is one line; its type comes first. */
        const struct json_member members[] = { { str_lit("type"), *json_get_c(&sorted, "type") },
                                               { str_lit("object"), *inner } };
        struct json event = json_object(members, 2);
        json_write(out, &event, true);
    } else {
        tree_indent(out, &sorted, 4);
    }
    buf_append_byte(out, '\n');
    return 0;
}

static int print_yaml(struct cli *c, const struct output *o, const struct json *object,
                      struct buf *out, struct err *e)
{
    struct json copy = shown(c, o, object);
    struct json sorted = tree_sorted(&c->arena, &copy);
    if (o->printed > 0)
        buf_append_c(out, "---\n");
    return yaml_write(out, &sorted, e);
}

static void print_name(struct cli *c, const struct json *object, struct buf *out)
{
    object = of_event(object);
    struct str version = tree_text(object, "apiVersion", NULL);
    char *kind = str_dup(&c->arena, tree_text(object, "kind", NULL));
    ptrdiff_t slash = str_find_char(version, '/', 0);
    struct str group = slash < 0 ? str_lit("") : str_slice(version, 0, (size_t)slash);
    for (char *at = kind; *at != '\0'; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    buf_printf(out, "%s%s%.*s/%.*s\n", kind, group.len > 0 ? "." : "", STR_ARG(group),
               STR_ARG(tree_text(object, "metadata", "name", NULL)));
}

/* The objects of a list, or the one there is. */
static size_t each_of(struct cli *c, const struct json *object, const struct json ***out)
{
    const struct json *items = json_get_c(object, "items");
    size_t count = is_list(object) ? tree_count(items) : 1;
    const struct json **objects = arena_array(&c->arena, count, sizeof *objects);
    for (size_t i = 0; i < count; i++)
        objects[i] = is_list(object) ? tree_item(items, i) : object;
    *out = objects;
    return count;
}

/* ---- printing ---- */

static struct str path_failure(struct cli *c, const struct output *o, const struct json *object,
                               const struct err *e)
{
    struct buf b;
    buf_init(&b);
    jsonpath_print_value(&c->arena, object, &b);
    struct str says = str_printf(
        &c->arena,
        "error: error executing jsonpath \"%.*s\": Error executing template: %s. Printing more "
        "information for debugging the template:\n\ttemplate was:\n\t\t%.*s\n\tobject given to "
        "jsonpath engine was:\n\t\t%.*s\n\n",
        STR_ARG(o->template), e->msg, STR_ARG(o->template), STR_ARG(buf_str(&b)));
    buf_deinit(&b);
    return says;
}

static int print_format(struct cli *c, struct output *o, const struct json *object, struct buf *out,
                        struct err *e)
{
    const struct json **objects;
    size_t count;
    switch (o->format) {
    case OUTPUT_JSON:
        return print_json(c, o, object, out);
    case OUTPUT_YAML:
        return print_yaml(c, o, object, out, e);
    case OUTPUT_JSONPATH:
        return jsonpath_print(&c->arena, o->path, object, !o->strict, out, e);
    case OUTPUT_JSONPATH_AS_JSON:
        return jsonpath_print_json(&c->arena, o->path, object, !o->strict, out, e);
    case OUTPUT_NAME:
    case OUTPUT_COLUMNS:
        break;
    }
    count = each_of(c, object, &objects);
    if (o->format == OUTPUT_COLUMNS)
        return columns_print(&c->arena, &o->columns, objects, count,
                             !o->no_headers && o->printed == 0, out, e);
    for (size_t i = 0; i < count; i++)
        print_name(c, objects[i], out);
    return 0;
}

int output_print(struct cli *c, struct output *o, const struct json *object, struct buf *out,
                 struct str *out_says)
{
    struct err e;
    int rc = print_format(c, o, object, out, &e);
    o->printed++;
    if (rc == 0)
        return 0;
    *out_says = o->path != NULL ? path_failure(c, o, object, &e)
                                : str_printf(&c->arena, "error: %s", e.msg);
    return rc;
}
