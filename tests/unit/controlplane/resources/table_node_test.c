/* Rows of nodes. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_node(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'n'}}",
          "n|Unknown|<none>|<unknown>||<none>|<none>|<unknown>|<unknown>|<unknown>" },
        { "{'metadata':{'name':'n','labels':{'node-role.kubernetes.io/worker':'','kubernetes.io/"
          "role':'edge'},'creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'unschedulable':true},"
          "'status':{'conditions':[{'type':'Ready','status':'True'}],'addresses':[{'type':'"
          "InternalIP','address':'10.0.0.1'}],'nodeInfo':{'kubeletVersion':'v1','osImage':'Debian',"
          "'kernelVersion':'6.1','containerRuntimeVersion':'containerd://1.6'}}}",
          "n|Ready,SchedulingDisabled|edge,worker|65s|v1|10.0.0.1|<none>|Debian|6.1|containerd://"
          "1.6" },
        { "{'metadata':{'name':'n'},'status':{'conditions':[{'type':'Ready','status':'Unknown'}]}}",
          "n|NotReady|<none>|<unknown>||<none>|<none>|<unknown>|<unknown>|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_NODE, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_node) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
