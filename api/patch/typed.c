/* Types of places, and what every walk needs of containers: members and items side by side. */
#include "api/patch/typed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

/* ---- shapes ---- */

static struct typed of_message(const struct schema_field *f, const struct schema *s, bool item)
{
    bool whole = s == NULL || s->form != SCHEMA_FORM_OBJECT || s->atomic;
    struct typed t = {
        .shape = whole ? TYPED_LEAF : TYPED_STRUCT, .message = s, .field = f, .item = item
    };
    return t;
}

struct typed typed_of_field(const struct schema_field *f)
{
    struct typed t = { .field = f };
    if (f->card == SCHEMA_ONE) {
        t = of_message(f, f->message, false);
        t.shape = (f->flags & SCHEMA_ATOMIC) != 0 ? TYPED_LEAF : t.shape;
    } else if (f->card == SCHEMA_MAP) {
        t.shape = (f->flags & SCHEMA_ATOMIC) != 0 ? TYPED_LEAF : TYPED_MAP;
    } else if (f->list_type == SCHEMA_LIST_SET) {
        t.shape = TYPED_SET;
    } else if (f->list_type == SCHEMA_LIST_MAP) {
        t.shape = TYPED_KEYED;
    }
    return t;
}

struct typed typed_root(const struct schema *s)
{
    return of_message(NULL, s, false);
}

struct typed typed_item(const struct typed *t)
{
    return of_message(t->field, t->field->message, true);
}

bool typed_member(const struct typed *t, struct str name, struct typed *out)
{
    if (t->shape == TYPED_MAP) {
        *out = typed_item(t);
        return true;
    }
    const struct schema_field *f = schema_find_field(t->message, name);
    if (f == NULL)
        return false;
    *out = typed_of_field(f);
    return true;
}

bool typed_declared(const struct typed *t, struct str name)
{
    return t->shape == TYPED_STRUCT && schema_find_field(t->message, name) != NULL;
}

/* ---- members ---- */

static int compare_members(const void *x, const void *y)
{
    const struct json_member *const *a = x;
    const struct json_member *const *b = y;
    int c = str_cmp((*a)->key, (*b)->key);
    return c != 0 ? c : (*a > *b) - (*a < *b);
}

struct typed_members typed_members(struct arena *a, const struct json *object)
{
    struct typed_members out = { 0 };
    if (object == NULL || object->type != JSON_OBJECT)
        return out;
    out.at = arena_array(a, object->count, sizeof(*out.at));
    for (size_t i = 0; i < object->count; i++)
        out.at[i] = &object->u.members[i];
    qsort(out.at, object->count, sizeof(*out.at), compare_members);
    for (size_t i = 0; i < object->count; i++) {
        if (i + 1 == object->count || !str_eq(out.at[i]->key, out.at[i + 1]->key))
            out.at[out.count++] = out.at[i];
    }
    return out;
}

struct typed_pair typed_pair(struct arena *a, const struct json *left, const struct json *right)
{
    return (struct typed_pair){ .left = typed_members(a, left), .right = typed_members(a, right) };
}

bool typed_pair_next(struct typed_pair *p)
{
    const struct json_member *l = p->i < p->left.count ? p->left.at[p->i] : NULL;
    const struct json_member *r = p->j < p->right.count ? p->right.at[p->j] : NULL;
    if (l == NULL && r == NULL)
        return false;
    int c = l == NULL ? 1 : r == NULL ? -1 : str_cmp(l->key, r->key);
    p->key = c <= 0 ? l->key : r->key;
    p->left_value = c <= 0 ? &l->value : NULL;
    p->right_value = c >= 0 ? &r->value : NULL;
    p->i += c <= 0 ? 1 : 0;
    p->j += c >= 0 ? 1 : 0;
    return true;
}

/* ---- items ---- */

/* A field that JSON always shows has its type's empty value as its default, as in OpenAPI. */
static const char *default_text(const struct schema_field *f)
{
    if (f->default_value != NULL)
        return f->default_value;
    if ((f->flags & SCHEMA_ALWAYS) == 0 || f->card != SCHEMA_ONE || f->message != NULL)
        return NULL;
    return f->type == SCHEMA_STRING ? "\"\"" : f->type == SCHEMA_BOOL ? "false" : "0";
}

/* A key that an item leaves out has its field's default. */
bool typed_default_key(struct arena *a, const struct schema *s, const char *name, struct json *out)
{
    const struct schema_field *f = schema_find_field(s, str_from(name));
    const char *text = f == NULL ? NULL : default_text(f);
    const struct json *j = NULL;
    if (text == NULL || json_parse(a, str_from(text), &j, NULL) != 0)
        return false;
    *out = *j;
    return true;
}

static int compare_keys(const void *x, const void *y)
{
    const struct json_member *a = x;
    const struct json_member *b = y;
    return str_cmp(a->key, b->key);
}

static int no_keys(const struct typed *t, struct err *e)
{
    char names[200] = "";
    for (const char *const *k = t->field->list_keys; *k != NULL; k++) {
        size_t len = strlen(names);
        (void)snprintf(names + len, sizeof(names) - len, "%s\"%s\"", len > 0 ? " " : "", *k);
    }
    return err_set(e, ERR_INVALID_ARGUMENT,
                   "associative list with keys has an element that omits all key fields [%s] (and "
                   "doesn't have default values for any key fields)",
                   names);
}

static int keyed_element(struct arena *a, const struct typed *t, const struct json *item,
                         struct field_element *out, struct err *e)
{
    struct json_member keys[FIELD_KEYS_MAX];
    size_t count = 0;
    if (item->type != JSON_OBJECT)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       item->type == JSON_NULL
                           ? "associative list with keys may not have a null element"
                           : "associative list with keys may not have non-map elements");
    for (const char *const *k = t->field->list_keys; *k != NULL && count < FIELD_KEYS_MAX; k++) {
        const struct json *value = json_get_c(item, *k);
        keys[count].key = str_from(*k);
        if (value != NULL && value->type >= JSON_ARRAY)
            return err_set(e, ERR_INVALID_ARGUMENT, "key %s is no scalar", *k);
        if (value != NULL)
            keys[count++].value = *value;
        else if (typed_default_key(a, t->field->message, *k, &keys[count].value))
            count++;
    }
    if (count == 0)
        return no_keys(t, e);
    qsort(keys, count, sizeof(keys[0]), compare_keys);
    *out = (struct field_element){ .type = FIELD_KEY,
                                   .keys = arena_copy(a, keys, count * sizeof(keys[0])),
                                   .keys_count = count };
    return 0;
}

int typed_element(struct arena *a, const struct typed *t, const struct json *item,
                  struct field_element *out, struct err *e)
{
    if (t->shape == TYPED_KEYED)
        return keyed_element(a, t, item, out, e);
    if (item->type == JSON_NULL)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "associative list without keys has an element that's an explicit null");
    if (item->type >= JSON_ARRAY)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       item->type == JSON_ARRAY
                           ? "not supported: associative list with lists as elements"
                           : "associative list without keys has an element that's a map type");
    *out = (struct field_element){ .type = FIELD_VALUE, .value = *item };
    return 0;
}

static int compare_items(const void *x, const void *y)
{
    const struct typed_list_item *a = x;
    const struct typed_list_item *b = y;
    int c = field_element_compare(&a->element, &b->element);
    return c != 0 ? c : (a->index > b->index) - (a->index < b->index);
}

struct typed_items typed_items(struct arena *a, const struct typed *t, const struct json *list)
{
    struct typed_items out = { 0 };
    size_t count = list != NULL && list->type == JSON_ARRAY ? list->count : 0;
    out.at = arena_array(a, count, sizeof(*out.at)); /* of no items too: callers point into it */
    for (size_t i = 0; i < count; i++) {
        struct typed_list_item *item = &out.at[out.count];
        item->index = i;
        item->value = &list->u.items[i];
        if (typed_element(a, t, item->value, &item->element, NULL) == 0)
            out.count++;
    }
    if (out.count > 1)
        qsort(out.at, out.count, sizeof(*out.at), compare_items);
    return out;
}

size_t typed_run(const struct typed_items *items, size_t at)
{
    size_t end = at + 1;
    while (end < items->count &&
           field_element_compare(&items->at[at].element, &items->at[end].element) == 0)
        end++;
    return end - at;
}
