/* Controller references of unpacked objects. */

#include "api/meta/owner.h"
#include "api/proto/meta.pb-c.h"
#include "base/arena.h"
#include "tests/unit/unit.h"

static void test_controller(void **state)
{
    struct arena a;
    char name[] = "web";
    char uid[] = "u-1";
    ObjectMeta owner = OBJECT_META__INIT;
    ObjectMeta child = OBJECT_META__INIT;
    (void)state;
    arena_init(&a);
    owner.name = name;
    owner.uid = uid;
    assert_null(owner_controller(&child));
    OwnerReference plain = OWNER_REFERENCE__INIT;
    owner_append(&a, &child, &plain);
    owner_append(&a, &child, owner_controller_ref(&a, KIND_REPLICA_SET, &owner));
    assert_int_equal(child.n_owner_references, 2);
    const OwnerReference *ref = owner_controller(&child);
    assert_non_null(ref);
    assert_string_equal(ref->api_version, "apps/v1");
    assert_string_equal(ref->kind, "ReplicaSet");
    assert_true(ref->block_owner_deletion);
    assert_true(owner_is_controlled_by(&child, "u-1"));
    assert_false(owner_is_controlled_by(&child, "u-2"));
    assert_true(owner_has(&child, "u-1"));
    assert_false(owner_has(&child, "u-2"));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_controller) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
