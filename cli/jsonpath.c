/* Templates applied to a tree (see jsonpath.h): what each node finds. */
#include "cli/jsonpath.h"

#include "base/arena.h"
#include "base/buf.h"
#include "cli/jsonpath_nodes.h"

struct set {
    const struct json **items;
    size_t count;
    size_t capacity;
};

struct walk {
    struct arena *arena;
    const struct jsonpath *path;
    bool missing;
    size_t steps;
    int depth;
    /* Ranges: begun and ended by the node just walked, open, and where the last one ended. */
    int begun;
    int ended;
    int open;
    size_t last_end;
    struct jsonpath_results results;
    size_t results_capacity;
    struct err *e;
};

static int walk_list(struct walk *w, const struct set *in, const struct jsonpath_list *list,
                     struct set *out);

static int add(struct walk *w, struct set *s, const struct json *value)
{
    if (++w->steps > JSONPATH_STEPS_MAX)
        return err_set(w->e, ERR_LIMIT, "the template looks at more than %u values",
                       JSONPATH_STEPS_MAX);
    s->items = arena_grow(w->arena, s->items, s->count, &s->capacity, sizeof *s->items);
    s->items[s->count++] = value;
    return 0;
}

static const char *type_name(const struct json *value)
{
    switch (value->type) {
    case JSON_BOOL:
        return "bool";
    case JSON_INT:
        return "int64";
    case JSON_DOUBLE:
        return "float64";
    case JSON_STRING:
        return "string";
    case JSON_OBJECT:
        return "map[string]interface {}";
    default:
        return "[]interface {}";
    }
}

/* ---- the kinds of nodes ---- */

static int walk_field(struct walk *w, const struct set *in, struct str name, struct set *out)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < in->count; i++) {
        const struct json *value = json_get(in->items[i], name);
        if (value != NULL)
            rc = add(w, out, value);
    }
    if (rc == 0 && out->count == 0 && in->count > 0 && !w->missing)
        return err_set(w->e, ERR_NOT_FOUND, "%.*s is not found", STR_ARG(name));
    return rc;
}

/* From and to of a slice in an array of this length; -ERR_INVALID_ARGUMENT: out of it. */
static int slice_bounds(const struct walk *w, const struct jsonpath_param *params, int64_t len,
                        int64_t *out_from, int64_t *out_to)
{
    int64_t from = params[0].known ? params[0].value : 0;
    int64_t to = params[1].known ? params[1].value : len;
    if (from < 0)
        from += len;
    if (to < 0 || (to == 0 && params[1].derived))
        to += len;
    *out_from = from;
    *out_to = to;
    if (from == to)
        return 0;
    if (from >= len || from < 0)
        return err_set(w->e, ERR_INVALID_ARGUMENT,
                       "array index out of bounds: index %lld, length %lld", (long long)from,
                       (long long)len);
    if (to > len || to < 0)
        return err_set(w->e, ERR_INVALID_ARGUMENT,
                       "array index out of bounds: index %lld, length %lld", (long long)to - 1,
                       (long long)len);
    if (from > to)
        return err_set(w->e, ERR_INVALID_ARGUMENT,
                       "starting index %lld is greater than ending index %lld", (long long)from,
                       (long long)to);
    return 0;
}

static int walk_slice(struct walk *w, const struct set *in, const struct jsonpath_param *params,
                      struct set *out)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < in->count; i++) {
        const struct json *array = in->items[i];
        int64_t from;
        int64_t to;
        if (array->type == JSON_NULL)
            continue;
        if (array->type != JSON_ARRAY)
            return err_set(w->e, ERR_INVALID_ARGUMENT, "%s is not array or slice",
                           type_name(array));
        rc = slice_bounds(w, params, array->count, &from, &to);
        if (rc == 0 && from == to)
            return 0;
        if (rc == 0 && params[2].known && params[2].value <= 0)
            return err_set(w->e, ERR_INVALID_ARGUMENT, "step must be > 0");
        int64_t step = params[2].known ? params[2].value : 1;
        for (; rc == 0 && from < to; from += step)
            rc = add(w, out, &array->u.items[from]);
    }
    return rc;
}

static int add_children(struct walk *w, const struct json *value, struct set *out)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && value->type == JSON_ARRAY && i < value->count; i++)
        rc = add(w, out, &value->u.items[i]);
    for (uint32_t i = 0; rc == 0 && value->type == JSON_OBJECT && i < value->count; i++)
        rc = add(w, out, &value->u.members[i].value);
    return rc;
}

static int walk_wildcard(struct walk *w, const struct set *in, struct set *out)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < in->count; i++)
        rc = add_children(w, in->items[i], out);
    return rc;
}

/* Every value that has others in it, outer ones first. As deep as JSON may be. */
static int walk_recursive(struct walk *w, const struct set *in, struct set *out)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < in->count; i++) {
        struct set children = { 0 };
        rc = add_children(w, in->items[i], &children);
        if (rc != 0 || children.count == 0)
            continue;
        rc = add(w, out, in->items[i]);
        if (rc == 0)
            rc = walk_recursive(w, &children, out);
    }
    return rc;
}

static int walk_word(struct walk *w, const struct set *in, struct str word, struct set *out)
{
    if (str_eq_c(word, "range")) {
        w->begun++;
        *out = *in;
        return 0;
    }
    if (!str_eq_c(word, "end"))
        return err_set(w->e, ERR_INVALID_ARGUMENT, "unrecognized identifier %.*s", STR_ARG(word));
    if (w->open == 0)
        return err_set(w->e, ERR_INVALID_ARGUMENT, "not in range, nothing to end");
    w->ended++;
    return 0;
}

/* ---- filters ---- */

static double number_of(const struct json *j)
{
    return j->type == JSON_INT ? (double)j->u.integer : j->u.number;
}

static int order(const struct json *a, const struct json *b)
{
    if (a->type == JSON_STRING)
        return str_cmp(json_str(a), json_str(b));
    if (a->type == JSON_INT)
        return (a->u.integer > b->u.integer) - (a->u.integer < b->u.integer);
    if (a->type == JSON_BOOL)
        return (int)a->u.boolean - (int)b->u.boolean;
    return (number_of(a) > number_of(b)) - (number_of(a) < number_of(b));
}

static int compare(const struct walk *w, const struct json *a, const struct json *b, struct str op,
                   bool *out_pass)
{
    static const char *const operators[] = { "<", ">", "==", "!=", "<=", ">=" };
    size_t which = 0;
    while (which < 6 && !str_eq_c(op, operators[which]))
        which++;
    if (which == 6)
        return err_set(w->e, ERR_INVALID_ARGUMENT, "unrecognized filter operator %.*s",
                       STR_ARG(op));
    bool basic = a->type != JSON_NULL && a->type != JSON_ARRAY && a->type != JSON_OBJECT &&
                 b->type != JSON_NULL && b->type != JSON_ARRAY && b->type != JSON_OBJECT;
    bool ordered = which != 2 && which != 3;
    if (!basic || (ordered && a->type == JSON_BOOL && b->type == JSON_BOOL))
        return err_set(w->e, ERR_INVALID_ARGUMENT, "invalid type for comparison");
    if (a->type != b->type)
        return err_set(w->e, ERR_INVALID_ARGUMENT, "incompatible types for comparison");
    int c = order(a, b);
    const bool passes[] = { c<0, c> 0, c == 0, c != 0, c <= 0, c >= 0 };
    *out_pass = passes[which];
    return 0;
}

static int filter_one(struct walk *w, const struct json *item, const struct jsonpath_node *n,
                      bool *out_pass)
{
    const struct set one = { .items = &item, .count = 1 };
    struct set left = { 0 };
    struct set right = { 0 };
    int rc = walk_list(w, &one, n->lists[0], &left);
    *out_pass = false;
    if (str_eq_c(n->name, "exists")) {
        *out_pass = rc == 0 && left.count > 0;
        return rc == -ERR_LIMIT ? rc : 0;
    }
    if (rc == 0 && left.count > 0)
        rc = walk_list(w, &one, n->lists[1], &right);
    if (rc != 0 || left.count == 0 || right.count == 0)
        return rc;
    if (left.count > 1 || right.count > 1)
        return err_set(w->e, ERR_INVALID_ARGUMENT, "can only compare one element at a time");
    return compare(w, left.items[0], right.items[0], n->name, out_pass);
}

static int walk_filter(struct walk *w, const struct set *in, const struct jsonpath_node *n,
                       struct set *out)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < in->count; i++) {
        const struct json *array = in->items[i];
        if (array->type != JSON_ARRAY) {
            struct buf b;
            buf_init(&b);
            jsonpath_print_value(w->arena, array, &b);
            rc = err_set(w->e, ERR_INVALID_ARGUMENT,
                         "%.*s is not array or slice and cannot be filtered", STR_ARG(buf_str(&b)));
            buf_deinit(&b);
        }
        for (uint32_t k = 0; rc == 0 && k < array->count; k++) {
            bool pass;
            rc = filter_one(w, &array->u.items[k], n, &pass);
            if (rc == 0 && pass)
                rc = add(w, out, &array->u.items[k]);
        }
    }
    return rc;
}

/* ---- the walk ---- */

static int walk_node(struct walk *w, const struct set *in, const struct jsonpath_node *n,
                     struct set *out)
{
    int rc = 0;
    switch (n->type) {
    case JSONPATH_VALUE:
        return add(w, out, &n->value);
    case JSONPATH_FIELD:
        return walk_field(w, in, n->name, out);
    case JSONPATH_WORD:
        return walk_word(w, in, n->name, out);
    case JSONPATH_SLICE:
        return walk_slice(w, in, n->params, out);
    case JSONPATH_FILTER:
        return walk_filter(w, in, n, out);
    case JSONPATH_RECURSIVE:
        return walk_recursive(w, in, out);
    case JSONPATH_WILDCARD:
        return walk_wildcard(w, in, out);
    case JSONPATH_UNION:
    case JSONPATH_LIST:
        break;
    }
    for (size_t i = 0; rc == 0 && i < n->list_count; i++) {
        struct set found = { 0 };
        rc = walk_list(w, in, n->lists[i], &found);
        for (size_t k = 0; rc == 0 && k < found.count; k++)
            rc = add(w, out, found.items[k]);
    }
    return rc;
}

static int walk_list(struct walk *w, const struct set *in, const struct jsonpath_list *list,
                     struct set *out)
{
    struct set at = *in;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < list->count; i++) {
        struct set found = { 0 };
        rc = walk_node(w, &at, &list->items[i], &found);
        at = found;
    }
    if (rc == 0)
        *out = at;
    return rc;
}

static void add_result(struct walk *w, const struct set *found)
{
    w->results.items = arena_grow(w->arena, w->results.items, w->results.count,
                                  &w->results_capacity, sizeof *w->results.items);
    w->results.items[w->results.count++] =
        (struct jsonpath_found){ .items = found->items, .count = found->count };
}

static int walk_from(struct walk *w, size_t from, const struct json *value);

/* The nodes of a range, once for each value; without one they are passed over. */
static int walk_range(struct walk *w, size_t from, const struct set *values)
{
    size_t before = w->results.count;
    int rc = 0;
    if (w->depth == JSONPATH_DEPTH_MAX)
        return err_set(w->e, ERR_LIMIT, "ranges nested deeper than %d", JSONPATH_DEPTH_MAX);
    w->depth++;
    w->open++;
    for (size_t i = 0; rc == 0 && i < values->count; i++)
        rc = walk_from(w, from, values->items[i]);
    if (values->count == 0) {
        rc = walk_from(w, from, &json_null);
        w->results.count = before;
    }
    w->open--;
    w->depth--;
    return rc;
}

static int walk_from(struct walk *w, size_t from, const struct json *value)
{
    const struct jsonpath_list *root = &w->path->root;
    const struct set in = { .items = &value, .count = 1 };
    int rc = 0;
    for (size_t i = from; rc == 0 && i < root->count; i++) {
        struct set found = { 0 };
        rc = walk_node(w, &in, &root->items[i], &found);
        if (rc != 0)
            break;
        if (w->ended > 0 && w->ended <= w->open) {
            w->ended--;
            w->last_end = i;
            break;
        }
        if (w->begun == 0) {
            add_result(w, &found);
            continue;
        }
        w->begun--;
        rc = walk_range(w, i + 1, &found);
        if (w->last_end > i)
            i = w->last_end;
    }
    return rc;
}

int jsonpath_find(struct arena *a, const struct jsonpath *p, const struct json *data, bool missing,
                  struct jsonpath_results *out, struct err *e)
{
    struct walk w = { .arena = a, .path = p, .missing = missing, .e = e };
    int rc = walk_from(&w, 0, data);
    if (rc == 0)
        *out = w.results;
    return rc;
}
