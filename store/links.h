/*
 * Raft's messages between members: frames (raft_wire.h) over mutual TLS on the raft loop, for all
 * groups.
 *
 * To every other member there are two connections of our own making: one for what must never wait
 * (heartbeats, votes, results, TimeoutNow, questions about reads), one for entries, snapshots'
 * manifests, writes for the leader and their answers. Each member's messages travel on the
 * connections it made; what a peer says arrives on the connections it made to us. So order holds
 * within a connection and not between the two (guard.h, G14). Of what waits for the wire, group
 * STORE_CLUSTER goes before STORE_BUS.
 *
 * Who may speak: the TLS certificate of either side must carry the DNS name gantry-member-<name> of
 * a member in the roster; a frame's sender is that member, whatever the frame says. A connection
 * begins with a hello from either side (who, to whom, which kind), and is open once the peer's has
 * come. Anybody else is cut off with one line in the log a minute.
 *
 * Bounded: WIRE_BODY_BYTES_MAX a frame, LINKS_QUEUE_BYTES_MAX (LINKS_URGENT_BYTES_MAX) queued a
 * connection (what does not fit fails with RAFT_NOCONNECTION at once; a message is taken whole when
 * nothing else waits), at most LINKS_ACCEPTS_MAX connections that have not shown who they are, for
 * LINKS_HANDSHAKE_MS, and LINKS_ACCEPTS_PER_S new ones a second. A queue holds no bytes, only where
 * they are: encoded are TRANSPORT_QUEUE_BYTES and a piece. A large AppendEntries is cut into pieces
 * of about LINKS_PIECE_BYTES, each a message of its own whose leader_commit is at most its last
 * index.
 *
 * A lost connection is made again after LINKS_RETRY_MS_MIN, doubling to LINKS_RETRY_MS_MAX with
 * jitter, or as soon as the peer itself connects. Host names are resolved at each attempt
 * (env_resolve), and every address is tried, IPv6 and IPv4. A peer that vanished or stopped reading
 * is noticed by pings (links_out.c).
 *
 * Thread: the raft loop.
 */
#ifndef STORE_LINKS_H
#define STORE_LINKS_H

#include <raft.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "store/store.h"

#define LINKS_PIECE_BYTES         (1u << 20)
#define LINKS_QUEUE_BYTES_MAX     (64u << 20) /* of entries */
#define LINKS_URGENT_BYTES_MAX    (1u << 20)
#define LINKS_ACCEPTS_MAX         64
#define LINKS_ACCEPTS_OF_HOST_MAX 16 /* of those, from one address: more than 7 peers need */
#define LINKS_ACCEPTS_PER_S       100
#define LINKS_HANDSHAKE_MS        3000
#define LINKS_CONNECT_MS          2000
#define LINKS_RETRY_MS_MIN        50
#define LINKS_RETRY_MS_MAX        2000
#define LINKS_PING_MS             1000
#define LINKS_SILENCE_MS          3000  /* without an answer, and without a byte taken: cut */
#define LINKS_STALL_MS            10000 /* the same where entries go */
#define LINKS_IDLE_MS             15000 /* without a ping from who connected to us */
#define LINKS_QUIET_MS            60000 /* between lines of the log about the same trouble */

struct buf;
struct links;
struct wire_read;
struct wire_writes;

struct links_config {
    struct env *env;
    struct env_loop *loop;
    uint64_t member_id;
    const char *listen_address; /* "tcp:10.0.0.11:2381", "tcp:[::]:2381", "fd:N"; NULL: a single
                                   member */
    /* Read once, in links_open. */
    const char *ca_file;
    const char *cert_file;
    const char *key_file;
    /* No files, no TLS, and a hello is believed: for simulations, whose trace must not depend on
     * what OpenSSL draws. */
    bool simulated;
    /* A message for a group; server_id and server_address (the member's name) are filled in,
     * entries are raft_malloc'ed (one array, one batch) and the callee's. On the loop, outside
     * links_send. It may call anything here, links_close too. */
    void (*message)(void *ctx, enum store_group_id group, struct raft_message *m);
    /* A question or an answer about reads (raft_wire.h), from a member. As above. */
    void (*read)(void *ctx, enum store_group_id group, uint64_t from, const struct wire_read *read);
    /* Writes or what came of them (raft_wire.h), from a member; what they point to is borrowed.
     * Not 0: nonsense, and the connection is cut. As above. */
    int (*writes)(void *ctx, enum store_group_id group, uint64_t from,
                  const struct wire_writes *writes, struct err *e);
    /* The connection for entries to a member was lost: what was sent on it may never arrive. On the
     * loop, in a turn of its own, after the callbacks of what waited for it. */
    void (*lost)(void *ctx, uint64_t member_id);
    /* A member's connection for entries to us was lost: what it sent may never arrive. As above. */
    void (*lost_from)(void *ctx, uint64_t member_id);
    /* No connection with a member is open, in either direction, and its host refuses new ones: its
     * process has most likely ended. On the loop, in a turn of its own, at each such attempt. */
    void (*gone)(void *ctx, uint64_t member_id);
    void *ctx;
};

/* Blocking: before the loop runs. Nobody is a member before links_set_members. */
int links_open(const struct links_config *config, struct links **out, struct err *e);
/* closed runs on the loop, in a later turn, when every connection is gone; then the memory is gone.
 * What waited completes with RAFT_CANCELED before. */
void links_close(struct links *l, void (*closed)(void *ctx), void *ctx);
int links_port(const struct links *l); /* the TCP port that is listened on, 0: none */

/* Who the members are from now on (copied), this one among them: connections to members that are
 * gone or have moved are cut, and what waited for them fails. At most STORE_MEMBERS_MAX. */
void links_set_members(struct links *l, const struct store_member *members, size_t count);

/* m->server_id names the receiver. What the message points to must live until cb, which runs once,
 * never inside this call: 0 when the last bytes were handed to the connection, RAFT_NOCONNECTION
 * when it was lost before, RAFT_CANCELED on close. Returns 0, or RAFT_NOCONNECTION: unknown,
 * unreachable, or its queue is full, or the message is beyond the bounds of raft_wire.h; then cb is
 * not called. */
int links_send(struct links *l, enum store_group_id group, struct raft_io_send *req,
               const struct raft_message *m, raft_io_send_cb cb);

/* Sends a question or an answer about reads with what must not wait. Lost with its connection, and
 * nobody is told; false: there is none, or its queue is full. */
bool links_send_read(struct links *l, enum store_group_id group, uint64_t member_id,
                     const struct wire_read *read);

/* Something that is no message of Raft's and may wait: it goes with the entries. The sender embeds
 * it, and it lives until sent. */
struct links_frame {
    enum store_group_id group;
    size_t bytes; /* of it, about: what a queue counts */
    /* Its turn has come: appends it, or nothing. Not inside links_send_frame. */
    void (*encode)(struct links_frame *f, struct buf *out);
    /* Once, never inside links_send_frame: 0 after encode; RAFT_NOCONNECTION when the connection
     * was lost before, RAFT_CANCELED on close: then encode was not called and is not. */
    void (*sent)(struct links_frame *f, int status);
};
/* false: as links_send says; then nothing follows. */
bool links_send_frame(struct links *l, uint64_t member_id, struct links_frame *f);

/* What waits of a group completes with RAFT_CANCELED, in a later turn; what it points to is not
 * looked at any more. */
void links_cancel(struct links *l, enum store_group_id group);

/* Gauges, any thread: index into them by position in the roster last set. This member's own row is
 * zero but for its id. */
struct links_stats {
    uint64_t member_id;
    bool connected; /* the connection for what must not wait */
    uint64_t queued_bytes;
    uint64_t sent_bytes;
    uint64_t received_bytes;
    uint64_t reconnects;
};
size_t links_stats(struct links *l, struct links_stats out[STORE_MEMBERS_MAX]);

#endif
