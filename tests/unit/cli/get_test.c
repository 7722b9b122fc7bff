/* gantry get: what is asked for, and how tables, names and whole objects are shown. */
#include <string.h>

#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define DISCOVERY                                                                                  \
    "{\"items\":[{\"metadata\":{\"name\":\"\"},\"versions\":[{\"version\":\"v1\",\"resources\":["  \
    "{\"resource\":\"configmaps\",\"scope\":\"Namespaced\",\"shortNames\":[\"cm\"]}]}]}]}"

#define TABLE                                                                                      \
    "{\"columnDefinitions\":[{\"name\":\"Name\",\"priority\":0},{\"name\":\"Data\",\"priority\":"  \
    "0},"                                                                                          \
    "{\"name\":\"Extra\",\"priority\":1}],\"rows\":["                                              \
    "{\"cells\":[\"a\",1,\"x\"],\"object\":{\"metadata\":{\"name\":\"a\",\"namespace\":\"one\"}}}" \
    ","                                                                                            \
    "{\"cells\":[\"longer\",null,\"y\"],\"object\":{\"metadata\":{\"name\":\"longer\","            \
    "\"namespace\":\"two\"}}}]}"

static const char *const *words(struct cli_world *w, const char *const *list, const char *answer)
{
    cli_world_reset(w);
    w->answers[0].status = w->answers[1].status = w->answers[2].status = 200;
    w->answers[0].body = DISCOVERY;
    w->answers[1].body = "{}";
    w->answers[2].body = answer;
    return list;
}

static void test_shown(void **state)
{
    static const struct {
        const char *words[8];
        const char *answer;
        const char *asked;
        const char *out;
    } cases[] = {
        { { "cm" },
          TABLE,
          "GET /api/v1/namespaces/default/configmaps ",
          "NAME     DATA\na        1\nlonger   \n" },
        { { "cm", "-o", "wide", "-n", "x" },
          TABLE,
          "GET /api/v1/namespaces/x/configmaps ",
          "NAME     DATA   EXTRA\na        1      x\nlonger          y\n" },
        { { "cm", "-A" },
          TABLE,
          "GET /api/v1/configmaps ",
          "NAMESPACE   NAME     DATA\none         a        1\ntwo         longer   \n" },
        { { "cm/a", "-o=name", "--revision", "7" },
          TABLE,
          "GET /api/v1/namespaces/default/configmaps/a?gantryRevision=7 ",
          "configmaps/a\nconfigmaps/longer\n" },
        { { "cm", "--revision=7" },
          TABLE,
          "GET /api/v1/namespaces/default/configmaps?resourceVersion=7&resourceVersionMatch=Exact ",
          "NAME     DATA\na        1\nlonger   \n" },
        { { "cm", "a", "-o", "yaml" },
          "kind: ConfigMap\n",
          "GET /api/v1/namespaces/default/configmaps/a ",
          "kind: ConfigMap\n" },
        { { "cm", "a", "-o", "json" },
          "{\"kind\":\"ConfigMap\"}\n",
          "GET /api/v1/namespaces/default/configmaps/a ",
          "{\"kind\":\"ConfigMap\"}\n" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(cli_world_run(w, &get_verb, words(w, cases[i].words, cases[i].answer)),
                         CLI_OK);
        assert_string_equal(w->asked[2], cases[i].asked);
        assert_string_equal(w->out, cases[i].out);
    }
}

static void test_wrong(void **state)
{
    static const struct {
        const char *words[8];
        const char *says;
        int code;
    } cases[] = {
        { { NULL }, "which resource?", CLI_USAGE },
        { { "cm/a", "b" }, "which resource?", CLI_USAGE },
        { { "cm", "a", "b" }, "unknown argument 'b'", CLI_USAGE },
        { { "cm", "--what" }, "unknown argument '--what'", CLI_USAGE },
        { { "cm", "-o", "xml" }, "-o xml", CLI_USAGE },
        { { "cm", "--revision", "0" }, "no revision", CLI_USAGE },
        { { "cm", "--revision", "x" }, "no revision", CLI_USAGE },
        { { "pods" }, "the server doesn't have a resource type \"pods\"", CLI_FAILED },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)words(w, NULL, DISCOVERY);
        assert_int_equal(cli_world_run(w, &get_verb, cases[i].words), cases[i].code);
        assert_non_null(strstr(w->errors, cases[i].says));
    }
    static const char *const one[] = { "cm", "a", NULL };
    (void)words(w, one, "{\"message\":\"configmaps \\\"a\\\" not found\"}");
    w->answers[2].status = 404;
    assert_int_equal(cli_world_run(w, &get_verb, one), CLI_FAILED);
    assert_string_equal(w->errors, "gantry: configmaps \"a\" not found\n");
    (void)words(w, one, "{\"columnDefinitions\":[],\"rows\":[]}");
    assert_int_equal(cli_world_run(w, &get_verb, one), CLI_OK);
    assert_string_equal(w->out, "");
    assert_string_equal(w->errors, "none found\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_shown),
                                        cmocka_unit_test(test_wrong) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
