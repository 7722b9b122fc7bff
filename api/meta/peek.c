/* A cursor over protobuf's wire format: tags, varints, lengths; nothing else. */
#include "api/meta/peek.h"

static bool take_varint(struct str m, size_t *at, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (*at >= m.len)
            return false;
        uint8_t byte = (uint8_t)m.data[(*at)++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool take_fixed(struct str m, size_t *at, size_t width, uint64_t *out)
{
    if (m.len - *at < width)
        return false;
    uint64_t value = 0;
    for (size_t i = width; i > 0; i--)
        value = value << 8 | (uint8_t)m.data[*at + i - 1];
    *at += width;
    *out = value;
    return true;
}

static bool take_bytes(struct str m, size_t *at, struct str *out)
{
    uint64_t len;
    if (!take_varint(m, at, &len) || len > m.len - *at)
        return false;
    *out = str_of(m.data + *at, (size_t)len);
    *at += (size_t)len;
    return true;
}

bool peek_next(struct str message, size_t *at, struct peek_field *out)
{
    uint64_t tag;
    if (*at >= message.len || !take_varint(message, at, &tag) || tag >> 3 == 0 ||
        tag >> 3 > UINT32_MAX)
        return false;
    *out = (struct peek_field){ .number = (uint32_t)(tag >> 3), .wire = (enum peek_wire)(tag & 7) };
    switch (out->wire) {
    case PEEK_VARINT:
        return take_varint(message, at, &out->number_value);
    case PEEK_FIXED64:
        return take_fixed(message, at, 8, &out->number_value);
    case PEEK_BYTES:
        return take_bytes(message, at, &out->bytes);
    case PEEK_FIXED32:
        return take_fixed(message, at, 4, &out->number_value);
    }
    return false;
}

bool peek_field(struct str message, uint32_t number, struct peek_field *out)
{
    struct peek_field field;
    size_t at = 0;
    bool found = false;
    while (peek_next(message, &at, &field)) {
        if (field.number == number) {
            *out = field;
            found = true;
        }
    }
    return found;
}

bool peek_path(struct str message, const uint8_t *path, struct peek_field *out)
{
    struct peek_field field = { 0 };
    if (path[0] == 0)
        return false;
    for (size_t i = 0; i < PEEK_DEPTH_MAX && path[i] != 0; i++) {
        if (i > 0 && field.wire != PEEK_BYTES)
            return false;
        if (!peek_field(i == 0 ? message : field.bytes, path[i], &field))
            return false;
    }
    *out = field;
    return true;
}

struct str peek_string(struct str message, const uint8_t *path)
{
    struct peek_field field;
    if (!peek_path(message, path, &field) || field.wire != PEEK_BYTES)
        return (struct str){ 0 };
    return field.bytes;
}
