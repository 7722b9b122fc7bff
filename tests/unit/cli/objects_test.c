/* Names of resources in discovery, and the paths made of them. */
#include "api/schema/json.h"
#include "cli/objects.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define DISCOVERY                                                                                  \
    "{\"items\":[{\"metadata\":{\"name\":\"apps\"},\"versions\":[{\"version\":\"v1\","             \
    "\"resources\":["                                                                              \
    "{\"resource\":\"deployments\",\"scope\":\"Namespaced\",\"singularResource\":\"deployment\","  \
    "\"shortNames\":[\"deploy\"]},"                                                                \
    "{\"resource\":\"things\",\"scope\":\"Cluster\",\"singularResource\":\"thing\"}]}]}]}"

static void test_match(void **state)
{
    static const struct {
        const char *word;
        const char *plural; /* NULL: not there */
    } cases[] = {
        { "deployments", "deployments" },
        { "deployment", "deployments" },
        { "deploy", "deployments" },
        { "deploy.apps", "deployments" },
        { "deploy.batch", NULL },
        { "thing", "things" },
        { "nothing", NULL },
        { "", NULL },
    };
    struct cli_world *w = *state;
    const struct json *list;
    assert_int_equal(json_parse(&w->cli.arena, str_lit(DISCOVERY), &list, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct objects_resource r;
        bool found = objects_match(list, str_from(cases[i].word), &r);
        assert_int_equal(found, cases[i].plural != NULL);
        if (!found)
            continue;
        assert_true(str_eq_c(r.plural, cases[i].plural));
        assert_true(str_eq_c(r.group, "apps"));
        assert_true(str_eq_c(r.version, "v1"));
        assert_int_equal(r.namespaced, cases[i].plural[0] == 'd');
    }
}

static void test_find(void **state)
{
    struct cli_world *w = *state;
    struct objects_resource r;
    struct err e;
    cli_world_reset(w);
    w->answers[0].status = w->answers[1].status = 200;
    w->answers[0].body = "{\"items\":[]}";
    w->answers[1].body = DISCOVERY;
    w->asks = 0;
    assert_int_equal(objects_find(&w->cli, str_lit("deploy"), &r, &e), 0);
    assert_string_equal(w->asked[0], "GET /api ");
    assert_string_equal(w->asked[1], "GET /apis ");
    w->asks = 0;
    assert_int_equal(objects_find(&w->cli, str_lit("nothing"), &r, &e), -ERR_NOT_FOUND);
    assert_string_equal(e.msg, "the server has no resource 'nothing'");
    w->answers[0].body = "not JSON";
    w->asks = 0;
    assert_int_equal(objects_find(&w->cli, str_lit("deploy"), &r, &e), -ERR_PARSE);
}

static void test_path(void **state)
{
    struct cli_world *w = *state;
    const struct objects_resource pods = { .group = str_lit(""),
                                           .version = str_lit("v1"),
                                           .plural = str_lit("pods"),
                                           .namespaced = true };
    const struct objects_resource things = { .group = str_lit("apps"),
                                             .version = str_lit("v1"),
                                             .plural = str_lit("things") };
    struct str none = str_lit("");
    assert_string_equal(objects_path(&w->cli, &pods, str_lit("a"), str_lit("b")),
                        "/api/v1/namespaces/a/pods/b");
    assert_string_equal(objects_path(&w->cli, &pods, none, none), "/api/v1/pods");
    assert_string_equal(objects_path(&w->cli, &pods, str_lit("a"), str_lit("x/../y?z")),
                        "/api/v1/namespaces/a/pods/x%2F..%2Fy%3Fz");
    assert_string_equal(objects_path(&w->cli, &things, str_lit("a"), str_lit("b")),
                        "/apis/apps/v1/things/b");
}

static void test_split(void **state)
{
    static const struct {
        const char *word;
        const char *name;
        bool good;
        const char *out_name;
    } cases[] = {
        { "pods", "", true, "" },     { "pods/a", "", true, "a" }, { "pods", "a", true, "a" },
        { "pods/a", "b", false, "" }, { "pods/", "", false, "" },  { "/a", "", false, "" },
        { "", "", false, "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str name = str_from(cases[i].name);
        struct str resource;
        assert_int_equal(objects_split(str_from(cases[i].word), &resource, &name), cases[i].good);
        if (cases[i].good)
            assert_true(str_eq_c(resource, "pods") && str_eq_c(name, cases[i].out_name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_match), cmocka_unit_test(test_find),
                                        cmocka_unit_test(test_path), cmocka_unit_test(test_split) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
