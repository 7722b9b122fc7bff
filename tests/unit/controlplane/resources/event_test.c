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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
