/* What templates found, as text (see jsonpath.h). */
#include <stdlib.h>

#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "cli/jsonpath.h"

static int by_key(const void *a, const void *b)
{
    const struct json_member *one = a;
    const struct json_member *two = b;
    return str_cmp(one->key, two->key);
}

/* Go's maps are written with their keys in order, its numbers by their value. As deep as JSON may
 * be. */
static struct json sorted(struct arena *a, const struct json *j)
{
    struct json copy = j->type == JSON_DOUBLE ? json_double(j->u.number) : *j;
    if (j->type == JSON_ARRAY && j->count > 0) {
        struct json *items = arena_array(a, j->count, sizeof *items);
        for (uint32_t i = 0; i < j->count; i++)
            items[i] = sorted(a, &j->u.items[i]);
        copy.u.items = items;
    }
    if (j->type == JSON_OBJECT && j->count > 0) {
        struct json_member *members = arena_array(a, j->count, sizeof *members);
        for (uint32_t i = 0; i < j->count; i++)
            members[i] = (struct json_member){ .key = j->u.members[i].key,
                                               .value = sorted(a, &j->u.members[i].value) };
        qsort(members, j->count, sizeof *members, by_key);
        copy.u.members = members;
    }
    return copy;
}

void jsonpath_print_value(struct arena *a, const struct json *value, struct buf *out)
{
    if (value->type == JSON_STRING) {
        buf_append_str(out, json_str(value));
        return;
    }
    struct json j = sorted(a, value);
    json_write(out, &j, true);
}

int jsonpath_print(struct arena *a, const struct jsonpath *p, const struct json *data, bool missing,
                   struct buf *out, struct err *e)
{
    struct jsonpath_results results;
    int rc = jsonpath_find(a, p, data, missing, &results, e);
    for (size_t i = 0; rc == 0 && i < results.count; i++) {
        const struct jsonpath_found *found = &results.items[i];
        for (size_t k = 0; k < found->count; k++) {
            if (k > 0)
                buf_append_byte(out, ' ');
            jsonpath_print_value(a, found->items[k], out);
        }
    }
    return rc;
}

/* Two-space JSON with its indentation doubled. */
static void append_wide(struct buf *out, struct str text)
{
    struct str line;
    bool first = true;
    while (str_split(&text, '\n', &line)) {
        size_t spaces = 0;
        if (!first)
            buf_append_byte(out, '\n');
        while (spaces < line.len && line.data[spaces] == ' ')
            spaces++;
        for (size_t i = 0; i < spaces; i++)
            buf_append_byte(out, ' ');
        buf_append_str(out, line);
        first = false;
    }
}

int jsonpath_print_json(struct arena *a, const struct jsonpath *p, const struct json *data,
                        bool missing, struct buf *out, struct err *e)
{
    struct jsonpath_results results;
    int rc = jsonpath_find(a, p, data, missing, &results, e);
    for (size_t i = 0; rc == 0 && i < results.count; i++) {
        const struct jsonpath_found *found = &results.items[i];
        struct json *items = arena_array(a, found->count, sizeof *items);
        struct buf compact;
        struct buf pretty;
        for (size_t k = 0; k < found->count; k++)
            items[k] = sorted(a, found->items[k]);
        struct json array = json_array(items, found->count);
        buf_init(&compact);
        buf_init(&pretty);
        json_write(&compact, &array, true);
        json_indent(&pretty, buf_str(&compact));
        append_wide(out, str_trim(buf_str(&pretty)));
        buf_append_byte(out, '\n');
        buf_deinit(&compact);
        buf_deinit(&pretty);
    }
    return rc;
}
