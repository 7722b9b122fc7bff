/* Paths of objects, and names that come in two ways. */
#include "cli/objects.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

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
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_path), cmocka_unit_test(test_split) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
