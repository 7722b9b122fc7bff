/* ConfigMaps: keys, and what immutable freezes. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'m','namespace':'d'},'data':{'a.b':'x'}}", "" },
        { "{'metadata':{'name':'m','namespace':'d'},'data':{'a b':'x'}}",
          "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric "
          "characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex "
          "used for validation is '[-._a-zA-Z0-9]+')" },
        { "{'metadata':{'name':'m','namespace':'d'},'data':{'':'x'}}",
          "data[]: Invalid value: \"\": a valid config key must consist of alphanumeric "
          "characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex "
          "used for validation is '[-._a-zA-Z0-9]+')" },
        { "{'metadata':{'name':'m','namespace':'d'},'data':{'..':'x'}}",
          "data[..]: Invalid value: \"..\": must not be '..'" },
        { "{'metadata':{'name':'m','namespace':'d'},'data':{'a':'x'},'binaryData':{'a':'eA=='}}",
          "[data[a]: Invalid value: \"a\": duplicate of key present in binaryData, binaryData[a]: "
          "Invalid value: \"a\": duplicate of key present in data]" }
    };
    (void)state;
    fixture_check_creates(KIND_CONFIG_MAP, cases, COUNT(cases));
}

static void test_update(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'m','namespace':'d'},'data':{'a':'x'}}",
          "{'metadata':{'name':'m','namespace':'d'},'data':{'a':'y'}}", "" },
        { "{'metadata':{'name':'m','namespace':'d'},'immutable':true,'data':{'a':'x'}}",
          "{'metadata':{'name':'m','namespace':'d'},'immutable':true,'data':{'a':'x'}}", "" },
        { "{'metadata':{'name':'m','namespace':'d'},'immutable':true,'data':{'a':'x'}}",
          "{'metadata':{'name':'m','namespace':'d'},'immutable':true,'data':{'a':'y'}}",
          "data: Forbidden: field is immutable when `immutable` is set" },
        { "{'metadata':{'name':'m','namespace':'d'},'immutable':true,'data':{'a':'x'}}",
          "{'metadata':{'name':'m','namespace':'d'},'data':{'a':'x'}}",
          "immutable: Forbidden: field is immutable when `immutable` is set" }
    };
    (void)state;
    fixture_check_updates(KIND_CONFIG_MAP, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_update) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
