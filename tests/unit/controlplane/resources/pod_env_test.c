/* Variables of a container and where their values come from. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct create_case refused[] = {
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':''}]}]}}",
      "spec.containers[0].env[0].name: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a=b'}]}]}}",
      "spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable "
      "name must consist only of printable ASCII characters other than '='" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'1.a b'}]}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{}}]}]}}",
      "spec.containers[0].env[0].valueFrom: Invalid value: \"\": must specify one of: "
      "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','value':'x','valueFrom':{'fieldRef':{'fieldPath':'metadata.name'}}}]}]"
      "}}",
      "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when "
      "`value` is not empty" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'secretKeyRef':{'name':'a','key':'k'},'configMapKeyRef':{"
      "'name':'a','key':'k'}}}]}]}}",
      "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not have more than one "
      "field specified at a time" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'fieldRef':{'fieldPath':'metadata.name'}}}]}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'fieldRef':{'fieldPath':''}}}]}]}}",
      "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'fieldRef':{'fieldPath':'metadata.odd'}}}]}]}}",
      "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "
      "\"metadata.odd\": error converting fieldPath: field label not supported: metadata.odd" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'fieldRef':{'fieldPath':'metadata.labels'}}}]}]}}",
      "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "
      "\"metadata.labels\": supported values: \"metadata.name\", \"metadata.namespace\", "
      "\"metadata.uid\", \"spec.nodeName\", \"spec.serviceAccountName\", \"status.hostIP\", "
      "\"status.hostIPs\", \"status.podIP\", \"status.podIPs\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'fieldRef':{'fieldPath':'status.phase'}}}]}]}}",
      "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "
      "\"status.phase\": supported values: \"metadata.name\", \"metadata.namespace\", "
      "\"metadata.uid\", \"spec.nodeName\", \"spec.serviceAccountName\", \"status.hostIP\", "
      "\"status.hostIPs\", \"status.podIP\", \"status.podIPs\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'fieldRef':{'fieldPath':'spec.nodeName','apiVersion':'v2'"
      "}}}]}]}}",
      "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "
      "\"spec.nodeName\": error converting fieldPath: unsupported pod version: v2" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'fieldRef':{'fieldPath':'metadata.labels[\\u0027a\\u0027]"
      "'}}}]}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'fieldRef':{'fieldPath':'metadata.labels[\\u0027a "
      "b\\u0027]'}}}]}]}}",
      "spec.containers[0].env[0].valueFrom.fieldRef: Invalid value: \"a b\": name part must "
      "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
      "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
      "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'fieldRef':{'fieldPath':'metadata.annotations[\\u0027UP/"
      "x\\u0027]'}}}]}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'fieldRef':{'fieldPath':'spec.odd[\\u0027a\\u0027]'}}}]}]"
      "}}",
      "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "
      "\"spec.odd['a']\": error converting fieldPath: field label does not support subscript: "
      "spec.odd['a']" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'resourceFieldRef':{'resource':'limits.cpu'}}}]}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'resourceFieldRef':{'resource':''}}}]}]}}",
      "spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'resourceFieldRef':{'resource':'limits.odd'}}}]}]}}",
      "spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "
      "\"limits.odd\": supported values: \"limits.cpu\", \"limits.ephemeral-storage\", "
      "\"limits.memory\", \"requests.cpu\", \"requests.ephemeral-storage\", "
      "\"requests.memory\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'resourceFieldRef':{'resource':'limits.cpu','divisor':'3'"
      "}}}]}]}}",
      "spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "
      "\"limits.cpu\": only divisor's values 1m and 1 are supported with the cpu resource" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'resourceFieldRef':{'resource':'requests.memory','"
      "divisor':'1Mi'}}}]}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'resourceFieldRef':{'resource':'requests.memory','"
      "divisor':'3'}}}]}]}}",
      "spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "
      "\"requests.memory\": only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, "
      "1Ti, 1Pi, 1Ei are supported with the memory resource" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'resourceFieldRef':{'resource':'limits.ephemeral-storage'"
      ",'divisor':'1m'}}}]}]}}",
      "spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "
      "\"limits.ephemeral-storage\": only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, "
      "1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the local ephemeral storage resource" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'resourceFieldRef':{'resource':'requests.hugepages-2Mi','"
      "divisor':'5'}}}]}]}}",
      "spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "
      "\"requests.hugepages-2Mi\": only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, "
      "1Gi, 1Ti, 1Pi, 1Ei are supported with the hugepages resource" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'configMapKeyRef':{'name':'A','key':''}}}]}]}}",
      "[spec.containers[0].env[0].valueFrom.configMapKeyRef.name: Invalid value: \"A\": a "
      "lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
      "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex "
      "used for validation is "
      "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'), "
      "spec.containers[0].env[0].valueFrom.configMapKeyRef.key: Required value]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'secretKeyRef':{'name':'a','key':'a/b'}}}]}]}}",
      "spec.containers[0].env[0].valueFrom.secretKeyRef.key: Invalid value: \"a/b\": a valid "
      "config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  "
      "or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'fileKeyRef':{'volumeName':'','path':'/"
      "p','key':''}}}]}]}}",
      "[spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Required value, "
      "spec.containers[0].env[0].valueFrom.fileKeyRef.key: Required value, "
      "spec.containers[0].env[0].valueFrom.fileKeyRef.path: Invalid value: \"/p\": must be a "
      "relative path]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a','valueFrom':{'fileKeyRef':{'volumeName':'v','path':'p','key':'k'}}}]}]"
      "}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "envFrom':[{}]}]}}",
      "spec.containers[0].envFrom: Invalid value: \"\": must specify one of: `configMapRef` or "
      "`secretRef`" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "envFrom':[{'prefix':'a=b','configMapRef':{'name':'a'}}]}]}}",
      "spec.containers[0].envFrom[0].prefix: Invalid value: \"a=b\": a valid environment "
      "variable name must consist only of printable ASCII characters other than '='" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "envFrom':[{'configMapRef':{'name':''},'secretRef':{'name':'A'}}]}]}}",
      "[spec.containers[0].envFrom[0].configMapRef.name: Required value, "
      "spec.containers[0].envFrom[0].secretRef.name: Invalid value: \"A\": a lowercase RFC "
      "1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
      "start and end with an alphanumeric character (e.g. 'example.com', regex used for "
      "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'), "
      "spec.containers[0].envFrom: Invalid value: \"\": may not have more than one field "
      "specified at a time]" }
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
