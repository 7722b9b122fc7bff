/* Protobuf's wire format, one field at a time. */
#include "api/schema/wire.h"

#include <string.h>

/* protobuf's own bound on field numbers. */
#define NUMBER_MAX 0x1fffffffu

const uint8_t *wire_varint_slow(const uint8_t *at, const uint8_t *end, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; at < end && shift < 70; shift += 7) {
        uint8_t byte = *at++;
        value |= (uint64_t)(byte & 0x7f) << (shift > 63 ? 63 : shift);
        if (byte < 0x80) {
            *out = value;
            return at;
        }
    }
    return NULL;
}

static bool take(const uint8_t **at, const uint8_t *end, size_t len, struct wire_field *out)
{
    if ((size_t)(end - *at) < len)
        return false;
    memcpy(&out->varint, *at, len);
    *at += len;
    return true;
}

bool wire_next(const uint8_t *at, const uint8_t *end, struct wire_field *out)
{
    uint64_t tag;
    uint64_t len;
    at = wire_varint(at, end, &tag);
    if (at == NULL || tag >> 3 == 0 || tag >> 3 > NUMBER_MAX)
        return false;
    out->number = (uint32_t)(tag >> 3);
    out->wire = tag & 7;
    out->varint = 0;
    switch (out->wire) {
    case WIRE_VARINT:
        at = wire_varint(at, end, &out->varint);
        if (at == NULL)
            return false;
        break;
    case WIRE_64:
        if (!take(&at, end, 8, out))
            return false;
        break;
    case WIRE_32:
        if (!take(&at, end, 4, out))
            return false;
        break;
    case WIRE_LENGTH:
        at = wire_varint(at, end, &len);
        if (at == NULL || len > (uint64_t)(end - at))
            return false;
        out->bytes = str_of(at, (size_t)len);
        at += len;
        break;
    default:
        return false;
    }
    out->next = at;
    return true;
}
