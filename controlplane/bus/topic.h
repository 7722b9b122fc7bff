/*
 * Names, rows and records of the bus in its store group.
 *
 *   stream  <topic>                      one record a message
 *   row     topic/<topic>                the topic exists (its class, for later)
 *   row     channel/<topic>/<channel>    channel_encode
 *
 * A record is {8 bytes little endian: wall clock ns when it was taken; the body}.
 */
#ifndef CONTROLPLANE_BUS_TOPIC_H
#define CONTROLPLANE_BUS_TOPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;

/* NSQ's limits on names. */
#define TOPIC_NAME_BYTES_MAX 64
/* A message body; NSQ's max-msg-size. */
#define TOPIC_BODY_BYTES_MAX (1u << 20)
/* Bodies in one publish request. */
#define TOPIC_BODIES_MAX 200
/* A topic refuses publishing (RESOURCE_EXHAUSTED) when its channels are this far behind. */
#define TOPIC_DEPTH_MAX 1000000u
/* Topics of the bus, and stored channels of a topic: each is seen by one bounded read. */
#define TOPIC_COUNT_MAX    900u
#define TOPIC_CHANNELS_MAX 100u
/* Topics with this prefix are the system's: they keep their newest messages and drop older ones. */
#define TOPIC_SYSTEM_PREFIX "cluster."
#define TOPIC_SYSTEM_RETAIN 10000u
/* Behind a topic's newest message, what an ephemeral channel may hold back from trimming (NSQ's
 * mem-queue-size). */
#define TOPIC_EPHEMERAL_RETAIN 10000u

#define TOPIC_SCHEDULING       "cluster.scheduling"
#define TOPIC_QUEUE            "cluster.queue"

bool topic_name_valid(struct str name);
/* As a topic's name, and may end in #ephemeral. */
bool channel_name_valid(struct str name);
bool channel_is_ephemeral(struct str name);
bool topic_is_system(struct str name);

struct str topic_row_key(struct arena *a, struct str topic);
struct str channel_row_key(struct arena *a, struct str topic, struct str channel);
/* The prefix of a topic's channel rows, with its slash. */
struct str channel_row_prefix(struct arena *a, struct str topic);

struct str topic_record(struct arena *a, uint64_t wall_ns, struct str body);
/* A record too short gives time 0 and an empty body. */
void topic_record_read(struct str record, uint64_t *out_wall_ns, struct str *out_body);

#endif
