/* Names of resources in discovery, and what words ask for. */
#include <string.h>

#include "cli/objects.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define DISCOVERY                                                                                  \
    "{\"items\":[{\"metadata\":{\"name\":\"apps\"},\"versions\":[{\"version\":\"v1\","             \
    "\"resources\":["                                                                              \
    "{\"resource\":\"deployments\",\"scope\":\"Namespaced\",\"singularResource\":\"deployment\","  \
    "\"shortNames\":[\"deploy\"],\"categories\":[\"all\"],\"responseKind\":{\"kind\":"             \
    "\"Deployment\"}},"                                                                            \
    "{\"resource\":\"things\",\"responseKind\":{\"kind\":\"Kindly\"},\"scope\":\"Cluster\","       \
    "\"singularResource\":\"thing\"}]}]}]}"

static void load(struct cli_world *w)
{
    cli_world_reset(w);
    w->answers[0].status = w->answers[1].status = 200;
    w->answers[0].body = "{\"items\":[]}";
    w->answers[1].body = DISCOVERY;
    w->asks = 0;
    w->cli.objects = NULL;
}

static void test_find(void **state)
{
    static const struct {
        const char *word;
        const char *plural; /* NULL: not there */
    } cases[] = {
        { "deployments", "deployments" },
        { "deployment", "deployments" },
        { "Deployment", "deployments" },
        { "deploy", "deployments" },
        { "deploy.apps", "deployments" },
        { "deploy.app", "deployments" },
        { "deployments.v1.apps", "deployments" },
        { "deployments.v2.apps", NULL },
        { "deploy.batch", NULL },
        { "thing", "things" },
        { "kindly", "things" },
        { "nothing", NULL },
        { "", NULL },
    };
    struct cli_world *w = *state;
    struct err e;
    load(w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct objects_resource r;
        int rc = objects_find(&w->cli, str_from(cases[i].word), &r, &e);
        assert_int_equal(rc, cases[i].plural != NULL ? 0 : -ERR_NOT_FOUND);
        if (rc != 0)
            continue;
        assert_true(str_eq_c(r.plural, cases[i].plural));
        assert_true(str_eq_c(r.group, "apps"));
        assert_true(str_eq_c(r.version, "v1"));
        assert_int_equal(r.namespaced, cases[i].plural[0] == 'd');
    }
    /* Discovery is asked for once. */
    assert_int_equal(w->asks, 2);
    assert_string_equal(w->asked[0], "GET /api ");
    assert_string_equal(w->asked[1], "GET /apis ");
    assert_string_equal(e.msg, "the server doesn't have a resource type \"\"");
}

static void test_find_fails(void **state)
{
    struct cli_world *w = *state;
    struct objects_resource r;
    struct err e;
    load(w);
    w->answers[0].body = "not JSON";
    assert_int_equal(objects_find(&w->cli, str_lit("deploy"), &r, &e), -ERR_PARSE);
    load(w);
    w->answers[0].status = 403;
    w->answers[0].body = "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"no\"}";
    assert_int_equal(objects_find(&w->cli, str_lit("deploy"), &r, &e), -ERR_INTERNAL);
    assert_string_equal(e.msg, "Error from server (Forbidden): no");
}

static void test_of_kind(void **state)
{
    struct cli_world *w = *state;
    const struct objects_resource *r;
    struct err e;
    load(w);
    assert_int_equal(objects_of_kind(&w->cli, str_lit("apps/v1"), str_lit("Deployment"), &r, &e),
                     0);
    assert_true(str_eq_c(r->plural, "deployments"));
    assert_true(str_eq_c(objects_title(&w->cli, r, str_lit("x")), "deployment.apps/x"));
    assert_true(str_eq_c(objects_group_resource(&w->cli, r), "deployments.apps"));
    assert_int_equal(objects_of_kind(&w->cli, str_lit("v1"), str_lit("Deployment"), &r, &e),
                     -ERR_NOT_FOUND);
    assert_string_equal(e.msg, "no matches for kind \"Deployment\" in version \"v1\"");
}

static void test_targets(void **state)
{
    static const struct {
        const char *words[4];
        const char *targets; /* NULL: refused */
        const char *says;
    } cases[] = {
        { { NULL }, "", "" },
        { { "deploy" }, "deployments/ ", "" },
        { { "deploy", "a", "b" }, "deployments/a deployments/b ", "" },
        { { "deploy/a", "thing/b" }, "deployments/a things/b ", "" },
        { { "thing,deploy" }, "things/ deployments/ ", "" },
        { { "all" }, "deployments/ ", "" },
        { { "deploy/a", "b" }, NULL, "there is no need to specify a resource type" },
        { { "deploy/a/b" }, NULL, "may not have more than one slash" },
        { { "deploy,thing/a" }, NULL, "must have a single resource and name" },
        { { "nothing" }, NULL, "doesn't have a resource type \"nothing\"" },
    };
    struct cli_world *w = *state;
    load(w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct objects_target *targets = NULL;
        size_t count = 0;
        size_t words = 0;
        struct err e;
        struct str text = str_lit("");
        while (words < 4 && cases[i].words[words] != NULL)
            words++;
        int rc = objects_targets(&w->cli, cases[i].words, words, &targets, &count, &e);
        assert_int_equal(rc == 0, cases[i].targets != NULL);
        if (rc != 0) {
            assert_non_null(strstr(e.msg, cases[i].says));
            continue;
        }
        for (size_t t = 0; t < count; t++)
            text = str_printf(&w->cli.arena, "%.*s%.*s/%.*s ", STR_ARG(text),
                              STR_ARG(targets[t].resource->plural), STR_ARG(targets[t].name));
        assert_true(str_eq_c(text, cases[i].targets));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_find),
                                        cmocka_unit_test(test_find_fails),
                                        cmocka_unit_test(test_of_kind),
                                        cmocka_unit_test(test_targets) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
