/*
 * Happy path: open → (TLS handshake) → ready → data and turns → finish → the peer ends → closed.
 * Failure: an error of the stream or of TLS calls failed once, then everything is closed. Two
 * things may be outstanding at the end, the stream's close and a posted turn; closed runs when both
 * are back.
 */
#include "net/transport.h"

#include "base/assert.h"

/* A scratch buffer that grew beyond this is given back after its use. */
#define SCRATCH_KEEP_BYTES (128u << 10) /* what one read may come to, and a record */
/* Output is taken in pieces of about this: an engine that goes over it by a frame, and what TLS
 * adds, still fit into what is kept, and into the processor's cache from the copy to the write. */
#define PIECE_BYTES (48u << 10)

void transport_scratch_init(struct transport_scratch *s)
{
    buf_init(&s->plain);
    buf_init(&s->cipher);
    buf_init(&s->out);
}

void transport_scratch_deinit(struct transport_scratch *s)
{
    buf_deinit(&s->plain);
    buf_deinit(&s->cipher);
    buf_deinit(&s->out);
}

static void scratch_reset(struct buf *b)
{
    if (b->capacity > SCRATCH_KEEP_BYTES) {
        buf_deinit(b);
        buf_init(b);
    } else {
        buf_clear(b);
    }
}

static void maybe_closed(struct transport *t)
{
    if (!t->stream_closed || t->posted)
        return;
    env_timer_deinit(&t->timer);
    tls_free(t->tls);
    t->tls = NULL;
    t->ops->closed(t);
}

void transport_cut(struct transport *t)
{
    t->failed = true;
    if (t->closing)
        return;
    t->closing = true;
    env_timer_stop(&t->timer);
    env_stream_close(t->stream);
}

static void fail(struct transport *t, int status, const struct err *e)
{
    if (!t->failed) {
        t->failed = true;
        t->ops->failed(t, status, e);
    }
    transport_cut(t);
}

static void send_bytes(struct transport *t, struct str bytes)
{
    t->written += bytes.len;
    env_stream_write(t->stream, bytes);
}

static void send_cipher(struct transport *t)
{
    struct buf *cipher = &t->scratch->cipher;
    if (cipher->len > 0 && !t->closing && !t->shut)
        send_bytes(t, buf_str(cipher));
    scratch_reset(cipher);
}

static void send_plain(struct transport *t, struct str bytes)
{
    if (bytes.len == 0 || t->closing || t->shut)
        return;
    if (t->tls == NULL) {
        send_bytes(t, bytes);
        return;
    }
    struct err e = { 0 };
    int rc = tls_send(t->tls, bytes, &t->scratch->cipher, &e);
    send_cipher(t);
    if (rc != 0)
        fail(t, rc, &e);
}

/* Returns the bytes of plain text. */
static size_t send_piece(struct transport *t, size_t most)
{
    struct buf *out = &t->scratch->out;
    t->ops->turn(t, out, most);
    size_t taken = out->len;
    send_plain(t, buf_str(out));
    scratch_reset(out);
    return taken;
}

/* Sends at most bytes_max, about. True: there was as much. */
static bool send_output(struct transport *t, size_t bytes_max)
{
    size_t taken;
    size_t most;
    do {
        most = bytes_max < PIECE_BYTES ? bytes_max : PIECE_BYTES;
        taken = send_piece(t, most);
        bytes_max -= taken < bytes_max ? taken : bytes_max;
    } while (bytes_max > 0 && taken >= most && !t->closing && !t->failed);
    return taken >= most && most > 0;
}

static void run_turn(struct transport *t)
{
    if (t->closing || t->failed)
        return;
    if (t->start_failed) {
        fail(t, -ERR_INVALID_ARGUMENT, NULL);
        return;
    }
    if (!t->ready) {
        if (t->tls != NULL && !tls_ready(t->tls))
            return;
        t->ready = true;
        t->ops->ready(t);
        if (t->closing || t->failed)
            return;
    }
    if (t->finishing)
        return;
    size_t queued = env_stream_queued(t->stream);
    size_t room = queued < TRANSPORT_QUEUE_BYTES ? TRANSPORT_QUEUE_BYTES - queued : 0;
    bool full = send_output(t, room);
    if (t->closing || t->failed)
        return;
    /* When the kernel is slow, its drained event brings the next turn. */
    bool more = full && env_stream_queued(t->stream) <= ENV_STREAM_LOW_BYTES;
    if (t->ops->again(t) || more)
        transport_wake(t);
}

static void on_turn(struct env_msg *m)
{
    struct transport *t = container_of(m, struct transport, msg);
    t->posted = false;
    run_turn(t);
    maybe_closed(t);
}

void transport_wake(struct transport *t)
{
    if (t->posted || t->closing)
        return;
    t->posted = true;
    env_post(t->loop, &t->msg, on_turn);
}

static void on_plain(struct transport *t, struct str bytes)
{
    if (!t->finishing && !t->failed && bytes.len > 0)
        t->ops->data(t, bytes);
}

static void on_data(void *ctx, struct str bytes)
{
    struct transport *t = ctx;
    if (t->closing || t->failed)
        return;
    if (t->tls == NULL) {
        if (!t->ready) {
            t->ready = true;
            t->ops->ready(t);
        }
        on_plain(t, bytes);
        run_turn(t);
        return;
    }
    struct err e = { 0 };
    struct buf plain = t->scratch->plain; /* taken out: data may end up here again */
    buf_init(&t->scratch->plain);
    int rc = tls_receive(t->tls, bytes, &plain, &t->scratch->cipher, &e);
    send_cipher(t);
    if (tls_ready(t->tls) && !t->ready && !t->failed) {
        t->ready = true;
        t->ops->ready(t);
    }
    on_plain(t, buf_str(&plain));
    scratch_reset(&plain);
    buf_deinit(&t->scratch->plain);
    t->scratch->plain = plain;
    if (rc != 0) {
        fail(t, rc, &e);
        return;
    }
    if (tls_peer_ended(t->tls) && !t->ready) {
        fail(t, -ERR_UNAVAILABLE, NULL); /* close_notify in the middle of the handshake */
        return;
    }
    if (tls_peer_ended(t->tls) && !t->finishing && !t->failed)
        t->ops->ended(t);
    run_turn(t);
}

static void on_end(void *ctx, int status)
{
    struct transport *t = ctx;
    if (t->finishing) {
        transport_cut(t);
    } else if (status != 0 || !t->ready) {
        fail(t, status != 0 ? status : -ERR_UNAVAILABLE, NULL);
    } else if (!t->failed) {
        t->ops->ended(t);
        run_turn(t);
    }
}

static void on_drained(void *ctx)
{
    run_turn(ctx);
}

static void on_stream_closed(void *ctx)
{
    struct transport *t = ctx;
    t->stream_closed = true;
    maybe_closed(t);
}

static void on_timer(struct env_timer *timer)
{
    struct transport *t = container_of(timer, struct transport, timer);
    if (!t->finishing) {
        if (!t->failed)
            t->ops->timer(t);
        return;
    }
    size_t queued = transport_queued(t);
    uint64_t now = env_loop_now_ms(t->loop);
    if (queued < t->linger_queued) {
        t->linger_queued = queued;
        t->linger_since_ms = now;
    }
    if (queued > 0 && now - t->linger_since_ms < TRANSPORT_STALL_MS)
        env_timer_start(&t->timer, TRANSPORT_LINGER_MS);
    else
        transport_cut(t);
}

void transport_open(struct transport *t, const struct transport_ops *ops, struct env_loop *loop,
                    struct env_stream *stream, struct tls *tls, struct transport_scratch *scratch)
{
    static const struct env_stream_events events = {
        .data = on_data, .end = on_end, .drained = on_drained, .closed = on_stream_closed
    };
    t->ops = ops;
    t->scratch = scratch;
    t->loop = loop;
    t->stream = stream;
    t->tls = tls;
    env_timer_init(loop, &t->timer, on_timer);
    env_stream_start(stream, &events, t);
    transport_wake(t);
    struct err e = { 0 };
    t->start_failed = tls != NULL && tls_start(tls, &scratch->cipher, &e) != 0;
    send_cipher(t);
}

size_t transport_queued(const struct transport *t)
{
    return t->closing ? 0 : env_stream_queued(t->stream);
}

uint64_t transport_sent(const struct transport *t)
{
    return t->written - transport_queued(t);
}

void transport_pause(struct transport *t, bool pause)
{
    if (t->closing)
        return;
    if (pause)
        env_stream_pause(t->stream);
    else
        env_stream_resume(t->stream);
}

void transport_finish(struct transport *t)
{
    if (t->finishing || t->closing)
        return;
    t->finishing = true;
    if (t->tls != NULL) {
        tls_shutdown(t->tls, &t->scratch->cipher);
        send_cipher(t);
    }
    env_stream_resume(t->stream); /* so that the peer's end is seen */
    env_stream_shutdown(t->stream);
    t->shut = true;
    t->linger_queued = SIZE_MAX;
    env_timer_start(&t->timer, TRANSPORT_LINGER_MS);
}
