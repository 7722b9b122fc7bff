/* See the header. Gauges are per group; in a process of several members the last one shows. */
#include "store/usage.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/group_state.h"

enum gauge { USED, FREE, QUOTA, DISK_FREE, ALARM, TIMERS, BACKLOG, GAUGES };

#define GAUGE(gauge_name, gauge_help, gauge_labels)                                                \
    {                                                                                              \
        .name = gauge_name, .help = gauge_help, .type = METRIC_GAUGE, .labels = gauge_labels       \
    }
#define GAUGES_OF(labels)                                                                          \
    {                                                                                              \
        [USED] = GAUGE("store_used_bytes", "pages of LMDB in use", labels),                        \
        [FREE] = GAUGE("store_free_bytes", "pages of LMDB free for reuse", labels),                \
        [QUOTA] = GAUGE("store_quota_bytes", "what the group may use", labels),                    \
        [DISK_FREE] = GAUGE("store_disk_free_bytes", "left on the group's file system", labels),   \
        [ALARM] = GAUGE("store_alarm", "1 over quota, 2 disk nearly full; 3 both", labels),        \
        [TIMERS] = GAUGE("store_timers", "keys that expire some day", labels),                     \
        [BACKLOG] =                                                                                \
            GAUGE("store_compact_backlog_revisions", "compacted, rows not yet removed", labels)    \
    }

static struct metric cluster_gauges[GAUGES] = GAUGES_OF("group=\"cluster\"");
static struct metric bus_gauges[GAUGES] = GAUGES_OF("group=\"bus\"");
static struct metric *usage_metrics[2 * GAUGES + 1];

uint64_t usage_quota(uint64_t quota_bytes, uint64_t map_bytes)
{
    uint64_t most = (map_bytes > 0 ? map_bytes : STORE_MAP_BYTES) / 100 * STORE_QUOTA_MAP_PERCENT;
    uint64_t asked = quota_bytes > 0 ? quota_bytes : STORE_QUOTA_BYTES;
    return asked < most ? asked : most;
}

void usage_init(struct store_group *g, const char *folder)
{
    struct usage_sampler *u = &g->usage;
    u->quota_bytes = usage_quota(g->config.quota_bytes, g->config.map_bytes);
    if (folder != NULL) {
        ASSERT(strlen(folder) < sizeof u->folder);
        snprintf(u->folder, sizeof u->folder, "%s", folder);
    }
    for (size_t i = 0; i < GAUGES; i++) {
        usage_metrics[i] = &cluster_gauges[i];
        usage_metrics[GAUGES + i] = &bus_gauges[i];
    }
    metrics_register(usage_metrics);
}

static void show(struct store_group *g)
{
    struct metric *gauges = g->config.id == STORE_BUS ? bus_gauges : cluster_gauges;
    struct usage u;
    usage_read(g, &u);
    metric_set(&gauges[USED], (int64_t)u.used_bytes);
    metric_set(&gauges[FREE], (int64_t)u.free_bytes);
    metric_set(&gauges[QUOTA], (int64_t)u.quota_bytes);
    metric_set(&gauges[DISK_FREE], (int64_t)u.disk_free_bytes);
    metric_set(&gauges[ALARM], g->fsm.point.alarm);
    metric_set(&gauges[TIMERS], (int64_t)g->fsm.point.timers);
    metric_set(&gauges[BACKLOG], (int64_t)compact_backlog(&g->fsm.compact));
}

void usage_sample(struct store_group *g)
{
    struct usage_sampler *u = &g->usage;
    uint64_t pages = 0;
    uint64_t map = 0;
    uint64_t disk = 0;
    uint64_t disk_free = 0;
    struct err e = { 0 };
    uint64_t unused = 0;
    if (!kv_sim_is(g->kv)) {
        unused = kv_lmdb_free_bytes(g->kv);
        kv_lmdb_usage(g->kv, &pages, &map);
    }
    atomic_store(&u->free_bytes, unused);
    atomic_store(&u->used_bytes, pages > unused ? pages - unused : 1);
    if (env_disk_space(g->config.env, u->folder, &disk, &disk_free, &e) != 0) {
        log_warn("store disk space is not known", KV("error", e.msg));
        disk = 0;
    }
    atomic_store(&u->disk_free_bytes, disk_free);
    atomic_store(&u->disk_bytes, disk);
    show(g);
}

static void on_timer(struct env_timer *timer)
{
    struct store_group *g =
        container_of(container_of(timer, struct usage_sampler, timer), struct store_group, usage);
    usage_sample(g);
    env_timer_start(timer, USAGE_EVERY_MS);
}

void usage_start(struct store_group *g)
{
    if (g->usage.folder[0] == '\0')
        return;
    env_timer_init(g->loop, &g->usage.timer, on_timer);
    g->usage.started = true;
    on_timer(&g->usage.timer);
}

void usage_stop(struct store_group *g)
{
    if (g->usage.started)
        env_timer_deinit(&g->usage.timer);
    g->usage.started = false;
}

void usage_read(struct store_group *g, struct usage *out)
{
    struct usage_sampler *u = &g->usage;
    *out = (struct usage){ .used_bytes = atomic_load(&u->used_bytes),
                           .free_bytes = atomic_load(&u->free_bytes),
                           .quota_bytes = u->quota_bytes,
                           .disk_bytes = atomic_load(&u->disk_bytes),
                           .disk_free_bytes = atomic_load(&u->disk_free_bytes) };
}

bool usage_wastes(const struct usage *u)
{
    uint64_t file = u->used_bytes + u->free_bytes;
    return u->free_bytes > USAGE_WASTE_BYTES && u->free_bytes * 100 > file * USAGE_WASTE_PERCENT &&
           u->disk_bytes > 0 && u->disk_free_bytes > u->used_bytes + USAGE_COPY_MARGIN_BYTES;
}
