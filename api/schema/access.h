/* Private to api/schema: fields of protobuf-c structs by offset. */
#ifndef API_SCHEMA_ACCESS_H
#define API_SCHEMA_ACCESS_H

#include <string.h>

#include "api/schema/schema.h"

static inline void *field_at(void *message, const struct schema_field *f)
{
    return (char *)message + f->offset;
}

static inline const void *field_at_const(const void *message, const struct schema_field *f)
{
    return (const char *)message + f->offset;
}

/* The pointer of a string, message, list or map field. */
static inline void *field_pointer(const void *message, const struct schema_field *f)
{
    void *p;
    memcpy(&p, field_at_const(message, f), sizeof(p));
    return p;
}

static inline void field_set_pointer(void *message, const struct schema_field *f, const void *p)
{
    memcpy(field_at(message, f), &p, sizeof(p));
}

static inline bool field_has(const void *message, const struct schema_field *f)
{
    return *(const protobuf_c_boolean *)((const char *)message + f->quantifier) != 0;
}

static inline void field_set_has(void *message, const struct schema_field *f)
{
    *(protobuf_c_boolean *)((char *)message + f->quantifier) = 1;
}

static inline size_t field_count(const void *message, const struct schema_field *f)
{
    size_t n;
    memcpy(&n, (const char *)message + f->quantifier, sizeof(n));
    return n;
}

static inline void field_set_count(void *message, const struct schema_field *f, size_t n)
{
    memcpy((char *)message + f->quantifier, &n, sizeof(n));
}

/* Bytes of one value of a field in a struct or in a repeated array. */
static inline size_t type_size(uint8_t type)
{
    switch (type) {
    case SCHEMA_BOOL:
        return sizeof(protobuf_c_boolean);
    case SCHEMA_INT32:
        return sizeof(int32_t);
    case SCHEMA_INT64:
    case SCHEMA_DOUBLE:
        return 8;
    case SCHEMA_BYTES:
    case SCHEMA_TEXT_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return sizeof(void *);
    }
}

/* Whether wire value 0 (varint), 1 (64 bit) or 2 (length) carries the type. */
static inline uint32_t type_wire(uint8_t type)
{
    return type < SCHEMA_DOUBLE ? 0 : type == SCHEMA_DOUBLE ? 1 : 2;
}

#endif
