/*
 * Kubernetes' strategic merge, objects: members, null, and the directives that stand in objects.
 *
 *   $patch: replace | delete      the object is replaced, or emptied
 *   $retainKeys: [...]            members not named are dropped first
 *   $setElementOrder/x: [...]     the order of list x after the merge
 *   $deleteFromPrimitiveList/x    values to take out of list x
 *
 * A directive works where both the object and the patch have the place. Where only the patch has
 * it, an object with $patch is left out and other directives stay, as upstream leaves them: the
 * strict decode after us names them, as it names fields the schema does not know, which merge as
 * untyped.
 *
 * Errors are upstream's in three classes: 400, what it answers 422 without a reason
 * (-ERR_INVALID), and what it did not think of (-ERR_INTERNAL).
 */
#include "api/patch/strategic.h"

#include "api/patch/edit.h"
#include "api/patch/patch.h"
#include "api/schema/quote.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Comparisons of one patch: bounds what two huge lists can cost, to about a tenth of a second of a
 * loop that others wait for. */
#define COMPARISONS_MAX 40000000u
/* Of a value in a message: the words after it have to fit too. */
#define SHOWN_BYTES_MAX 200

static const struct str directive_patch = STR("$patch");
static const struct str directive_retain = STR("$retainKeys");
static const struct str prefix_order = STR("$setElementOrder");
static const struct str prefix_delete = STR("$deleteFromPrimitiveList");

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

const char *strategic_show(struct strategic *c, const struct json *value)
{
    struct buf b;
    buf_init(&b);
    quote_write_value(&b, value);
    bool more = b.len > SHOWN_BYTES_MAX;
    const char *text = str_printf(c->arena, "%.*s%s", more ? SHOWN_BYTES_MAX : (int)b.len,
                                  (const char *)b.data, more ? " ..." : "")
                           .data;
    buf_deinit(&b);
    return text;
}

int strategic_unknown(struct strategic *c, const struct json *directive, const struct json *patch)
{
    return err_set(c->e, ERR_INTERNAL, "unknown patch type: %s in map: %s",
                   strategic_show(c, directive), strategic_show(c, patch));
}

bool strategic_plain(struct strategic *c, const struct json *value, bool nulls, struct json *out)
{
    if (value->type == JSON_ARRAY) {
        struct items list = { 0 };
        for (size_t i = 0; i < value->count; i++) {
            struct json item;
            if (strategic_plain(c, &value->u.items[i], nulls, &item))
                items_add(c, &list, item);
        }
        *out = json_array(list.at, list.count);
        return true;
    }
    *out = *value;
    if (value->type != JSON_OBJECT)
        return true;
    if (json_get(value, directive_patch) != NULL)
        return false;
    struct json_member *members = arena_array(c->arena, value->count, sizeof(*members));
    size_t count = 0;
    for (size_t i = 0; i < value->count; i++) {
        const struct json_member *m = &value->u.members[i];
        if (m->value.type == JSON_NULL && !nulls)
            continue;
        members[count].key = m->key;
        count += strategic_plain(c, &m->value, nulls, &members[count].value);
    }
    *out = json_object(members, count);
    return true;
}

/* ---- keys ---- */

/* The field that "$setElementOrder/x" speaks of. */
static int field_named(struct strategic *c, struct str key, struct str prefix, const char *what,
                       struct str *out)
{
    ptrdiff_t slash = str_find_char(key, '/', 0);
    if (slash != (ptrdiff_t)prefix.len)
        return err_set(c->e, ERR_INVALID_ARGUMENT, "invalid patch format of %s", what);
    *out = str_slice(key, prefix.len + 1, key.len);
    return 0;
}

static bool names(const struct json *list, struct str key)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->u.items[i].type == JSON_STRING && str_eq(json_str(&list->u.items[i]), key))
            return true;
    }
    return false;
}

static bool is_directive(struct str key)
{
    return str_eq(key, directive_retain) || str_starts(key, prefix_order) ||
           str_starts(key, prefix_delete);
}

static int retain_keys(struct strategic *c, const struct json *patch, struct json *out)
{
    const struct json *keys = json_get(patch, directive_retain);
    if (keys == NULL)
        return 0;
    bool fits = keys->type == JSON_ARRAY;
    int rc = fits ? strategic_count(c, (uint64_t)keys->count * (patch->count + out->count)) : 0;
    if (rc != 0)
        return rc;
    for (size_t i = 0; fits && i < patch->count; i++) {
        struct str key = patch->u.members[i].key;
        fits = is_directive(key) || patch->u.members[i].value.type == JSON_NULL || names(keys, key);
    }
    if (!fits)
        return err_set(c->e, ERR_INVALID_ARGUMENT, "invalid patch format of retainKeys");
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
    if (strategic_plain(c, value, false, &plain))
        edit_put(c->arena, out, key, plain);
    else
        (void)edit_drop(c->arena, out, key); /* nothing is left of it */
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

/* Both have the place, and the same type there. deletes: of $deleteFromPrimitiveList. */
static int merge_values(struct strategic *c, const struct schema_field *f, const struct json *old,
                        const struct json *patch, bool deletes, struct json *out)
{
    *out = *patch;
    if (patch->type == JSON_ARRAY)
        return merges_lists(f) || deletes ? strategic_list(c, f, old, patch, deletes, out) : 0;
    if (patch->type != JSON_OBJECT || (f != NULL && (f->flags & SCHEMA_PATCH_REPLACE) != 0))
        return 0;
    return f != NULL && f->card == SCHEMA_MAP
               ? merge_map_field(c, f, old, patch, out)
               : strategic_object(c, object_schema(f), old, patch, out);
}

static int merge_member(struct strategic *c, const struct schema *s, struct str key,
                        const struct json *patch, bool deletes, struct json *out)
{
    const struct json *old = json_get(out, key);
    struct json merged;
    if (patch->type == JSON_NULL) {
        (void)edit_drop(c->arena, out, key); /* absent already is fine */
        return 0;
    }
    if (old == NULL || old->type != patch->type) {
        if (!deletes)
            put_plain(c, out, key, patch);
        return 0;
    }
    int rc = merge_values(c, field_of(s, key), old, patch, deletes, &merged);
    if (rc == 0)
        edit_put(c->arena, out, key, merged);
    return rc;
}

/* ---- $setElementOrder ---- */

static int expect_list(struct strategic *c, const struct json *j)
{
    static const char *const types[] = { "%!s(<nil>)",
                                         "bool",
                                         "int64",
                                         "float64",
                                         "string",
                                         "[]interface {}",
                                         "map[string]interface {}" };
    if (j == NULL || j->type == JSON_ARRAY)
        return 0;
    return err_set(c->e, ERR_INTERNAL, "expected a []interface {}, but received a %s",
                   types[j->type]);
}

static int list_field(struct strategic *c, const struct schema *s, struct str key,
                      const struct schema_field **out)
{
    *out = field_of(s, key);
    if (*out == NULL)
        return err_set(c->e, ERR_INTERNAL,
                       "unable to find api field in struct %s for the json field \"%.*s\"",
                       s == NULL ? "" : s->name, STR_ARG(key));
    if ((*out)->card != SCHEMA_LIST)
        return err_set(c->e, ERR_INTERNAL, "%.*s: expected slice or array type", STR_ARG(key));
    return 0;
}

/* The list before it is put in order. */
static int unordered_list(struct strategic *c, const struct schema_field *f, const struct json *old,
                          const struct json *new, struct json *out)
{
    if (new == NULL) {
        *out = *old;
        return 0;
    }
    if (old != NULL)
        return merge_values(c, f, old, new, false, out);
    (void)strategic_plain(c, new, true, out); /* a list always stays */
    return 0;
}

/* $setElementOrder/x together with the patch's own x, which is then done. */
static int ordered_list(struct strategic *c, const struct schema *s, const struct json *patch,
                        const struct json_member *m, struct json *out)
{
    struct str key;
    const struct schema_field *f = NULL;
    struct json merged;
    struct json ordered;
    enum json_type type;
    int rc = expect_list(c, &m->value);
    rc = rc == 0 ? field_named(c, m->key, prefix_order, "setElementOrder list", &key) : rc;
    if (rc != 0)
        return rc;
    const struct json *old = json_get(out, key);
    const struct json *new = json_get(patch, key);
    rc = expect_list(c, old);
    rc = rc == 0 ? expect_list(c, new) : rc;
    rc = rc == 0 ? list_field(c, s, key, &f) : rc;
    if (rc == 0 && new != NULL)
        rc = strategic_check_order(c, f, new, &m->value);
    if (rc != 0 || (old == NULL && new == NULL))
        return rc;
    rc = unordered_list(c, f, old, new, &merged);
    rc = rc == 0 ? strategic_types(c, old, new, &type) : rc;
    if (rc == 0 && type == JSON_OBJECT && f->merge_key == NULL)
        rc = err_set(c->e, ERR_INTERNAL, "%.*s: items without a merge key have no order",
                     STR_ARG(key));
    rc = rc == 0 ? strategic_order(c, f, &merged, &m->value, old, &ordered) : rc;
    if (rc == 0)
        edit_put(c->arena, out, key, ordered);
    return rc;
}

/* Whether a $setElementOrder of the same patch took care of the list. */
static bool is_ordered(const struct json *patch, struct str key)
{
    for (size_t i = 0; i < patch->count; i++) {
        struct str name = patch->u.members[i].key;
        if (name.len == prefix_order.len + 1 + key.len && str_starts(name, prefix_order) &&
            str_eq(str_slice(name, prefix_order.len + 1, name.len), key))
            return true;
    }
    return false;
}

/* ---- the object ---- */

static int merge_one(struct strategic *c, const struct schema *s, const struct json *patch,
                     const struct json_member *m, struct json *out)
{
    struct str key;
    if (str_eq(m->key, directive_retain) || str_starts(m->key, prefix_order) ||
        is_ordered(patch, m->key))
        return 0;
    if (!str_starts(m->key, prefix_delete))
        return merge_member(c, s, m->key, &m->value, false, out);
    int rc = field_named(c, m->key, prefix_delete, "primitive list", &key);
    return rc == 0 ? merge_member(c, s, key, &m->value, true, out) : rc;
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
        int rc = merge_one(c, s, patch, &patch->u.members[i], out);
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
            return strategic_unknown(c, directive, patch);
        *out = *patch;
        (void)edit_drop(c->arena, out, directive_patch); /* it is there */
        out->owned = 0;
        return 0;
    }
    *out = *original;
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
    if (patch->type != JSON_OBJECT || object->type != JSON_OBJECT)
        return err_set(e, ERR_INVALID_ARGUMENT, "a strategic merge patch is an object");
    int rc = strategic_object(&c, s, object, patch, &root);
    if (rc != 0)
        return rc;
    *out = arena_copy(a, &root, sizeof(root));
    return 0;
}
