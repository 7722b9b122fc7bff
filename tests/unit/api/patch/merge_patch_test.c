/* RFC 7386: the appendix's table. */
#include "tests/unit/api/patch/patch_cases.h"

#define CASE(object_, patch_, want_)                                                               \
    {                                                                                              \
        .name = patch_, .object = object_, .patch = patch_, .want = want_                          \
    }

static const struct patch_case cases[] = {
    CASE("{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"),
    CASE("{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"),
    CASE("{\"a\":\"b\"}", "{\"a\":null}", "{}"),
    CASE("{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"),
    CASE("{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"),
    CASE("{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"),
    CASE("{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"),
    CASE("{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"),
    CASE("[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"),
    CASE("{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"),
    CASE("{\"a\":\"foo\"}", "null", "null"),
    CASE("{\"a\":\"foo\"}", "\"bar\"", "\"bar\""),
    CASE("{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"),
    CASE("[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"),
    CASE("{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"),
    CASE("{\"l\":[]}", "{\"l\":[null,{\"a\":null,\"b\":[{\"c\":null}]}]}",
         "{\"l\":[null,{\"b\":[{}]}]}"),
    CASE("{\"l\":{}}", "{\"l\":[{\"a\":null}]}", "{\"l\":[{\"a\":null}]}"),
    CASE("{\"a\":{\"x\":1},\"b\":{\"x\":1}}", "{\"a\":{\"y\":{\"z\":[null]}},\"b\":{\"x\":2}}",
         "{\"a\":{\"x\":1,\"y\":{\"z\":[null]}},\"b\":{\"x\":2}}")
};

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        run_patch_case(&cases[i], patch_merge);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(table) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
