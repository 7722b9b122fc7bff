/* Pods by words, and containers in them. */
#include <string.h>

#include "cli/compose.h"
#include "cli/pods.h"
#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

#define POD                                                                                        \
    "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":\"a\"},"  \
    "{\"name\":\"b\"}],\"initContainers\":[{\"name\":\"i\"}],\"ephemeralContainers\":[{\"name\":"  \
    "\"e\"}]}}"
#define ONE(name, phase, ready, born)                                                              \
    "{\"metadata\":{\"name\":\"" name "\",\"creationTimestamp\":\"" born                           \
    "\"},\"spec\":{\"nodeName\":\"n\"},\"status\":{\"phase\":\"" phase                             \
    "\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"" ready "\"}]}}"

static const struct json *parse(struct cli_world *w, const char *text)
{
    const struct json *j;
    assert_int_equal(json_parse(&w->cli.arena, str_from(text), &j, NULL), 0);
    return j;
}

static void test_containers(void **state)
{
    struct cli_world *w = *state;
    const struct json *pod = parse(w, POD);
    bool first;
    assert_string_equal(pods_container_names(&w->cli, pod).data, "a, b, e (ephem), i (init)");
    assert_string_equal(pods_find_container(pod, str_lit("b")), "containers");
    assert_string_equal(pods_find_container(pod, str_lit("i")), "initContainers");
    assert_null(pods_find_container(pod, str_lit("x")));
    assert_true(str_eq_c(pods_default_container(pod, &first), "a"));
    assert_true(first);
    pod = parse(w, "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}");
    assert_true(str_eq_c(pods_default_container(pod, &first), "a"));
    assert_false(first);
    pod = parse(w, "{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/default-container\":"
                   "\"z\"}},\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"z\"}]}}");
    assert_true(str_eq_c(pods_default_container(pod, &first), "z"));
    assert_false(first);
}

static int find(struct cli_world *w, const char *word, const struct act_answer *answers,
                enum pods_order order, struct pods *out)
{
    w->cli.ns = str_lit("n");
    act_world_answers(w, answers);
    w->asks = 0;
    w->cli.objects = NULL;
    return pods_of_word(&w->cli, word, order, false, out);
}

static void test_of_object(void **state)
{
    const struct act_answer answers[] = {
        { 200, "{\"spec\":{\"selector\":{\"matchLabels\":{\"a\":\"b\"},\"matchExpressions\":["
               "{\"key\":\"k\",\"operator\":\"NotIn\",\"values\":[\"x\",\"y\"]},"
               "{\"key\":\"d\",\"operator\":\"DoesNotExist\"}]}}}" },
        { 200, "{\"items\":[" ONE("pending", "Pending", "False", "2020") "," ONE(
                   "old", "Running", "True",
                   "2020") "," ONE("new", "Running", "True",
                                   "2021") "," ONE("unready", "Running", "False", "2019") "]}" },
        { 0 }
    };
    struct cli_world *w = *state;
    struct pods pods;
    assert_int_equal(find(w, "deployment/d", answers, PODS_FOR_LOGS, &pods), CLI_OK);
    assert_string_equal(w->asked[2], "GET /apis/apps/v1/namespaces/n/deployments/d ");
    assert_string_equal(w->asked[3], "GET /api/v1/namespaces/n/pods?labelSelector="
                                     "a%3Db%2Ck%20notin%20%28x%2Cy%29%2C%21d ");
    assert_int_equal(pods.count, 1);
    assert_int_equal(pods.found, 4);
    assert_true(str_eq_c(compose_text_in(pods.items[0], "metadata", "name"), "old"));
    assert_int_equal(find(w, "deployment/d", answers, PODS_FOR_EXEC, &pods), CLI_OK);
    assert_true(str_eq_c(compose_text_in(pods.items[0], "metadata", "name"), "new"));
}

static void test_refused(void **state)
{
    const struct act_answer missing[] = { { 404, ACT_STATUS("NotFound", "no pod") }, { 0 } };
    const struct act_answer selects_none[] = { { 200, "{\"spec\":{}}" }, { 0 } };
    const struct act_answer empty[] = { { 200, "{\"spec\":{\"selector\":{\"a\":\"b\"}}}" },
                                        { 200, "{\"items\":[]}" },
                                        { 0 } };
    struct cli_world *w = *state;
    struct pods pods;
    assert_int_equal(find(w, "p", missing, PODS_FOR_EXEC, &pods), CLI_FAILED);
    assert_string_equal(w->asked[2], "GET /api/v1/namespaces/n/pods/p ");
    assert_int_equal(find(w, "configmap/c", selects_none, PODS_FOR_EXEC, &pods), CLI_FAILED);
    assert_int_equal(find(w, "deployment/d", empty, PODS_FOR_EXEC, &pods), CLI_FAILED);
    assert_string_equal(w->asked[3], "GET /api/v1/namespaces/n/pods?labelSelector=a%3Db ");
    assert_int_equal(find(w, "nosuch/d", empty, PODS_FOR_EXEC, &pods), CLI_FAILED);
}

static void test_by_label(void **state)
{
    const struct act_answer none[] = { { 0 } };
    struct cli_world *w = *state;
    struct pods pods;
    act_world_answers(w, none);
    w->answers[0].body = "{\"items\":[" POD "," POD "]}";
    w->asks = 0;
    assert_int_equal(pods_of_selector(&w->cli, "a=b", &pods), CLI_OK);
    assert_int_equal(pods.count, 2);
    assert_string_equal(w->asked[0], "GET /api/v1/namespaces/n/pods?labelSelector=a%3Db ");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_containers),
                                        cmocka_unit_test(test_of_object),
                                        cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_by_label) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
