/* Fault schedules of the simulated cluster. Each step draws a fault and lets some time pass. */
#include <string.h>

#include "store/raft_node.h"
#include "store/replica.h"
#include "store/txn.h"
#include "tests/sim/cluster.h"

#define MEMBERS_MAX 5

static struct cluster_host *other_than(struct cluster *c, const struct cluster_host *h)
{
    struct cluster_host *o = cluster_any(c);

    for (int i = 0; i < 8 && o == h; i++)
        o = cluster_any(c);
    return o != h ? o : NULL;
}

/* The leader as often as all others together: it is where most is going on. */
static struct cluster_host *victim(struct cluster *c)
{
    struct cluster_host *leader =
        cluster_leader(c, cluster_chance(c, 70) ? STORE_CLUSTER : STORE_BUS);

    return leader != NULL && cluster_chance(c, 50) ? leader : cluster_any(c);
}

/* ---- calm ---- */

static void step_calm(struct cluster *c)
{
    struct cluster_host *h = victim(c);

    cluster_run(c, 200 + cluster_draw(c, 1500));
    if (h == NULL)
        return;
    if (cluster_chance(c, 50))
        cluster_host_stop(h);
    else
        cluster_host_crash(h, cluster_chance(c, 50));
    cluster_run(c, 200 + cluster_draw(c, 2500));
}

/* ---- crash storms ---- */

static void blackout(struct cluster *c)
{
    for (size_t i = 0; i < c->hosts_count; i++)
        cluster_host_crash(&c->hosts[i], true);
}

static void step_storm(struct cluster *c)
{
    if (cluster_chance(c, 10))
        blackout(c);
    for (uint64_t n = 1 + cluster_draw(c, c->founders); n > 0; n--) {
        struct cluster_host *h = victim(c);

        if (h == NULL)
            continue;
        if (cluster_chance(c, 70))
            env_sim_host_crash_after(h->env, cluster_draw(c, 60));
        else
            cluster_host_crash(h, cluster_chance(c, 70));
    }
    cluster_run(c, 50 + cluster_draw(c, 1200));
}

/* Deaths while the member opens its store: right after each start. */
static void step_boot(struct cluster *c)
{
    for (size_t i = 0; i < c->hosts_count; i++) {
        struct cluster_host *h = &c->hosts[i];

        if (h->state == CLUSTER_DOWN && h->wanted && cluster_chance(c, 60)) {
            cluster_host_start(h);
            if (cluster_up(h))
                env_sim_host_crash_after(h->env, cluster_draw(c, 12));
        } else if (cluster_up(h) && cluster_chance(c, 25)) {
            env_sim_host_crash_after(h->env, cluster_draw(c, 40));
        }
    }
    cluster_run(c, 50 + cluster_draw(c, 800));
}

/* ---- partitions ---- */

static void cut(struct cluster *c, const struct cluster_host *a, const struct cluster_host *b,
                bool both)
{
    c->counters.partitions++;
    env_sim_partition(c->env, a->name, b->name, true);
    if (both)
        env_sim_partition(c->env, b->name, a->name, true);
}

static void isolate(struct cluster *c, struct cluster_host *h, bool both)
{
    for (size_t i = 0; i < c->hosts_count; i++)
        if (&c->hosts[i] != h) {
            if (both || cluster_chance(c, 50))
                cut(c, h, &c->hosts[i], both);
            else
                cut(c, &c->hosts[i], h, false);
        }
}

static void split(struct cluster *c)
{
    uint64_t side = cluster_draw(c, 1u << c->hosts_count);

    for (size_t i = 0; i < c->hosts_count; i++)
        for (size_t j = 0; j < i; j++)
            if (((side >> i) & 1) != ((side >> j) & 1))
                cut(c, &c->hosts[i], &c->hosts[j], true);
}

static void slow_links(struct cluster *c)
{
    for (size_t i = 0; i < c->hosts_count; i++)
        for (size_t j = 0; j < c->hosts_count; j++)
            if (i != j && cluster_chance(c, 30)) {
                uint64_t least = cluster_draw(c, 60000);

                env_sim_link_latency(c->env, c->hosts[i].name, c->hosts[j].name, least,
                                     least + cluster_draw(c, 200000));
            }
}

static void reset_some(struct cluster *c)
{
    struct cluster_host *a = victim(c);
    struct cluster_host *b = a != NULL ? other_than(c, a) : NULL;

    if (a != NULL && b != NULL)
        env_sim_host_reset(c->env, a->name, b->name);
}

static void one_partition(struct cluster *c)
{
    struct cluster_host *h = victim(c);
    struct cluster_host *o = h != NULL ? other_than(c, h) : NULL;

    switch (cluster_draw(c, 6)) {
    case 0:
        if (h != NULL)
            isolate(c, h, true);
        break;
    case 1:
        if (h != NULL)
            isolate(c, h, false);
        break;
    case 2:
        split(c);
        break;
    case 3:
        if (o != NULL)
            cut(c, h, o, cluster_chance(c, 50));
        break;
    case 4:
        slow_links(c);
        break;
    default:
        reset_some(c);
        break;
    }
}

static void prepare_partitions(struct cluster *c)
{
    env_sim_set_reset_ms(c->env, cluster_chance(c, 50) ? 0 : 1000 + cluster_draw(c, 4000));
}

static void step_partition(struct cluster *c)
{
    one_partition(c);
    cluster_run(c, 200 + cluster_draw(c, 2500));
    if (cluster_chance(c, 60))
        cluster_connect(c);
    cluster_run(c, cluster_draw(c, 800));
}

/* A leader is cut off; another is elected; then the cut moves on to that one. */
static void step_rolling(struct cluster *c)
{
    struct cluster_host *h = cluster_leader(c, STORE_CLUSTER);

    cluster_connect(c);
    if (h != NULL)
        isolate(c, h, cluster_chance(c, 60));
    cluster_run(c, 700 + cluster_draw(c, 2000));
    if (cluster_chance(c, 30))
        cluster_host_crash(h != NULL ? h : &c->hosts[0], cluster_chance(c, 50));
}

/* Its raft loop runs nothing for a while: a machine that is overcommitted, a debugger. */
static void stall(struct cluster *c, struct cluster_host *h)
{
    struct store *store = h->store;
    struct env_loop *loop = replica_of(store_group(store, STORE_CLUSTER))->loop;

    c->counters.pauses++;
    env_sim_pause_loop(loop, true);
    cluster_run(c, 100 + cluster_draw(c, 3000));
    if (h->store == store)
        env_sim_pause_loop(loop, false);
}

/* ---- disks ---- */

static void one_disk_fault(struct cluster *c, struct cluster_host *h)
{
    switch (cluster_draw(c, 6)) {
    case 0:
        env_sim_disk_full(h->env, true);
        break;
    case 1:
        env_sim_disk_fail(h->env, (enum env_sim_io)cluster_draw(c, 3), cluster_draw(c, 40));
        break;
    case 2:
        env_sim_disk_stall(h->env, 100 + cluster_draw(c, 4000));
        break;
    case 3:
        env_sim_disk_speed(h->env, 1000, 1000 + cluster_draw(c, 60000));
        break;
    case 4:
        env_sim_disk_fail(h->env, ENV_SIM_SYNC, cluster_draw(c, 20));
        break;
    default:
        env_sim_host_crash_after(h->env, cluster_draw(c, 60));
        break;
    }
}

static void mend_disks(struct cluster *c)
{
    for (size_t i = 0; i < c->hosts_count; i++) {
        env_sim_disk_full(c->hosts[i].env, false);
        env_sim_disk_speed(c->hosts[i].env, 50, 500);
    }
}

static void step_disk(struct cluster *c)
{
    struct cluster_host *h = victim(c);

    if (h != NULL)
        one_disk_fault(c, h);
    cluster_run(c, 200 + cluster_draw(c, 1800));
    if (cluster_chance(c, 50))
        mend_disks(c);
}

/* ---- clocks ---- */

static void step_clock(struct cluster *c)
{
    struct cluster_host *h = victim(c);

    if (h != NULL && cluster_chance(c, 30)) {
        stall(c, h);
    } else if (h != NULL && cluster_chance(c, 60)) {
        c->counters.jumps++;
        env_sim_host_wall_jump(h->env, (int64_t)cluster_draw(c, 7200000) - 3600000);
    } else if (h != NULL) {
        c->counters.jumps++;
        env_sim_host_clock_rate(h->env, (int32_t)cluster_draw(c, 400000) - 200000);
    }
    if (h != NULL && cluster_chance(c, 20))
        cluster_host_crash(h, cluster_chance(c, 50));
    cluster_run(c, 200 + cluster_draw(c, 1500));
    if (cluster_chance(c, 30))
        one_partition(c);
    cluster_run(c, 200 + cluster_draw(c, 1000));
    cluster_connect(c);
}

/* ---- members ---- */

/* Who shall be a member; joined: and has a row. */
static size_t wanted(const struct cluster *c, bool joined)
{
    size_t count = 0;

    for (size_t i = 0; i < c->hosts_count; i++)
        count += c->hosts[i].wanted && !(joined && c->hosts[i].state == CLUSTER_UNUSED);
    return count;
}

/* Few entries behind a snapshot: who was away for a while must fetch a copy. */
static void small_logs(struct cluster *c)
{
    c->log_retain_bytes = 8192 + cluster_draw(c, 32768);
    c->log_retain_entries = 16 + (unsigned)cluster_draw(c, 100);
}

static void change_members(struct cluster *c)
{
    struct cluster_host *h = victim(c);
    size_t count = wanted(c, false);

    if (count < MEMBERS_MAX && c->hosts_count < CLUSTER_HOSTS_MAX && cluster_chance(c, 55)) {
        (void)cluster_host_add(c, STORE_START_JOIN);
    } else if (wanted(c, true) > 1 && h != NULL) { /* without one with a row nobody gets in */
        h->wanted = false;
        /* A machine that is gone is replaced; never more of them than the group survives. */
        if (count > 2 && cluster_operated(c) && cluster_chance(c, 40))
            cluster_host_retire(h);
    }
}

static void prepare_members(struct cluster *c)
{
    if (cluster_chance(c, 60))
        small_logs(c);
}

static void step_members(struct cluster *c)
{
    struct cluster_host *h = victim(c);

    cluster_run(c, 300 + cluster_draw(c, 1500));
    if (cluster_operated(c) || cluster_chance(c, 20))
        change_members(c);
    if (h != NULL && cluster_chance(c, 30))
        env_sim_host_crash_after(h->env, cluster_draw(c, 80));
    if (cluster_chance(c, 20))
        one_partition(c);
    cluster_run(c, 300 + cluster_draw(c, 2500));
    if (cluster_chance(c, 60))
        cluster_connect(c);
}

/* ---- copies ---- */

static void prepare_away(struct cluster *c)
{
    small_logs(c);
    c->retain_revisions = cluster_chance(c, 50) ? 20 + cluster_draw(c, 100) : 0;
    c->retain_ms = 1000;
}

/* A member is away while the log moves on, by a crash or a cut. */
static void step_away(struct cluster *c)
{
    struct cluster_host *h = cluster_any(c);

    if (h == NULL)
        return;
    if (cluster_chance(c, 60)) {
        cluster_host_crash(h, cluster_chance(c, 50));
        h->restart_ns += cluster_draw(c, 6000) * ENV_MS;
    } else {
        isolate(c, h, true);
    }
    cluster_run(c, 2000 + cluster_draw(c, 4000));
    cluster_connect(c);
    for (uint64_t n = cluster_draw(c, 4); n > 0; n--) {
        cluster_run(c, cluster_draw(c, 800));
        h = victim(c);
        if (h != NULL && cluster_chance(c, 60))
            env_sim_host_crash_after(h->env, cluster_draw(c, 60));
        else if (h != NULL)
            reset_some(c);
    }
    cluster_run(c, 200 + cluster_draw(c, 2000));
}

/* A disk is wiped: the member is removed and a new one takes its place. */
static void step_wiped(struct cluster *c)
{
    struct cluster_host *h = cluster_any(c);

    cluster_run(c, 500 + cluster_draw(c, 1500));
    if (h == NULL || !cluster_operated(c) || wanted(c, false) < 3 ||
        c->hosts_count == CLUSTER_HOSTS_MAX)
        return;
    c->counters.wipes++;
    cluster_host_retire(h);
    (void)cluster_host_add(c, STORE_START_JOIN);
    cluster_run(c, 1000 + cluster_draw(c, 3000));
    h = victim(c);
    if (h != NULL && cluster_chance(c, 50))
        env_sim_host_crash_after(h->env, cluster_draw(c, 60));
}

/* While a member is away another is replaced, and leads when the first comes back: it has never
 * heard of it. */
static void step_estranged(struct cluster *c)
{
    struct cluster_host *away = other_than(c, cluster_leader(c, STORE_CLUSTER));
    struct cluster_host *lost = away != NULL ? other_than(c, away) : NULL;

    if (lost == NULL || !cluster_operated(c) || c->hosts_count == CLUSTER_HOSTS_MAX)
        return;
    cluster_host_crash(away, cluster_chance(c, 50));
    away->restart_ns = UINT64_MAX;
    if (c->founders == 3)
        lost->wanted = false; /* it is needed until it is removed */
    else
        cluster_host_retire(lost);
    (void)cluster_host_add(c, STORE_START_JOIN);
    for (int i = 0; i < 60 && !cluster_operated(c); i++)
        cluster_run(c, 100);
    for (int i = 0; i < 3; i++) {
        struct cluster_host *leader = cluster_leader(c, STORE_CLUSTER);

        if (leader == NULL || leader == &c->hosts[c->hosts_count - 1])
            break;
        cluster_host_stop(leader);
        cluster_run(c, 1000);
    }
    away->restart_ns = env_now_ns(c->env);
    /* A member finds those who are there now by asking those who were there before, so not all of
     * them may go before it has. */
    for (int i = 0; i < 100 && (!cluster_up(away) || !cluster_knows(away)); i++)
        cluster_run(c, 100);
    cluster_run(c, 500 + cluster_draw(c, 2000));
}

/* ---- large values ---- */

static void prepare_large(struct cluster *c)
{
    c->padding_bytes = 200u << 10;
    c->pause_ms = 150;
    c->simulation.log_file_bytes = 4u << 20;
    if (cluster_chance(c, 50)) {
        c->log_retain_bytes = 1u << 20;
        c->log_retain_entries = 64;
    }
}

static void step_large(struct cluster *c)
{
    static void (*const steps[])(struct cluster *) = { step_calm, step_storm, step_partition,
                                                       step_disk, step_away };

    steps[cluster_draw(c, sizeof(steps) / sizeof(steps[0]))](c);
}

/* ---- releases ---- */

static void older(struct cluster *c, uint32_t level)
{
    for (size_t i = 0; i < c->hosts_count; i++)
        c->hosts[i].level_max = cluster_chance(c, 60) ? level : 0;
}

/* Of any older level, half of the time each of its own. */
static void prepare_mixed(struct cluster *c)
{
    bool each = cluster_chance(c, 50);

    older(c, 1 + (uint32_t)cluster_draw(c, STORE_FEATURE_LEVEL - 1));
    for (size_t i = 0; each && i < c->hosts_count; i++)
        if (c->hosts[i].level_max != 0)
            c->hosts[i].level_max = 1 + (uint32_t)cluster_draw(c, STORE_FEATURE_LEVEL - 1);
}

/* One after the other is stopped and starts as the newer release. */
static void step_mixed(struct cluster *c)
{
    struct cluster_host *h = cluster_any(c);

    if (h != NULL && h->level_max != 0 && cluster_chance(c, 70)) {
        h->level_max = 0;
        cluster_host_stop(h);
    } else if (h != NULL) {
        cluster_host_crash(h, cluster_chance(c, 50));
    }
    cluster_run(c, 500 + cluster_draw(c, 3000));
    if (cluster_chance(c, 30))
        one_partition(c);
    cluster_run(c, 500 + cluster_draw(c, 1500));
    cluster_connect(c);
}

/* ---- all of it ---- */

static void prepare_all(struct cluster *c)
{
    prepare_partitions(c);
    if (cluster_chance(c, 70))
        small_logs(c);
    if (cluster_chance(c, 30))
        older(c, 1); /* as it was when the seeds that once were bad were */
    if (cluster_chance(c, 30)) {
        c->retain_revisions = 20 + cluster_draw(c, 100);
        c->retain_ms = 1000;
    }
}

static void step_all(struct cluster *c)
{
    static void (*const steps[])(struct cluster *) = { step_calm,    step_storm, step_partition,
                                                       step_rolling, step_disk,  step_clock,
                                                       step_members, step_away };

    steps[cluster_draw(c, sizeof(steps) / sizeof(steps[0]))](c);
}

const struct cluster_family cluster_families[] = {
    { "calm", "stops, kills and power losses, one at a time", 0, NULL, step_calm, 5 },
    { "storm", "power losses at any operation of the disk", 0, NULL, step_storm, 12 },
    { "boot", "the same while members start", 0, NULL, step_boot, 14 },
    { "partition", "cuts one way and both, slow links, resets", 0, prepare_partitions,
      step_partition, 5 },
    { "rolling", "whoever leads is cut off", 5, prepare_partitions, step_rolling, 6 },
    { "disk", "full, slow, stalled and failing disks", 0, NULL, step_disk, 8 },
    { "rot", "files that change by themselves; such a member is replaced", 3, prepare_members,
      cluster_step_rot, 5 },
    { "diverged", "states that are changed in one member; it is found out and replaced", 3,
      cluster_prepare_diverged, cluster_step_diverged, 4 },
    { "forget", "history that is forgotten while watchers and lists are behind", 3,
      cluster_prepare_forget, cluster_step_forget, 4 },
    { "clock", "clocks that jump, run fast and slow; loops that stall", 0, NULL, step_clock, 6 },
    { "members", "one to five members and back, under faults", 0, prepare_members, step_members,
      6 },
    { "away", "members so long away that they must fetch a copy", 3, prepare_away, step_away, 3 },
    { "wiped", "machines that are lost with their disks", 3, prepare_members, step_wiped, 4 },
    { "estranged", "members that come back to leaders they never heard of", 3, prepare_members,
      step_estranged, 3 },
    { "large", "large values under crashes and cuts", 0, prepare_large, step_large, 5 },
    { "mixed", "members of two releases", 3, prepare_mixed, step_mixed, 5 },
    { "all", "everything at once", 0, prepare_all, step_all, 8 },
    { "full", "disks that are full in the middle of a write, states that are", 0,
      cluster_prepare_full, cluster_step_full, 4 }
};
const size_t cluster_families_count = sizeof(cluster_families) / sizeof(cluster_families[0]);

const struct cluster_family *cluster_family_named(const char *name)
{
    for (size_t i = 0; i < cluster_families_count; i++)
        if (strcmp(cluster_families[i].name, name) == 0)
            return &cluster_families[i];
    return NULL;
}
