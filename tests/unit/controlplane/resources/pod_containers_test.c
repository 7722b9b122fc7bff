/* Containers: names, images, ports, environment, mounts. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct create_case cases[] = {
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "restartPolicy':'OnFailure','restartPolicyRules':[{'action':'Restart','exitCodes':{'operator'"
      ":'NotIn','values':[42]}}]}],'initContainers':[{'name':'s','image':'i','restartPolicy':'"
      "Never'"
      "}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "restartPolicy':'Odd'},{'name':'d','image':'i','restartPolicyRules':[{'action':'Odd'},{'"
      "action':'Restart','exitCodes':{'operator':'Odd'}}]}]}}",
      "[spec.containers[0].restartPolicy: Unsupported value: \"Odd\": supported values: "
      "\"Always\", "
      "\"Never\", \"OnFailure\", "
      "spec.containers[1].restartPolicy: Required value: must specify restartPolicy when restart "
      "rules are used, "
      "spec.containers[1].restartPolicyRules[0].action: Unsupported value: \"Odd\": supported "
      "values: \"Restart\", "
      "spec.containers[1].restartPolicyRules[0].exitCodes: Required value: must be specified, "
      "spec.containers[1].restartPolicyRules[1].exitCodes.operator: Unsupported value: \"Odd\": "
      "supported values: \"In\", \"NotIn\"]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      "}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{}}", "spec.containers: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[]}}",
      "spec.containers: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c'}]}}",
      "spec.containers[0].image: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'image':'i'}]}}",
      "spec.containers[0].name: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{}]}}",
      "[spec.containers[0].name: Required value, spec.containers[0].image: Required value]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'A','image':'i'}]"
      "}}",
      "spec.containers[0].name: Invalid value: \"A\": a lowercase RFC 1123 label must consist "
      "of lower case alphanumeric characters or '-', and must start and end with an "
      "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
      "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'},"
      "{'name':'c','image':'i'}]}}",
      "spec.containers[1].name: Duplicate value: \"c\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':' "
      "i'}]}}",
      "spec.containers[0].image: Invalid value: \" i\": must not have leading or trailing "
      "whitespace" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "ports':[{'containerPort':0}]}]}}",
      "spec.containers[0].ports[0].containerPort: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "ports':[{'containerPort':70000}]}]}}",
      "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and "
      "65535, inclusive" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "ports':[{'containerPort':80,'protocol':'X'}]}]}}",
      "spec.containers[0].ports[0].protocol: Unsupported value: \"X\": supported values: "
      "\"SCTP\", \"TCP\", \"UDP\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "ports':[{'containerPort':80,'name':'a'},{'containerPort':81,'name':'a'}]}]}}",
      "spec.containers[0].ports[1].name: Duplicate value: \"a\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "ports':[{'containerPort':80,'hostPort':8080},{'containerPort':81,'hostPort':8080}]}]}}",
      "spec.containers[0].ports[1].hostPort: Duplicate value: \"TCP//8080\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':''}]}]}}",
      "spec.containers[0].env[0].name: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'a=b'}]}]}}",
      "spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable "
      "name must consist only of printable ASCII characters other than '='" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'A','value':'x','valueFrom':{'fieldRef':{'fieldPath':'metadata.name'}}}]}]"
      "}}",
      "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when "
      "`value` is not empty" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'A','valueFrom':{'configMapKeyRef':{'name':'m','key':'k'}}}]}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "env':[{'name':'A','valueFrom':{'secretKeyRef':{'name':'m'}}}]}]}}",
      "spec.containers[0].env[0].valueFrom.secretKeyRef.key: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "volumeMounts':[{'name':'v','mountPath':'/x'}]}]}}",
      "spec.containers[0].volumeMounts[0].name: Not found: \"v\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'volumes':[{'name':'v'}],'containers':["
      "{'name':'c','image':'i','volumeMounts':[{'name':'v','mountPath':'/"
      "x'},{'name':'v','mountPath':'/x'}]}]}}",
      "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/x\": must be unique" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'volumes':[{'name':'v'}],'containers':["
      "{'name':'c','image':'i','volumeMounts':[{'name':'v'}]}]}}",
      "spec.containers[0].volumeMounts[0].mountPath: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "imagePullPolicy':'Odd'}]}}",
      "spec.containers[0].imagePullPolicy: Unsupported value: \"Odd\": supported values: "
      "\"Always\", \"IfNotPresent\", \"Never\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'initContainers':[{'name':'c','image':'i'}]}}",
      "spec.initContainers[0].name: Duplicate value: \"c\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'initContainers':[{'name':'s','image':'i','restartPolicy':'Always'}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'ephemeralContainers':[{'name':'e','image':'i'}]}}",
      "spec.ephemeralContainers: Forbidden: cannot be set on create" }
};

static void test_refused(void **state)
{
    (void)state;
    fixture_check_creates(KIND_POD, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
