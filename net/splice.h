/*
 * Two tunnels made one: what a client sends on an upgraded exchange goes to an upgraded request and
 * back. Neither side's queue grows beyond HTTP_QUEUE_HIGH_BYTES and one read: above it the other
 * side is not read. Both sides on one loop; each function may be called while either is open.
 */
#ifndef NET_SPLICE_H
#define NET_SPLICE_H

#include "net/client.h"
#include "net/http.h"

/* How long nothing may pass in either direction: upstream's streaming idle time-out. */
#define SPLICE_IDLE_MS (4ull * 60 * 60 * 1000)
/* How long the one asked for a stream may take to say yes or no. */
#define SPLICE_UPGRADE_MS 60000

/* Writes to one side and pauses the other when that is behind; drained events undo it. */
static inline void splice_to_request(struct http_exchange *x, struct http_request *out,
                                     struct str bytes)
{
    http_request_write(out, bytes);
    if (http_request_queued(out) > HTTP_QUEUE_HIGH_BYTES)
        http_body_pause(x);
}

static inline void splice_to_exchange(struct http_exchange *x, struct http_request *out,
                                      struct str bytes)
{
    http_write(x, bytes);
    if (http_queued(x) > HTTP_QUEUE_HIGH_BYTES)
        http_request_pause(out);
}

#endif
