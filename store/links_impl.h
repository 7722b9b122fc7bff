/*
 * The parts of links.h: links.c (life, roster, queues, completions), links_out.c (connections of
 * our own making), links_in.c (those made to us). Private to them and their tests.
 *
 * A peer is another member of the roster. It has two slots for what we send, one of each kind, and
 * knows up to two connections that it made to us. A connection or an attempt outlives its slot or
 * peer when those are given up: then its pointer back is NULL and it only waits for its own end.
 * links->live counts everything whose end is still to come.
 */
#ifndef STORE_LINKS_IMPL_H
#define STORE_LINKS_IMPL_H

#include "base/list.h"
#include "net/tls.h"
#include "net/transport.h"
#include "store/link_metrics.h"
#include "store/links.h"
#include "store/raft_wire.h"

#define LINKS_NAME_PREFIX "gantry-member-"
#define LINKS_ALPN        "gantry-raft"

enum link_kind { LINK_URGENT = 0, LINK_BULK = 1, LINK_KINDS = 2 };
#define LINK_GROUPS 2 /* queues of a slot: STORE_CLUSTER, then STORE_BUS */

/* What the owner is told of a member. */
enum link_news { LINK_NO_NEWS, LINK_LOST, LINK_LOST_FROM, LINK_GONE };

/* A message that waits for the wire, then for its callback. */
struct link_send {
    struct list node;
    struct raft_io_send *req;
    raft_io_send_cb cb;
    enum link_news news; /* no message, but this */
    enum store_group_id group;
    struct wire_read read;       /* of a type: this is it, no message, and nobody waits for it */
    struct links_frame *frame;   /* not NULL: this is it; the sender's */
    struct raft_message message; /* what it points to is the caller's */
    size_t bytes;
    unsigned next; /* entries handed over so far */
    int status;
};

struct link_out;
struct link_dial;
struct link_in;
struct link_peer;

struct link_slot {
    struct link_peer *peer;
    enum link_kind kind;
    struct link_dial *dial; /* an attempt, or */
    struct link_out *conn;  /* a connection, or */
    struct env_timer retry; /* waiting for the next attempt */
    uint64_t delay_ms;
    size_t first;     /* of the resolved addresses, the one to try first, modulo their count */
    uint64_t told_ms; /* when the log last heard that the peer is unreachable; 0: never */
    struct list queue[LINK_GROUPS];
    size_t queued_bytes;
};

struct link_peer {
    struct links *links;
    struct store_member member;
    char tls_name[sizeof(LINKS_NAME_PREFIX) + sizeof(((struct store_member *)NULL)->name)];
    struct link_slot slots[LINK_KINDS];
    struct link_in *in[LINK_KINDS];
    uint64_t sent_bytes;
    uint64_t received_bytes;
    uint64_t reconnects;
    struct link_metrics *metrics; /* NULL: not shown */
    size_t position;              /* in the roster, and in the gauges */
};

/* What other threads may read. */
struct link_gauge {
    _Atomic uint64_t member_id;
    _Atomic bool connected;
    _Atomic uint64_t queued_bytes;
    _Atomic uint64_t sent_bytes;
    _Atomic uint64_t received_bytes;
    _Atomic uint64_t reconnects;
};

struct links {
    struct links_config config;
    char own_name[sizeof(((struct store_member *)NULL)->name)];
    struct tls_context *server_tls;
    struct tls_context *client_tls;
    struct env_listener *listener;
    struct transport_scratch scratch;
    struct link_peer *peers[STORE_MEMBERS_MAX]; /* by position in the roster; NULL: this member */
    size_t peers_count;
    struct list ins;
    size_t strangers;          /* of ins: have not shown who they are */
    uint64_t accept_due_ms;    /* when the rate of accepts is back to nothing */
    uint64_t refused_quiet_ms; /* no line about refused connections before */
    uint64_t refused;          /* since the last such line */
    struct list finished;      /* completions to run, in order */
    struct env_msg msg;
    bool posted;
    size_t live;
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
    struct link_gauge gauges[STORE_MEMBERS_MAX];
    _Atomic size_t gauges_count;
};

/* ---- links.c ---- */

const char *link_kind_name(enum link_kind kind);
void link_peer_publish(struct link_peer *p);
/* Its callback runs in a later turn. */
void links_finish(struct links *l, struct link_send *s, int status);
/* config.lost (lost_from, gone) runs in a later turn, after what was finished before. */
void links_tell(struct links *l, uint64_t member_id, enum link_news news);
/* Something that links->live counted has ended: l may be gone after this. */
void links_unlive(struct links *l);
/* One line a minute about connections that were turned away. who: a certificate's name or none. */
void links_tell_refused(struct links *l, const char *address, struct str who, const char *why);

/* ---- links_out.c ---- */

void link_slot_init(struct link_slot *s, struct link_peer *p, enum link_kind kind);
/* Lets go of everything: what waits is finished with status. */
void link_slot_deinit(struct link_slot *s, int status);
void link_slot_cancel(struct link_slot *s, enum store_group_id group);
bool link_slot_is_open(const struct link_slot *s);
/* Something was queued. */
void link_slot_wake(struct link_slot *s);
/* The peer lives: if the slot waits, it tries now. */
void link_slot_nudge(struct link_slot *s);

/* ---- links_in.c ---- */

void links_on_accept(void *ctx, struct env_stream *stream);
/* The member is gone or has moved: cuts it off. */
void link_in_forget(struct link_in *c);
void links_cut_ins(struct links *l);

#endif
