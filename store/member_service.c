/* See member_service.h. A call that needs the raft loop is one struct (peers_served). */
#include "store/member_service.h"

#include <stdio.h>

#include "base/arena.h"
#include "store/admin.h"
#include "store/members.h"
#include "store/peers.h"
#include "store/proto/peer.pb-c.h"

struct member_service {
    struct admin *admin;
    struct peers *peers;
    struct members_keeper *keeper; /* NULL: not open yet */
    struct grpc_service grpc;
};

struct call {
    struct peers_served served;
    struct local_ask local;
};

static void call_free(struct peers_served *v)
{
    mem_free(container_of(v, struct call, served));
}

/* NULL after the stream was refused. */
static struct call *begin(struct grpc_stream *s, void (*done)(struct local_ask *l))
{
    struct member_service *service = s->ctx;
    struct call *c;

    if (peers_admit(service->peers, s) == 0)
        return NULL;
    c = mem_alloc(sizeof(*c));
    peers_serve(&c->served, s, call_free);
    c->local.done = done;
    return c;
}

/* ---- Members ---- */

static void on_view(struct local_ask *l)
{
    struct call *c = container_of(l, struct call, local);
    struct buf bytes;

    if (c->served.stream != NULL) {
        buf_init(&bytes);
        view_pack(&l->member, &bytes);
        grpc_stream_send(c->served.stream, buf_str(&bytes));
        grpc_stream_finish(c->served.stream, GRPC_OK, str_lit(""));
        buf_deinit(&bytes);
    }
    peers_served(&c->served);
}

static void on_members(struct grpc_stream *s, struct str bytes)
{
    struct member_service *service = s->ctx;
    struct call *c = begin(s, on_view);

    (void)bytes; /* nothing is asked */
    if (c != NULL)
        admin_local(service->admin, &c->local);
}

/* ---- Transfer ---- */

static void on_transferred(struct local_ask *l)
{
    struct call *c = container_of(l, struct call, local);
    PeerTransferResponse response = PEER_TRANSFER_RESPONSE__INIT;

    response.status = l->status;
    peers_reply(c->served.stream, &response.base);
    peers_served(&c->served);
}

static void on_transfer(struct grpc_stream *s, struct str bytes)
{
    struct member_service *service = s->ctx;
    PeerTransferRequest *m =
        peer_transfer_request__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    struct call *c;

    if (m == NULL || m->member_id == 0 || (m->group != STORE_CLUSTER && m->group != STORE_BUS)) {
        peers_refuse(s, GRPC_INVALID_ARGUMENT, "malformed");
    } else if ((c = begin(s, on_transferred)) != NULL) {
        c->local.group = (enum store_group_id)m->group;
        c->local.transfer_to = m->member_id;
        admin_local(service->admin, &c->local);
    }
    if (m != NULL)
        peer_transfer_request__free_unpacked(m, NULL);
}

/* ---- Announce ---- */

/* The caller as it says it is; false: not what its certificate says, or no good fields. */
static bool announced(struct member_service *service, const struct grpc_stream *s,
                      const PeerAnnounceRequest *m, struct store_member *out)
{
    *out = (struct store_member){ .id = m->member_id };
    if (!roster_name_is_good(str_from(m->name)) || m->member_id == 0 ||
        !roster_address_is_good(str_from(m->raft_address)) ||
        !roster_address_is_good(str_from(m->peer_address)))
        return false;
    (void)snprintf(out->name, sizeof(out->name), "%s", m->name); /* all fit: looked at above */
    (void)snprintf(out->raft_address, sizeof(out->raft_address), "%s", m->raft_address);
    (void)snprintf(out->peer_address, sizeof(out->peer_address), "%s", m->peer_address);
    return peers_is_named(service->peers, s, out->name);
}

static void on_announce(struct grpc_stream *s, struct str bytes)
{
    struct member_service *service = s->ctx;
    PeerAnnounceResponse response = PEER_ANNOUNCE_RESPONSE__INIT;
    PeerAnnounceRequest *m =
        peer_announce_request__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    struct store_member caller;

    if (m == NULL) {
        peers_refuse(s, GRPC_INVALID_ARGUMENT, "malformed");
        return;
    }
    if (!announced(service, s, m, &caller)) {
        peers_refuse(s, GRPC_PERMISSION_DENIED, "not what the certificate says");
    } else if (service->keeper == NULL) {
        peers_refuse(s, GRPC_UNAVAILABLE, "starting");
    } else {
        response.removed = !members_heard(service->keeper, &caller);
        peers_reply(s, &response.base);
    }
    peer_announce_request__free_unpacked(m, NULL);
}

/* ---- life ---- */

#define ANNOUNCE_BYTES_MAX 1024

static const struct grpc_method methods[] = {
    { .path = MEMBER_SERVICE_MEMBERS,
      .kind = GRPC_UNARY,
      .message_bytes_max = ANNOUNCE_BYTES_MAX,
      .message = on_members,
      .closed = peers_served_closed },
    { .path = MEMBER_SERVICE_TRANSFER,
      .kind = GRPC_UNARY,
      .message_bytes_max = ANNOUNCE_BYTES_MAX,
      .message = on_transfer,
      .closed = peers_served_closed },
    { .path = MEMBER_SERVICE_ANNOUNCE,
      .kind = GRPC_UNARY,
      .message_bytes_max = ANNOUNCE_BYTES_MAX,
      .message = on_announce,
      .closed = peers_served_closed },
};

struct member_service *member_service_new(struct admin *admin)
{
    struct member_service *s = mem_alloc(sizeof(*s));

    s->admin = admin;
    s->grpc = (struct grpc_service){ .name = "MemberService",
                                     .methods = methods,
                                     .method_count = sizeof(methods) / sizeof(methods[0]),
                                     .ctx = s };
    return s;
}

void member_service_set_peers(struct member_service *s, struct peers *peers)
{
    s->peers = peers;
}

void member_service_set_keeper(struct member_service *s, struct members_keeper *keeper)
{
    s->keeper = keeper;
}

const struct grpc_service *member_service_grpc(struct member_service *s)
{
    return &s->grpc;
}

void member_service_free(struct member_service *s)
{
    mem_free(s);
}
