/* See the header. */
#include "cli/tree.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"

static const struct json *walk(const struct json *j, va_list names)
{
    const char *name;
    while (j != NULL && (name = va_arg(names, const char *)) != NULL)
        j = json_get_c(j, name);
    return j;
}

const struct json *tree_at(const struct json *j, ...)
{
    va_list names;
    va_start(names, j);
    const struct json *found = walk(j, names);
    va_end(names);
    return found;
}

struct str tree_text(const struct json *j, ...)
{
    va_list names;
    va_start(names, j);
    const struct json *found = walk(j, names);
    va_end(names);
    return json_str(found);
}

int64_t tree_int(const struct json *j, const char *name, int64_t otherwise)
{
    const struct json *value = json_get_c(j, name);
    return value != NULL && value->type == JSON_INT ? value->u.integer : otherwise;
}

bool tree_true(const struct json *j, const char *name)
{
    const struct json *value = json_get_c(j, name);
    return value != NULL && value->type == JSON_BOOL && value->u.boolean;
}

size_t tree_count(const struct json *j)
{
    return j != NULL && (j->type == JSON_ARRAY || j->type == JSON_OBJECT) ? j->count : 0;
}

const struct json *tree_item(const struct json *array, size_t i)
{
    return array != NULL && array->type == JSON_ARRAY && i < array->count ? &array->u.items[i]
                                                                          : NULL;
}

struct str tree_scalar(struct arena *a, const struct json *j)
{
    if (j == NULL || j->type == JSON_NULL)
        return str_lit("");
    if (j->type == JSON_STRING)
        return json_str(j);
    struct buf b;
    buf_init(&b);
    json_write(&b, j, false);
    struct str text = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

static int by_key(const void *a, const void *b)
{
    const struct json_member *one = a;
    const struct json_member *two = b;
    return str_cmp(one->key, two->key);
}

/* As deep as JSON may be. */
struct json tree_sorted(struct arena *a, const struct json *j)
{
    struct json copy = j->type == JSON_DOUBLE ? json_double(j->u.number) : *j;
    if (j->type == JSON_ARRAY && j->count > 0) {
        struct json *items = arena_array(a, j->count, sizeof *items);
        for (uint32_t i = 0; i < j->count; i++)
            items[i] = tree_sorted(a, &j->u.items[i]);
        copy.u.items = items;
    }
    if (j->type == JSON_OBJECT && j->count > 0) {
        struct json_member *members = arena_array(a, j->count, sizeof *members);
        for (uint32_t i = 0; i < j->count; i++)
            members[i] = (struct json_member){ .key = j->u.members[i].key,
                                               .value = tree_sorted(a, &j->u.members[i].value) };
        qsort(members, j->count, sizeof *members, by_key);
        copy.u.members = members;
    }
    return copy;
}

struct json tree_with(struct arena *a, const struct json *object, const char *name,
                      const struct json *value)
{
    size_t count = tree_count(object);
    struct json_member *members = arena_array(a, count + 1, sizeof *members);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!str_eq_c(object->u.members[i].key, name))
            members[kept++] = object->u.members[i];
    if (value != NULL)
        members[kept++] = (struct json_member){ .key = str_from(name), .value = *value };
    return json_object(members, kept);
}

/* Two-space JSON with its indentation doubled. */
static void append_wide(struct buf *out, struct str text)
{
    struct str line;
    for (bool first = true; str_split(&text, '\n', &line); first = false) {
        size_t spaces = 0;
        if (!first)
            buf_append_byte(out, '\n');
        while (spaces < line.len && line.data[spaces] == ' ')
            spaces++;
        for (size_t i = 0; i < spaces; i++)
            buf_append_byte(out, ' ');
        buf_append_str(out, line);
    }
}

void tree_indent(struct buf *out, const struct json *j, int spaces)
{
    struct buf compact;
    struct buf pretty;
    buf_init(&compact);
    buf_init(&pretty);
    json_write(&compact, j, true);
    json_indent(&pretty, buf_str(&compact));
    struct str text = buf_str(&pretty);
    while (text.len > 0 && text.data[text.len - 1] == '\n')
        text.len--;
    if (spaces == 4)
        append_wide(out, text);
    else
        buf_append_str(out, text);
    buf_deinit(&compact);
    buf_deinit(&pretty);
}

struct str tree_labels(struct arena *a, const struct json *labels)
{
    struct buf b;
    if (labels == NULL || labels->type != JSON_OBJECT || labels->count == 0)
        return str_lit("<none>");
    struct json sorted = tree_sorted(a, labels);
    buf_init(&b);
    for (uint32_t i = 0; i < sorted.count; i++)
        buf_printf(&b, "%s%.*s=%.*s", i > 0 ? "," : "", STR_ARG(sorted.u.members[i].key),
                   STR_ARG(json_str(&sorted.u.members[i].value)));
    struct str out = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return out;
}
