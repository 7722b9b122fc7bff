/* Cells in columns, as Go's tabwriter puts them. */
#include "base/buf.h"
#include "cli/tabs.h"
#include "tests/unit/unit.h"

static void test_layouts(void **state)
{
    static const struct {
        const char *text;
        const char *table;
        const char *describe;
    } cases[] = {
        { "", "", "" },
        { "a", "a", "a" },
        { "a\tb\n", "a     b\n", "a  b\n" },
        { "a\tb\nlonger\tc\n", "a        b\nlonger   c\n", "a       b\nlonger  c\n" },
        { "a\tb\n\nlonger\tc\n", "a     b\n\nlonger   c\n", "a  b\n\nlonger  c\n" },
        { "a\tb\tc\nlonger\td\n", "a        b     c\nlonger   d\n", "a       b  c\nlonger  d\n" },
        { "\xc3\xa9\tb\n\x1b[1mx\x1b[0m\tc\n", "\xc3\xa9     b\n\x1b[1mx\x1b[0m     c\n",
          "\xc3\xa9  b\n\x1b[1mx\x1b[0m  c\n" },
        { "a\t\n", "a     \n", "a  \n" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tabs table = tabs_table();
        struct tabs describe = tabs_describe();
        struct buf out;
        buf_init(&out);
        tabs_write(&table, str_from(cases[i].text), &out);
        assert_true(str_eq_c(buf_str(&out), cases[i].table));
        buf_clear(&out);
        tabs_write(&describe, str_from(cases[i].text), &out);
        assert_true(str_eq_c(buf_str(&out), cases[i].describe));
        buf_deinit(&out);
    }
}

/* A table that goes on is never narrower than it was; more columns than fit are still there. */
static void test_remembers(void **state)
{
    struct tabs table = tabs_table();
    struct buf out;
    struct buf wide;
    (void)state;
    buf_init(&out);
    buf_init(&wide);
    tabs_write(&table, str_lit("a-long-one\tb\n"), &out);
    tabs_write(&table, str_lit("c\td\n"), &out);
    assert_true(str_eq_c(buf_str(&out), "a-long-one   b\nc            d\n"));
    buf_clear(&out);
    for (int i = 0; i < 2 * TABS_COLUMNS_MAX; i++)
        buf_append_c(&wide, "x\t");
    tabs_write(&table, buf_str(&wide), &out);
    assert_true(out.len >= 2 * TABS_COLUMNS_MAX);
    buf_deinit(&out);
    buf_deinit(&wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_layouts),
                                        cmocka_unit_test(test_remembers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
