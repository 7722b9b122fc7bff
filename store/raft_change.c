/* The configuration of a group as libraft has it, and one change of it at a time. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "store/raft_node_state.h"

size_t raft_node_servers(const struct raft_node *n, struct raft_server_view *out, size_t max)
{
    const struct raft *r = &n->raft;
    bool leads = r->state == RAFT_LEADER && r->leader_state.progress != NULL;
    size_t count = r->configuration.n < max ? r->configuration.n : max;

    for (size_t i = 0; i < count; i++) {
        const struct raft_server *s = &r->configuration.servers[i];

        out[i] = (struct raft_server_view){ .id = s->id, .role = s->role };
        snprintf(out[i].name, sizeof(out[i].name), "%s", s->address);
        if (!leads)
            continue;
        out[i].match_index =
            s->id == r->id ? r->last_stored : r->leader_state.progress[i].match_index;
        out[i].heard = s->id == r->id || r->leader_state.progress[i].recent_recv;
    }
    return count;
}

uint64_t raft_node_last_index(const struct raft_node *n)
{
    return raft_last_index((struct raft *)&n->raft); /* only reads */
}

bool raft_node_settled(const struct raft_node *n)
{
    return raft_node_configuration_index(n) != 0;
}

uint64_t raft_node_configuration_index(const struct raft_node *n)
{
    return n->raft.configuration_uncommitted_index == 0 ? n->raft.configuration_index : 0;
}

bool raft_node_may_change(const struct raft_node *n)
{
    return !n->change_busy && guard_may_change(&n->guard);
}

static void on_changed(struct raft_change *req, int status)
{
    struct raft_node *n = container_of(req, struct raft_node, change);

    /* What was made of it the configuration tells; the next step is taken as if it had not been. */
    if (status != 0)
        log_warn("a change of the membership was not made", KVN("group", group_id(n->config.group)),
                 KV("reason", raft_strerror(status)));
    n->change_busy = false;
    raft_node_post_turn(n);
}

static int begin(struct raft_node *n)
{
    if (!guard_ready(&n->guard))
        return -ERR_NOT_LEADER;
    if (!raft_node_may_change(n))
        return -ERR_AGAIN;
    n->change_busy = true;
    return 0;
}

static int end(struct raft_node *n, int rv)
{
    if (rv != 0)
        n->change_busy = false;
    guard_check(&n->guard);
    switch (rv) {
    case 0:
        return 0;
    case RAFT_NOTLEADER:
        return -ERR_NOT_LEADER;
    case RAFT_CANTCHANGE:
        return -ERR_AGAIN;
    default:
        return -ERR_INVALID_ARGUMENT;
    }
}

int raft_node_add(struct raft_node *n, uint64_t id, const char *name)
{
    int rc = begin(n);

    return rc != 0 ? rc : end(n, raft_add(&n->raft, &n->change, id, name, on_changed));
}

int raft_node_assign(struct raft_node *n, uint64_t id, int role)
{
    int rc = begin(n);

    return rc != 0 ? rc : end(n, raft_assign(&n->raft, &n->change, id, role, on_changed));
}

int raft_node_remove(struct raft_node *n, uint64_t id)
{
    int rc = begin(n);

    return rc != 0 ? rc : end(n, raft_remove(&n->raft, &n->change, id, on_changed));
}
