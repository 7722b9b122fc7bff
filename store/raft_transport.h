/*
 * A raft_uv_transport on unix sockets, for members that share one machine.
 *
 * Member NAME of group G listens on <folder>/<G>-NAME.sock. The folder is made 0700 and must belong
 * to this user; peers must have the same uid. A connection begins with a fixed handshake {magic,
 * version, group, id}; who does not send it in TRANSPORT_HANDSHAKE_MS, or names a member that is
 * not configured, is closed. At most TRANSPORT_ACCEPTS_MAX connections are in handshake.
 *
 * raft_uv allocates what a connected peer's message header asks for: the folder's mode and the uid
 * check are what keeps strangers out. raft_uv_tcp has neither and is never used.
 *
 * Thread: the raft loop. Addresses in libraft's configuration are member names.
 */
#ifndef STORE_RAFT_TRANSPORT_H
#define STORE_RAFT_TRANSPORT_H

#include <raft.h>
#include <raft/uv.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

#define TRANSPORT_HANDSHAKE_MS 1000
#define TRANSPORT_ACCEPTS_MAX  32

struct raft_transport;

struct raft_transport_config {
    struct uv_loop_s *loop;
    const char *folder; /* copied */
    enum store_group_id group;
    const struct store_member *members; /* borrowed: lives as long as the transport */
    size_t members_count;
};

int raft_transport_new(const struct raft_transport_config *config, struct raft_transport **out,
                       struct err *e);
/* For raft_uv_init. */
struct raft_uv_transport *raft_transport_uv(struct raft_transport *t);
/* After raft_close has completed (it closes the transport's handles). */
void raft_transport_free(struct raft_transport *t);

#endif
