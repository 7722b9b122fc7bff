/* What an update of a pod may change. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct update_case plain[] = {
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'j','"
      "imagePullPolicy':'Never'}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "command':['x']}]}}",
      "spec: Forbidden: pod updates may not change fields other than "
      "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`"
      "spec.tolerations` (only additions to existing "
      "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
      "previously negative)\n"
      "@@ -5,7 +5,9 @@\n"
      "   {\n"
      "    \"Name\": \"c\",\n"
      "    \"Image\": \"i\",\n"
      "-   \"Command\": null,\n"
      "+   \"Command\": [\n"
      "+    \"x\"\n"
      "+   ],\n"
      "    \"Args\": null,\n"
      "    \"WorkingDir\": \"\",\n"
      "    \"Ports\": null,\n" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'nodeName':'n'}}",
      "spec: Forbidden: pod updates may not change fields other than "
      "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`"
      "spec.tolerations` (only additions to existing "
      "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
      "previously negative)\n"
      "@@ -42,7 +42,7 @@\n"
      "  \"NodeSelector\": null,\n"
      "  \"ServiceAccountName\": \"\",\n"
      "  \"AutomountServiceAccountToken\": null,\n"
      "- \"NodeName\": \"\",\n"
      "+ \"NodeName\": \"n\",\n"
      "  \"SecurityContext\": {\n"
      "   \"HostNetwork\": false,\n"
      "   \"HostPID\": false,\n" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'},"
      "{'name':'e','image':'i'}]}}",
      "spec.containers: Forbidden: pod updates may not add or remove containers" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'activeDeadlineSeconds':5}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'activeDeadlineSeconds':5}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'activeDeadlineSeconds':6}}",
      "spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous "
      "value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'activeDeadlineSeconds':5}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive "
      "integer to nil value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'tolerations':[{'key':'k','operator':'Exists','effect':'NoExecute'}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'tolerations':[{'key':'k','operator':'Exists','effect':'NoExecute'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "spec.tolerations: Forbidden: existing toleration can not be modified except its "
      "tolerationSeconds" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'schedulingGates':[{'name':'g'}]}}",
      "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling "
      "gate 'g'" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'terminationGracePeriodSeconds':-1}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'terminationGracePeriodSeconds':1}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'terminationGracePeriodSeconds':5}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'terminationGracePeriodSeconds':1}}",
      "spec: Forbidden: pod updates may not change fields other than "
      "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`"
      "spec.tolerations` (only additions to existing "
      "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
      "previously negative)\n"
      "@@ -36,7 +36,7 @@\n"
      "  ],\n"
      "  \"EphemeralContainers\": null,\n"
      "  \"RestartPolicy\": \"Always\",\n"
      "- \"TerminationGracePeriodSeconds\": 5,\n"
      "+ \"TerminationGracePeriodSeconds\": 1,\n"
      "  \"ActiveDeadlineSeconds\": null,\n"
      "  \"DNSPolicy\": \"ClusterFirst\",\n"
      "  \"NodeSelector\": null,\n" }
};

static void test_update(void **state)
{
    (void)state;
    fixture_check_updates(KIND_POD, plain, COUNT(plain));
}

static const struct update_case more[] = {
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'','"
      "imagePullPolicy':'Never'}]}}",
      "[spec.containers[0].image: Required value, spec.containers[0].image: Required value]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':' "
      "j','imagePullPolicy':'Never'}]}}",
      "[spec.containers[0].image: Invalid value: \" j\": must not have leading or trailing "
      "whitespace, spec.containers[0].image: Invalid value: \" j\": must not have leading or "
      "trailing whitespace]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'initContainers':[{'name':'n','image':'i','imagePullPolicy':'"
      "Never'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'initContainers':[{'name':'n','image':'j','imagePullPolicy':'"
      "Never'}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'initContainers':[{'name':'n','image':'i','imagePullPolicy':'"
      "Never'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'initContainers':[{'name':'n','image':'j "
      "','imagePullPolicy':'Never'}]}}",
      "[spec.initContainers[0].image: Invalid value: \"j \": must not have leading or trailing "
      "whitespace, spec.initContainers[0].image: Invalid value: \"j \": must not have leading "
      "or trailing whitespace]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'initContainers':[{'name':'n','image':'i','imagePullPolicy':'"
      "Never'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'initContainers':[]}}",
      "spec.initContainers: Forbidden: pod updates may not add or remove containers" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'"
      "\xc2\xa0i','imagePullPolicy':'Never'}]}}",
      "[spec.containers[0].image: Invalid value: \"\\u00a0i\": must not have leading or trailing "
      "whitespace, spec.containers[0].image: Invalid value: \"\\u00a0i\": must not have leading "
      "or trailing whitespace]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'activeDeadlineSeconds':5}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'activeDeadlineSeconds':4}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'activeDeadlineSeconds':5}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'activeDeadlineSeconds':6,'nodeName':'n'}}",
      "spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous "
      "value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'activeDeadlineSeconds':5}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'activeDeadlineSeconds':-1,'nodeName':'n'}}",
      "[spec.activeDeadlineSeconds: Invalid value: -1: must be between 1 and 2147483647, "
      "inclusive, spec.activeDeadlineSeconds: Invalid value: -1: must be between 0 and "
      "2147483647, inclusive]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'activeDeadlineSeconds':5}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'activeDeadlineSeconds':0}}",
      "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, "
      "inclusive" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'tolerations':[{'key':'a','value':'v','operator':'Equal','"
      "effect':'NoExecute','tolerationSeconds':10}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'tolerations':[{'key':'a','value':'v','operator':'Equal','"
      "effect':'NoExecute','tolerationSeconds':20}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'tolerations':[{'key':'a','value':'v','operator':'Equal','"
      "effect':'NoSchedule'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'tolerations':[{'key':'b','value':'v','operator':'Equal','"
      "effect':'NoSchedule'},{'key':'a','value':'v','operator':'Equal','effect':'NoSchedule'}]}"
      "}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'tolerations':[{'key':'a','value':'v','operator':'Equal','"
      "effect':'NoSchedule'}]}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'tolerations':[{'key':'a','value':'w','operator':'Equal','"
      "effect':'NoSchedule'}]}}",
      "spec.tolerations: Forbidden: existing toleration can not be modified except its "
      "tolerationSeconds" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'tolerations':[{'key':'a','value':'v','operator':'Equal','"
      "effect':'NoSchedule'},{'key':'b','value':'v','operator':'Equal','effect':'NoSchedule'}]}"
      "}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'tolerations':[{'key':'a','value':'v','operator':'Equal','"
      "effect':'NoSchedule'}]}}",
      "spec.tolerations: Forbidden: existing toleration can not be modified except its "
      "tolerationSeconds" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'terminationGracePeriodSeconds':-1}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'terminationGracePeriodSeconds':0}}",
      "spec: Forbidden: pod updates may not change fields other than "
      "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`"
      "spec.tolerations` (only additions to existing "
      "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
      "previously negative)\n"
      "@@ -36,7 +36,7 @@\n"
      "  ],\n"
      "  \"EphemeralContainers\": null,\n"
      "  \"RestartPolicy\": \"Always\",\n"
      "- \"TerminationGracePeriodSeconds\": -1,\n"
      "+ \"TerminationGracePeriodSeconds\": 0,\n"
      "  \"ActiveDeadlineSeconds\": null,\n"
      "  \"DNSPolicy\": \"ClusterFirst\",\n"
      "  \"NodeSelector\": null,\n" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'hostname':'a'}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'hostname':'b'}}",
      "spec: Forbidden: pod updates may not change fields other than "
      "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`"
      "spec.tolerations` (only additions to existing "
      "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
      "previously negative)\n"
      "@@ -64,7 +64,7 @@\n"
      "   \"SELinuxChangePolicy\": null\n"
      "  },\n"
      "  \"ImagePullSecrets\": null,\n"
      "- \"Hostname\": \"a\",\n"
      "+ \"Hostname\": \"b\",\n"
      "  \"Subdomain\": \"\",\n"
      "  \"SetHostnameAsFQDN\": null,\n"
      "  \"Affinity\": null,\n" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'priorityClassName':'a'}}",
      "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Never'}],'priorityClassName':'b'}}",
      "spec: Forbidden: pod updates may not change fields other than "
      "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`"
      "spec.tolerations` (only additions to existing "
      "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
      "previously negative)\n"
      "@@ -71,7 +71,7 @@\n"
      "  \"SchedulerName\": \"default-scheduler\",\n"
      "  \"Tolerations\": null,\n"
      "  \"HostAliases\": null,\n"
      "- \"PriorityClassName\": \"a\",\n"
      "+ \"PriorityClassName\": \"b\",\n"
      "  \"Priority\": null,\n"
      "  \"PreemptionPolicy\": null,\n"
      "  \"DNSConfig\": null,\n" }
};

static void test_more(void **state)
{
    (void)state;
    fixture_check_updates(KIND_POD, more, COUNT(more));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_update),
                                        cmocka_unit_test(test_more) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
