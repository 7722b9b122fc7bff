/* What was seen, since when: looks at a few names, one after the other. */
#include "controllers/runtime/memory.h"
#include "tests/unit/unit.h"

static const struct look {
    const char *name; /* NULL: forget "a" */
    uint64_t value;
    uint64_t now_ns;
    uint64_t want_ns;
} looks[] = {
    { "a", 7, 1000, 0 },                                               /* the first */
    { "a", 7, 1000, 0 },   { "a", 7, 1500, 500 }, { "b", 7, 1600, 0 }, /* another name knows nothing
                                                                          of it */
    { "a", 7, 1700, 700 }, { "a", 3, 1800, 0 }, /* lower is as much of a change as higher */
    { "a", 7, 1900, 0 },                        /* what was before is not remembered */
    { "b", 7, 2000, 400 }, { NULL, 0, 0, 0 },     { "a", 7, 2100, 0 }, { "b", 7, 2100, 500 },
};

static void test_looks(void **state)
{
    struct memory m;

    (void)state; /* no shared fixture */
    memory_init(&m);
    memory_forget(&m, str_lit("a")); /* never seen */
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        const struct look *l = &looks[i];

        if (l->name == NULL)
            memory_forget(&m, str_lit("a"));
        else
            assert_int_equal(memory_unchanged_ns(&m, str_from(l->name), l->value, l->now_ns),
                             l->want_ns);
    }
    memory_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_looks) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
