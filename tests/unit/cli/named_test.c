/* What get, describe and wait look at: by words, or by manifests. */
#include <string.h>

#include "cli/named.h"
#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

#define MAPS                                                                                       \
    "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a, labels: {x: z}}\n---\n"                  \
    "kind: ConfigMap\napiVersion: v1\nmetadata: {name: b, namespace: other}\n"

static int read_named(struct cli_world *w, const char *file, const char *selector,
                      struct named *out)
{
    struct manifest_flags f = { .files = { .items = { file }, .count = 1 } };
    const struct words none = { .count = 0 };
    act_world_answers(w, (const struct act_answer[]){ { 0 } });
    w->asks = 0;
    w->cli.objects = NULL;
    return named_read(&w->cli, &f, &none, selector, out);
}

static void test_manifests(void **state)
{
    struct cli_world *w = *state;
    const char *path = act_world_file(w, "maps.yaml", MAPS);
    struct named n;
    w->cli.ns_given = true;
    assert_int_equal(read_named(w, path, NULL, &n), CLI_OK);
    assert_true(w->cli.ns_given);
    assert_int_equal(n.count, 2);
    assert_true(n.implied);
    assert_true(str_eq_c(n.targets[0].name, "a"));
    assert_true(str_eq_c(n.targets[0].ns, "default"));
    assert_true(str_eq_c(n.targets[1].ns, "other")); /* whatever -n says */
    assert_true(str_eq_c(n.targets[1].resource->plural, "configmaps"));
    w->cli.ns_given = false;
    assert_int_equal(read_named(w, path, "x=z", &n), CLI_OK);
    assert_int_equal(n.count, 1);
}

static void test_errors(void **state)
{
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        { "kind: Nope\napiVersion: v1\nmetadata: {name: x}",
          "resource mapping not found for name: \"x\"" },
        { "kind: ConfigMap\napiVersion: v1\nmetadata: {generateName: x}",
          "error: resource name may not be empty" },
        { "a: [", "error: error parsing" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct named n;
        const char *path = act_world_file(w, "bad.yaml", cases[i].text);
        assert_int_equal(read_named(w, path, NULL, &n), CLI_OK);
        assert_int_equal(n.count, 0);
        assert_int_equal(n.errors_count, 1);
        assert_memory_equal(n.errors[0].data, cases[i].error, strlen(cases[i].error));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_manifests),
                                        cmocka_unit_test(test_errors) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
