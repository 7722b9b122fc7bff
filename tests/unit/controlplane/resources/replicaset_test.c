/* ReplicaSets: numbers, and the selector that never changes. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'replicas':-1,'selector':{'matchLabels'"
          ":{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'"
          "c','image':'i'}]}}}}",
          "spec.replicas: Invalid value: -1: must be greater than or equal to 0" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'minReadySeconds':-1,'selector':{'"
          "matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers'"
          ":[{'name':'c','image':'i'}]}}}}",
          "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0" }
    };
    (void)state;
    fixture_check_creates(KIND_REPLICA_SET, cases, COUNT(cases));
}

static void test_update(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'selector':{'matchLabels':{'a':'b'}},'"
          "template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'"
          "}]}}}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'replicas':3,'selector':{'matchLabels':"
          "{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c'"
          ",'image':'i'}]}}}}",
          "" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'selector':{'matchLabels':{'a':'b'}},'"
          "template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'"
          "}]}}}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'selector':{'matchExpressions':[{'key':"
          "'a','operator':'Exists'}]},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'"
          "containers':[{'name':'c','image':'i'}]}}}}",
          "spec.selector: Invalid value: "
          "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\"}]}: field is "
          "immutable" }
    };
    (void)state;
    fixture_check_updates(KIND_REPLICA_SET, cases, COUNT(cases));
}

static void test_counts(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{}}",
          "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{'replicas':3,'"
          "fullyLabeledReplicas':3,'readyReplicas':2,'availableReplicas':1,'observedGeneration':2}"
          "}",
          "" },
        { "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{}}",
          "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{'replicas':3,'"
          "readyReplicas':2,'availableReplicas':3}}",
          "status.availableReplicas: Invalid value: 3: cannot be greater than readyReplicas" },
        { "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{}}",
          "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{'replicas':1,'"
          "fullyLabeledReplicas':2,'readyReplicas':-1}}",
          "[status.readyReplicas: Invalid value: -1: must be greater than or equal to 0, "
          "status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas, "
          "status.availableReplicas: Invalid value: 0: cannot be greater than readyReplicas]" },
        { "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{}}",
          "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{'"
          "observedGeneration':-1}}",
          "status.observedGeneration: Invalid value: -1: must be greater than or equal to 0" }
    };
    (void)state;
    fixture_check_statuses(KIND_REPLICA_SET, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_update),
                                        cmocka_unit_test(test_counts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
