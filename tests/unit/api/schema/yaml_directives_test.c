/* Directives are counted before libyaml has them. */
#include <string.h>

#include "api/schema/yaml.h"
#include "api/schema/yaml_directives.h"
#include "base/arena.h"
#include "base/buf.h"
#include "tests/unit/unit.h"

/* begin, so many units, end. */
static bool many(const char *begin, const char *unit, size_t count, const char *end)
{
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, begin);
    for (size_t i = 0; i < count; i++)
        buf_append_c(&b, unit);
    buf_append_c(&b, end);
    bool found = yaml_has_many_directives(buf_str(&b));
    buf_deinit(&b);
    return found;
}

static void test_counts(void **state)
{
    /* Every line's end that libyaml knows, and what may stand between. */
    static const char *const lines[] = { "%A b\n",          "%A\r\n",        "%A\r",
                                         "%\xc2\x85",       "%\xe2\x80\xa8", "%A\n\n",
                                         "%\n\xc2\x85",     "%A\n# %\n",     "%A\n  \n",
                                         "\xef\xbb\xbf%A\n" };
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_false(many("", lines[i], YAML_DIRECTIVES_MAX, "---\na: 1\n"));
        assert_true(many("", lines[i], YAML_DIRECTIVES_MAX + 1, "---\na: 1\n"));
        assert_true(many("a: 1\n...\n", lines[i], YAML_DIRECTIVES_MAX + 1, ""));
    }
    assert_false(many("", "%A b\n---\n", 100, ""));
    assert_false(many("", " %A\n", 100, ""));
    assert_false(many("a: b", " % c", 100, ""));
    assert_false(yaml_has_many_directives((struct str){ 0 }));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_counts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
