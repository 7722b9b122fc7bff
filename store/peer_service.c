/* See the header. A call is one struct (peers_served). */
#include "store/peer_service.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/peers.h"
#include "store/proposer.h"
#include "store/proto/peer.pb-c.h"
#include "store/replica.h"
#include "store/roster.h"
#include "store/txn.h"

struct peer_service {
    struct env_loop *raft_loop;
    struct env_loop *peer_loop;
    struct store_group *groups[STORE_BUS + 1];
    struct peers *peers;
    struct grpc_service grpc;
};

struct call {
    struct peers_served served;
    struct peer_service *service;
    struct replica *replica;
    /* Forward. */
    size_t count;
    size_t left;
    struct pending **writes;
};

static void call_free(struct peers_served *v)
{
    struct call *c = container_of(v, struct call, served);

    for (size_t i = 0; i < c->count; i++)
        pending_free(c->writes[i]);
    mem_free(c->writes);
    mem_free(c);
}

static void reply(struct call *c, const ProtobufCMessage *m)
{
    peers_reply(c->served.stream, m);
}

static void done(struct call *c)
{
    peers_served(&c->served);
}

/* NULL after the stream was refused. group: as in the request. */
static struct call *begin(struct grpc_stream *s, uint32_t group)
{
    struct peer_service *service = s->ctx;
    struct call *c;

    if (peers_admit(service->peers, s) == 0)
        return NULL;
    if (group != STORE_CLUSTER && group != STORE_BUS) {
        peers_refuse(s, GRPC_INVALID_ARGUMENT, "unknown group");
        return NULL;
    }
    c = mem_alloc(sizeof(*c));
    peers_serve(&c->served, s, call_free);
    c->service = service;
    c->replica = replica_of(service->groups[group]);
    return c;
}

/* ---- Forward ---- */

static void forward_reply(struct call *c)
{
    PeerForwardResponse m = PEER_FORWARD_RESPONSE__INIT;
    PeerResult *results = mem_alloc((c->count + 1) * sizeof(*results));

    m.n_results = c->count;
    m.results = mem_alloc((c->count + 1) * sizeof(PeerResult *));
    for (size_t i = 0; i < c->count; i++) {
        const struct store_result *from = &c->writes[i]->result;

        results[i] = (PeerResult)PEER_RESULT__INIT;
        results[i].status = from->status;
        results[i].has_revision = from->revision != 0;
        results[i].revision = from->revision;
        results[i].has_sequence = from->sequence != 0;
        results[i].sequence = from->sequence;
        results[i].has_failed_guard = from->failed_guard != 0;
        results[i].failed_guard = from->failed_guard;
        results[i].has_replayed = from->replayed;
        results[i].replayed = from->replayed;
        results[i].has_appended = from->appended != 0;
        results[i].appended = from->appended;
        m.results[i] = &results[i];
    }
    reply(c, &m.base);
    mem_free(m.results);
    mem_free(results);
}

static void on_write_done(struct pending *w)
{
    struct call *c = w->priv;

    if (--c->left > 0)
        return;
    forward_reply(c);
    done(c);
}

static struct pending *new_write(struct call *c, const ProtobufCBinaryData *txn, uint64_t wait_ms)
{
    struct pending *w = pending_new();
    uint64_t now = env_loop_now_ms(c->service->peer_loop);

    buf_append(&w->txn, txn->data, txn->len);
    w->forwarded = true;
    w->loop = c->service->peer_loop;
    w->deadline_ms = now + (wait_ms < STORE_WRITE_TIMEOUT_MS ? wait_ms : STORE_WRITE_TIMEOUT_MS);
    w->done = on_write_done;
    w->priv = c;
    return w;
}

/* What goes into the log was checked here: a member cannot halt the others with nonsense. */
static bool take_writes(struct call *c, const PeerForwardRequest *m)
{
    struct arena a;
    bool good = m->n_txns > 0 && m->n_txns <= ENTRY_TXNS_MAX && m->n_timeout_ms == m->n_txns;

    if (!good)
        return false;
    arena_init(&a);
    c->writes = mem_alloc(m->n_txns * sizeof(struct pending *));
    for (size_t i = 0; good && i < m->n_txns; i++) {
        struct store_txn txn;
        struct err e;

        good = m->txns[i].len <= STORE_TXN_BYTES_MAX &&
               txn_decode(str_of(m->txns[i].data, m->txns[i].len), &a, &txn, &e) == 0 &&
               !txn_raises_above(&txn, group_level_max(c->replica->group));
        if (good) {
            c->writes[i] = new_write(c, &m->txns[i], m->timeout_ms[i]);
            c->writes[i]->level = txn_level(&txn);
            c->count = i + 1;
        }
        arena_reset(&a);
    }
    arena_deinit(&a);
    c->left = c->count;
    return good;
}

static void on_forward(struct grpc_stream *s, struct str bytes)
{
    PeerForwardRequest *m =
        peer_forward_request__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    struct call *c;

    if (m == NULL) {
        peers_refuse(s, GRPC_INVALID_ARGUMENT, "malformed");
        return;
    }
    c = begin(s, m->group);
    if (c != NULL && !take_writes(c, m)) {
        peers_refuse(s, GRPC_INVALID_ARGUMENT, "malformed");
        done(c);
    } else if (c != NULL) {
        for (size_t i = 0; i < c->count; i++)
            proposer_submit(&c->replica->proposer, c->writes[i]);
    }
    peer_forward_request__free_unpacked(m, NULL);
}

/* ---- Status ---- */

static void on_status(struct grpc_stream *s, struct str bytes)
{
    PeerStatusRequest *m =
        peer_status_request__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    PeerStatusResponse response = PEER_STATUS_RESPONSE__INIT;
    struct store_status status;
    uint64_t digest_index;
    struct call *c;

    if (m == NULL) {
        peers_refuse(s, GRPC_INVALID_ARGUMENT, "malformed");
        return;
    }
    c = begin(s, m->group);
    digest_index = m->digest_index;
    peer_status_request__free_unpacked(m, NULL);
    if (c == NULL)
        return;
    replica_status(c->replica, &status);
    response.member_id = status.member_id;
    response.leader_id = status.leader_id;
    response.term = status.term;
    response.commit_index = status.commit_index;
    response.applied_index = status.applied_index;
    response.published = status.published;
    response.digest = status.digest;
    response.ready = status.ready;
    response.has_feature_level_max = true;
    response.feature_level_max = status.feature_level_max;
    response.has_used_bytes = response.has_quota_bytes = true;
    response.used_bytes = status.used_bytes;
    response.quota_bytes = status.quota_bytes;
    response.has_disk_bytes = response.has_disk_free_bytes = true;
    response.disk_bytes = status.disk_bytes;
    response.disk_free_bytes = status.disk_free_bytes;
    response.has_digest_at = group_digest(c->replica->group, digest_index, &response.digest_at);
    reply(c, &response.base);
    done(c);
}

/* ---- Members ---- */

static void members_reply(struct call *c, const struct roster *roster, uint64_t revision)
{
    PeerRosterResponse response = PEER_ROSTER_RESPONSE__INIT;
    PeerRosterRow rows[ROSTER_MAX];
    PeerRosterRow *pointers[ROSTER_MAX];
    struct buf keys[ROSTER_MAX];
    struct buf values[ROSTER_MAX];

    for (size_t i = 0; i < roster->count; i++) {
        buf_init(&keys[i]);
        buf_init(&values[i]);
        roster_row_key(roster->rows[i].member.name, &keys[i]);
        roster_row_encode(&roster->rows[i], &values[i]);
        rows[i] = (PeerRosterRow)PEER_ROSTER_ROW__INIT;
        rows[i].key = (ProtobufCBinaryData){ .data = keys[i].data, .len = keys[i].len };
        rows[i].value = (ProtobufCBinaryData){ .data = values[i].data, .len = values[i].len };
        pointers[i] = &rows[i];
    }
    response.revision = revision;
    response.n_rows = roster->count;
    response.has_next_id = true;
    response.next_id = roster->next_revision != 0 ? roster->next_id : 0;
    response.rows = pointers;
    reply(c, &response.base);
    for (size_t i = 0; i < roster->count; i++) {
        buf_deinit(&keys[i]);
        buf_deinit(&values[i]);
    }
}

/* What is published here, however old: the caller's is older. */
static void on_members(struct grpc_stream *s, struct str bytes)
{
    struct peer_service *service = s->ctx;
    uint64_t revision = store_published(service->groups[STORE_CLUSTER]);
    struct roster roster;
    struct call *c;
    struct err e;

    (void)bytes; /* the request says nothing */
    c = begin(s, STORE_CLUSTER);
    if (c == NULL)
        return;
    if (roster_read(service->groups[STORE_CLUSTER], &roster, &e) == 0)
        members_reply(c, &roster, revision);
    else
        peers_refuse(s, GRPC_UNAVAILABLE, e.msg);
    done(c);
}

static const struct grpc_method methods[] = { { .path = "/PeerService/Forward",
                                                .kind = GRPC_UNARY,
                                                .message_bytes_max = PEER_MESSAGE_BYTES_MAX,
                                                .message = on_forward,
                                                .closed = peers_served_closed },
                                              { .path = "/PeerService/Status",
                                                .kind = GRPC_UNARY,
                                                .message = on_status,
                                                .closed = peers_served_closed },
                                              { .path = "/PeerService/Roster",
                                                .kind = GRPC_UNARY,
                                                .message = on_members,
                                                .closed = peers_served_closed } };

struct peer_service *peer_service_new(struct env_loop *raft_loop, struct env_loop *peer_loop,
                                      struct store_group *const groups[STORE_BUS + 1])
{
    struct peer_service *s = mem_alloc(sizeof(*s));

    s->raft_loop = raft_loop;
    s->peer_loop = peer_loop;
    memcpy(s->groups, groups, sizeof(s->groups));
    s->grpc = (struct grpc_service){ .name = "PeerService",
                                     .methods = methods,
                                     .method_count = sizeof(methods) / sizeof(methods[0]),
                                     .ctx = s };
    return s;
}

void peer_service_set_peers(struct peer_service *s, struct peers *peers)
{
    s->peers = peers;
}

const struct grpc_service *peer_service_grpc(struct peer_service *s)
{
    return &s->grpc;
}

void peer_service_free(struct peer_service *s)
{
    mem_free(s);
}
