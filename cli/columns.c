/* See the header. */
#include "cli/columns.h"

#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "cli/escaped.h"
#include "cli/jsonpath.h"
#include "cli/tree.h"

static int add_column(struct arena *a, struct columns *c, struct str title, struct str path,
                      struct err *e)
{
    struct str relaxed;
    if (c->count == TABS_COLUMNS_MAX)
        return err_set(e, ERR_LIMIT, "more than %d columns", TABS_COLUMNS_MAX);
    c->titles[c->count] = title;
    int rc = jsonpath_relaxed(a, path, &relaxed, e);
    return rc != 0 ? rc : jsonpath_parse(a, relaxed, &c->paths[c->count++], e);
}

int columns_parse(struct arena *a, struct str spec, struct columns *out, struct err *e)
{
    struct columns c = { .tabs = tabs_table() };
    struct str part;
    int rc = 0;
    if (spec.len == 0)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "custom-columns format specified but no custom columns given");
    while (rc == 0 && str_split(&spec, ',', &part)) {
        ptrdiff_t colon = str_find_char(part, ':', 0);
        if (colon < 0)
            return err_set(
                e, ERR_INVALID_ARGUMENT,
                "unexpected custom-columns spec: %.*s, expected <header>:<json-path-expr>",
                STR_ARG(part));
        rc = add_column(a, &c, str_slice(part, 0, (size_t)colon),
                        str_slice(part, (size_t)colon + 1, part.len), e);
    }
    if (rc == 0)
        *out = c;
    return rc;
}

static size_t split_words(struct str line, struct str words[TABS_COLUMNS_MAX + 1])
{
    size_t count = 0;
    for (size_t i = 0; i < line.len && count <= TABS_COLUMNS_MAX;) {
        size_t from = i;
        while (i < line.len && line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r')
            i++;
        if (i > from)
            words[count++] = str_slice(line, from, i);
        else
            i++;
    }
    return count;
}

int columns_parse_lines(struct arena *a, struct str text, struct columns *out, struct err *e)
{
    struct str titles[TABS_COLUMNS_MAX + 1];
    struct str paths[TABS_COLUMNS_MAX + 1];
    struct columns c = { .tabs = tabs_table() };
    struct str first = { NULL, 0 };
    struct str second = { NULL, 0 };
    bool both = text.len > 0 && str_split(&text, '\n', &first) && text.len > 0 &&
                str_split(&text, '\n', &second);
    int rc = 0;
    if (!both)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "invalid template, missing %s line. Expected format is one line of space "
                       "separated headers, one line of space separated column specs.",
                       first.data == NULL ? "header" : "spec");
    size_t count = split_words(first, titles);
    size_t specs = split_words(second, paths);
    if (count != specs)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "number of headers (%zu) and field specifications (%zu) don't match", count,
                       specs);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_column(a, &c, titles[i], paths[i], e);
    if (rc == 0)
        *out = c;
    return rc;
}

/* A value as Go prints it with %v: map[a:1 b:[x y]]. As deep as JSON may be. */
static void append_value(struct arena *a, const struct json *j, struct buf *out)
{
    switch (j->type) {
    case JSON_NULL:
        buf_append_c(out, "<nil>");
        return;
    case JSON_ARRAY:
        buf_append_byte(out, '[');
        for (uint32_t i = 0; i < j->count; i++) {
            if (i > 0)
                buf_append_byte(out, ' ');
            append_value(a, &j->u.items[i], out);
        }
        buf_append_byte(out, ']');
        return;
    case JSON_OBJECT:
        buf_append_c(out, "map[");
        for (uint32_t i = 0; i < j->count; i++) {
            buf_printf(out, "%s%.*s:", i > 0 ? " " : "", STR_ARG(j->u.members[i].key));
            append_value(a, &j->u.members[i].value, out);
        }
        buf_append_byte(out, ']');
        return;
    default:
        buf_append_str(out, tree_scalar(a, j));
    }
}

static int append_cell(struct arena *a, const struct jsonpath *path, const struct json *object,
                       struct buf *out, struct err *e)
{
    struct jsonpath_results results = { .count = 0 };
    struct buf text;
    size_t count = 0;
    int rc = jsonpath_find(a, path, object, true, &results, e);
    if (rc != 0)
        return rc;
    buf_init(&text);
    if (results.count == 0 || results.items[0].count == 0) {
        buf_append_c(&text, "<none>");
        count++;
    }
    for (size_t i = 0; i < results.count; i++) {
        for (size_t k = 0; k < results.items[i].count; k++) {
            struct json value = tree_sorted(a, results.items[i].items[k]);
            if (count++ > 0)
                buf_append_byte(&text, ',');
            append_value(a, &value, &text);
        }
    }
    escaped_write(out, buf_str(&text));
    buf_deinit(&text);
    return 0;
}

int columns_print(struct arena *a, struct columns *c, const struct json *const *objects,
                  size_t count, bool titles, struct buf *out, struct err *e)
{
    struct buf text;
    int rc = 0;
    buf_init(&text);
    for (size_t i = 0; titles && i < c->count; i++)
        buf_printf(&text, "%.*s%c", STR_ARG(c->titles[i]), i + 1 < c->count ? '\t' : '\n');
    for (size_t o = 0; rc == 0 && o < count; o++) {
        for (size_t i = 0; rc == 0 && i < c->count; i++) {
            rc = append_cell(a, c->paths[i], objects[o], &text, e);
            buf_append_byte(&text, i + 1 < c->count ? '\t' : '\n');
        }
    }
    if (rc == 0)
        tabs_write(&c->tabs, buf_str(&text), out);
    buf_deinit(&text);
    return rc;
}
