/*
 * The operator of the simulated cluster: writes the roster (store/roster.h) until it says what is
 * wanted, one guarded transaction at a time, over any member, and forgets the answers: what came of
 * a write shows when it looks again. A new member's host starts once its row is there.
 */
#include <raft.h>
#include <stdio.h>

#include "base/arena.h"
#include "store/raft_node.h"
#include "store/replica.h"
#include "store/roster.h"
#include "tests/sim/cluster.h"

struct order {
    struct store_write write;
    struct cluster *world;
};

/* Its answer, if any: the memory of one that never comes is left. */
static void on_written(struct store_write *w)
{
    mem_free(container_of(w, struct order, write));
}

static void submit(struct cluster *c, struct cluster_host *via, const struct store_txn *txn)
{
    struct order *o = mem_alloc(sizeof(*o));

    o->world = c;
    o->write = (struct store_write){ .loop = cluster_life_loop(via), .done = on_written };
    store_submit(store_group(via->store, STORE_CLUSTER), &o->write, txn);
}

/* Puts the row; with a new member's the next id is taken. */
static void put_row(struct cluster *c, struct cluster_host *via, const struct roster *now,
                    const struct roster_row *row)
{
    struct store_guard guards[2] = {
        { .type = STORE_GUARD_MOD, .revision = row->revision },
        { .type = STORE_GUARD_MOD, .revision = now->next_revision, .key = str_lit(ROSTER_NEXT_KEY) }
    };
    struct store_op ops[2] = { { .type = STORE_OP_PUT },
                               { .type = STORE_OP_PUT, .key = str_lit(ROSTER_NEXT_KEY) } };
    bool is_new = row->revision == 0;
    struct store_txn txn = {
        .guards = guards, .guards_count = is_new ? 2 : 1, .ops = ops, .ops_count = is_new ? 2 : 1
    };
    char next[24];
    struct buf key;
    struct buf value;

    buf_init(&key);
    buf_init(&value);
    roster_row_key(row->member.name, &key);
    roster_row_encode(row, &value);
    snprintf(next, sizeof(next), "%llu", (unsigned long long)row->member.id + 1);
    guards[0].key = ops[0].key = buf_str(&key);
    ops[0].value = buf_str(&value);
    ops[1].value = str_from(next);
    submit(c, via, &txn);
    buf_deinit(&key);
    buf_deinit(&value);
}

/* Is it in the configuration of a group, as its leader knows it? */
static bool configured(struct cluster *c, uint64_t id, int role)
{
    for (enum store_group_id g = STORE_CLUSTER; g <= STORE_BUS; g++) {
        struct raft_server_view servers[RAFT_SERVERS_MAX];
        struct cluster_host *leader = cluster_leader(c, g);
        bool there = leader == NULL && role < 0;
        size_t count = leader == NULL
                           ? 0
                           : raft_node_servers(replica_of(store_group(leader->store, g))->node,
                                               servers, RAFT_SERVERS_MAX);

        for (size_t i = 0; i < count; i++)
            there = there || (servers[i].id == id && (role < 0 || servers[i].role == role));
        if (role < 0 ? there : !there)
            return role < 0;
    }
    return role >= 0;
}

/* As `gantryd join` does it, which asks a member. */
static void make_configuration(struct cluster_host *h, const struct roster *now)
{
    h->members_count = 0;
    for (size_t i = 0; i < now->count; i++)
        if (now->rows[i].want != ROSTER_GONE)
            h->members[h->members_count++] = now->rows[i].member;
}

static void start_joined(struct cluster *c, const struct roster *now)
{
    for (size_t i = 0; i < c->hosts_count; i++) {
        struct cluster_host *h = &c->hosts[i];

        if (h->state == CLUSTER_UNUSED && h->wanted && roster_by_id(now, h->self.id) != NULL) {
            make_configuration(h, now);
            h->state = CLUSTER_DOWN;
            h->restart_ns = env_now_ns(c->env);
        }
    }
}

static bool roster_now(struct cluster_host *via, struct roster *out)
{
    struct err e;

    return via != NULL && roster_read(store_group(via->store, STORE_CLUSTER), out, &e) == 0 &&
           out->next_revision != 0;
}

/* ---- whom a member knows ---- */

static void look_whom_it_knows(struct cluster_host *h)
{
    struct roster now;

    if (!cluster_up(h) || !roster_now(h, &now))
        return;
    h->knows = 0;
    for (size_t i = 0; i < h->world->hosts_count; i++)
        if (roster_by_id(&now, h->world->hosts[i].self.id) != NULL)
            h->knows |= UINT64_C(1) << i;
}

/* A member that was away finds the others through those that it knows. When none of them is left it
 * must be removed and join anew (store/members.h), so the last one stays until it has caught up. */
static bool strands_a_member(struct cluster *c, size_t leaving)
{
    uint64_t staying = 0;

    for (size_t i = 0; i < c->hosts_count; i++)
        if (c->hosts[i].wanted && i != leaving)
            staying |= UINT64_C(1) << i;
    for (size_t i = 0; i < c->hosts_count; i++) {
        const struct cluster_host *h = &c->hosts[i];
        uint64_t others = staying & ~(UINT64_C(1) << i);

        if (h->wanted && h->state != CLUSTER_UNUSED && others != 0 && (h->knows & others) == 0)
            return true;
    }
    return false;
}

/* One write at most. */
static void step(struct cluster *c, struct cluster_host *via, const struct roster *now)
{
    for (size_t i = 0; i < c->hosts_count; i++) {
        struct cluster_host *h = &c->hosts[i];
        const struct roster_row *row = roster_by_id(now, h->self.id);
        struct roster_row next = { .member = h->self, .want = ROSTER_VOTER };

        if (row != NULL)
            next = *row;
        if (h->wanted && row == NULL && now->count < ROSTER_MAX) {
            c->counters.added++;
            put_row(c, via, now, &next);
            return;
        }
        if (!h->wanted && row != NULL && row->want != ROSTER_GONE) {
            if (strands_a_member(c, i))
                continue;
            c->counters.removed++;
            next.want = ROSTER_GONE;
            put_row(c, via, now, &next);
            return;
        }
        /* The machine of a member that is none any more is switched off. */
        if (!h->wanted && row == NULL && h->state != CLUSTER_GONE && h->state != CLUSTER_UNUSED &&
            !configured(c, h->self.id, -1))
            cluster_host_retire(h);
    }
}

bool cluster_knows(const struct cluster_host *h)
{
    struct store_status status;
    struct roster now;
    struct err e;

    store_status(store_group(h->store, STORE_CLUSTER), &status);
    if (status.leader_id == 0 || roster_read(store_group(h->store, STORE_CLUSTER), &now, &e) != 0)
        return false;
    for (size_t i = 0; i < h->world->hosts_count; i++)
        if (h->world->hosts[i].wanted && roster_by_id(&now, h->world->hosts[i].self.id) == NULL)
            return false;
    return true;
}

void cluster_operate(struct cluster *c)
{
    struct cluster_host *via = cluster_any(c);
    struct roster now;

    for (size_t i = 0; i < c->hosts_count; i++)
        look_whom_it_knows(&c->hosts[i]);
    if (!roster_now(via, &now))
        return;
    start_joined(c, &now);
    step(c, via, &now);
}

bool cluster_operated(struct cluster *c)
{
    struct cluster_host *via = cluster_leader(c, STORE_CLUSTER);
    struct roster now;

    if (!roster_now(via, &now))
        return false;
    for (size_t i = 0; i < c->hosts_count; i++) {
        struct cluster_host *h = &c->hosts[i];

        if (h->wanted ? !configured(c, h->self.id, RAFT_VOTER) : configured(c, h->self.id, -1))
            return false;
        if (h->wanted && h->state == CLUSTER_UNUSED)
            return false;
    }
    return true;
}
