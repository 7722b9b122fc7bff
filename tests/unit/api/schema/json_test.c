/* Trees: lookup, equality, duplicates. */
#include <string.h>

#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

static const struct json *parse(struct arena *a, const char *text)
{
    const struct json *j;
    struct err e = { 0 };
    assert_int_equal(json_parse(a, str_from(text), &j, &e), 0);
    return j;
}

static void lookups_take_the_last(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    const struct json *j = parse(&a, "{\"a\":1,\"b\":\"x\",\"a\":2}");
    assert_int_equal(json_get_c(j, "a")->u.integer, 2);
    assert_true(str_eq_c(json_str(json_get_c(j, "b")), "x"));
    assert_null(json_get_c(j, "c"));
    assert_null(json_get_c(json_get_c(j, "b"), "c"));
    assert_int_equal(json_str(json_get_c(j, "a")).len, 0);
    arena_deinit(&a);
}

static void equality(void **state)
{
    (void)state;
    static const struct {
        const char *x;
        const char *y;
        bool equal;
    } cases[] = { { "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true },
                  { "1", "1.0", true },
                  { "[1,2]", "[2,1]", false },
                  { "{\"a\":null}", "{}", false },
                  { "\"1\"", "1", false },
                  { "{\"a\":[{}]}", "{\"a\":[{}]}", true },
                  { "true", "false", false } };
    struct arena a;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(json_equal(parse(&a, cases[i].x), parse(&a, cases[i].y)), cases[i].equal);
    assert_true(json_equal(NULL, NULL));
    assert_false(json_equal(&json_null, NULL));
    /* Large objects compare sorted. */
    struct buf x;
    struct buf y;
    buf_init(&x);
    buf_init(&y);
    for (int i = 0; i < 100; i++) {
        buf_printf(&x, "%s\"k%d\":%d", i == 0 ? "{" : ",", i, i);
        buf_printf(&y, "%s\"k%d\":%d", i == 0 ? "{" : ",", 99 - i, 99 - i);
    }
    buf_append_c(&x, "}");
    buf_append_c(&y, "}");
    buf_append_byte(&x, 0);
    buf_append_byte(&y, 0);
    assert_true(json_equal(parse(&a, (char *)x.data), parse(&a, (char *)y.data)));
    buf_deinit(&x);
    buf_deinit(&y);
    arena_deinit(&a);
}

static void note(void *context, const char *path)
{
    struct buf *b = context;
    buf_printf(b, "%s;", path);
}

static void duplicates_are_found_with_their_paths(void **state)
{
    (void)state;
    struct arena a;
    struct buf b;
    arena_init(&a);
    buf_init(&b);
    const struct json *j =
        parse(&a, "{\"a\":[{\"x\":1,\"x\":2}],\"a\":1,\"b\":{\"c\":{\"d\":1,\"d\":1,\"d\":1}}}");
    assert_int_equal(json_duplicates(&a, j, note, &b), 4);
    assert_true(str_eq_c(buf_str(&b), "a;a[0].x;b.c.d;b.c.d;"));
    buf_deinit(&b);
    arena_deinit(&a);
}

static void count(void *context, const char *path)
{
    assert_true(strlen(path) <= JSON_DUPLICATE_PATH_BYTES_MAX);
    ++*(size_t *)context;
}

/* Each of many duplicates below a long key: the paths would be gigabytes. */
static void many_duplicates_are_told_in_part(void **state)
{
    (void)state;
    struct arena a;
    struct buf b;
    size_t told = 0;
    arena_init(&a);
    buf_init(&b);
    buf_append_c(&b, "{\"");
    for (size_t i = 0; i < (1u << 20); i++)
        buf_append_byte(&b, 'k');
    buf_append_c(&b, "\":[{\"a\":1,\"a\":2}");
    for (size_t i = 0; i < 100000; i++)
        buf_append_c(&b, ",{\"a\":1,\"a\":2}");
    buf_append_c(&b, "]}");
    const char *text = str_dup(&a, buf_str(&b));
    assert_int_equal(json_duplicates(&a, parse(&a, text), count, &told), JSON_DUPLICATES_MAX);
    assert_int_equal(told, JSON_DUPLICATES_MAX);
    assert_true(a.used < (64u << 20));
    buf_deinit(&b);
    arena_deinit(&a);
}

static void expect_unique(struct arena *a, const char *text, const char *wanted)
{
    struct buf b;
    buf_init(&b);
    struct json j = json_unique(a, parse(a, text));
    json_write(&b, &j, false);
    assert_string_equal(str_dup(a, buf_str(&b)), wanted);
    buf_deinit(&b);
}

static void the_last_of_equal_keys_stays(void **state)
{
    struct arena a;
    struct buf b;
    (void)state;
    arena_init(&a);
    expect_unique(&a, "1", "1");
    expect_unique(&a, "[]", "[]");
    expect_unique(&a, "{\"a\":1,\"b\":{\"x\":1,\"x\":[{\"y\":1,\"y\":2}]},\"a\":{}}",
                  "{\"b\":{\"x\":[{\"y\":2}]},\"a\":{}}");
    /* A million members, every other one twice: a square of them would take minutes. */
    buf_init(&b);
    for (size_t i = 0; i < 1000000; i++)
        buf_printf(&b, "%c\"%zu\":%zu", i == 0 ? '{' : ',', i % 750000, i);
    buf_append_c(&b, "}");
    struct json j = json_unique(&a, parse(&a, str_dup(&a, buf_str(&b))));
    assert_int_equal(j.count, 750000);
    assert_true(str_eq_c(j.u.members[0].key, "250000"));
    assert_int_equal(j.u.members[749999].value.u.integer, 999999);
    buf_deinit(&b);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lookups_take_the_last),
                                        cmocka_unit_test(equality),
                                        cmocka_unit_test(duplicates_are_found_with_their_paths),
                                        cmocka_unit_test(many_duplicates_are_told_in_part),
                                        cmocka_unit_test(the_last_of_equal_keys_stays) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
