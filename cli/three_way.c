/*
 * See the header. One walk over what is applied now, with the two other trees beside it; it comes
 * to what upstream gets by comparing twice and merging the two patches.
 */
#include "cli/three_way.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/compose.h"

/* How deep upstream's servers and ours look. */
#define THREE_WAY_DEPTH_MAX SCHEMA_DEPTH_MAX

struct walk {
    struct arena *arena;
    struct err *e;
    int depth;
    bool plain; /* a JSON merge patch: a null of the configuration says nothing */
};

/* A place in the trees. before and live: NULL where there is nothing of the same type. */
struct place {
    const struct schema *schema; /* of the object; NULL: none is known */
    const struct json *before;
    const struct json *now;
    const struct json *live;
    bool retain_keys;
};

static int walk_object(struct walk *w, const struct place *p, struct compose_members *out);

static const struct json *of_type(const struct json *j, const struct json *like)
{
    return j != NULL && j->type == like->type ? j : NULL;
}

static void put(struct walk *w, struct compose_members *out, struct str key, struct json value)
{
    compose_put(w->arena, out, key, value);
}

static struct str directive(struct walk *w, const char *name, struct str field)
{
    return str_printf(w->arena, "%s/%.*s", name, STR_ARG(field));
}

struct items {
    struct json *at;
    size_t count;
};

static struct items items_for(struct walk *w, size_t count)
{
    return (struct items){ .at = arena_array(w->arena, count + 1, sizeof(struct json)) };
}

static struct json items_array(const struct items *l)
{
    return json_array(l->at, l->count);
}

/* ---- lists of objects ---- */

static const struct json *find_item(const struct json *list, const char *key,
                                    const struct json *value)
{
    for (size_t i = 0; list != NULL && i < list->count; i++)
        if (json_equal(json_get_c(&list->u.items[i], key), value))
            return &list->u.items[i];
    return NULL;
}

static int check_keys(struct walk *w, const struct json *list, const char *key)
{
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        if (json_get_c(&list->u.items[i], key) == NULL) {
            struct str text = compose_text(w->arena, &list->u.items[i]);
            return err_set(w->e, ERR_INVALID_ARGUMENT,
                           "map: %.*s does not contain declared merge key: %s", STR_ARG(text), key);
        }
    }
    return 0;
}

static bool same_order(const struct json *x, const struct json *y, const char *key)
{
    if (x->count != y->count)
        return false;
    for (size_t i = 0; i < x->count; i++)
        if (!json_equal(json_get_c(&x->u.items[i], key), json_get_c(&y->u.items[i], key)))
            return false;
    return true;
}

static struct json key_only(struct walk *w, const char *key, const struct json *value, bool dropped)
{
    static const struct str patch = STR("$patch");
    struct compose_members m = { 0 };
    if (dropped)
        put(w, &m, patch, json_string(str_lit("delete")));
    put(w, &m, str_from(key), *value);
    return compose_object(&m);
}

/* What one item becomes; nothing where it is as it should be. */
static int walk_item(struct walk *w, const struct place *p, const char *key, struct items *out)
{
    const struct json *value = json_get_c(p->now, key);
    struct compose_members m = { 0 };
    if (p->live == NULL) {
        out->at[out->count++] = *p->now;
        return 0;
    }
    int rc = walk_object(w, p, &m);
    if (rc == 0 && m.count > 0) {
        put(w, &m, str_from(key), *value);
        out->at[out->count++] = compose_object(&m);
    }
    return rc;
}

static int walk_keyed(struct walk *w, const struct place *p, const struct schema_field *f,
                      struct compose_members *out)
{
    const char *key = f->merge_key;
    size_t before_count = p->before != NULL ? p->before->count : 0;
    struct items items = items_for(w, p->now->count + before_count);
    int rc = check_keys(w, p->now, key);
    for (size_t i = 0; rc == 0 && i < p->now->count; i++) {
        const struct json *now = &p->now->u.items[i];
        const struct json *value = json_get_c(now, key);
        const struct place item = { .schema = f->message,
                                    .before = find_item(p->before, key, value),
                                    .now = now,
                                    .live = find_item(p->live, key, value),
                                    .retain_keys = p->retain_keys };
        rc = walk_item(w, &item, key, &items);
    }
    for (size_t i = 0; rc == 0 && i < before_count; i++) {
        const struct json *value = json_get_c(&p->before->u.items[i], key);
        if (value != NULL && find_item(p->now, key, value) == NULL)
            items.at[items.count++] = key_only(w, key, value, true);
    }
    if (rc != 0)
        return rc;
    if (items.count > 0)
        put(w, out, f->name, items_array(&items));
    if (p->now->count == 0 || (items.count == 0 && same_order(p->live, p->now, key)))
        return 0;
    struct items order = items_for(w, p->now->count);
    for (size_t i = 0; i < p->now->count; i++)
        order.at[order.count++] = key_only(w, key, json_get_c(&p->now->u.items[i], key), false);
    put(w, out, directive(w, "$setElementOrder", f->name), items_array(&order));
    return 0;
}

/* ---- sets of scalars ---- */

static bool has_value(const struct json *list, const struct json *value)
{
    for (size_t i = 0; list != NULL && i < list->count; i++)
        if (json_equal(&list->u.items[i], value))
            return true;
    return false;
}

static struct items values_missing(struct walk *w, const struct json *from, const struct json *in)
{
    struct items out = items_for(w, from != NULL ? from->count : 0);
    for (size_t i = 0; from != NULL && i < from->count; i++)
        if (!has_value(in, &from->u.items[i]))
            out.at[out.count++] = from->u.items[i];
    return out;
}

static void walk_set(struct walk *w, const struct place *p, const struct schema_field *f,
                     struct compose_members *out)
{
    struct items added = values_missing(w, p->now, p->live);
    struct items gone = values_missing(w, p->before, p->now);
    if (added.count > 0)
        put(w, out, f->name, items_array(&added));
    if (gone.count > 0)
        put(w, out, directive(w, "$deleteFromPrimitiveList", f->name), items_array(&gone));
    if (p->now->count > 0 && (gone.count > 0 || !json_equal(p->live, p->now)))
        put(w, out, directive(w, "$setElementOrder", f->name), *p->now);
}

/* ---- fields ---- */

/* In a schema's list that merges, both lists have items of the kind it says. */
static bool merges(const struct schema_field *f, const struct place *p)
{
    if (f == NULL || f->card != SCHEMA_LIST || (f->flags & SCHEMA_PATCH_MERGE) == 0)
        return false;
    for (size_t i = 0; f->merge_key != NULL && i < p->now->count; i++)
        if (p->now->u.items[i].type != JSON_OBJECT)
            return false;
    return true;
}

static int walk_list(struct walk *w, const struct place *p, const struct schema_field *f,
                     struct str key, struct compose_members *out)
{
    if (!merges(f, p)) {
        if (!json_equal(p->live, p->now))
            put(w, out, key, *p->now);
        return 0;
    }
    if (p->live->count == 0 && p->now->count > 0) {
        put(w, out, key, *p->now);
        return 0;
    }
    if (f->merge_key != NULL)
        return walk_keyed(w, p, f, out);
    walk_set(w, p, f, out);
    return 0;
}

static const struct schema *schema_below(const struct schema_field *f)
{
    bool object = f != NULL && f->message != NULL && f->message->form == SCHEMA_FORM_OBJECT;
    return object && f->card == SCHEMA_ONE ? f->message : NULL;
}

static int walk_field(struct walk *w, const struct place *p, const struct json_member *m,
                      struct compose_members *out)
{
    const struct schema_field *f = p->schema != NULL ? schema_find_field(p->schema, m->key) : NULL;
    const struct json *live = json_get(p->live, m->key);
    uint16_t flags = f != NULL ? f->flags : 0;
    const struct place below = { .schema = schema_below(f),
                                 .before = of_type(json_get(p->before, m->key), &m->value),
                                 .now = &m->value,
                                 .live = of_type(live, &m->value),
                                 .retain_keys = (flags & SCHEMA_RETAIN_KEYS) != 0 };
    struct compose_members inner = { 0 };
    int rc;
    if (w->plain && m->value.type == JSON_NULL)
        return 0;
    if (below.live == NULL) {
        put(w, out, m->key, w->plain ? compose_without_nulls(w->arena, &m->value) : m->value);
        return 0;
    }
    if (m->value.type == JSON_ARRAY && (flags & SCHEMA_PATCH_REPLACE) == 0)
        return walk_list(w, &below, f, m->key, out);
    if (m->value.type != JSON_OBJECT || (flags & SCHEMA_PATCH_REPLACE) != 0) {
        if (!json_equal(live, &m->value))
            put(w, out, m->key, m->value);
        return 0;
    }
    rc = walk_object(w, &below, &inner);
    if (rc == 0 && inner.count > 0)
        put(w, out, m->key, compose_object(&inner));
    return rc;
}

static int compare_strings(const void *x, const void *y)
{
    return str_cmp(json_str(x), json_str(y));
}

/* Of a union: the server drops the members that are not named. */
static void put_retain_keys(struct walk *w, const struct json *now, struct compose_members *out)
{
    struct items keys = items_for(w, now->count);
    for (size_t i = 0; i < now->count; i++)
        keys.at[keys.count++] = json_string(now->u.members[i].key);
    qsort(keys.at, keys.count, sizeof *keys.at, compare_strings);
    put(w, out, str_lit("$retainKeys"), items_array(&keys));
}

static int walk_object(struct walk *w, const struct place *p, struct compose_members *out)
{
    int rc = 0;
    if (++w->depth > THREE_WAY_DEPTH_MAX)
        return err_set(w->e, ERR_LIMIT, "the object nests deeper than %d", THREE_WAY_DEPTH_MAX);
    for (size_t i = 0; rc == 0 && i < p->now->count; i++)
        rc = walk_field(w, p, &p->now->u.members[i], out);
    for (size_t i = 0; rc == 0 && p->before != NULL && i < p->before->count; i++) {
        struct str key = p->before->u.members[i].key;
        if (json_get(p->now, key) == NULL)
            put(w, out, key, json_null);
    }
    if (rc == 0 && p->retain_keys && out->count > 0)
        put_retain_keys(w, p->now, out);
    w->depth--;
    return rc;
}

int three_way(struct arena *a, const struct schema *s, const struct json *before,
              const struct json *now, const struct json *live, struct json *out, struct err *e)
{
    struct walk w = { .arena = a, .e = e, .plain = s == NULL };
    struct compose_members m = { 0 };
    const struct place root = { .schema = s, .before = before, .now = now, .live = live };
    int rc = walk_object(&w, &root, &m);
    if (rc == 0)
        *out = compose_object(&m);
    return rc;
}

/* ---- the annotation ---- */

int last_applied_read(struct arena *a, const struct json *object, const struct json **out,
                      struct err *e)
{
    const struct json *annotations = json_get_c(json_get_c(object, "metadata"), "annotations");
    const struct json *text = json_get_c(annotations, LAST_APPLIED_ANNOTATION);
    *out = NULL;
    return text == NULL ? 0 : json_parse(a, json_str(text), out, e);
}

struct json last_applied_write(struct arena *a, const struct json *object)
{
    const struct json *metadata = json_get_c(object, "metadata");
    struct json plain =
        compose_with_in(a, metadata, "annotations", LAST_APPLIED_ANNOTATION, /* value */ NULL);
    struct json without = compose_with(a, object, "metadata", &plain);
    struct json sorted = compose_sorted(a, &without);
    struct str text = compose_text(a, &sorted);
    struct json annotation = json_string(str_printf(a, "%.*s\n", STR_ARG(text)));
    struct json with =
        compose_with_in(a, &plain, "annotations", LAST_APPLIED_ANNOTATION, &annotation);
    return compose_with(a, &without, "metadata", &with);
}
