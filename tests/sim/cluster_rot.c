/*
 * What lies on a member's disk changes by itself: a file, which its checksums find at the next
 * start, or a row of its state. That shows once the digests of the members are compared, or when
 * the member looks at the row: then it stops, stays in quarantine, and another takes its place.
 */
#include <stdio.h>

#include "base/arena.h"
#include "store/group_state.h"
#include "store/key.h"
#include "store/mvcc.h"
#include "store/raft_node.h"
#include "store/replica.h"
#include "store/wal.h"
#include "tests/sim/cluster.h"

/* ---- rot ---- */

static uint64_t flushes(struct cluster_host *h, enum store_group_id group)
{
    struct wal_stats stats;

    raft_node_log_stats(replica_of(store_group(h->store, group))->node, &stats);
    return stats.flushes;
}

static size_t rotten(const struct cluster *c)
{
    size_t count = 0;

    for (size_t i = 0; i < c->hosts_count; i++)
        count += c->hosts[i].rotten && c->hosts[i].wanted;
    return count;
}

/* A file of a log, not that of its term and vote. */
static bool rot(struct cluster_host *h, const char *folder)
{
    struct str *names;
    size_t count;
    struct arena a;
    char path[128];
    bool done = false;

    arena_init(&a);
    if (env_dir_list(h->env, &a, folder, &names, &count, NULL) == 0 && count > 0) {
        struct str name = names[cluster_draw(h->world, count)];

        snprintf(path, sizeof(path), "%s/%.*s", folder, STR_ARG(name));
        if (str_starts(name, str_lit("log-")) || str_starts(name, str_lit("snapshot")))
            done = env_sim_disk_rot(h->env, path, 0, cluster_chance(h->world, 70) ? 16384 : 262144);
    }
    arena_deinit(&a);
    return done;
}

/*
 * One member's file changes under it. Damage to the newest group of a log looks like a torn write
 * and cannot be told from one (wal.h), and so it is with the newest slot of the term and vote: rot
 * is of what was written before. So the log goes on for some groups before the member restarts.
 */
void cluster_step_rot(struct cluster *c)
{
    static const char *const logs[] = { "/data/log-cluster", "/data/log-bus" };
    static const char *const states[] = { "/data/lmdb-cluster/CURRENT", "/data/lmdb-bus/CURRENT" };
    enum store_group_id group = cluster_chance(c, 50) ? STORE_CLUSTER : STORE_BUS;
    struct cluster_host *h = cluster_any(c);
    uint64_t before;

    cluster_run(c, 500 + cluster_draw(c, 1000));
    if (h == NULL || !cluster_up(h) || rotten(c) > 0 || !cluster_operated(c) ||
        c->hosts_count == CLUSTER_HOSTS_MAX)
        return;
    if (cluster_chance(c, 15) ? !env_sim_disk_rot(h->env, states[group - 1], 0, 64)
                              : !rot(h, logs[group - 1]))
        return;
    before = flushes(h, group);
    h->rotten = true;
    for (int i = 0; i < 50 && cluster_up(h) && flushes(h, group) < before + 6; i++)
        cluster_run(c, 100);
    if (!cluster_up(h) || flushes(h, group) < before + 6)
        return; /* it ended otherwise: it counts as rotten all the same */
    cluster_host_crash(h, cluster_chance(c, 50));
    cluster_run(c, 500 + cluster_draw(c, 2000));
}

/* ---- rows ---- */

#define FOUND_MS  40000
#define CHANGE_MS 100 /* so long for a moment in which a row can be changed */

/* Where a bit of a row is changed. The digest is another once the row is written again; a value is
 * looked at before that, by and by (store/scrub.h). */
static const struct {
    enum store_group_id group;
    enum kv_table table;
    size_t byte;
} changes[] = {
    { STORE_CLUSTER, KV_COUNTER, 0 }, /* a counter of a quota */
    { STORE_CLUSTER, KV_CUR, 13 },    /* the hash of a key's newest version */
    { STORE_CLUSTER, KV_REV, 0 },     /* the first byte of the value of a key that lasts */
    { STORE_BUS, KV_STATE, 16 }       /* the hash of a stream */
};

struct changed {
    char lasting[16];  /* the key whose value it was; empty: another row */
    uint64_t revision; /* of that value */
};

/* Of a key that is there: a deleted one has no part in the digest. */
static bool change_key(struct store_read *r, enum kv_table table, struct str key, size_t byte)
{
    struct store_version v;
    struct newest n;
    struct key rev;
    struct str row;

    if (store_read_get(r, key, &v) != 0 || !mvcc_newest(r->txn, key, &n))
        return false;
    if (table == KV_CUR)
        return kv_sim_rot(((struct kv_txn *)r->txn)->kv, table, key, byte);
    key_rev(&rev, n.place.revision, n.place.sub);
    return kv_get(r->txn, table, key_str(&rev), &row) &&
           kv_sim_rot(((struct kv_txn *)r->txn)->kv, table, key_str(&rev),
                      row.len - v.value.len + byte);
}

/* Not while a transaction is open: it may have replaced the row already, from what it was. */
static bool change_row(struct cluster_host *h, struct changed *out)
{
    size_t i = cluster_draw(h->world, sizeof(changes) / sizeof(changes[0]));
    struct store_group *group = store_group(h->store, changes[i].group);
    enum kv_table table = changes[i].table;
    struct store_version v = { 0 };
    struct store_read r;
    struct kv_txn *t;
    char key[16];
    bool done;

    snprintf(key, sizeof(key), table == KV_REV ? CLUSTER_LASTING : "k/%u",
             (unsigned)cluster_draw(h->world, CLUSTER_KEYS));
    if (group->txn != NULL || store_read_begin(group, 0, &r) != 0)
        return false;
    t = r.txn;
    if (table == KV_COUNTER || table == KV_STATE)
        done = kv_sim_rot(t->kv, table, table == KV_STATE ? str_lit("stream") : str_lit("all"),
                          changes[i].byte);
    else
        done = change_key(&r, table, str_from(key), changes[i].byte);
    *out = (struct changed){ 0 };
    if (done && table == KV_REV && store_read_get(&r, str_from(key), &v) == 0) {
        memcpy(out->lasting, key, sizeof(key));
        out->revision = v.revision;
    }
    store_read_end(&r);
    return done;
}

/* A write that was under way took the changed value's place: history is not looked at. */
static bool is_history(struct cluster_host *h, const struct changed *was)
{
    struct store_version now = { 0 };
    struct store_read r;

    if (was->lasting[0] == '\0' || !cluster_up(h) ||
        store_read_begin(store_group(h->store, STORE_CLUSTER), 0, &r) != 0)
        return false;
    (void)store_read_get(&r, str_from(was->lasting), &now);
    store_read_end(&r);
    return now.revision != was->revision;
}

static bool change_some_row(struct cluster *c, struct cluster_host *h, struct changed *out)
{
    for (int ms = 0; ms < CHANGE_MS && cluster_up(h) && !cluster_bad(c); ms++) {
        if (change_row(h, out))
            return true;
        cluster_run(c, 1);
    }
    return false;
}

static size_t diverged(const struct cluster *c)
{
    size_t count = 0;

    for (size_t i = 0; i < c->hosts_count; i++)
        count += c->hosts[i].diverged && c->hosts[i].wanted;
    return count;
}

void cluster_prepare_diverged(struct cluster *c)
{
    c->simulation.check_ms = 300 + (uint32_t)cluster_draw(c, 3000);
    c->simulation.scrub_ms = 300 + (uint32_t)cluster_draw(c, 3000);
}

/* While digests are compared members die, stop and are not there to be asked. */
static void disturb(struct cluster *c, struct cluster_host *changed)
{
    struct cluster_host *h = cluster_chance(c, 50) ? changed : cluster_any(c);

    cluster_run(c, cluster_draw(c, 1500));
    if (h == NULL || !cluster_up(h))
        return;
    if (cluster_chance(c, 30))
        cluster_host_stop(h);
    else
        cluster_host_crash(h, cluster_chance(c, 50));
}

/* One member at a time: a group that lost its majority to rot has nobody to believe. */
void cluster_step_diverged(struct cluster *c)
{
    struct cluster_host *h = cluster_chance(c, 50) ? cluster_leader(c, STORE_CLUSTER) : NULL;
    struct changed changed;

    c->lasting_rest = false;
    cluster_run(c, 500 + cluster_draw(c, 1500));
    if (h == NULL || !cluster_up(h))
        h = cluster_any(c);
    c->lasting_rest = true;
    if (h == NULL || diverged(c) > 0 || !cluster_operated(c) ||
        c->hosts_count == CLUSTER_HOSTS_MAX || !change_some_row(c, h, &changed))
        return;
    c->counters.diverged++;
    h->diverged = true;
    cluster_watch_end(h);
    if (cluster_chance(c, 40))
        disturb(c, h);
    for (int ms = 0; ms < FOUND_MS && h->wanted && !cluster_bad(c); ms += 100)
        cluster_run(c, 100);
    if (h->wanted && is_history(h, &changed)) {
        cluster_host_retire(h); /* and nothing of it is compared any more */
        (void)cluster_host_add(c, STORE_START_JOIN);
    }
    if (h->wanted)
        cluster_fail(c, "%s has another state than the others for %u s, and goes on", h->name,
                     FOUND_MS / 1000);
    cluster_run(c, 1000 + cluster_draw(c, 3000));
}
