/*
 * Cheap looks into protobuf bytes by field number, without unpacking.
 *
 * Watch matching, index terms and field selectors read one or two fields of a stored object; a scan
 * that skips the rest costs a few dozen nanoseconds and allocates nothing. Results point into the
 * bytes. A message that does not parse ends the scan (fields read as absent); stored bytes were
 * packed by us, so that never happens there. Pure; any thread.
 */
#ifndef API_META_PEEK_H
#define API_META_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* A field path is at most this deep: a list of field numbers ended by 0. */
#define PEEK_DEPTH_MAX 6

enum peek_wire { PEEK_VARINT = 0, PEEK_FIXED64 = 1, PEEK_BYTES = 2, PEEK_FIXED32 = 5 };

struct peek_field {
    uint32_t number;
    enum peek_wire wire;
    uint64_t number_value; /* varint and fixed */
    struct str bytes;      /* PEEK_BYTES: string, bytes or message */
};

/* Walks the fields of one message in wire order. *at starts at 0. False at the end or when
 * malformed. */
bool peek_next(struct str message, size_t *at, struct peek_field *out);
/* The last field with this number (protobuf: last one wins). */
bool peek_field(struct str message, uint32_t number, struct peek_field *out);
/* Follows messages along a path of numbers ended by 0. The last one may be of any type. */
bool peek_path(struct str message, const uint8_t *path, struct peek_field *out);
/* The string at a path; empty when absent. */
struct str peek_string(struct str message, const uint8_t *path);

#endif
