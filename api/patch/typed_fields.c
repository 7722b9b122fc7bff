/* One tree through its schema: is it well typed, and which fields does it have. */
#include <string.h>

#include "api/patch/typed.h"
#include "api/schema/quote.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* A message longer than this ends with the problem it is at. */
#define PROBLEMS_BYTES_MAX (64u << 10)

struct checker {
    struct arena *arena;
    struct buf path;
    struct buf problems; /* a line each, indented */
    size_t count;
};

static void refuse(struct checker *c, struct str text)
{
    if (c->problems.len > PROBLEMS_BYTES_MAX)
        return;
    buf_printf(&c->problems, "\n  %.*s: ", STR_ARG(buf_str(&c->path)));
    buf_append_str(&c->problems, text);
    c->count++;
}

/* ---- values in messages, as Go prints them ---- */

static const char *go_type(const struct json *j)
{
    static const char *const names[] = {
        "<nil>", "bool", "int64", "float64", "string", "[]interface {}", "map[string]interface {}"
    };
    return names[j->type];
}

/* %#v. The caller's message is bounded, and so is the depth of what was parsed:
 * map[string]interface {}{"a":1} */
static void show_syntax(struct checker *c, struct buf *out, const struct json *j)
{
    if (j->type == JSON_ARRAY) {
        buf_append_c(out, "[]interface {}{");
        for (size_t i = 0; i < j->count; i++) {
            buf_append_c(out, i > 0 ? ", " : "");
            show_syntax(c, out, &j->u.items[i]);
        }
        buf_append_c(out, "}");
    } else if (j->type == JSON_OBJECT) {
        struct typed_members members = typed_members(c->arena, j);
        buf_append_c(out, "map[string]interface {}{");
        for (size_t i = 0; i < members.count; i++) {
            buf_append_c(out, i > 0 ? ", " : "");
            json_write_string(out, members.at[i]->key, false);
            buf_append_c(out, ":");
            show_syntax(c, out, &members.at[i]->value);
        }
        buf_append_c(out, "}");
    } else if (j->type == JSON_NULL) {
        buf_append_c(out, "interface {}(nil)");
    } else {
        json_write(out, j, false);
    }
}

/* "expected string, got ..." in the form that upstream chose for each type. */
static void refuse_type(struct checker *c, const char *want, const struct json *j)
{
    struct buf text;
    buf_init(&text);
    buf_printf(&text, "expected %s, got ", want);
    if (want[0] == 'n') {
        buf_append_c(&text, go_type(j));
    } else if (want[0] == 's') {
        buf_append_c(&text, "&value.valueUnstructured{Value:");
        show_syntax(c, &text, j);
        buf_append_c(&text, "}");
    } else {
        buf_append_c(&text, "&{");
        quote_write_value(&text, j);
        buf_append_c(&text, "}");
    }
    refuse(c, buf_str(&text));
    buf_deinit(&text);
}

/* ---- check ---- */

/* What is a message here and a scalar in JSON; the decoder knows which scalars are fine. */
static bool is_any_scalar(enum schema_form form)
{
    return form == SCHEMA_FORM_TIME || form == SCHEMA_FORM_MICRO_TIME ||
           form == SCHEMA_FORM_QUANTITY || form == SCHEMA_FORM_INT_OR_STRING;
}

static void check_scalar(struct checker *c, const struct typed *t, const struct json *j)
{
    const struct schema_field *f = t->field;
    const char *want = NULL;
    if (f == NULL || j->type == JSON_NULL)
        return;
    if (f->message != NULL)
        want = is_any_scalar(f->message->form) && j->type >= JSON_ARRAY ? "any scalar" : NULL;
    else if (f->type == SCHEMA_BOOL)
        want = j->type == JSON_BOOL ? NULL : "boolean";
    else if (f->type <= SCHEMA_DOUBLE)
        want = j->type == JSON_INT || j->type == JSON_DOUBLE ? NULL : "numeric (int or float)";
    else
        want = j->type == JSON_STRING ? NULL : "string";
    if (want != NULL)
        refuse_type(c, want, j);
}

static void check(struct checker *c, const struct typed *t, const struct json *j);

/* Upstream ends an object at the first field it does not know, whichever chance brings first: here
 * all of them are named. */
static void check_object(struct checker *c, const struct typed *t, const struct json *j)
{
    size_t len = c->path.len;
    if (j->type != JSON_OBJECT) {
        refuse_type(c, "map", j);
        return;
    }
    for (size_t i = 0; i < j->count; i++) {
        const struct json_member *m = &j->u.members[i];
        struct typed member;
        buf_append_c(&c->path, ".");
        buf_append_str(&c->path, m->key);
        if (typed_member(t, m->key, &member))
            check(c, &member, &m->value);
        else
            refuse(c, str_lit("field not declared in schema"));
        c->path.len = len;
    }
}

static void refuse_twice(struct checker *c, const struct field_element *element)
{
    struct buf text;
    buf_init(&text);
    buf_append_c(&text, "duplicate entries for key ");
    field_element_show(&text, element);
    refuse(c, buf_str(&text));
    buf_deinit(&text);
}

/* For each item whether one before it has its element. */
static bool *find_twice(struct checker *c, const struct typed *t, const struct json *j)
{
    bool *twice = arena_array(c->arena, j->count, sizeof(*twice));
    struct typed_items items = typed_items(c->arena, t, j);
    for (size_t i = 0, run = 0; i < items.count; i += run) {
        run = typed_run(&items, i);
        for (size_t k = 1; k < run; k++)
            twice[items.at[i + k].index] = true;
    }
    return twice;
}

/* An item that cannot be named ends its list. */
static void check_list(struct checker *c, const struct typed *t, const struct json *j)
{
    size_t len = c->path.len;
    const struct typed item = typed_item(t);
    if (j->type != JSON_ARRAY) {
        refuse_type(c, "list", j);
        return;
    }
    const bool *twice = find_twice(c, t, j);
    for (size_t i = 0; i < j->count; i++) {
        struct field_element element;
        struct err why = { 0 };
        if (typed_element(c->arena, t, &j->u.items[i], &element, &why) != 0) {
            refuse(c, str_printf(c->arena, "element %zu: %s", i, why.msg));
            return;
        }
        if (twice[i])
            refuse_twice(c, &element);
        field_element_show(&c->path, &element);
        check(c, &item, &j->u.items[i]);
        c->path.len = len;
    }
}

/* What is replaced as a whole still has to be what it says it is. */
static void check_whole_list(struct checker *c, const struct typed *t, const struct json *j)
{
    size_t len = c->path.len;
    const struct typed item = typed_item(t);
    if (j->type != JSON_ARRAY) {
        refuse_type(c, "list", j);
        return;
    }
    for (size_t i = 0; i < j->count; i++) {
        buf_printf(&c->path, "[%zu]", i);
        check(c, &item, &j->u.items[i]);
        c->path.len = len;
    }
}

static void check_leaf(struct checker *c, const struct typed *t, const struct json *j)
{
    const struct schema_field *f = t->field;
    struct typed inside = *t;
    if (f != NULL && !t->item && f->card == SCHEMA_LIST) {
        check_whole_list(c, t, j);
    } else if (f != NULL && !t->item && f->card == SCHEMA_MAP) {
        inside.shape = TYPED_MAP;
        check_object(c, &inside, j);
    } else if (t->message != NULL && t->message->form == SCHEMA_FORM_OBJECT) {
        inside.shape = TYPED_STRUCT;
        check_object(c, &inside, j);
    } else {
        check_scalar(c, t, j);
    }
}

static void check(struct checker *c, const struct typed *t, const struct json *j)
{
    if (j->type == JSON_NULL)
        return;
    switch (t->shape) {
    case TYPED_STRUCT:
    case TYPED_MAP:
        check_object(c, t, j);
        return;
    case TYPED_SET:
    case TYPED_KEYED:
        check_list(c, t, j);
        return;
    default:
        check_leaf(c, t, j);
    }
}

/* One problem stands alone; more stand below each other. */
static struct str problems_of(struct checker *c)
{
    struct str lines = buf_str(&c->problems);
    if (c->count == 1)
        return str_copy(c->arena, str_slice(lines, strlen("\n  "), lines.len));
    return str_printf(c->arena, "errors:%.*s", STR_ARG(lines));
}

int typed_check(struct arena *a, const struct schema *s, const struct json *tree, struct str *why)
{
    struct checker c = { .arena = a };
    const struct typed root = typed_root(s);
    buf_init(&c.path);
    buf_init(&c.problems);
    check(&c, &root, tree);
    if (c.count > 0 && why != NULL)
        *why = problems_of(&c);
    buf_deinit(&c.path);
    buf_deinit(&c.problems);
    return c.count == 0 ? 0 : -ERR_INVALID_ARGUMENT;
}

/* ---- fields ---- */

static bool fields(struct arena *a, const struct typed *t, const struct json *j,
                   struct field_set *below);

static struct field_set member_fields(struct arena *a, const struct typed *t, const struct json *j)
{
    struct field_builder b = { 0 };
    struct typed_members members = typed_members(a, j);
    for (size_t i = 0; i < members.count; i++) {
        const struct json *value = &members.at[i]->value;
        struct field_node n = { .element = { .type = FIELD_NAME, .name = members.at[i]->key } };
        struct typed member;
        if (!typed_member(t, members.at[i]->key, &member))
            continue;
        n.member = fields(a, &member, value, &n.below) || value->type == JSON_NULL ||
                   (value->type == JSON_OBJECT && value->count == 0) || t->shape == TYPED_MAP;
        field_builder_add(a, &b, &n);
    }
    return field_builder_finish(a, &b);
}

static struct field_set item_fields(struct arena *a, const struct typed *t, const struct json *j)
{
    struct field_builder b = { 0 };
    struct typed_items items = typed_items(a, t, j);
    const struct typed item = typed_item(t);
    for (size_t i = 0; i < items.count; i += typed_run(&items, i)) {
        struct field_node n = { .element = items.at[i].element, .member = true };
        if (typed_run(&items, i) == 1)
            (void)fields(a, &item, items.at[i].value, &n.below);
        field_builder_add(a, &b, &n);
    }
    return field_builder_finish(a, &b);
}

/* Fills what lies below; true when the place itself is a field of its own. */
static bool fields(struct arena *a, const struct typed *t, const struct json *j,
                   struct field_set *below)
{
    switch (t->shape) {
    case TYPED_STRUCT:
    case TYPED_MAP:
        *below = member_fields(a, t, j);
        return false;
    case TYPED_SET:
    case TYPED_KEYED:
        *below = item_fields(a, t, j);
        return false;
    default:
        return true;
    }
}

struct field_set typed_fields(struct arena *a, const struct schema *s, const struct json *tree)
{
    struct field_set out = { 0 };
    const struct typed root = typed_root(s);
    (void)fields(a, &root, tree, &out); /* the root is nobody's field */
    return out;
}

/* ---- named ---- */

/* The type below an element; a leaf where the set does not fit the schema. */
static struct typed below_of(const struct typed *t, const struct field_element *e)
{
    struct typed out = { .shape = TYPED_LEAF };
    if (e->type == FIELD_NAME && (t->shape == TYPED_STRUCT || t->shape == TYPED_MAP))
        (void)typed_member(t, e->name, &out); /* unknown: stays a leaf */
    else if (e->type == FIELD_KEY && t->shape == TYPED_KEYED)
        out = typed_item(t);
    return out;
}

static struct field_set named(struct arena *a, const struct typed *t, const struct field_set *set)
{
    struct field_node *nodes = arena_copy(a, set->nodes, set->count * sizeof(*nodes));
    for (size_t i = 0; i < set->count; i++) {
        struct field_node *n = &nodes[i];
        const struct typed below = below_of(t, &n->element);
        if (n->element.type == FIELD_NAME && typed_declared(t, n->element.name))
            n->member = true;
        n->below = named(a, &below, &n->below);
    }
    return (struct field_set){ .nodes = nodes, .count = set->count };
}

struct field_set typed_named(struct arena *a, const struct schema *s, const struct field_set *set)
{
    const struct typed root = typed_root(s);
    return named(a, &root, set);
}
