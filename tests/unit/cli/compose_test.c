/* Trees made of trees. */
#include "base/arena.h"
#include "cli/compose.h"
#include "tests/unit/unit.h"

static struct arena arena;

static const struct json *parse(const char *text)
{
    const struct json *j;
    assert_int_equal(json_parse(&arena, str_from(text), &j, NULL), 0);
    return j;
}

static void is(struct json j, const char *text)
{
    assert_string_equal(compose_text(&arena, &j).data, text);
}

static void test_with(void **state)
{
    struct json one = json_int(1);
    const struct json *object = parse("{\"b\":2,\"a\":3}");
    (void)state;
    is(compose_with(&arena, object, "a", &one), "{\"b\":2,\"a\":1}");
    is(compose_with(&arena, object, "c", &one), "{\"b\":2,\"a\":3,\"c\":1}");
    is(compose_with(&arena, object, "b", NULL), "{\"a\":3}");
    is(compose_with(&arena, NULL, "b", &one), "{\"b\":1}");
    is(compose_with(&arena, parse("[1]"), "b", &one), "{\"b\":1}");
    is(compose_with_in(&arena, object, "m", "x", &one), "{\"b\":2,\"a\":3,\"m\":{\"x\":1}}");
    is(*object, "{\"b\":2,\"a\":3}");
}

static void test_sorted(void **state)
{
    (void)state;
    is(compose_sorted(&arena,
                      parse("{\"b\":[{\"z\":1,\"y\":1}],\"a\":1.50,\"b\":[{\"d\":1,\"c\":10}]}")),
       "{\"a\":1.5,\"b\":[{\"c\":10,\"d\":1}]}");
    is(compose_without_nulls(&arena, parse("{\"a\":null,\"b\":[{\"c\":null}],\"d\":{\"e\":null}}")),
       "{\"b\":[{}],\"d\":{}}");
}

static void test_lookups(void **state)
{
    const struct json *items = NULL;
    const struct json *object = parse("{\"metadata\":{\"name\":\"x\",\"n\":1},\"l\":[1,2]}");
    (void)state;
    assert_true(str_eq_c(compose_text_in(object, "metadata", "name"), "x"));
    assert_int_equal(compose_text_in(object, "metadata", "n").len, 0);
    assert_int_equal(compose_text_in(object, "nope", "n").len, 0);
    assert_int_equal(compose_items(json_get_c(object, "l"), &items), 2);
    assert_int_equal(compose_items(json_get_c(object, "metadata"), &items), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_with), cmocka_unit_test(test_sorted),
                                        cmocka_unit_test(test_lookups) };
    arena_init(&arena);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_deinit(&arena);
    return failed;
}
