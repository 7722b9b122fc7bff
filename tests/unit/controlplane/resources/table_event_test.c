/* Rows of events, of the old and the new API. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_event(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'e'},'involvedObject':{'kind':'Pod','name':'p','fieldPath':'spec'},'"
          "reason':'Started','message':' ok "
          "','type':'Normal','count':3,'source':{'component':'kubelet','host':'n1'},'"
          "firstTimestamp':'2023-11-14T22:03:20Z','lastTimestamp':'2023-11-14T22:13:15Z'}",
          "5s|Normal|Started|pod/p|spec|kubelet, n1|ok|10m|3|e" },
        { "{'metadata':{'name':'e'},'involvedObject':{'kind':'Node'},'reportingComponent':'sched','"
          "reportingInstance':'s1','eventTime':'2023-11-14T22:13:10.000000Z'}",
          "10s|||node||sched, s1||10s|1|e" }
    };
    (void)state;
    fixture_check_cells(KIND_EVENT, cases, COUNT(cases));
}

static void test_times(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'e'},'source':{'component':'kubelet'},'involvedObject':{'kind':'Pod'"
          ",'name':'d','fieldPath':'spec.containers{c}'},'reason':'r','message':'m','type':'"
          "Warning','firstTimestamp':'2023-11-11T22:13:20Z','lastTimestamp':'2023-11-12T22:13:20Z',"
          "'count':6}",
          "2d|Warning|r|pod/d|spec.containers{c}|kubelet|m|3d|6|e" },
        { "{'metadata':{'name':'e'},'source':{'component':'kubelet','host':'n'},'involvedObject':{'"
          "kind':'Deployment','name':'d','fieldPath':'spec.containers{c}'},'reason':'r','message':'"
          "m','type':'Warning','firstTimestamp':'2023-11-11T22:13:20Z','lastTimestamp':'2023-11-"
          "12T22:13:20Z','count':6}",
          "2d|Warning|r|deployment/d|spec.containers{c}|kubelet, n|m|3d|6|e" },
        { "{'metadata':{'name':'e'},'source':{'component':'kubelet','host':'n'},'involvedObject':{'"
          "kind':'Deployment','name':'d','fieldPath':'spec.containers{c}'},'reason':'r','message':'"
          "m','type':'Warning','eventTime':'2023-11-11T22:13:20.000000Z','lastTimestamp':'2023-11-"
          "11T22:13:20Z','count':1}",
          "3d|Warning|r|deployment/d|spec.containers{c}|kubelet, n|m|3d|1|e" },
        { "{'metadata':{'name':'e'},'source':{'component':'kubelet','host':'n'},'involvedObject':{'"
          "kind':'Deployment','name':'d','fieldPath':'spec.containers{c}'},'reason':'r','message':'"
          "m','type':'Warning','eventTime':'2023-11-11T22:13:20.000000Z','firstTimestamp':'2023-11-"
          "11T22:13:20Z','count':1}",
          "3d|Warning|r|deployment/d|spec.containers{c}|kubelet, n|m|3d|1|e" },
        { "{'metadata':{'name':'e'},'source':{'component':'kubelet','host':'n'},'involvedObject':{'"
          "kind':'Deployment','name':'d','fieldPath':'spec.containers{c}'},'reason':'r','message':'"
          "m','type':'Warning','eventTime':'2023-11-11T22:13:20.000000Z','count':1}",
          "3d|Warning|r|deployment/d|spec.containers{c}|kubelet, n|m|3d|1|e" },
        { "{'metadata':{'name':'e'},'source':{'component':'kubelet','host':'n'},'involvedObject':{'"
          "kind':'Deployment','name':'d','fieldPath':'spec.containers{c}'},'reason':'r','message':'"
          "m','type':'Warning','eventTime':'2023-11-11T22:13:20.000000Z','series':{'count':2,'"
          "lastObservedTime':'2023-11-12T22:13:20.000000Z'}}",
          "2d|Warning|r|deployment/d|spec.containers{c}|kubelet, n|m|3d|2|e" },
        { "{'metadata':{'name':'e'},'source':{'component':'kubelet','host':'n'},'involvedObject':{'"
          "kind':'Deployment','name':'d','fieldPath':'spec.containers{c}'},'reason':'r','message':'"
          "m','type':'Warning','eventTime':'2023-11-11T22:13:20.000000Z','series':{'count':2}}",
          "<unknown>|Warning|r|deployment/d|spec.containers{c}|kubelet, n|m|3d|2|e" },
        { "{'metadata':{'name':'e'},'source':{'component':'kubelet','host':'n'},'involvedObject':{'"
          "kind':'Deployment','name':'d','fieldPath':'spec.containers{c}'},'reason':'r','message':'"
          "m','type':'Warning','eventTime':'2023-11-11T22:13:20.000000Z'}",
          "3d|Warning|r|deployment/d|spec.containers{c}|kubelet, n|m|3d|1|e" },
        { "{'metadata':{'name':'e'},'reportingComponent':'kubelet','reportingInstance':'t','"
          "involvedObject':{'kind':'Deployment','name':'d','fieldPath':'spec.containers{c}'},'"
          "reason':'r','message':'m','type':'Warning','firstTimestamp':'2023-11-11T22:13:20Z','"
          "lastTimestamp':'2023-11-12T22:13:20Z','count':6}",
          "2d|Warning|r|deployment/d|spec.containers{c}|kubelet, t|m|3d|6|e" }
    };
    (void)state;
    fixture_check_cells(KIND_EVENT, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_event),
                                        cmocka_unit_test(test_times) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
