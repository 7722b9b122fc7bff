/* See the header. */
#include "cli/sort.h"

#include <string.h>

#include "api/meta/quantity.h"
#include "api/schema/json.h"
#include "base/arena.h"
#include "cli/jsonpath.h"

/* Up to so many Go sorts by insertion, which shows where objects lack the field. */
#define INSERTION_MAX 12

struct sorting {
    const struct json **keys; /* NULL: the object lacks the field */
    bool unsortable;
};

static double number_of(const struct json *j)
{
    return j->type == JSON_INT ? (double)j->u.integer : j->u.number;
}

static bool text_less(struct str a, struct str b)
{
    struct quantity one;
    struct quantity two;
    if (quantity_parse(a, &one, NULL) == 0 && quantity_parse(b, &two, NULL) == 0)
        return quantity_cmp(&one, &two) < 0;
    return str_cmp(a, b) < 0;
}

static bool less(struct sorting *s, size_t i, size_t j)
{
    const struct json *a = s->keys[i];
    const struct json *b = s->keys[j];
    if (a == NULL || b == NULL)
        return a == NULL;
    if (a->type == JSON_NULL || b->type == JSON_NULL)
        return a->type == JSON_NULL && b->type != JSON_NULL;
    if (a->type == JSON_STRING && b->type == JSON_STRING)
        return text_less(json_str(a), json_str(b));
    if (a->type == JSON_INT && b->type == JSON_INT)
        return a->u.integer < b->u.integer;
    bool numbers = (a->type == JSON_INT || a->type == JSON_DOUBLE) &&
                   (b->type == JSON_INT || b->type == JSON_DOUBLE);
    s->unsortable = s->unsortable || !numbers;
    return numbers && number_of(a) < number_of(b);
}

static void insert(struct sorting *s, size_t *order, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t j = i; j > 0 && less(s, order[j], order[j - 1]); j--) {
            size_t moved = order[j];
            order[j] = order[j - 1];
            order[j - 1] = moved;
        }
    }
}

/* As deep as the logarithm of count. */
static void merge(struct sorting *s, size_t *order, size_t *spare, size_t count)
{
    size_t half = count / 2;
    size_t left = 0;
    size_t right = half;
    if (count <= INSERTION_MAX) {
        insert(s, order, count);
        return;
    }
    merge(s, order, spare, half);
    merge(s, order + half, spare, count - half);
    for (size_t i = 0; i < count; i++) {
        bool from_right = left == half || (right < count && less(s, order[right], order[left]));
        spare[i] = from_right ? order[right++] : order[left++];
    }
    memcpy(order, spare, count * sizeof *order);
}

int sort_by(struct arena *a, struct str field, const struct json *const *objects, size_t count,
            size_t **out, struct err *e)
{
    struct sorting s = { .keys = arena_array(a, count, sizeof *s.keys) };
    size_t *order = arena_array(a, count, sizeof *order);
    const struct jsonpath *path;
    struct str relaxed;
    bool some = count == 0;
    if (jsonpath_relaxed(a, field, &relaxed, NULL) != 0)
        relaxed = field;
    int rc = jsonpath_parse(a, relaxed, &path, e);
    if (rc != 0)
        return err_wrap(e, rc, "sorting error");
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct jsonpath_results results = { .count = 0 };
        rc = jsonpath_find(a, path, objects[i], true, &results, e);
        if (rc == 0 && results.count > 0 && results.items[0].count > 0)
            s.keys[i] = results.items[0].items[0];
        some = some || s.keys[i] != NULL;
        order[i] = i;
    }
    if (rc != 0)
        return rc;
    if (!some)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "couldn't find any field with path \"%.*s\" in the list of objects",
                       STR_ARG(relaxed));
    merge(&s, order, arena_array(a, count, sizeof *order), count);
    if (s.unsortable)
        return err_set(e, ERR_INVALID_ARGUMENT, "the field %.*s is not one that can be sorted by",
                       STR_ARG(relaxed));
    *out = order;
    return 0;
}
