/* See the header. */
#include "tests/unit/controlplane/members_world.h"

#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "net/server.h"
#include "net/tls.h"
#include "store/roster_txn.h"
#include "tests/unit/unit.h"

/* The identity that TLS would have found. */
static void serve(void *ctx, struct http_exchange *x)
{
    static struct tls_identity identity;
    static struct http_peer peer = { .address = "test", .identity = &identity };
    struct members_world *w = ctx;
    identity.verified = w->verified;
    x->peer = &peer;
    if ((w->also != NULL && w->also(w, x)) || members_api_serve(w->api, x))
        return;
    x->events = &http_events_none;
    http_reply(x, 404, NULL, str_lit("not ours"));
}

static void on_done(struct http_request *r, int status)
{
    struct members_world *w = r->user;
    struct err e;
    w->status = status == 0 ? r->status : status;
    w->answer = NULL;
    (void)json_parse(&w->arena, str_copy(&w->arena, buf_str(&r->body)), &w->answer, &e);
    w->done = true;
}

static void run_call(void *ctx)
{
    static const struct http_request_events events = { .done = on_done };
    struct members_world *w = ctx;
    w->request.method = w->method;
    w->request.target = str_from(w->target);
    w->request.content = str_from(w->body);
    w->request.events = &events;
    w->request.user = w;
    w->done = false;
    http_client_send(w->h->client, &w->request);
}

static bool is_done(void *ctx)
{
    return ((struct members_world *)ctx)->done;
}

int members_world_call(struct members_world *w, const char *method, const char *target,
                       const char *body)
{
    w->method = method;
    w->target = target;
    w->body = body;
    harness_run(w->h, run_call, w);
    harness_until(w->h, is_done, w);
    return w->status;
}

struct str members_world_text(const struct members_world *w, const char *field)
{
    return w->answer != NULL ? json_str(json_get_c(w->answer, field)) : str_of("", 0);
}

struct roster members_world_roster(struct members_world *w)
{
    struct roster r;
    assert_int_equal(roster_read(store_group(w->h->store, STORE_CLUSTER), &r, NULL), 0);
    return r;
}

void members_world_first_row(struct members_world *w)
{
    struct roster_row row = { .want = ROSTER_VOTER };
    struct roster none = { .next_id = 1 };
    struct roster_txn t;
    row.member.id = 1;
    (void)snprintf(row.member.name, sizeof row.member.name, "solo");
    (void)snprintf(row.member.raft_address, sizeof row.member.raft_address, "tcp:10.0.0.1:2381");
    (void)snprintf(row.member.peer_address, sizeof row.member.peer_address, "tcp:10.0.0.1:2380");
    roster_txn_init(&t);
    roster_txn_row(&t, &row);
    roster_txn_take_id(&t, &none);
    assert_int_equal(harness_write(w->h, STORE_CLUSTER, roster_txn_get(&t, 0)).status, 0);
    roster_txn_deinit(&t);
    while (members_world_roster(w).count == 0) /* answered is not yet read */
        harness_sleep(1);
}

static void run_open(void *ctx)
{
    struct members_world *w = ctx;
    char address[64];
    struct http_server_options options = { .address = "tcp:127.0.0.1:0",
                                           .handler = serve,
                                           .ctx = w };
    if (http_server_open(w->h->loop, &options, &w->server, NULL) != 0)
        return;
    (void)snprintf(address, sizeof address, "tcp:127.0.0.1:%d", http_server_port(w->server));
    http_client_close(w->h->client, NULL, NULL);
    struct http_client_options client = { .address = address,
                                          .authority = "members.test",
                                          .protocol = HTTP_PROTOCOL_HTTP2 };
    w->h->client = http_client_new(w->h->loop, &client);
}

int members_world_setup(void **state)
{
    struct members_world *w = mem_alloc(sizeof *w);
    void *h = NULL;
    if (harness_setup(&h) != 0)
        return -1;
    w->h = h;
    w->verified = true;
    arena_init(&w->arena);
    (void)snprintf(w->folder, sizeof w->folder, "%s-cluster", w->h->folder);
    assert_int_equal(env_dir_make(w->h->env, w->folder, 0700, NULL), 0);
    assert_int_equal(
        pki_make_ca(&w->arena, str_lit("ca"), env_wall_ns(w->h->env) / ENV_S, 9, &w->ca, NULL), 0);
    struct members_api_config config = { .env = w->h->env,
                                         .store = w->h->store,
                                         .folder = w->folder,
                                         .ca_pem = w->ca.certificate_pem,
                                         .cluster = "c0ffee",
                                         .tries_per_s = 1000 };
    assert_int_equal(members_api_new(&config, &w->api, NULL), 0);
    harness_run(w->h, run_open, w);
    assert_non_null(w->server);
    while (store_feature_level(store_group(w->h->store, STORE_CLUSTER)) < 2) /* tokens expire */
        harness_sleep(1);
    *state = w;
    return 0;
}

static void on_closed(void *ctx)
{
    *(void **)ctx = NULL;
}

static void run_close(void *ctx)
{
    struct members_world *w = ctx;
    http_request_deinit(&w->request);
    http_server_close(w->server, 0, on_closed, &w->server);
}

static bool is_closed(void *ctx)
{
    return ((struct members_world *)ctx)->server == NULL;
}

int members_world_teardown(void **state)
{
    struct members_world *w = *state;
    void *h = w->h;
    harness_run(w->h, run_close, w);
    harness_until(w->h, is_closed, w);
    (void)env_remove_tree(w->h->env, w->folder, NULL); /* only a temporary folder */
    (void)harness_teardown(&h);
    members_api_free(w->api);
    arena_deinit(&w->arena);
    mem_free(w);
    return 0;
}
