/* See the header. */
#include "cli/tabs.h"

#include "base/arena.h"
#include "base/buf.h"

struct line {
    struct str *cells;
    size_t count;
};

struct layout {
    struct tabs *tabs;
    struct buf *out;
    struct line *lines;
    size_t widths[TABS_COLUMNS_MAX];
    size_t depth;
};

struct tabs tabs_table(void)
{
    return (struct tabs){ .width_min = 6, .padding = 3, .remembers = true };
}

struct tabs tabs_describe(void)
{
    return (struct tabs){ .padding = 2 };
}

static size_t width_of(struct str s)
{
    size_t width = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\x1b') {
            while (i < s.len && s.data[i] != 'm')
                i++;
            continue;
        }
        width += ((unsigned char)s.data[i] & 0xc0) != 0x80;
    }
    return width;
}

static void write_lines(const struct layout *l, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct line *line = &l->lines[i];
        for (size_t j = 0; j < line->count; j++) {
            buf_append_str(l->out, line->cells[j]);
            for (size_t w = width_of(line->cells[j]); j < l->depth && w < l->widths[j]; w++)
                buf_append_byte(l->out, ' ');
        }
        buf_append_byte(l->out, '\n');
    }
}

static size_t remember(struct tabs *t, size_t column, size_t width)
{
    if (!t->remembers)
        return width;
    if (column == t->seen_count)
        t->seen[t->seen_count++] = width;
    if (column < t->seen_count && t->seen[column] > width)
        return t->seen[column];
    if (column < t->seen_count)
        t->seen[column] = width;
    return width;
}

/* Lines from..to, the columns to the left of depth are known. As deep as there are columns. */
static void format(struct layout *l, size_t from, size_t to)
{
    size_t column = l->depth;
    for (size_t at = from; at < to; at++) {
        if (column + 1 >= l->lines[at].count || column == TABS_COLUMNS_MAX)
            continue;
        size_t width = l->tabs->width_min;
        write_lines(l, from, at);
        from = at;
        for (; at < to && column + 1 < l->lines[at].count; at++) {
            size_t needed = width_of(l->lines[at].cells[column]) + l->tabs->padding;
            width = needed > width ? needed : width;
        }
        l->widths[l->depth++] = remember(l->tabs, column, width);
        format(l, from, at);
        l->depth--;
        from = at;
        at--; /* the line behind the block is looked at next */
    }
    write_lines(l, from, to);
}

void tabs_write(struct tabs *t, struct str text, struct buf *out)
{
    struct layout l = { .tabs = t, .out = out };
    struct arena a;
    struct str line;
    size_t capacity = 0;
    size_t count = 0;
    if (text.len == 0)
        return;
    arena_init(&a);
    bool open = text.data[text.len - 1] != '\n';
    text.len -= !open;
    while (str_split(&text, '\n', &line)) {
        struct line *next;
        size_t cells = 1;
        l.lines = arena_grow(&a, l.lines, count, &capacity, sizeof *l.lines);
        next = &l.lines[count++];
        for (size_t i = 0; i < line.len; i++)
            cells += line.data[i] == '\t';
        next->cells = arena_array(&a, cells, sizeof *next->cells);
        next->count = 0;
        while (str_split(&line, '\t', &next->cells[next->count]))
            next->count++;
    }
    format(&l, 0, count);
    if (open)
        out->len--;
    arena_deinit(&a);
}
