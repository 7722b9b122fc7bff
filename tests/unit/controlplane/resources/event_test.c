/* Events lie where their object is. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'e','namespace':'d'},'involvedObject':{'kind':'Pod','name':'p','"
          "namespace':'d'}}",
          "" },
        { "{'metadata':{'name':'e','namespace':'default'},'involvedObject':{'kind':'Pod','name':'p'"
          "}}",
          "" },
        { "{'metadata':{'name':'e','namespace':'d'},'involvedObject':{'kind':'Pod','name':'p','"
          "namespace':'x'}}",
          "involvedObject.namespace: Invalid value: \"x\": does not match event.namespace" },
        { "{'metadata':{'name':'e','namespace':'d'},'involvedObject':{'kind':'Pod','name':'p'}}",
          "involvedObject.namespace: Invalid value: \"\": does not match event.namespace" }
    };
    (void)state;
    fixture_check_creates(KIND_EVENT, cases, COUNT(cases));
}

#define NEW                                                                                        \
    "'metadata':{'name':'e','namespace':'d'},'eventTime':'2023-11-14T22:13:20.000000Z','"          \
    "reportingInstance':'i','action':'a','reason':'r','regarding':{'namespace':'d'}"

/* By events.k8s.io, and of the new form. */
static void test_new_form(void **state)
{
    static const struct create_case cases[] = {
        { "{" NEW ",'reportingController':'x/y','type':'Normal'}", "" },
        { "{" NEW ",'reportingController':'x/y','type':'Odd'}",
          "type: Invalid value: \"\": has invalid value: Odd" },
        { "{" NEW ",'reportingController':'x/y','type':'Warning','series':{'count':1,"
          "'lastObservedTime':null}}",
          "[series.count: Invalid value: \"\": should be at least 2, series.lastObservedTime: "
          "Required value]" },
        { "{" NEW ",'reportingController':'x/y','type':'Normal','deprecatedCount':1,"
          "'deprecatedFirstTimestamp':'2023-11-14T22:13:20Z','deprecatedSource':{'host':'h'}}",
          "[firstTimestamp: Invalid value: \"\": needs to be unset, count: Invalid value: \"\": "
          "needs to be unset, source: Invalid value: \"\": needs to be unset]" },
        { "{'metadata':{'name':'e','namespace':'d'},'type':'Normal','eventTime':null,"
          "'regarding':{'namespace':'d'}}",
          "eventTime: Required value" },
        { "{'metadata':{'name':'e','namespace':'d'},'type':'Normal','eventTime':"
          "'2023-11-14T22:13:20.000000Z','reportingController':'x'}",
          "[involvedObject.namespace: Invalid value: \"\": does not match event.namespace, "
          "reportingInstance: Required value, action: Required value, reason: Required value]" }
    };
    (void)state;
    fixture_check_creates(KIND_EVENTS_EVENT, cases, COUNT(cases));
}

static void test_frozen(void **state)
{
    static const char old[] = "{" NEW ",'reportingController':'x/y','type':'Normal'}";
    static const struct update_case cases[] = {
        { old,
          "{" NEW ",'reportingController':'x/y','type':'Normal','series':{'count':2,"
          "'lastObservedTime':'2023-11-14T22:13:20.000000Z'}}",
          "" },
        { old, "{" NEW ",'reportingController':'x/y','type':'Warning','note':'n'}",
          "[message: Invalid value: \"n\": field is immutable, type: Invalid value: \"Warning\": "
          "field is immutable]" },
        { old, "{" NEW ",'reportingController':'x/y','type':'Normal','deprecatedCount':3}",
          "count: Invalid value: 3: field is immutable" }
    };
    (void)state;
    fixture_check_updates(KIND_EVENTS_EVENT, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_new_form),
        cmocka_unit_test(test_frozen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
