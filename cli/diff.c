/*
 * See the header. What the texts have in common at both ends is taken off; of what is left the
 * longest common subsequence decides, by the table of its lengths from each pair of lines on.
 */
#include "cli/diff.h"

#include <string.h>

#include "base/arena.h"

#define CONTEXT 3

struct edit {
    char kind; /* ' ', '-', '+' */
    struct str line;
};

struct diff {
    struct arena arena;
    struct str *a;
    struct str *b;
    size_t a_count;
    size_t b_count;
    struct edit *edits;
    size_t count;
};

static struct str *split(struct arena *arena, struct str text, size_t *out_count)
{
    struct str *lines = arena_array(arena, text.len + 1, sizeof *lines);
    struct str rest = text;
    size_t count = 0;
    while (rest.data != NULL && rest.len > 0 && str_split(&rest, '\n', &lines[count]))
        count++;
    *out_count = count;
    return lines;
}

static void add(struct diff *d, char kind, struct str line)
{
    d->edits[d->count++] = (struct edit){ kind, line };
}

/* lengths[i][j]: of the longest common subsequence of the lines from i and from j on. */
static void edit_middle(struct diff *d, size_t from, size_t a_end, size_t b_end)
{
    size_t rows = a_end - from;
    size_t columns = b_end - from;
    bool small = rows <= DIFF_LINES_MAX && columns <= DIFF_LINES_MAX;
    size_t width = columns + 1;
    uint16_t *lengths = small ? arena_array(&d->arena, (rows + 1) * width, sizeof *lengths) : NULL;
    for (size_t i = rows; small && i-- > 0;)
        for (size_t j = columns; j-- > 0;) {
            uint16_t down = lengths[(i + 1) * width + j];
            uint16_t right = lengths[i * width + j + 1];
            lengths[i * width + j] = str_eq(d->a[from + i], d->b[from + j])
                                         ? (uint16_t)(lengths[(i + 1) * width + j + 1] + 1)
                                     : down > right ? down
                                                    : right;
        }
    size_t i = 0;
    size_t j = 0;
    while (i < rows || j < columns) {
        bool both = small && i < rows && j < columns;
        if (both && str_eq(d->a[from + i], d->b[from + j])) {
            add(d, ' ', d->a[from + i++]);
            j++;
        } else if (i < rows &&
                   (!both || lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])) {
            add(d, '-', d->a[from + i++]);
        } else {
            add(d, '+', d->b[from + j++]);
        }
    }
}

static void edit_all(struct diff *d)
{
    size_t from = 0;
    size_t a_end = d->a_count;
    size_t b_end = d->b_count;
    while (from < a_end && from < b_end && str_eq(d->a[from], d->b[from]))
        from++;
    while (a_end > from && b_end > from && str_eq(d->a[a_end - 1], d->b[b_end - 1])) {
        a_end--;
        b_end--;
    }
    for (size_t i = 0; i < from; i++)
        add(d, ' ', d->a[i]);
    edit_middle(d, from, a_end, b_end);
    for (size_t i = a_end; i < d->a_count; i++)
        add(d, ' ', d->a[i]);
}

/* Where the part that begins at a change ends: so much unchanged follows, or nothing. */
static size_t end_of_part(const struct diff *d, size_t at)
{
    size_t last = at;
    for (size_t i = at; i < d->count && i - last <= 2 * CONTEXT + 1; i++)
        if (d->edits[i].kind != ' ')
            last = i;
    return last + 1 + CONTEXT < d->count ? last + 1 + CONTEXT : d->count;
}

static void write_part(const struct diff *d, size_t from, size_t to, size_t a_line, size_t b_line,
                       struct buf *out)
{
    size_t a_lines = 0;
    size_t b_lines = 0;
    for (size_t i = from; i < to; i++) {
        a_lines += d->edits[i].kind != '+';
        b_lines += d->edits[i].kind != '-';
    }
    /* A side without lines is named by the line before it. */
    buf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", a_line + (a_lines > 0), a_lines,
               b_line + (b_lines > 0), b_lines);
    for (size_t i = from; i < to; i++)
        buf_printf(out, "%c%.*s\n", d->edits[i].kind, STR_ARG(d->edits[i].line));
}

static void write_parts(const struct diff *d, struct buf *out)
{
    size_t a_line = 0; /* of each text before edit `done` */
    size_t b_line = 0;
    size_t done = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (d->edits[i].kind == ' ')
            continue;
        size_t from = i - done > CONTEXT ? i - CONTEXT : done;
        size_t to = end_of_part(d, i);
        for (; done < from; done++, a_line++, b_line++) {
        }
        write_part(d, from, to, a_line, b_line, out);
        for (; done < to; done++) {
            a_line += d->edits[done].kind != '+';
            b_line += d->edits[done].kind != '-';
        }
        i = to - 1;
    }
}

void diff_unified(struct str a, struct str b, const char *a_name, const char *b_name,
                  struct buf *out)
{
    struct diff d = { .count = 0 };
    if (str_eq(a, b))
        return;
    arena_init(&d.arena);
    d.a = split(&d.arena, a, &d.a_count);
    d.b = split(&d.arena, b, &d.b_count);
    d.edits = arena_array(&d.arena, d.a_count + d.b_count + 1, sizeof *d.edits);
    edit_all(&d);
    buf_printf(out, "--- %s\n+++ %s\n", a_name, b_name);
    write_parts(&d, out);
    arena_deinit(&d.arena);
}
