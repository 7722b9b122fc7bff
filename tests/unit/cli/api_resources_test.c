/* api-resources and api-versions. */
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define CORE                                                                                       \
    "{\"items\":[{\"metadata\":{\"name\":\"\"},\"versions\":[{\"version\":\"v1\",\"resources\":["  \
    "{\"resource\":\"pods\",\"scope\":\"Namespaced\",\"shortNames\":[\"po\"],\"verbs\":[\"get\","  \
    "\"list\"],\"categories\":[\"all\"],\"responseKind\":{\"kind\":\"Pod\"}},"                     \
    "{\"resource\":\"nodes\",\"scope\":\"Cluster\",\"verbs\":[\"get\"],\"responseKind\":{"         \
    "\"kind\":\"Node\"}}]}]}]}"
#define OTHERS                                                                                     \
    "{\"items\":[{\"metadata\":{\"name\":\"apps\"},\"versions\":[{\"version\":\"v1\","             \
    "\"resources\":[{\"resource\":\"apples\",\"scope\":\"Namespaced\",\"verbs\":[\"get\"],"        \
    "\"responseKind\":{\"kind\":\"Zapple\"}}]},{\"version\":\"v0\",\"resources\":[{"               \
    "\"resource\":\"old\",\"verbs\":[\"get\"]}]}]}]}"

static int run(struct cli_world *w, const struct verb *v, const char *const *words)
{
    cli_world_reset(w);
    w->answers[0].status = w->answers[1].status = 200;
    w->answers[0].body = CORE;
    w->answers[1].body = OTHERS;
    return cli_world_run(w, v, words);
}

static void test_resources(void **state)
{
    static const struct {
        const char *words[3];
        const char *out;
    } cases[] = {
        { { NULL },
          "NAME     SHORTNAMES   APIVERSION   NAMESPACED   KIND\n"
          "nodes                 v1           false        Node\n"
          "pods     po           v1           true         Pod\n"
          "apples                apps/v1      true         Zapple\n" },
        { { "-o", "name" }, "nodes\npods\napples.apps\n" },
        { { "-o", "name", "--sort-by=name" }, "apples.apps\nnodes\npods\n" },
        { { "-o", "name", "--sort-by=kind" }, "nodes\npods\napples.apps\n" },
        { { "-o", "name", "--namespaced=false" }, "nodes\n" },
        { { "-o", "name", "--api-group=apps" }, "apples.apps\n" },
        { { "-o", "name", "--verbs=get,list" }, "pods\n" },
        { { "--no-headers", "-owide", "--categories=all" },
          "pods   po    v1    true   Pod   get,list   all\n" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *words[4] = { cases[i].words[0], cases[i].words[1], cases[i].words[2], NULL };
        assert_int_equal(run(w, &api_resources_verb, words), CLI_OK);
        assert_string_equal(w->out, cases[i].out);
    }
}

static void test_versions(void **state)
{
    static const char *const none[] = { NULL };
    static const char *const some[] = { "x", NULL };
    static const char *const odd[] = { "--sort-by=x", NULL };
    struct cli_world *w = *state;
    assert_int_equal(run(w, &api_versions_verb, none), CLI_OK);
    assert_string_equal(w->out, "apps/v0\napps/v1\nv1\n");
    assert_int_equal(run(w, &api_versions_verb, some), CLI_FAILED);
    assert_int_equal(run(w, &api_resources_verb, some), CLI_FAILED);
    assert_int_equal(run(w, &api_resources_verb, odd), CLI_FAILED);
    assert_string_equal(w->errors, "error: --sort-by accepts only name or kind\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_resources),
                                        cmocka_unit_test(test_versions) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
