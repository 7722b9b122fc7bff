/* Looking into trees, and copies of them. */
#include "base/arena.h"
#include "base/buf.h"
#include "cli/tree.h"
#include "tests/unit/unit.h"

static const struct json *parse(struct arena *a, const char *text)
{
    const struct json *j;
    assert_int_equal(json_parse(a, str_from(text), &j, NULL), 0);
    return j;
}

static void test_looking(void **state)
{
    struct arena a;
    (void)state;
    arena_init(&a);
    const struct json *j =
        parse(&a, "{\"a\":{\"b\":\"x\",\"n\":3,\"t\":true},\"l\":[1,null],\"z\":{}}");
    assert_true(str_eq_c(tree_text(j, "a", "b", NULL), "x"));
    assert_int_equal(tree_text(j, "a", "none", "c", NULL).len, 0);
    assert_null(tree_at(NULL, "a", NULL));
    assert_int_equal(tree_int(tree_at(j, "a", NULL), "n", 7), 3);
    assert_int_equal(tree_int(tree_at(j, "a", NULL), "b", 7), 7);
    assert_true(tree_true(json_get_c(j, "a"), "t"));
    assert_false(tree_true(json_get_c(j, "a"), "n"));
    assert_int_equal(tree_count(json_get_c(j, "l")), 2);
    assert_int_equal(tree_count(NULL), 0);
    assert_null(tree_item(json_get_c(j, "l"), 2));
    assert_true(str_eq_c(tree_scalar(&a, tree_item(json_get_c(j, "l"), 0)), "1"));
    assert_true(str_eq_c(tree_scalar(&a, tree_item(json_get_c(j, "l"), 1)), ""));
    arena_deinit(&a);
}

static void test_copies(void **state)
{
    struct arena a;
    struct buf out;
    (void)state;
    arena_init(&a);
    buf_init(&out);
    const struct json *j = parse(&a, "{\"b\":[{\"d\":1e2,\"c\":2}],\"a\":1}");
    struct json sorted = tree_sorted(&a, j);
    json_write(&out, &sorted, false);
    assert_true(str_eq_c(buf_str(&out), "{\"a\":1,\"b\":[{\"c\":2,\"d\":100}]}"));
    buf_clear(&out);
    struct json less = tree_with(&a, &sorted, "b", NULL);
    struct json more = tree_with(&a, &less, "a", &json_null);
    json_write(&out, &more, false);
    assert_true(str_eq_c(buf_str(&out), "{\"a\":null}"));
    buf_clear(&out);
    tree_indent(&out, &sorted, 4);
    assert_true(str_starts(buf_str(&out), str_lit("{\n    \"a\": 1,\n    \"b\": [\n        {\n")));
    buf_deinit(&out);
    assert_true(str_eq_c(tree_labels(&a, parse(&a, "{\"b\":\"2\",\"a\":\"1\"}")), "a=1,b=2"));
    assert_true(str_eq_c(tree_labels(&a, NULL), "<none>"));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_looking),
                                        cmocka_unit_test(test_copies) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
