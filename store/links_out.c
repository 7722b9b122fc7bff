/*
 * Connections of our own making: two slots a peer, each with at most one attempt or connection.
 *
 * Happy path: the slot's timer → the address is resolved → each number is tried → TLS (the server
 * must be gantry-member-<name>) → our hello → the peer's → open: queued messages are encoded, piece
 * by piece, as the transport asks for output. Only the peer's hello opens a connection: with TLS
 * 1.3 a client is ready before the server has looked at its certificate.
 *
 * Failure: whatever breaks an attempt or a connection ends in slot_lost: what waits is finished,
 * and the slot's timer runs with a delay that doubles until a connection has answered a ping: one
 * that breaks as soon as it is open is no better than none.
 *
 * A vanished peer sends nothing that would break a connection: each second there is a ping. Without
 * an answer for LINKS_SILENCE_MS the connection is cut; for entries, which may keep a slow network
 * busy for long, without an answer and without any byte taken for LINKS_STALL_MS. Ticks are
 * counted, not time: a stall of this loop is nobody's silence.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "store/links_impl.h"

struct link_dial {
    struct links *links;
    struct link_slot *slot; /* NULL: given up */
    struct env_resolve resolve;
    struct env_connect connect;
    size_t tried;   /* of the addresses */
    size_t refused; /* of these */
    bool resolving;
};

struct link_out {
    struct transport t;
    struct links *links;
    struct link_slot *slot; /* NULL: given up */
    struct wire_input input;
    bool open;
    bool hello_due;
    bool ping_due;
    bool ping_asked; /* and not answered */
    bool heard;      /* since the last tick */
    unsigned silent;
    uint64_t sent;
    uint64_t taken; /* of sent by the kernel, at the last tick, about */
};

static struct link_out *out_of(struct transport *t)
{
    return container_of(t, struct link_out, t);
}

/* ---- slots ---- */

static void fail_queue(struct link_slot *s, int status)
{
    for (int g = 0; g < LINK_GROUPS; g++)
        for (struct list *node = list_pop(&s->queue[g]); node != NULL;
             node = list_pop(&s->queue[g]))
            links_finish(s->peer->links, container_of(node, struct link_send, node), status);
    s->queued_bytes = 0;
}

static void slot_retry(struct link_slot *s)
{
    uint64_t half = s->delay_ms / 2;
    uint64_t jitter = env_random_u64(s->peer->links->config.env) % (half + 1);

    env_timer_start(&s->retry, half + jitter);
    s->delay_ms = s->delay_ms * 2 < LINKS_RETRY_MS_MAX ? s->delay_ms * 2 : LINKS_RETRY_MS_MAX;
}

/* A peer that is down is worth a line a minute. */
static void tell_unreachable(struct link_slot *s, const char *why)
{
    uint64_t now = env_loop_now_ms(s->peer->links->config.loop);

    if (s->told_ms != 0 && now - s->told_ms < LINKS_QUIET_MS)
        return;
    s->told_ms = now;
    log_warn("peer unreachable", KV("peer", s->peer->member.name),
             KV("kind", link_kind_name(s->kind)), KV("address", s->peer->member.raft_address),
             KV("reason", why));
}

static void slot_lost(struct link_slot *s, bool was_open, const char *why)
{
    struct link_peer *p = s->peer;

    s->dial = NULL;
    s->conn = NULL;
    if (was_open) {
        p->reconnects++;
        log_warn("peer lost", KV("peer", p->member.name), KV("kind", link_kind_name(s->kind)),
                 KV("address", p->member.raft_address), KV("reason", why));
    } else {
        s->first++; /* somebody else may have answered there */
        tell_unreachable(s, why);
    }
    fail_queue(s, RAFT_NOCONNECTION);
    if (was_open && s->kind == LINK_BULK)
        links_tell(p->links, p->member.id, LINK_LOST);
    slot_retry(s);
    link_peer_publish(p);
}

void link_slot_cancel(struct link_slot *s, enum store_group_id group)
{
    struct list *queue = &s->queue[group - STORE_CLUSTER];
    struct list *node;

    while ((node = list_pop(queue)) != NULL) {
        struct link_send *send = container_of(node, struct link_send, node);

        s->queued_bytes -= send->bytes;
        links_finish(s->peer->links, send, RAFT_CANCELED);
    }
    link_peer_publish(s->peer);
}

bool link_slot_is_open(const struct link_slot *s)
{
    return s->conn != NULL && s->conn->open;
}

void link_slot_wake(struct link_slot *s)
{
    transport_wake(&s->conn->t);
}

void link_slot_nudge(struct link_slot *s)
{
    if (env_timer_active(&s->retry))
        env_timer_start(&s->retry, 0);
}

/* ---- a connection's events ---- */

static void out_drop(struct link_out *c, const char *why)
{
    struct link_slot *s = c->slot;

    if (c->t.closing)
        return;
    c->slot = NULL;
    transport_cut(&c->t);
    if (s != NULL)
        slot_lost(s, c->open, why);
}

static void out_ready(struct transport *t)
{
    struct link_out *c = out_of(t);

    if (t->tls != NULL && !str_eq_c(tls_alpn(t->tls), LINKS_ALPN))
        out_drop(c, "another protocol");
    c->hello_due = true;
}

static int on_hello(struct link_out *c, struct str body, struct err *e)
{
    struct link_slot *s = c->slot;
    struct link_peer *p = s->peer;
    struct wire_hello hello;
    int rv = wire_hello_decode(body, &hello, e);

    if (rv != 0)
        return rv;
    if (hello.from != p->member.id || !str_eq_c(hello.name, p->member.name) ||
        hello.to != c->links->config.member_id || hello.kind != s->kind)
        return err_set(e, ERR_PROTOCOL, "another member's hello");
    c->open = true;
    s->told_ms = 0;
    env_timer_start(&c->t.timer, LINKS_PING_MS);
    link_peer_publish(p);
    log_info("peer connected", KV("peer", p->member.name), KV("kind", link_kind_name(s->kind)),
             KV("address", env_stream_peer(c->t.stream)));
    return 0;
}

static int on_frame(void *ctx, const struct wire_header *h, struct str body, struct err *e)
{
    struct link_out *c = ctx;

    if (!c->open && h->type == WIRE_HELLO)
        return on_hello(c, body, e);
    if (!c->open || h->type != WIRE_PONG)
        return err_set(e, ERR_PROTOCOL, "a frame of type %u at this point", h->type);
    c->ping_asked = false;
    c->slot->delay_ms = LINKS_RETRY_MS_MIN;
    return 0;
}

static void out_data(struct transport *t, struct str bytes)
{
    struct link_out *c = out_of(t);
    struct err e = { 0 };

    c->heard = true;
    if (wire_input_feed(&c->input, bytes, on_frame, c, &e) != 0)
        out_drop(c, e.msg);
}

static struct link_send *next_send(struct link_slot *s)
{
    for (int g = 0; g < LINK_GROUPS; g++)
        if (!list_empty(&s->queue[g]))
            return container_of(s->queue[g].next, struct link_send, node);
    return NULL;
}

static void fill(struct link_slot *s, struct buf *out, size_t bytes_max)
{
    struct link_send *send;

    while (out->len < bytes_max && (send = next_send(s)) != NULL) {
        const struct raft_message *m = &send->message;

        if (send->frame != NULL)
            send->frame->encode(send->frame, out);
        else if (wire_is_read((uint8_t)send->read.type))
            wire_read_encode(&send->read, send->group, out);
        else
            send->next = wire_encode(m, send->group, send->next, LINKS_PIECE_BYTES, out);
        if (m->type == RAFT_IO_APPEND_ENTRIES && send->next < m->append_entries.n_entries)
            continue;
        list_remove(&send->node);
        s->queued_bytes -= send->bytes;
        links_finish(s->peer->links, send, 0);
    }
}

static void out_turn(struct transport *t, struct buf *out, size_t bytes_max)
{
    struct link_out *c = out_of(t);

    if (c->hello_due) {
        struct wire_hello hello = { .kind = (uint8_t)c->slot->kind,
                                    .from = c->links->config.member_id,
                                    .to = c->slot->peer->member.id,
                                    .name = str_from(c->links->own_name) };

        wire_hello_encode(&hello, out);
        c->hello_due = false;
    }
    if (!c->open)
        return;
    if (c->ping_due)
        wire_signal_encode(WIRE_PING, out);
    c->ping_due = false;
    fill(c->slot, out, bytes_max);
    c->sent += out->len;
    c->slot->peer->sent_bytes += out->len;
    if (out->len > 0)
        link_peer_publish(c->slot->peer);
}

static bool out_again(struct transport *t)
{
    (void)t; /* when the output was cut short by its bound, the transport knows */
    return false;
}

static void out_ended(struct transport *t)
{
    out_drop(out_of(t), "closed by the peer");
}

static void out_failed(struct transport *t, int status, const struct err *e)
{
    struct link_out *c = out_of(t);
    struct link_slot *s = c->slot;

    c->slot = NULL;
    if (s != NULL)
        slot_lost(s, c->open, e != NULL && e->msg[0] != '\0' ? e->msg : err_name(status));
}

/* A tick without an answer, and for entries without anything taken. */
static bool was_silent(struct link_out *c)
{
    size_t queued = transport_queued(&c->t);
    uint64_t taken = c->sent > queued ? c->sent - queued : 0;
    bool moved = c->slot->kind == LINK_BULK && taken > c->taken;
    bool silent = c->ping_asked && !c->heard && !moved;

    if (taken > c->taken)
        c->taken = taken;
    c->heard = false;
    return silent;
}

static void out_timer(struct transport *t)
{
    struct link_out *c = out_of(t);
    unsigned limit_ms = c->slot->kind == LINK_BULK ? LINKS_STALL_MS : LINKS_SILENCE_MS;

    if (!c->open) {
        out_drop(c, "no hello in time");
        return;
    }
    c->silent = was_silent(c) ? c->silent + 1 : 0;
    if (c->silent * LINKS_PING_MS >= limit_ms) {
        out_drop(c, "silent");
        return;
    }
    if (!c->ping_asked) {
        c->ping_asked = true;
        c->ping_due = true;
        transport_wake(t);
    }
    env_timer_start(&t->timer, LINKS_PING_MS);
}

static void out_closed(struct transport *t)
{
    struct link_out *c = out_of(t);
    struct links *l = c->links;

    wire_input_deinit(&c->input);
    mem_free(c);
    links_unlive(l);
}

static void out_open(struct link_slot *s, struct env_stream *stream)
{
    static const struct transport_ops ops = { .ready = out_ready,
                                              .data = out_data,
                                              .turn = out_turn,
                                              .again = out_again,
                                              .ended = out_ended,
                                              .failed = out_failed,
                                              .timer = out_timer,
                                              .closed = out_closed };
    struct links *l = s->peer->links;
    struct tls *tls =
        l->client_tls != NULL ? tls_client_new(l->client_tls, s->peer->tls_name) : NULL;
    struct link_out *c = mem_alloc(sizeof(*c));

    c->links = l;
    c->slot = s;
    s->conn = c;
    wire_input_init(&c->input, WIRE_HELLO_BYTES_MAX);
    l->live++;
    transport_open(&c->t, &ops, l->config.loop, stream, tls, &l->scratch);
    env_timer_start(&c->t.timer, LINKS_HANDSHAKE_MS);
}

/* ---- attempts ---- */

static void dial_free(struct link_dial *d)
{
    struct links *l = d->links;

    mem_free(d);
    links_unlive(l);
}

static void on_connected(struct env_connect *connect, struct env_stream *stream, int status);

/* Some connection with the peer is open, either way. */
static bool is_heard(const struct link_peer *p)
{
    for (int i = 0; i < LINK_KINDS; i++)
        if (p->in[i] != NULL || p->slots[i].conn != NULL)
            return true;
    return false;
}

static void dial_next(struct link_dial *d, int status)
{
    struct link_slot *s = d->slot;

    if (d->tried < d->resolve.count) {
        size_t at = (s->first + d->tried++) % d->resolve.count;

        env_connect(d->links->config.loop, &d->connect, d->resolve.addresses[at], LINKS_CONNECT_MS,
                    on_connected);
        return;
    }
    if (d->refused > 0 && d->refused == d->tried && !is_heard(s->peer))
        links_tell(d->links, s->peer->member.id, LINK_GONE);
    dial_free(d);
    slot_lost(s, false, err_name(status));
}

static void on_connected(struct env_connect *connect, struct env_stream *stream, int status)
{
    struct link_dial *d = container_of(connect, struct link_dial, connect);
    struct link_slot *s = d->slot;

    if (s == NULL) {
        if (status == 0)
            env_stream_close(stream);
        dial_free(d);
    } else if (status != 0) {
        d->refused += status == -ERR_UNAVAILABLE ? 1 : 0;
        dial_next(d, status);
    } else {
        s->dial = NULL;
        out_open(s, stream);
        dial_free(d);
    }
}

static void on_resolved(struct env_resolve *resolve, int status)
{
    struct link_dial *d = container_of(resolve, struct link_dial, resolve);

    d->resolving = false;
    if (status != 0)
        d->resolve.count = 0;
    if (d->slot == NULL)
        dial_free(d);
    else
        dial_next(d, status);
}

static void on_retry(struct env_timer *t)
{
    struct link_slot *s = container_of(t, struct link_slot, retry);
    struct links *l = s->peer->links;
    struct link_dial *d = mem_alloc(sizeof(*d));

    ASSERT(s->dial == NULL);
    ASSERT(s->conn == NULL);
    d->links = l;
    d->slot = s;
    d->resolving = true;
    s->dial = d;
    l->live++;
    env_resolve(l->config.loop, &d->resolve, s->peer->member.raft_address, on_resolved);
}

/* ---- life ---- */

void link_slot_init(struct link_slot *s, struct link_peer *p, enum link_kind kind)
{
    s->peer = p;
    s->kind = kind;
    s->delay_ms = LINKS_RETRY_MS_MIN;
    for (int g = 0; g < LINK_GROUPS; g++)
        list_init(&s->queue[g]);
    env_timer_init(p->links->config.loop, &s->retry, on_retry);
    env_timer_start(&s->retry, 0);
}

void link_slot_deinit(struct link_slot *s, int status)
{
    struct links *l = s->peer->links;

    env_timer_deinit(&s->retry);
    fail_queue(s, status);
    if (s->dial != NULL) {
        s->dial->slot = NULL;
        if (s->dial->resolving)
            env_resolve_cancel(&s->dial->resolve);
        else
            env_connect_cancel(&s->dial->connect);
    }
    if (s->conn != NULL) {
        if (s->conn->open && s->kind == LINK_BULK && !l->closing)
            links_tell(l, s->peer->member.id, LINK_LOST);
        s->conn->slot = NULL;
        transport_cut(&s->conn->t);
    }
    s->dial = NULL;
    s->conn = NULL;
}
