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

/* What it costs to find one item in a list: each item's key is looked for, and compared. */
static uint64_t list_weight(const struct schema_field *f, const struct json *list)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct json *item = &list->u.items[i];
        const struct json *id = identity(f, item);
        sum += (id == NULL ? 1 : value_weight(id)) + (id == item ? 0 : item->count);
    }
    return sum;
}

static ptrdiff_t find(const struct schema_field *f, const struct json *items, size_t count,
                      const struct json *id)
{
    for (size_t i = 0; i < count && id != NULL; i++) {
        if (json_equal(identity(f, &items[i]), id))
            return (ptrdiff_t)i;
    }
    return -1;
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
                       const struct items *named, const struct json *live, struct items *out)
{
    size_t r = 0;
    size_t n = 0;
    while (r < rest->count && n < named->count) {
        ptrdiff_t left = find(f, live->u.items, live->count, identity(f, &rest->at[r]));
        ptrdiff_t right = find(f, live->u.items, live->count, identity(f, &named->at[n]));
        if (left >= 0 && right >= 0 && left < right)
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
static void take_in_order(struct strategic *c, const struct schema_field *f,
                          const struct json *merged, const struct json *order, bool *done,
                          struct items *out)
{
    for (size_t i = 0; i < order->count; i++) {
        const struct json *id = identity(f, &order->u.items[i]);
        for (size_t k = 0; k < merged->count; k++) {
            if (done[k] || !json_equal(identity(f, &merged->u.items[k]), id))
                continue;
            items_add(c, out, merged->u.items[k]);
            done[k] = true;
        }
    }
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
    uint64_t weight = list_weight(f, merged) + list_weight(f, order) + list_weight(f, live);
    uint64_t work = weight * ((uint64_t)merged->count + order->count + live->count);
    int rc = strategic_count(c, work);
    rc = rc == 0 ? check_keys(c, f, merged) : rc;
    rc = rc == 0 ? check_keys(c, f, order) : rc;
    rc = rc == 0 ? check_keys(c, f, live) : rc;
    if (rc != 0)
        return rc;
    take_in_order(c, f, merged, order, done, &named);
    take_in_order(c, f, merged, live, done, &rest);
    take_in_order(c, f, merged, merged, done, &rest);
    interleave(c, f, &rest, &named, live, &all);
    *out = json_array(all.at, all.count);
    return 0;
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

static void delete_values(struct strategic *c, const struct json *original,
                          const struct json *patch, struct json *out)
{
    static const struct schema_field plain = { .card = SCHEMA_LIST };
    struct items kept = { 0 };
    for (size_t i = 0; i < original->count; i++) {
        if (find(&plain, patch->u.items, patch->count, &original->u.items[i]) < 0)
            items_add(c, &kept, original->u.items[i]);
    }
    *out = json_array(kept.at, kept.count);
}

static void merge_values(struct strategic *c, const struct schema_field *f,
                         const struct json *original, const struct json *patch, struct items *out)
{
    for (size_t i = 0; i < original->count; i++) {
        if (find(f, out->at, out->count, &original->u.items[i]) < 0)
            items_add(c, out, original->u.items[i]);
    }
    for (size_t i = 0; i < patch->count; i++) {
        if (find(f, out->at, out->count, &patch->u.items[i]) < 0)
            items_add(c, out, patch->u.items[i]);
    }
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
        for (ptrdiff_t at = find(f, live->at, live->count, id); at >= 0;
             at = find(f, live->at, live->count, id))
            erase(live, (size_t)at);
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
        ptrdiff_t at = find(f, live->at, live->count, id);
        if (at < 0) {
            items_add(c, live, plain->at[i]);
            continue;
        }
        int rc = strategic_object(c, s, &live->at[at], &plain->at[i], &merged);
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
    static const struct schema_field unknown = { .card = SCHEMA_LIST };
    const struct schema_field *known = f == NULL ? &unknown : f;
    uint64_t both = (uint64_t)original->count + patch->count;
    int rc = strategic_count(c, both * (list_weight(known, original) + list_weight(known, patch)));
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
    if (deletes) {
        delete_values(c, original, patch, out);
        return 0;
    }
    struct items values = { 0 };
    merge_values(c, f, original, patch, &values);
    struct json merged = json_array(values.at, values.count);
    return strategic_order(c, f, &merged, patch, original, out);
}
