/* See peers.h. One HTTP/2 client per other member, connected when first needed. A client that is
 * not needed any more closes by itself; `live` counts what must be gone before peers is. */
#include "store/peers.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "net/client.h"
#include "net/server.h"
#include "net/tls.h"
#include "store/proto/peer.pb-c.h"

#define PEM_BYTES_MAX (256u << 10)
#define NAME_PREFIX   "gantry-member-"
#define CONNECT_MS    1000
#define PING_MS       5000

struct peer {
    struct store_member member;
    char name[sizeof(NAME_PREFIX) + sizeof(((struct store_member *)NULL)->name)];
    struct http_client *client; /* NULL: this member */
};

struct peers {
    struct peers_config config;
    struct tls_context *server_tls;
    struct tls_context *client_tls;
    struct http_server *server;
    struct peer peers[STORE_MEMBERS_MAX];
    size_t count;
    struct http_header says; /* simulated: who we are */
    char id[24];
    size_t live; /* clients, the server, and one for being open */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static void on_refused(struct http_exchange *x, int status)
{
    (void)x;
    (void)status; /* nothing was kept for it */
}

static void on_request(void *ctx, struct http_exchange *x)
{
    static const struct http_exchange_events refused = { .closed = on_refused };
    struct peers *p = ctx;
    const struct grpc_service *services[3] = { p->config.service };
    size_t count = 1;

    if (p->config.copies != NULL)
        services[count++] = p->config.copies;
    if (p->config.members != NULL)
        services[count++] = p->config.members;
    if (!grpc_serve(x, services, count)) {
        x->events = &refused;
        http_reply(x, 404, "text/plain", str_lit("gRPC only\n"));
    }
}

/* Simulated: who it says it is, if we know such a member. */
static uint64_t said_caller(struct peers *p, const struct grpc_stream *s)
{
    uint64_t id = 0;

    if (str_to_u64(http_headers_get(&s->x->headers, PEERS_SAYS_HEADER), &id) != 0)
        return 0;
    for (size_t i = 0; i < p->count; i++)
        if (p->peers[i].member.id == id && id != p->config.member_id)
            return id;
    return 0;
}

uint64_t peers_caller(struct peers *p, const struct grpc_stream *s)
{
    const struct tls_identity *who = s->x->peer->identity;

    if (p->config.simulated)
        return said_caller(p, s);
    for (size_t i = 0; who->verified && i < p->count; i++) {
        if (p->peers[i].member.id == p->config.member_id)
            continue;
        for (size_t j = 0; j < who->dns_name_count; j++)
            if (str_eq_c(who->dns_names[j], p->peers[i].name))
                return p->peers[i].member.id;
    }
    return 0;
}

bool peers_is_named(struct peers *p, const struct grpc_stream *s, const char *name)
{
    const struct tls_identity *who = s->x->peer->identity;
    char dns[sizeof(((struct peer *)NULL)->name)];

    (void)p;                                                     /* the certificate alone tells */
    (void)snprintf(dns, sizeof(dns), "%s%s", NAME_PREFIX, name); /* a name that is cut is no name */
    for (size_t i = 0; who->verified && i < who->dns_name_count; i++)
        if (str_eq_c(who->dns_names[i], dns))
            return true;
    return false;
}

size_t peers_ids(const struct peers *p, uint64_t out[STORE_MEMBERS_MAX])
{
    for (size_t i = 0; i < p->count; i++)
        out[i] = p->peers[i].member.id;
    return p->count;
}

/* ---- calls ---- */

/* A turn later, so that nothing of the call is in use: done may hand the struct to another thread,
 * which frees it. */
static void finish_call(struct env_msg *m)
{
    struct peer_call *c = container_of(m, struct peer_call, msg);
    int status = grpc_call_error(&c->grpc, &c->err);
    struct str reply = c->grpc.reply;
    char *bytes = mem_dup(reply.data, reply.len);

    c->refused = c->grpc.refused;
    grpc_call_deinit(&c->grpc);
    c->done(c, status, str_of(bytes, reply.len));
    mem_free(bytes);
}

static void on_call_done(struct grpc_call *g)
{
    struct peer_call *c = container_of(g, struct peer_call, grpc);

    env_post(c->peers->config.loop, &c->msg, finish_call);
}

static void finish_unknown(struct env_msg *m)
{
    struct peer_call *c = container_of(m, struct peer_call, msg);

    c->refused = true;
    c->done(c, -ERR_UNAVAILABLE, str_of("", 0));
}

static const struct grpc_call_events call_events = { .done = on_call_done };

void peers_call(struct peers *p, uint64_t member_id, struct peer_call *c, const char *path,
                struct str request, uint64_t timeout_ms)
{
    struct http_client *client = NULL;

    for (size_t i = 0; i < p->count; i++)
        if (p->peers[i].member.id == member_id)
            client = p->peers[i].client;
    memset(&c->grpc, 0, sizeof(c->grpc));
    c->peers = p;
    if (client == NULL) {
        env_post(p->config.loop, &c->msg, finish_unknown);
        return;
    }
    c->grpc.path = path;
    c->grpc.kind = GRPC_UNARY;
    c->grpc.timeout_ms = timeout_ms;
    c->grpc.message_bytes_max = PEER_MESSAGE_BYTES_MAX;
    c->grpc.events = &call_events;
    if (p->config.simulated) {
        c->grpc.metadata = &p->says;
        c->grpc.metadata_count = 1;
    }
    grpc_call_start(client, &c->grpc, request);
}

void peers_cancel(struct peer_call *c)
{
    /* Else its end is on the way. */
    if (grpc_call_active(&c->grpc))
        grpc_call_cancel(&c->grpc);
}

/* ---- opening ---- */

int peers_tls(const struct peers_tls_files *f, const char *const *alpn,
              struct tls_context **out_server, struct tls_context **out_client, struct err *e)
{
    struct tls_options o = { .alpn = alpn };
    struct tls_context *server;
    struct tls_context *client;
    struct err why = { 0 };
    struct arena a;
    int rv;

    arena_init(&a);
    rv = env_file_read(f->env, &a, f->ca_file, PEM_BYTES_MAX, &o.ca_pem, e);
    if (rv == 0)
        rv = env_file_read(f->env, &a, f->cert_file, PEM_BYTES_MAX, &o.certificate_pem, e);
    if (rv == 0)
        rv = env_file_read(f->env, &a, f->key_file, PEM_BYTES_MAX, &o.key_pem, e);
    if (rv == 0) {
        server = tls_server_context_new(&o, &why);
        client = server == NULL ? NULL : tls_client_context_new(&o, &why);
        if (client == NULL) {
            tls_context_unref(server);
            rv = err_set(e, why.code, "%s: %s", f->cert_file, why.msg);
        } else {
            *out_server = server;
            *out_client = client;
        }
    }
    arena_deinit(&a);
    return rv;
}

static int load_tls(struct peers *p, struct err *e)
{
    static const char *const alpn[] = { "h2", NULL };
    const struct peers_config *c = &p->config;
    const struct peers_tls_files files = { c->env, c->ca_file, c->cert_file, c->key_file };

    return peers_tls(&files, alpn, &p->server_tls, &p->client_tls, e);
}

static void on_part_closed(void *ctx)
{
    struct peers *p = ctx;
    void (*closed)(void *) = p->closed;
    void *closed_ctx = p->closed_ctx;

    if (--p->live > 0)
        return;
    tls_context_unref(p->server_tls);
    tls_context_unref(p->client_tls);
    mem_free(p);
    closed(closed_ctx);
}

static struct peer new_peer(struct peers *p, const struct store_member *member)
{
    struct peer peer = { .member = *member };
    struct http_client_options o = { .address = member->peer_address,
                                     .authority = peer.name,
                                     .server_name = peer.name,
                                     .tls = p->client_tls,
                                     .protocol = HTTP_PROTOCOL_HTTP2,
                                     .connect_timeout_ms = CONNECT_MS,
                                     .ping_ms = PING_MS };

    snprintf(peer.name, sizeof(peer.name), "%s%s", NAME_PREFIX, member->name);
    if (member->id == p->config.member_id)
        return peer;
    peer.client = http_client_new(p->config.loop, &o);
    p->live++;
    return peer;
}

static bool same_member(const struct store_member *a, const struct store_member *b)
{
    return a->id == b->id && strcmp(a->name, b->name) == 0 &&
           strcmp(a->peer_address, b->peer_address) == 0;
}

void peers_set_members(struct peers *p, const struct store_member *members, size_t count)
{
    struct peer old[STORE_MEMBERS_MAX];
    size_t old_count = p->count;

    ASSERT(count <= STORE_MEMBERS_MAX);
    memcpy(old, p->peers, sizeof(old));
    for (size_t i = 0; i < count; i++) {
        size_t j = 0;

        while (j < old_count && !same_member(&old[j].member, &members[i]))
            j++;
        if (j < old_count) {
            p->peers[i] = old[j];
            old[j].client = NULL;
        } else {
            p->peers[i] = new_peer(p, &members[i]);
        }
    }
    p->count = count;
    for (size_t j = 0; j < old_count; j++)
        if (old[j].client != NULL)
            http_client_close(old[j].client, on_part_closed, p);
}

static int listen_here(struct peers *p, struct err *e)
{
    struct http_server_options o = {
        .address = p->config.listen_address, .tls = p->server_tls, .handler = on_request, .ctx = p
    };
    int rv;

    if (p->config.listen_address == NULL)
        return 0;
    rv = http_server_open(p->config.loop, &o, &p->server, e);
    p->live += rv == 0 ? 1 : 0;
    return rv;
}

int peers_open(const struct peers_config *config, struct peers **out, struct err *e)
{
    struct peers *p = mem_alloc(sizeof(*p));
    int rv;

    p->config = *config;
    p->live = 1;
    snprintf(p->id, sizeof(p->id), "%llu", (unsigned long long)config->member_id);
    p->says = (struct http_header){ str_lit(PEERS_SAYS_HEADER), str_from(p->id) };
    rv = config->simulated ? 0 : load_tls(p, e);
    if (rv == 0)
        rv = listen_here(p, e);
    if (rv != 0) {
        /* The caller gives up: the process ends. */
        return err_wrap(e, rv, "peer loop");
    }
    *out = p;
    return 0;
}

/* ---- serving ---- */

void peers_refuse(struct grpc_stream *s, enum grpc_code code, const char *why)
{
    grpc_stream_finish(s, code, str_from(why));
}

uint64_t peers_admit(struct peers *p, struct grpc_stream *s)
{
    uint64_t caller = peers_caller(p, s);

    if (caller == 0)
        peers_refuse(s, GRPC_PERMISSION_DENIED, "not a member's certificate");
    return caller;
}

void peers_reply(struct grpc_stream *s, const struct ProtobufCMessage *m)
{
    struct buf bytes;
    size_t len = protobuf_c_message_get_packed_size(m);

    if (s == NULL)
        return;
    buf_init(&bytes);
    buf_reserve(&bytes, len + 1); /* an empty message has none */
    bytes.len = protobuf_c_message_pack(m, bytes.data);
    grpc_stream_send(s, buf_str(&bytes));
    grpc_stream_finish(s, GRPC_OK, str_lit(""));
    buf_deinit(&bytes);
}

static void release(struct peers_served *v)
{
    if (!v->working && v->stream == NULL)
        v->free(v);
}

void peers_serve(struct peers_served *v, struct grpc_stream *s,
                 void (*free)(struct peers_served *v))
{
    *v = (struct peers_served){ .stream = s, .working = true, .free = free };
    s->user = v;
}

void peers_served(struct peers_served *v)
{
    v->working = false;
    release(v);
}

void peers_served_closed(struct grpc_stream *s, int status)
{
    struct peers_served *v = s->user;

    (void)status; /* whatever it was, nobody listens any more */
    if (v == NULL)
        return;
    v->stream = NULL;
    release(v);
}

/* ---- closing ---- */

void peers_close(struct peers *p, void (*closed)(void *ctx), void *ctx)
{
    p->closed = closed;
    p->closed_ctx = ctx;
    for (size_t i = 0; i < p->count; i++)
        if (p->peers[i].client != NULL)
            http_client_close(p->peers[i].client, on_part_closed, p);
    p->count = 0;
    if (p->server != NULL)
        http_server_close(p->server, 0, on_part_closed, p);
    on_part_closed(p);
}
