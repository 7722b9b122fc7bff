/* JSON trees: nodes, lookup, comparison, duplicates. */
#include "api/schema/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"

/* Up to here two nested loops beat sorting. */
#define SMALL_OBJECT 16

const struct json json_null = { .type = JSON_NULL };

struct json json_bool(bool value)
{
    return (struct json){ .type = JSON_BOOL, .u.boolean = value };
}

struct json json_int(int64_t value)
{
    return (struct json){ .type = JSON_INT, .u.integer = value };
}

struct json json_double(double value)
{
    return (struct json){ .type = JSON_DOUBLE, .u.number = value };
}

struct json json_string(struct str value)
{
    ASSERT(value.len <= JSON_BYTES_MAX);
    return (
        struct json){ .type = JSON_STRING, .count = (uint32_t)value.len, .u.chars = value.data };
}

struct json json_array(const struct json *items, size_t count)
{
    ASSERT(count <= JSON_BYTES_MAX);
    return (struct json){ .type = JSON_ARRAY, .count = (uint32_t)count, .u.items = items };
}

struct json json_object(const struct json_member *members, size_t count)
{
    ASSERT(count <= JSON_BYTES_MAX);
    return (struct json){ .type = JSON_OBJECT, .count = (uint32_t)count, .u.members = members };
}

struct str json_str(const struct json *j)
{
    if (j == NULL || j->type != JSON_STRING)
        return (struct str){ 0 };
    return str_of(j->u.chars, j->count);
}

const struct json *json_get(const struct json *j, struct str key)
{
    if (j == NULL || j->type != JSON_OBJECT)
        return NULL;
    for (size_t i = j->count; i > 0; i--) {
        if (str_eq(j->u.members[i - 1].key, key))
            return &j->u.members[i - 1].value;
    }
    return NULL;
}

const struct json *json_get_c(const struct json *j, const char *key)
{
    return json_get(j, str_from(key));
}

static bool number_equal(const struct json *a, const struct json *b)
{
    if (a->type == JSON_INT && b->type == JSON_INT)
        return a->u.integer == b->u.integer;
    double x = a->type == JSON_INT ? (double)a->u.integer : a->u.number;
    double y = b->type == JSON_INT ? (double)b->u.integer : b->u.number;
    return x == y;
}

static int key_cmp(const void *x, const void *y)
{
    const struct json_member *const *a = x;
    const struct json_member *const *b = y;
    int order = str_cmp((*a)->key, (*b)->key);
    if (order != 0)
        return order;
    return *a < *b ? -1 : *a > *b;
}

static const struct json_member **sort_members(const struct json *j)
{
    const struct json_member **sorted = mem_alloc((j->count + 1) * sizeof(*sorted));
    for (size_t i = 0; i < j->count; i++)
        sorted[i] = &j->u.members[i];
    qsort(sorted, j->count, sizeof(*sorted), key_cmp);
    return sorted;
}

static bool large_equal(const struct json *a, const struct json *b)
{
    const struct json_member **x = sort_members(a);
    const struct json_member **y = sort_members(b);
    bool equal = true;
    for (size_t i = 0; i < a->count && equal; i++)
        equal = str_eq(x[i]->key, y[i]->key) && json_equal(&x[i]->value, &y[i]->value);
    mem_free(x);
    mem_free(y);
    return equal;
}

static bool object_equal(const struct json *a, const struct json *b)
{
    if (a->count > SMALL_OBJECT)
        return large_equal(a, b);
    for (size_t i = 0; i < a->count; i++) {
        struct str key = a->u.members[i].key;
        /* Writers keep order, so the same place is the first guess. */
        const struct json *other =
            str_eq(b->u.members[i].key, key) ? &b->u.members[i].value : json_get(b, key);
        if (other == NULL || !json_equal(&a->u.members[i].value, other))
            return false;
    }
    return true;
}

bool json_equal(const struct json *a, const struct json *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    bool numbers = (a->type == JSON_INT || a->type == JSON_DOUBLE) &&
                   (b->type == JSON_INT || b->type == JSON_DOUBLE);
    if (numbers)
        return number_equal(a, b);
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case JSON_BOOL:
        return a->u.boolean == b->u.boolean;
    case JSON_STRING:
        return str_eq(json_str(a), json_str(b));
    case JSON_ARRAY:
        if (a->count != b->count)
            return false;
        for (size_t i = 0; i < a->count; i++) {
            if (!json_equal(&a->u.items[i], &b->u.items[i]))
                return false;
        }
        return true;
    case JSON_OBJECT:
        return a->count == b->count && object_equal(a, b);
    default:
        return true;
    }
}

/* ---- duplicates ---- */

struct duplicates {
    struct arena *arena;
    struct buf path;
    void (*found)(void *context, const char *path);
    void *context;
    size_t count;
};

static void report(struct duplicates *d, struct str key)
{
    size_t len = d->path.len;
    buf_printf(&d->path, "%s%.*s", len == 0 ? "" : ".", STR_ARG(key));
    struct str path = str_slice(buf_str(&d->path), 0, JSON_DUPLICATE_PATH_BYTES_MAX);
    d->found(d->context, str_dup(d->arena, path));
    d->path.len = len;
    d->count++;
}

static bool enough(const struct duplicates *d)
{
    return d->count >= JSON_DUPLICATES_MAX;
}

static void check_small(struct duplicates *d, const struct json *j)
{
    for (size_t i = 1; i < j->count && !enough(d); i++) {
        for (size_t k = 0; k < i; k++) {
            if (str_eq(j->u.members[i].key, j->u.members[k].key)) {
                report(d, j->u.members[i].key);
                break;
            }
        }
    }
}

static void check_large(struct duplicates *d, const struct json *j)
{
    const struct json_member **sorted = sort_members(j);
    for (size_t i = 1; i < j->count && !enough(d); i++) {
        if (str_eq(sorted[i - 1]->key, sorted[i]->key))
            report(d, sorted[i]->key);
    }
    mem_free(sorted);
}

static void walk(struct duplicates *d, const struct json *j)
{
    size_t len = d->path.len;
    if (j->type == JSON_OBJECT && j->count > 1)
        (j->count <= SMALL_OBJECT ? check_small : check_large)(d, j);
    for (size_t i = 0; j->type == JSON_OBJECT && i < j->count && !enough(d); i++) {
        if (j->u.members[i].value.type < JSON_ARRAY)
            continue;
        buf_printf(&d->path, "%s%.*s", len == 0 ? "" : ".", STR_ARG(j->u.members[i].key));
        walk(d, &j->u.members[i].value);
        d->path.len = len;
    }
    for (size_t i = 0; j->type == JSON_ARRAY && i < j->count && !enough(d); i++) {
        if (j->u.items[i].type < JSON_ARRAY)
            continue;
        buf_printf(&d->path, "[%zu]", i);
        walk(d, &j->u.items[i]);
        d->path.len = len;
    }
}

size_t json_duplicates(struct arena *a, const struct json *j,
                       void (*f)(void *context, const char *path), void *context)
{
    struct duplicates d = { .arena = a, .found = f, .context = context };
    buf_init(&d.path);
    walk(&d, j);
    buf_deinit(&d.path);
    return d.count;
}

/* ---- without duplicates ---- */

/* Whether each member is the last one with its key. */
static bool *mark_last(struct arena *a, const struct json *j)
{
    bool *last = arena_array(a, j->count, sizeof(*last));
    if (j->count <= SMALL_OBJECT) {
        for (size_t i = 0; i < j->count; i++)
            last[i] = json_get(j, j->u.members[i].key) == &j->u.members[i].value;
        return last;
    }
    const struct json_member **sorted = sort_members(j);
    for (size_t i = 0; i < j->count; i++)
        last[sorted[i] - j->u.members] =
            i + 1 == j->count || !str_eq(sorted[i]->key, sorted[i + 1]->key);
    mem_free(sorted);
    return last;
}

struct json json_unique(struct arena *a, const struct json *j)
{
    if (j->count == 0 || (j->type != JSON_ARRAY && j->type != JSON_OBJECT))
        return *j;
    if (j->type == JSON_ARRAY) {
        struct json *items = arena_array(a, j->count, sizeof(*items));
        for (size_t i = 0; i < j->count; i++)
            items[i] = json_unique(a, &j->u.items[i]);
        return json_array(items, j->count);
    }
    struct json_member *members = arena_array(a, j->count, sizeof(*members));
    const bool *last = mark_last(a, j);
    size_t count = 0;
    for (size_t i = 0; i < j->count; i++) {
        const struct json_member *m = &j->u.members[i];
        if (last[i])
            members[count++] = (struct json_member){ m->key, json_unique(a, &m->value) };
    }
    return json_object(members, count);
}
