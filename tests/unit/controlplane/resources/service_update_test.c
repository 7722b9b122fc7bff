/* What an update of a service may change of its addresses. */
#include <string.h>

#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct update_case updates[] = {
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1','2001:db8::1'],'ports':[{'port':80}]}}",
      "" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1','2001:db8::1'],'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ipFamilyPolicy':'SingleStack','ports':[{'port':80}]}}",
      "" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1','2001:db8::1'],'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ports':[{'port':80}]}}",
      "spec.ipFamilyPolicy: Invalid value: null: must be set to 'SingleStack' when releasing "
      "the secondary clusterIP" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1','2001:db8::1'],'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ipFamilyPolicy':'PreferDualStack','ports':[{'port':80}]}}",
      "spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be set to 'SingleStack' "
      "when releasing the secondary clusterIP" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1','2001:db8::1'],'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1','2001:db8::2'],'ports':[{'port':80}]}}",
      "spec.clusterIPs[1]: Invalid value: [\"10.0.0.1\",\"2001:db8::2\"]: may not change once "
      "set" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.2','clusterIPs':['"
      "10.0.0.2','2001:db8::1'],'ports':[{'port':80}]}}",
      "spec.clusterIPs[0]: Invalid value: [\"10.0.0.2\",\"2001:db8::1\"]: may not change once "
      "set" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'None','clusterIPs':['None'"
      "],'ports':[{'port':80}]}}",
      "spec.clusterIPs[0]: Invalid value: [\"None\"]: may not change once set" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'None','clusterIPs':['None'"
      "],'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ports':[{'port':80}]}}",
      "spec.clusterIPs[0]: Invalid value: [\"10.0.0.1\"]: may not change once set" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ports':[{'port':80}]}}",
      "" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ipFamilies':['IPv4'],'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ipFamilies':['IPv6'],'ports':[{'port':80}]}}",
      "[spec.clusterIPs[0]: Invalid value: \"10.0.0.1\": expected an IPv6 value as indicated by "
      "`ipFamilies[0]`, spec.ipFamilies[0]: Invalid value: [\"IPv6\"]: may not change once set]" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ipFamilies':['IPv4'],'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ipFamilies':['IPv4','IPv6'],'ipFamilyPolicy':'PreferDualStack','ports':[{'"
      "port':80}]}}",
      "" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ipFamilies':['IPv4','IPv6'],'ipFamilyPolicy':'PreferDualStack','ports':[{'"
      "port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ipFamilies':['IPv4'],'ipFamilyPolicy':'PreferDualStack','ports':[{'port':80}"
      "]}}",
      "spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be set to 'SingleStack' "
      "when releasing the secondary ipFamily" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ipFamilies':['IPv4'],'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ipFamilies':['IPv6','IPv4'],'ipFamilyPolicy':'PreferDualStack','ports':[{'"
      "port':80}]}}",
      "[spec.clusterIPs[0]: Invalid value: \"10.0.0.1\": expected an IPv6 value as indicated by "
      "`ipFamilies[0]`, spec.ipFamilies[0]: Invalid value: [\"10.0.0.1\"]: may not change once "
      "set]" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'None','clusterIPs':['None'"
      "],'ipFamilies':['IPv4'],'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'None','clusterIPs':['None'"
      "],'ipFamilies':['IPv6'],'ports':[{'port':80}]}}",
      "" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','"
      "loadBalancerClass':'a.b/c','ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','ports':[{'port':"
      "80}]}}",
      "spec.loadBalancerClass: Invalid value: null: may not change once set" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','ports':[{'port':"
      "80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','"
      "loadBalancerClass':'a.b/c','ports':[{'port':80}]}}",
      "spec.loadBalancerClass: Invalid value: \"a.b/c\": may not change once set" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','clusterIP':'10."
      "0.0.1','clusterIPs':['10.0.0.1'],'loadBalancerClass':'a.b/c','ports':[{'port':80}]}}",
      "" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','"
      "externalTrafficPolicy':'Local','healthCheckNodePort':30000,'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','"
      "externalTrafficPolicy':'Local','healthCheckNodePort':30001,'ports':[{'port':80}]}}",
      "spec.healthCheckNodePort: Forbidden: field is immutable" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','"
      "externalTrafficPolicy':'Local','healthCheckNodePort':30000,'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','"
      "externalTrafficPolicy':'Local','ports':[{'port':80}]}}",
      "" },
    { "{'metadata':{'name':'s','namespace':'d'},'spec':{'clusterIP':'10.0.0.1','clusterIPs':['"
      "10.0.0.1'],'ports':[{'port':80}]}}",
      "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'ExternalName','externalName':'"
      "a.b','ports':[{'port':80}]}}",
      "" }
};

static void test_update(void **state)
{
    (void)state;
    fixture_check_updates(KIND_SERVICE, updates, COUNT(updates));
}

/* A node port that a client leaves out stays with the port of its name. */
static void test_node_ports_stay(void **state)
{
    struct fixture f;
    const struct resource *r = resource_of(KIND_SERVICE);
    (void)state;
    fixture_init(&f);
    void *old = fixture_object(&f, KIND_SERVICE,
                               "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'NodePort',"
                               "'ports':[{'name':'a','port':1,'nodePort':30001},{'name':'b',"
                               "'port':2,'nodePort':30002}]}}");
    void *object = fixture_object(&f, KIND_SERVICE,
                                  "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':"
                                  "'LoadBalancer','ports':[{'name':'b','port':5},{'name':'c',"
                                  "'port':6,'nodePort':30001},{'name':'a','port':1}]}}");
    resource_prepare_update(r, &f.context, object, old);
    const char *json = fixture_json(&f, KIND_SERVICE, object);
    assert_non_null(strstr(json, "\"port\":5,\"targetPort\":5,\"nodePort\":30002"));
    assert_non_null(strstr(json, "\"port\":6,\"targetPort\":6,\"nodePort\":30001"));
    assert_null(strstr(json, "\"port\":1,\"targetPort\":1,\"nodePort\""));
    old = fixture_object(&f, KIND_SERVICE,
                         "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'NodePort',"
                         "'ports':[{'name':'t','port':53,'nodePort':30053},{'name':'u','port':53,"
                         "'protocol':'UDP','nodePort':30053}]}}");
    object = fixture_object(&f, KIND_SERVICE,
                            "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'NodePort',"
                            "'ports':[{'name':'u','port':7,'protocol':'UDP'},{'name':'t','port':6}]"
                            "}}");
    resource_prepare_update(r, &f.context, object, old);
    json = fixture_json(&f, KIND_SERVICE, object);
    assert_non_null(strstr(json, "\"port\":7,\"targetPort\":7,\"nodePort\":30053"));
    assert_non_null(strstr(json, "\"port\":6,\"targetPort\":6,\"nodePort\":30053"));
    fixture_deinit(&f);
}

static void test_status(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','ports':[{'port':"
          "80}]},'status':{'loadBalancer':{'ingress':[]}}}",
          "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','ports':[{'port':"
          "80}]},'status':{'loadBalancer':{'ingress':[{'ip':'1.2.3.4'},{'hostname':'a.b'},{'ip':'1."
          "2.3.4','ipMode':'Proxy'}]}}}",
          "" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'ClusterIP','ports':[{'port':80}"
          "]},'status':{'loadBalancer':{'ingress':[]}}}",
          "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'ClusterIP','ports':[{'port':80}"
          "]},'status':{'loadBalancer':{'ingress':[{'ip':'1.2.3.4'}]}}}",
          "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is "
          "'LoadBalancer'" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','ports':[{'port':"
          "80}]},'status':{'loadBalancer':{'ingress':[]}}}",
          "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','ports':[{'port':"
          "80}]},'status':{'loadBalancer':{'ingress':[{'hostname':'a.b','ipMode':'VIP'}]}}}",
          "status.loadBalancer.ingress[0].ipMode: Forbidden: may not be specified when `ip` is not "
          "set" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','ports':[{'port':"
          "80}]},'status':{'loadBalancer':{'ingress':[]}}}",
          "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','ports':[{'port':"
          "80}]},'status':{'loadBalancer':{'ingress':[{'ip':'1.2.3.4','ipMode':'Odd'}]}}}",
          "status.loadBalancer.ingress[0].ipMode: Unsupported value: \"Odd\": supported values: "
          "\"Proxy\", \"VIP\"" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','ports':[{'port':"
          "80}]},'status':{'loadBalancer':{'ingress':[]}}}",
          "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','ports':[{'port':"
          "80}]},'status':{'loadBalancer':{'ingress':[{'hostname':'1.2.3.4'}]}}}",
          "status.loadBalancer.ingress[0].hostname: Invalid value: \"1.2.3.4\": must be a DNS "
          "name, not an IP address" },
        { "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','ports':[{'port':"
          "80}]},'status':{'loadBalancer':{'ingress':[]}}}",
          "{'metadata':{'name':'s','namespace':'d'},'spec':{'type':'LoadBalancer','ports':[{'port':"
          "80}]},'status':{'loadBalancer':{'ingress':[{'ip':'a.b'}]}}}",
          "status.loadBalancer.ingress[0].ip: Invalid value: \"a.b\": must be a valid IP address, "
          "(e.g. 10.9.8.7 or 2001:db8::ffff)" }
    };
    (void)state;
    fixture_check_statuses(KIND_SERVICE, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_update),
                                        cmocka_unit_test(test_node_ports_stay),
                                        cmocka_unit_test(test_status) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
