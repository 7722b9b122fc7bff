/* Unified diffs as difflib makes them; the texts are Python's. */
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/resources/line_diff.h"
#include "tests/unit/unit.h"

#define STEPS (1u << 20)

static const struct {
    const char *from;
    const char *to;
    const char *difference;
} cases[] = {
    { "a", "a", "" },
    { "a", "b",
      "@@ -1 +1 @@\n"
      "-a\n"
      "+b\n" },
    { "a\nb", "a",
      "@@ -1,2 +1 @@\n"
      " a\n"
      "-b\n" },
    { "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\nn\no\np",
      "a\nB\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\nn\no\nP",
      "@@ -1,5 +1,5 @@\n"
      " a\n"
      "-b\n"
      "+B\n"
      " c\n"
      " d\n"
      " e\n"
      "@@ -13,4 +13,4 @@\n"
      " m\n"
      " n\n"
      " o\n"
      "-p\n"
      "+P\n" },
    { "a\nb\nc\nd\ne\nf\ng\nh", "A\nb\nc\nd\ne\nf\ng\nH",
      "@@ -1,8 +1,8 @@\n"
      "-a\n"
      "+A\n"
      " b\n"
      " c\n"
      " d\n"
      " e\n"
      " f\n"
      " g\n"
      "-h\n"
      "+H\n" },
    { "a\nb", "a\nc\na\nb",
      "@@ -1,2 +1,4 @@\n"
      "+a\n"
      "+c\n"
      " a\n"
      " b\n" },
    { "x\nq\nw\nx", "q\nx\nw\nq\nx",
      "@@ -1,4 +1,5 @@\n"
      "+q\n"
      " x\n"
      "+w\n"
      " q\n"
      "-w\n"
      " x\n" },
    { "1\n2\n3\n4\n5\n6\n7\n8\n9", "1\n2\n3\n4\n4b\n5\n6\n7\n8\n9",
      "@@ -2,6 +2,7 @@\n"
      " 2\n"
      " 3\n"
      " 4\n"
      "+4b\n"
      " 5\n"
      " 6\n"
      " 7\n" },
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena a;
        struct buf out;
        size_t steps = STEPS;
        arena_init(&a);
        buf_init(&out);
        assert_true(line_diff(&a, &out, str_from(cases[i].from), str_from(cases[i].to), &steps));
        assert_string_equal(str_dup(&a, buf_str(&out)), cases[i].difference);
        assert_true(steps < STEPS);
        buf_deinit(&out);
        arena_deinit(&a);
    }
}

/* count lines "0", "1", ... again from 0 after `every`. */
static struct str numbers(struct arena *a, size_t count, size_t every, size_t factor)
{
    struct buf b;
    buf_init(&b);
    for (size_t i = 0; i < count; i++)
        buf_printf(&b, "%s%zu", i > 0 ? "\n" : "", i * factor % every);
    struct str text = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

/* Lines that come too often begin no block, but are no difference beside one. */
static void test_popular(void **state)
{
    struct arena a;
    struct buf out;
    size_t steps = STEPS;
    (void)state;
    arena_init(&a);
    buf_init(&out);
    struct str same = numbers(&a, 300, 4, 1);
    struct str with = str_printf(&a, "%.*s\nx", STR_ARG(same));
    assert_true(line_diff(&a, &out, same, with, &steps));
    assert_string_equal(str_dup(&a, buf_str(&out)), "@@ -298,3 +298,4 @@\n 1\n 2\n 3\n+x\n");
    buf_deinit(&out);
    arena_deinit(&a);
}

static void test_steps(void **state)
{
    struct arena a;
    struct buf out;
    size_t steps = STEPS;
    (void)state;
    arena_init(&a);
    buf_init(&out);
    assert_false(
        line_diff(&a, &out, numbers(&a, 20000, 3000, 1), numbers(&a, 20000, 3000, 7), &steps));
    assert_int_equal(out.len, 0);
    steps = 3;
    assert_false(line_diff(&a, &out, numbers(&a, 2, 2, 1), numbers(&a, 2, 2, 1), &steps));
    buf_deinit(&out);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases),
                                        cmocka_unit_test(test_popular),
                                        cmocka_unit_test(test_steps) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
