/* Security contexts of pods and of their containers. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct create_case refused[] = {
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'runAsUser':0,'runAsGroup':2147483647}}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'runAsUser':-1}}]}}",
      "spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and "
      "2147483647, inclusive" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'runAsGroup':2147483648}}]}}",
      "spec.containers[0].securityContext.runAsGroup: Invalid value: 2147483648: must be "
      "between 0 and 2147483647, inclusive" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'procMount':'Odd'}}]}}",
      "spec.containers[0].securityContext.procMount: Unsupported value: \"Odd\": supported "
      "values: \"Default\", \"Unmasked\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'procMount':'Unmasked'}}]}}",
      "spec.containers[0].securityContext.procMount: Invalid value: \"Unmasked\": `hostUsers` "
      "must be false to use `Unmasked`" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'procMount':'Unmasked'}}],'hostUsers':false}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'seccompProfile':{'type':'RuntimeDefault'}}}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'seccompProfile':{'type':''}}}]}}",
      "spec.containers[0].securityContext.seccompProfile.type: Required value: type is "
      "required when seccompProfile is set" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'seccompProfile':{'type':'Odd'}}}]}}",
      "spec.containers[0].securityContext.seccompProfile.type: Unsupported value: \"Odd\": "
      "supported values: \"Localhost\", \"RuntimeDefault\", \"Unconfined\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'seccompProfile':{'type':'Localhost'}}}]}}",
      "spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: "
      "must be set when seccomp type is Localhost" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'seccompProfile':{'type':'Localhost','localhostProfile':'/a'}}}]}}",
      "spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: "
      "\"/a\": must be a relative path" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'seccompProfile':{'type':'Unconfined','localhostProfile':'x'}}}]}}",
      "spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: "
      "{\"Type\":\"Unconfined\",\"LocalhostProfile\":\"x\"}: can only be set when seccomp type "
      "is Localhost" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'privileged':true,'allowPrivilegeEscalation':false}}]}}",
      "spec.containers[0].securityContext: Invalid value: "
      "{\"privileged\":true,\"allowPrivilegeEscalation\":false}: cannot set "
      "`allowPrivilegeEscalation` to false and `privileged` to true" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'allowPrivilegeEscalation':false,'capabilities':{'add':['CAP_SYS_"
      "ADMIN']}}}]}}",
      "spec.containers[0].securityContext: Invalid value: "
      "{\"capabilities\":{\"add\":[\"CAP_SYS_ADMIN\"]},\"allowPrivilegeEscalation\":false}: "
      "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'allowPrivilegeEscalation':false,'capabilities':{'add':['NET_ADMIN']}}"
      "}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'appArmorProfile':{'type':''}}}]}}",
      "spec.containers[0].securityContext.appArmorProfile.type: Required value: type is "
      "required when appArmorProfile is set" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'appArmorProfile':{'type':'Odd'}}}]}}",
      "spec.containers[0].securityContext.appArmorProfile.type: Unsupported value: \"Odd\": "
      "supported values: \"Localhost\", \"RuntimeDefault\", \"Unconfined\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'appArmorProfile':{'type':'Localhost'}}}]}}",
      "spec.containers[0].securityContext.appArmorProfile.localhostProfile: Required value: "
      "must be set when AppArmor type is Localhost" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'appArmorProfile':{'type':'Localhost','localhostProfile':' a'}}}]}}",
      "spec.containers[0].securityContext.appArmorProfile.localhostProfile: Invalid value: \" "
      "a\": must not be padded with whitespace" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'appArmorProfile':{'type':'RuntimeDefault','localhostProfile':'a'}}}]}"
      "}",
      "spec.containers[0].securityContext.appArmorProfile.localhostProfile: Invalid value: "
      "\"a\": can only be set when AppArmor type is Localhost" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "securityContext':{'appArmorProfile':{'type':'Localhost','localhostProfile':'a'}}}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'securityContext':{'runAsUser':-1,'runAsGroup':-1,'fsGroup':-1,'supplementalGroups':[1,"
      "-1]}}}",
      "[spec.securityContext.fsGroup: Invalid value: -1: must be between 0 and 2147483647, "
      "inclusive, spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and "
      "2147483647, inclusive, spec.securityContext.runAsGroup: Invalid value: -1: must be "
      "between 0 and 2147483647, inclusive, spec.securityContext.supplementalGroups[1]: "
      "Invalid value: -1: must be between 0 and 2147483647, inclusive]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'securityContext':{'fsGroupChangePolicy':'Odd'}}}",
      "spec.securityContext.fsGroupChangePolicy: Unsupported value: \"Odd\": supported values: "
      "\"Always\", \"OnRootMismatch\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'securityContext':{'supplementalGroupsPolicy':'Odd'}}}",
      "spec.securityContext.supplementalGroupsPolicy: Unsupported value: \"Odd\": supported "
      "values: \"Merge\", \"Strict\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'securityContext':{'seLinuxChangePolicy':'Odd'}}}",
      "spec.securityContext.seLinuxChangePolicy: Unsupported value: \"Odd\": supported values: "
      "\"MountOption\", \"Recursive\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'securityContext':{'seccompProfile':{'type':'Odd'},'appArmorProfile':{'type':'Odd'}}}}",
      "[spec.securityContext.seccompProfile.type: Unsupported value: \"Odd\": supported "
      "values: \"Localhost\", \"RuntimeDefault\", \"Unconfined\", "
      "spec.securityContext.appArmorProfile.type: Unsupported value: \"Odd\": supported "
      "values: \"Localhost\", \"RuntimeDefault\", \"Unconfined\"]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'securityContext':{'sysctls':[{'name':'kernel.shm_rmid_forced','value':'0'},{'name':'"
      "net/ipv4/x-y','value':'1'}]}}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'securityContext':{'sysctls':[{'name':'','value':'0'}]}}}",
      "spec.securityContext.sysctls[0].name: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'securityContext':{'sysctls':[{'name':'a..b','value':'0'}]}}}",
      "spec.securityContext.sysctls[0].name: Invalid value: \"a..b\": must have at most 253 "
      "characters and match regex "
      "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'securityContext':{'sysctls':[{'name':'a','value':'0'},{'name':'a','value':'0'}]}}}",
      "spec.securityContext.sysctls[1].name: Duplicate value: \"a\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'securityContext':{'sysctls':[{'name':'net.a','value':'0'}]},'hostNetwork':true}}",
      "spec.securityContext.sysctls[0].name: Invalid value: \"net.a\": may not be specified "
      "when 'hostNetwork' is true" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'securityContext':{'sysctls':[{'name':'kernel/sem','value':'0'}]},'hostIPC':true}}",
      "spec.securityContext.sysctls[0].name: Invalid value: \"kernel/sem\": may not be "
      "specified when 'hostIPC' is true" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'shareProcessNamespace':true,'hostPID':true}}",
      "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace "
      "and HostPID cannot both be enabled" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'hostUsers':false,'hostNetwork':true,'hostPID':true,'hostIPC':true}}",
      "[spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false, spec.HostPID: "
      "Forbidden: when `pod.Spec.HostUsers` is false, spec.HostIPC: Forbidden: when "
      "`pod.Spec.HostUsers` is false]" }
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
