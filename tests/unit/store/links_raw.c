/* See the header. */
#include "tests/unit/store/links_raw.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "tests/unit/unit.h"

/* ---- identities ---- */

static const char *const raw_alpn[] = { LINKS_ALPN, NULL };

struct tls_context *links_raw_client_tls(struct links_world *w, const struct pki_pair *own,
                                         bool alpn)
{
    struct tls_options o = { .certificate_pem = own->certificate_pem,
                             .key_pem = own->key_pem,
                             .ca_pem = w->ca.certificate_pem,
                             .alpn = alpn ? raw_alpn : NULL };
    struct err e = { 0 };
    struct tls_context *c = tls_client_context_new(&o, &e);

    assert_non_null(c);
    return c;
}

struct tls_context *links_raw_server_tls(struct links_world *w, const struct pki_pair *own)
{
    struct tls_options o = { .certificate_pem = own->certificate_pem,
                             .key_pem = own->key_pem,
                             .ca_pem = w->ca.certificate_pem,
                             .alpn = raw_alpn };
    struct err e = { 0 };
    struct tls_context *c = tls_server_context_new(&o, &e);

    assert_non_null(c);
    return c;
}

/* ---- the connection ---- */

static struct links_raw *raw_of(struct transport *t)
{
    return container_of(t, struct links_raw, t);
}

static void raw_ready(struct transport *t)
{
    raw_of(t)->ready = true;
}

static void raw_data(struct transport *t, struct str bytes)
{
    buf_append_str(&raw_of(t)->in, bytes);
}

static void raw_turn(struct transport *t, struct buf *out, size_t bytes_max)
{
    struct links_raw *r = raw_of(t);

    (void)bytes_max;
    buf_append_str(out, buf_str(&r->out));
    buf_clear(&r->out);
}

static bool raw_again(struct transport *t)
{
    (void)t;
    return false;
}

static void raw_ended(struct transport *t)
{
    raw_of(t)->over = true;
    transport_cut(t);
}

static void raw_failed(struct transport *t, int status, const struct err *e)
{
    (void)status;
    (void)e;
    raw_of(t)->over = true;
}

static void raw_timer(struct transport *t)
{
    (void)t; /* never started */
}

static void raw_closed(struct transport *t)
{
    raw_of(t)->closed = true;
}

static const struct transport_ops client_ops = { .ready = raw_ready,
                                                 .data = raw_data,
                                                 .turn = raw_turn,
                                                 .again = raw_again,
                                                 .ended = raw_ended,
                                                 .failed = raw_failed,
                                                 .timer = raw_timer,
                                                 .closed = raw_closed };

static void raw_init(struct links_raw *r, struct links_world *w, int member)
{
    memset(r, 0, sizeof(*r));
    r->w = w;
    r->member = member;
    transport_scratch_init(&r->scratch);
    buf_init(&r->out);
    buf_init(&r->in);
}

static void on_dialed(struct env_connect *c, struct env_stream *s, int status)
{
    struct links_raw *r = container_of(c, struct links_raw, connect);

    r->dialed = true;
    if (status != 0)
        return;
    r->is_open = true;
    transport_open(&r->t, &client_ops, r->w->members[r->member].loop, s,
                   r->tls != NULL ? tls_client_new(r->tls, r->server_name) : NULL, &r->scratch);
}

static void dial_here(void *ctx)
{
    struct links_raw *r = ctx;

    env_connect(r->w->members[r->member].loop, &r->connect, r->address, 0, on_dialed);
}

static bool is_dialed(void *ctx)
{
    return ((struct links_raw *)ctx)->dialed;
}

void links_raw_dial(struct links_raw *r, struct links_world *w, int from, const char *address,
                    struct tls_context *tls, const char *server_name)
{
    raw_init(r, w, from);
    r->address = address;
    r->tls = tls;
    r->server_name = server_name;
    links_world_do(w, from, dial_here, r);
    links_world_until(w, from, is_dialed, r);
}

struct saying {
    struct links_raw *r;
    struct str bytes;
};

static void say_here(void *ctx)
{
    struct saying *s = ctx;

    buf_append_str(&s->r->out, s->bytes);
    if (s->r->is_open && !s->r->closed)
        transport_wake(&s->r->t);
}

void links_raw_say(struct links_raw *r, struct str bytes)
{
    struct saying s = { r, bytes };

    links_world_do(r->w, r->member, say_here, &s);
}

static struct str name_of(const struct links_world *w, uint64_t id)
{
    return id <= LINKS_WORLD_MEMBERS ? str_from(w->roster[id - 1].name) : str_lit("nobody");
}

void links_raw_hello_as(struct links_raw *r, uint8_t kind, uint64_t from, const char *name,
                        uint64_t to)
{
    struct wire_hello hello = { kind, from, to,
                                name != NULL ? str_from(name) : name_of(r->w, from) };
    struct buf b;

    buf_init(&b);
    wire_hello_encode(&hello, &b);
    links_raw_say(r, buf_str(&b));
    buf_deinit(&b);
}

void links_raw_hello(struct links_raw *r, uint8_t kind, uint64_t from, uint64_t to)
{
    links_raw_hello_as(r, kind, from, NULL, to);
}

struct waiting {
    struct links_raw *r;
    size_t len;
};

static bool has_bytes(void *ctx)
{
    struct waiting *x = ctx;

    return x->r->in.len >= x->len;
}

void links_raw_await_bytes(struct links_raw *r, size_t len)
{
    struct waiting x = { r, len };

    links_world_until(r->w, r->member, has_bytes, &x);
}

static bool is_over(void *ctx)
{
    struct links_raw *r = ctx;

    return !r->is_open || r->over;
}

void links_raw_await_over(struct links_raw *r)
{
    links_world_until(r->w, r->member, is_over, r);
}

static void cut_here(void *ctx)
{
    struct links_raw *r = ctx;

    if (r->is_open && !r->closed)
        transport_cut(&r->t);
}

static bool is_closed(void *ctx)
{
    struct links_raw *r = ctx;

    return !r->is_open || r->closed;
}

void links_raw_deinit(struct links_raw *r)
{
    links_world_do(r->w, r->member, cut_here, r);
    links_world_until(r->w, r->member, is_closed, r);
    transport_scratch_deinit(&r->scratch);
    buf_deinit(&r->out);
    buf_deinit(&r->in);
}

/* ---- in the place of a member ---- */

struct guest {
    struct links_raw raw;
    struct links_raw_door *door;
    bool answered;
};

static void answer_hello(struct guest *g)
{
    struct links_raw *r = &g->raw;
    struct links_raw_door *d = g->door;
    struct wire_hello asked;
    struct wire_hello hello;
    struct wire_header h;

    if (g->answered || !d->answer || r->in.len < WIRE_HEADER_BYTES)
        return;
    ASSERT(wire_header_decode(r->in.data, &h, NULL) == 0);
    if (r->in.len < WIRE_HEADER_BYTES + h.length)
        return;
    ASSERT(wire_hello_decode(str_of(r->in.data + WIRE_HEADER_BYTES, h.length), &asked, NULL) == 0);
    g->answered = true;
    if (asked.kind < LINK_KINDS)
        d->answered[asked.kind] = r;
    hello.from = d->answer_id != 0 ? d->answer_id : d->w->roster[d->member].id;
    hello.to = asked.from;
    hello.kind = d->answer_kind >= 0 ? (uint8_t)d->answer_kind : asked.kind;
    hello.name = d->answer_name != NULL ? str_from(d->answer_name) : name_of(d->w, hello.from);
    wire_hello_encode(&hello, &r->out);
    buf_append_str(&r->out, d->then);
    buf_consume(&r->in, WIRE_HEADER_BYTES + h.length);
    if (d->pause_bulk && asked.kind == LINK_BULK)
        transport_pause(&r->t, true);
}

static void guest_data(struct transport *t, struct str bytes)
{
    raw_data(t, bytes);
    answer_hello(container_of(raw_of(t), struct guest, raw));
}

static void on_guest(void *ctx, struct env_stream *s)
{
    static const struct transport_ops ops = { .ready = raw_ready,
                                              .data = guest_data,
                                              .turn = raw_turn,
                                              .again = raw_again,
                                              .ended = raw_ended,
                                              .failed = raw_failed,
                                              .timer = raw_timer,
                                              .closed = raw_closed };
    struct links_raw_door *d = ctx;
    struct guest *g;

    if (d->count >= LINKS_RAW_ACCEPTS) {
        d->count++;
        env_stream_close(s);
        return;
    }
    g = mem_alloc(sizeof(*g));
    raw_init(&g->raw, d->w, d->member);
    g->door = d;
    g->raw.is_open = true;
    d->conns[d->count++] = &g->raw;
    transport_open(&g->raw.t, &ops, d->w->members[d->member].loop, s,
                   d->tls != NULL ? tls_server_new(d->tls) : NULL, &g->raw.scratch);
}

static void listen_here(void *ctx)
{
    struct links_raw_door *d = ctx;
    struct store_member *row = &d->w->roster[d->member];
    struct err e = { 0 };

    ASSERT(env_listen(d->w->members[d->member].loop,
                      d->w->sim ? row->raft_address : "tcp:127.0.0.1:0", false, on_guest, d,
                      &d->listener, &e) == 0);
    if (!d->w->sim)
        (void)snprintf(row->raft_address, sizeof(row->raft_address), "tcp:127.0.0.1:%d",
                       env_listener_port(d->listener));
}

void links_raw_listen(struct links_raw_door *d, struct links_world *w, int i,
                      struct tls_context *tls)
{
    memset(d, 0, sizeof(*d));
    d->w = w;
    d->member = i;
    d->tls = tls;
    d->answer = true;
    d->answer_kind = -1;
    links_world_do(w, i, listen_here, d);
}

static void unlisten_here(void *ctx)
{
    struct links_raw_door *d = ctx;

    env_listener_close(d->listener);
}

void links_raw_door_deinit(struct links_raw_door *d)
{
    links_world_do(d->w, d->member, unlisten_here, d);
    for (size_t i = 0; i < LINKS_RAW_ACCEPTS && d->conns[i] != NULL; i++) {
        links_raw_deinit(d->conns[i]);
        mem_free(container_of(d->conns[i], struct guest, raw));
    }
}
