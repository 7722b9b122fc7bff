/*
 * Stored protobuf → JSON without a tree.
 *
 * JSON order is struct order, the wire's is field number: per message one scan notes where each
 * field lies, then fields are written in schema order. Lists and maps are scanned again from their
 * first to their last element, which are neighbours in what we store. Omission is upstream's.
 */
#include <stdlib.h>
#include <string.h>

#include "api/schema/access.h"
#include "api/schema/codec.h"
#include "api/schema/scalar.h"
#include "api/schema/wire.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/err.h"

/* Map entries sorted on the stack; more take the heap. */
#define ENTRIES_STACK 32

struct note {
    const uint8_t *first; /* tag of the first occurrence; NULL: absent */
    const uint8_t *last;  /* tag of the last one */
};

struct encoder {
    struct buf *out;
    struct str resource_version; /* for the object's own metadata; empty: as stored */
};

static int encode_message(struct encoder *c, const struct schema *s, struct str bytes,
                          struct str resource_version, int depth);

/* ---- scalars ---- */

static void put_base64(struct buf *b, struct str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = (const uint8_t *)s.data;
    buf_reserve(b, s.len / 3 * 4 + 6);
    char *out = (char *)b->data + b->len;
    char *start = out;
    *out++ = '"';
    size_t at = 0;
    for (; at + 3 <= s.len; at += 3) {
        uint32_t v = (uint32_t)p[at] << 16 | (uint32_t)p[at + 1] << 8 | p[at + 2];
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = digits[v >> 6 & 63];
        *out++ = digits[v & 63];
    }
    if (s.len - at > 0) {
        uint32_t v = (uint32_t)p[at] << 16 | (s.len - at == 2 ? (uint32_t)p[at + 1] << 8 : 0);
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = s.len - at == 2 ? digits[v >> 6 & 63] : '=';
        *out++ = '=';
    }
    *out++ = '"';
    b->len += (size_t)(out - start);
}

static void put_double(struct buf *b, uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    json_write_double(b, value);
}

static int put_value(struct encoder *c, const struct schema_field *f, const struct wire_field *w,
                     int depth)
{
    switch (f->type) {
    case SCHEMA_BOOL:
        buf_append_c(c->out, w->varint != 0 ? "true" : "false");
        return 0;
    case SCHEMA_INT32:
        json_write_int(c->out, (int32_t)w->varint);
        return 0;
    case SCHEMA_INT64:
        json_write_int(c->out, (int64_t)w->varint);
        return 0;
    case SCHEMA_DOUBLE:
        put_double(c->out, w->varint);
        return 0;
    case SCHEMA_STRING:
    case SCHEMA_TEXT_BYTES:
        json_write_string(c->out, w->bytes, true);
        return 0;
    case SCHEMA_BYTES:
        put_base64(c->out, w->bytes);
        return 0;
    default:
        return encode_message(c, f->message, w->bytes, (struct str){ 0 }, depth + 1);
    }
}

/* ---- forms ---- */

/* The last occurrence of a field, or zero. */
static struct wire_field find(const struct schema_field *f, struct str bytes)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    const uint8_t *end = at + bytes.len;
    struct wire_field w;
    struct wire_field found = { 0 };
    for (; at < end && wire_next(at, end, &w); at = w.next) {
        if (w.number == f->number)
            found = w;
    }
    return found;
}

/* A time that is not set, or Go's zero, is null. */
static void encode_time(struct encoder *c, const struct schema *s, struct str bytes)
{
    char text[SCALAR_TEXT_BYTES];
    bool micro = s->form == SCHEMA_FORM_MICRO_TIME;
    int64_t seconds = (int64_t)find(&s->fields[0], bytes).varint;
    int32_t nanos = micro ? (int32_t)find(&s->fields[1], bytes).varint : 0;
    if (bytes.len == 0 || (seconds == SCALAR_ZERO_TIME && nanos == 0)) {
        buf_append(c->out, "null", 4);
        return;
    }
    size_t len = micro ? scalar_micro_time(seconds, nanos, text) : scalar_time(seconds, text);
    buf_append_byte(c->out, '"');
    buf_append(c->out, text, len);
    buf_append_byte(c->out, '"');
}

/* JSON, as schema_scan saw to, or an object of another message, which has none here. */
static void encode_raw(struct encoder *c, struct str raw)
{
    if (raw.len == 0 || envelope_is(raw))
        buf_append(c->out, "null", 4);
    else
        json_compact(c->out, raw, true);
}

static void encode_string_list(struct encoder *c, const struct schema *s, struct str bytes)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    const uint8_t *end = at + bytes.len;
    struct wire_field w;
    bool comma = false;
    buf_append_byte(c->out, '[');
    for (; at < end && wire_next(at, end, &w); at = w.next) {
        if (w.number != s->fields[0].number || w.wire != WIRE_LENGTH)
            continue;
        if (comma)
            buf_append_byte(c->out, ',');
        json_write_string(c->out, w.bytes, true);
        comma = true;
    }
    buf_append_byte(c->out, ']');
}

static void encode_form(struct encoder *c, const struct schema *s, struct str bytes)
{
    char text[SCALAR_TEXT_BYTES];
    struct wire_field w;
    switch (s->form) {
    case SCHEMA_FORM_TIME:
    case SCHEMA_FORM_MICRO_TIME:
        encode_time(c, s, bytes);
        return;
    case SCHEMA_FORM_QUANTITY:
        w = find(&s->fields[0], bytes);
        json_write_string(c->out, w.bytes.len == 0 ? str_lit("0") : w.bytes, true);
        return;
    case SCHEMA_FORM_INT_OR_STRING:
        if (find(&s->fields[0], bytes).varint == 1)
            json_write_string(c->out, find(&s->fields[2], bytes).bytes, true);
        else
            json_write_int(c->out, (int32_t)find(&s->fields[1], bytes).varint);
        return;
    case SCHEMA_FORM_RAW:
        encode_raw(c, find(&s->fields[0], bytes).bytes);
        return;
    case SCHEMA_FORM_STRING_LIST:
        encode_string_list(c, s, bytes);
        return;
    default:
        buf_append_byte(c->out, '"');
        buf_append(c->out, text, scalar_duration((int64_t)find(&s->fields[0], bytes).varint, text));
        buf_append_byte(c->out, '"');
    }
}

/* ---- lists and maps ---- */

static int encode_packed(struct encoder *c, const struct schema_field *f, struct str bytes,
                         bool *comma)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    const uint8_t *end = at + bytes.len;
    while (at < end) {
        struct wire_field w = { 0 };
        if (f->type == SCHEMA_DOUBLE) {
            if (end - at < 8)
                return -ERR_CORRUPT;
            memcpy(&w.varint, at, 8);
            at += 8;
        } else {
            at = wire_varint(at, end, &w.varint);
            if (at == NULL)
                return -ERR_CORRUPT;
        }
        if (*comma)
            buf_append_byte(c->out, ',');
        *comma = true;
        (void)put_value(c, f, &w, 0); /* scalars do not fail */
    }
    return 0;
}

static int encode_list(struct encoder *c, const struct schema_field *f, const struct note *note,
                       const uint8_t *end, int depth)
{
    struct wire_field w;
    bool comma = false;
    buf_append_byte(c->out, '[');
    for (const uint8_t *at = note->first; at <= note->last && at != NULL; at = w.next) {
        if (!wire_next(at, end, &w))
            return -ERR_CORRUPT;
        if (w.number != f->number)
            continue;
        int rc = 0;
        if (w.wire == WIRE_LENGTH && f->type < SCHEMA_STRING) {
            rc = encode_packed(c, f, w.bytes, &comma);
        } else {
            if (comma)
                buf_append_byte(c->out, ',');
            comma = true;
            rc = put_value(c, f, &w, depth);
        }
        if (rc != 0)
            return rc;
    }
    buf_append_byte(c->out, ']');
    return 0;
}

struct entry {
    struct str key;
    struct wire_field value;
};

static int entry_cmp(const void *x, const void *y)
{
    return str_cmp(((const struct entry *)x)->key, ((const struct entry *)y)->key);
}

static int read_entry(struct str bytes, struct entry *out)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    const uint8_t *end = at + bytes.len;
    struct wire_field w;
    *out = (struct entry){ 0 };
    for (; at < end; at = w.next) {
        if (!wire_next(at, end, &w))
            return -ERR_CORRUPT;
        if (w.number == 1 && w.wire == WIRE_LENGTH)
            out->key = w.bytes;
        else if (w.number == 2)
            out->value = w;
    }
    return 0;
}

static int collect_entries(const struct schema_field *f, const struct note *note,
                           const uint8_t *end, struct entry **entries, struct entry *stack,
                           size_t *out_count)
{
    struct wire_field w;
    size_t capacity = ENTRIES_STACK;
    size_t count = 0;
    for (const uint8_t *at = note->first; at <= note->last && at != NULL; at = w.next) {
        if (!wire_next(at, end, &w))
            return -ERR_CORRUPT;
        if (w.number != f->number || w.wire != WIRE_LENGTH)
            continue;
        if (count == capacity) {
            bool on_stack = *entries == stack;
            capacity *= 2;
            *entries = mem_realloc(on_stack ? NULL : *entries, capacity * sizeof(**entries));
            if (on_stack)
                memcpy(*entries, stack, count * sizeof(*stack));
        }
        int rc = read_entry(w.bytes, &(*entries)[count++]);
        if (rc != 0)
            return rc;
    }
    *out_count = count;
    return 0;
}

static int put_entries(struct encoder *c, const struct schema_field *f, struct entry *entries,
                       size_t count, int depth)
{
    bool sorted = true;
    for (size_t i = 1; i < count && sorted; i++)
        sorted = str_cmp(entries[i - 1].key, entries[i].key) <= 0;
    if (!sorted)
        qsort(entries, count, sizeof(*entries), entry_cmp);
    bool comma = false;
    buf_append_byte(c->out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && str_eq(entries[i].key, entries[i + 1].key))
            continue; /* the last one wins */
        if (comma)
            buf_append_byte(c->out, ',');
        comma = true;
        json_write_string(c->out, entries[i].key, true);
        buf_append_byte(c->out, ':');
        int rc = put_value(c, f, &entries[i].value, depth);
        if (rc != 0)
            return rc;
    }
    buf_append_byte(c->out, '}');
    return 0;
}

static int encode_map(struct encoder *c, const struct schema_field *f, const struct note *note,
                      const uint8_t *end, int depth)
{
    struct entry stack[ENTRIES_STACK];
    struct entry *entries = stack;
    size_t count = 0;
    int rc = collect_entries(f, note, end, &entries, stack, &count);
    if (rc == 0)
        rc = put_entries(c, f, entries, count, depth);
    if (entries != stack)
        mem_free(entries);
    return rc;
}

/* ---- objects ---- */

static void put_name(struct encoder *c, struct str name, bool *comma)
{
    struct buf *b = c->out;
    buf_reserve(b, name.len + 4);
    if (*comma)
        b->data[b->len++] = ',';
    *comma = true;
    b->data[b->len++] = '"';
    memcpy(b->data + b->len, name.data, name.len);
    b->len += name.len;
    b->data[b->len++] = '"';
    b->data[b->len++] = ':';
}

/* Whether a field that is there, or would be zero, is left out. */
static bool omitted(const struct schema_field *f, bool present, const struct wire_field *w)
{
    if ((f->flags & SCHEMA_POINTER) != 0)
        return !present && (f->flags & SCHEMA_ALWAYS) == 0;
    if (f->type == SCHEMA_MESSAGE) {
        if (f->message->form == SCHEMA_FORM_STRING_LIST)
            return !present && (f->flags & SCHEMA_ALWAYS) == 0;
        return (f->flags & SCHEMA_OMITZERO) != 0 && w->bytes.len == 0;
    }
    if ((f->flags & SCHEMA_ALWAYS) != 0)
        return false;
    return f->type >= SCHEMA_STRING ? w->bytes.len == 0 : w->varint == 0;
}

static bool prints_null(const struct schema_field *f)
{
    return (f->flags & SCHEMA_POINTER) != 0 || f->type == SCHEMA_BYTES ||
           (f->type == SCHEMA_MESSAGE && f->message->form == SCHEMA_FORM_STRING_LIST);
}

static int encode_one(struct encoder *c, const struct schema_field *f, const struct note *note,
                      const uint8_t *end, struct str resource_version, int depth, bool *comma)
{
    struct wire_field w = { .wire = type_wire(f->type) };
    bool present = note->last != NULL;
    if (present && (!wire_next(note->last, end, &w) || w.wire != type_wire(f->type)))
        return -ERR_CORRUPT;
    if (resource_version.len > 0 && f->type == SCHEMA_STRING &&
        str_eq_c(f->name, "resourceVersion")) {
        w.bytes = resource_version;
        present = true;
    }
    if (omitted(f, present, &w))
        return 0;
    put_name(c, f->name, comma);
    if (!present && prints_null(f)) {
        buf_append(c->out, "null", 4);
        return 0;
    }
    if (depth == 0 && c->resource_version.len > 0 && str_eq_c(f->name, "metadata") &&
        f->type == SCHEMA_MESSAGE)
        return encode_message(c, f->message, w.bytes, c->resource_version, 1);
    return put_value(c, f, &w, depth);
}

static int encode_field(struct encoder *c, const struct schema_field *f, const struct note *note,
                        const uint8_t *end, struct str resource_version, int depth, bool *comma)
{
    if (f->card == SCHEMA_ONE)
        return encode_one(c, f, note, end, resource_version, depth, comma);
    if (note->first == NULL) {
        if ((f->flags & (SCHEMA_ALWAYS | SCHEMA_ITEMS)) != 0) {
            put_name(c, f->name, comma);
            buf_append_c(c->out, (f->flags & SCHEMA_ITEMS) != 0 ? "[]" : "null");
        }
        return 0;
    }
    put_name(c, f->name, comma);
    return f->card == SCHEMA_LIST ? encode_list(c, f, note, end, depth)
                                  : encode_map(c, f, note, end, depth);
}

/* The members of an object; those of inline messages among them. */
static int encode_fields(struct encoder *c, const struct schema *s, struct str bytes,
                         struct str resource_version, int depth, bool *comma)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    const uint8_t *end = at + bytes.len;
    struct wire_field w;
    struct note notes[SCHEMA_FIELDS_MAX];
    memset(notes, 0, s->field_count * sizeof(notes[0]));
    for (; at < end; at = w.next) {
        if (!wire_next(at, end, &w))
            return -ERR_CORRUPT;
        if (w.number > s->number_max || s->number_index[w.number] == 0xff)
            continue;
        struct note *note = &notes[s->number_index[w.number]];
        if (note->first == NULL)
            note->first = at;
        note->last = at;
    }
    for (size_t i = 0; i < s->field_count; i++) {
        const struct schema_field *f = &s->fields[i];
        int rc;
        if ((f->flags & SCHEMA_INLINE) != 0) {
            w = (struct wire_field){ .wire = WIRE_LENGTH };
            if (notes[i].last != NULL && !wire_next(notes[i].last, end, &w))
                return -ERR_CORRUPT;
            rc = encode_fields(c, f->message, w.bytes, (struct str){ 0 }, depth + 1, comma);
        } else {
            rc = encode_field(c, f, &notes[i], end, resource_version, depth, comma);
        }
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int encode_message(struct encoder *c, const struct schema *s, struct str bytes,
                          struct str resource_version, int depth)
{
    bool comma = false;
    if (depth > SCHEMA_DEPTH_MAX)
        return -ERR_CORRUPT;
    if (s->form != SCHEMA_FORM_OBJECT) {
        encode_form(c, s, bytes);
        return 0;
    }
    buf_append_byte(c->out, '{');
    int rc = encode_fields(c, s, bytes, resource_version, depth, &comma);
    buf_append_byte(c->out, '}');
    return rc;
}

int schema_encode_json(struct buf *b, const struct schema *s, struct str stored,
                       const struct encoding *encoding, struct err *e)
{
    static const struct encoding none;
    if (encoding == NULL)
        encoding = &none;
    struct encoder c = { .out = b, .resource_version = encoding->resource_version };
    bool comma = false;
    ASSERT(s->form == SCHEMA_FORM_OBJECT);
    buf_append_byte(b, '{');
    if (encoding->kind.len > 0) {
        put_name(&c, str_lit("kind"), &comma);
        json_write_string(b, encoding->kind, true);
    }
    if (encoding->api_version.len > 0) {
        put_name(&c, str_lit("apiVersion"), &comma);
        json_write_string(b, encoding->api_version, true);
    }
    int rc = encode_fields(&c, s, stored, (struct str){ 0 }, 0, &comma);
    buf_append_byte(b, '}');
    return rc == 0 ? 0 : err_set(e, ERR_CORRUPT, "stored %s is malformed", s->name);
}

int schema_struct_to_json(struct buf *b, const struct schema *s, const void *message,
                          const struct encoding *encoding, struct err *e)
{
    struct buf stored;
    buf_init(&stored);
    schema_pack(&stored, s, message);
    int rc = schema_encode_json(b, s, buf_str(&stored), encoding, e);
    buf_deinit(&stored);
    return rc;
}

int schema_to_dom(struct arena *a, const struct schema *s, struct str stored,
                  const struct encoding *encoding, const struct json **out, struct err *e)
{
    struct buf text;
    buf_init(&text);
    int rc = schema_encode_json(&text, s, stored, encoding, e);
    struct str copy = rc == 0 ? str_copy(a, buf_str(&text)) : (struct str){ 0 };
    buf_deinit(&text);
    return rc == 0 ? json_parse(a, copy, out, e) : rc;
}
