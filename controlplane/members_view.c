/*
 * GET /gantry/v1/members: the rows, what each group's leader knows of each, and what each says of
 * itself. Without a leader the configuration is the one that a member that answers has in its log.
 */
#include "base/buf.h"
#include "controlplane/members_op.h"

const char *members_group_name(enum store_group_id group)
{
    return group == STORE_CLUSTER ? "cluster" : "bus";
}

/* The leader's, else anybody's. */
static const struct view_group *best_view(const struct view *v, enum store_group_id group)
{
    const struct view_group *g = view_leader(v, group);
    for (size_t i = 0; g == NULL && i < v->count; i++) {
        if (v->members[i].answered)
            g = &v->members[i].groups[group];
    }
    return g;
}

enum view_role members_role(const struct view *v, enum store_group_id group, uint64_t id)
{
    const struct view_group *g = best_view(v, group);
    const struct view_server *s = g != NULL ? view_server_of(g, id) : NULL;
    return s != NULL ? s->role : VIEW_NONE;
}

uint64_t members_lag(const struct view *v, enum store_group_id group, uint64_t id)
{
    const struct view_group *g = view_leader(v, group);
    const struct view_server *s = g != NULL ? view_server_of(g, id) : NULL;
    if (s == NULL || s->match_index == 0)
        return UINT64_MAX;
    return g->last_index > s->match_index ? g->last_index - s->match_index : 0;
}

/* The leader forgets whom it heard now and then, to look anew: a member's own answer counts too. */
bool members_answers(const struct view *v, uint64_t id)
{
    const struct view_member *m = view_of(v, id);
    return m != NULL && m->answered;
}

static void write_group(const struct view *v, enum store_group_id group, uint64_t id, struct buf *b)
{
    const struct view_group *leader = view_leader(v, group);
    const struct view_server *s = leader != NULL ? view_server_of(leader, id) : NULL;
    const struct view_member *m = view_of(v, id);
    uint64_t lag = members_lag(v, group, id);
    buf_printf(b, "\"%s\":{\"role\":\"%s\",\"leader\":%s", members_group_name(group),
               view_role_name(members_role(v, group, id)),
               m != NULL && m->answered && leader == &m->groups[group] ? "true" : "false");
    if (s != NULL)
        buf_printf(b, ",\"matchIndex\":%llu,\"heard\":%s", (unsigned long long)s->match_index,
                   s->heard ? "true" : "false");
    if (lag != UINT64_MAX)
        buf_printf(b, ",\"lag\":%llu", (unsigned long long)lag);
    if (m != NULL && m->answered)
        buf_printf(b, ",\"appliedIndex\":%llu,\"fetchedBytes\":%llu,\"fetchBytes\":%llu",
                   (unsigned long long)m->groups[group].applied_index,
                   (unsigned long long)m->groups[group].got_bytes,
                   (unsigned long long)m->groups[group].total_bytes);
    buf_append_c(b, "}");
}

static void write_member(const struct members_op *op, const struct roster_row *row, struct buf *b)
{
    const struct view *v = &op->view.view;
    buf_printf(b, "{\"name\":\"%s\",\"id\":%llu,\"want\":\"%s\",\"raftAddress\":", row->member.name,
               (unsigned long long)row->member.id, roster_want_name(row->want));
    json_write_string(b, str_from(row->member.raft_address), false);
    buf_append_c(b, ",\"peerAddress\":");
    json_write_string(b, str_from(row->member.peer_address), false);
    buf_printf(b, ",\"answers\":%s,\"groups\":{",
               members_answers(v, row->member.id) ? "true" : "false");
    write_group(v, STORE_CLUSTER, row->member.id, b);
    buf_append_c(b, ",");
    write_group(v, STORE_BUS, row->member.id, b);
    buf_append_c(b, "}}");
}

static void write_leaders(const struct members_op *op, struct buf *b)
{
    for (enum store_group_id group = STORE_CLUSTER; group <= STORE_BUS; group++) {
        const struct view_group *g = view_leader(&op->view.view, group);
        const struct roster_row *row = g != NULL ? roster_by_id(&op->roster, g->leader_id) : NULL;
        buf_printf(b, "%s\"%s\":{\"leader\":\"%s\",\"term\":%llu,\"lastIndex\":%llu}",
                   group == STORE_CLUSTER ? "" : ",", members_group_name(group),
                   row != NULL ? row->member.name : "",
                   (unsigned long long)(g != NULL ? g->term : 0),
                   (unsigned long long)(g != NULL ? g->last_index : 0));
    }
}

void members_list(struct members_op *op)
{
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, "{\"cluster\":");
    json_write_string(&b, str_from(op->api->config.cluster), false);
    buf_printf(&b, ",\"caHash\":\"%s\",\"groups\":{", op->api->ca_hash);
    write_leaders(op, &b);
    buf_append_c(&b, "},\"members\":[");
    for (size_t i = 0; i < op->roster.count; i++) {
        if (i > 0)
            buf_append_c(&b, ",");
        write_member(op, &op->roster.rows[i], &b);
    }
    buf_append_c(&b, "]}\n");
    members_op_answer(op, 200, buf_str(&b));
    buf_deinit(&b);
}
