/* explain: which document is asked for, and how its path is read. */
#include <string.h>

#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define DOCUMENT                                                                                   \
    "{\"components\":{\"schemas\":{\"CM\":{\"description\":\"Text.\",\"properties\":{\"data\":{"   \
    "\"type\":\"string\",\"description\":\"It.\"}},\"x-kubernetes-group-version-kind\":[{"         \
    "\"group\":\"\",\"version\":\"v1\",\"kind\":\"ConfigMap\"}]}}}}"

static int run(struct cli_world *w, const char *const *words)
{
    cli_world_answer(w, DOCUMENT, NULL);
    return cli_world_run(w, &explain_verb, words);
}

static void test_explained(void **state)
{
    static const char *const kind[] = { "cm", NULL };
    static const char *const field[] = { "cm.data", NULL };
    static const char *const version[] = { "configmaps.data", "--api-version=v1", NULL };
    struct cli_world *w = *state;
    assert_int_equal(run(w, kind), CLI_OK);
    assert_string_equal(w->asked[2], "GET /openapi/v3/api/v1 ");
    assert_string_equal(w->out, "KIND:       ConfigMap\nVERSION:    v1\n\nDESCRIPTION:\n    Text."
                                "\n    \nFIELDS:\n  data\t<string>\n    It.\n\n\n");
    assert_int_equal(run(w, field), CLI_OK);
    assert_non_null(strstr(w->out, "FIELD: data <string>\n"));
    assert_int_equal(run(w, version), CLI_OK);
}

static void test_wrong(void **state)
{
    static const struct {
        const char *words[3];
        const char *says;
    } cases[] = {
        { { NULL }, "error: You must specify the type of resource to explain." },
        { { "a", "b" }, "error: We accept only this format: explain RESOURCE\n" },
        { { "nosuch.spec" }, "the server doesn't have a resource type \"nosuch\"\n" },
        { { "cm.none" }, "error: field \"none\" does not exist\n" },
        { { "cm", "-o", "html" }, "error: -o html is not there" },
        { { "cm", "--api-version=v9" }, "error: no matches for kind \"ConfigMap\"" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *words[4] = { cases[i].words[0], cases[i].words[1], cases[i].words[2], NULL };
        assert_int_equal(run(w, words), CLI_FAILED);
        assert_int_equal(strncmp(w->errors, cases[i].says, strlen(cases[i].says)), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_explained),
                                        cmocka_unit_test(test_wrong) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
