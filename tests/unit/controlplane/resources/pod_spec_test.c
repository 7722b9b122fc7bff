/* The pod spec around containers and volumes. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_refused(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'restartPolicy':'Odd'}}",
          "spec.restartPolicy: Unsupported value: \"Odd\": supported values: \"Always\", "
          "\"OnFailure\", \"Never\"" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'dnsPolicy':'Odd'}}",
          "spec.dnsPolicy: Unsupported value: \"Odd\": supported values: \"ClusterFirst\", "
          "\"ClusterFirstWithHostNet\", \"Default\", \"None\"" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'activeDeadlineSeconds':0}}",
          "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, "
          "inclusive" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'hostname':'A'}}",
          "spec.hostname: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower "
          "case alphanumeric characters or '-', and must start and end with an alphanumeric "
          "character (e.g. 'my-name',  or '123-abc', regex used for validation is "
          "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'tolerations':[{'operator':'Exists'}]}}",
          "" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'tolerations':[{'value':'x'}]}}",
          "spec.tolerations[0].operator: Invalid value: \"\": operator must be Exists when `key` "
          "is empty, which means \"match all values and all keys\"" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'tolerations':[{'key':'k','operator':'Exists','value':'v'}]}}",
          "spec.tolerations[0].operator: Invalid value: \"v\": value must be empty when `operator` "
          "is 'Exists'" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'tolerations':[{'key':'k','operator':'Exists','tolerationSeconds':1}]}}",
          "spec.tolerations[0].effect: Invalid value: \"\": effect must be 'NoExecute' when "
          "`tolerationSeconds` is set" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'tolerations':[{'key':'k','effect':'Odd'}]}}",
          "spec.tolerations[0].effect: Unsupported value: \"Odd\": supported values: "
          "\"NoExecute\", \"NoSchedule\", \"PreferNoSchedule\"" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'schedulingGates':[{'name':'g'},{'name':'g'}]}}",
          "spec.schedulingGates[1]: Duplicate value: \"g\"" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'hostNetwork':true,'containers':[{'"
          "name':'c','image':'i','ports':[{'containerPort':80,'hostPort':81}]}]}}",
          "spec.containers[0].ports[0].containerPort: Invalid value: 80: must match `hostPort` "
          "when `hostNetwork` is true" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'hostNetwork':true,'containers':[{'"
          "name':'c','image':'i','ports':[{'containerPort':80}]}]}}",
          "" }
    };
    (void)state;
    fixture_check_creates(KIND_POD, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
