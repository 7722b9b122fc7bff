/*
 * History that is forgotten while watchers are behind: one of them follows, one is slow, one rests
 * for seconds, and lists take their time between pages. Members die, are cut off and come back
 * with what watchers knew long ago.
 */
#include "tests/sim/cluster.h"

void cluster_prepare_forget(struct cluster *c)
{
    c->retain_revisions = 5 + cluster_draw(c, 40);
    c->retain_ms = 50 + cluster_draw(c, 2000);
    c->simulation.compact_ms = 200 + (uint32_t)cluster_draw(c, 1500);
    c->read_back = 400;
    c->page_rest_ms = 2500;
    if (cluster_chance(c, 40)) { /* a state that comes as a copy has forgotten, too */
        c->log_retain_bytes = 8192 + cluster_draw(c, 32768);
        c->log_retain_entries = 16 + (unsigned)cluster_draw(c, 100);
    }
}

/* The first one follows, but for a rest now and then that all have. */
static void rest(struct cluster *c)
{
    size_t from = cluster_chance(c, 20) ? 0 : 1;

    for (size_t i = from; i < CLUSTER_WATCHERS; i++) {
        struct cluster_watcher *w = &c->watchers[i];

        if (cluster_chance(c, 60))
            w->rest_until_ms = cluster_now_ms(c) + 1000 + cluster_draw(c, 12000);
        if (i > 0)
            w->events_max = cluster_chance(c, 50) ? 1 + (unsigned)cluster_draw(c, 4) : 0;
    }
}

/* A member that nobody reaches goes on with what it knew, and those who watch there. */
static void cut_off(struct cluster *c, const struct cluster_host *h)
{
    for (size_t i = 0; i < c->hosts_count; i++)
        if (&c->hosts[i] != h) {
            c->counters.partitions++;
            env_sim_partition(c->env, h->name, c->hosts[i].name, true);
            env_sim_partition(c->env, c->hosts[i].name, h->name, true);
        }
}

void cluster_step_forget(struct cluster *c)
{
    struct cluster_host *h = cluster_any(c);

    rest(c);
    cluster_run(c, 1000 + cluster_draw(c, 4000));
    if (h == NULL)
        return;
    switch (cluster_draw(c, 4)) {
    case 0:
        cut_off(c, h);
        break;
    case 1:
        cluster_host_crash(h, cluster_chance(c, 50));
        h->restart_ns += cluster_draw(c, 5000) * ENV_MS;
        break;
    case 2:
        cluster_host_stop(h);
        break;
    default:
        break;
    }
    cluster_run(c, 2000 + cluster_draw(c, 6000));
    cluster_connect(c);
    cluster_run(c, cluster_draw(c, 2000));
}
