/* Until RBAC: somebody may do everything, nobody nothing. */
#include "controlplane/apiserver/authn/authn.h"
#include "controlplane/apiserver/authz/authz.h"
#include "tests/unit/unit.h"

static void test_allow(void **state)
{
    (void)state;
    struct identity id = { .user = str_lit("ann") };
    struct authz_request q = { .identity = &id, .verb = "delete", .resource = true };
    assert_true(authz_allow(&q));
    id.user = str_lit("");
    assert_false(authz_allow(&q));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
