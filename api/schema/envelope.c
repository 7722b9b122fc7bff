/* The k8s\0 envelope, and the resourceVersion spliced into stored bytes on their way out. */
#include <string.h>

#include "api/schema/access.h"
#include "api/schema/codec.h"
#include "api/schema/wire.h"
#include "base/buf.h"
#include "base/err.h"

static const char magic[4] = { 'k', '8', 's', '\0' };

/* Field numbers of runtime.Unknown and of its TypeMeta. */
enum { UNKNOWN_TYPE_META = 1, UNKNOWN_RAW = 2 };
enum { TYPE_META_API_VERSION = 1, TYPE_META_KIND = 2 };

bool envelope_is(struct str bytes)
{
    return bytes.len >= sizeof(magic) && memcmp(bytes.data, magic, sizeof(magic)) == 0;
}

static int read_type_meta(struct str bytes, struct envelope *out)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    const uint8_t *end = at + bytes.len;
    struct wire_field w;
    for (; at < end; at = w.next) {
        if (!wire_next(at, end, &w))
            return -ERR_INVALID_ARGUMENT;
        if (w.number == TYPE_META_API_VERSION && w.wire == WIRE_LENGTH)
            out->api_version = w.bytes;
        else if (w.number == TYPE_META_KIND && w.wire == WIRE_LENGTH)
            out->kind = w.bytes;
    }
    return 0;
}

int envelope_open(struct str bytes, struct envelope *out, struct err *e)
{
    struct envelope found = { .raw = str_of("", 0) };
    struct wire_field w;
    if (!envelope_is(bytes))
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "provided data does not appear to be a protobuf message, expected prefix "
                       "[107 56 115 0]");
    const uint8_t *at = (const uint8_t *)bytes.data + sizeof(magic);
    const uint8_t *end = (const uint8_t *)bytes.data + bytes.len;
    for (; at < end; at = w.next) {
        if (!wire_next(at, end, &w))
            return err_set(e, ERR_INVALID_ARGUMENT, "proto: malformed envelope");
        if (w.wire != WIRE_LENGTH)
            continue;
        if (w.number == UNKNOWN_RAW)
            found.raw = w.bytes;
        else if (w.number == UNKNOWN_TYPE_META && read_type_meta(w.bytes, &found) != 0)
            return err_set(e, ERR_INVALID_ARGUMENT, "proto: malformed type meta");
    }
    if (!str_utf8_valid(found.api_version) || !str_utf8_valid(found.kind))
        return err_set(e, ERR_INVALID_ARGUMENT, "proto: kind and apiVersion must be UTF-8");
    *out = found;
    return 0;
}

/* ---- splice ---- */

static size_t varint_size(uint64_t v)
{
    size_t size = 1;
    for (; v >= 0x80; v >>= 7)
        size++;
    return size;
}

/* Where the stored metadata and its resourceVersion lie; what stands there gives way. */
struct splice {
    struct str before; /* of the object, up to the tag of metadata */
    struct str head;   /* of metadata, up to the tag of resourceVersion */
    struct str tail;
    struct str after;
    uint32_t metadata_number;
    uint32_t number;
    struct str value;
};

static struct str between(const uint8_t *from, const uint8_t *to)
{
    return str_of(from, (size_t)(to - from));
}

/* Splits bytes around the last field `number`; where it would stand when it is missing. */
static bool split(struct str bytes, uint32_t number, struct str *before, struct str *value,
                  struct str *after)
{
    const uint8_t *start = (const uint8_t *)bytes.data;
    const uint8_t *end = start + bytes.len;
    struct wire_field w;
    const uint8_t *place = NULL;
    bool found = false;
    for (const uint8_t *at = start; at < end; at = w.next) {
        if (!wire_next(at, end, &w))
            return false;
        if (w.number == number && w.wire == WIRE_LENGTH) {
            *before = between(start, at);
            *value = w.bytes;
            *after = between(w.next, end);
            found = true;
        } else if (w.number > number && place == NULL) {
            place = at;
        }
    }
    if (found)
        return true;
    place = place == NULL ? end : place;
    *before = between(start, place);
    *value = str_of(place, 0);
    *after = between(place, end);
    return true;
}

static bool splice_find(const struct schema *s, struct str stored, struct str value,
                        struct splice *out)
{
    const struct schema_field *metadata = schema_find_field(s, str_lit("metadata"));
    if (metadata == NULL || metadata->type != SCHEMA_MESSAGE)
        return false;
    const struct schema_field *version =
        schema_find_field(metadata->message, str_lit("resourceVersion"));
    struct str meta;
    struct str old;
    if (version == NULL || !split(stored, metadata->number, &out->before, &meta, &out->after) ||
        !split(meta, version->number, &out->head, &old, &out->tail))
        return false;
    out->metadata_number = metadata->number;
    out->number = version->number;
    out->value = value;
    return true;
}

static size_t splice_meta_size(const struct splice *p)
{
    return p->head.len + varint_size((uint64_t)p->number << 3) + varint_size(p->value.len) +
           p->value.len + p->tail.len;
}

static size_t splice_size(const struct splice *p)
{
    size_t meta = splice_meta_size(p);
    return p->before.len + varint_size((uint64_t)p->metadata_number << 3) + varint_size(meta) +
           meta + p->after.len;
}

static void splice_write(struct buf *b, const struct splice *p)
{
    buf_append_str(b, p->before);
    buf_put_varint(b, (uint64_t)p->metadata_number << 3 | WIRE_LENGTH);
    buf_put_varint(b, splice_meta_size(p));
    buf_append_str(b, p->head);
    buf_put_varint(b, (uint64_t)p->number << 3 | WIRE_LENGTH);
    buf_put_bytes(b, p->value);
    buf_append_str(b, p->tail);
    buf_append_str(b, p->after);
}

void schema_splice_item(struct buf *b, uint32_t number, const struct schema *s, struct str stored,
                        struct str resource_version)
{
    struct splice p;
    buf_put_varint(b, (uint64_t)number << 3 | WIRE_LENGTH);
    if (resource_version.len > 0 && splice_find(s, stored, resource_version, &p)) {
        buf_put_varint(b, splice_size(&p));
        splice_write(b, &p);
    } else {
        buf_put_bytes(b, stored);
    }
}

void envelope_begin(struct buf *b, const struct encoding *encoding, size_t raw_bytes)
{
    size_t type_meta = 2 + varint_size(encoding->api_version.len) + encoding->api_version.len +
                       varint_size(encoding->kind.len) + encoding->kind.len;
    buf_append(b, magic, sizeof(magic));
    buf_put_varint(b, UNKNOWN_TYPE_META << 3 | WIRE_LENGTH);
    buf_put_varint(b, type_meta);
    buf_put_varint(b, TYPE_META_API_VERSION << 3 | WIRE_LENGTH);
    buf_put_bytes(b, encoding->api_version);
    buf_put_varint(b, TYPE_META_KIND << 3 | WIRE_LENGTH);
    buf_put_bytes(b, encoding->kind);
    buf_put_varint(b, UNKNOWN_RAW << 3 | WIRE_LENGTH);
    buf_put_varint(b, raw_bytes);
}

void envelope_end(struct buf *b)
{
    buf_append(b, "\x1a\0\x22\0", 4); /* contentEncoding and contentType, as upstream: empty */
}

void envelope_write(struct buf *b, const struct schema *s, struct str stored,
                    const struct encoding *encoding)
{
    struct splice p;
    bool splice = encoding->resource_version.len > 0 &&
                  splice_find(s, stored, encoding->resource_version, &p);
    size_t raw = splice ? splice_size(&p) : stored.len;
    buf_reserve(b, raw + encoding->api_version.len + encoding->kind.len + 48);
    envelope_begin(b, encoding, raw);
    if (splice)
        splice_write(b, &p);
    else
        buf_append_str(b, stored);
    envelope_end(b);
}
