/* Maps of quantities: reading them, and filling what is missing. */
#include "api/proto/core.pb-c.h"
#include "controlplane/resources/quantities.h"
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

/* Defaults come from max, requests from defaults and then from min. */
static void test_missing(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    LimitRange *range = fixture_object(
        &f, KIND_LIMIT_RANGE,
        "{'metadata':{'name':'l'},'spec':{'limits':[{'type':'Container','max':{'cpu':'2'},'min':{"
        "'memory':'1Gi','cpu':'1'}},{'type':'Pod','max':{'cpu':'2'}}]}}");
    assert_string_equal(
        fixture_json(&f, KIND_LIMIT_RANGE, range),
        "{\"metadata\":{\"name\":\"l\"},\"spec\":{\"limits\":[{\"type\":\"Container\",\"max\":{"
        "\"cpu\":\"2\"},\"min\":{\"cpu\":\"1\",\"memory\":\"1Gi\"},\"default\":{\"cpu\":\"2\"},"
        "\"defaultRequest\":{\"cpu\":\"2\",\"memory\":\"1Gi\"}},{\"type\":\"Pod\",\"max\":{\"cpu\":"
        "\"2\"}}]}}");
    fixture_deinit(&f);
}

static void test_read(void **state)
{
    struct fixture f;
    struct quantity q;
    (void)state;
    fixture_init(&f);
    const ResourceQuota *quota =
        fixture_object(&f, KIND_RESOURCE_QUOTA, "{'spec':{'hard':{'cpu':'0.5','pods':'3'}}}");
    const struct quantities all = { .entries = quota->spec->hard, .count = quota->spec->n_hard };
    assert_true(quantities_get(&all, "cpu", &q));
    assert_string_equal(quantity_shown(&f.arena, &q), "500m");
    assert_false(quantities_get(&all, "memory", &q));
    assert_true(resource_overcommits("cpu"));
    assert_false(resource_overcommits("hugepages-2Mi"));
    assert_false(resource_overcommits("a.b/c"));
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_missing),
                                        cmocka_unit_test(test_read) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
