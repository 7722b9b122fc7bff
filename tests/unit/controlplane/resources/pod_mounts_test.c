/* Volumes as containers mount them, and as block devices. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct create_case refused[] = {
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/"
      "a'}]}],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'w','mountPath':'/"
      "a'}]}],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "spec.containers[0].volumeMounts[0].name: Not found: \"w\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'','mountPath':''}]}],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "[spec.containers[0].volumeMounts[0].name: Required value, "
      "spec.containers[0].volumeMounts[0].name: Not found: \"\", "
      "spec.containers[0].volumeMounts[0].mountPath: Required value]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/a'},{'name':'v','mountPath':'/"
      "a'}]}],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/a\": must be unique" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/a','subPath':'a/"
      "..b'}]}],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/a','subPath':'../"
      "x'}]}],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "spec.containers[0].volumeMounts.subPath: Invalid value: \"../x\": must not contain "
      "'..'" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/a','subPath':'/"
      "x'}]}],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "spec.containers[0].volumeMounts.subPath: Invalid value: \"/x\": must be a relative "
      "path" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/"
      "a','subPath':'x','subPathExpr':'y'}]}],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: \"y\": subPathExpr and "
      "subPath are mutually exclusive" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/a','subPathExpr':'/"
      "y'}]}],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "spec.containers[0].volumeMounts.subPathExpr: Invalid value: \"/y\": must be a relative "
      "path" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/"
      "a','subPathExpr':'y'}]}],'volumes':[{'name':'v','image':{'reference':'r'}}]}}",
      "spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: \"y\": not allowed in "
      "image volume sources" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/"
      "a','mountPropagation':'Odd'}]}],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "spec.containers[0].volumeMounts.mountPropagation: Unsupported value: \"Odd\": supported "
      "values: \"Bidirectional\", \"HostToContainer\", \"None\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/"
      "a','mountPropagation':'Bidirectional'}]}],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount "
      "propagation is available only to privileged containers" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/"
      "a','mountPropagation':'Bidirectional'}],'securityContext':{'privileged':true}}],'"
      "volumes':[{'name':'v','emptyDir':{}}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/"
      "a','recursiveReadOnly':'Odd'}]}],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "spec.containers[0].volumeMounts.recursiveReadOnly: Unsupported value: \"Odd\": "
      "supported values: \"Disabled\", \"Enabled\", \"IfPossible\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/"
      "a','recursiveReadOnly':'Enabled'}]}],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified "
      "when readOnly is true" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/"
      "a','recursiveReadOnly':'Enabled','readOnly':true,'mountPropagation':'HostToContainer'}]}"
      "],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified "
      "when mountPropagation is None or not specified" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/"
      "a','recursiveReadOnly':'IfPossible','readOnly':true}]}],'volumes':[{'name':'v','"
      "emptyDir':{}}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/"
      "a','recursiveReadOnly':'Disabled'}]}],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeDevices':[{'name':'v','devicePath':'/"
      "d'}]}],'volumes':[{'name':'v','persistentVolumeClaim':{'claimName':'x'}}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeDevices':[{'name':'w','devicePath':'/"
      "d'}]}],'volumes':[{'name':'v','persistentVolumeClaim':{'claimName':'x'}}]}}",
      "spec.containers[0].volumeDevices[0].name: Not found: \"w\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeDevices':[{'name':'v','devicePath':'/"
      "d'}]}],'volumes':[{'name':'v','emptyDir':{}}]}}",
      "spec.containers[0].volumeDevices[0].name: Invalid value: \"v\": can only use volume "
      "source type of PersistentVolumeClaim or Ephemeral for block mode" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeDevices':[{'name':'v','devicePath':''}]}],'volumes':[{'name':'v','"
      "persistentVolumeClaim':{'claimName':'x'}}]}}",
      "spec.containers[0].volumeDevices[0].devicePath: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeDevices':[{'name':'v','devicePath':'/a/../"
      "b'}]}],'volumes':[{'name':'v','persistentVolumeClaim':{'claimName':'x'}}]}}",
      "spec.containers[0].volumeDevices[0].devicePath: Invalid value: \"/a/../b\": can not "
      "contain backsteps ('..')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeDevices':[{'name':'v','devicePath':'/d'},{'name':'v','devicePath':'/"
      "d'}]}],'volumes':[{'name':'v','persistentVolumeClaim':{'claimName':'x'}}]}}",
      "[spec.containers[0].volumeDevices[1].name: Invalid value: \"v\": must be unique, "
      "spec.containers[0].volumeDevices[1].devicePath: Invalid value: \"/d\": must be "
      "unique]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeDevices':[{'name':'v','devicePath':'/"
      "a'}],'volumeMounts':[{'name':'v','mountPath':'/"
      "a'}]}],'volumes':[{'name':'v','persistentVolumeClaim':{'claimName':'x'}}]}}",
      "[spec.containers[0].volumeMounts[0].name: Invalid value: \"v\": must not already exist "
      "in volumeDevices, spec.containers[0].volumeMounts[0].mountPath: Invalid value: \"/a\": "
      "must not already exist as a path in volumeDevices, "
      "spec.containers[0].volumeDevices[0].name: Invalid value: \"v\": must not already exist "
      "in volumeMounts, spec.containers[0].volumeDevices[0].devicePath: Invalid value: \"/a\": "
      "must not already exist as a path in volumeMounts]" }
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
