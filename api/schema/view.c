/* Presence is encode.c's, said of structs instead of stored bytes; the tests hold them together. */
#include "api/schema/view.h"

#include <stdlib.h>
#include <string.h>

#include "api/schema/access.h"
#include "api/schema/codec.h"
#include "base/arena.h"

static bool same_message(struct arena *a, const struct schema *s, const void *x, const void *y);

/* A zero of every type, for value fields of messages that are not there. */
static const union {
    int64_t integer;
    ProtobufCBinaryData bytes;
    void *pointer;
} zero;

/* ---- presence ---- */

static bool is_form(const struct schema_field *f, enum schema_form form)
{
    return f->type == SCHEMA_MESSAGE && f->message->form == form;
}

static const void *pointer_at(const void *at)
{
    const void *p;
    memcpy(&p, at, sizeof(p));
    return p;
}

static struct str string_at(const void *at)
{
    const char *text = pointer_at(at);
    return text == NULL ? (struct str){ 0 } : str_from(text);
}

static ProtobufCBinaryData bytes_at(const void *at)
{
    ProtobufCBinaryData b;
    memcpy(&b, at, sizeof(b));
    return b;
}

/* What omitempty leaves out; messages never are. */
static bool is_zero(const struct schema_field *f, const void *at)
{
    int64_t wide = 0;
    switch (f->type) {
    case SCHEMA_STRING:
        return string_at(at).len == 0;
    case SCHEMA_BYTES:
    case SCHEMA_TEXT_BYTES:
        return bytes_at(at).len == 0;
    case SCHEMA_BOOL:
        return *(const protobuf_c_boolean *)at == 0;
    case SCHEMA_MESSAGE:
        return false;
    default:
        memcpy(&wide, at, type_size(f->type));
        return wide == 0;
    }
}

static bool is_zero_time(const struct schema_field *f, const void *message)
{
    return (is_form(f, SCHEMA_FORM_TIME) || is_form(f, SCHEMA_FORM_MICRO_TIME)) &&
           (message == NULL || !field_has(message, &f->message->fields[0]));
}

static struct schema_view view_one(const struct schema_field *f, const void *message)
{
    struct schema_view v = { .presence = SCHEMA_PRESENT };
    bool set = message != NULL;
    bool always = (f->flags & SCHEMA_ALWAYS) != 0;
    bool nil = (f->flags & SCHEMA_POINTER) != 0 || is_form(f, SCHEMA_FORM_STRING_LIST);
    v.at = message == NULL ? (const void *)&zero : field_at_const(message, f);
    if (set)
        set = f->quantifier != 0 ? field_has(message, f) : field_pointer(message, f) != NULL;
    if (!set && f->quantifier != 0)
        v.at = &zero;
    if (!set && (nil || (f->type == SCHEMA_BYTES && always)))
        v.presence = always ? SCHEMA_NULL : SCHEMA_ABSENT;
    else if (nil || f->type == SCHEMA_MESSAGE)
        v.presence = (f->flags & SCHEMA_OMITZERO) != 0 && is_zero_time(f, pointer_at(v.at))
                         ? SCHEMA_ABSENT
                         : SCHEMA_PRESENT;
    else if (!always && is_zero(f, v.at))
        v.presence = SCHEMA_ABSENT;
    return v;
}

struct schema_view schema_view_field(const struct schema_field *f, const struct schema_field *via,
                                     const void *message)
{
    if (via != NULL)
        message = message == NULL ? NULL : field_pointer(message, via);
    if (f->card == SCHEMA_ONE)
        return view_one(f, message);
    struct schema_view v = { .count = message == NULL ? 0 : field_count(message, f) };
    if (v.count > 0) {
        v.presence = SCHEMA_PRESENT;
        v.at = field_pointer(message, f);
    } else if ((f->flags & SCHEMA_ITEMS) != 0) {
        v.presence = SCHEMA_PRESENT;
    } else if ((f->flags & SCHEMA_ALWAYS) != 0) {
        v.presence = SCHEMA_NULL;
    }
    return v;
}

const void *schema_view_message(const void *at)
{
    return pointer_at(at);
}

const void *schema_view_item(const struct schema_field *f, const struct schema_view *v, size_t i)
{
    return (const char *)v->at + i * type_size(f->type);
}

static int compare_entries(const void *x, const void *y)
{
    const struct schema_entry *a = x;
    const struct schema_entry *b = y;
    int c = str_cmp(a->key, b->key);
    return c != 0 ? c : (a->index > b->index) - (a->index < b->index);
}

struct schema_entries schema_view_entries(struct arena *a, const struct schema_field *f,
                                          const struct schema_view *v)
{
    struct schema_entries out = { .at = arena_array(a, v->count, sizeof(*out.at)) };
    bool sorted = true;
    for (size_t i = 0; i < v->count; i++) {
        const char *entry = pointer_at((const char *)v->at + i * sizeof(void *));
        out.at[i].key = string_at(entry + f->entry_key);
        out.at[i].at = entry + f->entry_value;
        out.at[i].index = i;
        sorted = sorted && (i == 0 || str_cmp(out.at[i - 1].key, out.at[i].key) < 0);
    }
    if (!sorted)
        qsort(out.at, v->count, sizeof(*out.at), compare_entries);
    for (size_t i = 0; i < v->count; i++) {
        if (i + 1 == v->count || !str_eq(out.at[i].key, out.at[i + 1].key))
            out.at[out.count++] = out.at[i];
    }
    return out;
}

bool schema_view_members(const struct schema *s, const void *message)
{
    for (size_t i = 0; i < s->field_count; i++) {
        const struct schema_field *f = &s->fields[i];
        if ((f->flags & SCHEMA_INLINE) != 0) {
            if (schema_view_members(f->message, message == NULL ? NULL : field_pointer(message, f)))
                return true;
        } else if (schema_view_field(f, NULL, message).presence != SCHEMA_ABSENT) {
            return true;
        }
    }
    return false;
}

/* ---- values ---- */

static int64_t integer_at(const struct schema_field *f, const void *at)
{
    int32_t narrow;
    int64_t wide;
    if (f->type == SCHEMA_INT32) {
        memcpy(&narrow, at, sizeof(narrow));
        return narrow;
    }
    memcpy(&wide, at, sizeof(wide));
    return wide;
}

static double double_at(const void *at)
{
    double d;
    memcpy(&d, at, sizeof(d));
    return d;
}

bool schema_view_scalar(const struct schema_field *f, const void *at, struct json *out)
{
    switch (f->type) {
    case SCHEMA_BOOL:
        *out = json_bool(*(const protobuf_c_boolean *)at != 0);
        return true;
    case SCHEMA_INT32:
    case SCHEMA_INT64:
        *out = json_int(integer_at(f, at));
        return true;
    case SCHEMA_DOUBLE:
        *out = json_double(double_at(at));
        return true;
    case SCHEMA_STRING:
        *out = json_string(string_at(at));
        return true;
    default:
        return false;
    }
}

static int64_t form_integer(const struct schema_field *f, const void *message)
{
    return message == NULL ? 0 : integer_at(f, field_at_const(message, f));
}

static bool same_time(const struct schema *s, const void *x, const void *y)
{
    const struct schema_field *f = s->fields;
    bool has_x = x != NULL && field_has(x, &f[0]);
    bool has_y = y != NULL && field_has(y, &f[0]);
    if (!has_x || !has_y)
        return has_x == has_y;
    /* Six digits are shown. */
    return form_integer(&f[0], x) == form_integer(&f[0], y) &&
           (s->form == SCHEMA_FORM_TIME ||
            form_integer(&f[1], x) / 1000 == form_integer(&f[1], y) / 1000);
}

static struct str form_string(const struct schema_field *f, const void *message)
{
    return message == NULL ? (struct str){ 0 } : string_at(field_at_const(message, f));
}

static bool same_quantity(const struct schema *s, const void *x, const void *y)
{
    struct str a = form_string(&s->fields[0], x);
    struct str b = form_string(&s->fields[0], y);
    return str_eq(a.len == 0 ? str_lit("0") : a, b.len == 0 ? str_lit("0") : b);
}

static bool same_int_or_string(const struct schema *s, const void *x, const void *y)
{
    bool text = form_integer(&s->fields[0], x) == 1;
    if (text != (form_integer(&s->fields[0], y) == 1))
        return false;
    return text ? str_eq(form_string(&s->fields[2], x), form_string(&s->fields[2], y))
                : form_integer(&s->fields[1], x) == form_integer(&s->fields[1], y);
}

static struct str raw_of(const struct schema *s, const void *message)
{
    if (message == NULL)
        return (struct str){ 0 };
    ProtobufCBinaryData b = bytes_at(field_at_const(message, &s->fields[0]));
    struct str raw = str_of(b.data, b.len);
    return raw.len == 0 || envelope_is(raw) || json_check(raw, NULL) != 0 ? (struct str){ 0 } : raw;
}

/* Written by whomever: members may stand in another order. */
static bool same_raw(struct arena *a, const struct schema *s, const void *x, const void *y)
{
    struct str left = raw_of(s, x);
    struct str right = raw_of(s, y);
    const struct json *j = &json_null;
    const struct json *k = &json_null;
    if (str_eq(left, right))
        return true;
    if (left.len > 0 && json_parse(a, left, &j, NULL) != 0)
        return false;
    if (right.len > 0 && json_parse(a, right, &k, NULL) != 0)
        return false;
    return json_equal(j, k);
}

static bool same_fields(struct arena *a, const struct schema *s, const void *x, const void *y)
{
    for (size_t i = 0; i < s->field_count; i++) {
        const struct schema_field *f = &s->fields[i];
        if ((f->flags & SCHEMA_INLINE) != 0) {
            if (!same_fields(a, f->message, x == NULL ? NULL : field_pointer(x, f),
                             y == NULL ? NULL : field_pointer(y, f)))
                return false;
            continue;
        }
        const struct schema_view v = schema_view_field(f, NULL, x);
        const struct schema_view w = schema_view_field(f, NULL, y);
        if (!schema_view_same(a, f, &v, &w))
            return false;
    }
    return true;
}

static bool same_message(struct arena *a, const struct schema *s, const void *x, const void *y)
{
    switch (s->form) {
    case SCHEMA_FORM_TIME:
    case SCHEMA_FORM_MICRO_TIME:
        return same_time(s, x, y);
    case SCHEMA_FORM_QUANTITY:
        return same_quantity(s, x, y);
    case SCHEMA_FORM_INT_OR_STRING:
        return same_int_or_string(s, x, y);
    case SCHEMA_FORM_RAW:
        return same_raw(a, s, x, y);
    case SCHEMA_FORM_DURATION:
        return form_integer(&s->fields[0], x) == form_integer(&s->fields[0], y);
    default:
        return same_fields(a, s, x, y); /* a string list is its one field */
    }
}

bool schema_view_same_value(struct arena *a, const struct schema_field *f, const void *x,
                            const void *y)
{
    switch (f->type) {
    case SCHEMA_BOOL:
        return *(const protobuf_c_boolean *)x == *(const protobuf_c_boolean *)y;
    case SCHEMA_DOUBLE:
        return double_at(x) == double_at(y);
    case SCHEMA_STRING:
        return str_eq(string_at(x), string_at(y));
    case SCHEMA_BYTES:
    case SCHEMA_TEXT_BYTES:
        return str_eq(str_of(bytes_at(x).data, bytes_at(x).len),
                      str_of(bytes_at(y).data, bytes_at(y).len));
    case SCHEMA_MESSAGE:
        return same_message(a, f->message, pointer_at(x), pointer_at(y));
    default:
        return integer_at(f, x) == integer_at(f, y);
    }
}

/* ---- lists and maps ---- */

static bool same_list(struct arena *a, const struct schema_field *f, const struct schema_view *x,
                      const struct schema_view *y)
{
    for (size_t i = 0; i < x->count; i++) {
        if (!schema_view_same_value(a, f, schema_view_item(f, x, i), schema_view_item(f, y, i)))
            return false;
    }
    return true;
}

static bool same_map(struct arena *a, const struct schema_field *f, const struct schema_view *x,
                     const struct schema_view *y)
{
    struct schema_entries left = schema_view_entries(a, f, x);
    struct schema_entries right = schema_view_entries(a, f, y);
    if (left.count != right.count)
        return false;
    for (size_t i = 0; i < left.count; i++) {
        if (!str_eq(left.at[i].key, right.at[i].key) ||
            !schema_view_same_value(a, f, left.at[i].at, right.at[i].at))
            return false;
    }
    return true;
}

bool schema_view_same(struct arena *a, const struct schema_field *f, const struct schema_view *x,
                      const struct schema_view *y)
{
    if (x->presence != y->presence || x->presence != SCHEMA_PRESENT)
        return x->presence == y->presence;
    if (f->card == SCHEMA_ONE)
        return schema_view_same_value(a, f, x->at, y->at);
    if (f->card == SCHEMA_MAP)
        return same_map(a, f, x, y);
    return x->count == y->count && same_list(a, f, x, y);
}
