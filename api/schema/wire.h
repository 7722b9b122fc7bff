/* Private to api/schema: reading protobuf's wire format. */
#ifndef API_SCHEMA_WIRE_H
#define API_SCHEMA_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LENGTH = 2, WIRE_32 = 5 };

/* One field as it lies on the wire. */
struct wire_field {
    uint32_t number;
    uint32_t wire;
    uint64_t varint;     /* WIRE_VARINT, and the bits of WIRE_64 and WIRE_32 */
    struct str bytes;    /* WIRE_LENGTH: the content */
    const uint8_t *next; /* behind the field */
};

/* NULL when the bytes end first or the varint is longer than ten bytes. */
const uint8_t *wire_varint_slow(const uint8_t *at, const uint8_t *end, uint64_t *out);

static inline const uint8_t *wire_varint(const uint8_t *at, const uint8_t *end, uint64_t *out)
{
    if (at < end && *at < 0x80) {
        *out = *at;
        return at + 1;
    }
    return wire_varint_slow(at, end, out);
}

/* Reads the field at at; false when it is malformed (groups included). */
bool wire_next(const uint8_t *at, const uint8_t *end, struct wire_field *out);

#endif
