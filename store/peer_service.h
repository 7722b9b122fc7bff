/*
 * The callee's side of store/proto/peer.proto, on the peer loop: forwarded writes go to the
 * proposer, confirmations and read points to the raft loop, and their outcomes come back here.
 */
#ifndef STORE_PEER_SERVICE_H
#define STORE_PEER_SERVICE_H

#include "base/env.h"
#include "net/grpc.h"
#include "store/store.h"

struct peers;
struct peer_service;

/* groups: by enum store_group_id; all live as long as the service. */
struct peer_service *peer_service_new(struct env_loop *raft_loop, struct env_loop *peer_loop,
                                      struct store_group *const groups[STORE_BUS + 1]);
void peer_service_set_peers(struct peer_service *s, struct peers *peers);
const struct grpc_service *peer_service_grpc(struct peer_service *s);
void peer_service_free(struct peer_service *s); /* after both loops have stopped */

#endif
