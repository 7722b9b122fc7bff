/* Hosts of the simulated cluster: how members start, die, stop and start again. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/raft_node.h"
#include "store/replica.h"
#include "tests/sim/cluster.h"

#define RESTART_MS_MIN 50
#define REFUSALS_MAX   20
#define FOLDER         "/data"
#define RETRY_MS       500

bool cluster_up(const struct cluster_host *h)
{
    return h->state == CLUSTER_UP && env_sim_host_alive(h->env);
}

struct cluster_host *cluster_any(struct cluster *c)
{
    struct cluster_host *up[CLUSTER_HOSTS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < c->hosts_count; i++)
        if (cluster_up(&c->hosts[i]) && c->hosts[i].wanted)
            up[count++] = &c->hosts[i];
    return count > 0 ? up[cluster_draw(c, count)] : NULL;
}

struct cluster_host *cluster_leader(struct cluster *c, enum store_group_id group)
{
    struct cluster_host *leader = NULL;
    uint64_t term = 0;

    for (size_t i = 0; i < c->hosts_count; i++) {
        struct raft_view v;

        if (!cluster_up(&c->hosts[i]))
            continue;
        raft_node_view(replica_of(store_group(c->hosts[i].store, group))->node, &v);
        if (v.leading && v.term > term) {
            term = v.term;
            leader = &c->hosts[i];
        }
    }
    return leader;
}

struct cluster_host *cluster_host_add(struct cluster *c, enum store_start start)
{
    struct cluster_host *h = &c->hosts[c->hosts_count];

    ASSERT(c->hosts_count < CLUSTER_HOSTS_MAX);
    c->hosts_count++;
    h->world = c;
    h->self.id = c->hosts_count;
    snprintf(h->name, sizeof(h->name), "m%zu", c->hosts_count);
    snprintf(h->self.name, sizeof(h->self.name), "m%zu", c->hosts_count);
    snprintf(h->self.raft_address, sizeof(h->self.raft_address), "tcp:m%zu:2380", c->hosts_count);
    snprintf(h->self.peer_address, sizeof(h->self.peer_address), "tcp:m%zu:2381", c->hosts_count);
    h->env = env_sim_host_new(c->env, h->name);
    h->engine = kv_sim_engine_new(h->env);
    h->start = start;
    h->state = start == STORE_START_JOIN ? CLUSTER_UNUSED : CLUSTER_DOWN;
    h->wanted = true;
    return h;
}

/* ---- death ---- */

static uint64_t restart_time(struct cluster *c)
{
    uint64_t ms = RESTART_MS_MIN + cluster_draw(c, c->restart_ms_max);

    return env_now_ns(c->env) + ms * ENV_MS;
}

/* Its memory is left as it is: it is a dead process's. A machine that has not joined yet has
 * nothing to start again with. */
static void put_aside(struct cluster_host *h)
{
    if (h->life != NULL)
        cluster_life_end(h);
    h->life = NULL;
    h->store = NULL;
    if (h->state != CLUSTER_GONE && h->state != CLUSTER_UNUSED)
        h->state = CLUSTER_DOWN;
    h->restart_ns = restart_time(h->world);
}

void cluster_host_crash(struct cluster_host *h, bool power_loss)
{
    if (!env_sim_host_alive(h->env))
        return;
    if (power_loss)
        env_sim_host_crash(h->env);
    else
        env_sim_host_kill(h->env);
    h->world->kills_seen += !power_loss;
    h->power_lost = power_loss;
    put_aside(h);
}

void cluster_host_retire(struct cluster_host *h)
{
    h->wanted = false;
    h->state = CLUSTER_GONE;
    cluster_host_crash(h, true);
}

void cluster_host_stop(struct cluster_host *h)
{
    if (!cluster_up(h))
        return;
    h->world->counters.stops++;
    h->state = CLUSTER_STOPPING;
    cluster_life_end(h);
    h->life = NULL;
    store_stop(h->store);
}

static void finish_stop(struct cluster_host *h)
{
    struct store *s = h->store;

    h->store = NULL;
    store_close(s);
    /* The process is over: what its clients' loop has is nobody's. */
    cluster_host_crash(h, false);
    if (h->store == NULL && h->state == CLUSTER_STOPPING)
        put_aside(h);
}

/* The schedule's own deaths were put aside at once: it gave up, or ran out of operations. */
static void note_death(struct cluster_host *h)
{
    struct cluster *c = h->world;
    uint64_t kills = env_sim_faults(c->env)->kills;

    h->power_lost = kills == c->kills_seen;
    h->ended = h->diverged && !h->power_lost;
    c->counters.gave_up += !h->power_lost;
    c->kills_seen = kills;
    put_aside(h);
}

/* ---- start ---- */

/* gantryd ends and stays down. */
static void on_removed(void *ctx)
{
    struct cluster_host *h = ctx;

    if (h->wanted)
        cluster_fail(h->world, "%s is told that it was removed", h->name);
    h->removed = true;
}

static void set_config(struct cluster_host *h, struct store_config *out)
{
    struct cluster *c = h->world;

    *out = (struct store_config){ .env = h->env,
                                  .folder = FOLDER,
                                  .member_id = h->self.id,
                                  .start = h->start,
                                  .peer_listen_fd = -1,
                                  .raft_listen_fd = -1,
                                  .heartbeat_ms = c->heartbeat_ms,
                                  .election_ms = c->election_ms,
                                  .log_retain_bytes = c->log_retain_bytes,
                                  .log_retain_entries = c->log_retain_entries,
                                  .retain_revisions = c->retain_revisions,
                                  .retain_ms = c->retain_ms,
                                  .feature_level_max = h->level_max,
                                  .removed = on_removed,
                                  .removed_ctx = h,
                                  .simulation = &h->simulation };
    h->simulation = c->simulation;
    h->simulation.engine = h->engine;
    h->simulation.ctx = h;
    out->members_count = h->members_count;
    memcpy(out->members, h->members, sizeof(out->members));
}

/* A member that refuses its own files, and whose files are as they were, is what nobody can have.
 */
static void refused(struct cluster_host *h, int rc, const struct err *e)
{
    struct cluster *c = h->world;
    bool quarantined = strstr(e->msg, "quarantine") != NULL;

    c->counters.refused++;
    h->refusals++;
    if (rc == -ERR_CORRUPT && !h->rotten && !h->diverged)
        cluster_fail(c, "%s does not start: %s", h->name, e->msg);
    else if (h->diverged && !quarantined)
        cluster_fail(c, "%s is not in quarantine: %s", h->name, e->msg);
    else if (h->refusals > REFUSALS_MAX && !h->rotten && !quarantined && c->healing)
        cluster_fail(c, "%s never starts: %s", h->name, e->msg);
    cluster_host_crash(h, false);
    h->restart_ns = env_now_ns(c->env) + RETRY_MS * ENV_MS;
    if (rc == -ERR_CORRUPT) {
        c->counters.quarantined++;
        cluster_host_retire(h);
        if (c->hosts_count < CLUSTER_HOSTS_MAX)
            (void)cluster_host_add(c, STORE_START_JOIN);
    }
}

/* LMDB may have lost its last commit with the power (MDB_NOMETASYNC). */
static void power_on(struct cluster_host *h)
{
    bool lost = h->power_lost && cluster_chance(h->world, 50);

    env_sim_host_restart(h->env);
    kv_sim_engine_crash(h->engine, lost);
    h->power_lost = false;
    for (enum store_group_id id = STORE_CLUSTER; lost && id <= STORE_BUS; id++)
        h->applied[id] = h->applied_before[id];
}

void cluster_host_start(struct cluster_host *h)
{
    struct cluster *c = h->world;
    struct store_config config;
    struct err e = { 0 };
    int rc;

    if (!env_sim_host_alive(h->env))
        power_on(h);
    set_config(h, &config);
    c->counters.starts++;
    rc = store_open(&config, &h->store, &e);
    if (!env_sim_host_alive(h->env)) {
        note_death(h);
        return;
    }
    if (rc != 0) {
        h->store = NULL;
        refused(h, rc, &e);
        return;
    }
    if (h->ended)
        cluster_fail(c, "%s starts again with a state that differs from the others'", h->name);
    h->refusals = 0;
    h->state = CLUSTER_UP;
    if (h->start == STORE_START_FOUND)
        h->start = STORE_START_AGAIN;
    cluster_check_start(h);
    cluster_life_begin(h);
}

void cluster_hosts_look(struct cluster *c)
{
    for (size_t i = 0; i < c->hosts_count && !cluster_bad(c); i++) {
        struct cluster_host *h = &c->hosts[i];
        bool alive = env_sim_host_alive(h->env);

        if ((h->state == CLUSTER_UP || h->state == CLUSTER_STOPPING) && !alive)
            note_death(h);
        else if (h->removed)
            cluster_host_retire(h);
        else if (h->state == CLUSTER_STOPPING && store_stopped(h->store))
            finish_stop(h);
        else if (h->state == CLUSTER_DOWN && env_now_ns(c->env) >= h->restart_ns)
            cluster_host_start(h);
    }
}
