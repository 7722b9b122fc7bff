/*
 * Two structs side by side. Places have the types of typed.h; what is there, and what is equal, is
 * what their JSON would say (api/schema/view.h). typed_compare.c does the same between trees.
 */
#include "api/patch/changes.h"

#include <stdlib.h>

#include "api/patch/found.h"
#include "api/patch/typed.h"
#include "api/schema/view.h"
#include "base/arena.h"
#include "base/assert.h"

static void compare(struct arena *a, const struct typed *t, const struct schema_view *old,
                    const struct schema_view *new, const struct field_set *ignored,
                    struct found *out);

static const struct schema_view absent = { .presence = SCHEMA_ABSENT };
static const struct field_set nothing;

static struct schema_view present(const void *at)
{
    return (struct schema_view){ .presence = SCHEMA_PRESENT, .at = at };
}

/* A container of the type, not one of its items. */
static bool is_many(const struct typed *t)
{
    return t->field != NULL && !t->item && t->field->card != SCHEMA_ONE;
}

static bool is_empty(const struct typed *t, const struct schema_view *v)
{
    if (v->presence != SCHEMA_PRESENT)
        return true;
    if (is_many(t))
        return v->count == 0;
    return t->shape != TYPED_STRUCT || !schema_view_members(t->message, schema_view_message(v->at));
}

static bool same(struct arena *a, const struct typed *t, const struct schema_view *x,
                 const struct schema_view *y)
{
    if (is_many(t) || x->presence != y->presence || x->presence != SCHEMA_PRESENT)
        return schema_view_same(a, t->field, x, y);
    return schema_view_same_value(a, t->field, x->at, y->at);
}

/* What of a set lies below an element; NULL: the element itself is in it. */
static const struct field_set *below_of(const struct field_set *s, const struct field_element *e)
{
    const struct field_node *n = s->count == 0 ? NULL : field_set_find(s, e);
    if (n == NULL)
        return &nothing;
    return n->member ? NULL : &n->below;
}

static void compare_place(struct arena *a, const struct typed *t, const struct field_element *e,
                          const struct schema_view *old, const struct schema_view *new,
                          const struct field_set *ignored, struct field_builder *b)
{
    struct found f = { 0 };
    const struct field_set *below = below_of(ignored, e);
    if (below == NULL)
        return;
    compare(a, t, old, new, below, &f);
    found_add(a, b, e, &f);
}

/* ---- structs and maps ---- */

static struct schema_view member(const struct schema_name *n, const struct schema_view *v)
{
    return v->presence != SCHEMA_PRESENT
               ? absent
               : schema_view_field(n->field, n->via, schema_view_message(v->at));
}

static void compare_members(struct arena *a, const struct typed *t, const struct schema_view *old,
                            const struct schema_view *new, const struct field_set *ignored,
                            struct field_builder *b)
{
    for (size_t i = 0; i < t->message->name_count; i++) {
        const struct schema_name *n = &t->message->names[i];
        const struct schema_view x = member(n, old);
        const struct schema_view y = member(n, new);
        if (x.presence == SCHEMA_ABSENT && y.presence == SCHEMA_ABSENT)
            continue;
        const struct field_element e = { .type = FIELD_NAME, .name = n->name };
        const struct typed type = typed_of_field(n->field);
        compare_place(a, &type, &e, &x, &y, ignored, b);
    }
}

static struct schema_entries entries_of(struct arena *a, const struct typed *t,
                                        const struct schema_view *v)
{
    return v->presence != SCHEMA_PRESENT ? (struct schema_entries){ 0 }
                                         : schema_view_entries(a, t->field, v);
}

static void compare_entries(struct arena *a, const struct typed *t, const struct schema_view *old,
                            const struct schema_view *new, const struct field_set *ignored,
                            struct field_builder *b)
{
    struct schema_entries left = entries_of(a, t, old);
    struct schema_entries right = entries_of(a, t, new);
    const struct typed item = typed_item(t);
    size_t i = 0;
    size_t j = 0;
    while (i < left.count || j < right.count) {
        int c = i == left.count    ? 1
                : j == right.count ? -1
                                   : str_cmp(left.at[i].key, right.at[j].key);
        const struct field_element e = { .type = FIELD_NAME,
                                         .name = c <= 0 ? left.at[i].key : right.at[j].key };
        const struct schema_view x = c <= 0 ? present(left.at[i].at) : absent;
        const struct schema_view y = c >= 0 ? present(right.at[j].at) : absent;
        compare_place(a, &item, &e, &x, &y, ignored, b);
        i += c <= 0 ? 1 : 0;
        j += c >= 0 ? 1 : 0;
    }
}

/* ---- lists ---- */

struct item {
    struct field_element element;
    size_t index;
    struct schema_view view;
};

struct items {
    struct item *at;
    size_t count;
};

/* A key as the item's JSON has it; false: it is left out, and so is its default. */
static bool key_of(struct arena *a, const struct schema *s, const void *message, const char *name,
                   struct json *out)
{
    const struct schema_name *n = schema_find_name(s, str_from(name));
    if (n == NULL)
        return false;
    const struct schema_view v = schema_view_field(n->field, n->via, message);
    if (v.presence == SCHEMA_ABSENT)
        return typed_default_key(a, s, name, out);
    *out = json_null;
    return v.presence == SCHEMA_NULL || schema_view_scalar(n->field, v.at, out);
}

static bool keyed_element(struct arena *a, const struct typed *t, const void *message,
                          struct field_element *out)
{
    struct json_member keys[FIELD_KEYS_MAX];
    size_t count = 0;
    for (const char *const *k = t->field->list_keys; *k != NULL && count < FIELD_KEYS_MAX; k++) {
        struct json_member next = { .key = str_from(*k) };
        if (!key_of(a, t->field->message, message, *k, &next.value))
            continue;
        size_t at = count++;
        for (; at > 0 && str_cmp(keys[at - 1].key, next.key) > 0; at--)
            keys[at] = keys[at - 1];
        keys[at] = next;
    }
    *out = (struct field_element){ .type = FIELD_KEY,
                                   .keys = arena_copy(a, keys, count * sizeof(keys[0])),
                                   .keys_count = count };
    return count > 0;
}

static bool element_of(struct arena *a, const struct typed *t, const void *at,
                       struct field_element *out)
{
    if (t->shape == TYPED_KEYED)
        return keyed_element(a, t, schema_view_message(at), out);
    *out = (struct field_element){ .type = FIELD_VALUE };
    return schema_view_scalar(t->field, at, &out->value);
}

static int compare_order(const void *x, const void *y)
{
    const struct item *a = x;
    const struct item *b = y;
    int c = field_element_compare(&a->element, &b->element);
    return c != 0 ? c : (a->index > b->index) - (a->index < b->index);
}

/* By element; what has none is left out. */
static struct items items_of(struct arena *a, const struct typed *t, const struct schema_view *v)
{
    struct items out = { 0 };
    size_t count = v->presence == SCHEMA_PRESENT ? v->count : 0;
    bool sorted = true;
    out.at = arena_array(a, count, sizeof(*out.at));
    for (size_t i = 0; i < count; i++) {
        struct item *item = &out.at[out.count];
        const void *at = schema_view_item(t->field, v, i);
        item->index = i;
        item->view = present(at);
        if (!element_of(a, t, at, &item->element))
            continue;
        sorted = sorted && (out.count == 0 || compare_order(item - 1, item) < 0);
        out.count++;
    }
    if (!sorted)
        qsort(out.at, out.count, sizeof(*out.at), compare_order);
    return out;
}

/* How many items from at have its element. */
static size_t run_of(const struct items *items, size_t at)
{
    size_t end = at + 1;
    while (end < items->count &&
           field_element_compare(&items->at[at].element, &items->at[end].element) == 0)
        end++;
    return end - at;
}

static bool same_run(struct arena *a, const struct typed *item, const struct item *old,
                     const struct item *new, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!same(a, item, &old[i].view, &new[i].view))
            return false;
    }
    return true;
}

/* Items that come more than once have no fields, only a place. */
static void compare_runs(struct arena *a, const struct typed *item, const struct item *old,
                         size_t m, const struct item *new, size_t n,
                         const struct field_set *ignored, struct found *out)
{
    if (m <= 1 && n <= 1) {
        compare(a, item, m == 0 ? &absent : &old->view, n == 0 ? &absent : &new->view, ignored,
                out);
    } else if (m >= 2 && n >= 2) {
        out->self[MODIFIED] = m != n || !same_run(a, item, old, new, m);
    } else if (m >= 2) {
        if (n == 1)
            compare(a, item, &absent, &new->view, ignored, out);
        out->self[REMOVED] = true;
    } else {
        if (m == 1)
            compare(a, item, &old->view, &absent, ignored, out);
        out->self[ADDED] = true;
    }
}

static void compare_items(struct arena *a, const struct typed *t, const struct schema_view *old,
                          const struct schema_view *new, const struct field_set *ignored,
                          struct field_builder *b)
{
    struct items left = items_of(a, t, old);
    struct items right = items_of(a, t, new);
    const struct typed item = typed_item(t);
    size_t i = 0;
    size_t j = 0;
    while (i < left.count || j < right.count) {
        int c = i == left.count ? 1
                : j == right.count
                    ? -1
                    : field_element_compare(&left.at[i].element, &right.at[j].element);
        size_t m = c <= 0 ? run_of(&left, i) : 0;
        size_t n = c >= 0 ? run_of(&right, j) : 0;
        const struct field_element *e = c <= 0 ? &left.at[i].element : &right.at[j].element;
        const struct field_set *below = below_of(ignored, e);
        struct found f = { 0 };
        if (below != NULL)
            compare_runs(a, &item, left.at + i, m, right.at + j, n, below, &f);
        found_add(a, b, e, &f);
        i += m;
        j += n;
    }
}

/* ---- places ---- */

static void compare(struct arena *a, const struct typed *t, const struct schema_view *old,
                    const struct schema_view *new, const struct field_set *ignored,
                    struct found *out)
{
    struct field_builder b[CHANGES] = { 0 };
    bool both = old->presence != SCHEMA_ABSENT && new->presence != SCHEMA_ABSENT;
    out->self[ADDED] = old->presence == SCHEMA_ABSENT;
    out->self[REMOVED] = new->presence == SCHEMA_ABSENT;
    if (t->shape == TYPED_LEAF || (is_empty(t, old) && is_empty(t, new))) {
        out->self[MODIFIED] = both && t->field != NULL && !same(a, t, old, new);
        return;
    }
    if (t->shape == TYPED_STRUCT)
        compare_members(a, t, old, new, ignored, b);
    else if (t->shape == TYPED_MAP)
        compare_entries(a, t, old, new, ignored, b);
    else
        compare_items(a, t, old, new, ignored, b);
    found_finish(a, b, out);
}

struct field_changes changes_find(struct arena *a, const struct schema *s, const void *old,
                                  const void *new, const struct field_set *ignored)
{
    struct found f = { 0 };
    const struct typed root = typed_root(s);
    ASSERT(root.shape == TYPED_STRUCT);
    const struct schema_view x = present(&old);
    const struct schema_view y = present(&new);
    compare(a, &root, &x, &y, ignored, &f);
    return (struct field_changes){ .added = f.below[ADDED],
                                   .modified = f.below[MODIFIED],
                                   .removed = f.below[REMOVED] };
}

bool changes_none(const struct field_changes *c)
{
    return c->added.count == 0 && c->modified.count == 0 && c->removed.count == 0;
}
