/* Selector against template, and the template itself. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'selector':{'matchLabels':{'a':'b'}},'"
          "template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'"
          "}]}}}}",
          "" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'template':{'metadata':{'labels':{'a':'"
          "b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
          "[spec.selector: Required value, spec.template.metadata.labels: Invalid value: "
          "{\"a\":\"b\"}: `selector` does not match template `labels`]" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'selector':{'matchExpressions':[{'key':"
          "'a','operator':'In'}]},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':"
          "[{'name':'c','image':'i'}]}}}}",
          "[spec.selector.matchExpressions[0].values: Required value: must be specified when "
          "`operator` is 'In' or 'NotIn', spec.selector: Invalid value: "
          "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\"}]}: invalid label selector]" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'selector':{'matchExpressions':[{'key':"
          "'a','operator':'Exists'}]},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'"
          "containers':[{'name':'c','image':'i'}]}}}}",
          "" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'selector':{'matchLabels':{'a':'b'}},'"
          "template':{'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
          "spec.template.metadata.labels: Invalid value: null: `selector` does not match template "
          "`labels`" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'selector':{'matchLabels':{'a':'b'}},'"
          "template':{'metadata':{'labels':{'a':'b'}},'spec':{'restartPolicy':'Never','containers':"
          "[{'name':'c','image':'i'}]}}}}",
          "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: "
          "\"Always\"" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'selector':{'matchLabels':{'a':'b'}},'"
          "template':{'metadata':{'labels':{'a':'b'}},'spec':{'activeDeadlineSeconds':9,'"
          "containers':[{'name':'c','image':'i'}]}}}}",
          "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in "
          "ReplicaSet is not Supported" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'selector':{'matchLabels':{'a':'b'}},'"
          "template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c'}]}}}}",
          "spec.template.spec.containers[0].image: Required value" }
    };
    (void)state;
    fixture_check_creates(KIND_REPLICA_SET, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
