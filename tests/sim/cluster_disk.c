/*
 * Disks that fill up under whole members. What the store asks of one is linked in between: the room
 * there is, since a quota or thin storage does not tell, so that a member meets the end in the
 * middle of a write and not at its reserve; and where rows are kept, since LMDB has no file here
 * that could run out of room.
 */
#include <stdio.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/group_state.h"
#include "tests/sim/cluster.h"

#define UNTOLD_BYTES   (UINT64_C(1) << 40)
#define LOG_FILE_BYTES (96u << 10)
#define PADDING_BYTES  (3u << 10)
#define ROOM_BYTES_MAX (600u << 10)

/* ---- linked in between ---- */

struct opened {
    struct list node; /* newest first */
    const struct kv *kv;
    struct kv_sim_disk *disk;
};

static struct list opened = { &opened, &opened }; /* a seed is a process */
static const struct cluster *world;

struct kv *__real_kv_sim_open(struct kv_sim_disk *d);
struct kv *__wrap_kv_sim_open(struct kv_sim_disk *d);
int __real_env_disk_space(struct env *env, const char *path, uint64_t *out_total,
                          uint64_t *out_free, struct err *e);
int __wrap_env_disk_space(struct env *env, const char *path, uint64_t *out_total,
                          uint64_t *out_free, struct err *e);

struct kv *__wrap_kv_sim_open(struct kv_sim_disk *d)
{
    struct opened *o = mem_alloc(sizeof(*o));

    o->kv = __real_kv_sim_open(d);
    o->disk = d;
    list_prepend(&opened, &o->node);
    return (struct kv *)(uintptr_t)o->kv;
}

static bool tells(const struct env *env)
{
    for (size_t i = 0; world != NULL && i < world->hosts_count; i++)
        if (world->hosts[i].env == env)
            return !world->hosts[i].untold;
    return true;
}

int __wrap_env_disk_space(struct env *env, const char *path, uint64_t *out_total,
                          uint64_t *out_free, struct err *e)
{
    int rc = __real_env_disk_space(env, path, out_total, out_free, e);

    if (rc == 0 && !tells(env)) {
        *out_total = UNTOLD_BYTES;
        *out_free = UNTOLD_BYTES;
    }
    return rc;
}

/* ---- filling and mending ---- */

static struct kv_sim_disk *disk_of(const struct kv *kv)
{
    list_foreach (node, &opened) {
        const struct opened *o = container_of(node, const struct opened, node);

        if (o->kv == kv)
            return o->disk;
    }
    ASSERT(false);
    return NULL;
}

/* Of one group: they may lie on different volumes. */
static void fill_state(struct cluster_host *h)
{
    enum store_group_id id = cluster_chance(h->world, 60) ? STORE_CLUSTER : STORE_BUS;

    if (!cluster_up(h) || h->full_state[id] != NULL)
        return;
    h->full_state[id] = disk_of(store_group(h->store, id)->kv);
    kv_sim_disk_full(h->full_state[id], true);
}

static void fill_log(struct cluster_host *h)
{
    uint64_t total = 0;
    uint64_t room = 0;

    if (__real_env_disk_space(h->env, "/", &total, &room, NULL) == 0)
        env_sim_disk_limit(h->env, total - room + cluster_draw(h->world, ROOM_BYTES_MAX));
}

void cluster_disk_mend(struct cluster_host *h)
{
    env_sim_disk_full(h->env, false);
    env_sim_disk_limit(h->env, UINT64_MAX);
    for (size_t i = 0; i < CLUSTER_GROUPS; i++) {
        if (h->full_state[i] != NULL)
            kv_sim_disk_full(h->full_state[i], false);
        h->full_state[i] = NULL;
    }
}

/* ---- the family ---- */

void cluster_prepare_full(struct cluster *c)
{
    world = c;
    c->simulation.log_file_bytes = LOG_FILE_BYTES;
    c->padding_bytes = PADDING_BYTES;
    for (size_t i = 0; i < c->hosts_count; i++)
        c->hosts[i].untold = cluster_chance(c, 70);
    if (cluster_chance(c, 60)) {
        c->log_retain_bytes = 32768 + cluster_draw(c, 65536);
        c->log_retain_entries = 16 + (unsigned)cluster_draw(c, 100);
    }
}

static void one_full_disk(struct cluster *c, struct cluster_host *h)
{
    switch (cluster_draw(c, 5)) {
    case 0:
        fill_state(h);
        break;
    case 1:
        fill_state(h);
        fill_log(h);
        break;
    case 2:
        env_sim_disk_full(h->env, true);
        break;
    default:
        fill_log(h);
        break;
    }
}

/* One disk, several, now and then all; members stop and die on them, and start on them again. */
void cluster_step_full(struct cluster *c)
{
    unsigned share = cluster_chance(c, 15) ? 100 : 40;
    struct cluster_host *h = cluster_leader(c, STORE_CLUSTER);

    if (h != NULL && cluster_chance(c, 50))
        one_full_disk(c, h);
    for (size_t i = 0; i < c->hosts_count; i++)
        if (cluster_up(&c->hosts[i]) && cluster_chance(c, share))
            one_full_disk(c, &c->hosts[i]);
    cluster_run(c, 300 + cluster_draw(c, 2500));
    h = cluster_any(c);
    if (h != NULL && cluster_chance(c, 30))
        cluster_host_crash(h, cluster_chance(c, 50));
    else if (h != NULL && cluster_chance(c, 20))
        cluster_host_stop(h);
    else if (h != NULL && cluster_chance(c, 20))
        env_sim_host_crash_after(h->env, cluster_draw(c, 40));
    cluster_run(c, 200 + cluster_draw(c, 1500));
    for (size_t i = 0; i < c->hosts_count; i++)
        if (cluster_chance(c, 60))
            cluster_disk_mend(&c->hosts[i]);
    cluster_run(c, cluster_draw(c, 1500));
}
