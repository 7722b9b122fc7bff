/* See the header. */
#include "cli/compose.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"

void compose_put(struct arena *a, struct compose_members *m, struct str key, struct json value)
{
    for (size_t i = 0; i < m->count; i++) {
        if (str_eq(m->at[i].key, key)) {
            m->at[i].value = value;
            return;
        }
    }
    m->at = arena_grow(a, m->at, m->count, &m->capacity, sizeof *m->at);
    m->at[m->count].key = key;
    m->at[m->count++].value = value;
}

struct json compose_object(const struct compose_members *m)
{
    return json_object(m->at, m->count);
}

struct json compose_with(struct arena *a, const struct json *object, const char *key,
                         const struct json *value)
{
    struct compose_members m = { 0 };
    size_t count = object != NULL && object->type == JSON_OBJECT ? object->count : 0;
    m.at = arena_array(a, count + 1, sizeof *m.at);
    m.capacity = count + 1;
    for (size_t i = 0; i < count; i++)
        if (value != NULL || !str_eq_c(object->u.members[i].key, key))
            m.at[m.count++] = object->u.members[i];
    if (value != NULL)
        compose_put(a, &m, str_from(key), *value);
    return compose_object(&m);
}

struct json compose_with_in(struct arena *a, const struct json *object, const char *outer,
                            const char *key, const struct json *value)
{
    struct json inner = compose_with(a, json_get_c(object, outer), key, value);
    return compose_with(a, object, outer, &inner);
}

static int compare_keys(const void *x, const void *y)
{
    return str_cmp(((const struct json_member *)x)->key, ((const struct json_member *)y)->key);
}

/* A duplicate's first place holds its last value: json_get answers with the last. */
static struct json sorted_object(struct arena *a, const struct json *j)
{
    struct json_member *members = arena_array(a, j->count, sizeof *members);
    size_t count = 0;
    for (size_t i = 0; i < j->count; i++) {
        const struct json_member *from = &j->u.members[i];
        if (json_get(j, from->key) != &from->value)
            continue;
        members[count].key = from->key;
        members[count++].value = compose_sorted(a, &from->value);
    }
    if (count > 1)
        qsort(members, count, sizeof *members, compare_keys);
    return json_object(members, count);
}

struct json compose_sorted(struct arena *a, const struct json *j)
{
    if (j->type == JSON_OBJECT)
        return sorted_object(a, j);
    if (j->type == JSON_INT)
        return json_int(j->u.integer);
    if (j->type == JSON_DOUBLE)
        return json_double(j->u.number);
    if (j->type != JSON_ARRAY)
        return *j;
    struct json *items = arena_array(a, j->count, sizeof *items);
    for (size_t i = 0; i < j->count; i++)
        items[i] = compose_sorted(a, &j->u.items[i]);
    return json_array(items, j->count);
}

struct json compose_without_nulls(struct arena *a, const struct json *j)
{
    if (j->type == JSON_ARRAY) {
        struct json *items = arena_array(a, j->count, sizeof *items);
        for (size_t i = 0; i < j->count; i++)
            items[i] = compose_without_nulls(a, &j->u.items[i]);
        return json_array(items, j->count);
    }
    if (j->type != JSON_OBJECT)
        return *j;
    struct json_member *members = arena_array(a, j->count, sizeof *members);
    size_t count = 0;
    for (size_t i = 0; i < j->count; i++) {
        if (j->u.members[i].value.type == JSON_NULL)
            continue;
        members[count].key = j->u.members[i].key;
        members[count++].value = compose_without_nulls(a, &j->u.members[i].value);
    }
    return json_object(members, count);
}

struct str compose_text(struct arena *a, const struct json *j)
{
    struct buf b;
    buf_init(&b);
    json_write(&b, j, true);
    struct str text = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

struct str compose_text_in(const struct json *object, const char *outer, const char *key)
{
    const struct json *value = json_get_c(json_get_c(object, outer), key);
    return value != NULL ? json_str(value) : str_lit("");
}

size_t compose_items(const struct json *array, const struct json **out)
{
    if (array == NULL || array->type != JSON_ARRAY)
        return 0;
    *out = array->u.items;
    return array->count;
}
