/* JSON tree → YAML text in go-yaml v2's style, through libyaml's emitter (go-yaml is its port). */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "api/schema/yaml.h"
#include "api/schema/yaml_scalar.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct yaml_writer {
    yaml_emitter_t emitter;
    struct buf *out;
};

static int emit_node(struct yaml_writer *w, const struct json *j);

static int on_write(void *data, unsigned char *buffer, size_t size)
{
    struct yaml_writer *w = data;
    buf_append(w->out, buffer, size);
    return 1;
}

static int emit(struct yaml_writer *w, yaml_event_t *event, int initialized)
{
    return initialized != 0 && yaml_emitter_emit(&w->emitter, event) != 0 ? 0 : -ERR_INTERNAL;
}

static int emit_scalar(struct yaml_writer *w, struct str text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    const char *data = text.data == NULL ? "" : text.data;
    return emit(w, &event,
                yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)data,
                                             (int)text.len, 1, 1, style));
}

static int emit_string(struct yaml_writer *w, struct str text)
{
    if (text.len > 0 && memchr(text.data, '\n', text.len) != NULL)
        return emit_scalar(w, text, YAML_LITERAL_SCALAR_STYLE);
    return emit_scalar(w, text,
                       yaml_needs_quotes(text) ? YAML_DOUBLE_QUOTED_SCALAR_STYLE
                                               : YAML_PLAIN_SCALAR_STYLE);
}

/* ---- key order ---- */

static bool is_letter(unsigned char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* The number that starts at, its value and where it ends. */
static uint64_t number_at(struct str s, size_t at, size_t *end)
{
    uint64_t value = 0;
    for (; at < s.len && is_digit((unsigned char)s.data[at]); at++)
        value = value * 10 + (uint64_t)(s.data[at] - '0');
    *end = at;
    return value;
}

/* Whether the digits before at make a number that is already under way. */
static bool inside_number(struct str s, size_t at)
{
    while (at > 0 && is_digit((unsigned char)s.data[at - 1])) {
        if (s.data[--at] != '0')
            return true;
    }
    return false;
}

/* go-yaml's order: numbers by value, letters behind everything else. Letters beyond ASCII are taken
 * by their bytes. */
static int natural_cmp(struct str a, struct str b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        unsigned char x = (unsigned char)a.data[i];
        unsigned char y = (unsigned char)b.data[i];
        size_t x_end;
        size_t y_end;
        if (x == y)
            continue;
        bool x_letter = is_letter(x) || x >= 0x80;
        bool y_letter = is_letter(y) || y >= 0x80;
        if (x_letter && y_letter)
            return x < y ? -1 : 1;
        if (x_letter || y_letter)
            return y_letter ? -1 : 1;
        uint64_t m = number_at(a, i, &x_end);
        uint64_t n = number_at(b, i, &y_end);
        bool zero = (x == '0' || y == '0') && inside_number(a, i);
        if (m != n && !zero)
            return m < n ? -1 : 1;
        if (x_end != y_end)
            return x_end < y_end ? -1 : 1;
        return x < y ? -1 : 1;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

static int member_cmp(const void *x, const void *y)
{
    const struct json_member *const *a = x;
    const struct json_member *const *b = y;
    return natural_cmp((*a)->key, (*b)->key);
}

static int emit_object(struct yaml_writer *w, const struct json *j)
{
    yaml_event_t event;
    const struct json_member **sorted = mem_alloc((j->count + 1) * sizeof(*sorted));
    for (size_t i = 0; i < j->count; i++)
        sorted[i] = &j->u.members[i];
    qsort(sorted, j->count, sizeof(*sorted), member_cmp);
    int rc =
        emit(w, &event,
             yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
    for (size_t i = 0; i < j->count && rc == 0; i++) {
        rc = emit_string(w, sorted[i]->key);
        if (rc == 0)
            rc = emit_node(w, &sorted[i]->value);
    }
    mem_free(sorted);
    return rc == 0 ? emit(w, &event, yaml_mapping_end_event_initialize(&event)) : rc;
}

static int emit_array(struct yaml_writer *w, const struct json *j)
{
    yaml_event_t event;
    int rc = emit(
        w, &event,
        yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
    for (size_t i = 0; i < j->count && rc == 0; i++)
        rc = emit_node(w, &j->u.items[i]);
    return rc == 0 ? emit(w, &event, yaml_sequence_end_event_initialize(&event)) : rc;
}

static int emit_node(struct yaml_writer *w, const struct json *j)
{
    struct buf text;
    switch (j->type) {
    case JSON_OBJECT:
        return emit_object(w, j);
    case JSON_ARRAY:
        return emit_array(w, j);
    case JSON_STRING:
        return emit_string(w, json_str(j));
    default:
        buf_init(&text);
        json_write(&text, j, false);
        int rc = emit_scalar(w, buf_str(&text), YAML_PLAIN_SCALAR_STYLE);
        buf_deinit(&text);
        return rc;
    }
}

static int emit_stream(struct yaml_writer *w, const struct json *j)
{
    yaml_event_t event;
    int rc = emit(w, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    if (rc == 0)
        rc = emit(w, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
    if (rc == 0)
        rc = emit_node(w, j);
    if (rc == 0)
        rc = emit(w, &event, yaml_document_end_event_initialize(&event, 1));
    if (rc == 0)
        rc = emit(w, &event, yaml_stream_end_event_initialize(&event));
    return rc;
}

int yaml_write(struct buf *b, const struct json *j, struct err *e)
{
    struct yaml_writer w = { .out = b };
    if (yaml_emitter_initialize(&w.emitter) == 0)
        return err_set(e, ERR_INTERNAL, "yaml: no emitter");
    yaml_emitter_set_output(&w.emitter, on_write, &w);
    yaml_emitter_set_unicode(&w.emitter, 1);
    yaml_emitter_set_indent(&w.emitter, 2);
    int rc = emit_stream(&w, j);
    if (rc != 0)
        rc = err_set(e, ERR_INTERNAL, "yaml: %s",
                     w.emitter.problem == NULL ? "cannot print" : w.emitter.problem);
    yaml_emitter_delete(&w.emitter);
    return rc;
}
