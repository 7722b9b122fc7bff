/*
 * Simulated byte streams: two pipes a connection, delivered in pieces whose size and moment the
 * seed draws.
 *
 * The first SIM_KERNEL_BYTES of a pipe play the kernel's buffer: they are delivered even after the
 * writer closed; the rest counts as queued. A cut pipe keeps its bytes until it is healed.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_sim_impl.h"

#define SIM_KERNEL_BYTES (64u << 10)
#define SIM_PIECE_BYTES  (64u << 10)
/* One piece in this many is cut short at a random place. */
#define SIM_SPLIT_ONE_IN 4u

struct sim_stream {
    struct env_stream base;
    struct list node; /* in the loop's streams */
    struct sim_pipe *in;
    struct sim_pipe *out;
    const struct env_stream_events *events;
    void *ctx;
    bool paused;
    bool ended;
    bool closing;
    bool above_low;
    struct sim_event end_event;
    struct sim_event drain_event;
    struct sim_event close_event;
    char peer[SIM_NAME_BYTES];
};

static struct sim_stream *stream_of(struct env_stream *s)
{
    return container_of(s, struct sim_stream, base);
}

static struct sim_loop *loop_of(const struct sim_stream *s)
{
    return sim_loop_of(s->base.loop);
}

uint64_t sim_latency_ns(struct sim_env *env, struct sim_loop *a, struct sim_loop *b)
{
    if (a == b)
        return sim_random(env, 10000);
    uint64_t spread_us = env->latency_max_us - env->latency_min_us;
    return (env->latency_min_us * 1000u) + sim_random(env, spread_us * 1000u + 1);
}

/* ---- pipes ---- */

static void pipe_maybe_free(struct sim_pipe *p)
{
    if (p->writer != NULL || p->reader != NULL)
        return;
    sim_unschedule(&p->deliver);
    list_remove(&p->node);
    buf_deinit(&p->bytes);
    mem_free(p);
}

static void stream_end(struct sim_stream *s, int status)
{
    if (s->ended || s->closing)
        return;
    s->ended = true;
    s->events->end(s->ctx, status);
}

static void run_drained(struct sim_event *event)
{
    struct sim_stream *s = container_of(event, struct sim_stream, drain_event);
    if (!s->above_low || sim_stream_queued(&s->base) > ENV_STREAM_LOW_BYTES)
        return;
    s->above_low = false;
    if (s->events != NULL && s->events->drained != NULL)
        s->events->drained(s->ctx);
}

static void pipe_check_drained(struct sim_pipe *p)
{
    struct sim_stream *w = p->writer;
    if (w != NULL && w->above_low && sim_stream_queued(&w->base) <= ENV_STREAM_LOW_BYTES)
        sim_schedule(loop_of(w), &w->drain_event, 0, SIM_DRAINED, run_drained);
}

/* Takes the next piece off the pipe; the caller owns its bytes. */
static uint8_t *pipe_take_piece(struct sim_pipe *p, size_t *out_len)
{
    size_t n = p->bytes.len < SIM_PIECE_BYTES ? p->bytes.len : SIM_PIECE_BYTES;
    if (sim_random(p->env, SIM_SPLIT_ONE_IN) == 0)
        n = 1 + (size_t)sim_random(p->env, n);
    uint8_t *piece = mem_dup(p->bytes.data, n);
    buf_consume(&p->bytes, n);
    *out_len = n;
    return piece;
}

static void run_deliver(struct sim_event *event)
{
    struct sim_pipe *p = container_of(event, struct sim_pipe, deliver);
    struct sim_stream *r = p->reader;
    if (r == NULL || r->events == NULL || r->paused || r->ended)
        return; /* start and resume come back here */
    if (sim_is_cut(p->env, p->from, p->to)) {
        p->stalled = true;
        return;
    }
    if (p->bytes.len == 0) {
        if (p->fin && !p->fin_done) {
            p->fin_done = true;
            stream_end(r, 0);
        }
        return;
    }
    size_t len;
    uint8_t *piece = pipe_take_piece(p, &len);
    sim_mix(p->env, len);
    sim_mix(p->env, str_hash(str_of(piece, len)));
    if (p->bytes.len > 0 || p->fin)
        sim_schedule(loop_of(r), &p->deliver, sim_random(p->env, 10000), SIM_DELIVER, run_deliver);
    pipe_check_drained(p);
    r->events->data(r->ctx, str_of(piece, len)); /* may close r: p is not touched after */
    mem_free(piece);
}

void sim_pipe_deliver_soon(struct sim_pipe *p)
{
    if (p->reader == NULL || p->deliver.at != 0 || p->stalled)
        return;
    struct sim_loop *to = loop_of(p->reader);
    struct sim_loop *from = p->writer != NULL ? loop_of(p->writer) : NULL;
    sim_schedule(to, &p->deliver, sim_latency_ns(p->env, from, to), SIM_DELIVER, run_deliver);
}

static struct sim_pipe *pipe_new(struct sim_stream *from, struct sim_stream *to,
                                 const char *from_address, const char *to_address)
{
    struct sim_pipe *p = mem_alloc(sizeof(*p));
    p->env = sim_env_of(from->base.loop->env);
    p->writer = from;
    p->reader = to;
    (void)snprintf(p->from[0], SIM_NAME_BYTES, "%s", loop_of(from)->name);
    (void)snprintf(p->from[1], SIM_NAME_BYTES, "%s", from_address);
    (void)snprintf(p->to[0], SIM_NAME_BYTES, "%s", loop_of(to)->name);
    (void)snprintf(p->to[1], SIM_NAME_BYTES, "%s", to_address);
    list_append(&p->env->pipes, &p->node);
    from->out = p;
    to->in = p;
    return p;
}

static struct sim_stream *stream_new(struct sim_loop *l, const char *peer)
{
    struct sim_stream *s = mem_alloc(sizeof(*s));
    s->base.loop = &l->base;
    list_append(&l->streams, &s->node);
    (void)snprintf(s->peer, sizeof(s->peer), "%s", peer);
    return s;
}

void sim_stream_pair(struct sim_loop *client, struct sim_loop *server, const char *address,
                     struct env_stream **out_client, struct env_stream **out_server)
{
    struct sim_stream *c = stream_new(client, address);
    struct sim_stream *s = stream_new(server, client->name);
    (void)pipe_new(c, s, "", address); /* reachable from both ends */
    (void)pipe_new(s, c, address, ""); /* as above */
    *out_client = &c->base;
    *out_server = &s->base;
}

/* ---- streams ---- */

void sim_stream_start(struct env_stream *stream, const struct env_stream_events *events, void *ctx)
{
    struct sim_stream *s = stream_of(stream);
    sim_assert_on_loop(loop_of(s));
    ASSERT(s->events == NULL);
    s->events = events;
    s->ctx = ctx;
    if (!s->closing && (s->in->bytes.len > 0 || s->in->fin))
        sim_pipe_deliver_soon(s->in);
}

static void run_end(struct sim_event *event)
{
    struct sim_stream *s = container_of(event, struct sim_stream, end_event);
    if (s->events != NULL)
        stream_end(s, -ERR_UNAVAILABLE);
}

void sim_stream_write(struct env_stream *stream, struct str bytes)
{
    struct sim_stream *s = stream_of(stream);
    sim_assert_on_loop(loop_of(s));
    if (s->closing || bytes.len == 0)
        return;
    ASSERT(!s->out->fin);
    if (s->out->reader == NULL) {
        if (!s->ended)
            sim_schedule(loop_of(s), &s->end_event, 0, SIM_END, run_end);
        return;
    }
    buf_append_str(&s->out->bytes, bytes);
    if (sim_stream_queued(stream) > ENV_STREAM_LOW_BYTES)
        s->above_low = true;
    sim_pipe_deliver_soon(s->out);
}

size_t sim_stream_queued(const struct env_stream *stream)
{
    const struct sim_stream *s = container_of(stream, const struct sim_stream, base);
    if (s->closing)
        return 0;
    size_t len = s->out->bytes.len;
    return len > SIM_KERNEL_BYTES ? len - SIM_KERNEL_BYTES : 0;
}

void sim_stream_pause(struct env_stream *stream)
{
    sim_assert_on_loop(sim_loop_of(stream->loop));
    stream_of(stream)->paused = true;
}

void sim_stream_resume(struct env_stream *stream)
{
    struct sim_stream *s = stream_of(stream);
    sim_assert_on_loop(loop_of(s));
    if (!s->paused)
        return;
    s->paused = false;
    if (!s->closing)
        sim_pipe_deliver_soon(s->in);
}

void sim_stream_shutdown(struct env_stream *stream)
{
    struct sim_stream *s = stream_of(stream);
    sim_assert_on_loop(loop_of(s));
    if (s->closing)
        return;
    s->out->fin = true;
    sim_pipe_deliver_soon(s->out);
}

/* Lets go of both pipes: what the kernel took still arrives, then the peer's end. */
static void stream_detach(struct sim_stream *s)
{
    struct sim_pipe *in = s->in;
    struct sim_pipe *out = s->out;
    s->in = NULL;
    s->out = NULL;
    sim_unschedule(&in->deliver);
    in->reader = NULL;
    buf_clear(&in->bytes);
    pipe_check_drained(in);
    pipe_maybe_free(in);
    if (out->bytes.len > SIM_KERNEL_BYTES)
        out->bytes.len = SIM_KERNEL_BYTES;
    out->fin = true;
    sim_pipe_deliver_soon(out);
    out->writer = NULL;
    pipe_maybe_free(out);
}

static void run_closed(struct sim_event *event)
{
    struct sim_stream *s = container_of(event, struct sim_stream, close_event);
    list_remove(&s->node);
    if (s->events != NULL)
        s->events->closed(s->ctx);
    mem_free(s);
}

void sim_stream_close(struct env_stream *stream)
{
    struct sim_stream *s = stream_of(stream);
    sim_assert_on_loop(loop_of(s));
    if (s->closing)
        return;
    stream_detach(s);
    s->closing = true;
    sim_unschedule(&s->end_event);
    sim_unschedule(&s->drain_event);
    sim_schedule(loop_of(s), &s->close_event, 0, SIM_CLOSED, run_closed);
}

const char *sim_stream_peer(const struct env_stream *stream)
{
    return container_of(stream, const struct sim_stream, base)->peer;
}

int sim_stream_peer_cred(const struct env_stream *stream, struct env_peer_cred *out)
{
    (void)stream; /* there are no processes here */
    (void)out;
    return -ERR_UNIMPLEMENTED;
}

void sim_streams_close_all(struct sim_loop *l)
{
    while (!list_empty(&l->streams)) {
        struct sim_stream *s = container_of(l->streams.next, struct sim_stream, node);
        sim_stream_close(&s->base);
        sim_unschedule(&s->close_event);
        run_closed(&s->close_event);
    }
}
