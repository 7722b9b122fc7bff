/* The pod's strategy: QoS class, what create resets, which side an update may change. */
#include "api/proto/core.pb-c.h"
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CONTAINER(resources)                                                                       \
    "{'spec':{'containers':[{'name':'c','image':'i','resources':{" resources "}}]}}"

static void test_qos(void **state)
{
    static const struct create_case cases[] = {
        { CONTAINER(""), "BestEffort" },
        { CONTAINER("'requests':{'cpu':'0'}"), "BestEffort" },
        { CONTAINER("'requests':{'cpu':'1'}"), "Burstable" },
        { CONTAINER("'limits':{'cpu':'1'}"), "Burstable" },
        { CONTAINER("'limits':{'cpu':'1','memory':'1Gi'}"), "Guaranteed" },
        { CONTAINER("'limits':{'cpu':'1','memory':'1Gi'},'requests':{'cpu':'1000m'}"),
          "Guaranteed" },
        { CONTAINER("'limits':{'cpu':'1','memory':'1Gi'},'requests':{'cpu':'500m'}"), "Burstable" },
        { CONTAINER("'limits':{'example.com/x':'1'}"), "BestEffort" }
    };
    struct fixture f;
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        Pod *pod = fixture_object(&f, KIND_POD, cases[i].json);
        resource_prepare_create(resource_of(KIND_POD), &f.context, pod);
        assert_string_equal(pod->status->phase, "Pending");
        assert_string_equal(pod->status->qos_class, cases[i].errors);
        assert_int_equal(pod->metadata->generation, 1);
    }
    fixture_deinit(&f);
}

static void test_create_resets(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    Pod *pod = fixture_object(&f, KIND_POD,
                              "{'metadata':{'deletionTimestamp':'2023-11-14T22:13:20Z',"
                              "'generation':9},'spec':{'schedulingGates':[{'name':'g'}]},"
                              "'status':{'phase':'Running','podIP':'1.2.3.4'}}");
    resource_prepare_create(resource_of(KIND_POD), &f.context, pod);
    assert_null(pod->metadata->deletion_timestamp);
    assert_int_equal(pod->metadata->generation, 1);
    assert_string_equal(pod->status->phase, "Pending");
    assert_null(pod->status->pod_ip);
    assert_int_equal(pod->status->n_conditions, 1);
    assert_string_equal(pod->status->conditions[0]->reason, "SchedulingGated");
    fixture_deinit(&f);
}

static void test_sides(void **state)
{
    struct fixture f;
    const struct resource *r = resource_of(KIND_POD);
    (void)state;
    fixture_init(&f);
    static const char first[] = "{'metadata':{'uid':'u','generation':4},'spec':{'containers':"
                                "[{'name':'c','image':'i:1'}]},'status':{'phase':'Running'}}";
    static const char second[] = "{'metadata':{'labels':{'a':'b'}},'spec':{'containers':"
                                 "[{'name':'c','image':'i:2'}]},'status':{'phase':'Failed'}}";
    Pod *old = fixture_object(&f, KIND_POD, first);
    Pod *pod = fixture_object(&f, KIND_POD, second);
    resource_prepare_update(r, &f.context, pod, old);
    assert_string_equal(pod->status->phase, "Running");
    assert_string_equal(pod->spec->containers[0]->image, "i:2");
    assert_string_equal(pod->metadata->uid, "u");
    assert_int_equal(pod->metadata->generation, 5);

    pod = fixture_object(&f, KIND_POD, second);
    resource_prepare_status(r, &f.context, pod, old);
    assert_string_equal(pod->status->phase, "Failed");
    assert_string_equal(pod->spec->containers[0]->image, "i:1");
    assert_int_equal(pod->metadata->generation, 4);
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_qos),
                                        cmocka_unit_test(test_create_resets),
                                        cmocka_unit_test(test_sides) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
