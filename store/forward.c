/*
 * See forward.h. Each ask is one struct that travels raft loop → peer loop → raft loop and is freed
 * there.
 */
#include "store/forward.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/group_metrics.h"
#include "store/link_metrics.h"
#include "store/peers.h"
#include "store/proposer.h"
#include "store/proto/peer.pb-c.h"
#include "store/replica.h"
#include "store/txn.h"

#define PATH_FORWARD "/PeerService/Forward"
#define PATH_STATUS  "/PeerService/Status"

struct forwarder {
    struct env_loop *raft_loop;
    struct env_loop *peer_loop;
    struct peers *peers;
    unsigned inflight[STORE_BUS + 1]; /* by group */
};

struct forwarder *forwarder_new(struct env_loop *raft_loop, struct env_loop *peer_loop)
{
    struct forwarder *f = mem_alloc(sizeof(*f));

    f->raft_loop = raft_loop;
    f->peer_loop = peer_loop;
    return f;
}

void forwarder_set_peers(struct forwarder *f, struct peers *peers)
{
    f->peers = peers;
}

void forwarder_free(struct forwarder *f)
{
    mem_free(f);
}

static struct str pack(const ProtobufCMessage *m)
{
    size_t len = protobuf_c_message_get_packed_size(m);
    uint8_t *bytes = mem_alloc(len + 1);

    protobuf_c_message_pack(m, bytes);
    return str_of(bytes, len);
}

/* ---- writes ---- */

struct forward_batch {
    struct env_msg msg;
    struct forwarder *forwarder;
    struct replica *replica;
    uint64_t leader_id;
    uint64_t timeout_ms;
    struct peer_call call;
    struct list returned; /* surely not proposed */
    size_t count;
    struct pending *writes[];
};

static void on_batch_back(struct env_msg *m)
{
    struct forward_batch *b = container_of(m, struct forward_batch, msg);
    size_t returned = list_count(&b->returned);
    struct raft_view v;

    b->forwarder->inflight[group_id(b->replica->group)]--;
    /* Each goes to the front of the queue: the last one first keeps their order. */
    while (!list_empty(&b->returned)) {
        struct list *node = b->returned.prev;

        list_remove(node);
        proposer_return(&b->replica->proposer, container_of(node, struct pending, node));
    }
    metric_add(group_metric(group_id(b->replica->group), GROUP_FORWARD_RETURNED),
               (int64_t)returned);
    /* What was returned waits for the next turn of raft, unless another leader is known already. */
    raft_node_view(b->replica->node, &v);
    if (returned > 0 && v.leader_id != b->leader_id)
        proposer_kick(&b->replica->proposer);
    mem_free(b);
}

static void fail_batch(struct forward_batch *b, bool refused)
{
    if (!refused)
        metric_add(group_metric(group_id(b->replica->group), GROUP_FORWARD_FAILED),
                   (int64_t)b->count);
    for (size_t i = 0; i < b->count; i++)
        if (refused)
            list_append(&b->returned, &b->writes[i]->node);
        else
            pending_fail(b->writes[i], -ERR_UNKNOWN_OUTCOME);
}

static void take_result(struct forward_batch *b, struct pending *w, const PeerResult *from)
{
    struct store_result result = { .status = from->status,
                                   .revision = from->revision,
                                   .sequence = from->sequence,
                                   .failed_guard = from->failed_guard,
                                   .replayed = from->replayed,
                                   .appended = from->appended };

    if (result.status == -ERR_NOT_LEADER)
        list_append(&b->returned, &w->node);
    else
        pending_finish(w, &result);
}

static void on_forwarded(struct peer_call *c, int status, struct str reply)
{
    struct forward_batch *b = container_of(c, struct forward_batch, call);
    PeerForwardResponse *m = NULL;

    if (status == 0)
        m = peer_forward_response__unpack(NULL, reply.len, (const uint8_t *)reply.data);
    if (m == NULL || m->n_results != b->count)
        fail_batch(b, status != 0 && c->refused);
    else
        for (size_t i = 0; i < b->count; i++)
            take_result(b, b->writes[i], m->results[i]);
    if (m != NULL)
        peer_forward_response__free_unpacked(m, NULL);
    env_post(b->forwarder->raft_loop, &b->msg, on_batch_back);
}

static void send_batch(struct env_msg *m)
{
    struct forward_batch *b = container_of(m, struct forward_batch, msg);
    PeerForwardRequest request = PEER_FORWARD_REQUEST__INIT;
    uint64_t now = env_loop_now_ms(b->forwarder->peer_loop);
    struct str bytes;

    request.group = (uint32_t)group_id(b->replica->group);
    request.n_txns = request.n_timeout_ms = b->count;
    request.txns = mem_alloc(b->count * sizeof(*request.txns));
    request.timeout_ms = mem_alloc(b->count * sizeof(*request.timeout_ms));
    for (size_t i = 0; i < b->count; i++) {
        request.txns[i].data = b->writes[i]->txn.data;
        request.txns[i].len = b->writes[i]->txn.len;
        request.timeout_ms[i] =
            b->writes[i]->deadline_ms > now ? b->writes[i]->deadline_ms - now : 0;
    }
    bytes = pack(&request.base);
    b->call.done = on_forwarded;
    peers_call(b->forwarder->peers, b->leader_id, &b->call, PATH_FORWARD, bytes, FORWARD_CALL_MS);
    mem_free((void *)bytes.data);
    mem_free(request.txns);
    mem_free(request.timeout_ms);
}

bool forward_writes(struct forwarder *f, struct replica *r, uint64_t leader_id, struct list *writes)
{
    size_t count = list_count(writes);
    struct forward_batch *b;
    struct list *node;

    if (f->inflight[group_id(r->group)] >= FORWARD_INFLIGHT_MAX)
        return false;
    b = mem_alloc(sizeof(*b) + count * sizeof(b->writes[0]));
    b->forwarder = f;
    b->replica = r;
    b->leader_id = leader_id;
    list_init(&b->returned);
    while ((node = list_pop(writes)) != NULL)
        b->writes[b->count++] = container_of(node, struct pending, node);
    f->inflight[group_id(r->group)]++;
    env_post(f->peer_loop, &b->msg, send_batch);
    return true;
}

unsigned forward_inflight(const struct forwarder *f, enum store_group_id group)
{
    return f->inflight[group];
}

/* ---- what members say of themselves ---- */

struct status_call {
    struct env_msg msg;
    struct forwarder *forwarder;
    struct replica *replica;
    uint64_t member_id;
    uint64_t digest_index;
    bool answered;
    uint64_t sent_ns;
    uint64_t took_ns;
    struct housekeeping_report report;
    struct peer_call call;
};

static void on_status_back(struct env_msg *m)
{
    struct status_call *c = container_of(m, struct status_call, msg);
    const struct roster_row *row = roster_by_id(c->replica->roster, c->member_id);

    if (c->answered && row != NULL)
        link_metrics_round_trip(row->member.name, c->took_ns);
    if (c->answered)
        housekeeping_reported(&c->replica->house, c->member_id,
                              env_loop_now_ms(c->forwarder->raft_loop), &c->report);
    mem_free(c);
}

static void on_status_answer(struct peer_call *call, int status, struct str reply)
{
    struct status_call *c = container_of(call, struct status_call, call);
    PeerStatusResponse *m = NULL;

    if (status == 0)
        m = peer_status_response__unpack(NULL, reply.len, (const uint8_t *)reply.data);
    c->answered = m != NULL && m->member_id == c->member_id;
    c->took_ns = env_now_ns(c->replica->env) - c->sent_ns;
    if (c->answered)
        c->report =
            (struct housekeeping_report){ .level_max = m->feature_level_max,
                                          .usage = { .used_bytes = m->used_bytes,
                                                     .quota_bytes = m->quota_bytes,
                                                     .disk_bytes = m->disk_bytes,
                                                     .disk_free_bytes = m->disk_free_bytes },
                                          .digest_index = m->has_digest_at ? c->digest_index : 0,
                                          .digest = m->digest_at };
    if (m != NULL)
        peer_status_response__free_unpacked(m, NULL);
    env_post(c->forwarder->raft_loop, &c->msg, on_status_back);
}

static void send_status(struct env_msg *m)
{
    struct status_call *c = container_of(m, struct status_call, msg);
    PeerStatusRequest request = PEER_STATUS_REQUEST__INIT;
    struct str bytes;

    request.group = (uint32_t)group_id(c->replica->group);
    request.has_digest_index = c->digest_index != 0;
    request.digest_index = c->digest_index;
    bytes = pack(&request.base);
    c->call.done = on_status_answer;
    c->sent_ns = env_now_ns(c->replica->env);
    peers_call(c->forwarder->peers, c->member_id, &c->call, PATH_STATUS, bytes, PEER_CALL_MS);
    mem_free((void *)bytes.data);
}

void forward_status(struct forwarder *f, struct replica *r, uint64_t member_id,
                    uint64_t digest_index)
{
    struct status_call *c = mem_alloc(sizeof(*c));

    c->forwarder = f;
    c->replica = r;
    c->member_id = member_id;
    c->digest_index = digest_index;
    env_post(f->peer_loop, &c->msg, send_status);
}
