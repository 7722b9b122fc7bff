/* Unified differences: hunks, their numbers, and texts that have little in common. */
#include <string.h>

#include "base/arena.h"
#include "cli/diff.h"
#include "tests/unit/unit.h"

static void test_texts(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        const char *out; /* without the heading */
    } cases[] = {
        { "a\nb\n", "a\nb\n", "" },
        { "", "a\n", "@@ -0,0 +1,1 @@\n+a\n" },
        { "a\n", "", "@@ -1,1 +0,0 @@\n-a\n" },
        { "a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n" },
        /* Three lines around; the fourth is left out. */
        { "1\n2\n3\n4\nx\n5\n6\n7\n8\n", "1\n2\n3\n4\n5\n6\n7\n8\n",
          "@@ -2,7 +2,6 @@\n 2\n 3\n 4\n-x\n 5\n 6\n 7\n" },
        /* Two that are near are one; two that are not are two. */
        { "a\n1\n2\n3\n4\n5\n6\nb\n", "1\n2\n3\n4\n5\n6\n",
          "@@ -1,8 +1,6 @@\n-a\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n" },
        { "a\n1\n2\n3\n4\n5\n6\n7\nb\n", "1\n2\n3\n4\n5\n6\n7\nc\n",
          "@@ -1,4 +1,3 @@\n-a\n 1\n 2\n 3\n@@ -6,4 +5,4 @@\n 5\n 6\n 7\n-b\n+c\n" },
        /* The smallest one. */
        { "a\nb\nc\nd\n", "b\nd\ne\n", "@@ -1,4 +1,3 @@\n-a\n b\n-c\n d\n+e\n" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        buf_init(&out);
        diff_unified(str_from(cases[i].a), str_from(cases[i].b), "old", "new", &out);
        struct str heading = str_lit("--- old\n+++ new\n");
        struct str text = buf_str(&out);
        if (cases[i].out[0] != '\0') {
            assert_true(str_starts(text, heading));
            text = str_slice(text, heading.len, text.len);
        }
        if (!str_eq_c(text, cases[i].out))
            fail_msg("%zu: %.*s", i, STR_ARG(text));
        buf_deinit(&out);
    }
}

/* Too large to look for the smallest: still right. */
static void test_large(void **state)
{
    struct buf a;
    struct buf b;
    struct buf out;
    (void)state;
    buf_init(&a);
    buf_init(&b);
    buf_init(&out);
    for (int i = 0; i <= DIFF_LINES_MAX; i++) {
        buf_printf(&a, "a%d\n", i);
        buf_printf(&b, "b%d\n", i);
    }
    diff_unified(buf_str(&a), buf_str(&b), "old", "new", &out);
    size_t lines = 0;
    for (size_t i = 0; i < out.len; i++)
        lines += out.data[i] == '\n';
    assert_int_equal(lines, 3 + 2 * (DIFF_LINES_MAX + 1));
    buf_deinit(&a);
    buf_deinit(&b);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_texts),
                                        cmocka_unit_test(test_large) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
