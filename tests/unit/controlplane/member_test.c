/* What a member serves beside the API: not without a certificate, and only what is its own. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "controlplane/member.h"
#include "net/client.h"
#include "net/server.h"
#include "net/tls.h"
#include "tests/unit/controlplane/bus/harness.h"
#include "tests/unit/unit.h"

struct side {
    struct harness *h;
    struct member *member;
    struct store_config config;
    struct http_server *server;
    struct http_request request;
    const char *target;
    char address[64];
    bool verified;
    bool done;
    int status;
    char body[1000];
};

static void none_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
}

/* The identity that TLS would have found. */
static void serve(void *ctx, struct http_exchange *x)
{
    static const struct http_exchange_events events = { .closed = none_closed };
    static struct tls_identity identity;
    static struct http_peer peer = { .address = "test", .identity = &identity };
    struct side *side = ctx;
    identity.verified = side->verified;
    x->peer = &peer;
    if (member_intercept(side->member, x))
        return;
    x->events = &events;
    http_reply(x, 404, NULL, str_lit("not the member's"));
}

static void on_done(struct http_request *r, int status)
{
    struct side *side = r->user;
    side->status = status == 0 ? r->status : status;
    (void)snprintf(side->body, sizeof side->body, "%.*s", (int)r->body.len,
                   (const char *)r->body.data);
    side->done = true;
}

static void run_get(void *ctx)
{
    static const struct http_request_events events = { .done = on_done };
    struct side *side = ctx;
    side->request.method = "GET";
    side->request.target = str_from(side->target);
    side->request.events = &events;
    side->request.user = side;
    side->done = false;
    http_client_send(side->h->client, &side->request);
}

static bool is_done(void *ctx)
{
    return ((struct side *)ctx)->done;
}

static int get(struct side *side, const char *target, bool verified)
{
    side->target = target;
    side->verified = verified;
    harness_run(side->h, run_get, side);
    harness_until(side->h, is_done, side);
    return side->status;
}

static void run_open(void *ctx)
{
    struct side *side = ctx;
    struct http_server_options options = { .address = "tcp:127.0.0.1:0",
                                           .handler = serve,
                                           .ctx = side };
    int rc = http_server_open(side->h->loop, &options, &side->server, NULL);
    if (rc != 0)
        return;
    (void)snprintf(side->address, sizeof side->address, "tcp:127.0.0.1:%d",
                   http_server_port(side->server));
    http_client_close(side->h->client, NULL, NULL);
    struct http_client_options client = { .address = side->address,
                                          .authority = "member.test",
                                          .protocol = HTTP_PROTOCOL_HTTP2 };
    side->h->client = http_client_new(side->h->loop, &client);
}

static void on_closed(void *ctx)
{
    *(void **)ctx = NULL;
}

static void run_close(void *ctx)
{
    struct side *side = ctx;
    http_request_deinit(&side->request);
    http_server_close(side->server, 0, on_closed, &side->server);
}

static bool is_closed(void *ctx)
{
    return ((struct side *)ctx)->server == NULL;
}

static void test_member(void **state)
{
    struct harness *h = *state;
    static struct side side;
    static struct subscriber one;
    side.h = h;
    side.config.members[0] = h->member;
    side.config.members_count = 1;
    side.member = member_new(h->store, &side.config, "solo", h->bus);
    member_add_loop(side.member, h->loop);
    harness_run(h, run_open, &side);
    assert_non_null(side.server);
    assert_int_equal(get(&side, "/api/v1/pods", true), 404);
    assert_int_equal(get(&side, "/gantry/v1/member", false), 401);
    assert_non_null(strstr(side.body, "client certificate"));
    assert_int_equal(get(&side, "/gantry/v1/member", true), 200);
    assert_true(strncmp(side.body, "solo\ncluster 1 solo ", 20) == 0);
    assert_non_null(strstr(side.body, "\nbus 1 solo "));
    /* gRPC: the bus, to those with a certificate. */
    (void)harness_publish(h, "t", "", 0, "m", 1, NULL);
    harness_subscribe(h, &one, "t", "c", 1, 0);
    harness_wait_rows(&one, 1);
    harness_subscribe_close(&one);
    side.verified = false;
    harness_subscribe(h, &one, "t", "c", 1, 0);
    harness_wait_end(&one, GRPC_UNAUTHENTICATED, "");
    harness_run(h, run_close, &side);
    harness_until(h, is_closed, &side);
    member_free(side.member);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_member) };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
