/* Values in text and as JSON. */
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "cli/jsonpath.h"
#include "tests/unit/unit.h"

static void test_as_json(void **state)
{
    const struct jsonpath *path;
    const struct json *document;
    struct arena a;
    struct buf out;
    struct err e;
    (void)state;
    arena_init(&a);
    buf_init(&out);
    assert_int_equal(
        json_parse(&a, str_lit("{\"b\":[{\"z\":1,\"a\":\"x\"}],\"c\":[]}"), &document, &e), 0);
    assert_int_equal(jsonpath_parse(&a, str_lit("{.b[0]}{.c[*]}"), &path, &e), 0);
    assert_int_equal(jsonpath_print_json(&a, path, document, true, &out, &e), 0);
    assert_true(str_eq_c(buf_str(&out), "[\n    {\n        \"a\": \"x\",\n        \"z\": 1\n    "
                                        "}\n]\n[]\n"));
    buf_deinit(&out);
    arena_deinit(&a);
}

static void test_value(void **state)
{
    static const char *const cases[][2] = { { "\"x\"", "x" },
                                            { "1e3", "1000" },
                                            { "{\"b\":{\"d\":1,\"c\":2},\"a\":[]}",
                                              "{\"a\":[],\"b\":{\"c\":2,\"d\":1}}" } };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct json *value;
        struct buf out;
        buf_init(&out);
        assert_int_equal(json_parse(&a, str_from(cases[i][0]), &value, NULL), 0);
        jsonpath_print_value(&a, value, &out);
        assert_true(str_eq_c(buf_str(&out), cases[i][1]));
        buf_deinit(&out);
    }
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_as_json),
                                        cmocka_unit_test(test_value) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
