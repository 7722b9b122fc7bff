/* One question, one answer; what a refusal says; the next server where one does not answer. */
#include <string.h>

#include "cli/ask.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

static void answer(struct cli_world *w, size_t at, int status, const char *body)
{
    w->answers[at].status = status;
    w->answers[at].body = body;
}

static int ask(struct cli_world *w, struct str *out, struct err *e)
{
    w->asks = 0;
    return ask_any(&w->cli, "/a?b=c", "text/plain", out, e);
}

static void test_answers(void **state)
{
    static const struct {
        int status;
        const char *body;
        int rc;
        const char *says;
    } cases[] = {
        { 200, "yes", 0, "" },
        { 404, "{\"kind\":\"Status\",\"message\":\"pods x not found\"}", -ERR_NOT_FOUND,
          "pods x not found" },
        { 410, "{\"message\":\"gone\"}", -ERR_EXPIRED, "gone" },
        { 403, "only for some\nmore\n", -ERR_FORBIDDEN, "only for some" },
        { 401, "", -ERR_UNAUTHENTICATED, "the server answered with status 401" },
        { 500, "{}", -ERR_INVALID_ARGUMENT, "{}" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str body = { NULL, 0 };
        struct err e = { 0 };
        cli_world_reset(w);
        answer(w, 0, cases[i].status, cases[i].body);
        assert_int_equal(ask(w, &body, &e), cases[i].rc);
        assert_string_equal(w->asked[0], "GET /a?b=c ");
        assert_int_equal(w->asks, 1);
        if (cases[i].rc == 0)
            assert_true(str_eq_c(body, cases[i].body));
        else
            assert_string_equal(e.msg, cases[i].says);
    }
}

/* A server that is not there is passed over; when none is, it is said. */
static void test_no_answer(void **state)
{
    struct cli_world *w = *state;
    struct str real = w->cli.servers[0];
    struct str body;
    struct err e;
    cli_world_reset(w);
    answer(w, 0, 200, "yes");
    w->cli.servers[0] = str_lit("tcp:127.0.0.1:1");
    w->cli.servers[1] = real;
    w->cli.servers_count = 2;
    assert_int_equal(ask(w, &body, &e), 0);
    w->cli.servers_count = 1;
    assert_int_equal(ask(w, &body, &e), -ERR_UNAVAILABLE);
    assert_non_null(strstr(e.msg, "127.0.0.1:1 does not answer"));
    w->cli.servers_count = 0;
    assert_int_equal(ask(w, &body, &e), -ERR_UNAVAILABLE);
    assert_non_null(strstr(e.msg, "no server"));
    w->cli.servers[0] = real;
    w->cli.servers_count = 1;
}

static int post(struct cli_world *w)
{
    const struct ask_request r = { .method = "POST", .target = "/a", .body = str_lit("x") };
    struct ask_answer got;
    struct err e;
    return ask_send(&w->cli, &r, &got, &e);
}

/* Requests share a connection. */
static void test_kept(void **state)
{
    struct cli_world *w = *state;
    cli_world_reset(w);
    answer(w, 0, 200, "{}");
    ask_end(&w->cli);
    w->peers = 0;
    w->asks = 0;
    for (int i = 0; i < 5; i++)
        assert_int_equal(post(w), 0);
    assert_int_equal(w->asks, 5);
    assert_int_equal(w->peers, 1);
}

static void test_member(void **state)
{
    struct cli_world *w = *state;
    struct err e;
    size_t server = 99;
    cli_world_reset(w);
    answer(w, 0, 200, "m1\ncluster 1 m1\n");
    w->cli.servers[1] = w->cli.servers[0];
    w->cli.servers_count = 2;
    answer(w, 1, 200, "m2\ncluster 2 m1\n");
    w->asks = 0;
    assert_int_equal(ask_member(&w->cli, "m2", &server, &e), 0);
    assert_int_equal(server, 1);
    assert_string_equal(w->asked[0], "GET /gantry/v1/member ");
    w->asks = 0;
    assert_int_equal(ask_member(&w->cli, "m3", &server, &e), -ERR_NOT_FOUND);
    assert_non_null(strstr(e.msg, "m3"));
    w->cli.servers_count = 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_answers),
                                        cmocka_unit_test(test_no_answer),
                                        cmocka_unit_test(test_kept),
                                        cmocka_unit_test(test_member) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
