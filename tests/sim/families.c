/*
 * Scenario families. Each is a fault schedule of one shape with its details drawn from the seed;
 * most are shaped so that one hole of libraft shows when the guard's rule for it is off.
 */
#include <string.h>

#include "base/assert.h"
#include "tests/sim/sim.h"

#define ALL_ENTRIES   100000
#define NEWS_APPLY_MS 20 /* between a commit that is known and its state, with a little more */

static unsigned pick(struct sim *s, unsigned n)
{
    return sim_draw(s, n);
}

void sim_leaders_put(struct sim *s)
{
    for (unsigned i = 0; i < s->n; i++)
        if (s->nodes[i].up && s->nodes[i].raft.state == RAFT_LEADER)
            (void)sim_put(s, i);
}

void sim_random_knobs(struct sim *s)
{
    struct sim_node *n = &s->nodes[pick(s, s->n)];

    n->net_ms = 1 + pick(s, 60);
    n->bulk_ms = pick(s, 3) != 0 ? 0 : pick(s, 400);
    n->disk_ms = 1 + pick(s, pick(s, 10) != 0 ? 20 : 300);
    n->election_ms = SIM_ELECTION_MS + pick(s, SIM_ELECTION_MS);
}

static void forget_leaders(struct sim *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        struct sim_node *n = &s->nodes[i];

        if (!n->up || n->raft.state != RAFT_FOLLOWER || pick(s, 2) == 0)
            continue;
        if (pick(s, 3) == 0) {
            sim_heap_enter(n);
            guard_peer_gone(&n->guard, guard_leader(&n->guard)); /* rightly or not */
            continue;
        }
        sim_forget_leader(n);
        if (pick(s, 2) != 0)
            n->raft.follower_state.randomized_election_timeout = 100 + pick(s, 900);
    }
}

/* A leader is cut off with unreplicated writes, another is elected, then the partition moves: the
 * new one sees only the old one (and perhaps one more), and then is cut off in turn. */
static void roll_partition(struct sim *s)
{
    int old = sim_leader(s);
    int keep = s->n == 5 ? (int)pick(s, s->n) : -1;
    int new;

    if (old < 0)
        return;
    for (unsigned j = 0; j < s->n; j++)
        if ((int)j != keep)
            sim_cut(s, (unsigned)old, j);
    for (unsigned k = 1 + pick(s, 3); k > 0; k--)
        (void)sim_put(s, (unsigned)old);
    sim_run(s, 2500 + pick(s, 3000));
    new = sim_leader(s);
    sim_heal(s);
    if (new < 0 || new == old)
        return;
    keep = s->n == 5 ? (int)pick(s, s->n) : -1;
    for (unsigned j = 0; j < s->n; j++)
        if ((int)j != old && (int)j != keep)
            sim_cut(s, (unsigned)new, j);
    sim_run(s, pick(s, 250));
    (void)sim_put(s, (unsigned)new);
    sim_run(s, 50 + pick(s, 800));
    sim_heal(s);
    sim_isolate(s, (unsigned)new);
    sim_run(s, 2500 + pick(s, 4000));
    if (sim_leader(s) >= 0)
        (void)sim_put(s, (unsigned)sim_leader(s));
    sim_run(s, 300);
    sim_heal(s);
}

void sim_random_fault(struct sim *s, bool crashes)
{
    unsigned v = pick(s, s->n);
    unsigned action = pick(s, 12);

    if (action >= 10) {
        forget_leaders(s);
        action = pick(s, 10);
    }
    if (crashes && pick(s, 4) == 0) {
        if (s->nodes[v].up) {
            sim_crash(&s->nodes[v]);
            sim_post(s, SIM_RESTART, v, s->now + 20 + pick(s, 3000))->incarnation =
                s->nodes[v].incarnation;
        }
        return;
    }
    if (action < 5) {
        for (unsigned j = 0; j < s->n; j++) {
            sim_cut_one(s, v, j);
            if (pick(s, 4) != 0)
                sim_cut_one(s, j, v);
        }
    } else if (action < 8) {
        sim_heal(s);
    } else {
        sim_cut_one(s, v, pick(s, s->n));
    }
}

void sim_random_schedule(struct sim *s, uint64_t ms, bool crashes)
{
    uint64_t end = s->now + ms;
    uint64_t next_fault = 0;
    uint64_t next_put = 0;

    while (s->now < end && !sim_bad(s)) {
        if (s->now >= next_fault) {
            sim_random_fault(s, crashes);
            if (pick(s, 3) == 0)
                roll_partition(s);
            sim_random_knobs(s);
            next_fault = s->now + 20 + pick(s, pick(s, 3) != 0 ? 500 : 2500);
        }
        if (s->now >= next_put) {
            sim_leaders_put(s);
            next_put = s->now + 1 + pick(s, pick(s, 2) != 0 ? 40 : 900);
        }
        sim_run(s, 10);
    }
}

static void run_rolling(struct sim *s)
{
    sim_random_schedule(s, 30000, false);
}

/* Snapshots are taken often. */
static void compact_logs(struct sim *s, unsigned trailing)
{
    s->snapshot_every = 20;
    s->trailing = trailing;
    for (unsigned i = 0; i < s->n; i++) {
        raft_set_snapshot_threshold(&s->nodes[i].raft, s->snapshot_every);
        raft_set_snapshot_trailing(&s->nodes[i].raft, s->trailing);
    }
}

static void run_crash(struct sim *s)
{
    if (pick(s, 2) != 0) {
        compact_logs(s, ALL_ENTRIES);
        s->no_offers = true;
    }
    sim_random_schedule(s, 30000, true);
}

/* ---- scripted shapes ---- */

/* Elects member i: its timer runs first, the others' never, and nobody remembers a leader. */
bool sim_elect(struct sim *s, unsigned i)
{
    for (unsigned j = 0; j < s->n; j++) {
        sim_forget_leader(&s->nodes[j]);
        sim_set_timeout(&s->nodes[j], j == i ? SIM_ELECTION_MS : 1000000);
    }
    return sim_run_until_leads(s, i, 20000);
}

void sim_loose_timers(struct sim *s)
{
    for (unsigned i = 0; i < s->n; i++)
        sim_set_timeout(&s->nodes[i], SIM_ELECTION_MS + pick(s, SIM_ELECTION_MS));
}

/* What follows a promise made on false answers: the promisor and the one honest follower are gone,
 * the rest goes on without what was promised. Now and then not, and it must be repaired. */
static void promisor_goes(struct sim *s, unsigned promisor, int honest)
{
    for (unsigned j = 0; j < s->n; j++) {
        s->nodes[j].lose_to = 0;
        s->nodes[j].net_ms = 15;
    }
    sim_heal(s);
    if (pick(s, 5) == 0)
        return;
    sim_isolate(s, promisor);
    if (honest >= 0)
        sim_isolate(s, (unsigned)honest);
    sim_loose_timers(s);
    sim_run(s, 4000 + pick(s, 2000));
    sim_leaders_put(s);
    sim_run(s, 500);
}

static unsigned all_but(const struct sim *s, int honest)
{
    unsigned all = (1u << s->n) - 1;

    return honest < 0 ? all : all & ~(1u << honest);
}

/* G1. A former leader has writes nobody else has when it hears the next leader's first heartbeat,
 * and its answer takes long. What the new leader appends meanwhile is lost on its way. An answer
 * that counts the leftovers commits that on too few copies. */
static void run_overack(struct sim *s)
{
    unsigned a = pick(s, s->n);
    unsigned b = (a + 1) % s->n;
    int honest = s->n == 5 ? (int)((a + 2) % 5) : -1;

    if (!sim_elect(s, a))
        return;
    sim_run(s, 200);
    sim_isolate(s, a);
    for (unsigned k = 3 + pick(s, 4); k > 0; k--)
        (void)sim_put(s, a);
    sim_run(s, SIM_ELECTION_MS * 2 + pick(s, 500));
    sim_heal(s);
    s->nodes[a].net_ms = 150 + pick(s, 300);
    s->nodes[b].lose_to = 1u << a;
    if (!sim_elect(s, b))
        return;
    s->nodes[b].lose_to = all_but(s, honest);
    for (unsigned k = 1 + pick(s, 3); k > 0; k--) {
        (void)sim_put(s, b);
        sim_run(s, pick(s, 20));
    }
    sim_run(s, 400 + pick(s, 300));
    promisor_goes(s, b, honest);
}

/* As elect, but only until it leads at all: before its own-term barrier is committed. */
static bool elect_only(struct sim *s, unsigned i)
{
    for (unsigned j = 0; j < s->n; j++) {
        sim_forget_leader(&s->nodes[j]);
        sim_set_timeout(&s->nodes[j], j == i ? SIM_ELECTION_MS : 1000000);
    }
    for (unsigned ms = 0; ms < 12000 && s->nodes[i].raft.state != RAFT_LEADER; ms += 5)
        sim_run(s, 5);
    return s->nodes[i].raft.state == RAFT_LEADER;
}

/* G2. Figure 8 of the Raft paper: an entry of an old term reaches a majority under a later leader
 * that has stored nothing of its own term yet, and is overwritten by a third. */
static void run_figure8(struct sim *s)
{
    unsigned first = pick(s, 5);
    unsigned with = (first + 1) % 5;
    unsigned third = (first + 2) % 5;
    unsigned apart = (first + 3) % 5;
    unsigned rival = (first + 4) % 5;

    if (!sim_elect(s, first))
        return;
    sim_run(s, 200);
    sim_cut(s, first, third);
    sim_cut(s, first, apart);
    sim_cut(s, first, rival);
    (void)sim_put(s, first);
    sim_run(s, 60);
    sim_isolate(s, first);
    /* The rival leads, with an entry that nobody else gets. */
    sim_cut(s, with, rival);
    if (!sim_elect(s, rival))
        return;
    sim_isolate(s, rival);
    (void)sim_put(s, rival);
    sim_run(s, 30 + pick(s, 30));
    sim_crash(&s->nodes[rival]);
    /* The first leads again: its disk is slow, so its own entry of this term is stored late. */
    sim_run(s, 2500);
    sim_heal(s);
    sim_cut(s, first, apart);
    s->nodes[first].disk_ms = 150 + pick(s, 300);
    if (!elect_only(s, first))
        return;
    sim_run(s, 100 + pick(s, 150));
    sim_crash(&s->nodes[first]);
    /* The rival is back with the higher last term and takes the rest. */
    sim_restart(&s->nodes[rival]);
    if (!sim_elect(s, rival))
        return;
    (void)sim_put(s, rival);
    sim_run(s, 500);
    sim_restart(&s->nodes[first]);
    sim_loose_timers(s);
    sim_run(s, 500);
}

/* G3. Steady writes and nothing wrong: each must be committed about a round trip and a disk write
 * after it came. */
static void run_latency(struct sim *s)
{
    unsigned gap = 1 + pick(s, 4);

    if (!sim_elect(s, pick(s, s->n)))
        return;
    for (unsigned i = 0; i < s->n; i++)
        s->nodes[i].net_ms = 5 + pick(s, 15);
    sim_run(s, 500);
    s->ack_ms_max = 0;
    for (unsigned ms = 0; ms < 1500 && !sim_bad(s); ms += gap) {
        sim_leaders_put(s);
        sim_run(s, gap);
    }
    sim_run(s, 500);
    if (s->ack_ms_max > 150)
        sim_fail(s, "a write waited %llu ms for its commit", (unsigned long long)s->ack_ms_max);
}

/* G4. A follower's slow write of the old leader's entries ends in the new leader's term, whose own
 * entries at those indexes were lost on their way: its answer would count them as arrived. */
static void run_stale_ack(struct sim *s)
{
    unsigned a = pick(s, 5);
    unsigned f = (a + 1) % 5;
    unsigned b = (a + 2) % 5;
    unsigned honest = (a + 3) % 5;

    if (!sim_elect(s, a))
        return;
    sim_run(s, 300);
    s->nodes[f].disk_ms = 2500 + pick(s, 2000);
    for (unsigned j = 0; j < 5; j++)
        if (j != a && j != f)
            sim_cut(s, a, j);
    for (unsigned k = 3 + pick(s, 5); k > 0; k--)
        (void)sim_put(s, a);
    sim_run(s, 50);
    sim_isolate(s, a);
    s->nodes[b].lose_to = 1u << f;
    if (!sim_elect(s, b))
        return;
    s->nodes[b].lose_to = all_but(s, (int)honest);
    for (unsigned k = 1 + pick(s, 3); k > 0; k--) {
        (void)sim_put(s, b);
        sim_run(s, pick(s, 20));
    }
    sim_run(s, 5000);
    s->nodes[f].disk_ms = 10;
    promisor_goes(s, b, (int)honest);
}

/* G21. A follower's slow write of the old leader's entries is in flight when a new leader has them
 * truncated, and still is when the old one, leading again, sends them once more. */
static void run_again(struct sim *s)
{
    unsigned a = pick(s, 5);
    unsigned f = (a + 1) % 5;
    unsigned b = (a + 2) % 5;

    if (!sim_elect(s, a))
        return;
    sim_run(s, 300);
    s->nodes[f].disk_ms = 5000 + pick(s, 4000);
    for (unsigned j = 0; j < 5; j++)
        if (j != a && j != f)
            sim_cut(s, a, j);
    for (unsigned k = 1 + pick(s, 4); k > 0; k--)
        (void)sim_put(s, a);
    sim_run(s, 60);
    sim_isolate(s, a);
    s->nodes[b].lose_to = all_but(s, (int)f);
    if (!elect_only(s, b))
        return;
    sim_run(s, 150 + pick(s, 150));
    sim_heal(s);
    sim_isolate(s, b);
    if (!elect_only(s, a))
        return;
    (void)sim_put(s, a);
    sim_run(s, 9000);
    sim_heal(s);
    s->nodes[b].lose_to = 0;
    s->nodes[f].disk_ms = 10;
    sim_loose_timers(s);
    sim_run(s, 2000);
    /* The entries are let go, whoever frees them. */
    compact_logs(s, 3);
    for (unsigned k = 0; k < 50; k++) {
        sim_leaders_put(s);
        sim_run(s, 20);
    }
}

/* G5. Log writes fail on one member while others go on. */
static void run_disk_fail(struct sim *s)
{
    for (unsigned round = 0; round < 8 && !sim_bad(s); round++) {
        int leader = sim_leader(s);
        unsigned victim = leader >= 0 && pick(s, 2) != 0 ? (unsigned)leader : pick(s, s->n);

        for (unsigned k = 0; k < 12; k++) {
            if (k == 4)
                s->nodes[victim].fail_writes = 1;
            sim_leaders_put(s);
            sim_run(s, pick(s, 30));
        }
        s->nodes[victim].fail_writes = 0;
        sim_run(s, 500 + pick(s, 2500));
    }
}

/* In half of the seeds the rule itself is not looked at. */
static void look_for_harm(struct sim *s)
{
    s->harm_only = (s->seed & SIM_HARM_SEED) != 0;
}

/* G7. A member whose disk hangs for seconds would campaign with entries that it has not stored. */
static void run_slow_disk(struct sim *s)
{
    look_for_harm(s);
    for (unsigned round = 0; round < 5 && !sim_bad(s); round++) {
        int leader;

        sim_run(s, 1500);
        leader = sim_leader(s);
        if (leader < 0)
            continue;
        for (unsigned j = 0; j < s->n; j++)
            if ((int)j != leader)
                s->nodes[j].disk_ms = 2000 + pick(s, 3000);
        for (unsigned k = 0; k < 5; k++) {
            (void)sim_put(s, (unsigned)leader);
            sim_run(s, 5 + pick(s, 20));
        }
        sim_isolate(s, (unsigned)leader);
        sim_run(s, 4000);
        if (pick(s, 2) != 0)
            sim_crash(&s->nodes[pick(s, s->n)]);
        for (unsigned j = 0; j < s->n; j++) {
            s->nodes[j].disk_ms = 10;
            sim_restart(&s->nodes[j]);
        }
        sim_heal(s);
    }
}

/* G10. Elections come and go, and now and then a send is refused in a way that libraft answers by
 * giving up for ever without a word. */
static void run_edges(struct sim *s)
{
    look_for_harm(s);
    for (unsigned round = 0; round < 12 && !sim_bad(s); round++) {
        sim_run(s, 500 + pick(s, 1500));
        sim_leaders_put(s);
        if (pick(s, 3) == 0)
            s->nodes[pick(s, s->n)].fail_sends = 1;
        if (pick(s, 2) == 0)
            forget_leaders(s);
        if (sim_leader(s) >= 0 && pick(s, 2) == 0)
            sim_isolate(s, (unsigned)sim_leader(s));
        sim_run(s, 500 + pick(s, 2000));
        sim_heal(s);
    }
}

/* G12. Logs are compacted, members come and go; the entries they miss are still in every log, so
 * nobody may be offered a snapshot. */
static void run_compact(struct sim *s)
{
    compact_logs(s, ALL_ENTRIES);
    s->no_offers = true;
    for (unsigned round = 0; round < 6 && !sim_bad(s); round++) {
        unsigned victim = pick(s, s->n);

        sim_run(s, 2500);
        for (unsigned k = 0; k < 30; k++) {
            sim_leaders_put(s);
            sim_run(s, 20 + pick(s, 20));
            if (k == 10)
                sim_crash(&s->nodes[victim]);
        }
        if (sim_leader(s) >= 0 && pick(s, 2) != 0) {
            unsigned leader = (unsigned)sim_leader(s);

            sim_crash(&s->nodes[leader]);
            sim_restart(&s->nodes[leader]);
            sim_run(s, 1500 + pick(s, 2500));
        }
        sim_restart(&s->nodes[victim]);
    }
}

/* How long until every member's state has what the leader's log has. */
static uint64_t until_applied(struct sim *s, unsigned leader)
{
    uint64_t began = s->now;
    raft_index last = raft_last_index(&s->nodes[leader].raft);

    for (unsigned i = 0; i < s->n && !sim_bad(s); i++)
        while (s->nodes[i].up && s->nodes[i].fsm->point.index < last &&
               s->now < began + SIM_ELECTION_MS && !sim_bad(s))
            sim_run(s, 1);
    return s->now - began;
}

/* Its harm: who watches or waits at a follower is late by a part of a heartbeat. */
static void check_lateness(struct sim *s, unsigned leader, unsigned net)
{
    uint64_t sum = 0;
    unsigned count = 0;

    while (count < 10 && sim_leader(s) == (int)leader && !sim_bad(s) && sim_put(s, leader)) {
        sum += until_applied(s, leader);
        count++;
        sim_run(s, 30 + pick(s, 200));
    }
    if (count > 0 && sum / count > 3ull * net + 6 + NEWS_APPLY_MS)
        sim_fail(s, "members have a lone write after %llu ms on average",
                 (unsigned long long)(sum / count));
}

/* G13. One write at a time: every member knows of its commit two messages and two disk writes after
 * it came, and does not wait for a heartbeat. */
static void run_news(struct sim *s)
{
    unsigned leader = pick(s, s->n);
    unsigned net = 1 + pick(s, 5);

    if (!sim_elect(s, leader))
        return;
    sim_run(s, 500);
    for (unsigned i = 0; i < s->n; i++) {
        s->nodes[i].net_ms = net;
        s->nodes[i].disk_ms = 1;
    }
    sim_run(s, 500);
    look_for_harm(s);
    if (s->harm_only) {
        check_lateness(s, leader, net);
        return;
    }
    for (unsigned k = 0; k < 10 && sim_leader(s) == (int)leader && !sim_bad(s); k++) {
        if (!sim_put(s, leader))
            return;
        sim_run(s, 3ull * net + 6);
        for (unsigned i = 0; i < s->n; i++)
            if (s->nodes[i].raft.commit_index < s->nodes[leader].raft.commit_index)
                sim_fail(s, "member %u does not know of a commit", i);
        sim_run(s, 30 + pick(s, 200));
    }
}

const struct sim_family sim_families[] = {
    { "rolling", "partitions that move, leaders forgotten, latencies that change", 0, run_rolling },
    { "crash", "the same with crashes, torn writes and restarts", 0, run_crash },
    { "overack", "G1: a rejoining leader's leftovers", 0, run_overack },
    { "figure8", "G2: an old term's entry on a majority", 5, run_figure8 },
    { "latency", "G3: commit under continuous writes", 0, run_latency },
    { "staleack", "G4: a write that ends in another term", 5, run_stale_ack },
    { "diskfail", "G5: failing log writes", 0, run_disk_fail },
    { "slowdisk", "G7: votes before the write", 0, run_slow_disk },
    { "edges", "G10: changes of state, and a library that gave up", 0, run_edges },
    { "compact", "G12: compacted logs that still reach everybody", 0, run_compact },
    { "news", "G13: followers hear of a lone commit", 0, run_news },
    { "install", "G6: snapshots installed", 0, sim_family_install },
    { "stall", "G9: loops that stall", 0, sim_family_stall },
    { "window", "G11: a peer that is slow", 0, sim_family_window },
    { "overtake", "G14: heartbeats overtake entries", 0, sim_family_overtake },
    { "onevote", "G15: two transfers", 3, sim_family_one_vote },
    { "rollback", "G16: a configuration that is taken back", 0, sim_family_rollback },
    { "promoted", "G17: a voter that does not know", 1, sim_family_promoted },
    { "sole", "G18: a sole voter that crashes", 1, sim_family_sole },
    { "letgo", "G19: a member that let go what its leader begins with", 0, sim_family_let_go },
    { "unsent", "G20: replies that cannot be sent", 0, sim_family_unsent },
    { "held", "full disks", 0, sim_family_held },
    { "again", "G21: a truncated entry comes back", 5, run_again },
    { "members", "1 to 3 to 5 to 3 members, one replaced", 1, sim_family_members },
    { "twice", "messages that come twice", 0, sim_family_twice }
};
const size_t sim_families_count = sizeof(sim_families) / sizeof(sim_families[0]);

const struct sim_family *sim_family_named(const char *name)
{
    for (size_t i = 0; i < sim_families_count; i++)
        if (strcmp(sim_families[i].name, name) == 0)
            return &sim_families[i];
    return NULL;
}
