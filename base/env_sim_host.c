/*
 * Simulated hosts: their lives, their clocks, and what can go wrong with their disks.
 *
 * A host dies in one moment, between two steps or in the middle of an event of its own. Its loops
 * are marked dead and put aside with everything that is on them; its disk is replaced by the one
 * that follows (sim_disk_succeed), and the old one stays for the code of the dead until the host
 * starts again.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_sim_disk.h"

#define WALL_START_NS (1767225600ull * ENV_S) /* 2026-01-01T00:00:00Z */
#define MILLION       1000000
#define BITS          8u

/* ---- clocks ---- */

uint64_t sim_now_ns(struct env *env)
{
    struct sim_host *host = sim_host_of(env);
    const struct sim_env *world = host->world;
    uint64_t now_ns = world->now_ns;
    if (world->current != NULL && world->current->host == host)
        now_ns = sim_time_ns(world);
    uint64_t passed = now_ns - host->clock_since_ns;
    unsigned __int128 scaled = (unsigned __int128)passed * (uint64_t)(MILLION + host->clock_ppm);
    return host->clock_base_ns + (uint64_t)(scaled / MILLION);
}

uint64_t sim_wall_ns(struct env *env)
{
    return WALL_START_NS + sim_now_ns(env) + (uint64_t)sim_host_of(env)->wall_offset_ns;
}

void env_sim_host_wall_jump(struct env *env, int64_t ms)
{
    sim_host_of(env)->wall_offset_ns += ms * (int64_t)ENV_MS;
}

void env_sim_host_clock_rate(struct env *env, int32_t ppm)
{
    struct sim_host *host = sim_host_of(env);
    ASSERT(ppm > -MILLION);
    ASSERT(host->world->current == NULL || host->world->current->host != host);
    host->clock_base_ns = sim_now_ns(env);
    host->clock_since_ns = host->world->now_ns;
    host->clock_ppm = ppm;
}

void sim_spend(struct sim_host *host, uint64_t ns)
{
    struct sim_env *world = host->world;
    if (world->current != NULL && world->current->host == host)
        world->elapsed_ns += ns;
}

/* ---- life ---- */

void sim_host_init(struct sim_host *host, struct sim_env *world, const char *name)
{
    host->base.ops = &sim_ops;
    host->world = world;
    (void)snprintf(host->name, sizeof(host->name), "%s", name); /* it fits */
    host->alive = true;
    host->clock_base_ns = world->now_ns;
    host->clock_since_ns = world->now_ns;
    host->crash_after = UINT64_MAX;
    host->limit_bytes = UINT64_MAX;
    for (size_t i = 0; i < sizeof(host->fail_after) / sizeof(host->fail_after[0]); i++)
        host->fail_after[i] = UINT64_MAX;
}

struct env *env_sim_host_new(struct env *env, const char *name)
{
    struct sim_env *world = sim_env_of(env);
    ASSERT(name[0] != '\0');
    ASSERT(strlen(name) < SIM_NAME_BYTES);
    list_foreach (node, &world->hosts)
        ASSERT(strcmp(container_of(node, struct sim_host, node)->name, name) != 0);
    struct sim_host *host = mem_alloc(sizeof(*host));
    sim_host_init(host, world, name);
    host->base.fs = &sim_fs_ops;
    host->base.file = &sim_file_ops;
    host->disk = sim_disk_new(host);
    list_append(&world->hosts, &host->node);
    return &host->base;
}

static void disk_bury(struct sim_disk *d)
{
    sim_disk_close_files(d);
    sim_disk_free(d);
}

void sim_hosts_free(struct sim_env *env)
{
    struct list *node;
    while (!list_empty(&env->dead_disks))
        disk_bury(container_of(env->dead_disks.next, struct sim_disk, node));
    while ((node = list_pop(&env->hosts)) != NULL) {
        struct sim_host *host = container_of(node, struct sim_host, node);
        disk_bury(host->disk);
        mem_free(host);
    }
}

void sim_host_die(struct sim_host *host, bool power_loss)
{
    struct sim_env *world = host->world;
    ASSERT(host->disk != NULL); /* the world itself does not die */
    if (!host->alive)
        return;
    host->alive = false;
    host->crash_after = UINT64_MAX;
    list_foreach_safe (node, &world->loops) {
        struct sim_loop *l = container_of(node, struct sim_loop, node);
        if (l->host == host)
            sim_loop_die(l);
    }
    host->corpse = host->disk;
    host->disk = sim_disk_succeed(host->corpse, power_loss);
    list_append(&world->dead_disks, &host->corpse->node);
    world->faults.crashes += power_loss;
    world->faults.kills += !power_loss;
    sim_mix(world, power_loss);
}

void env_sim_host_crash(struct env *env)
{
    sim_host_die(sim_host_of(env), true);
}

void env_sim_host_kill(struct env *env)
{
    sim_host_die(sim_host_of(env), false);
}

void env_sim_host_restart(struct env *env)
{
    struct sim_host *host = sim_host_of(env);
    const struct sim_loop *current = host->world->current;
    ASSERT(current == NULL || current->host != host);
    if (host->alive)
        return;
    sim_disk_strip(host->corpse);
    host->corpse = NULL;
    host->alive = true;
}

bool env_sim_host_alive(const struct env *env)
{
    return container_of(env, const struct sim_host, base)->alive;
}

void env_sim_host_crash_after(struct env *env, uint64_t operations)
{
    sim_host_of(env)->crash_after = operations;
}

uint64_t env_sim_host_operations(const struct env *env)
{
    return container_of(env, const struct sim_host, base)->operations;
}

/* ---- the disk's faults ---- */

void env_sim_disk_speed(struct env *env, uint64_t sync_us_min, uint64_t sync_us_max)
{
    ASSERT(sync_us_min <= sync_us_max);
    sim_host_of(env)->sync_us_min = sync_us_min;
    sim_host_of(env)->sync_us_max = sync_us_max;
}

void env_sim_disk_stall(struct env *env, uint64_t ms)
{
    sim_host_of(env)->stall_ns = ms * ENV_MS;
}

void env_sim_disk_limit(struct env *env, uint64_t bytes)
{
    sim_host_of(env)->limit_bytes = bytes;
}

void env_sim_disk_full(struct env *env, bool full)
{
    sim_host_of(env)->full = full;
}

void env_sim_disk_fail(struct env *env, enum env_sim_io kind, uint64_t after_operations)
{
    sim_host_of(env)->fail_after[kind] = after_operations;
}

/* ---- rot ---- */

static bool may_rot(const struct sim_inode *n, uint64_t from)
{
    return !n->is_dir && n->links > 0 && n->seen.size > from;
}

/* Any file with a byte at from or after, each as likely as the next. */
static struct sim_inode *any_file(struct sim_disk *d, uint64_t from)
{
    struct sim_inode *chosen = NULL;
    uint64_t seen = 0;
    list_foreach (node, &d->inodes) {
        struct sim_inode *n = container_of(node, struct sim_inode, node);
        if (may_rot(n, from) && sim_random(d->host->world, ++seen) == 0)
            chosen = n;
    }
    return chosen;
}

static void flip(struct sim_image *image, uint64_t offset, unsigned bit)
{
    uint8_t byte;
    if (sim_image_read(image, offset, &byte, 1) == 0)
        return;
    byte ^= (uint8_t)(1u << bit);
    sim_image_write(image, offset, &byte, 1);
}

bool env_sim_disk_rot(struct env *env, const char *path, uint64_t from, uint64_t to)
{
    struct sim_host *host = sim_host_of(env);
    struct sim_inode *dir;
    struct sim_inode *n = NULL;
    struct str name;
    if (path == NULL)
        n = any_file(host->disk, from);
    else if (sim_disk_find(host->disk, "rot", path, &dir, &name, &n, NULL) != 0)
        return false;
    if (n == NULL || !may_rot(n, from) || from >= to)
        return false;
    uint64_t end = to < n->seen.size ? to : n->seen.size;
    uint64_t offset = from + sim_random(host->world, end - from);
    unsigned bit = (unsigned)sim_random(host->world, BITS);
    flip(&n->seen, offset, bit);
    flip(&n->kept, offset, bit);
    list_foreach (node, &n->changes) {
        struct sim_change *c = container_of(node, struct sim_change, node);
        if (c->data != NULL && offset >= c->offset && offset - c->offset < c->len)
            c->data[offset - c->offset] ^= (uint8_t)(1u << bit);
    }
    host->world->faults.rot++;
    return true;
}
