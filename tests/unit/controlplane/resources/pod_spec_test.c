/* The pod spec around containers and volumes. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct create_case refused[] = {
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'preemptionPolicy':'Odd'}}",
      "spec.preemptionPolicy: Unsupported value: \"Odd\": supported values: "
      "\"PreemptLowerPriority\", \"Never\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'resourceClaims':[{'name':'x'},{'name':'x','resourceClaimName':'r','"
      "resourceClaimTemplateName':'t'},{'name':'','resourceClaimName':'R'}]}}",
      "[spec.resourceClaims[0]: Invalid value: {\"name\":\"x\"}: must specify one of: "
      "`resourceClaimName`, `resourceClaimTemplateName`, spec.resourceClaims[1].name: "
      "Duplicate value: \"x\", spec.resourceClaims[1]: Invalid value: "
      "{\"name\":\"x\",\"resourceClaimName\":\"r\",\"resourceClaimTemplateName\":\"t\"}: at "
      "most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified, "
      "spec.resourceClaims[2].name: Required value, spec.resourceClaims[2].resourceClaimName: "
      "Invalid value: \"R\": a lowercase RFC 1123 subdomain must consist of lower case "
      "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
      "character (e.g. 'example.com', regex used for validation is "
      "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'nodeName':'n'}}",
      "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'restartPolicy':'Odd'}}",
      "spec.restartPolicy: Unsupported value: \"Odd\": supported values: \"Always\", "
      "\"OnFailure\", \"Never\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'dnsPolicy':'Odd'}}",
      "spec.dnsPolicy: Unsupported value: \"Odd\": supported values: "
      "\"ClusterFirstWithHostNet\", \"ClusterFirst\", \"Default\", \"None\"" },
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
      "\"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'},{'name':'g'}]}}",
      "spec.schedulingGates[1]: Duplicate value: \"g\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'hostNetwork':true,'containers':[{'"
      "name':'c','image':'i','ports':[{'containerPort':80,'hostPort':81}]}]}}",
      "spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` "
      "when `hostNetwork` is true" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'hostNetwork':true,'containers':[{'"
      "name':'c','image':'i','ports':[{'containerPort':80}]}]}}",
      "" }
};

static void test_refused(void **state)
{
    (void)state;
    fixture_check_creates(KIND_POD, refused, COUNT(refused));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
