/* gantry create. */
#include <string.h>

#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

#define MAP "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"generateName\":\"a-\"}}"

static void test_created(void **state)
{
    const struct act_answer answers[] = { { 201, "{\"metadata\":{\"name\":\"a-x\"}}" }, { 0 } };
    const struct act_answer there[] = { { 409, ACT_STATUS("AlreadyExists", "there") }, { 0 } };
    struct cli_world *w = *state;
    const char *path = act_world_file(w, "a.json", MAP);
    const char *const words[] = { "-f", path, NULL };
    assert_int_equal(act_world_run(w, &create_verb, answers, words), 0);
    assert_string_equal(w->out, "configmap/a-x created\n");
    assert_non_null(strstr(w->asked[2], "POST /api/v1/namespaces/default/configmaps?fieldManager="
                                        "kubectl-create&fieldValidation=Strict {\"apiVersion\""));
    assert_int_equal(act_world_run(w, &create_verb, there, words), 1);
    assert_non_null(strstr(w->errors, "Error from server (AlreadyExists): error when creating \""));
    const char *const save[] = { "-f", path, "--save-config", "--dry-run=client", NULL };
    assert_int_equal(act_world_run(w, &create_verb, answers, save), 0);
    assert_int_equal(w->asks, 2);
    const char *const none[] = { NULL };
    assert_int_equal(act_world_run(w, &create_verb, answers, none), 1);
    assert_string_equal(w->errors, "error: must specify one of -f and -k\n");
}

/* Each object as it comes: what scripts ask of what was made. */
static void test_output(void **state)
{
    static const char *const cases[][2] = {
        { "jsonpath={.metadata.name};", "a-x;a-y;" },
        { "yaml", "metadata:\n  name: a-x\n---\nmetadata:\n  name: a-y\n" },
        { "name", "configmap/a-x\nconfigmap/a-y\n" },
    };
    const struct act_answer answers[] = { { 201, "{\"metadata\":{\"name\":\"a-x\"}}" },
                                          { 201, "{\"metadata\":{\"name\":\"a-y\"}}" },
                                          { 0 } };
    struct cli_world *w = *state;
    const char *path = act_world_file(w, "two.yaml", MAP "\n---\n" MAP "\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const words[] = { "-f", path, "-o", cases[i][0], NULL };
        assert_int_equal(act_world_run(w, &create_verb, answers, words), 0);
        assert_string_equal(w->out, cases[i][1]);
    }
}

/* What cannot be shown as asked is made all the same, and told in the exit code. */
static void test_unshown(void **state)
{
    const struct act_answer answers[] = {
        { 201, "{\"metadata\":{\"name\":\"a-x\",\"finalizers\":[\"f\"]}}" }, { 0 }
    };
    struct cli_world *w = *state;
    const char *path = act_world_file(w, "unshown.json", MAP);
    const char *const words[] = { "-f", path, "-o", "jsonpath={.metadata.finalizers[5]}", NULL };
    assert_int_equal(act_world_run(w, &create_verb, answers, words), 1);
    assert_non_null(strstr(w->errors, "array index out of bounds"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_created),
                                        cmocka_unit_test(test_output),
                                        cmocka_unit_test(test_unshown) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
