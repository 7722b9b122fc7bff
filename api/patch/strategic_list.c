/*
 * Kubernetes' strategic merge, lists: objects by merge key, primitives as sets, and their order.
 *
 * Order: items that the patch (or $setElementOrder) names stand in its order; the others keep
 * their order of the live list and are placed before the first named item that follows them there.
 */
#include <string.h>

#include "api/patch/edit.h"
#include "api/patch/strategic.h"
#include "base/arena.h"
#include "base/err.h"

/* What tells items of a list apart: the merge key's value, or the item itself. */
static const struct json *identity(const struct schema_field *f, const struct json *item)
{
    return f->merge_key == NULL ? item : json_get_c(item, f->merge_key);
}

/* Of a text, so many bytes are compared in the time of one comparison. */
#define BYTES_PER_COMPARISON 32

/* What it costs at most to compare a value with another. */
static uint64_t value_weight(const struct json *value)
{
    uint64_t sum = 1;
    if (value->type == JSON_STRING)
        return sum + value->count / BYTES_PER_COMPARISON;
    for (size_t i = 0; value->type == JSON_ARRAY && i < value->count; i++)
        sum += value_weight(&value->u.items[i]);
    for (size_t i = 0; value->type == JSON_OBJECT && i < value->count; i++)
        sum += value_weight(&value->u.members[i].value) +
               value->u.members[i].key.len / BYTES_PER_COMPARISON;
    return sum;
}

/* The same of an item's key, which is looked for among its members. */
static uint64_t item_weight(const struct schema_field *f, const struct json *item)
{
    const struct json *id = identity(f, item);
    return (id == NULL ? 1 : value_weight(id)) + (id == item ? 0 : item->count);
}

/* -1 too when that was too much work: whoever looks in a loop asks strategic_count. */
static ptrdiff_t find(struct strategic *c, const struct schema_field *f, const struct json *items,
                      size_t count, const struct json *id)
{
    for (size_t i = 0; i < count && id != NULL; i++) {
        if (strategic_count(c, item_weight(f, &items[i])) != 0)
            return -1;
        if (json_equal(identity(f, &items[i]), id))
            return (ptrdiff_t)i;
    }
    return -1;
}

/* ---- an index of a list ---- */

#define NOWHERE UINT32_MAX

/* Where the items of a list are that have one key: in chains, each in the list's order. */
struct places {
    const struct json *items;
    uint32_t *heads;
    uint32_t *next; /* of an item: the one after it in its chain */
    uint64_t mask;
};

/* What is equal has the same: 1 and 1.0 too. */
static uint64_t value_hash(const struct json *value)
{
    if (value->type == JSON_STRING)
        return str_hash(json_str(value));
    if (value->type != JSON_INT && value->type != JSON_DOUBLE)
        return value->type;
    double number = value->type == JSON_INT ? (double)value->u.integer : value->u.number;
    number = number == 0 ? 0 : number; /* without the sign */
    return str_hash((struct str){ (const char *)&number, sizeof(number) });
}

/* Every item has a key. */
static int places_of(struct strategic *c, const struct schema_field *f, const struct json *list,
                     struct places *out)
{
    size_t heads = 1;
    while (heads < list->count)
        heads *= 2;
    *out = (struct places){ .items = list->u.items, .mask = heads - 1 };
    out->heads = arena_array(c->arena, heads, sizeof(*out->heads));
    out->next = arena_array(c->arena, list->count, sizeof(*out->next));
    for (size_t i = 0; i < heads; i++)
        out->heads[i] = NOWHERE;
    for (size_t i = list->count; i > 0; i--) {
        const struct json *item = &list->u.items[i - 1];
        int rc = strategic_count(c, item_weight(f, item));
        if (rc != 0)
            return rc;
        uint32_t *head = &out->heads[value_hash(identity(f, item)) & out->mask];
        out->next[i - 1] = *head;
        *head = (uint32_t)(i - 1);
    }
    return 0;
}

/* The first place from this one on in the chain that has the key; NOWHERE also after too much
 * work. */
static uint32_t place_from(struct strategic *c, const struct schema_field *f,
                           const struct places *p, uint32_t at, const struct json *id)
{
    for (; at != NOWHERE; at = p->next[at]) {
        if (strategic_count(c, item_weight(f, &p->items[at])) != 0)
            return NOWHERE;
        if (json_equal(identity(f, &p->items[at]), id))
            return at;
    }
    return NOWHERE;
}

static uint32_t place_of(struct strategic *c, const struct schema_field *f, const struct places *p,
                         const struct json *id)
{
    return place_from(c, f, p, p->heads[value_hash(id) & p->mask], id);
}

static int no_merge_key(struct strategic *c, const struct schema_field *f, const struct json *item)
{
    return err_set(c->e, ERR_INTERNAL, "map: %s does not contain declared merge key: %s",
                   strategic_show(c, item), f->merge_key);
}

int strategic_types(struct strategic *c, const struct json *x, const struct json *y,
                    enum json_type *out)
{
    const struct json *lists[] = { x, y };
    bool found = false;
    for (size_t l = 0; l < 2; l++) {
        for (size_t i = 0; lists[l] != NULL && i < lists[l]->count; i++) {
            enum json_type type = lists[l]->u.items[i].type;
            if (!found && type == JSON_ARRAY)
                return err_set(c->e, ERR_INVALID, "lists of lists are not supported");
            if ((found && type != *out) || type == JSON_NULL)
                return err_set(c->e, ERR_INTERNAL, "list element types are not identical: [%s %s]",
                               strategic_show(c, x == NULL ? y : x),
                               strategic_show(c, x == NULL || y == NULL ? &json_null : y));
            found = true;
            *out = type;
        }
    }
    return found ? 0 : err_set(c->e, ERR_INTERNAL, "no elements in any of the given slices");
}

/* ---- order ---- */

/* Two runs, each in its own order, into one; the live order decides between heads. */
static void interleave(struct strategic *c, const struct schema_field *f, const struct items *rest,
                       const struct items *named, const struct places *live, struct items *out)
{
    size_t r = 0;
    size_t n = 0;
    while (r < rest->count && n < named->count) {
        uint32_t left = place_of(c, f, live, identity(f, &rest->at[r]));
        uint32_t right = place_of(c, f, live, identity(f, &named->at[n]));
        if (left != NOWHERE && right != NOWHERE && left < right)
            items_add(c, out, rest->at[r++]);
        else
            items_add(c, out, named->at[n++]);
    }
    while (n < named->count)
        items_add(c, out, named->at[n++]);
    while (r < rest->count)
        items_add(c, out, rest->at[r++]);
}

/* Every item needs what tells it apart. */
static int check_keys(struct strategic *c, const struct schema_field *f, const struct json *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (identity(f, &list->u.items[i]) == NULL)
            return no_merge_key(c, f, &list->u.items[i]);
    }
    return 0;
}

/* Moves items of merged that are not done and that order names into out, in its order; those of the
 * same key stand together, at the first one's place. */
static int take_in_order(struct strategic *c, const struct schema_field *f,
                         const struct places *merged, const struct json *order, bool *done,
                         struct items *out)
{
    int rc = 0;
    for (size_t i = 0; i < order->count && rc == 0; i++) {
        const struct json *id = identity(f, &order->u.items[i]);
        for (uint32_t at = place_of(c, f, merged, id); at != NOWHERE;
             at = place_from(c, f, merged, merged->next[at], id)) {
            if (!done[at])
                items_add(c, out, merged->items[at]);
            done[at] = true;
        }
        rc = strategic_count(c, item_weight(f, &order->u.items[i]));
    }
    return rc;
}

int strategic_order(struct strategic *c, const struct schema_field *f, const struct json *merged,
                    const struct json *order, const struct json *original, struct json *out)
{
    static const struct json nothing = { .type = JSON_ARRAY };
    const struct json *live = original == NULL ? &nothing : original;
    struct items named = { 0 };
    struct items rest = { 0 };
    struct items all = { 0 };
    bool *done = arena_array(c->arena, merged->count, sizeof(*done));
    struct places in_merged;
    struct places in_live;
    int rc = check_keys(c, f, merged);
    rc = rc == 0 ? check_keys(c, f, order) : rc;
    rc = rc == 0 ? check_keys(c, f, live) : rc;
    rc = rc == 0 ? places_of(c, f, merged, &in_merged) : rc;
    rc = rc == 0 ? places_of(c, f, live, &in_live) : rc;
    rc = rc == 0 ? take_in_order(c, f, &in_merged, order, done, &named) : rc;
    rc = rc == 0 ? take_in_order(c, f, &in_merged, live, done, &rest) : rc;
    rc = rc == 0 ? take_in_order(c, f, &in_merged, merged, done, &rest) : rc;
    if (rc != 0)
        return rc;
    interleave(c, f, &rest, &named, &in_live, &all);
    *out = json_array(all.at, all.count);
    return strategic_count(c, 0);
}

/* Items with $patch have no place in an order; of primitives none has it. */
static bool has_directive(const struct json *item)
{
    return json_get_c(item, "$patch") != NULL;
}

static int out_of_order(struct strategic *c, const struct json *patch, const struct json *order)
{
    return err_set(c->e, ERR_INTERNAL,
                   "The order in patch list:\n%s\n doesn't match $setElementOrder list:\n%s\n",
                   strategic_show(c, patch), strategic_show(c, order));
}

int strategic_check_order(struct strategic *c, const struct schema_field *f,
                          const struct json *patch, const struct json *order)
{
    size_t at = 0;
    int rc = strategic_count(c, (uint64_t)patch->count + order->count);
    if (order->count == 0)
        return rc;
    for (size_t i = 0; i < patch->count && rc == 0; i++) {
        const struct json *item = &patch->u.items[i];
        if (has_directive(item))
            continue;
        for (bool found = false; !found; at++) {
            if (at == order->count)
                return out_of_order(c, patch, order);
            const struct json *id = identity(f, item);
            const struct json *named = identity(f, &order->u.items[at]);
            if (id == NULL || named == NULL)
                return no_merge_key(c, f, id == NULL ? item : &order->u.items[at]);
            found = json_equal(named, id);
        }
    }
    return rc;
}

/* ---- primitives ---- */

static int delete_values(struct strategic *c, const struct json *original, const struct json *patch,
                         struct json *out)
{
    static const struct schema_field plain = { .card = SCHEMA_LIST };
    struct items kept = { 0 };
    for (size_t i = 0; i < original->count; i++) {
        if (find(c, &plain, patch->u.items, patch->count, &original->u.items[i]) < 0)
            items_add(c, &kept, original->u.items[i]);
        int rc = strategic_count(c, 1);
        if (rc != 0)
            return rc;
    }
    *out = json_array(kept.at, kept.count);
    return 0;
}

/* Adds what is not there yet. */
static int add_values(struct strategic *c, const struct schema_field *f, const struct json *list,
                      struct items *out)
{
    int rc = 0;
    for (size_t i = 0; i < list->count && rc == 0; i++) {
        if (find(c, f, out->at, out->count, &list->u.items[i]) < 0)
            items_add(c, out, list->u.items[i]);
        rc = strategic_count(c, 1);
    }
    return rc;
}

/* ---- objects ---- */

static void erase(struct items *l, size_t at)
{
    l->count--;
    memmove(l->at + at, l->at + at + 1, (l->count - at) * sizeof(*l->at));
}

/* Takes "$patch" items out of the patch: deletions are done at once, replace is reported. */
static int special_items(struct strategic *c, const struct schema_field *f,
                         const struct json *patch, struct items *live, struct items *plain,
                         bool *replace)
{
    for (size_t i = 0; i < patch->count; i++) {
        const struct json *item = &patch->u.items[i];
        const struct json *directive = json_get_c(item, "$patch");
        const struct json *id = identity(f, item);
        if (directive == NULL) {
            items_add(c, plain, *item);
            continue;
        }
        struct str word = json_str(directive);
        if (str_eq_c(word, "replace")) {
            *replace = true;
            continue;
        }
        if (str_eq_c(word, "merge"))
            return err_set(c->e, ERR_INTERNAL,
                           "merging lists cannot yet be specified in the patch");
        if (!str_eq_c(word, "delete"))
            return strategic_unknown(c, directive, item);
        if (id == NULL)
            return no_merge_key(c, f, item);
        for (ptrdiff_t at = find(c, f, live->at, live->count, id); at >= 0;
             at = find(c, f, live->at, live->count, id)) {
            (void)strategic_count(c, live->count - (size_t)at); /* what follows is moved */
            erase(live, (size_t)at);
        }
        int rc = strategic_count(c, 1);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int merge_items(struct strategic *c, const struct schema_field *f, const struct items *plain,
                       struct items *live)
{
    const struct schema *s =
        f->message != NULL && f->message->form == SCHEMA_FORM_OBJECT ? f->message : NULL;
    for (size_t i = 0; i < plain->count; i++) {
        struct json merged;
        const struct json *id = identity(f, &plain->at[i]);
        if (id == NULL)
            return no_merge_key(c, f, &plain->at[i]);
        ptrdiff_t at = find(c, f, live->at, live->count, id);
        int rc = strategic_count(c, 1);
        if (rc != 0)
            return rc;
        if (at < 0) {
            items_add(c, live, plain->at[i]);
            continue;
        }
        rc = strategic_object(c, s, &live->at[at], &plain->at[i], &merged);
        if (rc != 0)
            return rc;
        live->at[at] = merged;
    }
    return 0;
}

static int merge_objects(struct strategic *c, const struct schema_field *f,
                         const struct json *original, const struct json *patch, struct json *out)
{
    struct items live = { 0 };
    struct items plain = { 0 };
    bool replace = false;
    for (size_t i = 0; i < original->count; i++)
        items_add(c, &live, original->u.items[i]);
    int rc = special_items(c, f, patch, &live, &plain, &replace);
    if (rc == 0 && replace) {
        live = plain;
        plain = (struct items){ 0 };
    }
    /* The order of what is live, before anything is added to it. */
    struct json *before = arena_copy(c->arena, live.at, live.count * sizeof(*live.at));
    struct json now = json_array(before, live.count);
    rc = rc == 0 ? merge_items(c, f, &plain, &live) : rc;
    if (rc != 0)
        return rc;
    struct json merged = json_array(live.at, live.count);
    struct json named = json_array(plain.at, plain.count);
    return strategic_order(c, f, &merged, &named, &now, out);
}

int strategic_list(struct strategic *c, const struct schema_field *f, const struct json *original,
                   const struct json *patch, bool deletes, struct json *out)
{
    enum json_type type = JSON_NULL;
    uint64_t both = (uint64_t)original->count + patch->count;
    int rc = strategic_count(c, both);
    if (rc == 0 && both == 0)
        *out = *original;
    if (rc != 0 || both == 0)
        return rc;
    rc = strategic_types(c, original, patch, &type);
    if (rc != 0)
        return rc;
    if (type == JSON_OBJECT && (f == NULL || f->merge_key == NULL))
        return err_set(c->e, ERR_INTERNAL, "cannot merge lists without merge key for struct");
    if (type == JSON_OBJECT)
        return merge_objects(c, f, original, patch, out);
    if (deletes)
        return delete_values(c, original, patch, out);
    struct items values = { 0 };
    rc = add_values(c, f, original, &values);
    rc = rc == 0 ? add_values(c, f, patch, &values) : rc;
    if (rc != 0)
        return rc;
    struct json merged = json_array(values.at, values.count);
    return strategic_order(c, f, &merged, patch, original, out);
}
