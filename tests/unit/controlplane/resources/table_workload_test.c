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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_deployment),
                                        cmocka_unit_test(test_replica_set),
                                        cmocka_unit_test(test_service) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
