/* Two walks that count, and end at the first list with which there are too many. */
#include "api/schema/items.h"

#include "api/schema/path.h"
#include "api/schema/wire.h"
#include "base/arena.h"
#include "base/buf.h"

struct counter {
    struct arena *arena;
    size_t count;
    size_t most;
    struct schema_surplus *out;
};

static bool refuse(struct counter *c, const struct path *p)
{
    struct buf text;
    buf_init(&text);
    path_write(&text, p, true);
    *c->out = (struct schema_surplus){ str_copy(c->arena, buf_str(&text)), c->count };
    buf_deinit(&text);
    return false;
}

/* Maps of strings and bytes are not counted. */
static bool is_counted(const struct schema_field *f)
{
    return f->card == SCHEMA_LIST || (f->card == SCHEMA_MAP && f->type == SCHEMA_MESSAGE);
}

static bool has_members(const struct schema_field *f)
{
    return f->type == SCHEMA_MESSAGE && f->message->form == SCHEMA_FORM_OBJECT;
}

/* ---- JSON ---- */

static bool count_object(struct counter *c, const struct schema *s, const struct json *j,
                         const struct path *up, int depth);

static bool count_value(struct counter *c, const struct schema_field *f, const struct json *j,
                        const struct path *p, int depth)
{
    enum json_type many = f->card == SCHEMA_MAP ? JSON_OBJECT : JSON_ARRAY;
    bool fits = true;
    if (f->card == SCHEMA_ONE)
        return !has_members(f) || count_object(c, f->message, j, p, depth);
    if (!is_counted(f) || j->type != many)
        return true;
    c->count += j->count;
    if (c->count > c->most)
        return refuse(c, p);
    for (size_t i = 0; has_members(f) && i < j->count && fits; i++) {
        const struct json *item = many == JSON_ARRAY ? &j->u.items[i] : &j->u.members[i].value;
        struct path at = { .up = p, .index = (ptrdiff_t)i };
        fits = count_object(c, f->message, item, &at, depth);
    }
    return fits;
}

static bool count_object(struct counter *c, const struct schema *s, const struct json *j,
                         const struct path *up, int depth)
{
    bool fits = true;
    if (j->type != JSON_OBJECT || depth > SCHEMA_DEPTH_MAX)
        return true;
    for (size_t i = 0; i < j->count && fits; i++) {
        const struct json_member *m = &j->u.members[i];
        struct path p = { .up = up, .name = m->key, .index = -1 };
        const struct schema_field *f =
            m->value.type < JSON_ARRAY ? NULL : schema_find_field(s, m->key);
        fits = f == NULL || count_value(c, f, &m->value, &p, depth + 1);
    }
    return fits;
}

bool schema_items_fit(struct arena *a, const struct schema *s, const struct json *j, size_t most,
                      struct schema_surplus *out)
{
    struct counter c = { .arena = a, .most = most, .out = out };
    struct path root = PATH_ROOT;
    return count_object(&c, s, j, &root, 0);
}

size_t schema_items_count(const struct schema *s, const struct json *j)
{
    struct counter c = { .most = SIZE_MAX };
    struct path root = PATH_ROOT;
    (void)count_object(&c, s, j, &root, 0);
    return c.count;
}

/* ---- protobuf ---- */

/* What one field on the wire adds: an item, or the numbers of a packed list. */
static size_t items_of(const struct schema_field *f, const struct wire_field *w)
{
    size_t count = 0;
    if (!is_counted(f))
        return 0;
    if (f->card != SCHEMA_LIST || f->type >= SCHEMA_STRING || w->wire != WIRE_LENGTH)
        return 1;
    if (f->type == SCHEMA_DOUBLE)
        return w->bytes.len / sizeof(double);
    for (size_t i = 0; i < w->bytes.len; i++) /* a varint ends with a byte without the high bit */
        count += (uint8_t)w->bytes.data[i] < 0x80;
    return count;
}

static bool count_message(struct counter *c, const struct schema *s, struct str bytes,
                          const struct path *up, int depth)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    const uint8_t *end = at + bytes.len;
    struct wire_field w;
    bool fits = true;
    for (; at < end && fits && depth <= SCHEMA_DEPTH_MAX && wire_next(at, end, &w); at = w.next) {
        const struct schema_field *f = schema_field_by_number(s, w.number);
        if (f == NULL)
            continue;
        struct path p = { .up = up, .name = f->name, .index = -1 };
        c->count += items_of(f, &w);
        if (c->count > c->most)
            return refuse(c, &p);
        /* What a map has for values are no messages with lists. */
        if (has_members(f) && f->card != SCHEMA_MAP && w.wire == WIRE_LENGTH)
            fits = count_message(c, f->message, w.bytes, &p, depth + 1);
    }
    return fits;
}

bool schema_items_fit_wire(struct arena *a, const struct schema *s, struct str bytes,
                           struct schema_surplus *out)
{
    struct counter c = { .arena = a, .most = SCHEMA_ITEMS_MAX, .out = out };
    struct path root = PATH_ROOT;
    return count_message(&c, s, bytes, &root, 0);
}
