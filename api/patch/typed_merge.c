/* Trees made of trees: a configuration over a live object, and an object without some fields. */
#include "api/patch/typed.h"
#include "base/arena.h"

static struct json merge(struct arena *a, const struct typed *t, const struct json *live,
                         const struct json *config);

static bool is_empty(const struct json *j)
{
    return j == NULL || j->type < JSON_ARRAY || j->count == 0;
}

static struct json merge_members(struct arena *a, const struct typed *t, const struct json *live,
                                 const struct json *config)
{
    struct typed_pair p = typed_pair(a, live, config);
    struct json_member *out = arena_array(a, p.left.count + p.right.count, sizeof(*out));
    size_t count = 0;
    while (typed_pair_next(&p)) {
        struct typed member;
        if (!typed_member(t, p.key, &member))
            continue;
        out[count].key = p.key;
        out[count++].value = merge(a, &member, p.left_value, p.right_value);
    }
    return json_object(out, count);
}

/* ---- lists ---- */

/* A list with the place of each item's partner in the other one. */
struct side {
    const struct json *items;
    size_t count;
    ptrdiff_t *partner; /* -1: none */
    bool *twice;        /* this element comes more than once here */
};

static struct side make_side(struct arena *a, const struct json *list)
{
    struct side s = { 0 };
    if (list != NULL && list->type == JSON_ARRAY) {
        s.items = list->u.items;
        s.count = list->count;
    }
    s.partner = arena_array(a, s.count, sizeof(*s.partner));
    s.twice = arena_array(a, s.count, sizeof(*s.twice));
    for (size_t i = 0; i < s.count; i++)
        s.partner[i] = -1;
    return s;
}

static void find_partners(struct arena *a, const struct typed *t, const struct json *live,
                          const struct json *config, struct side *l, struct side *r)
{
    struct typed_items left = typed_items(a, t, live);
    struct typed_items right = typed_items(a, t, config);
    size_t i = 0;
    size_t j = 0;
    while (i < left.count && j < right.count) {
        int c = field_element_compare(&left.at[i].element, &right.at[j].element);
        size_t m = c <= 0 ? typed_run(&left, i) : 0;
        size_t n = c >= 0 ? typed_run(&right, j) : 0;
        for (size_t k = 0; c == 0 && k < m; k++) {
            l->partner[left.at[i + k].index] = (ptrdiff_t)right.at[j].index;
            l->twice[left.at[i + k].index] = m > 1;
        }
        for (size_t k = 0; c == 0 && k < n; k++)
            r->partner[right.at[j + k].index] = (ptrdiff_t)left.at[i].index;
        i += m;
        j += n;
    }
}

/* The next item of r at or after at that l has too and that is not done. */
static size_t next_shared(const struct side *r, const bool *done, size_t at)
{
    while (at < r->count && (r->partner[at] < 0 || done[at]))
        at++;
    return at;
}

static struct json merged_item(struct arena *a, const struct typed *item, const struct side *l,
                               const struct side *r, size_t j)
{
    ptrdiff_t i = r->partner[j];
    const struct json *live = i < 0 || l->twice[i] ? NULL : &l->items[i];
    return merge(a, item, live, &r->items[j]);
}

/* Shared items stand in the configuration's order; live ones that it does not know keep their place
 * before the shared item that follows them, and new ones theirs after what they follow. */
static struct json merge_items(struct arena *a, const struct typed *t, const struct json *live,
                               const struct json *config)
{
    struct side l = make_side(a, live);
    struct side r = make_side(a, config);
    const struct typed item = typed_item(t);
    struct json *out = arena_array(a, l.count + r.count, sizeof(*out));
    bool *done = arena_array(a, r.count, sizeof(*done));
    size_t count = 0;
    size_t i = 0;
    size_t j = 0;
    find_partners(a, t, live, config, &l, &r);
    size_t next = next_shared(&r, done, 0);
    while (i < l.count || j < r.count) {
        ptrdiff_t partner = i < l.count ? l.partner[i] : -1;
        if (i < l.count && partner < 0) {
            out[count++] = l.items[i++];
            continue;
        }
        bool stands = i < l.count && done[partner];
        if (i < l.count && (stands || (size_t)partner != next)) {
            i++; /* it has its place, or will have, where the configuration wants it */
            if (!stands || next < r.count || j == r.count)
                continue;
        } else if (i < l.count && (size_t)partner == j) {
            i++;
        }
        out[count++] = merged_item(a, &item, &l, &r, j);
        done[j] = true;
        next = next_shared(&r, done, next);
        j++;
    }
    return json_array(out, count);
}

static struct json merge(struct arena *a, const struct typed *t, const struct json *live,
                         const struct json *config)
{
    if (config == NULL)
        return *live;
    if (live == NULL || t->shape == TYPED_LEAF || (is_empty(live) && is_empty(config)))
        return *config;
    if (is_empty(config))
        return *live; /* nothing is said about what is in it */
    if (t->shape == TYPED_STRUCT || t->shape == TYPED_MAP)
        return merge_members(a, t, live, config);
    return merge_items(a, t, live, config);
}

struct json typed_merge(struct arena *a, const struct schema *s, const struct json *live,
                        const struct json *config)
{
    const struct typed root = typed_root(s);
    return merge(a, &root, live, config);
}

/* ---- remove ---- */

static struct json without(struct arena *a, const struct typed *t, const struct json *j,
                           const struct field_set *set);

static struct json without_members(struct arena *a, const struct typed *t, const struct json *j,
                                   const struct field_set *set)
{
    struct json_member *out = arena_array(a, j->count, sizeof(*out));
    size_t count = 0;
    for (size_t i = 0; i < j->count; i++) {
        const struct json_member *m = &j->u.members[i];
        const struct field_element e = { .type = FIELD_NAME, .name = m->key };
        const struct field_node *n = field_set_find(set, &e);
        struct typed member;
        if (n != NULL && n->member)
            continue;
        out[count] = *m;
        if (n != NULL && typed_member(t, m->key, &member))
            out[count].value = without(a, &member, &m->value, &n->below);
        count++;
    }
    return count == 0 ? json_null : json_object(out, count);
}

static struct json without_items(struct arena *a, const struct typed *t, const struct json *j,
                                 const struct field_set *set)
{
    struct json *out = arena_array(a, j->count, sizeof(*out));
    const struct typed item = typed_item(t);
    size_t count = 0;
    for (size_t i = 0; i < j->count; i++) {
        struct field_element e;
        const struct field_node *n = NULL;
        if (typed_element(a, t, &j->u.items[i], &e, NULL) == 0)
            n = field_set_find(set, &e);
        if (n != NULL && n->member)
            continue;
        out[count++] = n == NULL ? j->u.items[i] : without(a, &item, &j->u.items[i], &n->below);
    }
    return count == 0 ? json_null : json_array(out, count);
}

static struct json without(struct arena *a, const struct typed *t, const struct json *j,
                           const struct field_set *set)
{
    if (set->count == 0 || is_empty(j) || t->shape == TYPED_LEAF)
        return *j;
    if (t->shape == TYPED_STRUCT || t->shape == TYPED_MAP)
        return without_members(a, t, j, set);
    return without_items(a, t, j, set);
}

struct json typed_remove(struct arena *a, const struct schema *s, const struct json *tree,
                         const struct field_set *set)
{
    const struct typed root = typed_root(s);
    struct json out = without(a, &root, tree, set);
    return out.type == JSON_OBJECT ? out : json_object(NULL, 0);
}
