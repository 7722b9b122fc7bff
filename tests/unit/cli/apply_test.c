/* gantry apply: which objects, which flags go together, what is printed of several. */
#include <string.h>

#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

#define MAP(name, labels)                                                                          \
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name ", labels: {" labels "}}\n"

static void test_clashes(void **state)
{
    static const struct {
        const char *words[5];
        const char *error;
    } cases[] = {
        { { NULL }, "error: must specify one of -f and -k\n" },
        { { "-f", "x", "--prune" }, "error: gantry does not prune" },
        { { "-f", "x", "--overwrite=false" }, "error: --overwrite=false is not done" },
        { { "-f", "x", "--force-conflicts" },
          "error: --force-conflicts only works with --server-side\n" },
        { { "-f", "x", "--server-side", "--dry-run=client" },
          "error: --dry-run=client doesn't work with --server-side (did you mean "
          "--dry-run=server instead?)\n" },
        { { "-f", "x", "--server-side", "--force" },
          "error: --force cannot be used with --server-side\n" },
        { { "-f", "x", "--force", "--dry-run=server" },
          "error: --dry-run=server cannot be used with --force\n" },
        { { "-f", "x", "--subresource=status" },
          "error: --subresource can only be specified for --server-side\n" },
        { { "-f", "x", "-o", "wide" }, "error: unable to match a printer" },
        { { "-f", "x", "-l", "a in" }, "error: " },
        { { "x" }, "error: Unexpected args: [x]" },
        { { "-f", "/no/such" }, "error: the path \"/no/such\" does not exist\n" },
        { { "-k", "dir" }, "error: -k dir: gantry builds no kustomizations" },
    };
    const struct act_answer none[] = { { 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cli_world *w = *state;
        assert_int_equal(act_world_run(w, &apply_verb, none, cases[i].words), 1);
        assert_memory_equal(w->errors, cases[i].error, strlen(cases[i].error));
        assert_int_equal(w->asks, 0);
    }
}

static void test_selected(void **state)
{
    struct cli_world *w = *state;
    const struct act_answer answers[] = { { 404, ACT_STATUS("NotFound", "no") }, { 0 } };
    const char *path = act_world_file(w, "two.yaml", MAP("a", "x: y") "---\n" MAP("b", "x: z"));
    const char *const words[] = { "-f", path, "-l", "x=z", "--dry-run=client", "-o", "name", NULL };
    assert_int_equal(act_world_run(w, &apply_verb, answers, words), 0);
    assert_string_equal(w->out, "configmap/b\n");
    const char *const list[] = { "-f", path, "--dry-run=client", "-o", "yaml", NULL };
    assert_int_equal(act_world_run(w, &apply_verb, answers, list), 0);
    assert_memory_equal(w->out, "apiVersion: v1\nitems:\n- apiVersion: v1\n", 39);
    assert_non_null(strstr(w->out, "kind: List\nmetadata: {}\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_clashes),
                                        cmocka_unit_test(test_selected) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
