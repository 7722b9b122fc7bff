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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_created) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
