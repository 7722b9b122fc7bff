/*
 * struct → stored protobuf, written from the end.
 *
 * Lengths stand before what they measure; writing backwards knows them for free, so one pass does.
 * Presence is upstream's: a value field is always written (a missing message as its zero), a
 * pointer when set, bytes when not nil, map entries sorted by key with key and value, unknown
 * fields last. The schema has no recursion (schemagen checks), so depth is bounded by it.
 */
#include "api/schema/pack.h"

#include <stdlib.h>
#include <string.h>

#include "api/schema/access.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"

#define PACK_STACK_BYTES   4096
#define PACK_STACK_ENTRIES 32

struct writer {
    uint8_t *data;
    size_t capacity;
    size_t at; /* first byte written */
    uint8_t *heap;
    bool known_only; /* unknown fields are left out */
};

static void write_message(struct writer *w, const struct schema *s, const void *message);

static void grow(struct writer *w, size_t extra)
{
    size_t used = w->capacity - w->at;
    size_t capacity = w->capacity;
    while (capacity - used < extra)
        capacity *= 2;
    uint8_t *data = mem_alloc(capacity);
    memcpy(data + capacity - used, w->data + w->at, used);
    mem_free(w->heap);
    w->heap = w->data = data;
    w->capacity = capacity;
    w->at = capacity - used;
}

static inline void put_bytes(struct writer *w, const void *data, size_t len)
{
    if (w->at < len)
        grow(w, len);
    w->at -= len;
    if (len > 0)
        memcpy(w->data + w->at, data, len);
}

static inline void put_varint(struct writer *w, uint64_t v)
{
    if (w->at < 10)
        grow(w, 10);
    if (v < 0x80) {
        w->data[--w->at] = (uint8_t)v;
        return;
    }
    uint8_t out[10];
    size_t len = 0;
    for (; v >= 0x80; v >>= 7)
        out[len++] = (uint8_t)(v | 0x80);
    out[len++] = (uint8_t)v;
    w->at -= len;
    memcpy(w->data + w->at, out, len);
}

static inline void put_tag(struct writer *w, uint32_t number, uint32_t wire)
{
    put_varint(w, (uint64_t)number << 3 | wire);
}

static void put_string(struct writer *w, const char *s)
{
    size_t len = s == NULL ? 0 : strlen(s);
    put_bytes(w, s, len);
    put_varint(w, len);
}

static void put_message(struct writer *w, const struct schema *s, const void *message)
{
    size_t used = w->capacity - w->at;
    write_message(w, s, message);
    put_varint(w, w->capacity - w->at - used);
}

/* One value without its tag. at points to it as a struct or an array holds it. */
static void put_value(struct writer *w, const struct schema_field *f, const void *at)
{
    int32_t i32;
    int64_t i64;
    ProtobufCBinaryData bytes;
    const void *pointer;
    switch (f->type) {
    case SCHEMA_BOOL:
        put_varint(w, *(const protobuf_c_boolean *)at != 0);
        return;
    case SCHEMA_INT32:
        memcpy(&i32, at, sizeof(i32));
        put_varint(w, (uint64_t)(int64_t)i32);
        return;
    case SCHEMA_INT64:
        memcpy(&i64, at, sizeof(i64));
        put_varint(w, (uint64_t)i64);
        return;
    case SCHEMA_DOUBLE:
        put_bytes(w, at, 8); /* little endian, as every machine we run on */
        return;
    case SCHEMA_BYTES:
    case SCHEMA_TEXT_BYTES:
        memcpy(&bytes, at, sizeof(bytes));
        put_bytes(w, bytes.data, bytes.len);
        put_varint(w, bytes.len);
        return;
    case SCHEMA_STRING:
        memcpy(&pointer, at, sizeof(pointer));
        put_string(w, pointer);
        return;
    default:
        memcpy(&pointer, at, sizeof(pointer));
        put_message(w, f->message, pointer);
    }
}

static void put_list(struct writer *w, const struct schema_field *f, const void *message)
{
    size_t size = type_size(f->type);
    const char *items = field_pointer(message, f);
    for (size_t i = field_count(message, f); i > 0; i--) {
        put_value(w, f, items + (i - 1) * size);
        put_tag(w, f->number, type_wire(f->type));
    }
}

/* ---- maps ---- */

static const char *entry_key(const struct schema_field *f, const void *entry)
{
    const char *key;
    memcpy(&key, (const char *)entry + f->entry_key, sizeof(key));
    return key == NULL ? "" : key;
}

static int entry_cmp(const void *x, const void *y, void *field)
{
    const void *const *a = x;
    const void *const *b = y;
    return strcmp(entry_key(field, *a), entry_key(field, *b));
}

static bool entries_sorted(const struct schema_field *f, void *const *entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (strcmp(entry_key(f, entries[i - 1]), entry_key(f, entries[i])) > 0)
            return false;
    }
    return true;
}

static void put_map(struct writer *w, const struct schema_field *f, const void *message)
{
    void *stack[PACK_STACK_ENTRIES];
    void *const *entries = field_pointer(message, f);
    size_t count = field_count(message, f);
    void **copy = NULL;
    if (!entries_sorted(f, entries, count)) {
        copy = count <= PACK_STACK_ENTRIES ? stack : mem_alloc(count * sizeof(*copy));
        memcpy(copy, entries, count * sizeof(*copy));
        qsort_r(copy, count, sizeof(*copy), entry_cmp, (void *)(uintptr_t)f);
        entries = copy;
    }
    for (size_t i = count; i > 0; i--) {
        const char *entry = entries[i - 1];
        size_t used = w->capacity - w->at;
        put_value(w, f, entry + f->entry_value);
        put_tag(w, 2, type_wire(f->type));
        put_string(w, entry_key(f, entry));
        put_tag(w, 1, 2);
        put_varint(w, w->capacity - w->at - used);
        put_tag(w, f->number, 2);
    }
    if (copy != stack)
        mem_free(copy);
}

/* ---- messages ---- */

/* A zero of every scalar type, for value fields of messages that are not there. */
static const union {
    int64_t integer;
    ProtobufCBinaryData bytes;
    void *pointer;
} zero;

static void put_one(struct writer *w, const struct schema_field *f, const void *message)
{
    const void *at = message == NULL ? (const void *)&zero : field_at_const(message, f);
    bool set = message != NULL;
    if (set && f->quantifier != 0)
        set = field_has(message, f);
    else if (set)
        set = field_pointer(message, f) != NULL;
    bool nil_skips = (f->flags & SCHEMA_POINTER) != 0 || f->type == SCHEMA_BYTES ||
                     f->type == SCHEMA_TEXT_BYTES ||
                     (f->message != NULL && f->message->form == SCHEMA_FORM_STRING_LIST);
    if (!set && nil_skips)
        return;
    put_value(w, f, at);
    put_tag(w, f->number, type_wire(f->type));
}

static void put_unknown(struct writer *w, const ProtobufCMessage *base)
{
    for (unsigned i = base->n_unknown_fields; i > 0; i--) {
        const ProtobufCMessageUnknownField *u = &base->unknown_fields[i - 1];
        put_bytes(w, u->data, u->len);
        put_tag(w, u->tag, (uint32_t)u->wire_type);
    }
}

/* Times are empty when zero, whole seconds or microseconds; a quantity's zero has text. */
static bool write_form(struct writer *w, const struct schema *s, const void *message)
{
    const char *text;
    int32_t nanos;
    switch (s->form) {
    case SCHEMA_FORM_TIME:
    case SCHEMA_FORM_MICRO_TIME:
        if (message == NULL || !field_has(message, &s->fields[0]))
            return true;
        nanos = 0;
        if (s->form == SCHEMA_FORM_MICRO_TIME)
            memcpy(&nanos, field_at_const(message, &s->fields[1]), sizeof(nanos));
        put_varint(w, (uint64_t)(int64_t)(nanos / 1000 * 1000));
        put_tag(w, s->fields[1].number, 0);
        put_one(w, &s->fields[0], message);
        return true;
    case SCHEMA_FORM_QUANTITY:
        text = message == NULL ? NULL : field_pointer(message, &s->fields[0]);
        put_string(w, text == NULL || *text == '\0' ? "0" : text);
        put_tag(w, s->fields[0].number, 2);
        return true;
    default:
        return false;
    }
}

static void write_message(struct writer *w, const struct schema *s, const void *message)
{
    if (message != NULL) {
        const ProtobufCMessage *base = message;
        ASSERT(base->descriptor == s->pb);
        if (!w->known_only)
            put_unknown(w, base);
    }
    if (s->form != SCHEMA_FORM_OBJECT && write_form(w, s, message))
        return;
    for (size_t i = s->field_count; i > 0; i--) {
        const struct schema_field *f = &s->fields[s->by_number[i - 1]];
        if (f->card == SCHEMA_ONE)
            put_one(w, f, message);
        else if (message != NULL && field_count(message, f) > 0)
            (f->card == SCHEMA_LIST ? put_list : put_map)(w, f, message);
    }
}

void schema_pack(struct buf *b, const struct schema *s, const void *message)
{
    uint8_t stack[PACK_STACK_BYTES];
    struct writer w = { .data = stack, .capacity = sizeof(stack), .at = sizeof(stack) };
    write_message(&w, s, message);
    buf_append(b, w.data + w.at, w.capacity - w.at);
    mem_free(w.heap);
}

static struct str finish(struct arena *a, struct writer *w)
{
    size_t len = w->capacity - w->at;
    struct str out = str_of(arena_copy(a, w->data + w->at, len), len);
    mem_free(w->heap);
    return out;
}

struct str schema_pack_arena(struct arena *a, const struct schema *s, const void *message)
{
    uint8_t stack[PACK_STACK_BYTES];
    struct writer w = { .data = stack, .capacity = sizeof(stack), .at = sizeof(stack) };
    write_message(&w, s, message);
    return finish(a, &w);
}

struct str pack_known(struct arena *a, const struct schema *s, const void *message)
{
    uint8_t stack[PACK_STACK_BYTES];
    struct writer w = {
        .data = stack, .capacity = sizeof(stack), .at = sizeof(stack), .known_only = true
    };
    write_message(&w, s, message);
    return finish(a, &w);
}
