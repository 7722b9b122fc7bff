/* What exec and attach ask for; running it is theirs to test. */
#include <string.h>

#include "api/schema/json.h"
#include "cli/session.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define POD                                                                                        \
    "{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\"},\"spec\":{\"containers\":[{\"name\":\"a\"" \
    "}]}}"

static void test_target(void **state)
{
    static const struct {
        bool in;
        bool tty;
        const char *target;
    } cases[] = {
        { false, false, "x?container=a&stdout=true&stderr=true&more" },
        { true, false, "x?container=a&stdout=true&stdin=true&stderr=true&more" },
        { true, true, "x?container=a&stdout=true&stdin=true&tty=true&more" },
    };
    struct cli_world *w = *state;
    const struct json *pod;
    assert_int_equal(json_parse(&w->cli.arena, str_from(POD), &pod, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct session *x = arena_new(&w->cli.arena, struct session);
        x->cli = &w->cli;
        x->in = cases[i].in;
        x->tty = cases[i].tty;
        const char *target = session_target(x, pod, "x", str_lit("a"), str_lit("&more"));
        assert_string_equal(strrchr(target, '/') + 1, cases[i].target);
    }
}

static void test_container(void **state)
{
    struct cli_world *w = *state;
    const struct session_flags plain = { .container = NULL };
    const struct session_flags named = { .container = "z" };
    const struct json *pod;
    struct str name;
    assert_int_equal(json_parse(&w->cli.arena, str_from(POD), &pod, NULL), 0);
    assert_int_equal(session_container(&w->cli, &plain, pod, "x", &name), CLI_OK);
    assert_true(str_eq_c(name, "a"));
    assert_int_equal(session_container(&w->cli, &named, pod, "x", &name), CLI_OK);
    assert_true(str_eq_c(name, "z")); /* the server knows better whether there is one */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_target),
                                        cmocka_unit_test(test_container) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
