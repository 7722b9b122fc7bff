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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_event) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
