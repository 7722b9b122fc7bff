/*
 * Publishing: the gRPC method's handlers, and the transaction both doors build.
 */
#ifndef CONTROLPLANE_BUS_PUBLISH_H
#define CONTROLPLANE_BUS_PUBLISH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct arena;
struct bus;
struct grpc_stream;
struct store_op;

/* Requests of one stream without an answer, and their bytes; beyond it the stream is not read. */
#define PUBLISH_PENDING_MAX       256u
#define PUBLISH_PENDING_BYTES_MAX (4u << 20)
/* Requests that wait go out together up to so many bodies and bytes. */
#define PUBLISH_GATHER_BODIES_MAX 255u
#define PUBLISH_GATHER_BYTES_MAX  (512u << 10)

/* A producer that publishes nothing for so long is forgotten: what it sends again is new. */
#define PUBLISH_PRODUCER_MS (24ull * 60 * 60 * 1000)

struct publish_message_in {
    struct str body;
    uint64_t sequence; /* of the producer; 0: none */
};

/*
 * The operations that append the bodies to the topic and make it known; ops has room for count + 1.
 * forget: the producer's row may expire (publish_forgets). Returns how many; everything points into
 * the arena or the arguments.
 */
size_t publish_ops(struct arena *a, uint64_t wall_ns, struct str topic, struct str producer,
                   bool forget, const struct publish_message_in *messages, size_t count,
                   struct store_op *ops);
/* Can every member read of producers that expire? */
bool publish_forgets(const struct bus *b);

/* -ERR_TOO_MANY_REQUESTS when the topic's channels are too far behind (system topics drop instead),
 * or when it is new and the bus holds TOPIC_COUNT_MAX. */
int publish_check(struct bus *b, struct str topic, struct err *e);

void publish_open(struct grpc_stream *s);
void publish_message(struct grpc_stream *s, struct str bytes);
void publish_half_close(struct grpc_stream *s);
void publish_closed(struct grpc_stream *s, int status);

#endif
