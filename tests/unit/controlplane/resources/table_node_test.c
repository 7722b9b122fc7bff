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

static void test_status(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'n'},'spec':{},'status':{'conditions':[{'type':'Ready','status':'"
          "True'}]}}",
          "n|Ready|<none>|<unknown>||<none>|<none>|<unknown>|<unknown>|<unknown>" },
        { "{'metadata':{'name':'n'},'spec':{'unschedulable':true},'status':{'conditions':[{'type':'"
          "Ready','status':'True'}]}}",
          "n|Ready,SchedulingDisabled|<none>|<unknown>||<none>|<none>|<unknown>|<unknown>|<"
          "unknown>" },
        { "{'metadata':{'name':'n'},'spec':{'unschedulable':true},'status':{'conditions':[{'type':'"
          "Ready','status':'False'}]}}",
          "n|NotReady,SchedulingDisabled|<none>|<unknown>||<none>|<none>|<unknown>|<unknown>|<"
          "unknown>" },
        { "{'metadata':{'name':'n'},'spec':{},'status':{'conditions':[{'type':'Odd','status':'True'"
          "}]}}",
          "n|Unknown|<none>|<unknown>||<none>|<none>|<unknown>|<unknown>|<unknown>" },
        { "{'metadata':{'name':'n'},'spec':{'unschedulable':true},'status':{'conditions':[{'type':'"
          "Odd','status':'True'}]}}",
          "n|Unknown,SchedulingDisabled|<none>|<unknown>||<none>|<none>|<unknown>|<unknown>|<"
          "unknown>" },
        { "{'metadata':{'name':'n','labels':{'node-role.kubernetes.io/"
          "master':'','node-role.kubernetes.io/control-plane':'','node-role.kubernetes.io/"
          "proxy':'','kubernetes.io/role':'node'}},'spec':{},'status':{}}",
          "n|Unknown|control-plane,master,node,proxy|<unknown>||<none>|<none>|<unknown>|<unknown>|<"
          "unknown>" },
        { "{'metadata':{'name':'n','labels':{'kubernetes.io/role':'node'}},'spec':{},'status':{}}",
          "n|Unknown|node|<unknown>||<none>|<none>|<unknown>|<unknown>|<unknown>" },
        { "{'metadata':{'name':'n','labels':{'kubernetes.io/role':'','node-role.kubernetes.io/"
          "':''}},'spec':{},'status':{}}",
          "n|Unknown|<none>|<unknown>||<none>|<none>|<unknown>|<unknown>|<unknown>" }
    };
    (void)state;
    fixture_check_cells(KIND_NODE, cases, COUNT(cases));
}

static void test_wide(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'n'},'spec':{},'status':{'addresses':[{'type':'ExternalIP','address'"
          ":'2.2.2.2'},{'type':'InternalIP','address':'3.3.3.3'},{'type':'ExternalIP','address':'4."
          "4.4.4'}]}}",
          "n|Unknown|<none>|<unknown>||3.3.3.3|2.2.2.2|<unknown>|<unknown>|<unknown>" },
        { "{'metadata':{'name':'n'},'spec':{},'status':{'addresses':[{'type':'ExternalIP','address'"
          ":'1.1.1.1'}],'nodeInfo':{'osImage':'os'}}}",
          "n|Unknown|<none>|<unknown>||<none>|1.1.1.1|os|<unknown>|<unknown>" },
        { "{'metadata':{'name':'n'},'spec':{},'status':{'nodeInfo':{'kernelVersion':'k'}}}",
          "n|Unknown|<none>|<unknown>||<none>|<none>|<unknown>|k|<unknown>" },
        { "{'metadata':{'name':'n'},'spec':{},'status':{'nodeInfo':{'containerRuntimeVersion':'c://"
          "1'}}}",
          "n|Unknown|<none>|<unknown>||<none>|<none>|<unknown>|<unknown>|c://1" }
    };
    (void)state;
    fixture_check_cells(KIND_NODE, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_node), cmocka_unit_test(test_status),
                                        cmocka_unit_test(test_wide) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
