/* Watches to snapshot: pods that finish make room, pods bound by others take it, nodes leave. */
#include "controllers/objects.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/unit.h"

static void put_pod(struct cluster *c, const char *name, const char *spec)
{
    cluster_put(
        c, KIND_POD,
        str_dup(&c->arena, str_printf(&c->arena,
                                      "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\"},"
                                      "\"spec\":{%s\"containers\":[{\"name\":\"c\",\"resources\":{"
                                      "\"requests\":{\"cpu\":\"3\"}}}]}}",
                                      name, spec)));
}

static const char *node_of(struct cluster *c, const char *name)
{
    return pod_node(fake_get(&c->api, &c->arena, KIND_POD, "default", name));
}

static void test_finished_and_foreign(void **state)
{
    struct cluster c;
    Pod *pod;

    (void)state; /* no shared fixture */
    cluster_init(&c, 1, 1, true);
    put_pod(&c, "foreign", "\"nodeName\":\"node-1\",\"schedulerName\":\"other\",");
    cluster_run(&c, 2000);
    put_pod(&c, "waits", "");
    cluster_run(&c, 5000);
    assert_string_equal(node_of(&c, "waits"), "");
    pod = fake_get(&c.api, &c.arena, KIND_POD, "default", "foreign");
    pod->status->phase = str_dup(&c.arena, str_lit("Succeeded"));
    fake_put(&c.api, KIND_POD, pod);
    cluster_run(&c, 12000);
    assert_string_equal(node_of(&c, "waits"), "node-1");
    cluster_deinit(&c);
}

static void test_nodes_leave_and_come(void **state)
{
    struct cluster c;
    Node *node;

    (void)state; /* no shared fixture */
    cluster_init(&c, 2, 1, true);
    cluster_run(&c, 1000);
    node = fake_get(&c.api, &c.arena, KIND_NODE, "", "node-1");
    fake_remove(&c.api, KIND_NODE, "", "node-1");
    cluster_run(&c, 1000);
    put_pod(&c, "p", "");
    cluster_run(&c, 5000);
    assert_string_equal(c.last_refusal, "no nodes available to schedule pods");
    node->metadata->uid = NULL;
    fake_put(&c.api, KIND_NODE, node);
    cluster_run(&c, 12000);
    assert_string_equal(node_of(&c, "p"), "node-1");
    cluster_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_finished_and_foreign),
                                        cmocka_unit_test(test_nodes_leave_and_come) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
