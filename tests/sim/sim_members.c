/* An operator of the simulation: one change of the membership at a time, through the leader. */
#include "base/assert.h"
#include "tests/sim/sim.h"

/* A standby this close to the leader may become a voter. */
#define CAUGHT_UP 20

static void on_changed(struct raft_change *req, int status)
{
    (void)req;
    (void)status; /* the next step looks at the configuration itself */
}

static void on_transferred(struct raft_transfer *req)
{
    (void)req;
}

bool sim_transfer(struct sim *s, unsigned from, unsigned to)
{
    struct sim_node *n = &s->nodes[from];

    if (!n->up || n->raft.state != RAFT_LEADER)
        return false;
    sim_heap_enter(n);
    if (raft_transfer(&n->raft, &n->transfer, to + 1, on_transferred) != 0)
        return false;
    guard_check(&n->guard);
    sim_node_check(n);
    return true;
}

static const struct raft_server *find(const struct raft_configuration *c, unsigned index)
{
    for (unsigned i = 0; i < c->n; i++)
        if (c->servers[i].id == index + 1)
            return &c->servers[i];
    return NULL;
}

/* True: a change was asked for. */
static bool bring_in(struct sim *s, struct sim_node *leader, unsigned index, raft_change_cb cb)
{
    struct raft *r = &leader->raft;
    const struct raft_server *server = find(&r->configuration, index);
    struct raft_change *req = &s->changes[s->changes_count].req;
    raft_id id = index + 1;
    int rv;

    if (server == NULL)
        rv = raft_add(r, req, id, sim_address(id), cb);
    else if (server->role == RAFT_SPARE)
        rv = raft_assign(r, req, id, RAFT_STANDBY, cb);
    else if (server->role == RAFT_STANDBY && s->nodes[index].up &&
             s->nodes[index].raft.last_applied + CAUGHT_UP >= r->last_applied)
        rv = raft_assign(r, req, id, RAFT_VOTER, cb);
    else
        return false;
    return rv == 0;
}

static bool change(struct sim *s, struct sim_node *leader, unsigned wanted)
{
    struct raft *r = &leader->raft;

    for (unsigned i = 0; i < s->n; i++)
        if ((wanted & 1u << i) != 0 && bring_in(s, leader, i, on_changed))
            return true;
    for (unsigned i = 0; i < r->configuration.n; i++) {
        raft_id id = r->configuration.servers[i].id;

        if ((wanted & 1u << (id - 1)) != 0)
            continue;
        /* Now and then a leader removes itself, which is allowed. */
        if (id == r->id && sim_draw(s, 3) != 0) {
            (void)sim_transfer(s, leader->index, (unsigned)sim_draw(s, s->n));
            return false;
        }
        return raft_remove(r, &s->changes[s->changes_count].req, id, on_changed) == 0;
    }
    return false;
}

static bool is_done(const struct raft_configuration *c, unsigned wanted)
{
    unsigned voters = 0;

    for (unsigned i = 0; i < c->n; i++)
        if (c->servers[i].role == RAFT_VOTER)
            voters |= 1u << (c->servers[i].id - 1);
    return voters == wanted && c->n == (unsigned)__builtin_popcount(wanted);
}

bool sim_operate(struct sim *s, unsigned wanted)
{
    int at = sim_leader(s);
    struct sim_node *leader = at < 0 ? NULL : &s->nodes[at];

    if (leader == NULL || !guard_may_change(&leader->guard))
        return false;
    if (is_done(&leader->raft.configuration, wanted))
        return true;
    ASSERT(s->changes_count < SIM_CHANGES_MAX);
    sim_heap_enter(leader);
    if (change(s, leader, wanted))
        s->changes_count++;
    guard_check(&leader->guard);
    sim_node_check(leader);
    return false;
}
