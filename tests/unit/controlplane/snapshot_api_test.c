/* A backup over HTTP: whole, for administrators, one at a time, and given up when the client goes.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "controlplane/snapshot_api.h"
#include "net/client.h"
#include "net/server.h"
#include "net/tls.h"
#include "store/backup.h"
#include "tests/unit/controlplane/bus/harness.h"
#include "tests/unit/unit.h"

#define ASKS 3

struct ask {
    struct side *side;
    struct http_request request;
    const char *method;
    const char *target;
    bool stall; /* the body is not read */
    bool began;
    bool done;
    int status;
};

struct side {
    struct harness *h;
    struct http_server *server;
    struct http_client *client;
    struct ask asks[ASKS];
    char address[64];
    char file[100];
    bool verified;
    const char *organization;
};

static void serve(void *ctx, struct http_exchange *x)
{
    static struct tls_identity identity;
    static struct http_peer peer = { .address = "test", .identity = &identity };
    static struct str organization;
    struct side *side = ctx;
    organization = str_from(side->organization);
    identity.verified = side->verified;
    identity.organizations = &organization;
    identity.organization_count = 1;
    x->peer = &peer;
    snapshot_serve(side->h->store, "c-1", "9.9", x);
}

static void on_response(struct http_request *r)
{
    struct ask *a = r->user;
    a->began = true;
    if (a->stall)
        http_request_pause(r);
}

static void on_done(struct http_request *r, int status)
{
    struct ask *a = r->user;
    a->status = status == 0 ? r->status : status;
    a->done = true;
}

static void run_get(void *ctx)
{
    static const struct http_request_events events = { .response = on_response, .done = on_done };
    struct ask *a = ctx;
    a->began = a->done = false;
    a->request.method = a->method;
    a->request.target = str_from(a->target);
    a->request.body_bytes_max = 64u << 20;
    a->request.events = &events;
    a->request.user = a;
    http_client_send(a->side->client, &a->request);
}

static bool is_done(void *ctx)
{
    return ((struct ask *)ctx)->done;
}

static bool has_begun(void *ctx)
{
    return ((struct ask *)ctx)->began;
}

static int get(struct side *side, const char *method, const char *target)
{
    struct ask *a = &side->asks[0];
    a->method = method;
    a->target = target;
    harness_run(side->h, run_get, a);
    harness_until(side->h, is_done, a);
    return a->status;
}

static void run_open(void *ctx)
{
    struct side *side = ctx;
    struct http_server_options options = { .address = "tcp:127.0.0.1:0",
                                           .handler = serve,
                                           .ctx = side };
    if (http_server_open(side->h->loop, &options, &side->server, NULL) != 0)
        return;
    (void)snprintf(side->address, sizeof side->address, "tcp:127.0.0.1:%d",
                   http_server_port(side->server));
    struct http_client_options client = { .address = side->address,
                                          .authority = "snapshot.test",
                                          .protocol = HTTP_PROTOCOL_HTTP2 };
    side->client = http_client_new(side->h->loop, &client);
}

static void on_closed(void *ctx)
{
    *(void **)ctx = NULL;
}

static void run_close(void *ctx)
{
    struct side *side = ctx;
    for (size_t i = 0; i < ASKS; i++)
        http_request_deinit(&side->asks[i].request);
    http_client_close(side->client, on_closed, &side->client);
    http_server_close(side->server, 0, on_closed, &side->server);
}

static bool is_closed(void *ctx)
{
    struct side *side = ctx;
    return side->server == NULL && side->client == NULL;
}

static void run_cancel(void *ctx)
{
    http_request_cancel(&((struct ask *)ctx)->request);
}

static struct side *open_side(struct harness *h)
{
    static struct side side;
    side = (struct side){ .h = h, .verified = true, .organization = "system:masters" };
    for (size_t i = 0; i < ASKS; i++)
        side.asks[i].side = &side;
    (void)snprintf(side.file, sizeof side.file, "%s/backup", h->folder);
    harness_run(h, run_open, &side);
    assert_non_null(side.server);
    return &side;
}

static void close_side(struct side *side)
{
    harness_run(side->h, run_close, side);
    harness_until(side->h, is_closed, side);
}

static void check_saved(struct side *side)
{
    struct http_request *r = &side->asks[0].request;
    struct backup b;
    struct err e;
    assert_int_equal(env_file_write(side->h->env, side->file, buf_str(&r->body), 0600, NULL), 0);
    if (backup_check(side->h->env, side->file, &b, &e) != 0)
        fail_msg("%s", e.msg);
    assert_string_equal(b.cluster_id, "c-1");
    assert_string_equal(b.version, "9.9");
    assert_int_equal(b.groups_count, 2);
    uint64_t length = 0;
    assert_int_equal(str_to_u64(http_headers_get(&r->response_headers, "content-length"), &length),
                     0);
    assert_int_equal(length, r->body.len);
    assert_int_equal(length, backup_bytes(&b));
}

static void test_saved(void **state)
{
    struct harness *h = *state;
    struct side *side = open_side(h);
    struct str payload = str_of(mem_alloc(1u << 20), 1u << 20);
    /* More than the connection holds at once. */
    for (int i = 0; i < 4; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "pods/%d", i);
        struct store_op op = { .type = STORE_OP_PUT, .key = str_from(key), .value = payload };
        struct store_txn txn = { .ops = &op, .ops_count = 1 };
        assert_int_equal(harness_write(h, STORE_CLUSTER, &txn).status, 0);
    }
    mem_free((void *)(uintptr_t)payload.data);
    assert_int_equal(get(side, "GET", SNAPSHOT_PATH), 200);
    check_saved(side);
    assert_int_equal(get(side, "GET", SNAPSHOT_PATH "?local=true"), 200);
    check_saved(side);

    /* Another one waits for the end of one that nobody reads, which ends when its client goes. */
    struct ask *slow = &side->asks[1];
    slow->method = "GET";
    slow->target = SNAPSHOT_PATH;
    slow->stall = true;
    harness_run(h, run_get, slow);
    harness_until(h, has_begun, slow);
    assert_int_equal(get(side, "GET", SNAPSHOT_PATH), 429);
    harness_run(h, run_cancel, slow);
    harness_until(h, is_done, slow);
    while (get(side, "GET", SNAPSHOT_PATH) == 429)
        ;
    check_saved(side);

    /* One that goes while the copies are made. */
    slow->stall = false;
    harness_run(h, run_get, slow);
    harness_run(h, run_cancel, slow);
    harness_until(h, is_done, slow);
    while (get(side, "GET", SNAPSHOT_PATH) == 429)
        ;
    check_saved(side);
    close_side(side);
}

static void test_refused(void **state)
{
    struct harness *h = *state;
    struct side *side = open_side(h);
    assert_int_equal(get(side, "POST", SNAPSHOT_PATH), 405);
    side->organization = "system:nodes";
    assert_int_equal(get(side, "GET", SNAPSHOT_PATH), 403);
    side->organization = "system:masters";
    side->verified = false;
    assert_int_equal(get(side, "GET", SNAPSHOT_PATH), 401);
    close_side(side);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_saved),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
