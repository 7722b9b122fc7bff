/* wait: what is looked at, watched, and said. */
#include <string.h>

#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define OBJECT(value)                                                                              \
    "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\",\"namespace\":\"n\"},\"data\":{\"k\":"   \
    "\"" value "\"}}"
#define LIST(items) "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[" items "]}"

static int run(struct cli_world *w, const char *const *words, const char *one, const char *two,
               const char *events)
{
    cli_world_answer(w, one, two);
    w->answers[4].status = 200;
    w->answers[4].body = events;
    return cli_world_run(w, &wait_verb, words);
}

static void test_met(void **state)
{
    static const char *const words[] = { "cm/a", "--for=jsonpath={.data.k}=new", NULL };
    static const char *const gone[] = { "cm/a", "--for=delete", NULL };
    struct cli_world *w = *state;
    assert_int_equal(run(w, words, OBJECT("new"), LIST(OBJECT("new")), NULL), CLI_OK);
    assert_string_equal(w->out, "configmap/a condition met\n");
    assert_int_equal(w->asks, 4);
    assert_int_equal(run(w, words, OBJECT("old"), LIST(OBJECT("old")),
                         "{\"type\":\"MODIFIED\",\"object\":" OBJECT("new") "}\n"),
                     CLI_OK);
    assert_string_equal(w->asked[4], "GET /api/v1/namespaces/n/configmaps?fieldSelector="
                                     "metadata.name%3Da&watch=true&resourceVersion=5 ");
    assert_string_equal(w->out, "configmap/a condition met\n");
    assert_int_equal(run(w, gone, OBJECT("old"), LIST(OBJECT("old")),
                         "{\"type\":\"DELETED\",\"object\":" OBJECT("old") "}\n"),
                     CLI_OK);
    assert_string_equal(w->out, "configmap/a condition met\n");
}

static void test_not_met(void **state)
{
    static const struct {
        const char *words[5];
        const char *says;
    } cases[] = {
        { { "cm/a", "--for=condition=x", "--timeout=0" },
          "error: condition not met for configmaps/a\n" },
        { { "cm/a", "--for=foo" }, "error: unrecognized condition: \"foo\"\n" },
        { { "cm/a" }, "error: unrecognized condition: \"\"\n" },
        { { "cm", "--for=delete" },
          "error: resource(s) were provided, but no name was specified\n" },
        { { "cm", "a", "--for=delete", "--all" },
          "error: name cannot be provided when a selector is specified\n" },
        { { "--for=delete" }, "error: You must provide one or more resources" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(run(w, cases[i].words, OBJECT("old"), LIST(OBJECT("old")), ""),
                         CLI_FAILED);
        assert_int_equal(strncmp(w->errors, cases[i].says, strlen(cases[i].says)), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_met),
                                        cmocka_unit_test(test_not_met) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
