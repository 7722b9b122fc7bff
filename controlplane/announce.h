/*
 * What a member's controllers and scheduler tell the bus: their plain structs as JSON messages on
 * cluster.queue and cluster.scheduling. One per loop.
 */
#ifndef CONTROLPLANE_ANNOUNCE_H
#define CONTROLPLANE_ANNOUNCE_H

#include "controllers/publish.h"

struct announce;
struct bus;
struct env_loop;

/* source: the member's name, in every message. Owned by the caller; before the loop runs. */
struct announce *announce_new(struct bus *bus, struct env_loop *loop, const char *source,
                              const char *part);
struct publish announce_publish(struct announce *a);
void announce_free(struct announce *a); /* after the loop is joined; NULL-safe */

#endif
