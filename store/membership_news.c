/* See the header. */
#include "store/membership_news.h"

#include <raft.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/log.h"

static const char *role_name(int role)
{
    return role == RAFT_VOTER ? "voter" : role == RAFT_STANDBY ? "standby" : "spare";
}

void membership_tell_step(enum store_group_id group, const struct membership_step *step, int status)
{
    static const char *const names[] = { "none", "add", "assign", "remove", "transfer" };

    log_info("membership changes", KVN("group", group), KV("step", names[step->kind]),
             KVN("member", step->id),
             KV("role", step->kind == MEMBERSHIP_ASSIGN ? role_name(step->role) : "-"),
             KV("reason", step->why), KV("status", status == 0 ? "begun" : err_name(status)));
}

bool membership_news_due(const struct membership_news *m, uint64_t index)
{
    return !m->known || (index != 0 && index != m->index);
}

static const struct raft_server_view *find(const struct raft_server_view *servers, size_t count,
                                           uint64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (servers[i].id == id)
            return &servers[i];
    return NULL;
}

/* before, now: the server then and now; NULL: there is none. */
static void tell_server(enum store_group_id group, uint64_t index, uint64_t leader,
                        const struct raft_server_view *before, const struct raft_server_view *now)
{
    const struct raft_server_view *any = now != NULL ? now : before;

    if (before != NULL && now != NULL && before->role == now->role)
        return;
    log_info("membership changed", KVN("group", group), KVN("member", any->id),
             KV("name", any->name), KV("from", before != NULL ? role_name(before->role) : "none"),
             KV("to", now != NULL ? role_name(now->role) : "none"), KVN("index", index),
             KVN("leader", leader));
}

void membership_news_tell(struct membership_news *m, enum store_group_id group, uint64_t index,
                          uint64_t leader, const struct raft_server_view *servers, size_t count)
{
    ASSERT(count <= RAFT_SERVERS_MAX);
    for (size_t i = 0; m->known && i < count; i++)
        tell_server(group, index, leader, find(m->servers, m->count, servers[i].id), &servers[i]);
    for (size_t i = 0; i < m->count; i++)
        if (find(servers, count, m->servers[i].id) == NULL)
            tell_server(group, index, leader, &m->servers[i], NULL);
    m->known = true;
    m->index = index;
    m->count = count;
    memcpy(m->servers, servers, sizeof(servers[0]) * count);
}

void membership_news_look(struct membership_news *m, const struct raft_node *node,
                          enum store_group_id group, uint64_t leader)
{
    struct raft_server_view servers[RAFT_SERVERS_MAX];
    uint64_t index = raft_node_configuration_index(node);
    size_t count;

    if (!membership_news_due(m, index))
        return;
    count = raft_node_servers(node, servers, RAFT_SERVERS_MAX);
    membership_news_tell(m, group, index, leader, servers, count);
}
