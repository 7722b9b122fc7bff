/* See the header. */
#include "cli/table.h"

#include <string.h>

#include "api/schema/json.h"
#include "base/buf.h"
#include "cli/age.h"
#include "cli/color.h"
#include "cli/escaped.h"
#include "cli/tree.h"

/* Where a column's cells come from. */
enum source { FROM_EVENT, FROM_NAMESPACE, FROM_CELL, FROM_LABEL, FROM_LABELS };

struct column {
    struct str title;
    enum source source;
    size_t cell;       /* FROM_CELL */
    const char *label; /* FROM_LABEL */
    bool name;
};

struct layout {
    struct column items[TABLE_COLUMNS_MAX];
    size_t count;
};

void table_start(struct table_printer *p, const struct table_options *o)
{
    *p = (struct table_printer){ .options = *o, .tabs = tabs_table() };
}

static struct str upper(struct cli *c, struct str s)
{
    char *out = str_dup(&c->arena, s);
    for (size_t i = 0; i < s.len; i++)
        if (out[i] >= 'a' && out[i] <= 'z')
            out[i] = (char)(out[i] - 'a' + 'A');
    return str_of(out, s.len);
}

static void add(struct layout *l, struct column column)
{
    if (l->count < TABLE_COLUMNS_MAX)
        l->items[l->count++] = column;
}

static void lay_out(struct cli *c, const struct table_printer *p, bool event, struct layout *l)
{
    bool named = false;
    if (event)
        add(l, (struct column){ .title = str_lit("EVENT"), .source = FROM_EVENT });
    if (p->options.with_namespace)
        add(l, (struct column){ .title = str_lit("NAMESPACE"), .source = FROM_NAMESPACE });
    for (size_t i = 0; i < tree_count(p->columns); i++) {
        const struct json *definition = tree_item(p->columns, i);
        bool name = !named && str_eq_c(tree_text(definition, "format", NULL), "name") &&
                    str_eq_c(tree_text(definition, "type", NULL), "string");
        named = named || name;
        if (p->options.wide || tree_int(definition, "priority", 0) == 0)
            add(l, (struct column){ .title = upper(c, tree_text(definition, "name", NULL)),
                                    .source = FROM_CELL,
                                    .cell = i,
                                    .name = name });
    }
    const struct flag_texts *labels = p->options.label_columns;
    for (size_t i = 0; labels != NULL && i < labels->count; i++) {
        const char *slash = strrchr(labels->items[i], '/');
        struct str title = str_from(slash != NULL ? slash + 1 : labels->items[i]);
        add(l, (struct column){
                   .title = upper(c, title), .source = FROM_LABEL, .label = labels->items[i] });
    }
    if (p->options.show_labels)
        add(l, (struct column){ .title = str_lit("LABELS"), .source = FROM_LABELS });
}

static struct str cell_text(struct cli *c, const struct table_printer *p, const struct column *col,
                            const struct json *row, const char *event)
{
    static const char *const events[] = { "ADDED   ", "MODIFIED", "DELETED ", "ERROR   " };
    const struct json *meta = tree_at(row, "object", "metadata", NULL);
    const struct json *labels = json_get_c(meta, "labels");
    struct str text;
    switch (col->source) {
    case FROM_EVENT:
        for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
            if (strncmp(events[i], event, strlen(event)) == 0)
                return str_from(events[i]);
        return str_from(event);
    case FROM_NAMESPACE:
        return tree_text(meta, "namespace", NULL);
    case FROM_LABEL:
        return json_str(json_get_c(labels, col->label));
    case FROM_LABELS:
        return tree_labels(&c->arena, labels);
    case FROM_CELL:
        break;
    }
    text = tree_scalar(&c->arena, tree_item(json_get_c(row, "cells"), col->cell));
    if (col->name && p->options.with_kind && p->options.kind.len > 0)
        return str_printf(&c->arena, "%.*s/%.*s", STR_ARG(p->options.kind), STR_ARG(text));
    return text;
}

/* One line, whatever is in it: cut at a line's end, and nothing that a terminal would act on. */
static void append_cell(struct buf *out, struct str text)
{
    size_t len = 0;
    while (len < text.len && text.data[len] != '\n' && text.data[len] != '\r' &&
           text.data[len] != '\f')
        len++;
    escaped_write(out, str_slice(text, 0, len));
    if (len < text.len)
        buf_append_c(out, "...");
}

static void append_row(struct cli *c, const struct table_printer *p, const struct layout *l,
                       const struct json *row, const char *event, struct buf *out)
{
    for (size_t i = 0; i < l->count; i++) {
        struct str text =
            row == NULL ? l->items[i].title : cell_text(c, p, &l->items[i], row, event);
        const char *color = row == NULL ? color_title() : color_of_cell(l->items[i].title, text);
        bool colored = p->options.color && color != NULL;
        if (i > 0)
            buf_append_byte(out, '\t');
        if (colored)
            buf_append_c(out, color);
        append_cell(out, text);
        if (colored)
            buf_append_c(out, color_end());
    }
    buf_append_byte(out, '\n');
}

/* What has no table of its own. */
static const struct json *plain_table(struct cli *c, const struct json *object)
{
    static const char definitions[] =
        "[{\"name\":\"Name\",\"type\":\"string\",\"format\":\"name\"},{\"name\":\"Age\"}]";
    const struct json *columns = NULL;
    struct str created = tree_text(object, "metadata", "creationTimestamp", NULL);
    struct json *cells = arena_array(&c->arena, 2, sizeof *cells);
    struct json_member *row = arena_array(&c->arena, 2, sizeof *row);
    struct json_member *table = arena_array(&c->arena, 2, sizeof *table);
    struct json *items = arena_new(&c->arena, struct json);
    struct json *out = arena_new(&c->arena, struct json);
    (void)json_parse(&c->arena, str_lit(definitions), &columns, NULL); /* it is JSON */
    cells[0] = json_string(tree_text(object, "metadata", "name", NULL));
    cells[1] = json_string(age_since(c, created));
    row[0] = (struct json_member){ str_lit("cells"), json_array(cells, 2) };
    row[1] = (struct json_member){ str_lit("object"), *object };
    *items = json_object(row, 2);
    table[0] = (struct json_member){ str_lit("columnDefinitions"), *columns };
    table[1] = (struct json_member){ str_lit("rows"), json_array(items, 1) };
    *out = json_object(table, 2);
    return out;
}

void table_rows(struct cli *c, struct table_printer *p, const struct json *table, const char *event,
                struct buf *rows)
{
    struct layout l = { .count = 0 };
    if (json_get_c(table, "rows") == NULL && json_get_c(table, "columnDefinitions") == NULL &&
        !str_eq_c(tree_text(table, "kind", NULL), "Table"))
        table = plain_table(c, table);
    const struct json *columns = json_get_c(table, "columnDefinitions");
    const struct json *items = json_get_c(table, "rows");
    if (tree_count(columns) > 0 && !json_equal(columns, p->columns)) {
        p->columns = columns;
        p->headed = false;
    }
    if (tree_count(items) == 0)
        return;
    lay_out(c, p, event != NULL, &l);
    if (!p->headed && !p->options.no_headers)
        append_row(c, p, &l, NULL, event, rows);
    p->headed = true;
    for (size_t i = 0; i < tree_count(items); i++)
        append_row(c, p, &l, tree_item(items, i), event, rows);
}

void table_flush(struct table_printer *p, struct buf *rows, struct buf *out)
{
    tabs_write(&p->tabs, buf_str(rows), out);
    buf_clear(rows);
}
