/* Field sets: order, building and the operations, each one walk over two sorted rows of nodes. */
#include "api/patch/field_set.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"

/* ---- order ---- */

static int compare_numbers(const struct json *a, const struct json *b)
{
    if (a->type == JSON_INT && b->type == JSON_INT)
        return (a->u.integer > b->u.integer) - (a->u.integer < b->u.integer);
    double x = a->type == JSON_INT ? (double)a->u.integer : a->u.number;
    double y = b->type == JSON_INT ? (double)b->u.integer : b->u.number;
    return (x > y) - (x < y);
}

/* Numbers, strings, booleans, null. */
static int scalar_rank(const struct json *j)
{
    switch (j->type) {
    case JSON_INT:
    case JSON_DOUBLE:
        return 0;
    case JSON_STRING:
        return 1;
    case JSON_BOOL:
        return 2;
    default:
        return 3;
    }
}

static int compare_scalars(const struct json *a, const struct json *b)
{
    int rank = scalar_rank(a);
    if (rank != scalar_rank(b))
        return rank < scalar_rank(b) ? -1 : 1;
    if (rank == 0)
        return compare_numbers(a, b);
    if (rank == 1)
        return str_cmp(json_str(a), json_str(b));
    return rank == 2 ? (int)a->u.boolean - (int)b->u.boolean : 0;
}

static int compare_keys(const struct field_element *a, const struct field_element *b)
{
    for (size_t i = 0; i < a->keys_count && i < b->keys_count; i++) {
        int c = str_cmp(a->keys[i].key, b->keys[i].key);
        c = c != 0 ? c : compare_scalars(&a->keys[i].value, &b->keys[i].value);
        if (c != 0)
            return c;
    }
    return (a->keys_count > b->keys_count) - (a->keys_count < b->keys_count);
}

int field_element_compare(const struct field_element *a, const struct field_element *b)
{
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    switch (a->type) {
    case FIELD_NAME:
        return str_cmp(a->name, b->name);
    case FIELD_KEY:
        return compare_keys(a, b);
    default:
        return compare_scalars(&a->value, &b->value);
    }
}

/* ---- building ---- */

static bool is_empty(const struct field_node *n)
{
    return !n->member && n->below.count == 0;
}

void field_builder_add(struct arena *a, struct field_builder *b, const struct field_node *node)
{
    if (is_empty(node))
        return;
    b->nodes = arena_grow(a, b->nodes, b->count, &b->capacity, sizeof(*b->nodes));
    b->nodes[b->count++] = *node;
}

static int compare_nodes(const void *x, const void *y)
{
    const struct field_node *a = x;
    const struct field_node *b = y;
    return field_element_compare(&a->element, &b->element);
}

struct field_set field_builder_finish(struct arena *a, struct field_builder *b)
{
    size_t kept = 0;
    bool sorted = true;
    for (size_t i = 1; i < b->count && sorted; i++)
        sorted = compare_nodes(&b->nodes[i - 1], &b->nodes[i]) < 0;
    if (sorted)
        return (struct field_set){ .nodes = b->nodes, .count = b->count };
    qsort(b->nodes, b->count, sizeof(*b->nodes), compare_nodes);
    for (size_t i = 0; i < b->count; i++) {
        struct field_node *last = kept > 0 ? &b->nodes[kept - 1] : NULL;
        if (last == NULL || compare_nodes(last, &b->nodes[i]) != 0) {
            b->nodes[kept++] = b->nodes[i];
            continue;
        }
        last->member = last->member || b->nodes[i].member;
        last->below = field_set_union(a, &last->below, &b->nodes[i].below);
    }
    return (struct field_set){ .nodes = b->nodes, .count = kept };
}

static struct field_set set_of_path(struct arena *a, const char *const *path)
{
    struct field_node *n = arena_new(a, struct field_node);
    n->element = (struct field_element){ .type = FIELD_NAME, .name = str_from(path[0]) };
    n->member = path[1] == NULL;
    if (!n->member)
        n->below = set_of_path(a, path + 1);
    return (struct field_set){ .nodes = n, .count = 1 };
}

struct field_set field_set_of_names(struct arena *a, const char *const *const *paths)
{
    struct field_set all = { 0 };
    for (; *paths != NULL; paths++) {
        struct field_set one = set_of_path(a, *paths);
        all = field_set_union(a, &all, &one);
    }
    return all;
}

/* ---- operations ---- */

bool field_set_equal(const struct field_set *x, const struct field_set *y)
{
    if (x->count != y->count)
        return false;
    for (size_t i = 0; i < x->count; i++) {
        const struct field_node *m = &x->nodes[i];
        const struct field_node *n = &y->nodes[i];
        if (m->member != n->member || field_element_compare(&m->element, &n->element) != 0 ||
            !field_set_equal(&m->below, &n->below))
            return false;
    }
    return true;
}

const struct field_node *field_set_find(const struct field_set *s, const struct field_element *e)
{
    size_t from = 0;
    size_t to = s->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int c = field_element_compare(&s->nodes[middle].element, e);
        if (c == 0)
            return &s->nodes[middle];
        if (c < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

/* What becomes of a node of x; y is NULL when the other set has no such element. */
typedef struct field_node node_function(struct arena *a, const struct field_node *x,
                                        const struct field_node *y);

static struct field_node node_union(struct arena *a, const struct field_node *x,
                                    const struct field_node *y)
{
    struct field_node out = *x;
    if (y != NULL) {
        out.member = x->member || y->member;
        out.below = field_set_union(a, &x->below, &y->below);
    }
    return out;
}

static struct field_node node_intersection(struct arena *a, const struct field_node *x,
                                           const struct field_node *y)
{
    struct field_node out = { .element = x->element };
    if (y != NULL) {
        out.member = x->member && y->member;
        out.below = field_set_intersection(a, &x->below, &y->below);
    }
    return out;
}

static struct field_node node_difference(struct arena *a, const struct field_node *x,
                                         const struct field_node *y)
{
    struct field_node out = *x;
    if (y != NULL) {
        out.member = x->member && !y->member;
        out.below = field_set_difference(a, &x->below, &y->below);
    }
    return out;
}

static struct field_node node_recursive(struct arena *a, const struct field_node *x,
                                        const struct field_node *y)
{
    struct field_node out = *x;
    if (y != NULL && y->member)
        return (struct field_node){ .element = x->element };
    if (y != NULL)
        out.below = field_set_recursive_difference(a, &x->below, &y->below);
    return out;
}

/* Nodes of x, and those of y alone when both is set, through f. */
static struct field_set combine(struct arena *a, const struct field_set *x,
                                const struct field_set *y, bool both, node_function *f)
{
    struct field_node *nodes = arena_array(a, x->count + (both ? y->count : 0), sizeof(*nodes));
    size_t count = 0;
    size_t i = 0;
    size_t j = 0;
    while (i < x->count || (both && j < y->count)) {
        int c = i == x->count   ? 1
                : j == y->count ? -1
                                : field_element_compare(&x->nodes[i].element, &y->nodes[j].element);
        if (c > 0 && !both) {
            j++;
            continue;
        }
        nodes[count] = c > 0 ? y->nodes[j] : f(a, &x->nodes[i], c == 0 ? &y->nodes[j] : NULL);
        count += is_empty(&nodes[count]) ? 0 : 1;
        i += c <= 0 ? 1 : 0;
        j += c >= 0 ? 1 : 0;
    }
    return (struct field_set){ .nodes = nodes, .count = count };
}

struct field_set field_set_union(struct arena *a, const struct field_set *x,
                                 const struct field_set *y)
{
    if (x->count == 0 || y->count == 0)
        return x->count == 0 ? *y : *x;
    return combine(a, x, y, true, node_union);
}

struct field_set field_set_intersection(struct arena *a, const struct field_set *x,
                                        const struct field_set *y)
{
    if (x->count == 0 || y->count == 0)
        return (struct field_set){ 0 };
    return combine(a, x, y, false, node_intersection);
}

struct field_set field_set_difference(struct arena *a, const struct field_set *x,
                                      const struct field_set *y)
{
    return x->count == 0 || y->count == 0 ? *x : combine(a, x, y, false, node_difference);
}

struct field_set field_set_recursive_difference(struct arena *a, const struct field_set *x,
                                                const struct field_set *y)
{
    return x->count == 0 || y->count == 0 ? *x : combine(a, x, y, false, node_recursive);
}

/* ---- paths ---- */

/* A scalar as Go prints it for people. */
static void show_scalar(struct buf *out, const struct json *j)
{
    json_write(out, j, false);
}

void field_element_show(struct buf *out, const struct field_element *e)
{
    if (e->type == FIELD_NAME) {
        buf_append_c(out, ".");
        buf_append_str(out, e->name);
        return;
    }
    buf_append_c(out, "[");
    for (size_t i = 0; i < e->keys_count; i++) {
        buf_append_c(out, i > 0 ? "," : "");
        buf_append_str(out, e->keys[i].key);
        buf_append_c(out, "=");
        show_scalar(out, &e->keys[i].value);
    }
    if (e->type == FIELD_VALUE)
        buf_append_c(out, "=");
    if (e->type != FIELD_KEY)
        show_scalar(out, &e->value);
    buf_append_c(out, "]");
}

/* Members of this level first, then what lies below, as upstream walks. */
static void each(const struct field_set *s, struct buf *path,
                 void (*f)(void *context, struct str path), void *context)
{
    size_t len = path->len;
    for (size_t i = 0; i < s->count; i++) {
        field_element_show(path, &s->nodes[i].element);
        if (s->nodes[i].member)
            f(context, buf_str(path));
        path->len = len;
    }
    for (size_t i = 0; i < s->count; i++) {
        field_element_show(path, &s->nodes[i].element);
        each(&s->nodes[i].below, path, f, context);
        path->len = len;
    }
}

void field_set_each(const struct field_set *s, void (*f)(void *context, struct str path),
                    void *context)
{
    struct buf path;
    buf_init(&path);
    each(s, &path, f, context);
    buf_deinit(&path);
}
