/* pods/NAME/log against an agent's HTTPS server, which is net/'s own with a certificate of the
 * same CA. */
#include "base/env.h"
#include "base/env_uv.h"
#include "net/http.h"
#include "net/pki.h"
#include "net/server.h"
#include "net/tls.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define PODS "/api/v1/namespaces/default/pods"

struct agent {
    struct env *env;
    struct arena arena;
    struct env_loop *loop;
    struct http_server *server;
    struct tls_context *server_tls;
    struct tls_context *client_tls;
};

static struct agent agent;

static void on_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
}

static const struct http_exchange_events agent_events = { .closed = on_closed };

/* Answers by container: "good" with its own parameters, "waits" with a refusal. */
static void on_request(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    x->events = &agent_events;
    if (!x->peer->identity->verified) {
        http_reply(x, 401, "text/plain", str_lit("who are you\n"));
    } else if (str_ends(x->path, str_lit("/good"))) {
        http_respond(x, 200, NULL, 0);
        http_write(x, str_lit("line 1\n"));
        http_write(x, x->target);
        http_end(x);
    } else {
        http_reply(x, 400, "text/plain",
                   str_lit("container \"waits\" in pod \"p\" is waiting to start: "
                           "ContainerCreating\n"));
    }
}

static void make_objects(struct harness *h)
{
    struct reply r = harness_post(h, "/api/v1/namespaces/default/serviceaccounts",
                                  "{\"metadata\":{\"name\":\"default\"}}");
    harness_expect(&r, 201);
    struct str node = str_printf(
        &h->arena,
        "{\"metadata\":{\"name\":\"n\"},\"status\":{\"addresses\":[{\"type\":\"InternalIP\","
        "\"address\":\"127.0.0.1\"}],\"daemonEndpoints\":{\"kubeletEndpoint\":{\"Port\":%d}}}}",
        http_server_port(agent.server));
    r = harness_post(h, "/api/v1/nodes", node.data);
    harness_expect(&r, 201);
    harness_contains(&r, "\"taints\":[{\"key\":\"node.kubernetes.io/not-ready\",\"effect\":"
                         "\"NoSchedule\"}]");
    r = harness_post(h, PODS,
                     "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"nodeName\":\"n\",\"containers\":["
                     "{\"name\":\"good\",\"image\":\"i\"},{\"name\":\"waits\",\"image\":\"i\"}]}}");
    harness_expect(&r, 201);
    r = harness_post(h, PODS,
                     "{\"metadata\":{\"name\":\"free\"},\"spec\":{\"containers\":[{\"name\":"
                     "\"only\",\"image\":\"i\"}]}}");
    harness_expect(&r, 201);
}

static int setup(void **state)
{
    struct pki_pair ca;
    struct err e = { 0 };
    agent.env = env_uv_new();
    arena_init(&agent.arena);
    assert_int_equal(
        pki_make_ca(&agent.arena, str_lit("ca"), env_wall_ns(agent.env) / ENV_S, 2, &ca, &e), 0);
    agent.server_tls = harness_tls(agent.env, &agent.arena, true, &ca);
    agent.client_tls = harness_tls(agent.env, &agent.arena, false, &ca);
    agent.loop = env_loop_new(agent.env, "agent");
    const struct http_server_options options = { .address = "tcp:127.0.0.1:0",
                                                 .tls = agent.server_tls,
                                                 .handler = on_request };
    assert_int_equal(http_server_open(agent.loop, &options, &agent.server, &e), 0);
    int rc = harness_setup_tls(state, agent.env, agent.client_tls);
    make_objects(*state);
    env_loop_start(agent.loop);
    return rc;
}

static void on_server_closed(void *ctx)
{
    env_loop_stop(ctx);
}

static void close_agent(struct env_msg *m)
{
    (void)m;
    http_server_close(agent.server, 0, on_server_closed, agent.loop);
}

static int teardown(void **state)
{
    struct harness *h = *state;
    static struct env_msg msg;
    env_post(agent.loop, &msg, close_agent);
    env_loop_join(agent.loop);
    h->extra = agent.loop;
    int rc = harness_teardown(state);
    tls_context_unref(agent.server_tls);
    tls_context_unref(agent.client_tls);
    arena_deinit(&agent.arena);
    return rc;
}

static void test_options(void **state)
{
    static const struct {
        const char *query;
        int code;
        const char *text;
    } rows[] = {
        { "tailLines=-1", 422,
          "PodLogOptions \\\"p\\\" is invalid: tailLines: Invalid value: -1: must be greater than "
          "or "
          "equal to 0" },
        { "limitBytes=0", 422, "limitBytes: Invalid value: 0: must be greater than 0" },
        { "sinceSeconds=0", 422, "sinceSeconds: Invalid value: 0: must be greater than 0" },
        { "sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", 422,
          "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified" },
        { "tailLines=x", 400, "strconv.ParseInt: parsing \\\"x\\\": invalid syntax" },
        { "tailLines=-1&sinceTime=zz", 400,
          "parsing time \\\"zz\\\" as \\\"2006-01-02T15:04:05Z07:00\\\": cannot parse "
          "\\\"zz\\\" as \\\"2006\\\"" },
        { "stream=Foo", 422,
          "PodLogOptions \\\"p\\\" is invalid: stream: Forbidden: may not be specified" },
        { "stream=All", 422, "stream: Forbidden: may not be specified" },
    };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str target = str_printf(&h->arena, PODS "/p/log?container=good&%s", rows[i].query);
        struct reply r = harness_get(h, target.data);
        harness_expect(&r, rows[i].code);
        harness_contains(&r, rows[i].text);
    }
}

static void test_passed_on(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, PODS "/p/log?container=good&tailLines=5&follow=true");
    harness_expect(&r, 200);
    assert_true(str_find(r.headers, str_lit("content-type: text/plain\r\n")) > 0);
    assert_true(str_eq_c(r.body, "line 1\n/containerLogs/default/p/good?follow=true&tailLines=5"));
    /* As python writes it, and a flag that is off; the kubelet gets one form. */
    r = harness_get(h, PODS "/p/log?container=good&follow=True&previous=False&timestamps=1");
    assert_true(
        str_eq_c(r.body, "line 1\n/containerLogs/default/p/good?follow=true&timestamps=true"));
    r = harness_get(h, PODS "/p/log?container=waits");
    harness_expect(&r, 400);
    harness_contains(&r, "\"message\":\"container \\\"waits\\\" in pod \\\"p\\\" is waiting to "
                         "start: ContainerCreating\",\"reason\":\"BadRequest\"");
}

static void test_refusals(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, PODS "/p/log");
    harness_expect(&r, 400);
    harness_contains(&r, "a container name must be specified for pod p, choose one of: [good "
                         "waits]");
    r = harness_get(h, PODS "/p/log?container=nope");
    harness_expect(&r, 400);
    harness_contains(&r, "container nope is not valid for pod p");
    r = harness_get(h, PODS "/free/log"); /* it has said nothing yet */
    harness_expect(&r, 204);
    assert_int_equal(r.body.len, 0);
    r = harness_get(h, PODS "/free/log?container=nope");
    harness_expect(&r, 400);
    r = harness_get(h, PODS "/free/log?tailLines=-1");
    harness_expect(&r, 422);
    r = harness_get(h, PODS "/none/log");
    harness_expect(&r, 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_passed_on),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
