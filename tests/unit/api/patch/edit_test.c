/* Editing in place behind owned marks: the source stays as it was. */
#include "api/patch/edit.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

static void assert_text(const struct json *j, const char *want)
{
    struct buf b;
    buf_init(&b);
    json_write(&b, j, false);
    buf_append_byte(&b, 0);
    assert_string_equal((char *)b.data, want);
    buf_deinit(&b);
}

static void edits_leave_the_source_alone(void **state)
{
    (void)state;
    struct arena a;
    struct err e = { 0 };
    const struct json *source;
    const char *text = "{\"a\":[1,2],\"b\":{\"c\":3}}";
    arena_init(&a);
    assert_int_equal(json_parse(&a, str_from(text), &source, &e), 0);
    struct json root = *source;
    edit_insert(&a, edit_member(&a, &root, str_lit("a")), 1, json_int(9));
    edit_erase(&a, edit_member(&a, &root, str_lit("a")), 0);
    edit_put(&a, edit_member(&a, &root, str_lit("b")), str_lit("c"), json_bool(true));
    for (int i = 0; i < 20; i++)
        edit_insert(&a, edit_member(&a, &root, str_lit("a")), 0, json_null);
    for (int i = 0; i < 20; i++)
        edit_erase(&a, edit_member(&a, &root, str_lit("a")), 0);
    edit_put(&a, &root, str_lit("d"), json_int(4));
    assert_true(edit_drop(&a, &root, str_lit("d")));
    assert_false(edit_drop(&a, &root, str_lit("d")));
    assert_null(edit_member(&a, &root, str_lit("x")));
    edit_finish(&root);
    assert_text(&root, "{\"a\":[9,2],\"b\":{\"c\":true}}");
    assert_text(source, text);
    assert_int_equal(root.owned, 0);
    assert_int_equal(root.u.members[0].value.owned, 0);
    arena_deinit(&a);
}

static void copies_and_depth(void **state)
{
    (void)state;
    struct arena a;
    struct err e = { 0 };
    const struct json *source;
    size_t bytes = 0;
    uint64_t visited = 0;
    arena_init(&a);
    assert_int_equal(json_parse(&a, str_lit("{\"a\":[[\"xyz\"]],\"b\":1}"), &source, &e), 0);
    struct json copy = edit_copy(&a, source, &bytes);
    assert_true(bytes > 3);
    assert_true(json_equal(&copy, source));
    assert_int_equal(edit_depth(source, &visited), 3);
    assert_int_equal(edit_depth(&json_null, &visited), 0);
    assert_int_equal(visited, 4);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(edits_leave_the_source_alone),
                                        cmocka_unit_test(copies_and_depth) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
