/*
 * The peer loop: what members say to each other outside Raft. gRPC over mutual TLS
 * (store/proto/peer.proto): forwarded transactions, read-index confirmations, status.
 *
 * A caller is a member only if its certificate carries the DNS name gantry-member-<name> of a
 * member other than this one that peers_set_members named; anybody else gets PERMISSION_DENIED. The
 * same name is demanded of the server that a client reaches: a member cannot be impersonated either
 * way.
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
struct ProtobufCMessage;

/* A forwarded batch is at most one entry's worth. */
#define PEER_MESSAGE_BYTES_MAX (6u << 20)
#define PEER_CALL_MS           2000 /* default deadline of a call */
#define PEERS_SAYS_HEADER      "gantry-member-id"

struct peers_config {
    struct env *env;
    struct env_loop *loop;
    uint64_t member_id;
    const char *listen_address; /* NULL: this member takes no calls */
    const char *ca_file;
    const char *cert_file;
    const char *key_file;
    /* No files, no TLS, and PEERS_SAYS_HEADER is believed: for simulations (see links.h). */
    bool simulated;
    const struct grpc_service *service; /* borrowed; its methods find the caller by peers_caller */
    const struct grpc_service *copies;  /* the same; NULL: none are served */
    const struct grpc_service *members; /* the same */
};

struct tls_context;

/* A member's certificate as a server and as a client, from its files. Both are the caller's to
 * unref; the error names the file. Blocking: before the loop runs. */
struct peers_tls_files {
    struct env *env;
    const char *ca_file;
    const char *cert_file;
    const char *key_file;
};
int peers_tls(const struct peers_tls_files *f, const char *const *alpn,
              struct tls_context **out_server, struct tls_context **out_client, struct err *e);

/* Blocking: before the loop runs. */
int peers_open(const struct peers_config *config, struct peers **out, struct err *e);
/* Who the members are from now on (copied): calls to one that is gone or has moved fail. Peer loop,
 * or before it runs. */
void peers_set_members(struct peers *p, const struct store_member *members, size_t count);
/* Peer loop; closed runs there when every connection is gone; then the memory is gone. */
void peers_close(struct peers *p, void (*closed)(void *ctx), void *ctx);

/* The member whose certificate the stream's connection showed, 0: none of ours. */
uint64_t peers_caller(struct peers *p, const struct grpc_stream *s);
/* Is the certificate a member's of this name, whether there is such a member or not? */
bool peers_is_named(struct peers *p, const struct grpc_stream *s, const char *name);
/* The same as peers_caller, for a method: 0 after the stream was refused. */
uint64_t peers_admit(struct peers *p, struct grpc_stream *s);
void peers_refuse(struct grpc_stream *s, enum grpc_code code, const char *why);
/* The whole answer; nothing when the stream is closed (NULL). */
void peers_reply(struct grpc_stream *s, const struct ProtobufCMessage *m);

/* A call that is answered later: it outlives its stream when the caller goes away first, and is
 * freed when its work is done and its stream is closed, whichever is later. Peer loop. */
struct peers_served {
    struct grpc_stream *stream; /* NULL: closed */
    bool working;
    void (*free)(struct peers_served *v);
};
void peers_serve(struct peers_served *v, struct grpc_stream *s,
                 void (*free)(struct peers_served *v));      /* it works from now on */
void peers_served(struct peers_served *v);                   /* its work is done */
void peers_served_closed(struct grpc_stream *s, int status); /* grpc_method.closed of such calls */

/* The members of peers_set_members, this one among them; their number. Peer loop. */
size_t peers_ids(const struct peers *p, uint64_t out[STORE_MEMBERS_MAX]);

/* One unary call to a member; done on the peer loop, exactly once, never inside the call. A member
 * that is not known is -ERR_UNAVAILABLE, refused. */
struct peer_call {
    struct env_msg msg;
    struct peers *peers;
    struct grpc_call grpc;
    void (*done)(struct peer_call *c, int status, struct str reply); /* reply borrowed */
    bool refused;   /* the member surely did not see it */
    struct err err; /* what the member said, when status is not 0 */
    void *priv;
};
void peers_call(struct peers *p, uint64_t member_id, struct peer_call *c, const char *path,
                struct str request, uint64_t timeout_ms);
void peers_cancel(struct peer_call *c); /* in flight: done follows, with -ERR_CANCELED */

#endif
