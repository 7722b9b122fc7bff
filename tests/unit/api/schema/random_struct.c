/* Random messages: fields are set with a chance that falls with depth, so that sizes stay small. */
#include "tests/unit/api/schema/random_struct.h"

#include <stdio.h>
#include <string.h>

#include "api/schema/json.h"
#include "api/schema/scalar.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* One text in so many is this long. */
#define LONG_TEXT_ONE_IN 400
#define LONG_TEXT_BYTES  20000

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

/* Any code point but NUL, more often the ones that some writer treats in its own way. */
static uint32_t code_point(struct random *r)
{
    static const uint32_t odd[] = { 0x1,    0x7f,   0x80,   0x85,   0xa0,   0xad,    0x2028,
                                    0x2029, 0x200b, 0xd7ff, 0xe000, 0xfeff, 0xfffd,  0xfffe,
                                    0xffff, '\n',   '\'',   ':',    '#',    0x10000, 0x10ffff };
    static const uint32_t bounds[] = { 0x7f, 0x7f, 0x7f, 0x7ff, 0xffff, 0x10ffff };
    if (below(r, 4) == 0)
        return odd[below(r, sizeof(odd) / sizeof(odd[0]))];
    uint32_t c = 1 + (uint32_t)below(r, bounds[below(r, sizeof(bounds) / sizeof(bounds[0]))]);
    return c >= 0xd800 && c <= 0xdfff ? 'x' : c;
}

static void append_utf8(struct buf *b, uint32_t c)
{
    static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    int len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (len == 1) {
        buf_append_byte(b, (uint8_t)c);
        return;
    }
    buf_append_byte(b, (uint8_t)(lead[len] | c >> 6 * (len - 1)));
    for (int i = len - 2; i >= 0; i--)
        buf_append_byte(b, (uint8_t)(0x80 | (c >> 6 * i & 0x3f)));
}

static char *text(struct arena *a, struct random *r)
{
    struct buf b;
    if (below(r, 3) != 0)
        return str_dup(a, str_from(texts[below(r, TEXT_COUNT)]));
    buf_init(&b);
    size_t len = below(r, LONG_TEXT_ONE_IN) == 0 ? LONG_TEXT_BYTES : below(r, 12);
    while (b.len < len)
        append_utf8(&b, code_point(r));
    char *out = str_dup(a, buf_str(&b));
    buf_deinit(&b);
    return out;
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
    double any;
    uint64_t bits = random_next(r);
    memcpy(&any, &bits, sizeof(any));
    if (below(r, 2) == 0 && any - any == 0.0)
        return any;
    return numbers[below(r, sizeof(numbers) / sizeof(numbers[0]))];
}

static int64_t integer(struct random *r, bool wide)
{
    static const int64_t extremes[] = {
        0, 1, -1, INT64_MIN, INT64_MAX, 1LL << 53, -(1LL << 53) - 1
    };
    static const int64_t narrow[] = { 0, 1, -1, INT32_MIN, INT32_MAX, 1 << 24, -128 };
    if (below(r, 4) == 0)
        return (wide ? extremes : narrow)[below(r, 7)];
    return wide ? (int64_t)random_next(r) >> below(r, 64)
                : (int64_t)((int32_t)random_next(r) >> below(r, 32));
}

/* A canonical quantity of a random text. */
static char *quantity(struct arena *a, struct random *r)
{
    static const char *const suffixes[] = { "",   "n",  "u",  "m",  "k",  "M",  "G",
                                            "T",  "P",  "E",  "Ki", "Mi", "Gi", "Ti",
                                            "Pi", "Ei", "e3", "E6", "e-3" };
    char out[SCALAR_TEXT_BYTES];
    size_t len;
    struct err e = { 0 };
    size_t whole = below(r, 100000);
    struct str source = below(r, 3) == 0
                            ? str_printf(a, "%zu.%zu", whole, (size_t)below(r, 10000))
                            : str_printf(a, "%s%zu", below(r, 4) == 0 ? "-" : "", whole);
    source = str_printf(a, "%.*s%s", STR_ARG(source),
                        suffixes[below(r, sizeof(suffixes) / sizeof(suffixes[0]))]);
    int rc = scalar_quantity(source, out, &len, &e);
    ASSERT(rc == 0);
    return str_dup(a, str_of(out, len));
}

/* JSON as Go would keep it in a RawExtension: compact, members as they came. */
static void raw_json(struct arena *a, struct random *r, struct buf *b, unsigned depth)
{
    static const char *const leaves[] = { "null", "true", "-1.5", "0",  "9223372036854775807",
                                          "1e21", "\"\"", "{}",   "[]", "123456789012345678901" };
    size_t kind = below(r, depth > 3 ? 2 : 4);
    size_t count = 1 + below(r, 3);
    if (kind == 0) {
        buf_append_c(b, leaves[below(r, sizeof(leaves) / sizeof(leaves[0]))]);
        return;
    }
    if (kind == 1) {
        json_write_string(b, str_from(text(a, r)), false);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        buf_append_byte(b, i > 0 ? ',' : kind == 2 ? '[' : '{');
        if (kind == 3)
            buf_printf(b, "\"k%zu\":", i);
        raw_json(a, r, b, depth + 1);
    }
    buf_append_byte(b, kind == 2 ? ']' : '}');
}

static void put_unknown_value(struct arena *a, struct random *r, unsigned wire, struct buf *b)
{
    const char *content = text(a, r);
    if (wire == 0)
        buf_put_varint(b, random_next(r) >> below(r, 64));
    else if (wire == 2)
        buf_put_bytes(b, str_from(content));
    else
        buf_append(b, &(uint64_t){ random_next(r) }, wire == 1 ? 8 : 4);
}

/* One to three fields of numbers the schema does not have, of any wire type. */
static void add_unknown(struct arena *a, const struct schema *s, struct random *r,
                        ProtobufCMessage *message)
{
    static const unsigned wires[] = { 0, 1, 2, 5 };
    unsigned count = 1 + (unsigned)below(r, 3);
    message->unknown_fields = arena_array(a, count, sizeof(*message->unknown_fields));
    for (unsigned i = 0; i < count; i++) {
        ProtobufCMessageUnknownField *u = &message->unknown_fields[i];
        struct buf b;
        buf_init(&b);
        u->tag = s->number_max + 1 + (uint32_t)below(r, below(r, 2) == 0 ? 10 : 500000000);
        u->wire_type = (ProtobufCWireType)wires[below(r, 4)];
        put_unknown_value(a, r, (unsigned)u->wire_type, &b);
        u->len = b.len;
        u->data = arena_copy(a, b.data, b.len);
        buf_deinit(&b);
    }
    message->n_unknown_fields = count;
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
        v.i32 = (int32_t)integer(r, false);
        size = sizeof(v.i32);
        break;
    case SCHEMA_INT64:
        v.i64 = integer(r, true);
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
    struct str long_key = str_printf(a, "%s\xf0\x9f\x8e\x89 %064zu", texts[first], first);
    void **entries = arena_array(a, count, sizeof(*entries));
    for (size_t i = 0; i < count; i++) {
        ProtobufCMessage *entry = arena_alloc(a, f->entry->sizeof_message);
        const char *key = i == 3 ? long_key.data : texts[(first + 7 * i) % TEXT_COUNT];
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

/* Of the years 1 to 9999, whose first second is Go's zero time: JSON shows that as null. */
static int64_t seconds(struct random *r)
{
    static const int64_t extremes[] = { 0, 1, -1, -62135596799, 253402300799, 951782400 };
    if (below(r, 4) == 0)
        return extremes[below(r, sizeof(extremes) / sizeof(extremes[0]))];
    return (int64_t)below(r, 253402300799 + 62135596799) - 62135596799;
}

static void fill_raw(struct arena *a, const struct schema_field *f, struct random *r, void *message)
{
    protobuf_c_boolean has = 1;
    struct buf b;
    buf_init(&b);
    raw_json(a, r, &b, 0);
    if (str_eq_c(buf_str(&b), "null")) {
        buf_clear(&b);
        buf_append_c(&b, "{}"); /* null is no value */
    }
    ProtobufCBinaryData raw = { .len = b.len, .data = arena_copy(a, b.data, b.len) };
    buf_deinit(&b);
    put(message, f->offset, &raw, sizeof(raw));
    put(message, f->quantifier, &has, sizeof(has));
}

static void fill_form(struct arena *a, const struct schema *s, struct random *r, void *message)
{
    const char *word;
    switch (s->form) {
    case SCHEMA_FORM_TIME:
    case SCHEMA_FORM_MICRO_TIME:
        fill_number(message, &s->fields[0], seconds(r));
        fill_number(message, &s->fields[1],
                    s->form == SCHEMA_FORM_TIME ? 0 : (int64_t)below(r, 1000000) * 1000);
        return;
    case SCHEMA_FORM_DURATION:
        fill_number(message, &s->fields[0], integer(r, true));
        return;
    case SCHEMA_FORM_QUANTITY:
        word = quantity(a, r);
        put(message, s->fields[0].offset, &word, sizeof(word));
        return;
    case SCHEMA_FORM_INT_OR_STRING:
        fill_number(message, &s->fields[0], (int64_t)below(r, 2));
        if (*(int64_t *)((char *)message + s->fields[0].offset) == 0) {
            fill_number(message, &s->fields[1], integer(r, false));
            return;
        }
        word = text(a, r);
        put(message, s->fields[2].offset, &word, sizeof(word));
        return;
    case SCHEMA_FORM_RAW:
        fill_raw(a, &s->fields[0], r, message);
        return;
    default:
        fill_list(a, &s->fields[0], r, 0, message);
    }
}

static void fill(struct arena *a, const struct schema *s, struct random *r, void *message,
                 unsigned depth)
{
    if (below(r, 100) < r->unknown_percent)
        add_unknown(a, s, r, message);
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
