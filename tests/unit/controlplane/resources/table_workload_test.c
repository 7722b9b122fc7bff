/* Rows of Deployments, ReplicaSets and Services. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_deployment(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'web','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'replicas'"
          ":3,'selector':{'matchLabels':{'a':'b'}},'template':{'spec':{'containers':[{'name':'a','"
          "image':'x'},{'name':'b','image':'y'}]}}},'status':{'readyReplicas':2,'updatedReplicas':"
          "3,'availableReplicas':1}}",
          "web|2/3|3|1|65s|a,b|x,y|a=b" }
    };
    (void)state;
    fixture_check_cells(KIND_DEPLOYMENT, cases, COUNT(cases));
}

static void test_replica_set(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'web'},'spec':{'replicas':3,'selector':{'matchLabels':{'a':'b'}}},'"
          "status':{'replicas':2,'readyReplicas':1}}",
          "web|3|2|1|<unknown>|||a=b" }
    };
    (void)state;
    fixture_check_cells(KIND_REPLICA_SET, cases, COUNT(cases));
}

static void test_service(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'s'},'spec':{'type':'NodePort','clusterIP':'10.0.0.1','clusterIPs':["
          "'10.0.0.1'],'selector':{'b':'c','a':'b'},'ports':[{'port':80,'nodePort':30080,'protocol'"
          ":'TCP'},{'port':53,'protocol':'UDP'}]}}",
          "s|NodePort|10.0.0.1|<none>|80:30080/TCP,53/UDP|<unknown>|a=b,b=c" },
        { "{'metadata':{'name':'s'},'spec':{'type':'LoadBalancer'}}",
          "s|LoadBalancer|<none>|<pending>|<none>|<unknown>|<none>" },
        { "{'metadata':{'name':'s'},'spec':{'type':'ExternalName','externalName':'a.b'}}",
          "s|ExternalName|<none>|a.b|<none>|<unknown>|<none>" }
    };
    (void)state;
    fixture_check_cells(KIND_SERVICE, cases, COUNT(cases));
}

static void test_selectors(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'d'},'spec':{'replicas':5,'selector':{'matchLabels':{'foo':'bar'}},'"
          "template':{'metadata':{'labels':{'foo':'bar'}},'spec':{'containers':[{'name':'a','image'"
          ":'x'},{'name':'b','image':'y'}]}}},'status':{'replicas':10,'updatedReplicas':2,'"
          "availableReplicas':1,'unavailableReplicas':4}}",
          "d|0/5|2|1|<unknown>|a,b|x,y|foo=bar" },
        { "{'metadata':{'name':'d'},'spec':{'replicas':1,'selector':{}}}",
          "d|0/1|0|0|<unknown>|||" },
        { "{'metadata':{'name':'d'},'spec':{'replicas':1}}", "d|0/1|0|0|<unknown>|||" },
        { "{'metadata':{'name':'d'},'spec':{'replicas':1,'selector':{'matchExpressions':[{'key':'a'"
          ",'operator':'Odd'}]}}}",
          "d|0/1|0|0|<unknown>|||<invalid>" }
    };
    (void)state;
    fixture_check_cells(KIND_DEPLOYMENT, cases, COUNT(cases));
}

static void test_replica_set_selectors(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'r'},'spec':{'replicas':5,'selector':{'matchLabels':{'a':'b'},'"
          "matchExpressions':[{'key':'c','operator':'In','values':['e','d']}]},'template':{'"
          "metadata':{'labels':{'foo':'bar'}},'spec':{'containers':[{'name':'a','image':'x'},{'"
          "name':'b','image':'y'}]}}},'status':{'replicas':5,'readyReplicas':2}}",
          "r|5|5|2|<unknown>|a,b|x,y|a=b,c in (d,e)" },
        { "{'metadata':{'name':'r'},'spec':{'selector':{}}}", "r|0|0|0|<unknown>|||<none>" },
        { "{'metadata':{'name':'r'},'spec':{'selector':{'matchExpressions':[{'key':'a','operator':'"
          "Odd'}]}}}",
          "r|0|0|0|<unknown>|||<error>" }
    };
    (void)state;
    fixture_check_cells(KIND_REPLICA_SET, cases, COUNT(cases));
}

static void test_replication_controller(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'r'},'spec':{'replicas':5,'selector':{'a':'b','c':'d'},'template':{'"
          "metadata':{'labels':{'foo':'bar'}},'spec':{'containers':[{'name':'a','image':'x'},{'"
          "name':'b','image':'y'}]}}},'status':{'replicas':3,'readyReplicas':1}}",
          "r|5|3|1|<unknown>|a,b|x,y|a=b,c=d" },
        { "{'metadata':{'name':'r'},'spec':{}}", "r|0|0|0|<unknown>|||<none>" }
    };
    (void)state;
    fixture_check_cells(KIND_REPLICATION_CONTROLLER, cases, COUNT(cases));
}

static void test_pod_template(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'t'},'template':{'metadata':{'labels':{'foo':'bar'}},'spec':{'"
          "containers':[{'name':'a','image':'x'},{'name':'b','image':'y'}]}}}",
          "t|a,b|x,y|foo=bar" },
        { "{'metadata':{'name':'t'},'template':{'spec':{'containers':[]}}}", "t|||<none>" }
    };
    (void)state;
    fixture_check_cells(KIND_POD_TEMPLATE, cases, COUNT(cases));
}

static void test_service_addresses(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'s'},'spec':{'type':'LoadBalancer','clusterIPs':['1.2.3.4'],'ports':"
          "[{'port':80,'protocol':'TCP'}]},'status':{'loadBalancer':{'ingress':[{'ip':'3.4.5.6'},{'"
          "ip':'2.3.4.5'},{'ip':'2.3.4.5'}]}}}",
          "s|LoadBalancer|1.2.3.4|2.3.4.5,3.4.5.6|80/TCP|<unknown>|<none>" },
        { "{'metadata':{'name':'s'},'spec':{'type':'LoadBalancer','clusterIPs':['1.2.3.4'],'ports':"
          "[{'port':80,'protocol':'TCP'},{'port':8090,'protocol':'UDP'},{'port':7777,'protocol':'"
          "SCTP'}]}}",
          "s|LoadBalancer|1.2.3.4|<pending>|80/TCP,8090/UDP,7777/SCTP|<unknown>|<none>" },
        { "{'metadata':{'name':'s'},'spec':{'type':'LoadBalancer','clusterIPs':['1.2.3.4'],'"
          "selector':{'foo':'bar'}},'status':{'loadBalancer':{'ingress':[{'ip':'2.3.4.5'},{'ip':'5."
          "6.7.8','hostname':'h'},{'hostname':'a.b'},{}]}}}",
          "s|LoadBalancer|1.2.3.4|2.3.4.5,5.6.7.8,a.b|<none>|<unknown>|foo=bar" },
        { "{'metadata':{'name':'s'},'spec':{'type':'LoadBalancer','clusterIPs':['1.2.3.4'],'"
          "externalIPs':['9.9.9.9','8.8.8.8']},'status':{'loadBalancer':{'ingress':[{'ip':'2.3.4.5'"
          "}]}}}",
          "s|LoadBalancer|1.2.3.4|2.3.4.5,9.9.9.9,8.8.8.8|<none>|<unknown>|<none>" },
        { "{'metadata':{'name':'s'},'spec':{'type':'ClusterIP','clusterIPs':['10.9.8.7'],'"
          "externalIPs':['9.9.9.9']}}",
          "s|ClusterIP|10.9.8.7|9.9.9.9|<none>|<unknown>|<none>" },
        { "{'metadata':{'name':'s'},'spec':{'type':'ClusterIP','clusterIPs':['None']},'status':{'"
          "loadBalancer':{'ingress':[{'ip':'2.3.4.5'}]}}}",
          "s|ClusterIP|None|<none>|<none>|<unknown>|<none>" },
        { "{'metadata':{'name':'s'},'spec':{'type':'NodePort','clusterIPs':['10.9.8.7','2001:db8::"
          "1'],'externalIPs':['9.9.9.9'],'ports':[{'port':8888,'nodePort':9999,'protocol':'UDP'}]}"
          "}",
          "s|NodePort|10.9.8.7|9.9.9.9|8888:9999/UDP|<unknown>|<none>" },
        { "{'metadata':{'name':'s'},'spec':{'type':'ExternalName','externalName':'my.database."
          "example.com','externalIPs':['9.9.9.9']}}",
          "s|ExternalName|<none>|my.database.example.com|<none>|<unknown>|<none>" },
        { "{'metadata':{'name':'s'},'spec':{'type':'Odd'}}",
          "s|Odd|<none>|<unknown>|<none>|<unknown>|<none>" }
    };
    (void)state;
    fixture_check_cells(KIND_SERVICE, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_deployment),
                                        cmocka_unit_test(test_replica_set),
                                        cmocka_unit_test(test_service),
                                        cmocka_unit_test(test_selectors),
                                        cmocka_unit_test(test_replica_set_selectors),
                                        cmocka_unit_test(test_replication_controller),
                                        cmocka_unit_test(test_pod_template),
                                        cmocka_unit_test(test_service_addresses) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
