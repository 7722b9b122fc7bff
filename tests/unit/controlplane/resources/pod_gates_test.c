/* Scheduling gates in an update, and what a pod with gates may change of its placement. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_gates(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'schedulingGates':[{'name':'g'},{'name':'h'}]}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'schedulingGates':[{'name':'g'}]}}",
          "" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'schedulingGates':[{'name':'g'},{'name':'h'}]}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "}}",
          "" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'schedulingGates':[{'name':'g'}]}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'schedulingGates':[{'name':'other'}]}}",
          "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new "
          "scheduling "
          "gate 'other'" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'schedulingGates':[{'name':'g'}]}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'schedulingGates':[{'name':'g'},{'name':'other'}]}}",
          "spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new "
          "scheduling "
          "gate 'other'" }
    };
    (void)state;
    fixture_check_updates(KIND_POD, cases, COUNT(cases));
}

static const struct update_case placements[] = {
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'nodeSelector':{'a':'b'}}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'nodeSelector':{'a':'b'}}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'nodeSelector':{'a':'b','c':'d'}}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'nodeSelector':{'a':'b'}}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'nodeSelector':{'a':'b','c':'d'}}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'nodeSelector':{'a':'b'}}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'nodeSelector':{'d':'e','a':'c'}}}",
      "spec.nodeSelector: Invalid value: {\"a\":\"c\",\"d\":\"e\"}: only additions to "
      "spec.nodeSelector are allowed (no mutations or deletions)" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'nodeSelector':{'a':'b'}}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}]}}",
      "spec.nodeSelector: Invalid value: null: only additions to spec.nodeSelector are allowed "
      "(no mutations or deletions)" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'nodeSelector':{'a':'b'}}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'nodeSelector':{'a':'b','c':'d'}}}",
      "spec: Forbidden: pod updates may not change fields other than "
      "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`"
      "spec.tolerations` (only additions to existing "
      "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
      "previously negative)\n"
      "@@ -40,7 +40,8 @@\n"
      "  \"ActiveDeadlineSeconds\": null,\n"
      "  \"DNSPolicy\": \"ClusterFirst\",\n"
      "  \"NodeSelector\": {\n"
      "-  \"a\": \"b\"\n"
      "+  \"a\": \"b\",\n"
      "+  \"c\": \"d\"\n"
      "  },\n"
      "  \"ServiceAccountName\": \"\",\n"
      "  \"AutomountServiceAccountToken\": null,\n" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'nodeAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'"
      "matchExpressions':[{'key':'a','operator':'In','values':['x']}]}]}}}}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
      "nodeSelectorTerms':[{'matchExpressions':[{'key':'a','operator':'In','values':['x']}]}]}}"
      "}}}",
      "spec: Forbidden: pod updates may not change fields other than "
      "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`"
      "spec.tolerations` (only additions to existing "
      "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
      "previously negative)\n"
      "@@ -67,7 +67,29 @@\n"
      "  \"Hostname\": \"\",\n"
      "  \"Subdomain\": \"\",\n"
      "  \"SetHostnameAsFQDN\": null,\n"
      "- \"Affinity\": null,\n"
      "+ \"Affinity\": {\n"
      "+  \"NodeAffinity\": {\n"
      "+   \"RequiredDuringSchedulingIgnoredDuringExecution\": {\n"
      "+    \"NodeSelectorTerms\": [\n"
      "+     {\n"
      "+      \"MatchExpressions\": [\n"
      "+       {\n"
      "+        \"Key\": \"a\",\n"
      "+        \"Operator\": \"In\",\n"
      "+        \"Values\": [\n"
      "+         \"x\"\n"
      "+        ]\n"
      "+       }\n"
      "+      ],\n"
      "+      \"MatchFields\": null\n"
      "+     }\n"
      "+    ]\n"
      "+   },\n"
      "+   \"PreferredDuringSchedulingIgnoredDuringExecution\": null\n"
      "+  },\n"
      "+  \"PodAffinity\": null,\n"
      "+  \"PodAntiAffinity\": null\n"
      "+ },\n"
      "  \"SchedulerName\": \"default-scheduler\",\n"
      "  \"Tolerations\": null,\n"
      "  \"HostAliases\": null,\n" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'nodeAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'"
      "matchExpressions':[{'key':'a','operator':'In','values':['x']}]}]}}}}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'nodeAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'"
      "matchExpressions':[{'key':'a','operator':'In','values':['x']},{'key':'b','operator':'In'"
      ",'values':['y']}]}]}}}}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'nodeAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'"
      "matchExpressions':[{'key':'a','operator':'In','values':['x']}]}]}}}}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'nodeAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'"
      "matchExpressions':[{'key':'a','operator':'In','values':['x']}],'matchFields':[{'key':'"
      "metadata.name','operator':'In','values':['n']}]}]}}}}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'nodeAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'"
      "matchExpressions':[{'key':'a','operator':'In','values':['x']}]}]}}}}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'nodeAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'"
      "matchExpressions':[{'key':'b','operator':'In','values':['y']},{'key':'a','operator':'In'"
      ",'values':['x']}]}]}}}}}",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms[0]: Invalid value: "
      "{\"MatchExpressions\":[{\"Key\":\"b\",\"Operator\":\"In\",\"Values\":[\"y\"]},{\"Key\":"
      "\"a\",\"Operator\":\"In\",\"Values\":[\"x\"]}],\"MatchFields\":null}: only additions "
      "are allowed (no mutations or deletions)" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'nodeAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'"
      "matchExpressions':[{'key':'a','operator':'In','values':['x']}],'matchFields':[{'key':'"
      "metadata.name','operator':'In','values':['n']}]}]}}}}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'nodeAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'"
      "matchExpressions':[{'key':'a','operator':'In','values':['x']}]}]}}}}}",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms[0]: Invalid value: "
      "{\"MatchExpressions\":[{\"Key\":\"a\",\"Operator\":\"In\",\"Values\":[\"x\"]}],"
      "\"MatchFields\":null}: only additions are allowed (no mutations or deletions)" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'nodeAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'"
      "matchExpressions':[{'key':'a','operator':'In','values':['x']}]}]}}}}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'nodeAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'"
      "matchExpressions':[{'key':'a','operator':'In','values':['x']}]},{'matchExpressions':[{'"
      "key':'b','operator':'In','values':['y']}]}]}}}}}",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms: Invalid value: "
      "[{\"MatchExpressions\":[{\"Key\":\"a\",\"Operator\":\"In\",\"Values\":[\"x\"]}],"
      "\"MatchFields\":null},{\"MatchExpressions\":[{\"Key\":\"b\",\"Operator\":\"In\","
      "\"Values\":[\"y\"]}],\"MatchFields\":null}]: no additions/deletions to non-empty "
      "NodeSelectorTerms list are allowed" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'nodeAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'"
      "matchExpressions':[{'key':'a','operator':'In','values':['x']}]}]}}}}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}]}}",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms: Invalid value: null: no additions/deletions to non-empty "
      "NodeSelectorTerms list are allowed" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'nodeAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'"
      "matchExpressions':[{'key':'a','operator':'In','values':['x']}]}]}}}}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'podAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':[{'topologyKey':'z','labelSelector':{'"
      "matchLabels':{'a':'b'}}}]}}}}",
      "[spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
      "nodeSelectorTerms: Invalid value: null: no additions/deletions to non-empty "
      "NodeSelectorTerms list are allowed, spec: Forbidden: pod updates may not change fields "
      "other than "
      "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`"
      "spec.tolerations` (only additions to existing "
      "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
      "previously negative)\n"
      "@@ -87,7 +87,23 @@\n"
      "    },\n"
      "    \"PreferredDuringSchedulingIgnoredDuringExecution\": null\n"
      "   },\n"
      "-  \"PodAffinity\": null,\n"
      "+  \"PodAffinity\": {\n"
      "+   \"RequiredDuringSchedulingIgnoredDuringExecution\": [\n"
      "+    {\n"
      "+     \"LabelSelector\": {\n"
      "+      \"matchLabels\": {\n"
      "+       \"a\": \"b\"\n"
      "+      }\n"
      "+     },\n"
      "+     \"Namespaces\": null,\n"
      "+     \"TopologyKey\": \"z\",\n"
      "+     \"NamespaceSelector\": null,\n"
      "+     \"MatchLabelKeys\": null,\n"
      "+     \"MismatchLabelKeys\": null\n"
      "+    }\n"
      "+   ],\n"
      "+   \"PreferredDuringSchedulingIgnoredDuringExecution\": null\n"
      "+  },\n"
      "   \"PodAntiAffinity\": null\n"
      "  },\n"
      "  \"SchedulerName\": \"default-scheduler\",\n"
      "]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'podAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':[{'topologyKey':'z','labelSelector':{'"
      "matchLabels':{'a':'b'}}}]}}}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'podAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':[{'topologyKey':'z','labelSelector':{'"
      "matchLabels':{'a':'b'}}}]},'nodeAffinity':{'"
      "preferredDuringSchedulingIgnoredDuringExecution':[{'weight':1,'preference':{'"
      "matchExpressions':[{'key':'a','operator':'In','values':['x']}]}}]}}}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'nodeAffinity':{'"
      "preferredDuringSchedulingIgnoredDuringExecution':[{'weight':1,'preference':{'"
      "matchExpressions':[{'key':'a','operator':'In','values':['x']}]}}]}}}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}],'affinity':{'podAffinity':{'"
      "requiredDuringSchedulingIgnoredDuringExecution':[{'topologyKey':'z','labelSelector':{'"
      "matchLabels':{'a':'b'}}}]}}}}",
      "spec: Forbidden: pod updates may not change fields other than "
      "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`"
      "spec.tolerations` (only additions to existing "
      "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
      "previously negative)\n"
      "@@ -67,7 +67,27 @@\n"
      "  \"Hostname\": \"\",\n"
      "  \"Subdomain\": \"\",\n"
      "  \"SetHostnameAsFQDN\": null,\n"
      "- \"Affinity\": null,\n"
      "+ \"Affinity\": {\n"
      "+  \"NodeAffinity\": null,\n"
      "+  \"PodAffinity\": {\n"
      "+   \"RequiredDuringSchedulingIgnoredDuringExecution\": [\n"
      "+    {\n"
      "+     \"LabelSelector\": {\n"
      "+      \"matchLabels\": {\n"
      "+       \"a\": \"b\"\n"
      "+      }\n"
      "+     },\n"
      "+     \"Namespaces\": null,\n"
      "+     \"TopologyKey\": \"z\",\n"
      "+     \"NamespaceSelector\": null,\n"
      "+     \"MatchLabelKeys\": null,\n"
      "+     \"MismatchLabelKeys\": null\n"
      "+    }\n"
      "+   ],\n"
      "+   \"PreferredDuringSchedulingIgnoredDuringExecution\": null\n"
      "+  },\n"
      "+  \"PodAntiAffinity\": null\n"
      "+ },\n"
      "  \"SchedulerName\": \"default-scheduler\",\n"
      "  \"Tolerations\": null,\n"
      "  \"HostAliases\": null,\n" }
};

static void test_placement(void **state)
{
    (void)state;
    fixture_check_updates(KIND_POD, placements, COUNT(placements));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_gates),
                                        cmocka_unit_test(test_placement) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
