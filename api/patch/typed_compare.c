/* What differs between two trees: added, modified and removed fields. */
#include "api/patch/found.h"
#include "api/patch/typed.h"
#include "base/arena.h"

static void compare(struct arena *a, const struct typed *t, const struct json *old,
                    const struct json *new, struct found *out);

static bool is_empty(const struct json *j)
{
    return j == NULL || j->type < JSON_ARRAY || j->count == 0;
}

static void compare_members(struct arena *a, const struct typed *t, const struct json *old,
                            const struct json *new, struct found *out)
{
    struct field_builder b[CHANGES] = { 0 };
    struct typed_pair p = typed_pair(a, old, new);
    while (typed_pair_next(&p)) {
        const struct field_element e = { .type = FIELD_NAME, .name = p.key };
        struct found f = { 0 };
        struct typed member;
        if (!typed_member(t, p.key, &member))
            continue;
        compare(a, &member, p.left_value, p.right_value, &f);
        found_add(a, b, &e, &f);
    }
    found_finish(a, b, out);
}

/* Items that come more than once have no fields, only a place. */
static void compare_runs(struct arena *a, const struct typed *item,
                         const struct typed_list_item *old, size_t old_count,
                         const struct typed_list_item *new, size_t new_count, struct found *out)
{
    if (old_count <= 1 && new_count <= 1) {
        compare(a, item, old_count == 0 ? NULL : old->value, new_count == 0 ? NULL : new->value,
                out);
    } else if (old_count >= 2 && new_count >= 2) {
        bool same = old_count == new_count;
        for (size_t i = 0; same && i < old_count; i++)
            same = json_equal(old[i].value, new[i].value);
        out->self[MODIFIED] = !same;
    } else if (old_count >= 2) {
        if (new_count == 1)
            compare(a, item, NULL, new->value, out);
        out->self[REMOVED] = true;
    } else {
        if (old_count == 1)
            compare(a, item, old->value, NULL, out);
        out->self[ADDED] = true;
    }
}

static void compare_items(struct arena *a, const struct typed *t, const struct json *old,
                          const struct json *new, struct found *out)
{
    struct field_builder b[CHANGES] = { 0 };
    const struct typed item = typed_item(t);
    struct typed_items left = typed_items(a, t, old);
    struct typed_items right = typed_items(a, t, new);
    size_t i = 0;
    size_t j = 0;
    while (i < left.count || j < right.count) {
        int c = i == left.count ? 1
                : j == right.count
                    ? -1
                    : field_element_compare(&left.at[i].element, &right.at[j].element);
        size_t m = c <= 0 ? typed_run(&left, i) : 0;
        size_t n = c >= 0 ? typed_run(&right, j) : 0;
        const struct field_element *e = c <= 0 ? &left.at[i].element : &right.at[j].element;
        struct found f = { 0 };
        compare_runs(a, &item, left.at + i, m, right.at + j, n, &f);
        found_add(a, b, e, &f);
        i += m;
        j += n;
    }
    found_finish(a, b, out);
}

static void compare(struct arena *a, const struct typed *t, const struct json *old,
                    const struct json *new, struct found *out)
{
    if (t->shape == TYPED_LEAF || (is_empty(old) && is_empty(new))) {
        out->self[ADDED] = old == NULL;
        out->self[REMOVED] = new == NULL;
        out->self[MODIFIED] = old != NULL && new != NULL && !json_equal(old, new);
        return;
    }
    if (t->shape == TYPED_STRUCT || t->shape == TYPED_MAP)
        compare_members(a, t, old, new, out);
    else
        compare_items(a, t, old, new, out);
    out->self[ADDED] = old == NULL;
    out->self[REMOVED] = new == NULL;
}

struct field_changes typed_compare(struct arena *a, const struct schema *s, const struct json *old,
                                   const struct json *new)
{
    struct found f = { 0 };
    const struct typed root = typed_root(s);
    compare(a, &root, old, new, &f);
    return (struct field_changes){ .added = f.below[ADDED],
                                   .modified = f.below[MODIFIED],
                                   .removed = f.below[REMOVED] };
}
