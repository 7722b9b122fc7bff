/*
 * Connections that others make to us.
 *
 * Accepted → TLS → the certificate names a peer → its hello says the same, and which kind this is →
 * ours answers → frames, until either side ends. Whoever does not come so far in LINKS_HANDSHAKE_MS
 * is a stranger and cut off. A stranger costs one handshake at most and little memory; how many
 * there are, how many of one address, and how many a second is bounded, so that a crowd at the door
 * takes a bounded part of this loop's time.
 *
 * A newer connection of the same member and kind replaces the older: the peer restarted, and the
 * old one may never learn of it. One without a sign of life (the maker pings each second) for
 * LINKS_IDLE_MS is cut too.
 */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "store/links_impl.h"

struct link_in {
    struct transport t;
    struct links *links;
    struct list node;
    struct link_peer *peer; /* by the certificate, at first; NULL: forgotten */
    char name[sizeof(((struct store_member *)NULL)->name)]; /* the peer's, as long as this lives */
    bool stranger;
    enum link_kind kind;
    struct wire_input input;
    bool hello_due;
    bool pong_due;
    bool heard; /* since the last tick */
    unsigned silent;
};

static struct link_in *in_of(struct transport *t)
{
    return container_of(t, struct link_in, t);
}

/* ---- the end ---- */

static void detach(struct link_in *c)
{
    if (c->stranger) {
        c->stranger = false;
        c->links->strangers--;
    }
    if (c->peer != NULL && c->peer->in[c->kind] == c)
        c->peer->in[c->kind] = NULL;
    if (c->peer != NULL && c->kind == LINK_BULK && !c->links->closing)
        links_tell(c->links, c->peer->member.id, LINK_LOST_FROM);
    c->peer = NULL;
}

static void tell_end(struct link_in *c, const char *why)
{
    struct str who = { NULL, 0 };

    if (!c->stranger) {
        log_info("peer's connection lost", KV("peer", c->name), KV("kind", link_kind_name(c->kind)),
                 KV("address", env_stream_peer(c->t.stream)), KV("reason", why));
        return;
    }
    if (c->t.tls != NULL && c->t.ready && tls_peer(c->t.tls)->verified)
        who = tls_peer(c->t.tls)->common_name;
    links_tell_refused(c->links, env_stream_peer(c->t.stream), who, why);
}

static void in_drop(struct link_in *c, const char *why)
{
    if (c->t.closing)
        return;
    tell_end(c, why);
    detach(c);
    transport_cut(&c->t);
}

void link_in_forget(struct link_in *c)
{
    in_drop(c, "no such member any more");
}

void links_cut_ins(struct links *l)
{
    list_foreach (node, &l->ins) {
        struct link_in *c = container_of(node, struct link_in, node);

        detach(c);
        transport_cut(&c->t);
    }
}

static void in_ended(struct transport *t)
{
    in_drop(in_of(t), "closed by the peer");
}

static void in_failed(struct transport *t, int status, const struct err *e)
{
    struct link_in *c = in_of(t);

    tell_end(c, e != NULL && e->msg[0] != '\0' ? e->msg : err_name(status));
    detach(c);
}

static void in_closed(struct transport *t)
{
    struct link_in *c = in_of(t);
    struct links *l = c->links;

    list_remove(&c->node);
    wire_input_deinit(&c->input);
    mem_free(c);
    links_unlive(l);
}

/* ---- who it is ---- */

static struct link_peer *peer_of(struct links *l, const struct tls_identity *who)
{
    for (size_t i = 0; who->verified && i < l->peers_count; i++)
        for (size_t j = 0; l->peers[i] != NULL && j < who->dns_name_count; j++)
            if (str_eq_c(who->dns_names[j], l->peers[i]->tls_name))
                return l->peers[i];
    return NULL;
}

static struct link_peer *peer_by_id(struct links *l, uint64_t id)
{
    for (size_t i = 0; i < l->peers_count; i++)
        if (l->peers[i] != NULL && l->peers[i]->member.id == id)
            return l->peers[i];
    return NULL;
}

static void in_ready(struct transport *t)
{
    struct link_in *c = in_of(t);

    if (t->tls == NULL)
        return; /* the simulation: the hello is believed */
    if (peer_of(c->links, tls_peer(t->tls)) == NULL)
        in_drop(c, "no certificate of another member");
    else if (!str_eq_c(tls_alpn(t->tls), LINKS_ALPN))
        in_drop(c, "another protocol");
}

static void admit(struct link_in *c, struct link_peer *p, enum link_kind kind)
{
    if (p->in[kind] != NULL)
        in_drop(p->in[kind], "replaced by a newer one");
    c->stranger = false;
    c->links->strangers--;
    c->peer = p;
    c->kind = kind;
    memcpy(c->name, p->member.name, sizeof(c->name));
    p->in[kind] = c;
    c->input.body_bytes_max = WIRE_BODY_BYTES_MAX;
    c->hello_due = true;
    env_timer_start(&c->t.timer, LINKS_PING_MS);
    log_info("peer's connection accepted", KV("peer", c->name), KV("kind", link_kind_name(kind)),
             KV("address", env_stream_peer(c->t.stream)));
    for (int i = 0; i < LINK_KINDS; i++)
        link_slot_nudge(&p->slots[i]);
}

static int on_hello(struct link_in *c, struct str body, struct err *e)
{
    struct links *l = c->links;
    struct wire_hello hello;
    struct link_peer *p;
    int rv = wire_hello_decode(body, &hello, e);

    if (rv != 0)
        return rv;
    p = c->t.tls != NULL ? peer_of(l, tls_peer(c->t.tls)) : peer_by_id(l, hello.from);
    if (p == NULL || hello.from != p->member.id || !str_eq_c(hello.name, p->member.name))
        return err_set(e, ERR_PROTOCOL, "a hello in another member's name");
    if (hello.to != l->config.member_id)
        return err_set(e, ERR_PROTOCOL, "a hello for another member");
    if (hello.kind >= LINK_KINDS)
        return err_set(e, ERR_PROTOCOL, "a hello for a connection of kind %u", hello.kind);
    admit(c, p, (enum link_kind)hello.kind);
    return 0;
}

/* ---- what it says ---- */

static int on_read_frame(struct link_in *c, const struct wire_header *h, struct str body,
                         struct err *e)
{
    struct links *l = c->links;
    struct wire_read read;
    int rv = wire_read_decode(h, body, &read, e);

    if (rv == 0)
        l->config.read(l->config.ctx, (enum store_group_id)h->group, c->peer->member.id, &read);
    return rv;
}

static int on_writes_frame(struct link_in *c, const struct wire_header *h, struct str body,
                           struct err *e)
{
    struct links *l = c->links;
    struct wire_writes writes;
    int rv = wire_writes_decode(h, body, &writes, e);

    return rv != 0 ? rv
                   : l->config.writes(l->config.ctx, (enum store_group_id)h->group,
                                      c->peer->member.id, &writes, e);
}

static int on_message_frame(struct link_in *c, const struct wire_header *h, struct str body,
                            struct err *e)
{
    struct links *l = c->links;
    struct raft_message m;
    int rv = wire_decode(h, body, &m, e);

    if (rv != 0)
        return rv;
    m.server_id = c->peer->member.id;
    m.server_address = c->name;
    l->config.message(l->config.ctx, (enum store_group_id)h->group, &m);
    return 0;
}

static int on_frame(void *ctx, const struct wire_header *h, struct str body, struct err *e)
{
    struct link_in *c = ctx;
    int rv;

    if (c->stranger && h->type == WIRE_HELLO)
        return on_hello(c, body, e);
    if (c->stranger || h->type == WIRE_HELLO || h->type == WIRE_PONG)
        return err_set(e, ERR_PROTOCOL, "a frame of type %u at this point", h->type);
    if (h->type == WIRE_PING) {
        c->pong_due = true;
        return 0;
    }
    rv = wire_is_read(h->type)     ? on_read_frame(c, h, body, e)
         : wire_is_writes(h->type) ? on_writes_frame(c, h, body, e)
                                   : on_message_frame(c, h, body, e);
    if (rv != 0)
        return rv;
    /* The callee may have closed everything, or sent this member away. */
    return c->t.closing ? -ERR_CANCELED : 0;
}

static void in_data(struct transport *t, struct str bytes)
{
    struct link_in *c = in_of(t);
    struct err e = { 0 };

    c->heard = true;
    if (!c->stranger) {
        c->peer->received_bytes += bytes.len;
        link_peer_publish(c->peer);
    }
    if (wire_input_feed(&c->input, bytes, on_frame, c, &e) != 0)
        in_drop(c, e.msg);
}

static void in_turn(struct transport *t, struct buf *out, size_t bytes_max)
{
    struct link_in *c = in_of(t);

    (void)bytes_max; /* at most a hello and one answer to however many pings */
    if (c->hello_due) {
        struct wire_hello hello = { .kind = (uint8_t)c->kind,
                                    .from = c->links->config.member_id,
                                    .to = c->peer->member.id,
                                    .name = str_from(c->links->own_name) };

        wire_hello_encode(&hello, out);
        c->hello_due = false;
    }
    if (c->pong_due)
        wire_signal_encode(WIRE_PONG, out);
    c->pong_due = false;
}

static bool in_again(struct transport *t)
{
    (void)t; /* a turn follows all data */
    return false;
}

static void in_timer(struct transport *t)
{
    struct link_in *c = in_of(t);

    c->silent = c->heard ? 0 : c->silent + 1;
    c->heard = false;
    if (c->stranger)
        in_drop(c, "did not show who it is in time");
    else if (c->silent * LINKS_PING_MS >= LINKS_IDLE_MS)
        in_drop(c, "silent");
    else
        env_timer_start(&t->timer, LINKS_PING_MS);
}

/* ---- the door ---- */

/* A peer's address without its port. */
static struct str host_of(const char *address)
{
    const char *colon = strrchr(address, ':');

    return colon != NULL ? str_of(address, (size_t)(colon - address)) : str_from(address);
}

static size_t strangers_of(const struct links *l, struct str host)
{
    size_t count = 0;

    list_foreach (node, &l->ins) {
        const struct link_in *c = container_of(node, struct link_in, node);

        if (c->stranger && str_eq(host_of(env_stream_peer(c->t.stream)), host))
            count++;
    }
    return count;
}

/* A bucket that leaks LINKS_ACCEPTS_PER_S and holds LINKS_ACCEPTS_MAX. */
static bool too_fast(struct links *l)
{
    uint64_t now = env_loop_now_ms(l->config.loop);
    uint64_t each_ms = 1000 / LINKS_ACCEPTS_PER_S;

    if (l->accept_due_ms < now)
        l->accept_due_ms = now;
    if (l->accept_due_ms - now >= LINKS_ACCEPTS_MAX * each_ms)
        return true;
    l->accept_due_ms += each_ms;
    return false;
}

static const char *reason_to_refuse(struct links *l, const char *address)
{
    if (l->strangers >= LINKS_ACCEPTS_MAX)
        return "too many connections at once";
    if (strangers_of(l, host_of(address)) >= LINKS_ACCEPTS_OF_HOST_MAX)
        return "too many connections of one address at once";
    if (too_fast(l))
        return "too many connections a second";
    return NULL;
}

void links_on_accept(void *ctx, struct env_stream *stream)
{
    static const struct transport_ops ops = { .ready = in_ready,
                                              .data = in_data,
                                              .turn = in_turn,
                                              .again = in_again,
                                              .ended = in_ended,
                                              .failed = in_failed,
                                              .timer = in_timer,
                                              .closed = in_closed };
    struct links *l = ctx;
    const char *why = reason_to_refuse(l, env_stream_peer(stream));
    struct link_in *c;

    if (why != NULL) {
        links_tell_refused(l, env_stream_peer(stream), str_from(NULL), why);
        env_stream_close(stream);
        return;
    }
    c = mem_alloc(sizeof(*c));
    c->links = l;
    c->stranger = true;
    wire_input_init(&c->input, WIRE_HELLO_BYTES_MAX);
    list_append(&l->ins, &c->node);
    l->strangers++;
    l->live++;
    transport_open(&c->t, &ops, l->config.loop, stream,
                   l->server_tls != NULL ? tls_server_new(l->server_tls) : NULL, &l->scratch);
    env_timer_start(&c->t.timer, LINKS_HANDSHAKE_MS);
}
