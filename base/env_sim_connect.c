/*
 * Simulated listeners, connection attempts and partitions.
 *
 * An attempt travels to the listener (a latency), is accepted on the listener's loop, and its
 * answer travels back. A cut in either direction, or a paused listener, leaves it to its deadline;
 * an address that nobody listens on refuses it.
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
    struct env_connect *connect;
    char address[SIM_NAME_BYTES];
    struct sim_listener *listener; /* once found; NULL again when it closed */
    struct sim_event step;         /* on the client's loop */
    struct sim_event accept;       /* on the listener's loop */
    struct sim_event timeout;      /* on the client's loop */
    struct env_stream *stream;     /* the client's end, once accepted */
    int status;
};

struct sim_cut {
    struct list node;
    char from[SIM_NAME_BYTES];
    char to[SIM_NAME_BYTES];
};

/* ---- partitions ---- */

static bool has_prefix(const char names[2][SIM_NAME_BYTES], const char *prefix)
{
    return str_starts(str_from(names[0]), str_from(prefix)) ||
           (names[1][0] != '\0' && str_starts(str_from(names[1]), str_from(prefix)));
}

bool sim_is_cut(struct sim_env *env, const char from[2][SIM_NAME_BYTES],
                const char to[2][SIM_NAME_BYTES])
{
    list_foreach (node, &env->cuts) {
        struct sim_cut *cut = container_of(node, struct sim_cut, node);
        if (has_prefix(from, cut->from) && has_prefix(to, cut->to))
            return true;
    }
    return false;
}

static void heal(struct sim_env *env, const char *from, const char *to)
{
    list_foreach_safe (node, &env->cuts) {
        struct sim_cut *cut = container_of(node, struct sim_cut, node);
        if (strcmp(cut->from, from) != 0 || strcmp(cut->to, to) != 0)
            continue;
        list_remove(&cut->node);
        mem_free(cut);
    }
    list_foreach (node, &env->pipes) {
        struct sim_pipe *p = container_of(node, struct sim_pipe, node);
        if (!p->stalled || sim_is_cut(env, p->from, p->to))
            continue;
        p->stalled = false;
        sim_pipe_deliver_soon(p);
    }
}

void env_sim_partition(struct env *world, const char *from, const char *to, bool cut)
{
    struct sim_env *env = sim_env_of(world);
    if (!cut) {
        heal(env, from, to);
        return;
    }
    struct sim_cut *c = mem_alloc(sizeof(*c));
    (void)snprintf(c->from, sizeof(c->from), "%s", from);
    (void)snprintf(c->to, sizeof(c->to), "%s", to);
    list_append(&env->cuts, &c->node);
}

/* ---- listeners ---- */

int sim_listen(struct env_loop *loop, const char *address, bool reuse_port,
               void (*accept)(void *ctx, struct env_stream *s), void *ctx,
               struct env_listener **out, struct err *e)
{
    struct sim_env *env = sim_env_of(loop->env);
    if (strlen(address) >= SIM_NAME_BYTES)
        return err_set(e, ERR_INVALID_ARGUMENT, "%s: the address is too long", address);
    list_foreach (node, &env->listeners) {
        struct sim_listener *other = container_of(node, struct sim_listener, node);
        if (!reuse_port && strcmp(other->address, address) == 0)
            return err_set(e, ERR_ALREADY_EXISTS, "listen on %s: address in use", address);
    }
    struct sim_listener *l = mem_alloc(sizeof(*l));
    l->base.loop = loop;
    (void)snprintf(l->address, sizeof(l->address), "%s", address); /* it fits */
    l->accept = accept;
    l->ctx = ctx;
    list_append(&env->listeners, &l->node);
    *out = &l->base;
    return 0;
}

void sim_listener_close(struct env_listener *listener)
{
    struct sim_listener *l = container_of(listener, struct sim_listener, base);
    struct sim_env *env = sim_env_of(listener->loop->env);
    list_foreach (node, &env->connects) {
        struct sim_connect *box = container_of(node, struct sim_connect, node);
        if (box->listener == l)
            box->listener = NULL;
    }
    list_remove(&l->node);
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

static void run_answer(struct sim_event *event)
{
    struct sim_connect *box = container_of(event, struct sim_connect, step);
    connect_done(box, box->status);
}

static void answer(struct sim_connect *box, struct sim_loop *from, int status)
{
    struct sim_loop *client = sim_loop_of(box->connect->loop);
    struct sim_env *env = sim_env_of(client->base.env);
    box->status = status;
    sim_schedule(client, &box->step, sim_latency_ns(env, from, client), SIM_CONNECT, run_answer);
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
    sim_stream_pair(sim_loop_of(box->connect->loop), event->loop, box->address, &box->stream,
                    &server);
    answer(box, event->loop, 0);
    l->accept(l->ctx, server);
}

static bool attempt_is_cut(struct sim_env *env, struct sim_connect *box, struct sim_loop *server)
{
    char client_names[2][SIM_NAME_BYTES] = { "", "" };
    char server_names[2][SIM_NAME_BYTES] = { "", "" };
    memcpy(client_names[0], sim_loop_of(box->connect->loop)->name, SIM_NAME_BYTES);
    memcpy(server_names[0], server->name, SIM_NAME_BYTES);
    memcpy(server_names[1], box->address, SIM_NAME_BYTES);
    return sim_is_cut(env, client_names, server_names) ||
           sim_is_cut(env, server_names, client_names);
}

/* The attempt arrives: one of the address's listeners takes it. */
static void run_arrive(struct sim_event *event)
{
    struct sim_connect *box = container_of(event, struct sim_connect, step);
    struct sim_env *env = sim_env_of(box->connect->loop->env);
    uint64_t seen = 0;
    list_foreach (node, &env->listeners) {
        struct sim_listener *l = container_of(node, struct sim_listener, node);
        if (strcmp(l->address, box->address) == 0 && sim_random(env, ++seen) == 0)
            box->listener = l;
    }
    if (box->listener == NULL) {
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
    box->connect = c;
    list_append(&env->connects, &box->node);
    if (strlen(address) >= SIM_NAME_BYTES) {
        sim_schedule(l, &box->step, 0, SIM_CONNECT, run_refuse_address);
        return;
    }
    (void)snprintf(box->address, sizeof(box->address), "%s", address); /* it fits */
    sim_schedule(l, &box->step, sim_latency_ns(env, l, NULL), SIM_CONNECT, run_arrive);
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

/* ---- life ---- */

void sim_streams_init(struct sim_env *env)
{
    list_init(&env->listeners);
    list_init(&env->connects);
    list_init(&env->pipes);
    list_init(&env->cuts);
}

void sim_streams_free(struct sim_env *env)
{
    ASSERT(list_empty(&env->listeners));
    ASSERT(list_empty(&env->connects));
    ASSERT(list_empty(&env->pipes));
    struct list *node;
    while ((node = list_pop(&env->cuts)) != NULL)
        mem_free(container_of(node, struct sim_cut, node));
}

/* The first attempt that l made or is about to accept, or NULL. */
static struct sim_connect *attempt_of(struct sim_env *env, const struct sim_loop *l)
{
    list_foreach (node, &env->connects) {
        struct sim_connect *box = container_of(node, struct sim_connect, node);
        if (sim_loop_of(box->connect->loop) == l)
            return box;
    }
    return NULL;
}

void sim_streams_free_loop(struct sim_loop *l)
{
    struct sim_env *env = sim_env_of(l->base.env);
    struct sim_connect *box;
    while ((box = attempt_of(env, l)) != NULL)
        connect_done(box, -ERR_CANCELED);
    list_foreach (node, &env->connects) {
        struct sim_connect *theirs = container_of(node, struct sim_connect, node);
        if (theirs->accept.at == 0 || theirs->accept.loop != l)
            continue;
        sim_unschedule(&theirs->accept); /* refused: the listener goes with its loop */
        answer(theirs, NULL, -ERR_UNAVAILABLE);
    }
    list_foreach_safe (node, &env->listeners) {
        struct sim_listener *listener = container_of(node, struct sim_listener, node);
        if (listener->base.loop == &l->base)
            sim_listener_close(&listener->base);
    }
    sim_streams_close_all(l);
}
