/* gRPC's length-prefixed messages: a flag byte, four bytes of length, the message. */
#ifndef NET_GRPC_FRAME_H
#define NET_GRPC_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define GRPC_FRAME_HEAD_BYTES 5

struct grpc_frames {
    struct buf in;
    uint32_t bytes_max; /* of one message */
    bool given;         /* in holds the message given out last */
};

void grpc_frames_init(struct grpc_frames *f, uint32_t bytes_max);
void grpc_frames_deinit(struct grpc_frames *f);
/*
 * Takes from the front of *in. 1: *out is a message, valid until the next call and as long as the
 * input; 0: more is needed; -ERR_LIMIT: too large; -ERR_UNIMPLEMENTED: compressed; -ERR_PROTOCOL.
 */
int grpc_frames_next(struct grpc_frames *f, struct str *in, struct str *out);
/* Is a message begun and not complete? */
bool grpc_frames_partial(const struct grpc_frames *f);
void grpc_frame_head(uint8_t out[GRPC_FRAME_HEAD_BYTES], size_t len);

#endif
