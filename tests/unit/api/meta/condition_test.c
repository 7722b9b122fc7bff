/* Setting and finding conditions through the descriptor. */

#include "api/meta/condition.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "tests/unit/unit.h"

static void test_set(void **state)
{
    struct arena a;
    PodStatus status = POD_STATUS__INIT;
    struct condition_value v = {
        .type = "Ready", .status = "False", .reason = "Starting", .message = ""
    };
    (void)state;
    arena_init(&a);
    assert_true(condition_set(&a, &pod_condition__descriptor, &status.conditions,
                              &status.n_conditions, &v, 5000000000));
    assert_int_equal(status.n_conditions, 1);
    assert_int_equal(status.conditions[0]->last_transition_time->seconds, 5);
    PodCondition *first = status.conditions[0];

    /* The same again changes nothing. */
    assert_false(condition_set(&a, &pod_condition__descriptor, &status.conditions,
                               &status.n_conditions, &v, 6000000000));
    assert_ptr_equal(status.conditions[0], first);

    /* A new reason keeps the transition time; a new status moves it. The old element is intact. */
    v.reason = "Pulling";
    assert_true(condition_set(&a, &pod_condition__descriptor, &status.conditions,
                              &status.n_conditions, &v, 7000000000));
    assert_int_equal(status.conditions[0]->last_transition_time->seconds, 5);
    assert_string_equal(status.conditions[0]->reason, "Pulling");
    assert_string_equal(first->reason, "Starting");
    v.status = "True";
    assert_true(condition_set(&a, &pod_condition__descriptor, &status.conditions,
                              &status.n_conditions, &v, 8000000000));
    assert_int_equal(status.conditions[0]->last_transition_time->seconds, 8);
    assert_int_equal(status.n_conditions, 1);
    assert_true(condition_is_true(status.conditions, status.n_conditions, "Ready"));
    assert_null(condition_status(status.conditions, status.n_conditions, "Absent"));

    v.type = "PodScheduled";
    assert_true(condition_set(&a, &pod_condition__descriptor, &status.conditions,
                              &status.n_conditions, &v, 9000000000));
    assert_int_equal(status.n_conditions, 2);

    /* Of another generation it is another condition, of the same age. */
    v.generation = 3;
    assert_true(condition_set(&a, &pod_condition__descriptor, &status.conditions,
                              &status.n_conditions, &v, 10000000000));
    assert_true(status.conditions[1]->has_observed_generation);
    assert_int_equal(status.conditions[1]->observed_generation, 3);
    assert_int_equal(status.conditions[1]->last_transition_time->seconds, 9);
    assert_false(condition_set(&a, &pod_condition__descriptor, &status.conditions,
                               &status.n_conditions, &v, 11000000000));
    v.generation = 0;
    assert_true(condition_set(&a, &pod_condition__descriptor, &status.conditions,
                              &status.n_conditions, &v, 12000000000));
    assert_false(status.conditions[1]->has_observed_generation);
    assert_non_null(condition_find(status.conditions, status.n_conditions, "Ready"));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_set) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
