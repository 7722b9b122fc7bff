/*
 * Simulated byte streams: two pipes a connection, delivered in pieces whose size and moment the
 * seed draws.
 *
 * What is written arrives a latency later, and never before what was written earlier. The first
 * SIM_KERNEL_BYTES of a pipe play the kernel's buffer: they are delivered even after the writer
 * closed; the rest counts as queued. A cut pipe keeps its bytes until it is healed. A reset empties
 * both pipes of a connection and lets the end through, whatever is cut. When a host dies its
 * peers get a part of what was under way, then the end.
 *
 * No choice here depends on the bytes themselves, only on how many there are.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_sim_impl.h"

#define SIM_KERNEL_BYTES (64u << 10)
#define SIM_PIECE_BYTES  (64u << 10)
/* What lies between two pieces that are both here. */
#define SIM_TURN_NS 10000u
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

struct sim_loop *sim_stream_loop(const struct sim_stream *s)
{
    return loop_of(s);
}

/* ---- pipes ---- */

static void pipe_maybe_free(struct sim_pipe *p)
{
    if (p->writer != NULL || p->reader != NULL)
        return;
    sim_unschedule(&p->deliver);
    sim_unschedule(&p->giveup);
    list_remove(&p->node);
    buf_deinit(&p->bytes);
    mem_free(p->arrivals);
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

/* ---- arrivals ---- */

/* Whatever the pipe is given now arrives a latency from now, or with what it was given before. */
static void pipe_sent(struct sim_pipe *p)
{
    uint64_t ready_ns = sim_time_ns(p->env) + sim_latency_ns(p->env, &p->from, &p->to);
    if (ready_ns > p->ready_ns)
        p->ready_ns = ready_ns;
}

static void pipe_append(struct sim_pipe *p, struct str bytes)
{
    uint64_t before_ns = p->ready_ns;
    pipe_sent(p);
    if (p->arrivals_count == 0 || p->ready_ns > before_ns) {
        if (p->arrivals_count == p->arrivals_capacity) {
            p->arrivals_capacity = p->arrivals_capacity == 0 ? 8 : p->arrivals_capacity * 2;
            p->arrivals = mem_realloc(p->arrivals, p->arrivals_capacity * sizeof(*p->arrivals));
        }
        p->arrivals[p->arrivals_count++] =
            (struct sim_arrival){ p->taken + p->bytes.len, p->ready_ns };
    }
    buf_append_str(&p->bytes, bytes);
}

/* How many bytes are here by that time. */
static size_t pipe_arrived(const struct sim_pipe *p, uint64_t by_ns)
{
    for (size_t i = 0; i < p->arrivals_count; i++)
        if (p->arrivals[i].ready_ns > by_ns)
            return (size_t)(p->arrivals[i].start - p->taken);
    return p->bytes.len;
}

/* When there is something new: bytes, or the end. */
static uint64_t pipe_next_ns(const struct sim_pipe *p)
{
    return p->bytes.len > 0 ? p->arrivals[0].ready_ns : p->ready_ns;
}

static void pipe_consume(struct sim_pipe *p, size_t n)
{
    size_t passed = 0;
    buf_consume(&p->bytes, n);
    p->taken += n;
    /* The arrival that the next byte belongs to stays. */
    while (passed + 1 < p->arrivals_count && p->arrivals[passed + 1].start <= p->taken)
        passed++;
    passed += p->bytes.len == 0 && passed < p->arrivals_count;
    p->arrivals_count -= passed;
    memmove(p->arrivals, p->arrivals + passed, p->arrivals_count * sizeof(*p->arrivals));
}

/* Forgets what follows the first n bytes. */
static void pipe_cut_short(struct sim_pipe *p, size_t n)
{
    if (n >= p->bytes.len)
        return;
    p->bytes.len = n;
    while (p->arrivals_count > 0 && p->arrivals[p->arrivals_count - 1].start >= p->taken + n)
        p->arrivals_count--;
}

/* Takes the next piece off the pipe; the caller owns its bytes. */
static uint8_t *pipe_take_piece(struct sim_pipe *p, size_t arrived, size_t *out_len)
{
    size_t n = arrived < SIM_PIECE_BYTES ? arrived : SIM_PIECE_BYTES;
    if (sim_random(p->env, SIM_SPLIT_ONE_IN) == 0)
        n = 1 + (size_t)sim_random(p->env, n);
    uint8_t *piece = mem_dup(p->bytes.data, n);
    pipe_consume(p, n);
    *out_len = n;
    return piece;
}

static void run_deliver(struct sim_event *event);

/* delay_ns: how much later than now, when what comes next is here already. */
static void pipe_schedule(struct sim_pipe *p, uint64_t delay_ns)
{
    uint64_t now_ns = sim_time_ns(p->env);
    uint64_t next_ns = pipe_next_ns(p);
    if (next_ns > now_ns + delay_ns)
        delay_ns = next_ns - now_ns;
    sim_schedule(loop_of(p->reader), &p->deliver, delay_ns, SIM_DELIVER, run_deliver);
}

void sim_pipe_deliver_soon(struct sim_pipe *p)
{
    if (p->reader != NULL && p->deliver.at == 0 && !p->stalled)
        pipe_schedule(p, sim_random(p->env, SIM_TURN_NS));
}

static void pipe_end(struct sim_pipe *p)
{
    if (!p->fin || p->fin_done)
        return;
    if (p->ready_ns > sim_time_ns(p->env)) {
        pipe_schedule(p, 0);
        return;
    }
    p->fin_done = true;
    stream_end(p->reader, p->fin_status);
}

static void run_deliver(struct sim_event *event)
{
    struct sim_pipe *p = container_of(event, struct sim_pipe, deliver);
    struct sim_stream *r = p->reader;
    if (r == NULL || r->events == NULL || r->paused || r->ended)
        return; /* start and resume come back here */
    if (!p->broken && sim_is_cut(p->env, &p->from, &p->to)) {
        p->stalled = true;
        return;
    }
    if (p->bytes.len == 0) {
        pipe_end(p);
        return;
    }
    size_t arrived = pipe_arrived(p, sim_time_ns(p->env));
    if (arrived == 0) {
        pipe_schedule(p, 0);
        return;
    }
    size_t len;
    uint8_t *piece = pipe_take_piece(p, arrived, &len);
    sim_mix(p->env, len);
    if (p->bytes.len > 0 || p->fin)
        pipe_schedule(p, sim_random(p->env, SIM_TURN_NS));
    pipe_check_drained(p);
    r->events->data(r->ctx, str_of(piece, len)); /* may close r: p is not touched after */
    mem_free(piece);
}

static void break_pipe(struct sim_pipe *p)
{
    p->broken = true;
    p->stalled = false;
    p->fin = true;
    p->fin_status = -ERR_UNAVAILABLE;
    pipe_cut_short(p, 0);
    pipe_sent(p);
    sim_unschedule(&p->giveup);
    if (p->reader != NULL && p->reader->events != NULL) {
        sim_unschedule(&p->deliver); /* it may be due much later, behind what is lost */
        pipe_schedule(p, 0);
    }
    pipe_check_drained(p);
}

void sim_pipe_reset(struct sim_pipe *p)
{
    struct sim_pipe *back = p->reader != NULL   ? p->reader->out
                            : p->writer != NULL ? p->writer->in
                                                : NULL;
    if (p->broken)
        return;
    p->env->faults.resets++;
    break_pipe(p);
    if (back != NULL && !back->broken)
        break_pipe(back);
}

static struct sim_pipe *pipe_new(struct sim_stream *from, struct sim_stream *to,
                                 const char *from_address, const char *to_address)
{
    struct sim_pipe *p = mem_alloc(sizeof(*p));
    p->env = sim_env_of(from->base.loop->env);
    p->writer = from;
    p->reader = to;
    sim_place_init(&p->from, loop_of(from), from_address);
    sim_place_init(&p->to, loop_of(to), to_address);
    list_append(&p->env->pipes, &p->node);
    from->out = p;
    to->in = p;
    sim_pipe_watch_cut(p);
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
    const char *host = client->host->name;
    struct sim_stream *s = stream_new(server, host[0] != '\0' ? host : client->name);
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
    if (s->out->reader == NULL || s->out->broken) {
        if (!s->ended)
            sim_schedule(loop_of(s), &s->end_event, 0, SIM_END, run_end);
        return;
    }
    ASSERT(!s->out->fin);
    pipe_append(s->out, bytes);
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
    if (s->closing || s->out->fin)
        return;
    s->out->fin = true;
    pipe_sent(s->out);
    sim_pipe_deliver_soon(s->out);
}

/* No reader any more. */
static void pipe_forsake(struct sim_pipe *p)
{
    sim_unschedule(&p->deliver);
    sim_unschedule(&p->giveup);
    p->reader = NULL;
    pipe_cut_short(p, 0);
    pipe_check_drained(p);
    pipe_maybe_free(p);
}

/* No writer any more: the end follows the first keep bytes. */
static void pipe_finish(struct sim_pipe *p, size_t keep, int status)
{
    pipe_cut_short(p, keep);
    if (!p->fin) {
        p->fin = true;
        p->fin_status = status;
        pipe_sent(p);
    }
    sim_pipe_deliver_soon(p);
    p->writer = NULL;
    pipe_maybe_free(p);
}

/* Lets go of both pipes: what the kernel took still arrives, then the peer's end. */
static void stream_detach(struct sim_stream *s)
{
    struct sim_pipe *in = s->in;
    struct sim_pipe *out = s->out;
    s->in = NULL;
    s->out = NULL;
    s->closing = true;
    pipe_forsake(in);
    pipe_finish(out, SIM_KERNEL_BYTES, 0);
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
    sim_unschedule(&s->end_event);
    sim_unschedule(&s->drain_event);
    sim_schedule(loop_of(s), &s->close_event, 0, SIM_CLOSED, run_closed);
}

/* A host knows what has arrived: that the peer has gone, only once its end is here. */
bool sim_stream_broken(const struct env_stream *stream)
{
    const struct sim_stream *s = container_of(stream, const struct sim_stream, base);
    return s->closing || (s->ended && (s->out->reader == NULL || s->out->broken));
}

void sim_stream_peer_limit(struct env_stream *stream, uint64_t limit_ms)
{
    (void)stream; /* a cut connection ends after env_sim_set_reset_ms, whoever reads */
    (void)limit_ms;
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

/* Of what had left the host by now a part arrives. */
static void stream_die(struct sim_stream *s)
{
    struct sim_pipe *in = s->in;
    struct sim_pipe *out = s->out;
    if (s->closing)
        return; /* its peer has been told */
    s->in = NULL;
    s->out = NULL;
    s->closing = true; /* no call does anything from here on */
    sim_unschedule(&s->end_event);
    sim_unschedule(&s->drain_event);
    size_t sent =
        pipe_arrived(out, out->env->now_ns + sim_latency_ns(out->env, &out->from, &out->to));
    pipe_forsake(in);
    pipe_finish(out, (size_t)sim_random(out->env, sent + 1), -ERR_UNAVAILABLE);
}

void sim_streams_die_all(struct sim_loop *l)
{
    list_foreach (node, &l->streams)
        stream_die(container_of(node, struct sim_stream, node));
}

void sim_streams_release_all(struct sim_loop *l)
{
    struct list *node;
    while ((node = list_pop(&l->streams)) != NULL)
        mem_free(container_of(node, struct sim_stream, node));
}
