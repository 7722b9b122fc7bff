/* The order of a field. */
#include "api/schema/json.h"
#include "base/arena.h"
#include "cli/sort.h"
#include "tests/unit/unit.h"

static const char *sorted(struct arena *a, const char *array, const char *field)
{
    const struct json *j;
    const struct json *objects[64];
    struct str out = str_lit("");
    struct err e;
    size_t *order;
    assert_int_equal(json_parse(a, str_from(array), &j, NULL), 0);
    for (uint32_t i = 0; i < j->count; i++)
        objects[i] = &j->u.items[i];
    if (sort_by(a, str_from(field), objects, j->count, &order, &e) != 0)
        return str_dup(a, str_from(e.msg));
    for (uint32_t i = 0; i < j->count; i++)
        out = str_printf(a, "%.*s%zu", STR_ARG(out), order[i]);
    return out.data;
}

static void test_orders(void **state)
{
    static const struct {
        const char *array;
        const char *field;
        const char *out;
    } cases[] = {
        { "[]", "a", "" },
        { "[{\"a\":\"b\"},{\"a\":\"a\"},{\"a\":\"c\"}]", ".a", "102" },
        { "[{\"a\":10},{\"a\":9},{\"a\":9.5}]", "{.a}", "120" },
        { "[{\"a\":\"1Gi\"},{\"a\":\"200Mi\"},{\"a\":\"1k\"}]", "a", "210" },
        { "[{\"a\":1},{\"b\":1},{\"a\":0}]", "a", "120" },
        { "[{\"a\":1},{\"a\":null}]", "a", "10" },
        { "[{\"a\":1}]", "b", "couldn't find any field with path \"{.b}\" in the list of objects" },
        { "[{\"a\":{}},{\"a\":{}}]", "a", "the field {.a} is not one that can be sorted by" },
        { "[{\"a\":1}]", "{.a", "sorting error: unclosed action" },
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(sorted(&a, cases[i].array, cases[i].field), cases[i].out);
    arena_deinit(&a);
}

/* More than are sorted by insertion. */
static void test_many(void **state)
{
    struct arena a;
    struct str array = str_lit("");
    (void)state;
    arena_init(&a);
    for (int i = 0; i < 20; i++)
        array = str_printf(&a, "%.*s%s{\"a\":%d}", STR_ARG(array), i > 0 ? "," : "", 20 - i);
    array = str_printf(&a, "[%.*s]", STR_ARG(array));
    assert_string_equal(sorted(&a, array.data, "a"), "191817161514131211109876543210");
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_orders),
                                        cmocka_unit_test(test_many) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
