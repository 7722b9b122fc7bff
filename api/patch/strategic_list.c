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

static ptrdiff_t find(const struct schema_field *f, const struct json *items, size_t count,
                      const struct json *id)
{
    for (size_t i = 0; i < count && id != NULL; i++) {
        if (json_equal(identity(f, &items[i]), id))
            return (ptrdiff_t)i;
    }
    return -1;
}

static int no_merge_key(struct strategic *c, const struct schema_field *f)
{
    return err_set(c->e, ERR_INVALID_ARGUMENT,
                   "map: an item of %.*s does not contain declared merge key: %s", STR_ARG(f->name),
                   f->merge_key);
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

int strategic_order(struct strategic *c, const struct schema_field *f, const struct json *merged,
                    const struct json *order, const struct json *original, struct json *out)
{
    static const struct json nothing = { .type = JSON_ARRAY };
    const struct json *live = original == NULL ? &nothing : original;
    struct items named = { 0 };
    struct items rest = { 0 };
    struct items all = { 0 };
    uint64_t work = (uint64_t)merged->count * (2 * order->count + 2 * live->count);
    int rc = strategic_count(c, work);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < order->count; i++) {
        const struct json *id = identity(f, &order->u.items[i]);
        if (id == NULL)
            return no_merge_key(c, f);
        ptrdiff_t at = find(f, merged->u.items, merged->count, id);
        if (at >= 0 && find(f, named.at, named.count, id) < 0)
            items_add(c, &named, merged->u.items[at]);
    }
    for (size_t i = 0; i < merged->count; i++) {
        const struct json *id = identity(f, &merged->u.items[i]);
        if (find(f, order->u.items, order->count, id) < 0)
            items_add(c, &rest, merged->u.items[i]);
    }
    interleave(c, f, &rest, &named, live, &all);
    *out = json_array(all.at, all.count);
    return 0;
}

static bool deletes(const struct json *item)
{
    return item->type == JSON_OBJECT && str_eq_c(json_str(json_get_c(item, "$patch")), "delete");
}

int strategic_check_order(struct strategic *c, const struct schema_field *f,
                          const struct json *patch, const struct json *order)
{
    size_t at = 0;
    int rc = strategic_count(c, (uint64_t)patch->count + order->count);
    for (size_t i = 0; i < patch->count && rc == 0; i++) {
        const struct json *item = &patch->u.items[i];
        if (deletes(item) || (item->type == JSON_OBJECT && json_get_c(item, "$patch") != NULL))
            continue;
        const struct json *id = identity(f, item);
        if (id == NULL)
            return no_merge_key(c, f);
        while (at < order->count && !json_equal(identity(f, &order->u.items[at]), id))
            at++;
        if (at == order->count)
            return err_set(c->e, ERR_INVALID_ARGUMENT,
                           "The order in patch list doesn't match $setElementOrder list of %.*s",
                           STR_ARG(f->name));
    }
    return rc;
}

/* ---- primitives ---- */

int strategic_delete_values(struct strategic *c, const struct json *original,
                            const struct json *patch, struct json *out)
{
    static const struct schema_field plain = { .card = SCHEMA_LIST };
    struct items kept = { 0 };
    int rc = strategic_count(c, (uint64_t)original->count * patch->count);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < original->count; i++) {
        if (find(&plain, patch->u.items, patch->count, &original->u.items[i]) < 0)
            items_add(c, &kept, original->u.items[i]);
    }
    *out = json_array(kept.at, kept.count);
    return 0;
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
        if (item->type != JSON_OBJECT)
            return err_set(c->e, ERR_INVALID_ARGUMENT, "%.*s: expected objects", STR_ARG(f->name));
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
            return err_set(c->e, ERR_INVALID_ARGUMENT,
                           "merging lists cannot yet be specified in the patch");
        if (!str_eq_c(word, "delete"))
            return err_set(c->e, ERR_INVALID_ARGUMENT, "unknown patch type found: %.*s",
                           STR_ARG(word));
        if (id == NULL)
            return no_merge_key(c, f);
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
            return no_merge_key(c, f);
        ptrdiff_t at = find(f, live->at, live->count, id);
        if (at < 0) {
            if (strategic_plain(c, &plain->at[i], &merged))
                items_add(c, live, merged);
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
    if (rc != 0)
        return rc;
    struct json named = json_array(plain.at, plain.count);
    if (replace) {
        (void)strategic_plain(c, &named, out); /* a list never deletes itself */
        return 0;
    }
    rc = merge_items(c, f, &plain, &live);
    if (rc != 0)
        return rc;
    struct json merged = json_array(live.at, live.count);
    return strategic_order(c, f, &merged, &named, original, out);
}

int strategic_list(struct strategic *c, const struct schema_field *f, const struct json *original,
                   const struct json *patch, struct json *out)
{
    uint64_t both = original->count + patch->count;
    int rc = strategic_count(c, both * both);
    if (rc != 0)
        return rc;
    if (f->merge_key != NULL)
        return merge_objects(c, f, original, patch, out);
    struct items values = { 0 };
    merge_values(c, f, original, patch, &values);
    struct json merged = json_array(values.at, values.count);
    return strategic_order(c, f, &merged, patch, original, out);
}
