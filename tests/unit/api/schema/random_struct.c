/* Random messages: fields are set with a chance that falls with depth, so that sizes stay small. */
#include "tests/unit/api/schema/random_struct.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"

static void fill(struct arena *a, const struct schema *s, struct random *r, void *message,
                 unsigned depth);

uint64_t random_next(struct random *r)
{
    r->state = r->state * 6364136223846793005ull + 1442695040888963407ull;
    uint64_t x = r->state;
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdull;
    return x ^ x >> 29;
}

static size_t below(struct random *r, size_t bound)
{
    return (size_t)(random_next(r) % bound);
}

/* Strings that codecs trip over. */
static const char *const texts[] = {
    "",
    "plain",
    "a b",
    "yes",
    "Null",
    "~",
    "0x1f",
    "1e3",
    "-0",
    "017",
    "1_000",
    "12:30:45",
    "2001-01-01",
    "2001-01-01T10:00:00Z",
    ".inf",
    "<<",
    "- a",
    "a: b",
    "a #b",
    "#",
    " leading",
    "trailing ",
    "two\nlines\n",
    "\n\nthree\n\n",
    "no end\n  indented\nline",
    "tab\there",
    "\ttab",
    "quote\"and\\back'slash",
    "<a href=\"x\">&amp;</a>",
    "{}",
    "[x]",
    "%percent",
    "@at",
    "`tick`",
    "!tag",
    "&anchor",
    "*alias",
    "? question",
    "a,b",
    "\x01\x1f\x7f",
    "carriage\rreturn",
    "\xc3\xa9t\xc3\xa9",
    "\xe2\x80\xa8line\xe2\x80\xa9paragraph",
    "\xf0\x9f\x8e\x89",
    "\xc2\x85next",
    "\xef\xbb\xbf"
    "bom",
    "=",
    "...",
    "---",
    "very long text that goes on and on so that the printer has to "
    "fold it at eighty columns or so, which is where it usually "
    "breaks  with  double  spaces too"
};
#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

static char *text(struct arena *a, struct random *r)
{
    return str_dup(a, str_from(texts[below(r, TEXT_COUNT)]));
}

static ProtobufCBinaryData bytes(struct arena *a, struct random *r, bool is_text)
{
    static const char with_nul[] = "a\0b<\xe2\x82\xac";
    ProtobufCBinaryData out = { .len = 1 + below(r, 9) };
    if (is_text) {
        out.len = sizeof(with_nul) - 1;
        out.data = arena_copy(a, with_nul, out.len);
        return out;
    }
    out.data = arena_alloc(a, out.len);
    for (size_t i = 0; i < out.len; i++)
        out.data[i] = (uint8_t)random_next(r);
    return out;
}

static double number(struct random *r)
{
    static const double numbers[] = {
        0, 1, -1.5, 0.1, 1e21, 123456789012345680.0, 1e-7, 3.14159, -2e-300, 1.7976931348623157e308
    };
    return numbers[below(r, sizeof(numbers) / sizeof(numbers[0]))];
}

static void *message_of(struct arena *a, const struct schema *s, struct random *r, unsigned depth)
{
    void *message = schema_new(a, s);
    fill(a, s, r, message, depth);
    return message;
}

/* Writes a value to where the struct or an array holds it. */
static void value(struct arena *a, const struct schema_field *f, struct random *r, unsigned depth,
                  void *at)
{
    union {
        protobuf_c_boolean boolean;
        int32_t i32;
        int64_t i64;
        double number;
        ProtobufCBinaryData bytes;
        void *pointer;
    } v;
    size_t size = sizeof(void *);
    switch (f->type) {
    case SCHEMA_BOOL:
        v.boolean = (protobuf_c_boolean)below(r, 2);
        size = sizeof(v.boolean);
        break;
    case SCHEMA_INT32:
        v.i32 = (int32_t)random_next(r) >> below(r, 32);
        size = sizeof(v.i32);
        break;
    case SCHEMA_INT64:
        v.i64 = (int64_t)random_next(r) >> below(r, 64);
        break;
    case SCHEMA_DOUBLE:
        v.number = number(r);
        break;
    case SCHEMA_STRING:
        v.pointer = text(a, r);
        break;
    case SCHEMA_MESSAGE:
        v.pointer = message_of(a, f->message, r, depth + 1);
        break;
    default:
        v.bytes = bytes(a, r, f->type == SCHEMA_TEXT_BYTES);
        size = sizeof(v.bytes);
    }
    memcpy(at, &v, size);
}

static size_t value_size(const struct schema_field *f)
{
    switch (f->type) {
    case SCHEMA_BOOL:
        return sizeof(protobuf_c_boolean);
    case SCHEMA_INT32:
        return sizeof(int32_t);
    case SCHEMA_BYTES:
    case SCHEMA_TEXT_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 8;
    }
}

static void put(void *message, size_t offset, const void *what, size_t size)
{
    memcpy((char *)message + offset, what, size);
}

static void fill_list(struct arena *a, const struct schema_field *f, struct random *r,
                      unsigned depth, void *message)
{
    size_t count = 1 + below(r, 3);
    size_t size = value_size(f);
    char *items = arena_array(a, count, size);
    for (size_t i = 0; i < count; i++)
        value(a, f, r, depth, items + i * size);
    put(message, f->offset, &items, sizeof(items));
    put(message, f->quantifier, &count, sizeof(count));
}

static void fill_map(struct arena *a, const struct schema_field *f, struct random *r,
                     unsigned depth, void *message)
{
    size_t count = 1 + below(r, 4);
    size_t first = below(r, TEXT_COUNT);
    void **entries = arena_array(a, count, sizeof(*entries));
    for (size_t i = 0; i < count; i++) {
        ProtobufCMessage *entry = arena_alloc(a, f->entry->sizeof_message);
        const char *key = texts[(first + 7 * i) % TEXT_COUNT];
        protobuf_c_boolean has = 1;
        entry->descriptor = f->entry;
        put(entry, f->entry_key, &key, sizeof(key));
        value(a, f, r, depth, (char *)entry + f->entry_value);
        if (f->entry_has != 0)
            put(entry, f->entry_has, &has, sizeof(has));
        entries[i] = entry;
    }
    put(message, f->offset, &entries, sizeof(entries));
    put(message, f->quantifier, &count, sizeof(count));
}

static void fill_number(void *message, const struct schema_field *f, int64_t number)
{
    protobuf_c_boolean has = 1;
    int32_t narrow = (int32_t)number;
    if (f->type == SCHEMA_INT32)
        put(message, f->offset, &narrow, sizeof(narrow));
    else
        put(message, f->offset, &number, sizeof(number));
    put(message, f->quantifier, &has, sizeof(has));
}

static void fill_form(struct arena *a, const struct schema *s, struct random *r, void *message)
{
    static const char *const quantities[] = { "0",    "1",   "500m", "1Gi", "1536Mi",
                                              "100k", "-3n", "2e3",  "12E" };
    static const char *const raws[] = { "{\"a\":1,\"b\":[true,null,\"x<y\"]}", "[]", "\"s\"",
                                        "-1.5", "{\"k\":{\"a\":[[]],\"z\":{}}}" };
    protobuf_c_boolean has = 1;
    const char *word;
    ProtobufCBinaryData raw;
    switch (s->form) {
    case SCHEMA_FORM_TIME:
    case SCHEMA_FORM_MICRO_TIME:
        fill_number(message, &s->fields[0], (int64_t)below(r, 4000000000u) - 1000000000);
        fill_number(message, &s->fields[1],
                    s->form == SCHEMA_FORM_TIME ? 0 : (int64_t)below(r, 1000000) * 1000);
        return;
    case SCHEMA_FORM_DURATION:
        fill_number(message, &s->fields[0], (int64_t)random_next(r) >> below(r, 60));
        return;
    case SCHEMA_FORM_QUANTITY:
        word = str_dup(a, str_from(quantities[below(r, 9)]));
        put(message, s->fields[0].offset, &word, sizeof(word));
        return;
    case SCHEMA_FORM_INT_OR_STRING:
        fill_number(message, &s->fields[0], (int64_t)below(r, 2));
        if (*(int64_t *)((char *)message + s->fields[0].offset) == 0) {
            fill_number(message, &s->fields[1], (int32_t)random_next(r));
            return;
        }
        word = text(a, r);
        put(message, s->fields[2].offset, &word, sizeof(word));
        return;
    case SCHEMA_FORM_RAW:
        word = raws[below(r, sizeof(raws) / sizeof(raws[0]))];
        raw =
            (ProtobufCBinaryData){ .len = strlen(word), .data = arena_copy(a, word, strlen(word)) };
        put(message, s->fields[0].offset, &raw, sizeof(raw));
        put(message, s->fields[0].quantifier, &has, sizeof(has));
        return;
    default:
        fill_list(a, &s->fields[0], r, 0, message);
    }
}

static void fill(struct arena *a, const struct schema *s, struct random *r, void *message,
                 unsigned depth)
{
    if (s->form != SCHEMA_FORM_OBJECT) {
        fill_form(a, s, r, message);
        return;
    }
    for (size_t i = 0; i < s->field_count; i++) {
        const struct schema_field *f = &s->fields[i];
        protobuf_c_boolean has = 1;
        if (below(r, 100) >= 70 / (depth + 1))
            continue;
        if (f->card == SCHEMA_LIST) {
            fill_list(a, f, r, depth, message);
        } else if (f->card == SCHEMA_MAP) {
            fill_map(a, f, r, depth, message);
        } else {
            value(a, f, r, depth, (char *)message + f->offset);
            if (f->quantifier != 0)
                put(message, f->quantifier, &has, sizeof(has));
        }
    }
}

void *random_struct(struct arena *a, const struct schema *s, struct random *r)
{
    return message_of(a, s, r, 0);
}
