/*
 * A connection to an address that may have a host name in it ("tcp:db.example:2380"): the name is
 * looked up, then every address it has is tried in the system's order, IPv6 and IPv4 alike, until
 * one answers. The whole takes at most timeout_ms; each address gets an even share of what is left,
 * so that one that swallows packets leaves time for the next.
 *
 * The dial is embedded by its caller and lives until done, which comes exactly once, never inside a
 * call: the stream and 0, or NULL and what the last address (or the lookup) came to; -ERR_TIMEOUT;
 * -ERR_CANCELED after dial_cancel. One loop.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <stdint.h>

#include "base/env.h"

struct dial_try;

struct dial {
    struct dial_try *at; /* NULL: nothing is under way */
    void (*done)(struct dial *d, struct env_stream *stream, int status);
};

void dial_start(struct dial *d, struct env_loop *loop, const char *address, uint64_t timeout_ms,
                void (*done)(struct dial *d, struct env_stream *stream, int status));
/* done still comes. Again, or after done: nothing happens. */
void dial_cancel(struct dial *d);

#endif
