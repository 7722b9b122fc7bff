/* RFC 6902: the appendix's examples, where upstream's library has it otherwise, errors, limits. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/api/patch/patch_cases.h"

static const struct patch_case cases[] = {
    { .name = "add member",
      .object = "{\"foo\":\"bar\"}",
      .patch = "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
      .want = "{\"foo\":\"bar\",\"baz\":\"qux\"}" },
    { .name = "add element",
      .object = "{\"foo\":[\"bar\",\"baz\"]}",
      .patch = "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
      .want = "{\"foo\":[\"bar\",\"qux\",\"baz\"]}" },
    { .name = "append element",
      .object = "{\"foo\":[1]}",
      .patch = "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":2},"
               "{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":3}]",
      .want = "{\"foo\":[1,2,3]}" },
    { .name = "add replaces",
      .object = "{\"foo\":1}",
      .patch = "[{\"op\":\"add\",\"path\":\"/foo\",\"value\":[]}]",
      .want = "{\"foo\":[]}" },
    { .name = "remove",
      .object = "{\"foo\":[\"bar\",\"qux\",\"baz\"],\"a\":1}",
      .patch = "[{\"op\":\"remove\",\"path\":\"/foo/1\"},{\"op\":\"remove\",\"path\":\"/a\"}]",
      .want = "{\"foo\":[\"bar\",\"baz\"]}" },
    { .name = "replace",
      .object = "{\"baz\":\"qux\",\"foo\":{\"a\":1}}",
      .patch = "[{\"op\":\"replace\",\"path\":\"/foo/a\",\"value\":2}]",
      .want = "{\"baz\":\"qux\",\"foo\":{\"a\":2}}" },
    { .name = "move",
      .object = "{\"foo\":{\"bar\":1,\"waldo\":2},\"qux\":{\"corge\":3}}",
      .patch = "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
      .want = "{\"foo\":{\"bar\":1},\"qux\":{\"corge\":3,\"thud\":2}}" },
    { .name = "move element",
      .object = "{\"foo\":[1,2,3,4]}",
      .patch = "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
      .want = "{\"foo\":[1,3,4,2]}" },
    { .name = "copy shares nothing",
      .object = "{\"a\":{\"x\":1}}",
      .patch = "[{\"op\":\"add\",\"path\":\"/a/y\",\"value\":2},"
               "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"},"
               "{\"op\":\"add\",\"path\":\"/a/z\",\"value\":3},"
               "{\"op\":\"remove\",\"path\":\"/b/x\"}]",
      .want = "{\"a\":{\"x\":1,\"y\":2,\"z\":3},\"b\":{\"y\":2}}" },
    { .name = "test passes",
      .object = "{\"baz\":\"qux\",\"foo\":[\"a\",2,{\"c\":1.0,\"d\":null}]}",
      .patch = "[{\"op\":\"test\",\"path\":\"/foo\",\"value\":[\"a\",2,{\"d\":null,\"c\":1}]}]",
      .want = "{\"baz\":\"qux\",\"foo\":[\"a\",2,{\"c\":1.0,\"d\":null}]}" },
    { .name = "escapes",
      .object = "{\"a/b\":1,\"m~n\":2}",
      .patch = "[{\"op\":\"replace\",\"path\":\"/a~1b\",\"value\":3},"
               "{\"op\":\"replace\",\"path\":\"/m~0n\",\"value\":4}]",
      .want = "{\"a/b\":3,\"m~n\":4}" },
    { .name = "whole document",
      .object = "{\"a\":1}",
      .patch = "[{\"op\":\"replace\",\"path\":\"\",\"value\":{\"b\":2}}]",
      .want = "{\"b\":2}" },
    { .name = "nothing", .object = "{}", .patch = "[]", .want = "{}" },
    { .name = "test fails",
      .object = "{\"a\":1}",
      .patch = "[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]",
      .error = ERR_INVALID,
      .message = "testing value /a failed" },
    { .name = "no such parent",
      .object = "{\"a\":1}",
      .patch = "[{\"op\":\"add\",\"path\":\"/b/c\",\"value\":2}]",
      .error = ERR_INVALID,
      .message = "doc is missing path: \"/b/c\"" },
    { .name = "no such member",
      .object = "{\"a\":1}",
      .patch = "[{\"op\":\"remove\",\"path\":\"/b\"}]",
      .error = ERR_INVALID,
      .message = "nonexistent key: b" },
    { .name = "index out of range",
      .object = "{\"a\":[]}",
      .patch = "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":2}]",
      .error = ERR_INVALID,
      .message = "invalid index: 1" },
    { .name = "an index with a sign or leading zeros",
      .object = "{\"a\":[1,2,3]}",
      .patch = "[{\"op\":\"remove\",\"path\":\"/a/01\"},{\"op\":\"add\",\"path\":\"/a/+1\","
               "\"value\":9},{\"op\":\"test\",\"path\":\"/a/-0\",\"value\":1}]",
      .want = "{\"a\":[1,9,3]}" },
    { .name = "an index of no number's size",
      .object = "{\"a\":[1]}",
      .patch = "[{\"op\":\"remove\",\"path\":\"/a/99999999999999999999\"}]",
      .error = ERR_INVALID,
      .message = "error in remove for path: '/a/99999999999999999999': strconv.Atoi: parsing "
                 "\"99999999999999999999\": value out of range" },
    { .name = "into itself",
      .object = "{\"a\":{\"b\":1}}",
      .patch = "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]",
      .error = ERR_INVALID,
      .message = "move operation does not apply: doc is missing destination path: /a/b" },
    { .name = "where it was",
      .object = "{\"a\":{\"b\":1},\"c\":[1,2]}",
      .patch = "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"},"
               "{\"op\":\"move\",\"from\":\"/c/1\",\"path\":\"/c/1\"}]",
      .want = "{\"c\":[1,2],\"a\":{\"b\":1}}" },
    { .name = "unknown operation",
      .object = "{}",
      .patch = "[{\"op\":\"swap\",\"path\":\"/a\"}]",
      .error = ERR_INVALID,
      .message = "Unexpected kind: swap" },
    { .name = "no operation",
      .object = "{}",
      .patch = "[{\"path\":\"/a\"}]",
      .error = ERR_INVALID,
      .message = "Unexpected kind: unknown" },
    { .name = "null for an operation",
      .object = "{}",
      .patch = "[null]",
      .error = ERR_INVALID,
      .message = "Unexpected kind: unknown" },
    { .name = "no value is null",
      .object = "{\"b\":1}",
      .patch = "[{\"op\":\"add\",\"path\":\"/a\"},{\"op\":\"replace\",\"path\":\"/b\"},"
               "{\"op\":\"test\",\"path\":\"/c\"}]",
      .want = "{\"b\":null,\"a\":null}" },
    { .name = "no path",
      .object = "{}",
      .patch = "[{\"op\":\"add\",\"value\":1}]",
      .error = ERR_INVALID,
      .message = "add operation failed to decode path: missing value" },
    { .name = "a pointer without a slash",
      .object = "{\"a\":1}",
      .patch = "[{\"op\":\"remove\",\"path\":\"a\"}]",
      .error = ERR_INVALID,
      .message = "remove operation does not apply: doc is missing path: \"a\": missing value" },
    { .name = "what lies before the first slash",
      .object = "{\"a\":1,\"b\":2}",
      .patch = "[{\"op\":\"remove\",\"path\":\"x/a\"}]",
      .want = "{\"b\":2}" },
    { .name = "a tilde that escapes nothing",
      .object = "{\"~2\":1,\"a~\":2,\"~~1\":3}",
      .patch = "[{\"op\":\"remove\",\"path\":\"/~2\"},{\"op\":\"remove\",\"path\":\"/a~\"},"
               "{\"op\":\"remove\",\"path\":\"/~0~01\"}]",
      .want = "{}" },
    { .name = "adding the whole document",
      .object = "{}",
      .patch = "[{\"op\":\"add\",\"path\":\"\",\"value\":{}}]",
      .error = ERR_INVALID,
      .message = "add operation does not apply: doc is missing path: \"\": missing value" },
    { .name = "a scalar for the whole document",
      .object = "{}",
      .patch = "[{\"op\":\"replace\",\"path\":\"\",\"value\":1}]",
      .error = ERR_INVALID,
      .message = "replace operation value must be object or array" },
    { .name = "a negative index counts from the end",
      .object = "{\"a\":[1,2,3]}",
      .patch = "[{\"op\":\"remove\",\"path\":\"/a/-1\"},{\"op\":\"replace\",\"path\":\"/a/"
               "-2\",\"value\":9},{\"op\":\"add\",\"path\":\"/a/-1\",\"value\":7}]",
      .want = "{\"a\":[9,2,7]}" },
    { .name = "append, and before the first",
      .object = "{\"a\":[1]}",
      .patch = "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":2},{\"op\":\"add\",\"path\":\"/a/"
               "0\",\"value\":0},{\"op\":\"add\",\"path\":\"/a/3\",\"value\":3}]",
      .want = "{\"a\":[0,1,2,3]}" },
    { .name = "an empty key",
      .object = "{\"\":{\"\":1}}",
      .patch = "[{\"op\":\"replace\",\"path\":\"//\",\"value\":2},{\"op\":\"test\",\"path\":\"//"
               "\",\"value\":2}]",
      .want = "{\"\":{\"\":2}}" },
    { .name = "null is a value",
      .object = "{\"a\":1}",
      .patch = "[{\"op\":\"add\",\"path\":\"/b\",\"value\":null},{\"op\":\"replace\",\"path\":\"/"
               "a\",\"value\":null}]",
      .want = "{\"a\":null,\"b\":null}" },
    { .name = "a test of what is not there is null",
      .object = "{\"a\":{}}",
      .patch = "[{\"op\":\"test\",\"path\":\"/a/b\",\"value\":null}]",
      .want = "{\"a\":{}}" },
    { .name = "numbers are equal by value",
      .object = "{\"a\":1.0}",
      .patch = "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1}]",
      .want = "{\"a\":1.0}" },
    { .name = "move within an array",
      .object = "{\"a\":[1,2,3]}",
      .patch = "[{\"op\":\"move\",\"from\":\"/a/0\",\"path\":\"/a/2\"}]",
      .want = "{\"a\":[2,3,1]}" },
    { .name = "copy is a copy",
      .object = "{\"a\":{\"b\":1}}",
      .patch = "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/c\"},{\"op\":\"add\",\"path\":\"/c/"
               "b\",\"value\":2}]",
      .want = "{\"a\":{\"b\":1},\"c\":{\"b\":2}}" },
    { .name = "all or nothing",
      .object = "{\"a\":1}",
      .patch = "[{\"op\":\"remove\",\"path\":\"/a\"},{\"op\":\"remove\",\"path\":\"/a\"}]",
      .error = ERR_INVALID,
      .message =
          "error in remove for path: '/a': Unable to remove nonexistent key: a: missing value" },
    { .name = "remove without parent",
      .object = "{\"a\":1}",
      .patch = "[{\"op\":\"remove\",\"path\":\"/b/c\"}]",
      .error = ERR_INVALID,
      .message = "remove operation does not apply: doc is missing path: \"/b/c\": missing value" },
    { .name = "add below a scalar",
      .object = "{\"a\":1}",
      .patch = "[{\"op\":\"add\",\"path\":\"/a/b\",\"value\":2}]",
      .error = ERR_INVALID,
      .message = "add operation does not apply: doc is missing path: \"/a/b\": missing value" },
    { .name = "replace without parent",
      .object = "{\"a\":1}",
      .patch = "[{\"op\":\"replace\",\"path\":\"/b/c\",\"value\":1}]",
      .error = ERR_INVALID,
      .message = "replace operation does not apply: doc is missing path: /b/c: missing value" },
    { .name = "replace of what is not there",
      .object = "{\"a\":1}",
      .patch = "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":1}]",
      .want = "{\"a\":1,\"b\":1}" },
    { .name = "copy of what is not there",
      .object = "{\"a\":1}",
      .patch = "[{\"op\":\"copy\",\"from\":\"/b\",\"path\":\"/c\"}]",
      .want = "{\"a\":1,\"c\":null}" },
    { .name = "copy from beyond the end",
      .object = "{\"a\":[1]}",
      .patch = "[{\"op\":\"copy\",\"from\":\"/a/1\",\"path\":\"/c\"}]",
      .error = ERR_INVALID,
      .message = "error in copy for from: '/a/1': Unable to access invalid index: 1" },
    { .name = "copy to no index",
      .object = "{\"a\":[1]}",
      .patch = "[{\"op\":\"copy\",\"from\":\"/a/0\",\"path\":\"/a/b\"}]",
      .error = ERR_INVALID,
      .message = "error while adding value during copy: value was not a proper array index: 'b'" },
    { .name = "test beyond the end",
      .object = "{\"a\":[1]}",
      .patch = "[{\"op\":\"test\",\"path\":\"/a/1\",\"value\":null}]",
      .error = ERR_INVALID,
      .message = "error in test for path: '/a/1': Unable to access invalid index: 1" },
    { .name = "replace beyond the end",
      .object = "{\"a\":[1]}",
      .patch = "[{\"op\":\"replace\",\"path\":\"/a/1\",\"value\":1}]",
      .error = ERR_INVALID,
      .message = "replace operation does not apply: doc is missing key: /a/1: missing value" },
    { .name = "no index",
      .object = "{\"a\":[1]}",
      .patch = "[{\"op\":\"add\",\"path\":\"/a/b\",\"value\":1}]",
      .error = ERR_INVALID,
      .message = "error in add for path: '/a/b': value was not a proper array index: 'b': "
                 "strconv.Atoi: parsing \"b\": invalid syntax" },
    { .name = "index too large",
      .object = "{\"a\":[1]}",
      .patch = "[{\"op\":\"add\",\"path\":\"/a/3\",\"value\":1}]",
      .error = ERR_INVALID,
      .message = "error in add for path: '/a/3': Unable to access invalid index: 3: invalid index "
                 "referenced" },
    { .name = "index too small",
      .object = "{\"a\":[1]}",
      .patch = "[{\"op\":\"remove\",\"path\":\"/a/-2\"}]",
      .error = ERR_INVALID,
      .message = "error in remove for path: '/a/-2': Unable to access invalid index: -2: invalid "
                 "index referenced" },
    { .name = "move from nowhere",
      .object = "{}",
      .patch = "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b\"}]",
      .error = ERR_INVALID,
      .message =
          "error in move for path: 'a': Unable to remove nonexistent key: a: missing value" },
    { .name = "move from below nothing",
      .object = "{}",
      .patch = "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/b\"}]",
      .error = ERR_INVALID,
      .message = "move operation does not apply: doc is missing from path: /a/b: missing value" },
    { .name = "copy to nowhere",
      .object = "{\"a\":1}",
      .patch = "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b/c\"}]",
      .error = ERR_INVALID,
      .message =
          "copy operation does not apply: doc is missing destination path: /b/c: missing value" },
    { .name = "test without parent",
      .object = "{}",
      .patch = "[{\"op\":\"test\",\"path\":\"/a/b\",\"value\":null}]",
      .error = ERR_INVALID,
      .message = "test operation does not apply: is missing path: /a/b: missing value" },
    { .name = "no list",
      .object = "{}",
      .patch = "{}",
      .error = ERR_INVALID_ARGUMENT,
      .message = "array of operations" }
};

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        run_patch_case(&cases[i], patch_json);
}

static void repeat(struct buf *b, const char *operation, size_t times)
{
    buf_append_byte(b, '[');
    for (size_t i = 0; i < times; i++)
        buf_printf(b, "%s%s", i == 0 ? "" : ",", operation);
    buf_append_byte(b, ']');
}

static void run_repeated(const char *object, const char *operation, size_t times, int error)
{
    struct arena a;
    struct buf text;
    struct err e = { 0 };
    const struct json *target;
    const struct json *patch;
    const struct json *out;
    arena_init(&a);
    buf_init(&text);
    repeat(&text, operation, times);
    assert_int_equal(json_parse(&a, str_from(object), &target, &e), 0);
    assert_int_equal(json_parse(&a, buf_str(&text), &patch, &e), 0);
    assert_int_equal(patch_json(&a, target, patch, &out, &e), -error);
    buf_deinit(&text);
    arena_deinit(&a);
}

static void limits(void **state)
{
    (void)state;
    const char *append = "{\"op\":\"add\",\"path\":\"/a/-\",\"value\":1}";
    const char *doubling = "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/-\"}";
    run_repeated("{\"a\":[]}", append, PATCH_OPERATIONS_MAX, 0);
    run_repeated("{\"a\":[]}", append, PATCH_OPERATIONS_MAX + 1, ERR_TOO_LARGE);
    run_repeated("{\"a\":[1]}", doubling, 40, ERR_INVALID);
    run_repeated("{\"a\":[{\"a\":1}]}", "{\"op\":\"replace\",\"path\":\"/a/0/a\",\"value\":[]}", 3,
                 0);
}

/* {"a":[1,1,...],"b":{"m0":1,...,"z":{"d":1}}} */
static const char *huge(struct arena *a, size_t items, size_t members)
{
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, "{\"a\":[1");
    for (size_t i = 1; i < items; i++)
        buf_append_c(&b, ",1");
    buf_append_c(&b, "],\"b\":{");
    for (size_t i = 0; i < members; i++)
        buf_printf(&b, "\"m%zu\":1,", i);
    buf_append_c(&b, "\"z\":{\"d\":1}}}");
    const char *text = str_dup(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

/* Ten thousand operations are fine, and huge objects are; not the one on the other. */
static void work_is_bounded(void **state)
{
    static const char *const works[] = { "{\"op\":\"replace\",\"path\":\"/b/m0\",\"value\":1}",
                                         "{\"op\":\"test\",\"path\":\"/b/z/d\",\"value\":1}",
                                         "{\"op\":\"add\",\"path\":\"/a/0\",\"value\":1}",
                                         "{\"op\":\"remove\",\"path\":\"/a/0\"}",
                                         "{\"op\":\"move\",\"from\":\"/b\",\"path\":\"/b\"}" };
    struct arena a;
    (void)state;
    arena_init(&a);
    const char *object = huge(&a, 40000, 5000);
    for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
        run_repeated(object, works[i], 100, 0);
        run_repeated(object, works[i], PATCH_OPERATIONS_MAX - 1, ERR_TOO_LARGE);
    }
    run_repeated(huge(&a, 10000, 1000), works[0], PATCH_OPERATIONS_MAX, 0);
    run_repeated(huge(&a, 12000, 1000), works[3], PATCH_OPERATIONS_MAX, 0);
    arena_deinit(&a);
}

static void moves_cannot_nest_without_bound(void **state)
{
    (void)state;
    struct arena a;
    struct buf object;
    struct err e = { 0 };
    const struct json *target;
    const struct json *patch;
    const struct json *out;
    arena_init(&a);
    buf_init(&object);
    buf_append_c(&object, "{\"d\":");
    for (int i = 0; i < 100; i++)
        buf_append_c(&object, "{\"x\":");
    buf_append_c(&object, "1");
    for (int i = 0; i < 100; i++)
        buf_append_byte(&object, '}');
    buf_append_c(&object, ",\"e\":");
    for (int i = 0; i < 60; i++)
        buf_append_c(&object, "[");
    for (int i = 0; i < 60; i++)
        buf_append_byte(&object, ']');
    buf_append_byte(&object, '}');
    const char *move = "[{\"op\":\"move\",\"from\":\"/d\",\"path\":\"/e"
                       "/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/-\"}]";
    assert_int_equal(json_parse(&a, buf_str(&object), &target, &e), 0);
    assert_int_equal(json_parse(&a, str_from(move), &patch, &e), 0);
    assert_int_equal(patch_json(&a, target, patch, &out, &e), -ERR_INVALID);
    buf_deinit(&object);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(table), cmocka_unit_test(limits),
                                        cmocka_unit_test(work_is_bounded),
                                        cmocka_unit_test(moves_cannot_nest_without_bound) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
