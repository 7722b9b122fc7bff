/* The simulated world's events: a heap per loop, one generator for all, and the digest. */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_sim_impl.h"

uint64_t sim_time_ns(const struct sim_env *env)
{
    return env->now_ns + env->elapsed_ns;
}

/* ---- randomness and the digest ---- */

/* SplitMix64 (Steele, Lea, Flood 2014): one word of state, every seed is good. */
static uint64_t random_next(struct sim_env *env)
{
    uint64_t z = (env->random_state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

uint64_t sim_random(struct sim_env *env, uint64_t n)
{
    ASSERT(n > 0);
    /* The high half of a 128-bit product: no division, a bias below 2^-64 * n. */
    return (uint64_t)((unsigned __int128)random_next(env) * n >> 64);
}

void sim_mix(struct sim_env *env, uint64_t value)
{
    env->digest = (env->digest ^ value) * 0xd6e8feb86659fd93ull;
    env->digest ^= env->digest >> 32;
}

void sim_random_bytes(struct env *env, void *out, size_t len)
{
    uint8_t *p = out;
    while (len > 0) {
        uint64_t v = random_next(sim_env_of(env));
        size_t n = len < sizeof(v) ? len : sizeof(v);
        memcpy(p, &v, n);
        p += n;
        len -= n;
    }
}

uint64_t env_sim_random(struct env *env, uint64_t n)
{
    return sim_random(sim_env_of(env), n);
}

uint64_t env_sim_digest(const struct env *env)
{
    return container_of(env, const struct sim_host, base)->world->digest;
}

/* ---- events: a binary heap per loop ---- */

static bool event_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void heap_set(struct sim_loop *l, size_t at, struct sim_event *event)
{
    l->heap[at] = event;
    event->at = at;
}

static void heap_up(struct sim_loop *l, size_t at)
{
    struct sim_event *event = l->heap[at];
    for (; at > 1 && event_before(event, l->heap[at / 2]); at /= 2)
        heap_set(l, at, l->heap[at / 2]);
    heap_set(l, at, event);
}

static void heap_down(struct sim_loop *l, size_t at)
{
    struct sim_event *event = l->heap[at];
    for (;;) {
        size_t child = at * 2;
        if (child > l->heap_len)
            break;
        if (child < l->heap_len && event_before(l->heap[child + 1], l->heap[child]))
            child++;
        if (!event_before(l->heap[child], event))
            break;
        heap_set(l, at, l->heap[child]);
        at = child;
    }
    heap_set(l, at, event);
}

void sim_unschedule(struct sim_event *event)
{
    if (event->at == 0)
        return;
    struct sim_loop *l = event->loop;
    size_t at = event->at;
    ASSERT(l->heap[at] == event);
    struct sim_event *last = l->heap[l->heap_len--];
    event->at = 0;
    if (last == event)
        return;
    heap_set(l, at, last);
    heap_up(l, at);
    heap_down(l, last->at);
}

void sim_schedule(struct sim_loop *l, struct sim_event *event, uint64_t delay_ns,
                  enum sim_kind kind, void (*run)(struct sim_event *event))
{
    struct sim_env *env = l->host->world;
    sim_unschedule(event);
    event->due_ns = sim_time_ns(env) + delay_ns;
    event->order = env->order++;
    event->loop = l;
    event->kind = kind;
    event->run = run;
    if (l->heap_len + 1 >= l->heap_capacity) {
        l->heap_capacity = l->heap_capacity == 0 ? 64 : l->heap_capacity * 2;
        l->heap = mem_realloc(l->heap, l->heap_capacity * sizeof(struct sim_event *));
    }
    heap_set(l, ++l->heap_len, event);
    heap_up(l, l->heap_len);
}
