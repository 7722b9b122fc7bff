/*
 * The event bus of one member: topics and channels over a store group, served as gRPC
 * (api/proto/bus.proto) on the API listeners.
 *
 * Publishing works on every member: the stream's own loop submits to the store, which forwards.
 * Channels live on the bus loop of the group's leader: it hands messages to consumers, keeps
 * deadlines, and writes cursors back with its term as fence. When leadership moves, subscribers end
 * with UNAVAILABLE and the leader's name, and the next leader starts from the stored cursors.
 *
 * Life: bus_new before the loops run -> ... -> loops stopped and joined -> bus_free.
 */
#ifndef CONTROLPLANE_BUS_BUS_H
#define CONTROLPLANE_BUS_BUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct bus;
struct bus_publisher;
struct env;
struct env_loop;
struct grpc_service;
struct store_group;
struct store_member;

struct bus_config {
    struct env *env;
    struct env_loop *loop;              /* the bus loop */
    struct store_group *group;          /* STORE_BUS */
    const struct store_member *members; /* for the leader's name; borrowed */
    size_t members_count;
    struct store_group *cluster; /* whose rows name those that joined since; NULL: nobody did */
    uint64_t depth_max;          /* messages of one topic; 0: TOPIC_DEPTH_MAX */
};

struct bus *bus_new(const struct bus_config *config);
void bus_free(struct bus *b); /* NULL-safe */

/* gantry.bus.v1.Bus, for grpc_serve on any loop. */
const struct grpc_service *bus_service(struct bus *b);

/*
 * Publishing from inside the member, on one loop. Messages queue (beyond BUS_PUBLISHER_QUEUE_MAX of
 * them or their bytes new ones are dropped and counted), go out in batches, and are retried with
 * their sequence until the store took them, so nothing is published twice. producer: unique to this
 * process's run.
 */
#define BUS_PUBLISHER_QUEUE_MAX       8192
#define BUS_PUBLISHER_QUEUE_BYTES_MAX (16u << 20)

struct bus_publisher *bus_publisher_new(struct bus *b, struct env_loop *loop, struct str producer);
/* On the loop; topic and body are copied. */
void bus_publish(struct bus_publisher *p, struct str topic, struct str body);
void bus_publisher_free(struct bus_publisher *p); /* after its loop is joined; NULL-safe */

#endif
