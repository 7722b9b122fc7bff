/* Volumes: names, one source each, and what sources must have. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_refused(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'volumes':[{'name':'v'}]}}",
          "" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'volumes':[{'name':''}]}}",
          "spec.volumes[0].name: Required value" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'volumes':[{'name':'v'},{'name':'v'}]}}",
          "spec.volumes[1].name: Duplicate value: \"v\"" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'volumes':[{'name':'v','emptyDir':{},'hostPath':{'path':'/x'}}]}}",
          "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'volumes':[{'name':'v','hostPath':{}}]}}",
          "spec.volumes[0].hostPath.path: Required value" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'volumes':[{'name':'v','hostPath':{'path':'/a/../b'}}]}}",
          "spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'volumes':[{'name':'v','configMap':{}}]}}",
          "spec.volumes[0].configMap.name: Required value" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'volumes':[{'name':'v','configMap':{'name':'m','items':[{'key':'k','path':'/x'}]}}]}}",
          "spec.volumes[0].configMap.items[0].path: Invalid value: \"/x\": must be a relative "
          "path" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'volumes':[{'name':'v','secret':{}}]}}",
          "spec.volumes[0].secret.secretName: Required value" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'volumes':[{'name':'v','secret':{'secretName':'s','defaultMode':1000}}]}}",
          "spec.volumes[0].secret.defaultMode: Invalid value: 1000: must be a number between 0 and "
          "0777 (octal), both inclusive" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'volumes':[{'name':'v','projected':{'sources':[{}]}}]}}",
          "spec.volumes[0].projected.sources[0]: Required value: must specify exactly one source "
          "type" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'volumes':[{'name':'v','projected':{'sources':[{'serviceAccountToken':{'path':'t','"
          "expirationSeconds':10}}]}}]}}",
          "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid "
          "value: 10: may not specify a duration less than 10 minutes" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'volumes':[{'name':'v','persistentVolumeClaim':{}}]}}",
          "spec.volumes[0].persistentVolumeClaim.claimName: Required value" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          ",'volumes':[{'name':'v','emptyDir':{'sizeLimit':'-1'}}]}}",
          "spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource "
          "quantity" }
    };
    (void)state;
    fixture_check_creates(KIND_POD, cases, COUNT(cases));
}

static const struct create_case remote[] = {
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}],'"
      "volumes':[{'name':'v','nfs':{'server':'s','path':'/'}}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}],'"
      "volumes':[{'name':'v','nfs':{'path':'a'}}]}}",
      "[spec.volumes[0].nfs.server: Required value, spec.volumes[0].nfs.path: Invalid value: "
      "\"a\": must be an absolute path]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}],'"
      "volumes':[{'name':'v','csi':{'driver':'a.b'}}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}],'"
      "volumes':[{'name':'v','csi':{}}]}}",
      "spec.volumes[0].csi.driver: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}],'"
      "volumes':[{'name':'v','csi':{'driver':'a_b'}}]}}",
      "spec.volumes[0].csi.driver: Invalid value: \"a_b\": a lowercase RFC 1123 subdomain must "
      "consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
      "alphanumeric character (e.g. 'example.com', regex used for validation is "
      "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}],'"
      "volumes':[{'name':'v','image':{'reference':'r','pullPolicy':'Odd'}}]}}",
      "spec.volumes[0].image.pullPolicy: Unsupported value: \"Odd\": supported values: \"Always\", "
      "\"IfNotPresent\", \"Never\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}],'"
      "volumes':[{'name':'v','gitRepo':{'repository':'','directory':'/a'}}]}}",
      "[spec.volumes[0].gitRepo.repository: Required value, spec.volumes[0].gitRepo.directory: "
      "Invalid value: \"/a\": must be a relative path]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}],'"
      "volumes':[{'name':'v','ephemeral':{}}]}}",
      "spec.volumes[0].ephemeral.volumeClaimTemplate: Required value" }
};

static void test_remote(void **state)
{
    (void)state;
    fixture_check_creates(KIND_POD, remote, COUNT(remote));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_remote),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
