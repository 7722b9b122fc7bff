/* The scheduler against the model of the API: everything is placed, nothing twice, refusals are
 * told. */
#include <string.h>

#include "api/meta/condition.h"
#include "controllers/objects.h"
#include "controllers/scheduler/session.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/unit.h"

static void put_pod(struct cluster *c, const char *name, const char *cpu, const char *spec)
{
    struct str json =
        str_printf(&c->arena,
                   "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\"},\"spec\":{%s"
                   "\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"resources\":{\"requests\":{"
                   "\"cpu\":\"%s\"}}}]}}",
                   name, spec, cpu);

    cluster_put(c, KIND_POD, str_dup(&c->arena, json));
}

static const Pod *pod(struct cluster *c, const char *name)
{
    const Pod *p = fake_get(&c->api, &c->arena, KIND_POD, "default", name);

    assert_non_null(p);
    return p;
}

static bool all_bound(struct cluster *c)
{
    struct arena a;
    const void **pods;
    size_t n;
    bool all = true;

    arena_init(&a);
    n = fake_list(&c->api, &a, KIND_POD, &pods);
    for (size_t i = 0; i < n; i++)
        all = all && pod_node(pods[i])[0] != 0;
    arena_deinit(&a);
    return all;
}

/* No node is given more cpu than it has. */
static void assert_fits(struct cluster *c, size_t most_per_node)
{
    const void **pods;
    size_t n = fake_list(&c->api, &c->arena, KIND_POD, &pods);
    char node[16] = "node-1";

    for (int i = 1; i <= 4; i++) {
        size_t count = 0;

        node[5] = (char)('0' + i);
        for (size_t j = 0; j < n; j++)
            count += text_eq(pod_node(pods[j]), node);
        assert_true(count <= most_per_node);
    }
}

static void test_fills_the_cluster(void **state)
{
    (void)state; /* no shared fixture */
    for (uint64_t seed = 1; seed < 6; seed++) {
        struct cluster c;
        char name[] = "p-00";

        cluster_init(&c, seed, 4, true);
        c.api.lose_every = seed % 2 == 0 ? 3 : 0;
        for (int i = 0; i < 16; i++) {
            name[2] = (char)('0' + i / 10);
            name[3] = (char)('0' + i % 10);
            put_pod(&c, name, "1", "");
        }
        cluster_until(&c, 20000, all_bound);
        cluster_run(&c, 20000);
        assert_fits(&c, 4);
        assert_int_equal(c.scheduling_events[SCHEDULING_QUEUED], 16);
        assert_int_equal(c.scheduling_events[SCHEDULING_BOUND], 16);
        assert_non_null(cluster_event(&c, "p-00", "Scheduled"));
        cluster_deinit(&c);
    }
}

static void test_waits_for_room(void **state)
{
    struct cluster c;
    const PodCondition *cond;

    (void)state; /* no shared fixture */
    cluster_init(&c, 7, 2, true);
    put_pod(&c, "first", "3", "");
    put_pod(&c, "second", "3", "");
    cluster_until(&c, 10000, all_bound);
    put_pod(&c, "third", "3", "");
    cluster_run(&c, 8000);
    assert_string_equal(pod_node(pod(&c, "third")), "");
    assert_string_equal(c.last_refusal, "0/2 nodes are available: 2 Insufficient cpu.");
    cond = condition_find(pod(&c, "third")->status->conditions,
                          pod(&c, "third")->status->n_conditions, "PodScheduled");
    assert_non_null(cond);
    assert_string_equal(cond->reason, "Unschedulable");
    assert_string_equal(cond->message, c.last_refusal);
    assert_non_null(cluster_event(&c, "third", "FailedScheduling"));
    /* Told once: nothing that could help has happened since. */
    assert_int_equal(c.scheduling_events[SCHEDULING_UNSCHEDULABLE], 1);
    fake_delete(&c.api, KIND_POD, "default", "first");
    cluster_until(&c, 15000, all_bound);
    cluster_deinit(&c);
}

static void test_uncordon_and_others(void **state)
{
    struct cluster c;
    Node *node;

    (void)state; /* no shared fixture */
    cluster_init(&c, 8, 1, true);
    node = fake_get(&c.api, &c.arena, KIND_NODE, "", "node-1");
    node->spec->has_unschedulable = node->spec->unschedulable = 1;
    fake_put(&c.api, KIND_NODE, node);
    put_pod(&c, "mine", "1", "");
    put_pod(&c, "other", "1", "\"schedulerName\":\"other\",");
    put_pod(&c, "gated", "1", "\"schedulingGates\":[{\"name\":\"g\"}],");
    cluster_run(&c, 5000);
    assert_string_equal(c.last_refusal, "0/1 nodes are available: 1 node(s) were unschedulable.");
    node = fake_get(&c.api, &c.arena, KIND_NODE, "", "node-1");
    node->spec->unschedulable = 0;
    fake_put(&c.api, KIND_NODE, node);
    cluster_run(&c, 5000);
    assert_string_equal(pod_node(pod(&c, "mine")), "node-1");
    assert_string_equal(pod_node(pod(&c, "other")), "");
    assert_string_equal(pod_node(pod(&c, "gated")), "");
    cluster_deinit(&c);
}

/* Deleted while its binding is under way; another of the same name; a change of leadership. */
static void test_races(void **state)
{
    (void)state; /* no shared fixture */
    for (uint64_t seed = 20; seed < 40; seed++) {
        struct cluster c;

        cluster_init(&c, seed, 2, true);
        cluster_run(&c, 500);
        put_pod(&c, "a", "3", "");
        cluster_run(&c, seed % 7 * 5);
        if (pod_node(pod(&c, "a"))[0] == 0) {
            fake_remove(&c.api, KIND_POD, "default", "a");
            put_pod(&c, "a", "3", "");
        }
        put_pod(&c, "b", "3", "");
        cluster_run(&c, seed % 5 * 5);
        cluster_resign(&c);
        c.api.fence = 2;
        cluster_lead(&c, 2);
        cluster_until(&c, 20000, all_bound);
        assert_fits(&c, 1);
        cluster_deinit(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_fills_the_cluster),
                                        cmocka_unit_test(test_waits_for_room),
                                        cmocka_unit_test(test_uncordon_and_others),
                                        cmocka_unit_test(test_races) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
