/* See view.h. */
#include "store/view.h"

#include <raft.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/catchup.h"
#include "store/proto/peer.pb-c.h"
#include "store/replica.h"

_Static_assert(VIEW_SERVERS_MAX == RAFT_SERVERS_MAX, "a view has room for every server");

const char *view_role_name(enum view_role role)
{
    static const char *const names[] = { "none", "spare", "standby", "voter" };

    ASSERT(role <= VIEW_VOTER);
    return names[role];
}

static enum view_role role_of(int raft_role)
{
    switch (raft_role) {
    case RAFT_VOTER:
        return VIEW_VOTER;
    case RAFT_STANDBY:
        return VIEW_STANDBY;
    default:
        return VIEW_SPARE;
    }
}

void view_fill(struct replica *r, const struct catchup *c, struct view_group *out)
{
    struct raft_server_view servers[RAFT_SERVERS_MAX];
    struct store_status status;
    struct raft_view v;

    memset(out, 0, sizeof(*out));
    raft_node_view(r->node, &v);
    replica_status(r, &status);
    out->leader_id = v.leader_id;
    out->term = v.term;
    out->leads = v.ready;
    out->settled = v.ready && raft_node_may_change(r->node);
    out->last_index = raft_node_last_index(r->node);
    out->applied_index = status.applied_index;
    if (c != NULL)
        catchup_progress(c, &out->got_bytes, &out->total_bytes);
    out->servers_count = raft_node_servers(r->node, servers, RAFT_SERVERS_MAX);
    for (size_t i = 0; i < out->servers_count; i++)
        out->servers[i] = (struct view_server){ .id = servers[i].id,
                                                .role = role_of(servers[i].role),
                                                .match_index = servers[i].match_index,
                                                .heard = servers[i].heard };
}

/* ---- as bytes ---- */

struct packing {
    PeerGroupView group;
    PeerServerView servers[VIEW_SERVERS_MAX];
    PeerServerView *pointers[VIEW_SERVERS_MAX];
};

static void pack_group(const struct view_group *from, uint32_t id, struct packing *p)
{
    p->group = (PeerGroupView)PEER_GROUP_VIEW__INIT;
    p->group.group = id;
    p->group.leader_id = from->leader_id;
    p->group.term = from->term;
    p->group.leads = from->leads;
    p->group.settled = from->settled;
    p->group.last_index = from->last_index;
    p->group.applied_index = from->applied_index;
    p->group.got_bytes = from->got_bytes;
    p->group.total_bytes = from->total_bytes;
    p->group.n_servers = from->servers_count;
    p->group.servers = p->pointers;
    for (size_t i = 0; i < from->servers_count; i++) {
        p->servers[i] = (PeerServerView)PEER_SERVER_VIEW__INIT;
        p->servers[i].id = from->servers[i].id;
        p->servers[i].role = (uint32_t)from->servers[i].role;
        p->servers[i].match_index = from->servers[i].match_index;
        p->servers[i].heard = from->servers[i].heard;
        p->pointers[i] = &p->servers[i];
    }
}

void view_pack(const struct view_member *m, struct buf *out)
{
    PeerMembersResponse response = PEER_MEMBERS_RESPONSE__INIT;
    struct packing groups[STORE_BUS];
    PeerGroupView *pointers[STORE_BUS];
    size_t len;

    for (uint32_t id = STORE_CLUSTER; id <= STORE_BUS; id++) {
        pack_group(&m->groups[id], id, &groups[id - 1]);
        pointers[id - 1] = &groups[id - 1].group;
    }
    response.member_id = m->id;
    response.n_groups = STORE_BUS;
    response.groups = pointers;
    len = peer_members_response__get_packed_size(&response);
    buf_reserve(out, len);
    peer_members_response__pack(&response, out->data + out->len);
    out->len += len;
}

static bool unpack_group(const PeerGroupView *from, struct view_member *m)
{
    struct view_group *to;

    if (from->group != STORE_CLUSTER && from->group != STORE_BUS)
        return true; /* of a newer release */
    if (from->n_servers > VIEW_SERVERS_MAX)
        return false;
    to = &m->groups[from->group];
    *to = (struct view_group){ .leader_id = from->leader_id,
                               .term = from->term,
                               .leads = from->leads,
                               .settled = from->settled,
                               .last_index = from->last_index,
                               .applied_index = from->applied_index,
                               .got_bytes = from->got_bytes,
                               .total_bytes = from->total_bytes,
                               .servers_count = from->n_servers };
    for (size_t i = 0; i < from->n_servers; i++) {
        const PeerServerView *s = from->servers[i];

        if (s->role > VIEW_VOTER)
            return false;
        to->servers[i] =
            (struct view_server){ s->id, (enum view_role)s->role, s->match_index, s->heard };
    }
    return true;
}

int view_unpack(struct str bytes, struct view_member *out)
{
    PeerMembersResponse *m =
        peer_members_response__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    struct view_member member = { .answered = true };
    bool good = m != NULL;

    for (size_t i = 0; good && i < m->n_groups; i++)
        good = unpack_group(m->groups[i], &member);
    if (good) {
        member.id = m->member_id;
        *out = member;
    }
    if (m != NULL)
        peer_members_response__free_unpacked(m, NULL);
    return good ? 0 : -ERR_PARSE;
}

/* ---- looking ---- */

const struct view_member *view_of(const struct view *v, uint64_t id)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->members[i].id == id)
            return &v->members[i];
    return NULL;
}

const struct view_group *view_leader(const struct view *v, enum store_group_id id)
{
    const struct view_group *best = NULL;

    for (size_t i = 0; i < v->count; i++) {
        const struct view_group *g = &v->members[i].groups[id];

        if (v->members[i].answered && g->leads && (best == NULL || g->term > best->term))
            best = g;
    }
    return best;
}

const struct view_server *view_server_of(const struct view_group *g, uint64_t id)
{
    for (size_t i = 0; i < g->servers_count; i++)
        if (g->servers[i].id == id)
            return &g->servers[i];
    return NULL;
}

bool view_is_out(const struct view *v, uint64_t id)
{
    for (enum store_group_id group = STORE_CLUSTER; group <= STORE_BUS; group++) {
        const struct view_group *g = view_leader(v, group);

        if (g == NULL || !g->settled || view_server_of(g, id) != NULL)
            return false;
    }
    return true;
}
