/* What templates found, as text (see jsonpath.h). */
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "cli/jsonpath.h"
#include "cli/tree.h"

void jsonpath_print_value(struct arena *a, const struct json *value, struct buf *out)
{
    if (value->type == JSON_STRING) {
        buf_append_str(out, json_str(value));
        return;
    }
    struct json j = tree_sorted(a, value);
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

int jsonpath_print_json(struct arena *a, const struct jsonpath *p, const struct json *data,
                        bool missing, struct buf *out, struct err *e)
{
    struct jsonpath_results results;
    int rc = jsonpath_find(a, p, data, missing, &results, e);
    for (size_t i = 0; rc == 0 && i < results.count; i++) {
        const struct jsonpath_found *found = &results.items[i];
        struct json *items = arena_array(a, found->count, sizeof *items);
        for (size_t k = 0; k < found->count; k++)
            items[k] = tree_sorted(a, found->items[k]);
        struct json array = json_array(items, found->count);
        tree_indent(out, &array, 4);
        buf_append_byte(out, '\n');
    }
    return rc;
}
