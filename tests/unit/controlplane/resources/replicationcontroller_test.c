/* ReplicationControllers: the selector is a map and defaults to the labels of the template. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'template':{'metadata':{'labels':{'a':'"
          "b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
          "" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'replicas':-1,'minReadySeconds':-2,'"
          "template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'"
          "}]}}}}",
          "[spec.minReadySeconds: Invalid value: -2: must be greater than or equal to 0, "
          "spec.replicas: Invalid value: -1: must be greater than or equal to 0]" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'selector':{'a':'c'},'template':{'"
          "metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
          "spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match "
          "template `labels`" },
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{}}",
          "[spec.selector: Required value, spec.template: Required value]" }
    };
    (void)state;
    fixture_check_creates(KIND_REPLICATION_CONTROLLER, cases, COUNT(cases));
}

static void test_update(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'n','namespace':'d'},'spec':{'template':{'metadata':{'labels':{'a':'"
          "b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}},'status':{'replicas':3}}",
          "{'metadata':{'name':'n','namespace':'d'},'spec':{'replicas':2,'template':{'metadata':{'"
          "labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
          "" }
    };
    (void)state;
    fixture_check_updates(KIND_REPLICATION_CONTROLLER, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_update) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
