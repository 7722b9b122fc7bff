/*
 * What a member serves beside the Kubernetes API, on the same listeners and for the same
 * identities: gRPC (the bus, grpc.health.v1) and GET /gantry/v1/member, the member's own state for
 * `gantry status`, which also answers without a leader.
 */
#ifndef CONTROLPLANE_MEMBER_H
#define CONTROLPLANE_MEMBER_H

#include <stdbool.h>

struct bus;
struct env_loop;
struct http_exchange;
struct member;
struct store;
struct store_config;

/* Everything is borrowed and outlives the member. */
struct member *member_new(struct store *store, const struct store_config *config, const char *name,
                          struct bus *bus);

/* After its loops are joined; NULL-safe. */
void member_free(struct member *m);

/* One of the loops that member_intercept will run on. Before it runs. */
void member_add_loop(struct member *m, struct env_loop *loop);

/* The API server's intercept: true when the request was ours. On the exchange's loop. */
bool member_intercept(void *ctx, struct http_exchange *x);

#endif
