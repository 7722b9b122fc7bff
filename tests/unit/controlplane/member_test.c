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

static const struct http_header impersonating[] = {
    { STR("impersonate-group"), STR("g") }, { STR("content-type"), STR("application/grpc") }
};

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

/* grpc.health.v1's Check of everything: an empty message in a frame. */
static void run_check(void *ctx)
{
    static const struct http_request_events events = { .done = on_done };
    static const struct http_header headers[] = { { STR("content-type"), STR("application/grpc") },
                                                  { STR("te"), STR("trailers") } };
    struct side *side = ctx;
    side->request.method = "POST";
    side->request.target = str_lit("/grpc.health.v1.Health/Check");
    side->request.headers = headers;
    side->request.header_count = 2;
    side->request.content = str_of("\0\0\0\0\0", 5);
    side->request.events = &events;
    side->request.user = side;
    side->done = false;
    http_client_send(side->h->client, &side->request);
}

static void run_stopping(void *ctx)
{
    member_stopping(((struct side *)ctx)->member);
}

/* SERVING is 1, NOT_SERVING 2. */
static void expect_serving(struct side *side, int status)
{
    const char frame[] = { 0, 0, 0, 0, 2, 8, (char)status };
    side->verified = true;
    harness_run(side->h, run_check, side);
    harness_until(side->h, is_done, side);
    assert_int_equal(side->status, 200);
    assert_int_equal(side->request.body.len, sizeof frame);
    assert_memory_equal(side->request.body.data, frame, sizeof frame);
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

/* GROUP ID LEADER TERM APPLIED REVISION DIGEST READY HEALTH LEVEL USED QUOTA. */
static void expect_columns(const char *body)
{
    struct str rest = str_from(body);
    struct str line;
    assert_true(str_split(&rest, '\n', &line)); /* the name */
    for (int i = 0; i < 2; i++) {
        struct str words[12];
        uint64_t number = 0;
        assert_true(str_split(&rest, '\n', &line));
        for (size_t k = 0; k < 12; k++)
            assert_true(str_split(&line, ' ', &words[k]));
        assert_true(str_eq_c(words[7], "1") && str_eq_c(words[8], "ready"));
        for (size_t k = 9; k < 12; k++)
            assert_true(str_to_u64(words[k], &number) == 0 && number > 0);
        assert_int_equal(line.len, 0);
    }
}

static void test_health(void **state)
{
    static const struct {
        struct store_status status;
        const char *word;
    } cases[] = {
        { { .leader_id = 1, .ready = true }, "ready" },
        { { .leader_id = 1 }, "catching-up" },
        { { .leader_id = 0 }, "no-leader" },
        { { .leader_id = 1, .held = true }, "held" },
        { { .leader_id = 1, .behind = true, .fetched_bytes = 1, .fetch_bytes = 4 }, "behind:25%" },
        { { .leader_id = 1, .behind = true }, "behind:0%" },
        { { .leader_id = 1, .ready = true, .alarm = STORE_ALARM_QUOTA }, "alarm:quota" },
        { { .leader_id = 1, .ready = true, .alarm = STORE_ALARM_DISK }, "alarm:disk" },
        { { .leader_id = 1, .ready = true, .alarm = STORE_ALARM_QUOTA | STORE_ALARM_DISK },
          "alarm:quota+disk" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char word[MEMBER_HEALTH_BYTES];
        member_health(&cases[i].status, word);
        assert_string_equal(word, cases[i].word);
    }
}

/* The certificate's rights are not for those who ask to be somebody else. */
static void expect_no_impersonation(struct side *side)
{
    static const char *const targets[] = { "/gantry/v1/member", "/gantry/v1/snapshot",
                                           "/gantry/v1/join", "/gantry/v1/members" };
    side->request.headers = impersonating;
    side->request.header_count = 1;
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        assert_int_equal(get(side, targets[i], true), 403);
        assert_non_null(strstr(side->body, "impersonation is not possible here"));
    }
    assert_int_equal(get(side, "/api/v1/pods", true), 404);
    side->request.header_count = 2;
    assert_int_equal(get(side, "/grpc.health.v1.Health/Check", true), 403);
    side->request.headers = NULL;
    side->request.header_count = 0;
}

static void test_member(void **state)
{
    struct harness *h = *state;
    static struct side side;
    static struct subscriber one;
    side.h = h;
    side.config.members[0] = h->member;
    side.config.members_count = 1;
    side.member = member_new(h->store, &side.config, "solo", "c-1", h->bus);
    member_add_loop(side.member, h->loop);
    harness_run(h, run_open, &side);
    assert_non_null(side.server);
    assert_int_equal(get(&side, "/api/v1/pods", true), 404);
    assert_int_equal(get(&side, "/gantry/v1/member", false), 401);
    assert_non_null(strstr(side.body, "client certificate"));
    /* Backups are for administrators. */
    assert_int_equal(get(&side, "/gantry/v1/snapshot", true), 403);
    expect_no_impersonation(&side);
    assert_int_equal(get(&side, "/gantry/v1/member", true), 200);
    assert_true(strncmp(side.body, "solo\ncluster 1 solo ", 20) == 0);
    assert_non_null(strstr(side.body, "\nbus 1 solo "));
    expect_columns(side.body);
    /* gRPC: the bus, to those with a certificate. */
    (void)harness_publish(h, "t", "", 0, "m", 1, NULL);
    harness_subscribe(h, &one, "t", "c", 1, 0);
    harness_wait_rows(&one, 1);
    harness_subscribe_close(&one);
    side.verified = false;
    harness_subscribe(h, &one, "t", "c", 1, 0);
    harness_wait_end(&one, GRPC_UNAUTHENTICATED, "");
    expect_serving(&side, 1);
    harness_run(h, run_stopping, &side);
    expect_serving(&side, 2);
    harness_run(h, run_close, &side);
    harness_until(h, is_closed, &side);
    member_free(side.member);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_health),
                                        cmocka_unit_test(test_member) };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
