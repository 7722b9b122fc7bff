/*
 * CopyService of store/proto/peer.proto: what a member answers another that fetches a copy of a
 * group's state. On the peer loop; only members may call (peers_caller).
 *
 * copy_service_call is the service without its transport: packed bytes in and out, for the
 * simulation and tests.
 */
#ifndef STORE_COPY_SERVICE_H
#define STORE_COPY_SERVICE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "net/grpc.h"
#include "store/copy.h"
#include "store/store.h"

#define COPY_OPEN_PATH "/CopyService/Open"
#define COPY_READ_PATH "/CopyService/Read"

struct peers;
struct copy_service;

/* copies: by enum store_group_id; they are closed after the service's last call. */
struct copy_service *copy_service_new(struct env_loop *loop,
                                      struct copies *const copies[STORE_BUS + 1]);
void copy_service_set_peers(struct copy_service *s, struct peers *peers);
const struct grpc_service *copy_service_grpc(struct copy_service *s);
void copy_service_free(struct copy_service *s); /* no call is in flight */

struct copy_call {
    void (*done)(struct copy_call *c); /* on the loop, once, never inside the call */
    void *priv;
    /* The outcome; reply is the caller's to deinitialize, empty when status is not 0. */
    int status;
    struct err err;
    struct buf reply;
    /* The service's. */
    struct env_msg msg;
    struct copy_read read;
};
/* request is borrowed for the call. */
void copy_service_call(struct copy_service *s, const char *path, struct str request,
                       struct copy_call *c);

#endif
