/*
 * See admin.h. A view: any loop → peer loop, which asks itself by way of the raft loop and
 * everybody else by a call → the asker's loop when all have answered or failed. A transfer tries
 * this member first, which may lead, then whoever leads.
 */
#include "store/admin.h"

#include <string.h>

#include "base/arena.h"
#include "store/member_service.h"
#include "store/peers.h"
#include "store/proto/peer.pb-c.h"
#include "store/replica.h"

struct admin {
    struct admin_config config;
    struct peers *peers;
};

struct admin *admin_new(const struct admin_config *config)
{
    struct admin *a = mem_alloc(sizeof(*a));

    a->config = *config;
    return a;
}

void admin_set_peers(struct admin *a, struct peers *peers)
{
    a->peers = peers;
}

void admin_free(struct admin *a)
{
    mem_free(a);
}

/* ---- this member ---- */

static void on_local_known(struct env_msg *m)
{
    struct local_ask *l = container_of(m, struct local_ask, msg);

    l->done(l);
}

static void transfer_here(struct local_ask *l, struct replica *r)
{
    struct raft_view v;

    raft_node_view(r->node, &v);
    l->leader_id = v.leader_id;
    l->status = v.ready ? 0 : -ERR_NOT_LEADER;
    if (v.ready && l->transfer_to != r->member_id)
        raft_node_transfer(r->node, l->transfer_to);
}

static void local_on_raft(struct env_msg *m)
{
    struct local_ask *l = container_of(m, struct local_ask, msg);
    const struct admin_config *c = &l->admin->config;

    if (l->transfer_to != 0)
        transfer_here(l, replica_of(c->groups[l->group]));
    l->member = (struct view_member){ .id = c->member_id, .answered = true };
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        view_fill(replica_of(c->groups[id]), c->catchups[id], &l->member.groups[id]);
    env_post(c->peer_loop, &l->msg, on_local_known);
}

void admin_local(struct admin *a, struct local_ask *l)
{
    l->admin = a;
    env_post(a->config.raft_loop, &l->msg, local_on_raft);
}

/* ---- everybody's views ---- */

static void on_view_known(struct env_msg *m)
{
    struct view_ask *a = container_of(m, struct view_ask, msg);

    a->done(a);
}

static void one_less(struct view_ask *a)
{
    if (--a->left == 0)
        env_post(a->loop, &a->msg, on_view_known);
}

struct view_call {
    struct peer_call call;
    struct view_ask *ask;
    struct view_member *member;
};

static void on_view_answer(struct peer_call *call, int status, struct str reply)
{
    struct view_call *c = container_of(call, struct view_call, call);
    struct view_member member;

    /* Somebody else's answer is none. */
    if (status == 0 && view_unpack(reply, &member) == 0 && member.id == c->member->id)
        *c->member = member;
    one_less(c->ask);
    mem_free(c);
}

static void on_own_view(struct local_ask *l)
{
    struct view_ask *a = l->priv;

    for (size_t i = 0; i < a->view.count; i++)
        if (a->view.members[i].id == l->member.id)
            a->view.members[i] = l->member;
    one_less(a);
    mem_free(l);
}

static void ask_self(struct view_ask *a)
{
    struct local_ask *l = mem_alloc(sizeof(*l));

    l->priv = a;
    l->done = on_own_view;
    admin_local(a->admin, l);
}

static void ask_other(struct view_ask *a, struct view_member *member)
{
    struct view_call *c = mem_alloc(sizeof(*c));

    c->ask = a;
    c->member = member;
    c->call.done = on_view_answer;
    peers_call(a->admin->peers, member->id, &c->call, MEMBER_SERVICE_MEMBERS, str_of("", 0),
               VIEW_ASK_MS);
}

static void on_view_ask(struct env_msg *m)
{
    struct view_ask *a = container_of(m, struct view_ask, msg);
    uint64_t self = a->admin->config.member_id;
    uint64_t ids[STORE_MEMBERS_MAX];
    size_t count = a->admin->peers != NULL ? peers_ids(a->admin->peers, ids) : 0;

    a->view.members[0].id = self;
    a->view.count = 1;
    for (size_t i = 0; i < count; i++)
        if (ids[i] != self && a->view.count < STORE_MEMBERS_MAX)
            a->view.members[a->view.count++].id = ids[i];
    a->left = a->view.count;
    ask_self(a);
    for (size_t i = 1; i < a->view.count; i++)
        ask_other(a, &a->view.members[i]);
}

void admin_view(struct admin *a, struct view_ask *ask)
{
    ask->admin = a;
    memset(&ask->view, 0, sizeof(ask->view));
    env_post(a->config.peer_loop, &ask->msg, on_view_ask);
}

/* ---- leadership ---- */

static void on_transfer_known(struct env_msg *m)
{
    struct transfer_ask *t = container_of(m, struct transfer_ask, msg);

    t->done(t);
}

static void end_transfer(struct transfer_ask *t, int status)
{
    t->status = status;
    env_post(t->loop, &t->msg, on_transfer_known);
}

struct transfer_call {
    struct peer_call call;
    struct transfer_ask *ask;
};

static void on_transfer_answer(struct peer_call *call, int status, struct str reply)
{
    struct transfer_call *c = container_of(call, struct transfer_call, call);
    PeerTransferResponse *m = NULL;

    if (status == 0)
        m = peer_transfer_response__unpack(NULL, reply.len, (const uint8_t *)reply.data);
    end_transfer(c->ask, m != NULL ? m->status : -ERR_UNAVAILABLE);
    if (m != NULL)
        peer_transfer_response__free_unpacked(m, NULL);
    mem_free(c);
}

static void transfer_there(struct transfer_ask *t)
{
    struct transfer_call *c = mem_alloc(sizeof(*c));
    PeerTransferRequest request = PEER_TRANSFER_REQUEST__INIT;
    uint8_t bytes[64];

    request.group = (uint32_t)t->group;
    request.member_id = t->member_id;
    c->ask = t;
    c->call.done = on_transfer_answer;
    peers_call(t->admin->peers, t->leader_id, &c->call, MEMBER_SERVICE_TRANSFER,
               str_of(bytes, peer_transfer_request__pack(&request, bytes)), PEER_CALL_MS);
}

static void on_transfer_here(struct local_ask *l)
{
    struct transfer_ask *t = l->priv;

    t->leader_id = l->leader_id;
    if (l->status != -ERR_NOT_LEADER)
        end_transfer(t, l->status);
    else if (t->leader_id == 0 || t->leader_id == t->admin->config.member_id ||
             t->admin->peers == NULL)
        end_transfer(t, -ERR_UNAVAILABLE);
    else
        transfer_there(t);
    mem_free(l);
}

static void on_transfer_ask(struct env_msg *m)
{
    struct transfer_ask *t = container_of(m, struct transfer_ask, msg);
    struct local_ask *l = mem_alloc(sizeof(*l));

    l->priv = t;
    l->done = on_transfer_here;
    l->group = t->group;
    l->transfer_to = t->member_id;
    admin_local(t->admin, l);
}

void admin_transfer(struct admin *a, struct transfer_ask *t)
{
    t->admin = a;
    env_post(a->config.peer_loop, &t->msg, on_transfer_ask);
}
