/* Objects by name and by pages, and what is refused. */
#include <string.h>

#include "cli/fetch.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

static const struct objects_resource pods = {
    .version = STR("v1"), .plural = STR("pods"), .kind = STR("Pod"), .namespaced = true
};

static void test_pages(void **state)
{
    struct cli_world *w = *state;
    const struct objects_target all = { .resource = &pods };
    const struct fetch_options o = {
        .ns = str_lit("a"), .selector = "x=y", .fields = "f=g", .extra = "more=1", .chunk = 2
    };
    const struct json **objects;
    struct fetch f;
    struct err e;
    cli_world_reset(w);
    w->answers[0].status = w->answers[1].status = 200;
    w->answers[0].body = "{\"metadata\":{\"continue\":\"c/\"},\"items\":[{\"a\":1},{\"a\":2}]}";
    w->answers[1].body = "{\"metadata\":{},\"items\":[{\"a\":3,\"kind\":\"Own\"}]}";
    w->asks = 0;
    assert_int_equal(fetch_all(&w->cli, &all, 1, &o, &f, &e), 0);
    assert_string_equal(w->asked[0], "GET /api/v1/namespaces/a/pods?labelSelector=x%3Dy&"
                                     "fieldSelector=f%3Dg&limit=2&more=1 ");
    assert_string_equal(w->asked[1], "GET /api/v1/namespaces/a/pods?labelSelector=x%3Dy&"
                                     "fieldSelector=f%3Dg&continue=c%2F&limit=2&more=1 ");
    assert_int_equal(f.count, 2);
    assert_int_equal(fetch_objects(&w->cli, &f, &objects), 3);
    assert_int_equal(fetch_tell(&f), CLI_OK);
}

static void test_refused(void **state)
{
    struct cli_world *w = *state;
    const struct objects_target targets[] = { { .resource = &pods, .name = str_lit("x") },
                                              { .resource = &pods } };
    struct fetch_options o = { .ns = str_lit("a"), .subresource = "status" };
    struct fetch f;
    struct err e;
    cli_world_reset(w);
    w->answers[0].status = 404;
    w->answers[0].body = "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"no x\"}";
    w->answers[1].status = 400;
    w->answers[1].body = "{\"kind\":\"Status\",\"reason\":\"BadRequest\",\"message\":\"odd\"}";
    w->asks = 0;
    assert_int_equal(fetch_all(&w->cli, targets, 2, &o, &f, &e), 0);
    assert_string_equal(w->asked[0], "GET /api/v1/namespaces/a/pods/x/status ");
    assert_int_equal(f.refusals_count, 2);
    assert_true(str_eq_c(f.refusals[0], "Error from server (NotFound): no x"));
    assert_true(str_eq_c(f.refusals[1], "Error from server (BadRequest): Unable to list \"/v1, "
                                        "Resource=pods\": odd"));
    o.ignore_missing = true;
    o.selector = "!!";
    w->asks = 0;
    assert_int_equal(fetch_all(&w->cli, targets, 2, &o, &f, &e), 0);
    assert_int_equal(f.refusals_count, 1);
    assert_non_null(strstr(f.refusals[0].data, "match label selector \"!!\", field selector \"\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pages),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
