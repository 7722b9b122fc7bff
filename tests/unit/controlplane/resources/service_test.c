/* Services as data: ports, types, addresses kept as given. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'ports':[{'port':80}]}}", "" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{}}", "spec.ports: Required value" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'None'}}", "" },
        { "{'metadata':{'name':'1s','namespace':'d'},'spec':{'ports':[{'port':80}]}}",
          "metadata.name: Invalid value: \"1s\": a DNS-1035 label must consist of lower case "
          "alphanumeric characters or '-', start with an alphabetic character, and end with an "
          "alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
          "'[a-z]([-a-z0-9]*[a-z0-9])?')" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'ports':[{'port':0}]}}",
          "[spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive, "
          "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive]" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'ports':[{'port':80},{'port':81,'name':"
          "'b'}]}}",
          "spec.ports[0].name: Required value" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'ports':[{'port':80,'name':'a'},{'port'"
          ":80,'name':'b'}]}}",
          "spec.ports[1]: Duplicate value: "
          "{\"Name\":\"\",\"Protocol\":\"TCP\",\"AppProtocol\":null,\"Port\":80,\"TargetPort\":0,"
          "\"NodePort\":0}" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'ports':[{'port':80,'nodePort':30000}]}"
          "}",
          "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'NodePort','ports':[{'port':80,'"
          "nodePort':30000}]}}",
          "" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'Odd','ports':[{'port':80}]}}",
          "spec.type: Unsupported value: \"Odd\": supported values: \"ClusterIP\", "
          "\"ExternalName\", \"LoadBalancer\", \"NodePort\"" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'ExternalName'}}",
          "spec.externalName: Required value" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'ExternalName','externalName':'"
          "a.example'}}",
          "" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'x','ports':[{'port':80}]}"
          "}",
          "spec.clusterIPs[0]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or "
          "2001:db8::ffff)" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'externalTrafficPolicy':'Local','ports'"
          ":[{'port':80}]}}",
          "spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for "
          "externally-accessible services" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'externalTrafficPolicy':'Near','type':'"
          "NodePort','ports':[{'port':80}]}}",
          "spec.externalTrafficPolicy: Unsupported value: \"Near\": supported values: \"Cluster\", "
          "\"Local\"" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'internalTrafficPolicy':'Near','ports'"
          ":[{'port':80}]}}",
          "spec.internalTrafficPolicy: Unsupported value: \"Near\": supported values: \"Cluster\", "
          "\"Local\"" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'sessionAffinityConfig':{'clientIP':{}}"
          ","
          "'ports':[{'port':80}]}}",
          "spec.sessionAffinityConfig: Forbidden: must not be set when session affinity is "
          "None" }
    };
    (void)state;
    fixture_check_creates(KIND_SERVICE, cases, COUNT(cases));
}

static void test_update(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
          "10.0.0.1'],'ports':[{'port'"
          ":80}]}}",
          "{'metadata':{'name':'s','namespace':'d'},'spec':{'ports':[{'port':80}]}}", "" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
          "10.0.0.1'],'ports':[{'port'"
          ":80}]}}",
          "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.2','ports':[{'port'"
          ":80}]}}",
          "spec.clusterIPs[0]: Invalid value: [\"10.0.0.2\"]: may not change once set" },
        /* What belongs to the old type goes with it, unless it was changed too. */
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer',"
          "'loadBalancerClass':'a','ports':[{'port':80,'nodePort':30000}]}}",
          "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'ClusterIP',"
          "'allocateLoadBalancerNodePorts':true,'externalTrafficPolicy':'Cluster',"
          "'loadBalancerClass':'a','ports':[{'port':80,'nodePort':30000}]}}",
          "" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'NodePort','ports':"
          "[{'port':80,'nodePort':30000}]}}",
          "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'ClusterIP','ports':"
          "[{'port':80,'nodePort':30001}]}}",
          "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','ports':"
          "[{'port':80}]}}",
          "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'ExternalName',"
          "'externalName':'a.b','clusterIP':'10.0.0.1','clusterIPs':['10.0.0.1'],'ports':"
          "[{'port':80}]}}",
          "" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer',"
          "'loadBalancerClass':'a','ports':[{'port':80}]}}",
          "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer',"
          "'loadBalancerClass':'b','ports':[{'port':80}]}}",
          "spec.loadBalancerClass: Invalid value: \"b\": may not change once set" }
    };
    (void)state;
    fixture_check_updates(KIND_SERVICE, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_update) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
