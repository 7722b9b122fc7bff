/*
 * What lies between simulated loops and hosts: latencies, cuts, resets.
 *
 * A cut is directed and takes effect where bytes would arrive. A connection of which either
 * direction is cut for reset_ms is given up: each end is told, as the kernels of both would tell
 * them after their timeouts.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_sim_impl.h"

/* Between a loop and itself, or loops of one host. */
#define NEAR_NS_MAX 10000u

struct sim_cut {
    struct list node;
    char from[SIM_NAME_BYTES];
    char to[SIM_NAME_BYTES];
};

struct sim_link {
    struct list node;
    char from[SIM_NAME_BYTES];
    char to[SIM_NAME_BYTES];
    uint64_t min_us;
    uint64_t max_us;
};

/* ---- places ---- */

void sim_place_init(struct sim_place *place, const struct sim_loop *l, const char *address)
{
    place->loop_index = l->index;
    place->host = l->host;
    (void)snprintf(place->names[0], SIM_NAME_BYTES, "%s", l->name); /* they are no longer */
    (void)snprintf(place->names[1], SIM_NAME_BYTES, "%s", address);
}

static bool on_host(const struct sim_place *place)
{
    return place->host->name[0] != '\0';
}

static bool near(const struct sim_place *a, const struct sim_place *b)
{
    return a->loop_index == b->loop_index || (on_host(a) && a->host == b->host);
}

static bool matches(const struct sim_place *place, const char *name)
{
    if (on_host(place))
        return strcmp(place->host->name, name) == 0;
    return str_starts(str_from(place->names[0]), str_from(name)) ||
           (place->names[1][0] != '\0' && str_starts(str_from(place->names[1]), str_from(name)));
}

/* ---- latency ---- */

static uint64_t draw_ns(struct sim_env *env, uint64_t min_us, uint64_t max_us)
{
    return min_us * 1000u + sim_random(env, (max_us - min_us) * 1000u + 1);
}

static struct sim_link *find_link(struct sim_env *env, const char *from, const char *to)
{
    list_foreach (node, &env->links) {
        struct sim_link *link = container_of(node, struct sim_link, node);
        if (strcmp(link->from, from) == 0 && strcmp(link->to, to) == 0)
            return link;
    }
    return NULL;
}

uint64_t sim_latency_ns(struct sim_env *env, const struct sim_place *from,
                        const struct sim_place *to)
{
    if (near(from, to))
        return sim_random(env, NEAR_NS_MAX);
    const struct sim_link *link = find_link(env, from->host->name, to->host->name);
    return link != NULL ? draw_ns(env, link->min_us, link->max_us)
                        : draw_ns(env, env->latency_min_us, env->latency_max_us);
}

void env_sim_set_latency(struct env *world, uint64_t min_us, uint64_t max_us)
{
    ASSERT(min_us <= max_us);
    sim_env_of(world)->latency_min_us = min_us;
    sim_env_of(world)->latency_max_us = max_us;
}

void env_sim_link_latency(struct env *world, const char *from, const char *to, uint64_t min_us,
                          uint64_t max_us)
{
    struct sim_env *env = sim_env_of(world);
    struct sim_link *link = find_link(env, from, to);
    ASSERT(min_us <= max_us);
    if (link == NULL) {
        link = mem_alloc(sizeof(*link));
        (void)snprintf(link->from, sizeof(link->from), "%s", from); /* longer ones match nothing */
        (void)snprintf(link->to, sizeof(link->to), "%s", to);
        list_append(&env->links, &link->node);
    }
    link->min_us = min_us;
    link->max_us = max_us;
}

/* ---- cuts ---- */

bool sim_is_cut(struct sim_env *env, const struct sim_place *from, const struct sim_place *to)
{
    if (on_host(from) && from->host == to->host)
        return false;
    list_foreach (node, &env->cuts) {
        struct sim_cut *cut = container_of(node, struct sim_cut, node);
        if (matches(from, cut->from) && matches(to, cut->to))
            return true;
    }
    return false;
}

static void run_giveup(struct sim_event *event)
{
    sim_pipe_reset(container_of(event, struct sim_pipe, giveup));
}

void sim_pipe_watch_cut(struct sim_pipe *p)
{
    if (p->broken || p->reader == NULL || !sim_is_cut(p->env, &p->from, &p->to)) {
        sim_unschedule(&p->giveup);
        return;
    }
    if (p->env->reset_ns > 0 && p->giveup.at == 0)
        sim_schedule(sim_stream_loop(p->reader), &p->giveup, p->env->reset_ns, SIM_GIVEUP,
                     run_giveup);
}

static bool remove_cut(struct sim_env *env, const char *from, const char *to)
{
    bool found = false;
    list_foreach_safe (node, &env->cuts) {
        struct sim_cut *cut = container_of(node, struct sim_cut, node);
        if (strcmp(cut->from, from) != 0 || strcmp(cut->to, to) != 0)
            continue;
        list_remove(&cut->node);
        mem_free(cut);
        found = true;
    }
    return found;
}

void env_sim_partition(struct env *world, const char *from, const char *to, bool cut)
{
    struct sim_env *env = sim_env_of(world);
    bool was_cut = remove_cut(env, from, to);
    if (cut) {
        struct sim_cut *c = mem_alloc(sizeof(*c));
        (void)snprintf(c->from, sizeof(c->from), "%s", from); /* longer ones match nothing */
        (void)snprintf(c->to, sizeof(c->to), "%s", to);
        list_append(&env->cuts, &c->node);
    }
    list_foreach (node, &env->pipes) {
        struct sim_pipe *p = container_of(node, struct sim_pipe, node);
        bool now_cut = sim_is_cut(env, &p->from, &p->to);
        sim_pipe_watch_cut(p);
        if (cut && !was_cut && now_cut && p->reader != NULL)
            env->faults.cuts++;
        if (!p->stalled || now_cut)
            continue;
        p->stalled = false;
        sim_pipe_deliver_soon(p);
    }
}

void env_sim_set_reset_ms(struct env *world, uint64_t ms)
{
    sim_env_of(world)->reset_ns = ms * ENV_MS;
}

void env_sim_host_reset(struct env *world, const char *one, const char *other)
{
    struct sim_env *env = sim_env_of(world);
    list_foreach (node, &env->pipes) {
        struct sim_pipe *p = container_of(node, struct sim_pipe, node);
        if ((matches(&p->from, one) && matches(&p->to, other)) ||
            (matches(&p->from, other) && matches(&p->to, one)))
            sim_pipe_reset(p); /* its way back is met as broken already */
    }
}

/* ---- life ---- */

void sim_links_init(struct sim_env *env)
{
    list_init(&env->cuts);
    list_init(&env->links);
}

void sim_links_free(struct sim_env *env)
{
    struct list *node;
    while ((node = list_pop(&env->cuts)) != NULL)
        mem_free(container_of(node, struct sim_cut, node));
    while ((node = list_pop(&env->links)) != NULL)
        mem_free(container_of(node, struct sim_link, node));
}
