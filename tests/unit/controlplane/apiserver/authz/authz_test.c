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

/* Who is impersonated may do what its groups may. */
static void test_impersonated(void **state)
{
    (void)state;
    struct str groups[] = { str_lit("system:authenticated") };
    struct identity id = {
        .user = str_lit("bob"), .groups = groups, .groups_count = 1, .impersonated = true
    };
    struct authz_request path = { .identity = &id, .verb = "get", .path = str_lit("/apis/apps") };
    struct authz_request who = { .identity = &id,
                                 .verb = "create",
                                 .resource = true,
                                 .group = str_lit("authentication.k8s.io"),
                                 .plural = str_lit("selfsubjectreviews") };
    assert_true(authz_allow(&path));
    assert_true(authz_allow(&who));
    who.plural = str_lit("tokenreviews");
    assert_false(authz_allow(&who));
    path.path = str_lit("/apisx");
    assert_false(authz_allow(&path));
    path.path = str_lit("/livez");
    groups[0] = str_lit("system:unauthenticated");
    assert_true(authz_allow(&path));
    path.path = str_lit("/api");
    assert_false(authz_allow(&path));
    groups[0] = str_lit("system:masters");
    assert_true(authz_allow(&path));
    assert_true(authz_allow(&who));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allow),
        cmocka_unit_test(test_impersonated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
