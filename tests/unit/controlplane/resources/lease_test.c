/* Leases: numbers that make sense. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'l','namespace':'d'},'spec':{}}", "" },
        { "{'metadata':{'name':'l','namespace':'d'}}", "" },
        { "{'metadata':{'name':'l','namespace':'d'},'spec':{'leaseDurationSeconds':0}}",
          "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0" },
        { "{'metadata':{'name':'l','namespace':'d'},'spec':{'leaseTransitions':-1}}",
          "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0" },
        { "{'metadata':{'name':'l','namespace':'d'},'spec':{'preferredHolder':'x'}}", "" }
    };
    (void)state;
    fixture_check_creates(KIND_LEASE, cases, COUNT(cases));
}

/* What coordinated leader election would use is not taken, and what is stored of it stays. */
static void test_election(void **state)
{
    static const char both[] = "{'metadata':{'name':'l','namespace':'d'},'spec':{'strategy':"
                               "'OldestEmulationVersion','preferredHolder':'x'}}";
    struct fixture f;
    const struct resource *r = resource_of(KIND_LEASE);
    (void)state;
    fixture_init(&f);
    void *old = fixture_object(&f, KIND_LEASE, both);
    void *object = fixture_object(&f, KIND_LEASE, both);
    resource_prepare_update(r, &f.context, object, old);
    assert_true(str_find(str_from(fixture_json(&f, KIND_LEASE, object)), str_lit("Oldest")) >= 0);
    resource_prepare_create(r, &f.context, object);
    assert_true(str_find(str_from(fixture_json(&f, KIND_LEASE, object)), str_lit("Oldest")) < 0);
    assert_true(str_find(str_from(fixture_json(&f, KIND_LEASE, object)), str_lit("\"x\"")) < 0);
    resource_prepare_update(r, &f.context, old, object);
    assert_true(str_find(str_from(fixture_json(&f, KIND_LEASE, old)), str_lit("Oldest")) < 0);
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_election) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
