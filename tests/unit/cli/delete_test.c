/* gantry delete: what is asked of the server, and kubectl's lines. */
#include <string.h>

#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

#define GONE      "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[]}"
#define OPTIONS   "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"propagationPolicy\":"
#define DELETED_A "DELETE /api/v1/namespaces/default/configmaps/a "

struct delete_case {
    const char *words[7];
    struct act_answer answers[6];
    int code;
    const char *out;
    const char *errors;
    const char *asked[5];
};

static void run(struct cli_world *w, const struct delete_case *c)
{
    int code = act_world_run(w, &delete_verb, c->answers, c->words);
    assert_string_equal(w->out, c->out);
    assert_string_equal(w->errors, c->errors);
    assert_int_equal(code, c->code);
    for (size_t i = 0; c->asked[i] != NULL; i++)
        assert_memory_equal(w->asked[2 + i], c->asked[i], strlen(c->asked[i]));
}

static void test_deleted(void **state)
{
    static const struct delete_case cases[] = {
        { { "cm/a", "--wait=false" },
          { { 200, "{}" } },
          1,
          "",
          "error: the server doesn't have a resource type \"cm\"\n",
          { NULL } },
        { { "configmap", "a", "b", "--wait=false" },
          { { 200, "{}" } },
          0,
          "configmap \"a\" deleted\nconfigmap \"b\" deleted\n",
          "",
          { DELETED_A OPTIONS "\"Background\"}",
            "DELETE /api/v1/namespaces/default/configmaps/b " } },
        { { "deployment/a", "--cascade=orphan", "--now" },
          { { 200, "{\"metadata\":{\"uid\":\"u\"}}" }, { 200, GONE } },
          0,
          "deployment.apps \"a\" deleted\n",
          "",
          { "DELETE /apis/apps/v1/namespaces/default/deployments/a " OPTIONS
            "\"Orphan\",\"gracePeriodSeconds\":1}",
            "GET /apis/apps/v1/namespaces/default/deployments?fieldSelector=metadata.name%3Da" } },
        { { "configmap/a", "--force", "-o", "name", "--wait=false" },
          { { 200, "{}" } },
          0,
          "configmap/a\n",
          "Warning: Immediate deletion does not wait for confirmation that the running resource "
          "has been terminated. The resource may continue to run on the cluster indefinitely.\n",
          { DELETED_A OPTIONS "\"Background\",\"gracePeriodSeconds\":0}" } },
        { { "configmap/a" },
          { { 404, ACT_STATUS("NotFound", "configmaps \\\"a\\\" not found") } },
          1,
          "",
          "Error from server (NotFound): configmaps \"a\" not found\n",
          { DELETED_A } },
        { { "configmap/a", "--ignore-not-found" },
          { { 404, ACT_STATUS("NotFound", "no") } },
          0,
          "",
          "",
          { DELETED_A } },
        { { "configmap", "--all", "--wait=false" },
          { { 200, "{\"items\":[{\"metadata\":{\"name\":\"a\",\"namespace\":\"default\"}}]}" },
            { 200, "{}" } },
          0,
          "configmap \"a\" deleted\n",
          "",
          { "GET /api/v1/namespaces/default/configmaps?", DELETED_A } },
        { { "configmap", "-l", "x=y" },
          { { 200, "{\"items\":[]}" } },
          0,
          "No resources found\n",
          "",
          { "GET /api/v1/namespaces/default/configmaps?labelSelector=x%3Dy" } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run(*state, &cases[i]);
}

static void test_dry_run(void **state)
{
    static const struct delete_case cases[] = {
        { { "configmap/a", "--dry-run=client" },
          { { 0 } },
          0,
          "configmap \"a\" deleted (dry run)\n",
          "",
          { NULL } },
        { { "configmap/a", "--dry-run=server" },
          { { 200, "{}" } },
          0,
          "configmap \"a\" deleted (server dry run)\n",
          "",
          { "DELETE /api/v1/namespaces/default/configmaps/a?dryRun=All " } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run(*state, &cases[i]);
}

static void test_refused(void **state)
{
    static const struct delete_case cases[] = {
        { { "configmap" },
          { { 0 } },
          1,
          "",
          "error: resource(s) were provided, but no name was specified\n",
          { NULL } },
        { { "configmap/a", "--all" },
          { { 0 } },
          1,
          "",
          "error: name cannot be provided when a selector is specified\n",
          { NULL } },
        { { "configmap", "--all", "-l", "a=b" },
          { { 0 } },
          1,
          "",
          "error: setting 'all' parameter but found a non empty selector. \n",
          { NULL } },
        { { "configmap/a", "--now", "--grace-period=3" },
          { { 0 } },
          1,
          "",
          "error: --now and --grace-period cannot be specified together\n",
          { NULL } },
        { { "configmap/a", "--force", "--grace-period=3" },
          { { 0 } },
          1,
          "",
          "error: --force and --grace-period greater than 0 cannot be specified together\n",
          { NULL } },
        { { "configmap/a", "--cascade=x" },
          { { 0 } },
          1,
          "",
          "error: invalid cascade value (x). Must be \"background\", \"foreground\", or "
          "\"orphan\"\n",
          { NULL } },
        { { "configmap/a", "-o", "yaml" },
          { { 0 } },
          1,
          "",
          "error: unexpected -o output mode: yaml. We only support '-o name'\n",
          { NULL } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run(*state, &cases[i]);
}

static void test_manifest(void **state)
{
    struct cli_world *w = *state;
    const struct act_answer answers[] = { { 404, ACT_STATUS("NotFound", "no") }, { 0 } };
    const char *path =
        act_world_file(w, "a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    const char *const words[] = { "-f", path, NULL };
    assert_int_equal(act_world_run(w, &delete_verb, answers, words), 1);
    assert_non_null(strstr(w->errors, "Error from server (NotFound): error when deleting \""));
    const char *const both[] = { "-f", path, "configmap/a", NULL };
    assert_int_equal(act_world_run(w, &delete_verb, answers, both), 1);
    assert_non_null(strstr(w->errors, "you may not specify resource arguments as well"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_deleted),
                                        cmocka_unit_test(test_dry_run),
                                        cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_manifest) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
