/* QoS classes and cgroup values. */
#include <string.h>

#include "kubelet-lite/resources.h"
#include "tests/unit/kubelet-lite/fixture.h"
#include "tests/unit/unit.h"

static void test_values(void **state)
{
    static const struct {
        const char *resources;
        const char *qos;
        struct cgroup_values values;
    } rows[] = { { "{}", "BestEffort", { 2, 0, 0, 1000 } },
                 { "{'requests':{'cpu':'100m'}}", "Burstable", { 102, 0, 0, 999 } },
                 { "{'requests':{'memory':'256Mi'}}", "Burstable", { 2, 0, 0, 750 } },
                 { "{'requests':{'memory':'1Gi'}}", "Burstable", { 2, 0, 0, 3 } },
                 { "{'limits':{'cpu':'500m','memory':'64Mi'}}",
                   "Guaranteed",
                   { 512, 50000, 64 << 20, -997 } },
                 { "{'limits':{'cpu':'1m'}}", "Burstable", { 2, 1000, 0, 999 } },
                 { "{'limits':{'cpu':'2','memory':'1Gi'},'requests':{'cpu':'1'}}",
                   "Burstable",
                   { 1024, 200000, 1 << 30, 3 } } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *f = *state;
        struct cgroup_values v;
        Pod *pod = fixture_pod(
            f, str_printf(&f->a,
                          "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c','resources':"
                          "%s}]}}",
                          rows[i].resources)
                   .data);
        assert_string_equal(qos_name(pod_qos(pod)), rows[i].qos);
        container_cgroup(pod, pod->spec->containers[0], 1 << 30, &v);
        assert_int_equal(v.cpu_shares, rows[i].values.cpu_shares);
        assert_int_equal(v.cpu_quota_us, rows[i].values.cpu_quota_us);
        assert_int_equal(v.memory_limit, rows[i].values.memory_limit);
        assert_int_equal(v.oom_score_adj, rows[i].values.oom_score_adj);
    }
}

static void test_pod(void **state)
{
    struct fixture *f = *state;
    struct cgroup_values v;
    Pod *pod = fixture_pod(
        f, "{'metadata':{'name':'p'},'spec':{'initContainers':[{'name':'i','resources':{'limits':{"
           "'cpu':'3','memory':'1Mi'}}}],'containers':[{'name':'a','resources':{'limits':{'cpu':"
           "'1','memory':'10Mi'}}},{'name':'b','resources':{'limits':{'cpu':'500m','memory':"
           "'20Mi'}}}]}}");
    pod_cgroup(pod, &v);
    assert_int_equal(v.cpu_shares, 3072);
    assert_int_equal(v.cpu_quota_us, 300000);
    assert_int_equal(v.memory_limit, 30 << 20);
    /* One without a limit: the pod has none. */
    pod->spec->containers[1]->resources = NULL;
    pod_cgroup(pod, &v);
    assert_int_equal(v.cpu_quota_us, 0);
    assert_int_equal(v.memory_limit, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_values), T(test_pod) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
