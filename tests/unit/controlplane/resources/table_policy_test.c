/* Rows of ResourceQuotas, LimitRanges, PodDisruptionBudgets and ControllerRevisions. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_quota(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'q'},'status':{'hard':{'requests.cpu':'2','pods':'4','limits.cpu':'"
          "3'},'used':{'pods':'1'}}}",
          "q|pods: 1/4, requests.cpu: 0/2|limits.cpu: 0/3|<unknown>" },
        { "{'metadata':{'name':'q'}}", "q|||<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_RESOURCE_QUOTA, cases, COUNT(cases));
}

static void test_limits(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'l','creationTimestamp':'2023-11-14T22:12:15Z'}}",
          "l|2023-11-14T22:12:15Z" }
    };
    (void)state;
    fixture_check_cells(KIND_LIMIT_RANGE, cases, COUNT(cases));
}

static void test_budgets(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'b'},'spec':{'minAvailable':2},'status':{'disruptionsAllowed':3}}",
          "b|2|N/A|3|<unknown>" },
        { "{'metadata':{'name':'b'},'spec':{'maxUnavailable':'25%'}}", "b|N/A|25%|0|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_DISRUPTION_BUDGET, cases, COUNT(cases));
}

static void test_revisions(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'r','ownerReferences':[{'apiVersion':'apps/"
          "v1','kind':'StatefulSet','name':'web','uid':'u','controller':true}]},'revision':3}",
          "r|statefulset.apps/web|3|<unknown>" },
        { "{'metadata':{'name':'r'},'revision':3}", "r|<none>|3|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_CONTROLLER_REVISION, cases, COUNT(cases));
}

static void test_quota_names(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'q'},'status':{'hard':{'limits.memory':'1Gi','limits':'1','"
          "limitsfoo':'2','count/"
          "pods':'3','cpu':'1500m'},'used':{'cpu':'0.5','limits.memory':'512Mi'}}}",
          "q|count/pods: 0/3, cpu: 500m/1500m, limits: 0/1, limitsfoo: 0/2|limits.memory: "
          "512Mi/1Gi|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_RESOURCE_QUOTA, cases, COUNT(cases));
}

static void test_budget_amounts(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'b'},'spec':{'minAvailable':22},'status':{'disruptionsAllowed':5}}",
          "b|22|N/A|5|<unknown>" },
        { "{'metadata':{'name':'b'},'spec':{'maxUnavailable':11},'status':{'disruptionsAllowed':5}"
          "}",
          "b|N/A|11|5|<unknown>" },
        { "{'metadata':{'name':'b'}}", "b|N/A|N/A|0|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_DISRUPTION_BUDGET, cases, COUNT(cases));
}

static void test_revision_owners(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'r','ownerReferences':[{'apiVersion':'v1','kind':'"
          "ReplicationController','name':'x','uid':'u','controller':true}]},'revision':3}",
          "r|replicationcontroller/x|3|<unknown>" },
        { "{'metadata':{'name':'r','ownerReferences':[{'apiVersion':'apps/"
          "v1','kind':'DaemonSet','name':'x','uid':'u'}]},'revision':3}",
          "r|<none>|3|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_CONTROLLER_REVISION, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quota),          cmocka_unit_test(test_limits),
        cmocka_unit_test(test_budgets),        cmocka_unit_test(test_revisions),
        cmocka_unit_test(test_quota_names),    cmocka_unit_test(test_budget_amounts),
        cmocka_unit_test(test_revision_owners)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
