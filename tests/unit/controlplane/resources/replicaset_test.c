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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_update) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
