/*
 * The peer loop: what members say to each other outside Raft. gRPC over mutual TLS
 * (store/proto/peer.proto): forwarded transactions, read-index confirmations, status.
 *
 * A caller is a member only if its certificate carries the DNS name gantry-member-<name> of a
 * configured member other than this one; anybody else gets PERMISSION_DENIED. The same name is
 * demanded of the server that a client reaches: a member cannot be impersonated either way.
 *
 * Everything runs on the peer loop. Bytes are the packed messages of peer.proto; who packs them is
 * forward.c and peer_service.c.
 */
#ifndef STORE_PEERS_H
#define STORE_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "base/str.h"
#include "net/grpc.h"
#include "store/store.h"

struct peers;

/* A forwarded batch is at most one entry's worth. */
#define PEER_MESSAGE_BYTES_MAX (6u << 20)
#define PEER_CALL_MS           2000 /* default deadline of a call */

struct peers_config {
    struct env *env;
    struct env_loop *loop;
    uint64_t member_id;
    const struct store_member *members; /* borrowed */
    size_t members_count;
    const char *ca_file;
    const char *cert_file;
    const char *key_file;
    int listen_fd;                      /* -1: this member's own peer_address */
    const struct grpc_service *service; /* borrowed; its methods find the caller by peers_caller */
};

/* Blocking: before the loop runs. */
int peers_open(const struct peers_config *config, struct peers **out, struct err *e);
/* Peer loop; closed runs there when every connection is gone; then the memory is gone. */
void peers_close(struct peers *p, void (*closed)(void *ctx), void *ctx);

/* The member whose certificate the stream's connection showed, 0: none of ours. */
uint64_t peers_caller(struct peers *p, const struct grpc_stream *s);

/* One unary call to a member; done on the peer loop, exactly once, never inside the call. */
struct peer_call {
    struct env_msg msg;
    struct peers *peers;
    struct grpc_call grpc;
    void (*done)(struct peer_call *c, int status, struct str reply); /* reply borrowed */
    bool refused; /* the member surely did not see it */
    void *priv;
};
void peers_call(struct peers *p, uint64_t member_id, struct peer_call *c, const char *path,
                struct str request, uint64_t timeout_ms);

#endif
