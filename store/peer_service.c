/*
 * See the header. A call is one struct; it outlives its stream when the caller went away first
 * (stream NULL then), and is freed when its work is done and its stream is closed.
 */
#include "store/peer_service.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/peers.h"
#include "store/proposer.h"
#include "store/proto/peer.pb-c.h"
#include "store/readindex.h"
#include "store/replica.h"
#include "store/txn.h"

struct peer_service {
    struct env_loop *raft_loop;
    struct env_loop *peer_loop;
    struct store_group *groups[STORE_BUS + 1];
    struct peers *peers;
    struct grpc_service grpc;
};

struct call {
    struct env_msg msg;
    struct peer_service *service;
    struct grpc_stream *stream; /* NULL: closed */
    struct replica *replica;
    uint64_t caller;
    bool working;
    /* Forward. */
    size_t count;
    size_t left;
    struct pending **writes;
    /* Confirm. */
    uint64_t term;
    bool follows;
    /* Read. */
    struct read_point point;
};

static void call_release(struct call *c)
{
    if (c->working || c->stream != NULL)
        return;
    for (size_t i = 0; i < c->count; i++)
        pending_free(c->writes[i]);
    mem_free(c->writes);
    mem_free(c);
}

static void on_closed(struct grpc_stream *s, int status)
{
    struct call *c = s->user;

    (void)status;
    if (c == NULL)
        return;
    c->stream = NULL;
    call_release(c);
}

static void reply(struct call *c, const ProtobufCMessage *m)
{
    size_t len = protobuf_c_message_get_packed_size(m);
    uint8_t *bytes;

    if (c->stream == NULL)
        return;
    bytes = mem_alloc(len + 1);
    protobuf_c_message_pack(m, bytes);
    grpc_stream_send(c->stream, str_of(bytes, len));
    grpc_stream_finish(c->stream, GRPC_OK, str_lit(""));
    mem_free(bytes);
}

static void refuse(struct grpc_stream *s, enum grpc_code code, const char *why)
{
    grpc_stream_finish(s, code, str_from(why));
}

static void done(struct call *c)
{
    c->working = false;
    call_release(c);
}

/* NULL after the stream was refused. group: as in the request. */
static struct call *begin(struct grpc_stream *s, uint32_t group)
{
    struct peer_service *service = s->ctx;
    uint64_t caller = peers_caller(service->peers, s);
    struct call *c;

    if (caller == 0) {
        refuse(s, GRPC_PERMISSION_DENIED, "not a member's certificate");
        return NULL;
    }
    if (group != STORE_CLUSTER && group != STORE_BUS) {
        refuse(s, GRPC_INVALID_ARGUMENT, "unknown group");
        return NULL;
    }
    c = mem_alloc(sizeof(*c));
    c->service = service;
    c->stream = s;
    c->caller = caller;
    c->replica = replica_of(service->groups[group]);
    c->working = true;
    s->user = c;
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

/* What goes into the log was checked here: a member cannot halt the others with nonsense. */
static bool txns_are_good(const PeerForwardRequest *m)
{
    struct arena a;
    bool good = m->n_txns > 0 && m->n_txns <= ENTRY_TXNS_MAX && m->n_timeout_ms == m->n_txns;

    arena_init(&a);
    for (size_t i = 0; good && i < m->n_txns; i++) {
        struct store_txn txn;
        struct err e;

        good = m->txns[i].len <= STORE_TXN_BYTES_MAX &&
               txn_decode(str_of(m->txns[i].data, m->txns[i].len), &a, &txn, &e) == 0;
        arena_reset(&a);
    }
    arena_deinit(&a);
    return good;
}

static void on_forward(struct grpc_stream *s, struct str bytes)
{
    PeerForwardRequest *m =
        peer_forward_request__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    struct call *c = m == NULL ? NULL : begin(s, m->group);
    uint64_t now;

    if (m == NULL || (c != NULL && !txns_are_good(m))) {
        refuse(s, GRPC_INVALID_ARGUMENT, "malformed");
        if (c != NULL)
            c->working = false;
        if (m != NULL)
            peer_forward_request__free_unpacked(m, NULL);
        return;
    }
    if (c == NULL) {
        peer_forward_request__free_unpacked(m, NULL);
        return;
    }
    now = env_loop_now_ms(c->service->peer_loop);
    c->count = c->left = m->n_txns;
    c->writes = mem_alloc(c->count * sizeof(struct pending *));
    for (size_t i = 0; i < c->count; i++) {
        struct pending *w = pending_new();
        uint64_t wait = m->timeout_ms[i];

        buf_append(&w->txn, m->txns[i].data, m->txns[i].len);
        w->forwarded = true;
        w->loop = c->service->peer_loop;
        w->deadline_ms = now + (wait < STORE_WRITE_TIMEOUT_MS ? wait : STORE_WRITE_TIMEOUT_MS);
        w->done = on_write_done;
        w->priv = c;
        c->writes[i] = w;
    }
    for (size_t i = 0; i < c->count; i++)
        proposer_submit(&c->replica->proposer, c->writes[i]);
    peer_forward_request__free_unpacked(m, NULL);
}

/* ---- Confirm ---- */

static void on_confirm_known(struct env_msg *m)
{
    struct call *c = container_of(m, struct call, msg);
    PeerConfirmResponse response = PEER_CONFIRM_RESPONSE__INIT;

    response.follows = c->follows;
    reply(c, &response.base);
    done(c);
}

static void confirm_on_raft(struct env_msg *m)
{
    struct call *c = container_of(m, struct call, msg);
    struct raft_view v;

    raft_node_view(c->replica->node, &v);
    c->follows = readindex_follows(&v, c->replica->member_id, c->caller, c->term);
    env_post(c->service->peer_loop, &c->msg, on_confirm_known);
}

static void on_confirm(struct grpc_stream *s, struct str bytes)
{
    PeerConfirmRequest *m =
        peer_confirm_request__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    struct call *c;

    if (m == NULL) {
        refuse(s, GRPC_INVALID_ARGUMENT, "malformed");
        return;
    }
    c = begin(s, m->group);
    if (c != NULL) {
        c->term = m->term;
        env_post(c->service->raft_loop, &c->msg, confirm_on_raft);
    }
    peer_confirm_request__free_unpacked(m, NULL);
}

/* ---- Read ---- */

static void on_read_known(struct read_point *p)
{
    struct call *c = p->priv;
    PeerReadResponse response = PEER_READ_RESPONSE__INIT;

    if (p->status != 0) {
        if (c->stream != NULL)
            refuse(c->stream, GRPC_UNAVAILABLE, err_name(p->status));
    } else {
        response.index = p->index;
        reply(c, &response.base);
    }
    done(c);
}

static void on_read(struct grpc_stream *s, struct str bytes)
{
    PeerReadRequest *m = peer_read_request__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    struct call *c;

    if (m == NULL) {
        refuse(s, GRPC_INVALID_ARGUMENT, "malformed");
        return;
    }
    c = begin(s, m->group);
    if (c != NULL) {
        c->point.remote = true;
        c->point.loop = c->service->peer_loop;
        c->point.deadline_ms =
            env_loop_now_ms(c->service->peer_loop) +
            (m->timeout_ms < READINDEX_ROUND_MS ? m->timeout_ms : READINDEX_ROUND_MS);
        c->point.done = on_read_known;
        c->point.priv = c;
        readindex_submit(&c->replica->readindex, &c->point);
    }
    peer_read_request__free_unpacked(m, NULL);
}

/* ---- Status ---- */

static void on_status(struct grpc_stream *s, struct str bytes)
{
    PeerStatusRequest *m =
        peer_status_request__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    PeerStatusResponse response = PEER_STATUS_RESPONSE__INIT;
    struct store_status status;
    struct call *c;

    if (m == NULL) {
        refuse(s, GRPC_INVALID_ARGUMENT, "malformed");
        return;
    }
    c = begin(s, m->group);
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
    reply(c, &response.base);
    done(c);
}

static const struct grpc_method methods[] = {
    { .path = "/PeerService/Forward",
      .kind = GRPC_UNARY,
      .message_bytes_max = PEER_MESSAGE_BYTES_MAX,
      .message = on_forward,
      .closed = on_closed },
    { .path = "/PeerService/Confirm",
      .kind = GRPC_UNARY,
      .message = on_confirm,
      .closed = on_closed },
    { .path = "/PeerService/Read", .kind = GRPC_UNARY, .message = on_read, .closed = on_closed },
    { .path = "/PeerService/Status", .kind = GRPC_UNARY, .message = on_status, .closed = on_closed }
};

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
