/*
 * Simulated listeners, connection attempts and names.
 *
 * An attempt travels to the listener (a latency), is accepted on the listener's loop, and its
 * answer travels back. A cut in either direction, or a paused listener, leaves it to its deadline;
 * an address that nobody listens on, or whose host is down, refuses it.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_sim_impl.h"

struct sim_listener {
    struct env_listener base;
    struct list node;
    char address[SIM_NAME_BYTES];
    void (*accept)(void *ctx, struct env_stream *s);
    void *ctx;
};

struct sim_connect {
    struct list node;
    struct sim_loop *loop; /* the client's */
    struct env_connect *connect;
    char address[SIM_NAME_BYTES];
    struct sim_listener *listener; /* once found; NULL again when it closed */
    struct sim_event step;         /* on the client's loop */
    struct sim_event accept;       /* on the listener's loop */
    struct sim_event timeout;      /* on the client's loop */
    struct env_stream *stream;     /* the client's end, once accepted */
    int status;
};

/* ---- listeners ---- */

int sim_listen(struct env_loop *loop, const char *address, bool reuse_port,
               void (*accept)(void *ctx, struct env_stream *s), void *ctx,
               struct env_listener **out, struct err *e)
{
    struct sim_env *env = sim_env_of(loop->env);
    bool dead = sim_loop_of(loop)->dead;
    if (strlen(address) >= SIM_NAME_BYTES)
        return err_set(e, ERR_INVALID_ARGUMENT, "%s: the address is too long", address);
    list_foreach (node, &env->listeners) {
        struct sim_listener *other = container_of(node, struct sim_listener, node);
        if (!dead && !reuse_port && strcmp(other->address, address) == 0)
            return err_set(e, ERR_ALREADY_EXISTS, "listen on %s: address in use", address);
    }
    struct sim_listener *l = mem_alloc(sizeof(*l));
    l->base.loop = loop;
    (void)snprintf(l->address, sizeof(l->address), "%s", address); /* it fits */
    l->accept = accept;
    l->ctx = ctx;
    list_append(dead ? &env->dead_listeners : &env->listeners, &l->node);
    *out = &l->base;
    return 0;
}

/* Attempts on their way to it will be refused. */
static void forget_listener(struct sim_listener *l)
{
    struct sim_env *env = sim_env_of(l->base.loop->env);
    list_foreach (node, &env->connects) {
        struct sim_connect *box = container_of(node, struct sim_connect, node);
        if (box->listener == l)
            box->listener = NULL;
    }
    list_remove(&l->node);
}

void sim_listener_close(struct env_listener *listener)
{
    struct sim_listener *l = container_of(listener, struct sim_listener, base);
    forget_listener(l);
    mem_free(l);
}

int sim_listener_port(const struct env_listener *listener)
{
    const struct sim_listener *l = container_of(listener, const struct sim_listener, base);
    const char *colon = strrchr(l->address, ':');
    uint64_t port = 0;
    if (colon == NULL || str_to_u64(str_from(colon + 1), &port) != 0 || port > 65535)
        return 0;
    return (int)port;
}

/* ---- attempts ---- */

static void connect_done(struct sim_connect *box, int status)
{
    struct env_connect *c = box->connect;
    struct env_stream *s = box->stream;
    sim_unschedule(&box->step);
    sim_unschedule(&box->accept);
    sim_unschedule(&box->timeout);
    list_remove(&box->node);
    mem_free(box);
    c->impl = NULL;
    if (status != 0 && s != NULL)
        sim_stream_close(s);
    c->done(c, status == 0 ? s : NULL, status);
}

/* To nowhere in particular. */
static uint64_t away_ns(struct sim_env *env)
{
    uint64_t spread_us = env->latency_max_us - env->latency_min_us;
    return env->latency_min_us * 1000u + sim_random(env, spread_us * 1000u + 1);
}

static uint64_t travel_ns(const struct sim_loop *from, const struct sim_loop *to)
{
    struct sim_place a;
    struct sim_place b;
    sim_place_init(&a, from, "");
    sim_place_init(&b, to, "");
    return sim_latency_ns(from->host->world, &a, &b);
}

static void run_answer(struct sim_event *event)
{
    struct sim_connect *box = container_of(event, struct sim_connect, step);
    connect_done(box, box->status);
}

static void answer(struct sim_connect *box, struct sim_loop *from, int status)
{
    struct sim_loop *client = box->loop;
    box->status = status;
    sim_schedule(client, &box->step, travel_ns(from, client), SIM_CONNECT, run_answer);
}

static void run_accept(struct sim_event *event)
{
    struct sim_connect *box = container_of(event, struct sim_connect, accept);
    struct sim_listener *l = box->listener;
    if (l == NULL) {
        answer(box, event->loop, -ERR_UNAVAILABLE);
        return;
    }
    struct env_stream *server;
    sim_stream_pair(box->loop, event->loop, box->address, &box->stream, &server);
    answer(box, event->loop, 0);
    l->accept(l->ctx, server);
}

static bool attempt_is_cut(struct sim_env *env, const struct sim_connect *box,
                           const struct sim_loop *server)
{
    struct sim_place there;
    struct sim_place here;
    sim_place_init(&here, box->loop, "");
    sim_place_init(&there, server, box->address);
    return sim_is_cut(env, &here, &there) || sim_is_cut(env, &there, &here);
}

/* One of those who listen on the address: where the attempt goes. */
static struct sim_listener *find_listener(struct sim_env *env, const char *address)
{
    struct sim_listener *found = NULL;
    uint64_t seen = 0;
    list_foreach (node, &env->listeners) {
        struct sim_listener *l = container_of(node, struct sim_listener, node);
        if (strcmp(l->address, address) == 0 && sim_random(env, ++seen) == 0)
            found = l;
    }
    return found;
}

/* The attempt arrives: one of the address's listeners takes it. */
static void run_arrive(struct sim_event *event)
{
    struct sim_connect *box = container_of(event, struct sim_connect, step);
    struct sim_env *env = box->loop->host->world;
    box->listener = find_listener(env, box->address);
    if (box->listener == NULL) {
        env->faults.refused++;
        connect_done(box, -ERR_UNAVAILABLE);
        return;
    }
    struct sim_loop *server = sim_loop_of(box->listener->base.loop);
    if (!attempt_is_cut(env, box, server))
        sim_schedule(server, &box->accept, 0, SIM_ACCEPT, run_accept);
}

static void run_timeout(struct sim_event *event)
{
    connect_done(container_of(event, struct sim_connect, timeout), -ERR_TIMEOUT);
}

static void run_refuse_address(struct sim_event *event)
{
    connect_done(container_of(event, struct sim_connect, step), -ERR_INVALID_ARGUMENT);
}

void sim_connect(struct env_connect *c, const char *address, uint64_t timeout_ms)
{
    struct sim_loop *l = sim_loop_of(c->loop);
    struct sim_env *env = sim_env_of(c->loop->env);
    sim_assert_on_loop(l);
    struct sim_connect *box = mem_alloc(sizeof(*box));
    c->impl = box;
    box->loop = l;
    box->connect = c;
    list_append(&env->connects, &box->node);
    if (strlen(address) >= SIM_NAME_BYTES) {
        sim_schedule(l, &box->step, 0, SIM_CONNECT, run_refuse_address);
        return;
    }
    (void)snprintf(box->address, sizeof(box->address), "%s", address); /* it fits */
    const struct sim_listener *target = find_listener(env, address);
    const struct sim_loop *there = target != NULL ? sim_loop_of(target->base.loop) : NULL;
    sim_schedule(l, &box->step, there != NULL ? travel_ns(l, there) : away_ns(env), SIM_CONNECT,
                 run_arrive);
    sim_schedule(l, &box->timeout, timeout_ms * ENV_MS, SIM_CONNECT, run_timeout);
}

static void run_canceled(struct sim_event *event)
{
    connect_done(container_of(event, struct sim_connect, timeout), -ERR_CANCELED);
}

void sim_connect_cancel(struct env_connect *c)
{
    struct sim_connect *box = c->impl;
    sim_assert_on_loop(sim_loop_of(c->loop));
    sim_unschedule(&box->step);
    sim_unschedule(&box->accept);
    sim_schedule(sim_loop_of(c->loop), &box->timeout, 0, SIM_CONNECT, run_canceled);
}

/* ---- names ---- */

struct sim_name {
    struct list node;
    uint64_t delay_ns;
    size_t count;
    char name[ENV_ADDRESS_BYTES];
    char addresses[ENV_RESOLVE_MAX][ENV_ADDRESS_BYTES];
};

static struct sim_name *find_name(struct sim_env *env, const char *name)
{
    list_foreach (node, &env->names) {
        struct sim_name *n = container_of(node, struct sim_name, node);
        if (strcmp(n->name, name) == 0)
            return n;
    }
    return NULL;
}

void env_sim_set_name(struct env *env, const char *name, const char *const *addresses, size_t count,
                      uint64_t delay_ms)
{
    struct sim_env *world = sim_env_of(env);
    struct sim_name *n = find_name(world, name);
    ASSERT(count <= ENV_RESOLVE_MAX && strlen(name) < ENV_ADDRESS_BYTES);
    if (n == NULL) {
        n = mem_alloc(sizeof(*n));
        (void)snprintf(n->name, sizeof(n->name), "%s", name); /* it fits */
        list_append(&world->names, &n->node);
    }
    n->delay_ns = delay_ms * ENV_MS;
    n->count = count;
    for (size_t i = 0; i < count; i++) {
        ASSERT(strlen(addresses[i]) < ENV_ADDRESS_BYTES);
        (void)snprintf(n->addresses[i], ENV_ADDRESS_BYTES, "%s", addresses[i]); /* it fits */
    }
}

struct sim_resolve {
    struct list node;
    struct sim_loop *loop;
    struct env_resolve *resolve;
    struct sim_event event;
    int status;
};

static void resolve_done(struct sim_resolve *box, int status)
{
    struct env_resolve *r = box->resolve;
    sim_unschedule(&box->event);
    list_remove(&box->node);
    mem_free(box);
    r->impl = NULL;
    if (status != 0)
        r->count = 0;
    r->done(r, status);
}

static void run_resolved(struct sim_event *event)
{
    struct sim_resolve *box = container_of(event, struct sim_resolve, event);
    resolve_done(box, box->status);
}

static void resolve_later(struct sim_resolve *box, int status, uint64_t delay_ns)
{
    box->status = status;
    sim_schedule(box->loop, &box->event, delay_ns, SIM_RESOLVE, run_resolved);
}

void sim_resolve(struct env_resolve *r, const char *address)
{
    struct sim_loop *l = sim_loop_of(r->loop);
    struct sim_env *env = sim_env_of(r->loop->env);
    sim_assert_on_loop(l);
    struct sim_resolve *box = mem_alloc(sizeof(*box));
    box->loop = l;
    box->resolve = r;
    r->impl = box;
    list_append(&env->resolves, &box->node);
    struct sim_name *n = find_name(env, address);
    if (n != NULL) {
        r->count = n->count;
        memcpy(r->addresses, n->addresses, sizeof(r->addresses));
        resolve_later(box, n->count > 0 ? 0 : -ERR_UNAVAILABLE, n->delay_ns);
        return;
    }
    bool fits = address[0] != '\0' && strlen(address) < ENV_ADDRESS_BYTES;
    if (fits)
        (void)snprintf(r->addresses[r->count++], ENV_ADDRESS_BYTES, "%s", address); /* it fits */
    resolve_later(box, fits ? 0 : -ERR_INVALID_ARGUMENT, away_ns(env));
}

void sim_resolve_cancel(struct env_resolve *r)
{
    sim_assert_on_loop(sim_loop_of(r->loop));
    resolve_later(r->impl, -ERR_CANCELED, 0);
}

/* ---- life ---- */

void sim_streams_init(struct sim_env *env)
{
    list_init(&env->listeners);
    list_init(&env->dead_listeners);
    list_init(&env->connects);
    list_init(&env->resolves);
    list_init(&env->names);
    list_init(&env->pipes);
}

void sim_streams_free(struct sim_env *env)
{
    struct list *node;
    ASSERT(list_empty(&env->listeners));
    ASSERT(list_empty(&env->connects));
    ASSERT(list_empty(&env->resolves));
    ASSERT(list_empty(&env->pipes));
    while ((node = list_pop(&env->dead_listeners)) != NULL)
        mem_free(container_of(node, struct sim_listener, node));
    while ((node = list_pop(&env->names)) != NULL)
        mem_free(container_of(node, struct sim_name, node));
}

/* The first attempt that l made or is about to accept, or NULL. */
static struct sim_connect *attempt_of(struct sim_env *env, const struct sim_loop *l)
{
    list_foreach (node, &env->connects) {
        struct sim_connect *box = container_of(node, struct sim_connect, node);
        if (box->loop == l)
            return box;
    }
    return NULL;
}

/* The listeners go with their loop, and so does what they were about to accept. */
static void refuse_all(struct sim_loop *l)
{
    struct sim_env *env = l->host->world;
    list_foreach (node, &env->connects) {
        struct sim_connect *theirs = container_of(node, struct sim_connect, node);
        if (theirs->accept.at == 0 || theirs->accept.loop != l)
            continue;
        sim_unschedule(&theirs->accept);
        env->faults.refused++;
        answer(theirs, l, -ERR_UNAVAILABLE);
    }
}

void sim_streams_free_loop(struct sim_loop *l)
{
    struct sim_env *env = sim_env_of(l->base.env);
    struct sim_connect *box;
    while ((box = attempt_of(env, l)) != NULL)
        connect_done(box, -ERR_CANCELED);
    list_foreach_safe (node, &env->resolves) {
        struct sim_resolve *asked = container_of(node, struct sim_resolve, node);
        if (asked->loop == l)
            resolve_done(asked, -ERR_CANCELED);
    }
    refuse_all(l);
    list_foreach_safe (node, &env->listeners) {
        struct sim_listener *listener = container_of(node, struct sim_listener, node);
        if (listener->base.loop == &l->base)
            sim_listener_close(&listener->base);
    }
    sim_streams_close_all(l);
}

void sim_streams_die(struct sim_loop *l)
{
    struct sim_env *env = l->host->world;
    refuse_all(l);
    list_foreach_safe (node, &env->listeners) {
        struct sim_listener *listener = container_of(node, struct sim_listener, node);
        if (listener->base.loop != &l->base)
            continue;
        forget_listener(listener);
        list_append(&env->dead_listeners, &listener->node);
    }
    list_foreach (node, &env->connects) {
        struct sim_connect *box = container_of(node, struct sim_connect, node);
        if (box->loop == l)
            sim_unschedule(&box->accept); /* on the listener's loop, which may well live */
    }
    sim_streams_die_all(l);
}

void sim_streams_release(struct sim_loop *l)
{
    struct sim_env *env = l->host->world;
    list_foreach_safe (node, &env->connects) {
        struct sim_connect *box = container_of(node, struct sim_connect, node);
        if (box->loop != l)
            continue;
        list_remove(&box->node);
        mem_free(box);
    }
    list_foreach_safe (node, &env->resolves) {
        struct sim_resolve *box = container_of(node, struct sim_resolve, node);
        if (box->loop != l)
            continue;
        list_remove(&box->node);
        mem_free(box);
    }
    sim_streams_release_all(l);
}
