/* One reading of the entries of every map<string, bytes>. */
#include "api/proto/core.pb-c.h"
#include "controlplane/resources/config_data.h"
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

static void test_entries(void **state)
{
    struct fixture f;
    struct str value;
    (void)state;
    fixture_init(&f);
    const Secret *secret = fixture_decode(&f, KIND_SECRET, "{'data':{'a':'eA==','b':''}}");
    const ConfigMap *map = fixture_decode(&f, KIND_CONFIG_MAP, "{'data':{'b':'','a':'x'}}");
    assert_true(config_get(secret->data, secret->n_data, "a", &value));
    assert_true(str_eq_c(value, "x"));
    assert_true(config_get(map->data, map->n_data, "b", &value));
    assert_int_equal(value.len, 0);
    assert_false(config_get(map->data, map->n_data, "c", &value));
    /* Order does not matter, values do. */
    assert_true(config_equal(&f.arena, secret->data, secret->n_data, map->data, map->n_data));
    assert_false(config_equal(&f.arena, secret->data, 1, map->data, map->n_data));
    const ConfigMap *other = fixture_decode(&f, KIND_CONFIG_MAP, "{'data':{'b':'','a':'y'}}");
    assert_false(config_equal(&f.arena, other->data, other->n_data, map->data, map->n_data));
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_entries) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
