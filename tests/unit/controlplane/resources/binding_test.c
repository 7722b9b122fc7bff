/* Bindings name a node. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'p','namespace':'d'},'target':{'kind':'Node','name':'n'}}", "" },
        { "{'metadata':{'name':'p','namespace':'d'},'target':{'name':'n'}}", "" },
        { "{'metadata':{'name':'p','namespace':'d'},'target':{'kind':'Node'}}",
          "target.name: Required value" },
        { "{'metadata':{'name':'p','namespace':'d'},'target':{'kind':'Pod','name':'n'}}",
          "target.kind: Unsupported value: \"Pod\": supported values: \"Node\", \"<empty>\"" }
    };
    (void)state;
    fixture_check_creates(KIND_BINDING, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
