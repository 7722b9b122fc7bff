/* See the header. Schemas refer to each other: each reference is followed once on a way down. */
#include <string.h>

#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "cli/explain.h"
#include "cli/tree.h"

/* Values of an enumeration shown beside a field; the field's own page shows all. */
#define ENUM_SHOWN 4

/* The references on the way down to a schema. */
struct way {
    const struct way *up;
    struct str reference;
    int depth;
};

struct explaining {
    struct arena *arena;
    const struct json *schemas;
    bool recursive;
    struct buf *out;
};

static void spaces(struct buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_append_byte(out, ' ');
}

/* ---- text ---- */

struct wrapping {
    struct buf *out;
    size_t width;
    size_t current; /* characters of the line that are out */
    struct str blank;
    struct str word;
};

static size_t characters(struct str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        count += ((unsigned char)s.data[i] & 0xc0) != 0x80;
    return count;
}

static void put_word(struct wrapping *w)
{
    size_t needed = w->current + characters(w->blank) + characters(w->word);
    if (needed > w->width && characters(w->word) < w->width) {
        buf_append_byte(w->out, '\n');
        w->current = 0;
        w->blank.len = 0;
    }
    buf_append_str(w->out, w->blank);
    buf_append_str(w->out, w->word);
    w->current += characters(w->blank) + characters(w->word);
    w->blank.len = 0;
    w->word.len = 0;
}

void explain_wrap(struct buf *out, struct str text, size_t width)
{
    struct wrapping w = { .out = out, .width = width };
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c != '\n' && c != ' ' && c != '\t') {
            if (w.word.len == 0)
                w.word = str_of(&text.data[i], 0);
            w.word.len++;
            continue;
        }
        if (w.word.len > 0)
            put_word(&w);
        if (c == '\n') {
            if (w.current + w.blank.len <= width)
                buf_append_str(out, w.blank);
            w.blank.len = 0;
            w.current = 0;
            buf_append_byte(out, '\n');
        } else {
            if (w.blank.len == 0)
                w.blank = str_of(&text.data[i], 0);
            w.blank.len++;
        }
    }
    if (w.word.len > 0)
        put_word(&w);
    else if (w.current + w.blank.len <= width)
        buf_append_str(out, w.blank);
}

/* Wrapped, each line after so many spaces. */
static void put_paragraph(struct buf *out, struct str text, size_t width, size_t indent)
{
    struct buf wrapped;
    struct str line;
    buf_init(&wrapped);
    explain_wrap(&wrapped, text, width);
    struct str rest = buf_str(&wrapped);
    for (bool first = true; str_split(&rest, '\n', &line); first = false) {
        if (!first)
            buf_append_byte(out, '\n');
        spaces(out, indent);
        buf_append_str(out, line);
    }
    buf_append_byte(out, '\n');
    buf_deinit(&wrapped);
}

/* ---- schemas ---- */

static struct str reference_of(const struct json *schema)
{
    return tree_text(schema, "$ref", NULL);
}

static const struct json *find_schema(const struct explaining *x, struct str reference)
{
    struct str root = str_lit("#/components/schemas/");
    return str_starts(reference, root)
               ? json_get(x->schemas, str_slice(reference, root.len, reference.len))
               : NULL;
}

static const struct json *resolve(const struct explaining *x, const struct json *schema)
{
    const struct json *found = find_schema(x, reference_of(schema));
    return found != NULL ? found : schema;
}

/* The schema of a map's values; NULL when it is no map. */
static const struct json *values_of(const struct json *schema)
{
    const struct json *values = json_get_c(schema, "additionalProperties");
    return values != NULL && values->type == JSON_OBJECT ? values : NULL;
}

static bool seen(const struct way *way, struct str reference)
{
    if (reference.len == 0)
        return false;
    for (; way != NULL; way = way->up)
        if (str_eq(way->reference, reference))
            return true;
    return false;
}

static struct str last_part(struct str s, char separator)
{
    struct str part = s;
    struct str rest = s;
    while (str_split(&rest, separator, &part))
        continue;
    return part;
}

/* "string", "[]Object", "map[string]Quantity". As deep as the schema. */
static void put_type(const struct explaining *x, const struct json *schema, int depth)
{
    const struct json *items = json_get_c(schema, "items");
    const struct json *values = values_of(schema);
    const struct json *all = json_get_c(schema, "allOf");
    struct str type = tree_text(schema, "type", NULL);
    struct str reference = reference_of(schema);
    if (depth == EXPLAIN_DEPTH_MAX) {
        buf_append_c(x->out, "Object");
    } else if (items != NULL) {
        buf_append_c(x->out, "[]");
        put_type(x, items, depth + 1);
    } else if (values != NULL) {
        buf_append_c(x->out, "map[string]");
        put_type(x, values, depth + 1);
    } else if (tree_count(all) == 1 && json_get_c(schema, "properties") == NULL) {
        put_type(x, tree_item(all, 0), depth + 1);
    } else if (reference.len > 0) {
        struct str target = tree_text(find_schema(x, reference), "type", NULL);
        bool named = target.len == 0 || str_eq_c(target, "object");
        buf_append_str(x->out, named ? last_part(last_part(reference, '/'), '.') : target);
    } else if (type.len == 0 || str_eq_c(type, "object")) {
        buf_append_c(x->out, "Object");
    } else {
        buf_append_str(x->out, type);
    }
}

static void put_enum_value(const struct explaining *x, const struct json *value)
{
    struct str text = tree_scalar(x->arena, value);
    buf_append_str(x->out, text.len > 0 ? text : str_lit("\"\""));
}

/* On a line of its own below the field. */
static void put_enum(const struct explaining *x, const struct json *values, size_t indent)
{
    if (tree_count(values) == 0)
        return;
    buf_append_byte(x->out, '\n');
    spaces(x->out, indent);
    buf_append_c(x->out, "enum: ");
    for (size_t i = 0; i < tree_count(values); i++) {
        if (i == ENUM_SHOWN) {
            buf_append_c(x->out, ", ....");
            return;
        }
        if (i > 0)
            buf_append_c(x->out, ", ");
        put_enum_value(x, tree_item(values, i));
    }
}

static bool requires(const struct json *schema, struct str name)
{
    const struct json *required = json_get_c(schema, "required");
    for (size_t i = 0; i < tree_count(required); i++)
        if (str_eq(json_str(tree_item(required, i)), name))
            return true;
    return false;
}

static void put_field(const struct explaining *x, const struct json *schema, struct str name,
                      const struct json *field, size_t level)
{
    struct str text = tree_text(field, "description", NULL);
    size_t indent = 2 * level;
    spaces(x->out, indent);
    buf_printf(x->out, "%.*s\t<", STR_ARG(name));
    put_type(x, field, 0);
    buf_printf(x->out, ">%s", requires(schema, name) ? " -required-" : "");
    put_enum(x, json_get_c(field, "enum"), indent);
    buf_append_byte(x->out, '\n');
    if (x->recursive)
        return;
    put_paragraph(x->out, text.len > 0 ? text : str_lit("<no description>"), 78 - indent,
                  indent + 2);
    buf_append_byte(x->out, '\n');
}

/* ---- the parts of a page ---- */

/* Every field of a schema, and of what it is made of. */
static void put_fields(const struct explaining *x, const struct json *schema, size_t level,
                       const struct way *up)
{
    const struct way way = { up, reference_of(schema), up != NULL ? up->depth + 1 : 0 };
    const struct json *is = resolve(x, schema);
    const struct json *properties = json_get_c(is, "properties");
    const struct json *all = json_get_c(is, "allOf");
    if (seen(up, way.reference) || way.depth > EXPLAIN_DEPTH_MAX)
        return;
    if (properties != NULL) {
        struct json_member *order =
            arena_copy(x->arena, properties->u.members, properties->count * sizeof *order);
        for (size_t i = 1; i < properties->count; i++) {
            struct json_member moved = order[i];
            size_t at = i;
            for (; at > 0 && str_cmp(moved.key, order[at - 1].key) < 0; at--)
                order[at] = order[at - 1];
            order[at] = moved;
        }
        for (size_t i = 0; i < properties->count; i++) {
            put_field(x, is, order[i].key, &order[i].value, level);
            if (x->recursive)
                put_fields(x, &order[i].value, level + 1, &way);
        }
    }
    for (size_t i = 0; i < tree_count(all); i++)
        put_fields(x, tree_item(all, i), level, &way);
    if (json_get_c(is, "items") != NULL)
        put_fields(x, json_get_c(is, "items"), level, &way);
    if (values_of(is) != NULL)
        put_fields(x, values_of(is), level, &way);
}

static void collect_description(const struct explaining *x, const struct json *schema,
                                struct buf *out, int depth)
{
    const struct json *is = resolve(x, schema);
    const struct json *all = json_get_c(is, "allOf");
    struct str text = tree_text(is, "description", NULL);
    if (depth == EXPLAIN_DEPTH_MAX)
        return;
    if (text.len > 0) {
        buf_append_str(out, text);
        buf_append_byte(out, '\n');
    }
    for (size_t i = 0; i < tree_count(all); i++)
        collect_description(x, tree_item(all, i), out, depth + 1);
    if (json_get_c(is, "items") != NULL)
        collect_description(x, json_get_c(is, "items"), out, depth + 1);
    if (values_of(is) != NULL)
        collect_description(x, values_of(is), out, depth + 1);
}

static void put_page(const struct explaining *x, const struct json *schema)
{
    struct buf text;
    buf_init(&text);
    collect_description(x, schema, &text, 0);
    buf_append_c(x->out, "DESCRIPTION:\n");
    put_paragraph(x->out, text.len > 0 ? buf_str(&text) : str_lit("<empty>"), 76, 4);
    size_t before = x->out->len;
    buf_append_c(x->out, "FIELDS:\n");
    size_t titled = x->out->len;
    put_fields(x, schema, 1, NULL);
    if (x->out->len == titled)
        x->out->len = before;
    buf_deinit(&text);
}

static void put_field_title(const struct explaining *x, struct str name, const struct json *field)
{
    const struct json *values = json_get_c(field, "enum");
    buf_printf(x->out, "FIELD: %.*s <", STR_ARG(name));
    put_type(x, field, 0);
    buf_append_c(x->out, ">\n");
    if (tree_count(values) > 0)
        buf_append_c(x->out, "ENUM:");
    for (size_t i = 0; i < tree_count(values); i++) {
        buf_append_c(x->out, "\n    ");
        put_enum_value(x, tree_item(values, i));
    }
    buf_append_c(x->out, "\n\n");
}

/* Follows the path down from a schema; true: there is such a field, and its page is out. */
static bool follow(const struct explaining *x, const struct json *schema, const struct str *path,
                   size_t count, const struct way *up)
{
    const struct way way = { up, reference_of(schema), up != NULL ? up->depth + 1 : 0 };
    const struct json *is = resolve(x, schema);
    const struct json *all = json_get_c(is, "allOf");
    if (count == 0) {
        put_page(x, schema);
        return true;
    }
    if (seen(up, way.reference) || way.depth > EXPLAIN_DEPTH_MAX)
        return false;
    const struct json *field = json_get(json_get_c(is, "properties"), path[0]);
    if (field != NULL) {
        size_t before = x->out->len;
        if (count == 1)
            put_field_title(x, path[0], field);
        bool found = follow(x, field, path + 1, count - 1, NULL);
        if (!found)
            x->out->len = before;
        return found;
    }
    if (json_get_c(is, "items") != NULL)
        return follow(x, json_get_c(is, "items"), path, count, &way);
    if (values_of(is) != NULL)
        return follow(x, values_of(is), path, count, &way);
    for (size_t i = 0; i < tree_count(all); i++)
        if (follow(x, tree_item(all, i), path, count, &way))
            return true;
    return false;
}

static bool is_kind(const struct json *schema, const struct objects_resource *r)
{
    const struct json *kinds = json_get_c(schema, "x-kubernetes-group-version-kind");
    for (size_t i = 0; i < tree_count(kinds); i++) {
        const struct json *k = tree_item(kinds, i);
        if (str_eq(tree_text(k, "kind", NULL), r->kind) &&
            str_eq(tree_text(k, "group", NULL), r->group) &&
            str_eq(tree_text(k, "version", NULL), r->version))
            return true;
    }
    return false;
}

int explain_render(struct arena *a, const struct json *document, const struct objects_resource *r,
                   const struct str *path, size_t count, bool recursive, struct buf *out,
                   struct err *e)
{
    struct explaining x = { .arena = a,
                            .schemas = tree_at(document, "components", "schemas", NULL),
                            .recursive = recursive,
                            .out = out };
    for (size_t i = 0; i < tree_count(x.schemas); i++) {
        const struct json *schema = &x.schemas->u.members[i].value;
        if (!is_kind(schema, r))
            continue;
        if (follow(&x, schema, path, count, NULL))
            return 0;
        return err_set(e, ERR_NOT_FOUND, "field \"%.*s\" does not exist", STR_ARG(path[count - 1]));
    }
    return err_set(e, ERR_NOT_FOUND, "the server's OpenAPI schema does not have the kind %.*s",
                   STR_ARG(r->kind));
}
