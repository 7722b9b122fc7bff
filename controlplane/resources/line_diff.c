/*
 * The longest run of lines that both texts have, then the same to its left and to its right
 * (Ratcliff and Obershelp). Lines become numbers first: equal lines get equal ones.
 */
#include "controlplane/resources/line_diff.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"

#define CONTEXT_LINES 3
/* Of so many lines or more, those that come too often begin no block. */
#define POPULAR_FROM_LINES 200
#define POPULAR_PERCENT    1

struct lines {
    struct str *at;
    uint32_t *id; /* of each */
    size_t count;
};

/* A run of lines of both texts. */
struct block {
    size_t a;
    size_t b;
    size_t size;
};

/* Parts of both texts to be matched, or a block that was found between two of them. */
struct part {
    size_t a_from, a_to, b_from, b_to;
    struct block found; /* size 0: to be matched */
};

struct parts {
    struct part *at;
    size_t count;
    size_t capacity;
};

struct blocks {
    struct block *at;
    size_t count;
    size_t capacity;
};

struct matcher {
    struct arena *arena;
    struct lines a;
    struct lines b;
    const uint32_t *places; /* of lines in b, those of one id together, in order */
    const uint32_t *first;  /* by id: where its places start; one more at the end */
    uint32_t *run[2];       /* by line of b: how long the run is that ends there */
    size_t *row[2];         /* by line of b: of which line of a that is, and one */
    size_t *steps;
};

/* ---- lines ---- */

static struct lines split(struct arena *a, struct str text)
{
    struct lines l = { .count = 1 };
    for (size_t i = 0; i < text.len; i++)
        l.count += text.data[i] == '\n';
    l.at = arena_array(a, l.count, sizeof(*l.at));
    l.id = arena_array(a, l.count, sizeof(*l.id));
    size_t from = 0;
    for (size_t i = 0; i < l.count; i++) {
        ptrdiff_t end = str_find_char(text, '\n', from);
        size_t to = end < 0 ? text.len : (size_t)end;
        l.at[i] = str_slice(text, from, to);
        from = to + 1;
    }
    return l;
}

struct place {
    struct str text;
    uint32_t line; /* of a, then of b */
};

static int compare_places(const void *x, const void *y)
{
    const struct place *p = x;
    const struct place *q = y;
    int c = str_cmp(p->text, q->text);
    return c != 0 ? c : (p->line > q->line) - (p->line < q->line);
}

static void number_lines(struct matcher *m)
{
    size_t count = m->a.count + m->b.count;
    struct place *sorted = arena_array(m->arena, count, sizeof(*sorted));
    uint32_t *places = arena_array(m->arena, m->b.count, sizeof(*places));
    uint32_t *first = arena_array(m->arena, count + 1, sizeof(*first));
    uint32_t placed = 0;
    uint32_t id = 0;
    for (size_t i = 0; i < count; i++) {
        struct str text = i < m->a.count ? m->a.at[i] : m->b.at[i - m->a.count];
        sorted[i] = (struct place){ text, (uint32_t)i };
    }
    qsort(sorted, count, sizeof(*sorted), compare_places);
    for (size_t i = 0; i < count; i++) {
        size_t line = sorted[i].line;
        if (i > 0 && !str_eq(sorted[i].text, sorted[i - 1].text))
            first[++id] = placed;
        if (line < m->a.count) {
            m->a.id[line] = id;
        } else {
            m->b.id[line - m->a.count] = id;
            places[placed++] = (uint32_t)(line - m->a.count);
        }
    }
    first[id + 1] = placed;
    m->places = places;
    m->first = first;
}

/* ---- matching ---- */

static bool is_popular(const struct matcher *m, size_t times)
{
    return m->b.count >= POPULAR_FROM_LINES && times > m->b.count / 100 * POPULAR_PERCENT + 1;
}

/* All runs that end at line i of a. false: no steps are left. */
static bool match_line(struct matcher *m, const struct part *p, size_t i, struct block *best)
{
    const uint32_t *run = m->run[(i + 1) & 1];
    const size_t *row = m->row[(i + 1) & 1];
    uint32_t id = m->a.id[i];
    uint32_t from = m->first[id];
    uint32_t to = m->first[id + 1];
    to = is_popular(m, to - from) ? from : to;
    if (*m->steps <= to - from)
        return false;
    *m->steps -= to - from + 1;
    for (uint32_t k = from; k < to && m->places[k] < p->b_to; k++) {
        size_t j = m->places[k];
        if (j < p->b_from)
            continue;
        bool goes_on = i > p->a_from && j > p->b_from && row[j - 1] == i;
        uint32_t length = goes_on ? run[j - 1] + 1 : 1;
        m->run[i & 1][j] = length;
        m->row[i & 1][j] = i + 1;
        if (length > best->size)
            *best = (struct block){ i + 1 - length, j + 1 - length, length };
    }
    return true;
}

/* Popular lines beside it belong to it after all. */
static void widen(const struct matcher *m, const struct part *p, struct block *b)
{
    while (b->a > p->a_from && b->b > p->b_from && m->a.id[b->a - 1] == m->b.id[b->b - 1]) {
        b->a--;
        b->b--;
        b->size++;
    }
    while (b->a + b->size < p->a_to && b->b + b->size < p->b_to &&
           m->a.id[b->a + b->size] == m->b.id[b->b + b->size])
        b->size++;
}

static bool find_longest(struct matcher *m, const struct part *p, struct block *out)
{
    *out = (struct block){ p->a_from, p->b_from, 0 };
    for (size_t i = p->a_from; i < p->a_to; i++) {
        if (!match_line(m, p, i, out))
            return false;
    }
    widen(m, p, out);
    return true;
}

static void push(struct arena *a, struct parts *s, const struct part *p)
{
    s->at = arena_grow(a, s->at, s->count, &s->capacity, sizeof(*s->at));
    s->at[s->count++] = *p;
}

/* In order; two that touch are one, but for the empty one at the end. */
static void add_block(struct arena *a, struct blocks *s, const struct block *b)
{
    struct block *last = s->count == 0 ? NULL : &s->at[s->count - 1];
    if (b->size > 0 && last != NULL && last->a + last->size == b->a &&
        last->b + last->size == b->b) {
        last->size += b->size;
        return;
    }
    s->at = arena_grow(a, s->at, s->count, &s->capacity, sizeof(*s->at));
    s->at[s->count++] = *b;
}

static void push_around(struct matcher *m, struct parts *todo, const struct part *p,
                        const struct block *found)
{
    const struct part left = { p->a_from, found->a, p->b_from, found->b, { 0 } };
    const struct part middle = { .found = *found };
    const struct part right = {
        found->a + found->size, p->a_to, found->b + found->size, p->b_to, { 0 }
    };
    if (right.a_from < right.a_to && right.b_from < right.b_to)
        push(m->arena, todo, &right);
    push(m->arena, todo, &middle);
    if (left.a_from < left.a_to && left.b_from < left.b_to)
        push(m->arena, todo, &left);
}

static bool match_all(struct matcher *m, struct blocks *out)
{
    const struct part whole = { 0, m->a.count, 0, m->b.count, { 0 } };
    struct parts todo = { 0 };
    push(m->arena, &todo, &whole);
    while (todo.count > 0) {
        struct part p = todo.at[--todo.count];
        struct block found;
        if (p.found.size > 0) {
            add_block(m->arena, out, &p.found);
            continue;
        }
        if (!find_longest(m, &p, &found))
            return false;
        if (found.size > 0)
            push_around(m, &todo, &p, &found);
    }
    const struct block end = { m->a.count, m->b.count, 0 };
    add_block(m->arena, out, &end);
    return true;
}

/* ---- writing ---- */

/* A range as a unified diff counts it. */
static void put_range(struct buf *out, char sign, size_t from, size_t to)
{
    size_t first = to == from ? from : from + 1; /* of nothing: the line before */
    buf_printf(out, "%c%zu", sign, first);
    if (to - from != 1)
        buf_printf(out, ",%zu", to - from);
}

static void put_lines(struct buf *out, char sign, const struct lines *l, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        buf_append_byte(out, (uint8_t)sign);
        buf_append_str(out, l->at[i]);
        buf_append_byte(out, '\n');
    }
}

static bool reaches_end(const struct matcher *m, const struct block *b)
{
    return b->a + b->size == m->a.count && b->b + b->size == m->b.count;
}

/* The end of the hunk that starts between blocks first - 1 and first: the block after which nothing
 * changes for longer than the context of both sides, or at all. */
static size_t last_of_hunk(const struct matcher *m, const struct blocks *s, size_t first)
{
    size_t last = first;
    while (!reaches_end(m, &s->at[last]) && s->at[last].size <= (size_t)CONTEXT_LINES * 2)
        last++;
    return last;
}

static void put_hunk(struct buf *out, const struct matcher *m, const struct blocks *s, size_t first,
                     size_t last)
{
    static const struct block none = { 0 };
    const struct block *before = first == 0 ? &none : &s->at[first - 1];
    const struct block *after = &s->at[last];
    size_t lead = before->size < CONTEXT_LINES ? before->size : CONTEXT_LINES;
    size_t tail = after->size < CONTEXT_LINES ? after->size : CONTEXT_LINES;
    size_t a = before->a + before->size - lead;
    size_t b = before->b + before->size - lead;
    buf_append_c(out, "@@ ");
    put_range(out, '-', a, after->a + tail);
    buf_append_c(out, " ");
    put_range(out, '+', b, after->b + tail);
    buf_append_c(out, " @@\n");
    put_lines(out, ' ', &m->a, a, a + lead);
    a += lead;
    b += lead;
    for (size_t i = first; i <= last; i++) {
        size_t same = i == last ? tail : s->at[i].size;
        put_lines(out, '-', &m->a, a, s->at[i].a);
        put_lines(out, '+', &m->b, b, s->at[i].b);
        put_lines(out, ' ', &m->a, s->at[i].a, s->at[i].a + same);
        a = s->at[i].a + same;
        b = s->at[i].b + same;
    }
}

/* There is a change before each block, but before the first when both texts begin with it, and
 * before the empty one when both end with that before it. */
static void put_hunks(struct buf *out, const struct matcher *m, const struct blocks *s)
{
    size_t first = s->at[0].a == 0 && s->at[0].b == 0 ? 1 : 0;
    while (first == 0 || !reaches_end(m, &s->at[first - 1])) {
        size_t last = last_of_hunk(m, s, first);
        put_hunk(out, m, s, first, last);
        first = last + 1;
    }
}

bool line_diff(struct arena *a, struct buf *out, struct str from, struct str to, size_t *steps)
{
    struct matcher m = { .arena = a, .a = split(a, from), .b = split(a, to), .steps = steps };
    struct blocks found = { 0 };
    if (*steps <= m.a.count + m.b.count)
        return false;
    *steps -= m.a.count + m.b.count;
    number_lines(&m);
    for (size_t i = 0; i < 2; i++) {
        m.run[i] = arena_array(a, m.b.count, sizeof(*m.run[i]));
        m.row[i] = arena_array(a, m.b.count, sizeof(*m.row[i]));
    }
    if (!match_all(&m, &found))
        return false;
    put_hunks(out, &m, &found);
    return true;
}
