/* One object by server-side apply, and what becomes of client-side apply's traces. */
#include <string.h>

#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

#define MAP  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
#define NAME "kubectl.kubernetes.io/last-applied-configuration"
#define ENTRY(manager, operation, fields)                                                          \
    "{\"manager\":\"" manager "\",\"operation\":\"" operation "\",\"apiVersion\":\"v1\","          \
    "\"fieldsV1\":{" fields "}}"
#define OWNS_ANNOTATION "\"f:metadata\":{\"f:annotations\":{\"f:" NAME "\":{}}}"
#define LIVE(annotations, entries)                                                                 \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\","                  \
    "\"resourceVersion\":\"7\",\"annotations\":{" annotations "},\"managedFields\":[" entries      \
    "]}}"
#define PATCH "PATCH /api/v1/namespaces/default/configmaps/a?fieldManager="

static int apply(struct cli_world *w, const struct act_answer *answers, const char *flag)
{
    const char *const words[] = { "-f", act_world_file(w, "a.yaml", MAP), "--server-side", flag,
                                  NULL };
    return act_world_run(w, &apply_verb, answers, words);
}

static void test_plain(void **state)
{
    const struct act_answer answers[] = { { 200, LIVE("", "") }, { 0 } };
    struct cli_world *w = *state;
    assert_int_equal(apply(w, answers, NULL), 0);
    assert_string_equal(w->out, "configmap/a serverside-applied\n");
    assert_int_equal(w->asks, 3);
    assert_string_equal(w->asked[2],
                        PATCH "kubectl&fieldValidation=Strict&force=false {\"apiVersion\":\"v1\","
                              "\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\","
                              "\"namespace\":\"default\"}}");
    assert_int_equal(apply(w, answers, "--force-conflicts"), 0);
    assert_non_null(strstr(w->asked[2], "force=true"));
    assert_int_equal(apply(w, answers, "--subresource=status"), 0);
    assert_non_null(strstr(w->asked[2], "/configmaps/a/status?fieldManager="));
}

static void test_conflict(void **state)
{
    const struct act_answer answers[] = {
        { 409, ACT_STATUS("Conflict", "Apply failed with 1 conflict: .data.x") }, { 0 }
    };
    struct cli_world *w = *state;
    assert_int_equal(apply(w, answers, NULL), 1);
    assert_non_null(strstr(w->errors, "error: Apply failed with 1 conflict: .data.x\nPlease review "
                                      "the fields above--they currently have other managers."));
}

/* The annotation gets an owner, the fields go to the new manager, and it is applied again. */
static void test_migration(void **state)
{
    const struct act_answer answers[] = {
        { 200, LIVE("\"" NAME "\":\"{}\"",
                    ENTRY("kubectl", "Apply", "\"f:data\":{\"f:x\":{}}") "," ENTRY(
                        "kubectl-client-side-apply", "Update",
                        "\"f:data\":{\"f:y\":{}}," OWNS_ANNOTATION)) },
        { 200, LIVE("\"" NAME "\":\"{}\"",
                    ENTRY("kubectl", "Apply", "\"f:data\":{\"f:x\":{}}") "," ENTRY(
                        "kubectl-client-side-apply", "Update",
                        "\"f:data\":{\"f:y\":{}}," OWNS_ANNOTATION)) },
        { 200, LIVE("", "") },
        { 0 }
    };
    struct cli_world *w = *state;
    assert_int_equal(apply(w, answers, NULL), 0);
    assert_string_equal(w->errors, "");
    assert_int_equal(w->asks, 6);
    assert_non_null(strstr(w->asked[3], PATCH "kubectl-last-applied"));
    assert_non_null(strstr(w->asked[3], "\"annotations\":{\"" NAME "\":\"{}\"}"));
    assert_non_null(strstr(w->asked[4], "\"path\":\"/metadata/managedFields\""));
    assert_non_null(strstr(w->asked[4], "\"f:data\":{\"f:x\":{},\"f:y\":{}}"));
    assert_null(strstr(w->asked[4], "kubectl-client-side-apply"));
    assert_non_null(strstr(w->asked[5], PATCH "kubectl&"));
}

static void test_migration_refused(void **state)
{
    const struct act_answer answers[] = {
        { 200, LIVE("", ENTRY("kubectl-client-side-apply", "Update", OWNS_ANNOTATION)) },
        { 403, ACT_STATUS("Forbidden", "may not") },
        { 0 }
    };
    struct cli_world *w = *state;
    assert_int_equal(apply(w, answers, NULL), 0);
    assert_string_equal(w->out, "configmap/a serverside-applied\n");
    assert_non_null(strstr(w->errors, "Warning: server rejected managed fields migration"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_plain),
                                        cmocka_unit_test(test_conflict),
                                        cmocka_unit_test(test_migration),
                                        cmocka_unit_test(test_migration_refused) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
