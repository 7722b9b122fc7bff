/* get --watch: what there is, then the changes. */
#include <string.h>

#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define TABLE_OF(name)                                                                             \
    "{\"kind\":\"Table\",\"metadata\":{\"resourceVersion\":\"7\"},\"columnDefinitions\":[{"        \
    "\"name\":\"Name\"}],\"rows\":[{\"cells\":[\"" name "\"]}]}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"

static void test_watched(void **state)
{
    static const struct {
        const char *words[6];
        const char *list;
        const char *events;
        const char *target;
        const char *out;
    } cases[] = {
        { { "cm", "-w" },
          TABLE_OF("a"),
          EVENT("MODIFIED", TABLE_OF("b")) EVENT("BOOKMARK", "{}"),
          "GET /api/v1/namespaces/default/configmaps?resourceVersion=7&watch=true ",
          "NAME\na\nb\n" },
        { { "cm", "--watch-only", "--no-headers" },
          TABLE_OF("a"),
          EVENT("ADDED", TABLE_OF("b")),
          "GET /api/v1/namespaces/default/configmaps?resourceVersion=7&watch=true ",
          "b\n" },
        { { "cm", "a", "-w", "--output-watch-events" },
          TABLE_OF("a"),
          EVENT("ADDED", TABLE_OF("a")) EVENT("DELETED", TABLE_OF("a")),
          "GET /api/v1/namespaces/default/configmaps?fieldSelector=metadata.name%3Da&"
          "resourceVersion=0&watch=true ",
          "EVENT      NAME\nADDED      a\nDELETED    a\n" },
        { { "cm", "-w", "-o", "name" },
          "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[{\"metadata\":{\"name\":\"a\"}}]}",
          EVENT("MODIFIED", "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"b\"}}"),
          "GET /api/v1/namespaces/default/configmaps?resourceVersion=7&watch=true ",
          "configmap/a\nconfigmap/b\n" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cli_world_answer(w, cases[i].list, cases[i].events);
        assert_int_equal(cli_world_run(w, &get_verb, cases[i].words), CLI_OK);
        assert_string_equal(w->asked[3], cases[i].target);
        assert_string_equal(w->out, cases[i].out);
    }
}

static void test_ends(void **state)
{
    static const char *const words[] = { "cm", "-w", NULL };
    static const char *const two[] = { "cm", "a", "b", "-w", NULL };
    struct cli_world *w = *state;
    cli_world_answer(w, TABLE_OF("a"), EVENT("ERROR", "{\"message\":\"too old\"}"));
    assert_int_equal(cli_world_run(w, &get_verb, words), CLI_FAILED);
    assert_string_equal(w->errors, "error: the watch ended: too old\n");
    cli_world_answer(w, TABLE_OF("a"), "");
    assert_int_equal(cli_world_run(w, &get_verb, two), CLI_FAILED);
    assert_non_null(strstr(w->errors, "watch is only supported on individual resources"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_watched),
                                        cmocka_unit_test(test_ends) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
