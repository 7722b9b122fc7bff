/*
 * A bus over a real single-member store, served by our gRPC server and talked to by our gRPC client
 * over a socket, in this process. Bus, server and client run on one loop of its own thread; the
 * test's thread calls into it and waits.
 */
#ifndef TESTS_UNIT_CONTROLPLANE_BUS_HARNESS_H
#define TESTS_UNIT_CONTROLPLANE_BUS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>

#include "api/proto/bus.pb-c.h"
#include "controlplane/bus/bus_impl.h"
#include "net/grpc.h"
#include "store/store.h"

struct http_client;
struct http_server;

#define HARNESS_WAIT_MS 20000 /* any step that takes longer fails the test */
#define HARNESS_DEPTH   300   /* messages of one topic */
#define HARNESS_ROWS    4096  /* deliveries one subscription remembers */

struct harness {
    struct env *env;
    struct env_loop *loop;
    struct store *store;
    struct bus *bus;
    struct http_server *server;
    struct http_client *client;
    struct store_member member;
    char folder[64];
    char address[64];
};

/* cmocka's fixture functions: *state is a struct harness, the bus leads. */
int harness_setup(void **state);
int harness_teardown(void **state);
/* The bus and its loop go and come back over the same store. */
void harness_restart(struct harness *h);

/* Runs fn on the loop and waits for it. */
void harness_run(struct harness *h, void (*fn)(void *ctx), void *ctx);
/* Waits until fn, on the loop, says true; fails the test in the end. */
void harness_until(struct harness *h, bool (*fn)(void *ctx), void *ctx);
void harness_sleep(uint32_t ms);
/* A leadership edge, as the store tells it. */
void harness_lead(struct harness *h, bool leading);
/* One transaction, answered. */
struct store_result harness_write(struct harness *h, enum store_group_id group,
                                  const struct store_txn *txn);
/* A stream's bounds: 0 and 0 when there is none. */
void harness_bounds(struct harness *h, const char *topic, uint64_t *out_first, uint64_t *out_last);
/* Is there a row of that key, published? */
bool harness_row(struct harness *h, struct str key);
/* Waits until there is. */
void harness_wait_row(struct harness *h, const char *key);

/* ---- publishing ---- */

struct published {
    struct grpc_call call;
    enum grpc_code code;
    char message[256];
    size_t count; /* responses */
    uint64_t sequences[HARNESS_ROWS];
    bool done;
};

/* A stream of requests sent at once, then half-closed; waits for its end. */
void harness_publish_all(struct harness *h, struct published *out,
                         const Gantry__Bus__V1__PublishRequest *requests, size_t count);
/* One request of bodies "BODY0", "BODY1", ...; the response's sequence, the status in *out_code
 * when wanted, else it must be OK. */
uint64_t harness_publish(struct harness *h, const char *topic, const char *producer,
                         uint64_t sequence, const char *body, size_t count,
                         enum grpc_code *out_code);

/* ---- subscribing ---- */

struct delivered {
    uint64_t sequence;
    uint32_t attempt;
    uint64_t published_at_ns;
    size_t len;
    char body[32];
};

struct subscriber {
    struct grpc_call call;
    struct harness *harness;
    size_t count;
    struct delivered rows[HARNESS_ROWS];
    bool done;
    enum grpc_code code;
    char message[256];
    bool ack; /* at once, with new credit */
    size_t wanted;
};

/* s zeroed, or as harness_subscribe_close left it. */
void harness_subscribe(struct harness *h, struct subscriber *s, const char *topic,
                       const char *channel, uint32_t credit, uint32_t timeout_ms);
void harness_subscribe_latest(struct harness *h, struct subscriber *s, const char *topic,
                              const char *channel, uint32_t credit);
/* A stream that has sent nothing yet. */
void harness_subscribe_raw(struct harness *h, struct subscriber *s);
void harness_send(struct subscriber *s, const Gantry__Bus__V1__SubscribeRequest *request);
void harness_send_bytes(struct subscriber *s, struct str bytes);
void harness_ack(struct subscriber *s, uint64_t sequence);
void harness_credit(struct subscriber *s, uint32_t messages);
void harness_requeue(struct subscriber *s, uint64_t sequence, uint32_t delay_ms);
void harness_touch(struct subscriber *s, uint64_t sequence);
/* Waits until it has so many deliveries in all. */
void harness_wait_rows(struct subscriber *s, size_t count);
/* Nothing further comes in ms. */
void harness_expect_rows(struct subscriber *s, size_t count, uint32_t ms);
/* Waits for the stream's end, which must have this status and these words in its message. */
void harness_wait_end(struct subscriber *s, enum grpc_code code, const char *words);
/* Cancels it if it is open. */
void harness_subscribe_close(struct subscriber *s);

#endif
