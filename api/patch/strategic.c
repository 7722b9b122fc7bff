/*
 * Kubernetes' strategic merge, objects: members, null, and the directives that stand in objects.
 *
 *   $patch: replace | delete      the object is replaced, or emptied
 *   $retainKeys: [...]            members not named are dropped first
 *   $setElementOrder/x: [...]     the order of list x after the merge
 *   $deleteFromPrimitiveList/x    values to take out of list x
 *
 * Fields the schema does not know merge as untyped: the strict decode after us names them.
 */
#include "api/patch/strategic.h"

#include "api/patch/edit.h"
#include "api/patch/patch.h"
#include "base/arena.h"
#include "base/err.h"

/* Comparisons of one patch: bounds what two huge lists can cost, to some tenths of a second of a
 * loop that others wait for. */
#define COMPARISONS_MAX 10000000u

static const struct str directive_patch = STR("$patch");
static const struct str directive_retain = STR("$retainKeys");
static const struct str prefix_order = STR("$setElementOrder/");
static const struct str prefix_delete = STR("$deleteFromPrimitiveList/");

int strategic_count(struct strategic *c, uint64_t comparisons)
{
    c->comparisons += comparisons;
    if (c->comparisons > COMPARISONS_MAX)
        return err_set(c->e, ERR_TOO_LARGE, "the patch and the object are too large to merge");
    return 0;
}

void items_add(struct strategic *c, struct items *l, struct json value)
{
    l->at = arena_grow(c->arena, l->at, l->count, &l->capacity, sizeof(*l->at));
    l->at[l->count++] = value;
}

static bool is_directive(struct str key)
{
    return str_eq(key, directive_patch) || str_eq(key, directive_retain) ||
           str_starts(key, prefix_order) || str_starts(key, prefix_delete);
}

bool strategic_plain(struct strategic *c, const struct json *value, struct json *out)
{
    if (value->type == JSON_ARRAY) {
        struct items list = { 0 };
        for (size_t i = 0; i < value->count; i++) {
            struct json item;
            if (strategic_plain(c, &value->u.items[i], &item))
                items_add(c, &list, item);
        }
        *out = json_array(list.at, list.count);
        return true;
    }
    *out = *value;
    if (value->type != JSON_OBJECT)
        return true;
    if (str_eq_c(json_str(json_get(value, directive_patch)), "delete"))
        return false;
    struct json_member *members = arena_array(c->arena, value->count, sizeof(*members));
    size_t count = 0;
    for (size_t i = 0; i < value->count; i++) {
        const struct json_member *m = &value->u.members[i];
        if (is_directive(m->key) || m->value.type == JSON_NULL)
            continue;
        members[count].key = m->key;
        count += strategic_plain(c, &m->value, &members[count].value);
    }
    *out = json_object(members, count);
    return true;
}

/* ---- $retainKeys ---- */

static bool names(const struct json *list, struct str key)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->u.items[i].type == JSON_STRING && str_eq(json_str(&list->u.items[i]), key))
            return true;
    }
    return false;
}

static int retain_keys(struct strategic *c, const struct json *patch, struct json *out)
{
    const struct json *keys = json_get(patch, directive_retain);
    if (keys == NULL)
        return 0;
    if (keys->type != JSON_ARRAY)
        return err_set(c->e, ERR_INVALID_ARGUMENT, "$retainKeys: expected a list of strings");
    int rc = strategic_count(c, (uint64_t)keys->count * (patch->count + out->count));
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < patch->count; i++) {
        struct str key = patch->u.members[i].key;
        if (!is_directive(key) && patch->u.members[i].value.type != JSON_NULL && !names(keys, key))
            return err_set(c->e, ERR_INVALID_ARGUMENT,
                           "the $retainKeys list does not name the field %.*s of the patch",
                           STR_ARG(key));
    }
    struct json_member *kept = arena_array(c->arena, out->count, sizeof(*kept));
    size_t count = 0;
    for (size_t i = 0; i < out->count; i++) {
        if (names(keys, out->u.members[i].key))
            kept[count++] = out->u.members[i];
    }
    *out = json_object(kept, count);
    return 0;
}

/* ---- members ---- */

static const struct schema_field *field_of(const struct schema *s, struct str key)
{
    return s == NULL ? NULL : schema_find_field(s, key);
}

static const struct schema *object_schema(const struct schema_field *f)
{
    if (f == NULL || f->message == NULL || f->message->form != SCHEMA_FORM_OBJECT)
        return NULL;
    return f->message;
}

static bool merges_lists(const struct schema_field *f)
{
    return f != NULL && f->card == SCHEMA_LIST && (f->flags & SCHEMA_PATCH_MERGE) != 0;
}

static void put_plain(struct strategic *c, struct json *out, struct str key,
                      const struct json *value)
{
    struct json plain;
    if (strategic_plain(c, value, &plain))
        edit_put(c->arena, out, key, plain);
    else
        (void)edit_drop(c->arena, out, key); /* it deleted itself */
}

/* Entries of a map with messages behind them take the message's schema, the map itself none. */
static int merge_map_field(struct strategic *c, const struct schema_field *f,
                           const struct json *original, const struct json *patch, struct json *out)
{
    const struct json *directive = json_get(patch, directive_patch);
    if (directive != NULL || object_schema(f) == NULL)
        return strategic_object(c, NULL, original, patch, out);
    *out = *original;
    for (size_t i = 0; i < patch->count; i++) {
        const struct json_member *m = &patch->u.members[i];
        const struct json *old = json_get(out, m->key);
        int rc = strategic_count(c, out->count);
        if (rc != 0)
            return rc;
        if (m->value.type == JSON_NULL) {
            (void)edit_drop(c->arena, out, m->key); /* absent already is fine */
        } else if (m->value.type != JSON_OBJECT || old == NULL || old->type != JSON_OBJECT) {
            put_plain(c, out, m->key, &m->value);
        } else {
            struct json merged;
            rc = strategic_object(c, f->message, old, &m->value, &merged);
            if (rc != 0)
                return rc;
            edit_put(c->arena, out, m->key, merged);
        }
    }
    out->owned = 0;
    return 0;
}

static int merge_member(struct strategic *c, const struct schema_field *f, struct str key,
                        const struct json *old, const struct json *patch, struct json *out)
{
    struct json merged;
    int rc = 0;
    if (old == NULL || old->type != patch->type ||
        (f != NULL && (f->flags & SCHEMA_PATCH_REPLACE) != 0)) {
        put_plain(c, out, key, patch);
        return 0;
    }
    if (patch->type == JSON_OBJECT) {
        rc = f != NULL && f->card == SCHEMA_MAP
                 ? merge_map_field(c, f, old, patch, &merged)
                 : strategic_object(c, object_schema(f), old, patch, &merged);
    } else if (patch->type == JSON_ARRAY && merges_lists(f)) {
        rc = strategic_list(c, f, old, patch, &merged);
    } else {
        put_plain(c, out, key, patch);
        return 0;
    }
    if (rc == 0)
        edit_put(c->arena, out, key, merged);
    return rc;
}

static int delete_values(struct strategic *c, const struct json_member *m, struct json *out)
{
    struct str key = str_slice(m->key, prefix_delete.len, m->key.len);
    const struct json *old = json_get(out, key);
    struct json kept;
    if (m->value.type != JSON_ARRAY)
        return err_set(c->e, ERR_INVALID_ARGUMENT, "%.*s: expected a list", STR_ARG(m->key));
    if (old == NULL || old->type != JSON_ARRAY)
        return 0;
    int rc = strategic_delete_values(c, old, &m->value, &kept);
    if (rc == 0)
        edit_put(c->arena, out, key, kept);
    return rc;
}

/* $setElementOrder/x together with the patch's own x, which is then done. */
static int ordered_list(struct strategic *c, const struct schema *s, const struct json *patch,
                        const struct json_member *m, struct json *out)
{
    struct str key = str_slice(m->key, prefix_order.len, m->key.len);
    const struct schema_field *f = field_of(s, key);
    const struct json *old = json_get(out, key);
    const struct json *new = json_get(patch, key);
    struct json merged;
    struct json ordered;
    int rc = 0;
    if (m->value.type != JSON_ARRAY)
        return err_set(c->e, ERR_INVALID_ARGUMENT, "%.*s: expected a list", STR_ARG(m->key));
    if (!merges_lists(f))
        return err_set(c->e, ERR_INVALID_ARGUMENT, "%.*s: the field is no list that merges",
                       STR_ARG(m->key));
    old = old != NULL && old->type == JSON_ARRAY ? old : NULL;
    if (new != NULL &&new->type != JSON_ARRAY)
        return err_set(c->e, ERR_INVALID_ARGUMENT, "%.*s: expected a list", STR_ARG(key));
    if (old == NULL && new == NULL)
        return 0;
    if (new != NULL)
        rc = strategic_check_order(c, f, new, &m->value);
    if (rc == 0 && old == NULL)
        (void)strategic_plain(c, new, &merged); /* a list never deletes itself */
    else if (rc == 0 && new != NULL)
        rc = strategic_list(c, f, old, new, &merged);
    else if (rc == 0)
        merged = *old;
    if (rc == 0)
        rc = strategic_order(c, f, &merged, &m->value, old, &ordered);
    if (rc == 0)
        edit_put(c->arena, out, key, ordered);
    return rc;
}

/* Whether a $setElementOrder of the same patch took care of the list. */
static bool is_ordered(const struct json *patch, struct str key)
{
    for (size_t i = 0; i < patch->count; i++) {
        struct str name = patch->u.members[i].key;
        if (str_starts(name, prefix_order) &&
            str_eq(str_slice(name, prefix_order.len, name.len), key))
            return true;
    }
    return false;
}

static int merge_members(struct strategic *c, const struct schema *s, const struct json *patch,
                         struct json *out)
{
    for (size_t i = 0; i < patch->count; i++) {
        const struct json_member *m = &patch->u.members[i];
        int rc = strategic_count(c, out->count + patch->count);
        if (rc == 0 && str_starts(m->key, prefix_order))
            rc = ordered_list(c, s, patch, m, out);
        if (rc != 0)
            return rc;
    }
    for (size_t i = 0; i < patch->count; i++) {
        const struct json_member *m = &patch->u.members[i];
        int rc = 0;
        if (str_starts(m->key, prefix_delete))
            rc = delete_values(c, m, out);
        else if (is_directive(m->key))
            continue;
        else if (m->value.type == JSON_NULL)
            (void)edit_drop(c->arena, out, m->key); /* absent already is fine */
        else if (m->value.type != JSON_ARRAY || !is_ordered(patch, m->key))
            rc =
                merge_member(c, field_of(s, m->key), m->key, json_get(out, m->key), &m->value, out);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int strategic_object(struct strategic *c, const struct schema *s, const struct json *original,
                     const struct json *patch, struct json *out)
{
    const struct json *directive = json_get(patch, directive_patch);
    if (directive != NULL) {
        struct str word = json_str(directive);
        *out = json_object(NULL, 0);
        if (str_eq_c(word, "delete"))
            return 0;
        if (!str_eq_c(word, "replace"))
            return err_set(c->e, ERR_INVALID_ARGUMENT, "unknown patch type found: %.*s",
                           STR_ARG(word));
        (void)strategic_plain(c, patch, out); /* not "delete": never false */
        return 0;
    }
    *out = original != NULL && original->type == JSON_OBJECT ? *original : json_object(NULL, 0);
    int rc = retain_keys(c, patch, out);
    if (rc == 0)
        rc = merge_members(c, s, patch, out);
    out->owned = 0; /* done: nobody changes it in place any more */
    return rc;
}

int patch_strategic(struct arena *a, const struct schema *s, const struct json *object,
                    const struct json *patch, const struct json **out, struct err *e)
{
    struct strategic c = { .arena = a, .e = e };
    struct json root;
    if (patch->type != JSON_OBJECT)
        return err_set(e, ERR_INVALID_ARGUMENT, "a strategic merge patch is an object");
    int rc = strategic_object(&c, s, object, patch, &root);
    if (rc != 0)
        return rc;
    *out = arena_copy(a, &root, sizeof(root));
    return 0;
}
