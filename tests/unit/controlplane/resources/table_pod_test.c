/* Rows of pods: STATUS, READY and RESTARTS as upstream computes them. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct create_case states[] = {
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'}]},'status':{'phase':'Pending'}}",
      "p|0/1|Pending|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'}]},'status':{'phase':'Running','containerStatuses':[{'name':'c','state':{'"
      "running':{'startedAt':'2023-11-14T22:13:00Z'}},'ready':true}]}}",
      "p|1/1|Running|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'nodeName':'"
      "n1','containers':[{'name':'c'}]},'status':{'phase':'Running','podIP':'10.1.0.2','podIPs'"
      ":[{'ip':'10.1.0.2'}],'containerStatuses':[{'name':'c','state':{'running':{'startedAt':'"
      "2023-11-14T22:13:00Z'}},'ready':true,'restartCount':3,'lastState':{'terminated':{'"
      "exitCode':1,'finishedAt':'2023-11-14T22:08:20Z'}}}]}}",
      "p|1/1|Running|3 (5m ago)|65s|10.1.0.2|n1|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'}]},'status':{'phase':'Pending','containerStatuses':[{'name':'c','state':{'"
      "waiting':{'reason':'ContainerCreating'}}}]}}",
      "p|0/1|ContainerCreating|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'}]},'status':{'phase':'Running','containerStatuses':[{'name':'c','state':{'"
      "waiting':{'reason':'CrashLoopBackOff'}},'restartCount':2}]}}",
      "p|0/1|CrashLoopBackOff|2|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'}]},'status':{'phase':'Failed','containerStatuses':[{'name':'c','state':{'"
      "terminated':{'exitCode':7}}}]}}",
      "p|0/1|ExitCode:7|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'}]},'status':{'phase':'Failed','containerStatuses':[{'name':'c','state':{'"
      "terminated':{'exitCode':137,'signal':9}}}]}}",
      "p|0/1|Signal:9|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'}]},'status':{'phase':'Failed','reason':'Evicted'}}",
      "p|0/1|Evicted|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'}]},'status':{'phase':'Succeeded','containerStatuses':[{'name':'c','state':"
      "{'terminated':{'exitCode':0,'reason':'Completed'}}}]}}",
      "p|0/1|Completed|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'},{'name':'d'}]},'status':{'phase':'Running','conditions':[{'type':'Ready',"
      "'status':'True'}],'containerStatuses':[{'name':'c','state':{'terminated':{'reason':'"
      "Completed'}}},{'name':'d','ready':true,'state':{'running':{'startedAt':'2023-11-14T22:"
      "13:00Z'}}}]}}",
      "p|1/2|Running|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'},{'name':'d'}]},'status':{'phase':'Running','containerStatuses':[{'name':'"
      "c','state':{'terminated':{'reason':'Completed'}}},{'name':'d','ready':true,'state':{'"
      "running':{'startedAt':'2023-11-14T22:13:00Z'}}}]}}",
      "p|1/2|NotReady|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'}],'initContainers':[{'name':'i'},{'name':'j'}]},'status':{'phase':'"
      "Pending','initContainerStatuses':[{'name':'i','state':{'running':{'startedAt':'2023-11-"
      "14T22:13:00Z'}}}]}}",
      "p|0/1|Init:0/2|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'}],'initContainers':[{'name':'i'},{'name':'j'}]},'status':{'phase':'"
      "Pending','initContainerStatuses':[{'name':'i','state':{'terminated':{'exitCode':0}}},{'"
      "name':'j','state':{'waiting':{'reason':'PodInitializing'}}}]}}",
      "p|0/1|Init:1/2|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'}],'initContainers':[{'name':'i'},{'name':'j'}]},'status':{'phase':'"
      "Pending','initContainerStatuses':[{'name':'i','restartCount':4,'state':{'waiting':{'"
      "reason':'CrashLoopBackOff'}}}]}}",
      "p|0/1|Init:CrashLoopBackOff|4|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'}],'initContainers':[{'name':'i'},{'name':'j'}]},'status':{'phase':'"
      "Pending','initContainerStatuses':[{'name':'i','state':{'terminated':{'exitCode':3}}}]}}",
      "p|0/1|Init:ExitCode:3|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'}],'initContainers':[{'name':'i','restartPolicy':'Always'}]},'status':{'"
      "phase':'Running','initContainerStatuses':[{'name':'i','started':true,'ready':true,'"
      "state':{'running':{'startedAt':'2023-11-14T22:13:00Z'}}}],'containerStatuses':[{'name':'"
      "c','state':{'running':{'startedAt':'2023-11-14T22:13:00Z'}},'ready':true}]}}",
      "p|2/2|Running|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z','deletionTimestamp':'"
      "2023-11-14T22:13:50Z'},'spec':{'containers':[{'name':'c'}]},'status':{'phase':'Running',"
      "'containerStatuses':[{'name':'c','state':{'running':{'startedAt':'2023-11-14T22:13:00Z'}"
      "},'ready':true}]}}",
      "p|1/1|Terminating|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z','deletionTimestamp':'"
      "2023-11-14T22:13:50Z'},'spec':{'containers':[{'name':'c'}]},'status':{'phase':'Running',"
      "'reason':'NodeLost'}}",
      "p|0/1|Unknown|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'containers'"
      ":[{'name':'c'}]},'status':{'phase':'Pending','conditions':[{'type':'PodScheduled','"
      "status':'False','reason':'SchedulingGated'}]}}",
      "p|0/1|SchedulingGated|0|65s|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','creationTimestamp':'2023-11-14T22:12:15Z'},'spec':{'"
      "readinessGates':[{'conditionType':'a/b'},{'conditionType':'c/"
      "d'}]},'status':{'phase':'Running','conditions':[{'type':'a/b','status':'True'}]}}",
      "p|0/0|Running|0|65s|<none>|<none>|<none>|1/2" }
};

static void test_pod(void **state)
{
    (void)state;
    fixture_check_cells(KIND_POD, states, COUNT(states));
}

static const struct create_case restarts[] = {
    { "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c'},{'name':'d'}]},'status':{'"
      "phase':'odd','containerStatuses':[{'name':'c','ready':true,'restartCount':3,'state':{'"
      "running':{}}},{'name':'d','restartCount':3}]}}",
      "p|1/2|odd|6|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c'},{'name':'d'}]},'status':{'"
      "phase':'odd','containerStatuses':[{'name':'c','ready':true,'restartCount':3,'state':{'"
      "running':{}}},{'name':'d','state':{'waiting':{'reason':'Why'}},'restartCount':3}]}}",
      "p|1/2|Why|6|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c'},{'name':'d'}]},'status':{'"
      "phase':'odd','containerStatuses':[{'name':'c','state':{'waiting':{'reason':'Why'}}},{'"
      "name':'d','state':{'terminated':{'exitCode':0,'reason':'Ended'}}}]}}",
      "p|0/2|Why|0|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c'},{'name':'d'}]},'status':{'"
      "phase':'odd','containerStatuses':[{'name':'c','ready':true,'state':{'running':{}}},{'"
      "name':'d','ready':true}]}}",
      "p|1/2|odd|0|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c'},{'name':'d'}]},'status':{'"
      "phase':'odd','reason':'because','containerStatuses':[{'name':'c','ready':true,'state':{'"
      "running':{}}},{'name':'d','ready':true}]}}",
      "p|1/2|because|0|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p'},'spec':{'initContainers':[{'name':'i'}],'containers':[{'name':'"
      "c'}]},'status':{'phase':'odd','initContainerStatuses':[{'name':'i','restartCount':3,'"
      "state':{'running':{}},'lastState':{'terminated':{'exitCode':1,'finishedAt':'2023-11-"
      "14T22:13:10Z'}}}],'containerStatuses':[{'name':'c','state':{'waiting':{}}}]}}",
      "p|0/1|Init:0/1|3 (10s ago)|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p'},'spec':{'initContainers':[{'name':'i'},{'name':'j'}],'"
      "containers':[{'name':'c'}]},'status':{'phase':'odd','initContainerStatuses':[{'name':'i'"
      ",'restartCount':3,'state':{'running':{}},'lastState':{'terminated':{'exitCode':1,'"
      "finishedAt':'2023-11-14T22:13:10Z'}}},{'name':'j','state':{'waiting':{}}}],'"
      "containerStatuses':[{'name':'c','state':{'waiting':{}}}]}}",
      "p|0/1|Init:0/2|3 (10s ago)|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p'},'spec':{'initContainers':[{'name':'i'},{'name':'j'}],'"
      "containers':[{'name':'c'}]},'status':{'phase':'odd','initContainerStatuses':[{'name':'i'"
      ",'state':{'terminated':{'exitCode':0}}},{'name':'j','restartCount':3,'state':{'running':"
      "{}},'lastState':{'terminated':{'exitCode':1,'finishedAt':'2023-11-14T22:13:10Z'}}}],'"
      "containerStatuses':[{'name':'c','state':{'waiting':{}}}]}}",
      "p|0/1|Init:1/2|3 (10s ago)|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p'},'spec':{'initContainers':[{'name':'i'},{'name':'j'}],'"
      "containers':[{'name':'c'}]},'status':{'phase':'odd','initContainerStatuses':[{'name':'i'"
      ",'restartCount':2,'state':{'terminated':{'exitCode':0}},'lastState':{'terminated':{'"
      "exitCode':1,'finishedAt':'2023-11-14T22:11:20Z'}}},{'name':'j','restartCount':3,'state':"
      "{'running':{}},'lastState':{'terminated':{'exitCode':1,'finishedAt':'2023-11-14T22:13:"
      "10Z'}}}],'containerStatuses':[{'name':'c','state':{'waiting':{}}}]}}",
      "p|0/1|Init:1/2|5 (10s ago)|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p'},'spec':{'initContainers':[{'name':'i'}],'containers':[{'name':'"
      "c'}]},'status':{'phase':'Running','initContainerStatuses':[{'name':'i','restartCount':2,"
      "'state':{'terminated':{'exitCode':0}},'lastState':{'terminated':{'exitCode':1,'"
      "finishedAt':'2023-11-14T22:11:20Z'}}}],'containerStatuses':[{'name':'c','restartCount':"
      "4,'state':{'running':{}},'lastState':{'terminated':{'exitCode':1,'finishedAt':'2023-11-"
      "14T22:13:00Z'}}}]}}",
      "p|0/1|Running|4 (20s ago)|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c'}]},'status':{'phase':'"
      "Running','containerStatuses':[{'name':'c','ready':true,'restartCount':3,'state':{'"
      "running':{}},'lastState':{'terminated':{'exitCode':1,'finishedAt':'2023-11-09T22:13:20Z'"
      "}}}]}}",
      "p|1/1|Running|3 (5d ago)|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c'},{'name':'d'}]},'status':{'"
      "phase':'Running','containerStatuses':[{'name':'c','ready':true,'state':{'running':{}}},{"
      "'name':'d','ready':true,'restartCount':3,'state':{'running':{}},'lastState':{'"
      "terminated':{'exitCode':1,'finishedAt':'2023-11-04T22:13:20Z'}}}]}}",
      "p|2/2|Running|3 (10d ago)|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c'},{'name':'d'}]},'status':{'"
      "phase':'Running','containerStatuses':[{'name':'c','ready':true,'restartCount':6,'state':"
      "{'running':{}},'lastState':{'terminated':{'exitCode':1,'finishedAt':'2023-11-09T22:13:"
      "20Z'}}},{'name':'d','ready':true,'restartCount':3,'state':{'running':{}},'lastState':{'"
      "terminated':{'exitCode':1,'finishedAt':'2023-10-25T22:13:20Z'}}}]}}",
      "p|2/2|Running|9 (5d ago)|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c'}]},'status':{'phase':'Failed'"
      ",'containerStatuses':[{'name':'c','state':{'terminated':{'exitCode':1,'reason':'Error'}}"
      "}]}}",
      "p|0/1|Error|0|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','deletionTimestamp':'2023-11-14T22:13:10Z'},'spec':{'containers'"
      ":[{'name':'c'}]},'status':{'phase':'Succeeded','containerStatuses':[{'name':'c','state':"
      "{'terminated':{'exitCode':0,'reason':'Completed'}}}]}}",
      "p|0/1|Completed|0|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p','deletionTimestamp':'2023-11-14T22:13:10Z'},'spec':{'containers'"
      ":[{'name':'c'}]},'status':{'phase':'Pending'}}",
      "p|0/1|Terminating|0|<unknown>|<none>|<none>|<none>|<none>" },
    { "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c'}]},'status':{'phase':'"
      "Unknown','containerStatuses':[{'name':'c','ready':true,'state':{'running':{}}}]}}",
      "p|1/1|Unknown|0|<unknown>|<none>|<none>|<none>|<none>" }
};

static void test_restarts(void **state)
{
    (void)state;
    fixture_check_cells(KIND_POD, restarts, COUNT(restarts));
}

static void test_sidecars(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'p'},'spec':{'initContainers':[{'name':'i','restartPolicy':'Always'}"
          ",{'name':'j','restartPolicy':'Always'}],'containers':[{'name':'c'}]},'status':{'phase':'"
          "Pending','initContainerStatuses':[{'name':'i','restartCount':3,'started':false,'state':{"
          "'running':{}},'lastState':{'terminated':{'exitCode':1,'finishedAt':'2023-11-14T22:13:"
          "10Z'}}},{'name':'j','started':false,'state':{'waiting':{}}}],'containerStatuses':[{'"
          "name':'c','state':{'waiting':{}}}],'conditions':[{'type':'Initialized','status':'False'}"
          "]}}",
          "p|0/3|Init:0/2|3 (10s ago)|<unknown>|<none>|<none>|<none>|<none>" },
        { "{'metadata':{'name':'p'},'spec':{'initContainers':[{'name':'i','restartPolicy':'Always'}"
          ",{'name':'j','restartPolicy':'Always'}],'containers':[{'name':'c'}]},'status':{'phase':'"
          "Pending','initContainerStatuses':[{'name':'i','restartCount':3,'started':true,'state':{'"
          "running':{}},'lastState':{'terminated':{'exitCode':1,'finishedAt':'2023-11-14T22:13:10Z'"
          "}}},{'name':'j','started':false,'state':{'running':{}}}],'containerStatuses':[{'name':'"
          "c','state':{'waiting':{}}}],'conditions':[{'type':'Initialized','status':'False'}]}}",
          "p|0/3|Init:1/2|3 (10s ago)|<unknown>|<none>|<none>|<none>|<none>" },
        { "{'metadata':{'name':'p'},'spec':{'initContainers':[{'name':'i','restartPolicy':'Always'}"
          ",{'name':'j','restartPolicy':'Always'}],'containers':[{'name':'c'}]},'status':{'phase':'"
          "Running','initContainerStatuses':[{'name':'i','restartCount':3,'started':true,'state':{'"
          "running':{}},'lastState':{'terminated':{'exitCode':1,'finishedAt':'2023-11-14T22:13:10Z'"
          "}}},{'name':'j','started':true,'state':{'running':{}}}],'containerStatuses':[{'name':'c'"
          ",'ready':true,'restartCount':4,'state':{'running':{}},'lastState':{'terminated':{'"
          "exitCode':1,'finishedAt':'2023-11-14T22:13:00Z'}}}],'conditions':[{'type':'Initialized',"
          "'status':'True'}]}}",
          "p|1/3|Running|7 (10s ago)|<unknown>|<none>|<none>|<none>|<none>" },
        { "{'metadata':{'name':'p'},'spec':{'initContainers':[{'name':'i','restartPolicy':'Always'}"
          ",{'name':'j','restartPolicy':'Always'}],'containers':[{'name':'c'}]},'status':{'phase':'"
          "Succeeded','initContainerStatuses':[{'name':'i','restartCount':3,'started':false,'state'"
          ":{'terminated':{'exitCode':137,'reason':'Error'}},'lastState':{'terminated':{'exitCode':"
          "1,'finishedAt':'2023-11-14T22:13:10Z'}}},{'name':'j','started':false,'state':{'"
          "terminated':{'exitCode':137,'reason':'Error'}}}],'containerStatuses':[{'name':'c','"
          "restartCount':4,'state':{'terminated':{'exitCode':0,'reason':'Completed'}},'lastState':{"
          "'terminated':{'exitCode':1,'finishedAt':'2023-11-14T22:13:00Z'}}}],'conditions':[{'type'"
          ":'Initialized','status':'True'}]}}",
          "p|0/3|Completed|7 (10s ago)|<unknown>|<none>|<none>|<none>|<none>" },
        { "{'metadata':{'name':'p'},'spec':{'initContainers':[{'name':'i'},{'name':'j','"
          "restartPolicy':'Always'}],'containers':[{'name':'c'}]},'status':{'phase':'Running','"
          "initContainerStatuses':[{'name':'gone'},{'name':'i'},{'name':'j'}],'containerStatuses':["
          "{'name':'other'},{'name':'c'}]}}",
          "p|0/2|Init:0/2|0|<unknown>|<none>|<none>|<none>|<none>" }
    };
    (void)state;
    fixture_check_cells(KIND_POD, cases, COUNT(cases));
}

static void test_wide(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'p'},'spec':{'nodeName':'n','readinessGates':[{'conditionType':'x'},"
          "{'conditionType':'y'},{'conditionType':'z'}],'containers':[{'name':'c'},{'name':'d'}]},'"
          "status':{'phase':'odd','podIPs':[{'ip':'1.1.1.1'},{'ip':'2001:db8::'}],'"
          "nominatedNodeName':'m','conditions':[{'type':'x','status':'False'},{'type':'y','status':"
          "'True'}],'containerStatuses':[{'name':'c','ready':true,'state':{'running':{}}},{'name':'"
          "d'}]}}",
          "p|1/2|odd|0|<unknown>|1.1.1.1|n|m|1/3" }
    };
    (void)state;
    fixture_check_cells(KIND_POD, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pod), cmocka_unit_test(test_restarts),
                                        cmocka_unit_test(test_sidecars),
                                        cmocka_unit_test(test_wide) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
