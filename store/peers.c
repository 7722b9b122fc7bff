/* See peers.h. One HTTP/2 client per other member, connected when first needed. */
#include "store/peers.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "net/client.h"
#include "net/server.h"
#include "net/tls.h"

#define PEM_BYTES_MAX (256u << 10)
#define NAME_PREFIX   "gantry-member-"
#define CONNECT_MS    1000
#define PING_MS       5000

struct peer {
    const struct store_member *member;
    char name[sizeof(NAME_PREFIX) + sizeof(((struct store_member *)NULL)->name)];
    struct http_client *client; /* NULL: this member */
};

struct peers {
    struct peers_config config;
    struct tls_context *server_tls;
    struct tls_context *client_tls;
    struct http_server *server;
    struct peer peers[STORE_MEMBERS_MAX];
    size_t live; /* client connections and the server, while closing */
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
    const struct grpc_service *services[] = { p->config.service };

    if (!grpc_serve(x, services, 1)) {
        x->events = &refused;
        http_reply(x, 404, "text/plain", str_lit("gRPC only\n"));
    }
}

uint64_t peers_caller(struct peers *p, const struct grpc_stream *s)
{
    const struct tls_identity *who = s->x->peer->identity;

    for (size_t i = 0; who->verified && i < p->config.members_count; i++) {
        if (p->peers[i].member->id == p->config.member_id)
            continue;
        for (size_t j = 0; j < who->dns_name_count; j++)
            if (str_eq_c(who->dns_names[j], p->peers[i].name))
                return p->peers[i].member->id;
    }
    return 0;
}

/* ---- calls ---- */

/* A turn later, so that nothing of the call is in use: done may hand the struct to another thread,
 * which frees it. */
static void finish_call(struct env_msg *m)
{
    struct peer_call *c = container_of(m, struct peer_call, msg);
    int status = grpc_call_error(&c->grpc, NULL);
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

static const struct grpc_call_events call_events = { .done = on_call_done };

void peers_call(struct peers *p, uint64_t member_id, struct peer_call *c, const char *path,
                struct str request, uint64_t timeout_ms)
{
    struct http_client *client = NULL;

    for (size_t i = 0; i < p->config.members_count; i++)
        if (p->peers[i].member->id == member_id)
            client = p->peers[i].client;
    ASSERT(client != NULL);
    memset(&c->grpc, 0, sizeof(c->grpc));
    c->peers = p;
    c->grpc.path = path;
    c->grpc.kind = GRPC_UNARY;
    c->grpc.timeout_ms = timeout_ms;
    c->grpc.message_bytes_max = PEER_MESSAGE_BYTES_MAX;
    c->grpc.events = &call_events;
    grpc_call_start(client, &c->grpc, request);
}

/* ---- opening ---- */

static int load_tls(struct peers *p, struct err *e)
{
    static const char *const alpn[] = { "h2", NULL };
    const struct peers_config *c = &p->config;
    struct tls_options o = { .alpn = alpn };
    struct arena a;
    int rv;

    arena_init(&a);
    rv = env_file_read(c->env, &a, c->ca_file, PEM_BYTES_MAX, &o.ca_pem, e);
    if (rv == 0)
        rv = env_file_read(c->env, &a, c->cert_file, PEM_BYTES_MAX, &o.certificate_pem, e);
    if (rv == 0)
        rv = env_file_read(c->env, &a, c->key_file, PEM_BYTES_MAX, &o.key_pem, e);
    if (rv == 0) {
        p->server_tls = tls_server_context_new(&o, e);
        p->client_tls = p->server_tls == NULL ? NULL : tls_client_context_new(&o, e);
        rv = p->client_tls == NULL ? -(int)(e != NULL ? e->code : ERR_INVALID_ARGUMENT) : 0;
    }
    arena_deinit(&a);
    return rv;
}

static void add_peer(struct peers *p, size_t i)
{
    struct peer *peer = &p->peers[i];
    struct http_client_options o = { .address = p->config.members[i].peer_address,
                                     .authority = peer->name,
                                     .server_name = peer->name,
                                     .tls = p->client_tls,
                                     .protocol = HTTP_PROTOCOL_HTTP2,
                                     .connect_timeout_ms = CONNECT_MS,
                                     .ping_ms = PING_MS };

    peer->member = &p->config.members[i];
    snprintf(peer->name, sizeof(peer->name), "%s%s", NAME_PREFIX, peer->member->name);
    if (peer->member->id != p->config.member_id)
        peer->client = http_client_new(p->config.loop, &o);
}

static int listen_here(struct peers *p, struct err *e)
{
    char fd_address[32];
    struct http_server_options o = {
        .address = fd_address, .tls = p->server_tls, .handler = on_request, .ctx = p
    };

    if (p->config.listen_fd >= 0)
        snprintf(fd_address, sizeof(fd_address), "fd:%d", p->config.listen_fd);
    else
        for (size_t i = 0; i < p->config.members_count; i++)
            if (p->config.members[i].id == p->config.member_id)
                o.address = p->config.members[i].peer_address;
    return http_server_open(p->config.loop, &o, &p->server, e);
}

int peers_open(const struct peers_config *config, struct peers **out, struct err *e)
{
    struct peers *p = mem_alloc(sizeof(*p));
    int rv;

    p->config = *config;
    rv = load_tls(p, e);
    for (size_t i = 0; rv == 0 && i < config->members_count; i++)
        add_peer(p, i);
    if (rv == 0)
        rv = listen_here(p, e);
    if (rv != 0) {
        /* The caller gives up: the process ends. */
        return err_wrap(e, rv, "peer loop");
    }
    *out = p;
    return 0;
}

/* ---- closing ---- */

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

void peers_close(struct peers *p, void (*closed)(void *ctx), void *ctx)
{
    p->closed = closed;
    p->closed_ctx = ctx;
    p->live = 1;
    for (size_t i = 0; i < p->config.members_count; i++)
        if (p->peers[i].client != NULL) {
            p->live++;
            http_client_close(p->peers[i].client, on_part_closed, p);
        }
    http_server_close(p->server, 0, on_part_closed, p);
}
