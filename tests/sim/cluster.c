/* The world of the simulated cluster: its steps, what is counted, and the end of a run. */
#include "tests/sim/cluster.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"

#define LATENCY_US_MAX 3000
#define IDLE_STEP_MS   10
#define LOOK_MS        100
#define CALM_MS        400 /* nothing is written: members come to the same index */
#define SIZE_SEEDS     17 /* in a row have as many members; kept for the seeds that once were bad */

uint64_t cluster_draw(struct cluster *c, uint64_t n)
{
    uint64_t z;

    c->rng += 0x9e3779b97f4a7c15u;
    z = (c->rng ^ (c->rng >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return n == 0 ? 0 : (z ^ (z >> 31)) % n;
}

bool cluster_chance(struct cluster *c, unsigned percent)
{
    return cluster_draw(c, 100) < percent;
}

void cluster_fail(struct cluster *c, const char *format, ...)
{
    va_list args;

    if (cluster_bad(c))
        return;
    va_start(args, format);
    vsnprintf(c->reason, sizeof(c->reason), format, args);
    va_end(args);
}

bool cluster_bad(const struct cluster *c)
{
    return c->reason[0] != '\0';
}

uint64_t cluster_now_ms(struct cluster *c)
{
    return env_now_ns(c->env) / ENV_MS;
}

/* What members say is shown on demand, and counts what cannot be seen otherwise. */
static void on_line(void *ctx, struct str line)
{
    struct cluster *c = ctx;

    if (c->verbose)
        fprintf(stderr, "%.*s", STR_ARG(line));
    if (str_find(line, str_lit("copy is installed")) >= 0)
        c->counters.installs++;
}

/* How soon history is forgotten and how often digests are compared differs from seed to seed. */
static void draw_pace(struct cluster *c)
{
    c->simulation.check_ms = 500 + (uint32_t)cluster_draw(c, 10000);
    c->simulation.scrub_ms = c->simulation.check_ms;
    if (!cluster_chance(c, 40))
        return;
    c->simulation.compact_ms = 300 + (uint32_t)cluster_draw(c, 3000);
    c->retain_revisions = 10 + cluster_draw(c, 200);
    c->retain_ms = 100 + cluster_draw(c, 3000);
}

struct cluster *cluster_new(uint64_t seed, size_t founders)
{
    struct cluster *c = mem_alloc(sizeof(*c));

    c->env = env_sim_new(seed);
    c->rng = seed * 0x2545f4914f6cdd1du + 1;
    c->founders = founders;
    c->heartbeat_ms = CLUSTER_HEARTBEAT_MS;
    c->election_ms = CLUSTER_ELECTION_MS;
    c->restart_ms_max = 2000;
    c->read_back = 20;
    c->simulation.log_file_bytes = 256u << 10;
    c->simulation.committed = cluster_committed;
    env_sim_set_latency(c->env, 100, 100 + cluster_draw(c, LATENCY_US_MAX));
    draw_pace(c);
    for (size_t i = 0; i < CLUSTER_WATCHERS; i++)
        c->watchers[i].world = c;
    for (size_t i = 0; i < founders; i++)
        (void)cluster_host_add(c, STORE_START_FOUND);
    for (size_t i = 0; i < founders; i++)
        for (size_t j = 0; j < founders; j++)
            c->hosts[i].members[c->hosts[i].members_count++] = c->hosts[j].self;
    log_set_sink(on_line, c);
    return c;
}

void cluster_run(struct cluster *c, uint64_t ms)
{
    uint64_t until = cluster_now_ms(c) + ms;
    uint64_t look = 0;

    while (!cluster_bad(c) && cluster_now_ms(c) < until) {
        if (!env_sim_step(c->env))
            env_sim_run(c->env, IDLE_STEP_MS);
        c->counters.events++;
        cluster_hosts_look(c);
        cluster_check(c);
        if (cluster_now_ms(c) < look)
            continue;
        look = cluster_now_ms(c) + LOOK_MS;
        cluster_watch_move(c);
        cluster_operate(c);
    }
    c->counters.virtual_ms = cluster_now_ms(c);
    c->counters.faults = *env_sim_faults(c->env);
}

/* ---- the end ---- */

static void heal_host(struct cluster_host *h)
{
    env_sim_host_crash_after(h->env, UINT64_MAX);
    cluster_disk_mend(h);
    env_sim_disk_stall(h->env, 0);
    env_sim_disk_speed(h->env, 50, 500);
    env_sim_host_clock_rate(h->env, 0);
    for (int kind = ENV_SIM_READ; kind <= ENV_SIM_SYNC; kind++)
        env_sim_disk_fail(h->env, (enum env_sim_io)kind, UINT64_MAX);
}

void cluster_connect(struct cluster *c)
{
    for (size_t i = 0; i < c->hosts_count; i++)
        for (size_t j = 0; j < c->hosts_count; j++)
            if (i != j) {
                env_sim_partition(c->env, c->hosts[i].name, c->hosts[j].name, false);
                env_sim_link_latency(c->env, c->hosts[i].name, c->hosts[j].name, 100, 1000);
            }
}

static void heal(struct cluster *c)
{
    c->healing = true;
    c->restart_ms_max = 200;
    cluster_connect(c);
    for (size_t i = 0; i < c->hosts_count; i++)
        heal_host(&c->hosts[i]);
    c->page_rest_ms = 0;
    for (size_t i = 0; i < CLUSTER_WATCHERS; i++) {
        c->watchers[i].rest_until_ms = 0;
        c->watchers[i].events_max = 0;
    }
}

static bool sessions_rest(const struct cluster *c)
{
    for (size_t i = 0; i < c->hosts_count; i++)
        if (cluster_life_busy(&c->hosts[i]) > 0)
            return false;
    return true;
}

/* Until there is nothing to wait for, at most CLUSTER_HEAL_MS from `began`. */
static void converge(struct cluster *c, uint64_t began, const char *(*missing)(struct cluster *c))
{
    const char *why = missing(c);

    while (why != NULL && !cluster_bad(c)) {
        if (cluster_now_ms(c) >= began + CLUSTER_HEAL_MS)
            cluster_fail(c, "%u s after everything was healed: %s", CLUSTER_HEAL_MS / 1000, why);
        cluster_run(c, LOOK_MS);
        why = missing(c);
    }
}

static const char *configuration_missing(struct cluster *c)
{
    return cluster_operated(c) ? NULL : "the configuration is not what the roster wishes";
}

static const char *rest_missing(struct cluster *c)
{
    return sessions_rest(c) ? NULL : "an operation has no answer";
}

/* Writes are taken again on every member: of each a session writes within some seconds. */
static const char *writes_missing(struct cluster *c)
{
    return c->counters.writes_ok > c->healed_writes + 5 * c->hosts_count &&
                   c->counters.appends > c->healed_appends + 5 &&
                   c->counters.reads_ok > c->healed_reads + 5 * c->hosts_count
               ? NULL
               : "too few operations succeed";
}

static const char *watchers_missing(struct cluster *c)
{
    for (size_t i = 0; i < CLUSTER_WATCHERS; i++) {
        const struct cluster_watcher *w = &c->watchers[i];

        if (w->host == NULL || w->listing ||
            w->last < store_published(store_group(w->host->store, STORE_CLUSTER)))
            return "a watcher is behind";
    }
    return NULL;
}

/* For people: what each member thinks, when a run is bad. */
static void dump(struct cluster *c)
{
    for (size_t i = 0; i < c->hosts_count; i++) {
        const struct cluster_host *h = &c->hosts[i];

        fprintf(stderr, "%s: state %d%s%s\n", h->name, h->state, h->wanted ? ", wanted" : "",
                h->rotten ? ", rotten" : "");
        if (cluster_up(h))
            cluster_dump_host(h);
    }
}

void cluster_finish(struct cluster *c)
{
    uint64_t began = cluster_now_ms(c);

    if (cluster_bad(c))
        return;
    heal(c);
    c->healed_writes = c->counters.writes_ok;
    c->healed_reads = c->counters.reads_ok;
    c->healed_appends = c->counters.appends;
    converge(c, began, configuration_missing);
    converge(c, began, writes_missing);
    c->idle = true;
    converge(c, began, rest_missing);
    cluster_run(c, CALM_MS);
    converge(c, began, cluster_unlike);
    converge(c, began, watchers_missing);
    if (!cluster_bad(c))
        cluster_check_end(c);
    c->counters.faults = *env_sim_faults(c->env);
}

int cluster_run_seed(const struct cluster_family *family, uint64_t seed, bool verbose,
                     char reason[CLUSTER_REASON_BYTES], struct cluster_counters *out,
                     uint64_t *out_digest)
{
    static const size_t sizes[] = { 3, 3, 5, 3, 5, 1 };
    size_t founders = family->founders != 0 ? family->founders : sizes[seed / SIZE_SEEDS % 6];
    struct cluster *c = cluster_new(seed, founders);

    c->verbose = verbose;
    log_set_level(LOG_INFO);
    if (family->prepare != NULL)
        family->prepare(c);
    for (size_t i = 0; i < c->hosts_count; i++)
        if (c->hosts[i].state == CLUSTER_DOWN)
            c->hosts[i].restart_ns = cluster_draw(c, 300) * ENV_MS;
    cluster_run(c, 1500);
    for (unsigned i = 0; i < family->steps && !cluster_bad(c); i++)
        family->step(c);
    cluster_finish(c);
    if (cluster_bad(c) && verbose)
        dump(c);
    snprintf(reason, CLUSTER_REASON_BYTES, "%s", c->reason);
    if (out != NULL)
        *out = c->counters;
    if (out_digest != NULL)
        *out_digest = env_sim_digest(c->env);
    return cluster_bad(c) ? 1 : 0; /* the process ends: the memory of the dead is not collected */
}
