/* Affinity and spreading: what is refused, where and in which words. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct create_case refused[] = {
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
      "nodeSelectorTerms':[]}}}}}",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms: Required value: must have at least one node selector term" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
      "nodeSelectorTerms':[{'matchExpressions':[{'key':'a','operator':'In','values':['b']}]}]}}"
      "}}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
      "nodeSelectorTerms':[{'matchExpressions':[{'key':'a','operator':'Odd'}]}]}}}}}",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms[0].matchExpressions[0].operator: Invalid value: \"Odd\": not a valid "
      "selector operator" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
      "nodeSelectorTerms':[{'matchExpressions':[{'key':'a','operator':'In'}]}]}}}}}",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when "
      "`operator` is 'In' or 'NotIn'" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
      "nodeSelectorTerms':[{'matchExpressions':[{'key':'a','operator':'Exists','values':['x']}]"
      "}]}}}}}",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms[0].matchExpressions[0].values: Forbidden: may not be specified when "
      "`operator` is 'Exists' or 'DoesNotExist'" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
      "nodeSelectorTerms':[{'matchExpressions':[{'key':'a','operator':'Gt','values':['1','2']}]"
      "}]}}}}}",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified "
      "single value when `operator` is 'Lt' or 'Gt'" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
      "nodeSelectorTerms':[{'matchExpressions':[{'key':'','operator':'Exists'}]}]}}}}}",
      "[spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms[0].matchExpressions[0].key: Invalid value: \"\": name part must be "
      "non-empty, "
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms[0].matchExpressions[0].key: Invalid value: \"\": name part must "
      "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
      "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
      "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
      "nodeSelectorTerms':[{'matchExpressions':[{'key':'a','operator':'NotIn','values':['b','c "
      "d']}]}]}}}}}",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms[0].matchExpressions[0].values[1]: Invalid value: \"c d\": a valid "
      "label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
      "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
      "or '12345', regex used for validation is "
      "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
      "nodeSelectorTerms':[{'matchFields':[{'key':'metadata.name','operator':'In','values':['n'"
      "]}]}]}}}}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
      "nodeSelectorTerms':[{'matchFields':[{'key':'metadata.name','operator':'Exists'}]}]}}}}}",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms[0].matchFields[0].operator: Invalid value: \"Exists\": not a valid "
      "selector operator" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
      "nodeSelectorTerms':[{'matchFields':[{'key':'metadata.name','operator':'In','values':['a'"
      ",'b']}]}]}}}}}",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms[0].matchFields[0].values: Required value: must be only one value when "
      "`operator` is 'In' or 'NotIn' for node field selector" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
      "nodeSelectorTerms':[{'matchFields':[{'key':'odd','operator':'In','values':['a']}]}]}}}}"
      "}",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms[0].matchFields[0].key: Invalid value: \"odd\": not a valid field "
      "selector key" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
      "nodeSelectorTerms':[{'matchFields':[{'key':'metadata.name','operator':'NotIn','values':["
      "'A']}]}]}}}}}",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms[0].matchFields[0].values[0]: Invalid value: \"A\": a lowercase RFC "
      "1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
      "start and end with an alphanumeric character (e.g. 'example.com', regex used for "
      "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'nodeAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':[{'"
      "weight':0,'preference':{}},{'weight':101,'preference':{'matchExpressions':[{'key':'a','"
      "operator':'In','values':['b c']}]}},{'weight':100,'preference':{}}]}}}}",
      "[spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: "
      "Invalid value: 0: must be in the range 1-100, "
      "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[1].weight: "
      "Invalid value: 101: must be in the range 1-100]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'podAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[{'"
      "topologyKey':'z','labelSelector':{'matchLabels':{'a':'b'}}}]}}}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'podAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[{}]}}}}",
      "[spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
      "topologyKey: Required value: can not be empty, "
      "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey:"
      " Invalid value: \"\": name part must be non-empty, "
      "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey:"
      " Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or "
      "'.', and must start and end with an alphanumeric character (e.g. 'MyName',  or "
      "'my.name',  or '123-abc', regex used for validation is "
      "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'podAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[{'"
      "topologyKey':'z','namespaces':['A']}]}}}}",
      "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].namespace: "
      "Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case "
      "alphanumeric characters or '-', and must start and end with an alphanumeric character "
      "(e.g. 'my-name',  or '123-abc', regex used for validation is "
      "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'podAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[{'"
      "topologyKey':'z','matchLabelKeys':['a']}]}}}}",
      "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
      "matchLabelKeys: Forbidden: must not be specified when labelSelector is not set" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'podAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[{'"
      "topologyKey':'z','labelSelector':{},'matchLabelKeys':['a'],'mismatchLabelKeys':['b','a']"
      "}]}}}}",
      "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
      "matchLabelKeys[0]: Invalid value: \"a\": exists in both matchLabelKeys and "
      "mismatchLabelKeys" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'podAntiAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[{'"
      "topologyKey':'z','labelSelector':{'matchExpressions':[{'key':'a','operator':'Odd'}]}}]}}"
      "}}",
      "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
      "labelSelector.matchExpressions[0].operator: Invalid value: \"Odd\": not a valid "
      "selector operator" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'podAntiAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':[{'"
      "weight':0,'podAffinityTerm':{'topologyKey':'z','namespaceSelector':{'matchExpressions':["
      "{'key':'a','operator':'In'}]}}}]}}}}",
      "[spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]."
      "weight: Invalid value: 0: must be in the range 1-100, "
      "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]."
      "podAffinityTerm.namespaceSelector.matchExpressions[0].values: Required value: must be "
      "specified when `operator` is 'In' or 'NotIn']" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'podAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':[{'weight'"
      ":101,'podAffinityTerm':{'topologyKey':'z'}}]}}}}",
      "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: "
      "Invalid value: 101: must be in the range 1-100" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'"
      "DoNotSchedule'}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'topologySpreadConstraints':[{'maxSkew':0,'topologyKey':'z','whenUnsatisfiable':'"
      "DoNotSchedule'}]}}",
      "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than "
      "zero" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'','whenUnsatisfiable':'"
      "DoNotSchedule'}]}}",
      "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'Odd'}]"
      "}}",
      "spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: \"Odd\": "
      "supported values: \"DoNotSchedule\", \"ScheduleAnyway\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'"
      "DoNotSchedule'},{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'DoNotSchedule'}]}}",
      "spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "
      "\"{z, DoNotSchedule}\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'"
      "DoNotSchedule'},{'maxSkew':1,'topologyKey':'y','whenUnsatisfiable':'DoNotSchedule'}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'"
      "DoNotSchedule','minDomains':0}]}}",
      "spec.topologySpreadConstraints[0].minDomains: Invalid value: 0: must be greater than "
      "zero" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'"
      "DoNotSchedule','minDomains':2}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'"
      "ScheduleAnyway','minDomains':2}]}}",
      "spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains "
      "if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'"
      "DoNotSchedule','nodeAffinityPolicy':'Odd'}]}}",
      "spec.topologySpreadConstraints[0].nodeAffinityPolicy: Unsupported value: \"Odd\": "
      "supported values: \"Honor\", \"Ignore\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'"
      "DoNotSchedule','nodeTaintsPolicy':'Odd'}]}}",
      "spec.topologySpreadConstraints[0].nodeTaintsPolicy: Unsupported value: \"Odd\": "
      "supported values: \"Honor\", \"Ignore\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'"
      "DoNotSchedule','matchLabelKeys':['a']}]}}",
      "spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when "
      "labelSelector is not set" },
    { "{'metadata':{'name':'p','namespace':'d','labels':{'a':'x'}},'spec':{'containers':[{'name':"
      "'c','image':'i'}]"
      ",'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'"
      "DoNotSchedule','matchLabelKeys':['b','a'],'labelSelector':{'matchLabels':{'a':'b'}}}]}}",
      "spec.topologySpreadConstraints[0].matchLabelKeys[1]: Invalid value: \"a\": exists in "
      "both matchLabelKeys and labelSelector" },
    /* Merged, and nothing beside it. */
    { "{'metadata':{'name':'p','namespace':'d','labels':{'a':'x'}},'spec':{'containers':[{'name':"
      "'c','image':'i'}]"
      ",'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'"
      "DoNotSchedule','matchLabelKeys':['a'],'labelSelector':{}}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d','labels':{'a':'x'}},'spec':{'containers':[{'name':"
      "'c','image':'i'}]"
      ",'affinity':{'podAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[{'"
      "topologyKey':'z','labelSelector':{'matchLabels':{'a':'b'}},'matchLabelKeys':['a']}]}}}}",
      "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0][0]: Invalid "
      "value: \"a\": exists in both matchLabelKeys and labelSelector" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'"
      "DoNotSchedule','labelSelector':{'matchExpressions':[{'key':'a','operator':'Exists','"
      "values':['b']}]}}]}}",
      "spec.topologySpreadConstraints[0].labelSelector.matchExpressions[0].values: Forbidden: "
      "may not be specified when `operator` is 'Exists' or 'DoesNotExist'" }
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
