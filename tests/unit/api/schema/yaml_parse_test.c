/* YAML in: shapes, aliases, merges, documents, bounds. */
#include <string.h>

#include "api/schema/yaml.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

static const char *const cases[][2] = {
    { "a: 1\nb: [x, yes, ~]\n", "{\"a\":1,\"b\":[\"x\",true,null]}" },
    { "", "null" },
    { "- \"yes\"\n- 'it''s'\n- |\n  two\n  lines\n- >\n  one\n  line\n",
      "[\"yes\",\"it's\",\"two\\nlines\\n\",\"one line\\n\"]" },
    { "on: 1\n1: 2\n~: 3\n1.5: 4\n", "{\"true\":1,\"1\":2,\"null\":3,\"1.5\":4}" },
    { "a: &x {b: 1}\nc: *x\n", "{\"a\":{\"b\":1},\"c\":{\"b\":1}}" },
    { "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  b: 3\n",
      "{\"a\":{\"b\":1,\"c\":2},\"d\":{\"b\":3,\"c\":2}}" },
    { "a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne:\n  f: 0\n  <<: [*x, *y, *x]\n  d: 4\n",
      "{\"a\":{\"b\":1},\"c\":{\"b\":2,\"d\":3},\"e\":{\"f\":0,\"d\":4,\"b\":1}}" },
    { "a: &x {b: 1}\nc: {<<: *x}\nd: &x 2\ne: *x\nf: {<<: []}\n",
      "{\"a\":{\"b\":1},\"c\":{\"b\":1},\"d\":2,\"e\":2,\"f\":{}}" },
    { "\"<<\": 1\n", "{\"<<\":1}" },
    { "a: !!str 1\nb: !!binary aGk=\nc: ! 2\n", "{\"a\":\"1\",\"b\":\"hi\",\"c\":\"2\"}" },
    { "{\"json\": [1, {\"is\": \"yaml\"}]}", "{\"json\":[1,{\"is\":\"yaml\"}]}" },
    { "a: 1\na: 2\n", "{\"a\":1,\"a\":2}" }
};

static void shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena a;
        struct buf b;
        struct err e = { 0 };
        const struct json *j;
        arena_init(&a);
        buf_init(&b);
        if (yaml_parse(&a, str_from(cases[i][0]), &j, &e) != 0)
            fail_msg("%s: %s", cases[i][0], e.msg);
        json_write(&b, j, false);
        buf_append_byte(&b, 0);
        assert_string_equal((char *)b.data, cases[i][1]);
        buf_deinit(&b);
        arena_deinit(&a);
    }
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *error;
    } bad[] = { { "a: b: c\n", "yaml: mapping values are not allowed" },
                { "a: 1\n  b: 2\n", "yaml: line 2: mapping values are not allowed" },
                { "a: 1\nb: {]\n", "yaml: line 1: did not find expected node content" },
                { "a:\n - 1\n b: 2\n", "yaml: line 2: did not find expected '-' indicator" },
                { "a: [1\n", "yaml: line" },
                { "a: *nope\n", "unknown anchor 'nope' referenced" },
                { "a: &a [*a]\n", "unknown anchor 'a'" },
                { "? [1]\n: 2\n", "invalid map key" },
                { "a:\n  <<: 1\n", "map merge requires" },
                { "\ta: 1\n", "yaml: found character that cannot start any token" },
                { "a: !!binary '*'\n", "invalid base64" } };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct arena a;
        struct err e = { 0 };
        const struct json *j;
        arena_init(&a);
        int rc = yaml_parse(&a, str_from(bad[i].text), &j, &e);
        if (rc != -ERR_PARSE || strstr(e.msg, bad[i].error) == NULL)
            fail_msg("%s: rc %d, %s", bad[i].text, rc, e.msg);
        arena_deinit(&a);
    }
}

static void documents(void **state)
{
    (void)state;
    struct arena a;
    struct err e = { 0 };
    const struct json **all;
    size_t count;
    arena_init(&a);
    assert_int_equal(
        yaml_parse_all(&a, str_lit("a: 1\n---\n---\n- 2\n...\n# end\n"), &all, &count, &e), 0);
    assert_int_equal(count, 2);
    assert_int_equal(all[0]->type, JSON_OBJECT);
    assert_int_equal(all[1]->type, JSON_ARRAY);
    arena_deinit(&a);
}

static void bodies_tell_duplicates(void **state)
{
    (void)state;
    static const char text[] = "spec:\n"
                               "  b: 1\n"
                               "  a: {x: 1, x: 2}\n"
                               "  b: 2\n"
                               "  a:\n"
                               "    z: 3\n"
                               "    z: 4\n"
                               "1: a\n"
                               "1: b\n"
                               "kind: \"q\\\"\"\n"
                               "\"q\\\"\": 5\n"
                               "\"q\\\"\": 6\n";
    static const char *const want[] = {
        "line 3: key \"x\" already set in map", "line 4: key \"b\" already set in map",
        "line 7: key \"z\" already set in map", "line 6: key \"a\" already set in map",
        "line 9: key 1 already set in map",     "line 12: key \"q\\\"\" already set in map"
    };
    struct arena a;
    struct err e = { 0 };
    struct yaml_duplicates d;
    const struct json *j;
    struct buf b;
    arena_init(&a);
    buf_init(&b);
    if (yaml_parse_body(&a, str_lit(text), &j, &d, &e) != 0)
        fail_msg("%s", e.msg);
    json_write(&b, j, false);
    buf_append_byte(&b, 0);
    assert_string_equal((char *)b.data, "{\"1\":\"b\",\"kind\":\"q\\\"\",\"q\\\"\":6,"
                                        "\"spec\":{\"a\":{\"z\":4},\"b\":2}}");
    assert_int_equal(d.count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(d.texts[i], want[i]);
    assert_int_equal(yaml_parse_body(&a, (struct str){ 0 }, &j, &d, &e), 0); /* no bytes at all */
    assert_int_equal(j->type, JSON_NULL);
    assert_int_equal(yaml_parse_body(&a, str_lit("b: 1\na: 2\n"), &j, &d, &e), 0);
    assert_int_equal(d.count, 0);
    buf_deinit(&b);
    arena_deinit(&a);
}

static void laughs_are_bounded(void **state)
{
    (void)state;
    struct arena a;
    struct buf b;
    struct err e = { 0 };
    const struct json *j;
    arena_init(&a);
    buf_init(&b);
    buf_append_c(&b, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 9; i++) {
        buf_printf(&b, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            buf_printf(&b, "%s*a%d", k == 0 ? "" : ",", i - 1);
        buf_append_c(&b, "]\n");
    }
    assert_int_equal(yaml_parse(&a, buf_str(&b), &j, &e), -ERR_LIMIT);
    buf_clear(&b);
    for (int i = 0; i < 1000; i++)
        buf_append_byte(&b, '[');
    assert_int_equal(yaml_parse(&a, buf_str(&b), &j, &e), -ERR_LIMIT);
    buf_deinit(&b);
    arena_deinit(&a);
}

/* Whoever writes the tree copies what aliases stand for. */
static void aliased_bytes_are_bounded(void **state)
{
    struct arena a;
    struct buf b;
    struct err e = { 0 };
    const struct json *j;
    (void)state;
    for (size_t times = 8; times <= 9; times++) { /* of 1 MiB less one, twice each */
        arena_init(&a);
        buf_init(&b);
        buf_append_c(&b, "a: &a [");
        for (size_t i = 0; i < (1u << 19) - 1; i++)
            buf_append_byte(&b, 'x');
        buf_append_c(&b, "]\nb: &b [*a]\nc: [*a");
        for (size_t i = 1; i < times; i++)
            buf_append_c(&b, ",*b,*a");
        buf_append_c(&b, "]\n");
        int rc = yaml_parse(&a, buf_str(&b), &j, &e);
        assert_int_equal(rc, times == 8 ? 0 : -ERR_LIMIT);
        buf_deinit(&b);
        arena_deinit(&a);
    }
    assert_non_null(strstr(e.msg, "excessive aliasing"));
}

/* Each of these took half a minute or more. */
static void no_square_of_a_body(void **state)
{
    struct arena a;
    struct buf b;
    struct err e = { 0 };
    const struct json *j;
    (void)state;
    arena_init(&a);
    buf_init(&b);
    for (int map = 0; map < 2; map++) {
        buf_append_c(&b, map == 0 ? "a: &a\n" : "b:\n");
        for (size_t i = 0; i < 60000; i++)
            buf_printf(&b, " k%05zu: 1\n", i);
    }
    buf_append_c(&b, " <<: *a\n");
    assert_int_equal(yaml_parse(&a, buf_str(&b), &j, &e), 0);
    assert_int_equal(json_get_c(j, "b")->count, 60000);
    buf_clear(&b);
    for (size_t i = 0; i < 200000; i++)
        buf_printf(&b, "%%TAG !a%zu! x\n", i);
    assert_int_equal(yaml_parse(&a, buf_str(&b), &j, &e), -ERR_LIMIT);
    assert_string_equal(e.msg, "yaml: more than 32 directives");
    buf_deinit(&b);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(shapes),
                                        cmocka_unit_test(refusals),
                                        cmocka_unit_test(documents),
                                        cmocka_unit_test(bodies_tell_duplicates),
                                        cmocka_unit_test(laughs_are_bounded),
                                        cmocka_unit_test(aliased_bytes_are_bounded),
                                        cmocka_unit_test(no_square_of_a_body) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
