/* See the header. */
#include "cli/wait_for.h"

#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "cli/jsonpath.h"
#include "cli/tree.h"

/* ---- what is waited for ---- */

/* Where the single "=" after a path is; "==" belongs to it. -1: nowhere; -2: there are several. */
static ptrdiff_t find_equals(struct str text)
{
    ptrdiff_t found = -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '=')
            continue;
        if (i + 1 < text.len && text.data[i + 1] == '=') {
            i++;
            continue;
        }
        found = found == -1 ? (ptrdiff_t)i : -2;
    }
    return found;
}

static int parse_path(struct arena *a, struct str text, struct wait_for *out, struct err *e)
{
    ptrdiff_t equals = find_equals(text);
    struct str relaxed;
    if (equals == -2)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or "
                       "--for=jsonpath='{.status.readyReplicas}'");
    int rc =
        jsonpath_relaxed(a, equals < 0 ? text : str_slice(text, 0, (size_t)equals), &relaxed, e);
    if (rc != 0)
        return rc;
    if (equals >= 0) {
        struct str value = str_slice(text, (size_t)equals + 1, text.len);
        while (value.len > 0 && (value.data[0] == '\'' || value.data[0] == '"'))
            value = str_slice(value, 1, value.len);
        while (value.len > 0 &&
               (value.data[value.len - 1] == '\'' || value.data[value.len - 1] == '"'))
            value.len--;
        if (value.len == 0)
            return err_set(e, ERR_INVALID_ARGUMENT,
                           "jsonpath wait has to have a value after equal sign, like "
                           "--for=jsonpath='{.status.readyReplicas}'=3");
        out->value = value;
    }
    out->kind = WAIT_PATH;
    if (relaxed.len == 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "jsonpath expression cannot be empty");
    return jsonpath_parse(a, relaxed, &out->path, e);
}

int wait_for_parse(struct arena *a, struct str text, struct wait_for *out, struct err *e)
{
    struct str condition = str_lit("condition=");
    struct str path = str_lit("jsonpath=");
    *out = (struct wait_for){ .kind = WAIT_CREATE };
    if (str_eq_nocase(text, str_lit("create")))
        return 0;
    if (str_eq_nocase(text, str_lit("delete"))) {
        out->kind = WAIT_DELETE;
        return 0;
    }
    if (str_starts(text, path))
        return parse_path(a, str_slice(text, path.len, text.len), out, e);
    if (!str_starts(text, condition))
        return err_set(e, ERR_INVALID_ARGUMENT, "unrecognized condition: \"%.*s\"", STR_ARG(text));
    struct str name = str_slice(text, condition.len, text.len);
    ptrdiff_t equals = str_find_char(name, '=', 0);
    out->kind = WAIT_CONDITION;
    out->name = equals < 0 ? name : str_slice(name, 0, (size_t)equals);
    out->value = equals < 0 ? str_lit("true") : str_slice(name, (size_t)equals + 1, name.len);
    return 0;
}

/* ---- whether it is so ---- */

static bool is_condition(const struct json *condition, const struct wait_for *w,
                         const struct json *object)
{
    const struct json *status = json_get_c(object, "status");
    int64_t generation = tree_int(json_get_c(object, "metadata"), "generation", -1);
    int64_t observed =
        tree_int(condition, "observedGeneration", tree_int(status, "observedGeneration", -1));
    if (generation >= 0 && observed >= 0 && observed < generation)
        return false;
    return str_eq_nocase(tree_text(condition, "status", NULL), w->value);
}

static int is_value(struct arena *a, const struct wait_for *w, const struct json *object,
                    bool *out_met, struct err *e)
{
    struct jsonpath_results results = { .count = 0 };
    int rc = jsonpath_find(a, w->path, object, true, &results, e);
    *out_met = false;
    if (rc != 0 || results.count == 0 || results.items[0].count == 0)
        return rc;
    if (results.count > 1)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "given jsonpath expression matches more than one list");
    if (results.items[0].count > 1)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "given jsonpath expression matches more than one value");
    const struct json *value = results.items[0].items[0];
    if (w->value.len == 0) {
        *out_met = true;
        return 0;
    }
    if (value->type == JSON_ARRAY || value->type == JSON_OBJECT)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "jsonpath leads to a nested object or list which is not supported");
    *out_met = str_eq(str_trim(tree_scalar(a, value)), str_trim(w->value));
    return 0;
}

int wait_for_met(struct arena *a, const struct wait_for *w, const struct json *object,
                 bool *out_met, struct err *e)
{
    const struct json *conditions = tree_at(object, "status", "conditions", NULL);
    *out_met = w->kind == WAIT_EXISTS;
    if (w->kind == WAIT_PATH)
        return is_value(a, w, object, out_met, e);
    for (size_t i = 0; w->kind == WAIT_CONDITION && i < tree_count(conditions); i++) {
        const struct json *one = tree_item(conditions, i);
        if (!str_eq_nocase(tree_text(one, "type", NULL), w->name))
            continue;
        *out_met = is_condition(one, w, object);
        return 0;
    }
    return 0;
}
