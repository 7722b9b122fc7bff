/* Scenario families of the network, of snapshots and of the membership: see families.c. */
#include "base/assert.h"
#include "tests/sim/sim.h"

static unsigned pick(struct sim *s, unsigned n)
{
    return sim_draw(s, n);
}

/* Snapshots often, and little of the log behind them. */
static void compact_hard(struct sim *s, unsigned every, unsigned trailing)
{
    s->snapshot_every = every;
    s->trailing = trailing;
    for (unsigned i = 0; i < s->n; i++) {
        raft_set_snapshot_threshold(&s->nodes[i].raft, every);
        raft_set_snapshot_trailing(&s->nodes[i].raft, trailing);
    }
}

static void write_for(struct sim *s, unsigned count, unsigned gap_ms)
{
    for (unsigned k = 0; k < count && !sim_bad(s); k++) {
        sim_leaders_put(s);
        sim_run(s, 1 + pick(s, gap_ms));
    }
}

/* G6. A member that missed what all logs have let go gets a snapshot; while its slow disk stores
 * that, its leader goes, others campaign, and its own timer runs out. */
void sim_family_install(struct sim *s)
{
    compact_hard(s, 15, 5);
    for (unsigned round = 0; round < 4 && !sim_bad(s); round++) {
        unsigned victim = pick(s, s->n);
        struct sim_node *n = &s->nodes[victim];

        sim_run(s, 2500);
        if (pick(s, 2) == 0)
            sim_crash(n);
        else
            sim_isolate(s, victim);
        sim_run(s, 2500);
        write_for(s, 60, 30);
        s->fetch_ms = 20 + pick(s, 1500);
        n->disk_ms = 10 + pick(s, 3000);
        sim_heal(s);
        sim_restart(n);
        for (unsigned ms = 0; ms < 8000 && !n->guard.installing && !sim_bad(s); ms += 10) {
            if (pick(s, 20) == 0)
                sim_leaders_put(s);
            sim_run(s, 10);
        }
        sim_run(s, pick(s, 500));
        switch (pick(s, 4)) {
        case 0:
            sim_isolate(s, victim);
            break;
        case 1:
            if (sim_leader(s) >= 0)
                sim_isolate(s, (unsigned)sim_leader(s));
            break;
        case 2:
            sim_crash(n);
            break;
        default:
            break;
        }
        sim_run(s, 1000 + pick(s, 4000));
        n->disk_ms = 10;
        sim_heal(s);
        sim_restart(n);
    }
}

/* G9. Loops stall, the leader's for less than anyone's election timer, a follower's for as long as
 * it may: nobody has a reason to campaign, and the leader none to step down. */
void sim_family_stall(struct sim *s)
{
    unsigned campaigns;
    unsigned losses;

    if (!sim_elect(s, pick(s, s->n)))
        return;
    for (unsigned i = 0; i < s->n; i++)
        sim_set_timeout(&s->nodes[i], 1600 + pick(s, 399));
    sim_run(s, 1000);
    campaigns = s->campaigns;
    losses = s->losses;
    for (unsigned round = 0; round < 8 && !sim_bad(s); round++) {
        int leader = sim_leader(s);
        unsigned victim = pick(s, 2) == 0 && leader >= 0 ? (unsigned)leader : pick(s, s->n);

        sim_stall(&s->nodes[victim],
                  (int)victim == leader ? 700 + pick(s, 500) : 1000 + pick(s, 2500));
        sim_leaders_put(s);
        sim_run(s, 4000 + pick(s, 1000));
        if (s->campaigns != campaigns || s->losses != losses)
            sim_fail(s, "after a stall member %u or its followers began an election", victim + 1);
    }
}

/* G11. One peer takes entries slowly. What waits for it is bounded, and the others go on. */
void sim_family_window(struct sim *s)
{
    unsigned leader = pick(s, s->n);
    unsigned losses;

    s->window_bytes = 8192;
    for (unsigned i = 0; i < s->n; i++)
        s->nodes[i].guard.window_bytes = s->window_bytes;
    if (!sim_elect(s, leader))
        return;
    sim_run(s, 500);
    s->nodes[leader].bulk_rate = 1 + pick(s, 3);
    for (unsigned j = 0; j < s->n && pick(s, 2) == 0; j++)
        s->nodes[j].disk_ms = 50 + pick(s, 500);
    losses = s->losses;
    s->queued_max = 0;
    write_for(s, 300 + pick(s, 200), 8);
    sim_run(s, 3000);
    if (s->queued_max > 2 * s->window_bytes)
        sim_fail(s, "%zu bytes wait for one peer", s->queued_max);
    if (s->losses != losses)
        sim_fail(s, "a slow connection took the leader's place");
}

/* G14. Entries take long, heartbeats do not. Nothing is lost: nothing is sent twice, nobody has a
 * reason to campaign, and a write waits for its round trip only. */
void sim_family_overtake(struct sim *s)
{
    unsigned leader = pick(s, s->n);
    unsigned bulk_ms = 150 + pick(s, 700);
    unsigned campaigns;
    unsigned writes;
    uint64_t sent;

    if (!sim_elect(s, leader))
        return;
    sim_run(s, 1000);
    for (unsigned i = 0; i < s->n; i++) {
        s->nodes[i].net_ms = 2 + pick(s, 10);
        s->nodes[i].bulk_ms = bulk_ms;
        sim_set_timeout(&s->nodes[i], SIM_ELECTION_MS + pick(s, SIM_ELECTION_MS));
    }
    sim_run(s, 500);
    campaigns = s->campaigns;
    writes = s->writes_count;
    sent = s->entries_sent;
    s->ack_ms_max = 0;
    for (unsigned burst = 0; burst < 15; burst++) {
        write_for(s, 1 + pick(s, 30), 12);
        sim_run(s, pick(s, 400));
    }
    sim_run(s, 2 * bulk_ms + 500);
    writes = (s->writes_count - writes) * (s->n - 1);
    sent = s->entries_sent - sent;
    if (sent > writes + writes / 4)
        sim_fail(s, "%llu entries sent where %u were needed", (unsigned long long)sent, writes);
    if (s->campaigns != campaigns)
        sim_fail(s, "entries on their way starved the heartbeats");
    if (s->ack_ms_max > bulk_ms + 150)
        sim_fail(s, "a write waited %llu ms for its commit", (unsigned long long)s->ack_ms_max);
}

/* G15. A leader asks one member to take over, in vain as it seems, then another; both campaign in
 * the same term, and the old leader is asked for its vote by both. */
void sim_family_one_vote(struct sim *s)
{
    unsigned a = pick(s, 3);
    unsigned b = (a + 1) % 3;
    unsigned c = (a + 2) % 3;
    unsigned late = 1100 + pick(s, 500);

    if (!sim_elect(s, a))
        return;
    sim_run(s, 1000);
    for (unsigned i = 0; i < 3; i++)
        s->nodes[i].net_ms = 5 + pick(s, 20);
    sim_run(s, 500);
    s->nodes[a].net_ms = late;
    if (!sim_transfer(s, a, c))
        return;
    s->nodes[a].net_ms = 5;
    sim_run(s, late - 10 + pick(s, 20));
    (void)sim_transfer(s, a, b);
    sim_run(s, 500);
    sim_leaders_put(s);
    sim_run(s, 500);
    sim_leaders_put(s);
    sim_loose_timers(s);
    sim_run(s, 2000);
}

/* G16. A leader is cut off with a change of the membership that nobody else gets, or a minority
 * does; the others go on without. All logs have let go the configuration before it. Some of them
 * restart in between, or take a snapshot. */
void sim_family_rollback(struct sim *s)
{
    unsigned wanted = (1u << s->n) - 1;
    unsigned old = pick(s, s->n);
    unsigned with = (old + 1) % s->n;
    unsigned added = s->n < SIM_NODES_MAX - 1 ? sim_add(s) : 0;

    compact_hard(s, 15, 3);
    if (!sim_elect(s, old))
        return;
    write_for(s, 50, 20);
    sim_run(s, 500);
    for (unsigned j = 0; j < s->n; j++)
        if (j != with || pick(s, 2) != 0 || s->n == 4)
            sim_cut(s, old, j);
    if (pick(s, 2) == 0)
        (void)sim_operate(s, wanted | 1u << added);
    else
        (void)sim_operate(s, wanted & ~(1u << with));
    for (unsigned k = pick(s, 3); k > 0; k--)
        (void)sim_put(s, old);
    sim_run(s, 100);
    sim_isolate(s, old);
    sim_loose_timers(s);
    sim_run(s, 4000);
    write_for(s, pick(s, 2) == 0 ? 4 : 60, 20);
    for (unsigned j = 0; j < s->n; j++)
        if (pick(s, 3) == 0) {
            sim_crash(&s->nodes[j]);
            sim_restart(&s->nodes[j]);
        }
    sim_run(s, 1000);
    sim_heal(s);
    s->nodes[with].disk_ms = 10 + pick(s, 500);
    sim_run(s, 3000);
    write_for(s, 20, 20);
}

/* G17. One leader, one standby that is to be a voter: the leader crashes with that change, and
 * needs a vote of who does not know that it has one. */
void sim_family_promoted(struct sim *s)
{
    unsigned added = sim_add(s);
    unsigned wanted = 1u << 0 | 1u << added;
    bool asked = false;

    compact_hard(s, 20, 10);
    for (unsigned ms = 0; ms < 10000 && !asked && !sim_bad(s); ms += 20) {
        const struct raft_configuration *c = &s->nodes[0].raft.configuration;
        bool standby = c->n == 2 && c->servers[1].role == RAFT_STANDBY;
        bool even = s->nodes[0].raft.last_applied == s->nodes[added].raft.last_applied;

        /* The new member does not hear of its promotion. */
        if (standby && even)
            sim_cut_one(s, 0, added);
        if (!standby || even)
            (void)sim_operate(s, wanted);
        asked = c->n == 2 && c->servers[1].role == RAFT_VOTER;
        if (pick(s, 4) == 0 && !standby)
            sim_leaders_put(s);
        sim_run(s, 20);
    }
    sim_run(s, pick(s, 100));
    sim_crash(&s->nodes[0]);
    sim_run(s, 100 + pick(s, 3000));
    sim_heal(s);
    sim_restart(&s->nodes[0]);
    sim_run(s, 2000);
}

/* G18. A sole voter with a standby crashes with writes that the standby has and its own slow disk
 * has not, and goes on with others. */
void sim_family_sole(struct sim *s)
{
    unsigned added = sim_add(s);
    struct sim_node *n = &s->nodes[0];
    const struct raft_configuration *c = &n->raft.configuration;

    for (unsigned ms = 0; ms < 10000 && (c->n < 2 || c->servers[1].role != RAFT_STANDBY);
         ms += 20) {
        if (c->n < 2 || c->servers[1].role == RAFT_SPARE)
            (void)sim_operate(s, 1u << 0 | 1u << added);
        sim_run(s, 20);
    }
    for (unsigned round = 0; round < 4 && !sim_bad(s); round++) {
        sim_run(s, 1000);
        write_for(s, 5, 30);
        sim_run(s, 500);
        n->disk_ms = 200 + pick(s, 800);
        write_for(s, 2 + pick(s, 4), 20);
        sim_run(s, 50 + pick(s, 100));
        sim_crash(n);
        n->disk_ms = 10;
        sim_run(s, pick(s, 500));
        sim_restart(n);
        write_for(s, 5, 30);
    }
}

/* G19. A member's replies are lost while it stores, applies and lets go all it is sent; then it
 * misses some, and its leader begins again where it last heard of it. */
void sim_family_let_go(struct sim *s)
{
    unsigned leader = pick(s, s->n);
    unsigned victim = (leader + 1 + pick(s, s->n - 1)) %
                      s->n; /* The leader's log is whole, or reaches back far enough. */
    compact_hard(s, 10, 100000);
    for (unsigned i = 0; i < s->n && pick(s, 4) != 0; i++)
        raft_set_snapshot_threshold(&s->nodes[i].raft, 1u << 30);
    raft_set_snapshot_threshold(&s->nodes[victim].raft, 10);
    raft_set_snapshot_trailing(&s->nodes[victim].raft, pick(s, 3));
    if (!sim_elect(s, leader))
        return;
    write_for(s, 10, 20);
    sim_run(s, 500);
    sim_cut_one(s, victim, leader);
    write_for(s, 40 + pick(s, 40), 20);
    sim_run(s, pick(s, 500));
    sim_cut(s, victim, leader);
    write_for(s, 3 + pick(s, 10), 20);
    sim_heal(s);
    write_for(s, pick(s, 20), 20);
    sim_run(s, 2000);
}

/* G20. What cannot be delivered is refused by the connection, replies too. */
void sim_family_unsent(struct sim *s)
{
    s->refuses = true;
    sim_random_schedule(s, 20000, true);
}

/* The leader's disk is full: it says so, takes no writes, and hands over; then a follower's is, and
 * the others go on. */
void sim_family_held(struct sim *s)
{
    for (unsigned round = 0; round < 4 && !sim_bad(s); round++) {
        int old;
        unsigned last;

        sim_run(s, 3000);
        old = sim_leader(s);
        if (old < 0)
            continue;
        sim_fill(&s->nodes[old], true);
        write_for(s, 1 + pick(s, 3), 5);
        if (sim_put(s, (unsigned)old))
            sim_fail(s, "a leader takes writes while its log is held");
        sim_run(s, 5 * SIM_ELECTION_MS);
        if (sim_leader(s) == old || sim_leader(s) < 0)
            sim_fail(s, "a leader whose log is held does not hand over");
        last = s->writes_count;
        write_for(s, 5, 50);
        sim_run(s, 500);
        for (unsigned id = last; id < s->writes_count; id++)
            if (!sim_acked(s, id))
                sim_fail(s, "write %u is not taken while one log is held", id);
        sim_run(s, pick(s, 3000));
        sim_fill(&s->nodes[old], false);
    }
}

/* Messages come twice: at once, or so late that others overtook the second copy. */
void sim_family_twice(struct sim *s)
{
    s->doubles = 5 + pick(s, 40);
    s->double_ms = pick(s, 3) == 0 ? 0 : pick(s, 2000);
    if (pick(s, 2) == 0)
        compact_hard(s, 10 + pick(s, 40), pick(s, 20));
    sim_random_schedule(s, 15000, pick(s, 3) != 0);
}

/* ---- the life of a cluster ---- */
struct cluster {
    struct sim *s;
    unsigned wanted;
    bool faults;
};

static void live(struct cluster *c, uint64_t ms)
{
    struct sim *s = c->s;
    uint64_t end = s->now + ms;
    uint64_t next_fault = s->now + pick(s, 2000);

    while (s->now < end && !sim_bad(s)) {
        if (c->faults && s->now >= next_fault) {
            if (pick(s, 2) == 0)
                sim_heal(s);
            else
                sim_random_fault(s, true);
            sim_random_knobs(s);
            next_fault = s->now + 200 + pick(s, 2500);
        }
        if (pick(s, 2) == 0)
            sim_leaders_put(s);
        (void)sim_operate(s, c->wanted);
        sim_run(s, 10 + pick(s, 30));
    }
}

/* Until it is what is wanted; what faults have done by then is healed for a while. */
static void settle(struct cluster *c, uint64_t ms)
{
    struct sim *s = c->s;
    uint64_t end = s->now + ms;
    unsigned fetch_ms = s->fetch_ms;

    s->fetch_ms = 50; /* a log that is let go faster than a state is fetched never suffices */
    while (s->now < end && !sim_bad(s) && !sim_operate(s, c->wanted)) {
        sim_heal(s);
        for (unsigned i = 0; i < s->n; i++) {
            s->nodes[i].disk_ms = 5;
            s->nodes[i].net_ms = 10;
            sim_set_timeout(&s->nodes[i], SIM_ELECTION_MS + 150 * (i % 7));
            sim_restart(&s->nodes[i]);
        }
        sim_leaders_put(s);
        sim_run(s, 50);
    }
    s->fetch_ms = fetch_ms;
    if (!sim_bad(s) && !sim_operate(s, c->wanted))
        sim_fail(s, "the membership did not become %#x in %llu ms", c->wanted,
                 (unsigned long long)ms);
}

static void burn(struct sim *s, unsigned index)
{
    sim_crash(&s->nodes[index]);
    s->nodes[index].gone = true;
}

/* 1 to 3 to 5 members, one of them replaced after its machine burnt, and back to 3, under writes,
 * crashes and partitions. */
void sim_family_members(struct sim *s)
{
    struct cluster c = { .s = s, .wanted = 1, .faults = pick(s, 8) != 0 };
    unsigned dead;
    unsigned gone = 0;

    compact_hard(s, 10 + pick(s, 40), pick(s, 20));
    s->fetch_ms = 10 + pick(s, 1500);
    s->refuses = pick(s, 2) != 0;
    live(&c, 1500);
    for (unsigned grow = 0; grow < 2; grow++) {
        c.wanted |= 1u << sim_add(s) | 1u << sim_add(s);
        live(&c, 8000);
        settle(&c, 60000);
    }
    dead = pick(s, 5);
    burn(s, dead);
    c.wanted = (c.wanted & ~(1u << dead)) | 1u << sim_add(s);
    live(&c, 6000);
    settle(&c, 60000);
    while (__builtin_popcount(c.wanted) > 3) {
        unsigned index = pick(s, s->n);

        gone |= c.wanted & 1u << index;
        c.wanted &= ~(1u << index);
    }
    live(&c, 6000);
    settle(&c, 60000);
    /* Who was removed learns of it from its operator, sooner or later. */
    live(&c, 2000);
    for (unsigned i = 0; i < s->n; i++)
        if ((gone & 1u << i) != 0)
            burn(s, i);
}
