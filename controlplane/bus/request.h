/*
 * The two request messages, from bytes to checked structs. Pure: limits and names, nothing of the
 * store. What is returned is the caller's to free (free_unpacked); e says what is wrong.
 */
#ifndef CONTROLPLANE_BUS_REQUEST_H
#define CONTROLPLANE_BUS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "api/proto/bus.pb-c.h"
#include "base/err.h"
#include "base/str.h"

/* Bodies of one publish request together: a transaction holds them and their rows' names. */
#define REQUEST_BODIES_BYTES_MAX (5u << 18) /* 1.25 MiB */
/* Sequences in one acknowledgement. */
#define REQUEST_ACKS_MAX 4096u

/* -ERR_INVALID_ARGUMENT. *out_bytes: of the bodies. */
int request_publish(struct str bytes, Gantry__Bus__V1__PublishRequest **out, size_t *out_bytes,
                    struct err *e);
/* started: a start was taken before; it comes first and once. */
int request_subscribe(struct str bytes, bool started, Gantry__Bus__V1__SubscribeRequest **out,
                      struct err *e);

#endif
