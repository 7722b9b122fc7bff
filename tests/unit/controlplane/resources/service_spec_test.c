/* What the spec of a Service may say. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct create_case refused[] = {
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[]}}",
      "spec.ports: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[],'clusterIP':'None'}}", "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'type':'ExternalName','externalName':'"
      "a.b'}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'type':'ExternalName','externalName':'"
      "a.b.'}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'type':'ExternalName','externalName':''"
      "}}",
      "spec.externalName: Required value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'type':'ExternalName','externalName':'"
      "A_'}}",
      "spec.externalName: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must consist "
      "of lower case alphanumeric characters, '-' or '.', and must start and end with an "
      "alphanumeric character (e.g. 'example.com', regex used for validation is "
      "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'type':'ExternalName','externalName':'"
      "a.b','clusterIP':'1.1.1.1'}}",
      "spec.clusterIPs: Forbidden: may not be set for ExternalName services" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'type':'ExternalName','externalName':'"
      "a.b','ipFamilies':['IPv4'],'ipFamilyPolicy':'SingleStack'}}",
      "[spec.ipFamilies: Forbidden: may not be set for ExternalName services, "
      "spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':10250}],'type':'"
      "LoadBalancer'}}",
      "spec.ports[0]: Invalid value: 10250: may not expose port 10250 externally since it is "
      "used by kubelet" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'type':'"
      "LoadBalancer','clusterIP':'None'}}",
      "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for LoadBalancer "
      "services" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'type':'NodePort'"
      ",'clusterIP':'None'}}",
      "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort "
      "services" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'type':'Odd'}}",
      "spec.type: Unsupported value: \"Odd\": supported values: \"ClusterIP\", "
      "\"ExternalName\", \"LoadBalancer\", \"NodePort\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80,'name':'A'}]}}",
      "spec.ports[0].name: Invalid value: \"A\": a lowercase RFC 1123 label must consist of "
      "lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
      "character (e.g. 'my-name',  or '123-abc', regex used for validation is "
      "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80,'appProtocol':'a "
      "b'}]}}",
      "spec.ports[0].appProtocol: Invalid value: \"a b\": name part must consist of "
      "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
      "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
      "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80,'protocol':'odd'}]}"
      "}",
      "spec.ports[0].protocol: Unsupported value: \"odd\": supported values: \"SCTP\", "
      "\"TCP\", \"UDP\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80,'nodePort':30000}]}"
      "}",
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80,'name':'a','"
      "nodePort':30000},{'port':81,'name':'b','nodePort':30000}],'type':'NodePort'}}",
      "spec.ports[1].nodePort: Duplicate value: 30000" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80,'name':'a'},{'port'"
      ":80,'name':'b'}]}}",
      "spec.ports[1]: Duplicate value: "
      "{\"Name\":\"\",\"Protocol\":\"TCP\",\"AppProtocol\":null,\"Port\":80,\"TargetPort\":0,"
      "\"NodePort\":0}" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'sessionAffinity'"
      ":'Odd'}}",
      "spec.sessionAffinity: Unsupported value: \"Odd\": supported values: \"ClientIP\", "
      "\"None\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'sessionAffinity'"
      ":'ClientIP'}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'sessionAffinity'"
      ":'ClientIP','sessionAffinityConfig':{'clientIP':{'timeoutSeconds':0}}}}",
      "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater "
      "than 0 and less than 86400" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'"
      "sessionAffinityConfig':{'clientIP':{'timeoutSeconds':10}}}}",
      "spec.sessionAffinityConfig: Forbidden: must not be set when session affinity is None" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'clusterIP':'x'}"
      "}",
      "spec.clusterIPs[0]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or "
      "2001:db8::ffff)" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'clusterIP':'1.1."
      "1.1','clusterIPs':['1.1.1.2']}}",
      "spec.clusterIPs: Invalid value: [\"1.1.1.2\"]: first value must match `clusterIP`" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'clusterIP':'"
      "None','clusterIPs':['None','1.1.1.1']}}",
      "spec.clusterIPs: Invalid value: [\"None\",\"1.1.1.1\"]: 'None' must be the first and "
      "only value" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'clusterIP':'1.1."
      "1.1','clusterIPs':['1.1.1.1','::1','1.1.1.3']}}",
      "spec.clusterIPs: Invalid value: [\"1.1.1.1\",\"::1\",\"1.1.1.3\"]: may only hold up to "
      "2 values" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'clusterIP':'1.1."
      "1.1','clusterIPs':['1.1.1.1','1.1.1.3']}}",
      "spec.clusterIPs: Invalid value: [\"1.1.1.1\",\"1.1.1.3\"]: may specify no more than one IP "
      "for each IP family" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'clusterIP':'1.1."
      "1.1','clusterIPs':['1.1.1.1','::1'],'ipFamilies':['IPv6','IPv4']}}",
      "[spec.clusterIPs[0]: Invalid value: \"1.1.1.1\": expected an IPv6 value as indicated by "
      "`ipFamilies[0]`, spec.clusterIPs[1]: Invalid value: \"::1\": expected an IPv4 value as "
      "indicated by `ipFamilies[1]`]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'clusterIP':'None'"
      ",'ipFamilies':['IPv6']}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'ipFamilies':['"
      "IPv4','IPv4','Odd']}}",
      "[spec.ipFamilies[1]: Duplicate value: \"IPv4\", spec.ipFamilies[2]: Unsupported value: "
      "\"Odd\": supported values: \"IPv4\", \"IPv6\"]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'ipFamilyPolicy':"
      "'Odd'}}",
      "spec.ipFamilyPolicy: Unsupported value: \"Odd\": supported values: \"PreferDualStack\", "
      "\"RequireDualStack\", \"SingleStack\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'externalIPs':['"
      "x','127.0.0.1','1.1.1.1']}}",
      "[spec.externalIPs[0]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 "
      "or 2001:db8::ffff), spec.externalIPs[1]: Invalid value: \"127.0.0.1\": may not be in "
      "the loopback range (127.0.0.0/8, ::1/128)]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'"
      "loadBalancerSourceRanges':['10.0.0.0/8']}}",
      "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is "
      "'LoadBalancer'" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'type':'"
      "LoadBalancer','loadBalancerSourceRanges':[' 10.0.0.0/8','::/0']}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'type':'"
      "LoadBalancer','loadBalancerSourceRanges':['10.0.0.0','10.0.0.0/33','::/129','x/8']}}",
      "[spec.LoadBalancerSourceRanges[0]: Invalid value: \"10.0.0.0\": must be a valid CIDR "
      "value, (e.g. 10.9.8.0/24 or 2001:db8::/64), spec.LoadBalancerSourceRanges[1]: Invalid "
      "value: \"10.0.0.0/33\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or "
      "2001:db8::/64), spec.LoadBalancerSourceRanges[2]: Invalid value: \"::/129\": must be a "
      "valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64), "
      "spec.LoadBalancerSourceRanges[3]: Invalid value: \"x/8\": must be a valid CIDR value, "
      "(e.g. 10.9.8.0/24 or 2001:db8::/64)]" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'"
      "allocateLoadBalancerNodePorts':true}}",
      "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is "
      "'LoadBalancer'" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'"
      "loadBalancerClass':'a'}}",
      "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'type':'"
      "LoadBalancer','loadBalancerClass':'a b'}}",
      "spec.loadBalancerClass: Invalid value: \"a b\": name part must consist of alphanumeric "
      "characters, '-', '_' or '.', and must start and end with an alphanumeric character "
      "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
      "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'"
      "externalTrafficPolicy':'Local'}}",
      "spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for "
      "externally-accessible services" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'"
      "externalTrafficPolicy':'Local','externalIPs':['1.1.1.1']}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'type':'NodePort'"
      ",'externalTrafficPolicy':'Odd'}}",
      "spec.externalTrafficPolicy: Unsupported value: \"Odd\": supported values: \"Cluster\", "
      "\"Local\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'"
      "healthCheckNodePort':3}}",
      "spec.healthCheckNodePort: Invalid value: 3: may only be set when `type` is "
      "'LoadBalancer' and `externalTrafficPolicy` is 'Local'" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'type':'"
      "LoadBalancer','externalTrafficPolicy':'Local','healthCheckNodePort':70000}}",
      "spec.healthCheckNodePort: Invalid value: 70000: must be between 1 and 65535, "
      "inclusive" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'"
      "internalTrafficPolicy':'Odd'}}",
      "spec.internalTrafficPolicy: Unsupported value: \"Odd\": supported values: \"Cluster\", "
      "\"Local\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'"
      "trafficDistribution':'Odd'}}",
      "spec.trafficDistribution: Unsupported value: \"Odd\": supported values: "
      "\"PreferClose\", \"PreferSameZone\", \"PreferSameNode\"" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[{'port':80}],'"
      "trafficDistribution':'PreferSameNode'}}",
      "" }
};

static void test_refused(void **state)
{
    (void)state;
    fixture_check_creates(KIND_SERVICE, refused, COUNT(refused));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
