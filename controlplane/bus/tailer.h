/*
 * The tailer: every step of a pod's life that the object history shows, on cluster.scheduling.
 *
 * It runs on the bus's leader, reads the cluster group's history in revision order, and publishes
 * each step with a sequence made of the revision and the step's place in it, together with its own
 * cursor in one transaction and with the bus's term as fence: no gap and no duplicate over restarts
 * and leader changes. The very first one begins where the kept history does. When the history it
 * needs was compacted away it says so with a message of its own ("step":"gap").
 */
#ifndef CONTROLPLANE_BUS_TAILER_H
#define CONTROLPLANE_BUS_TAILER_H

#include <stdbool.h>

#include "base/str.h"

struct buf;
struct env_loop;
struct store_event;
struct store_group;
struct tailer;

/* loop: any one loop. Before it runs. Owned by the caller; freed after the loop is joined. */
struct tailer *tailer_new(struct env_loop *loop, struct store_group *cluster,
                          struct store_group *bus);
void tailer_free(struct tailer *t); /* NULL-safe */

/* The step an event is, as JSON; false when it is none (not a pod, or nothing of note changed).
 * For tests. */
bool tailer_describe(const struct store_event *event, struct buf *out);

#endif
