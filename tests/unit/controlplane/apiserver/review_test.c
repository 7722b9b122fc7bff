/* Reviews over HTTP: today whoever is somebody may do everything. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define AUTHZ "/apis/authorization.k8s.io/v1/"
#define AUTHN "/apis/authentication.k8s.io/v1/"

static void test_access(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(
        h, AUTHZ "selfsubjectaccessreviews",
        "{\"spec\":{\"resourceAttributes\":{\"verb\":\"delete\",\"resource\":\"pods\"}}}");
    harness_expect(&r, 201);
    harness_contains(&r, "\"kind\":\"SelfSubjectAccessReview\"");
    harness_contains(&r, "\"status\":{\"allowed\":true}");
    r = harness_post(h, AUTHZ "subjectaccessreviews",
                     "{\"spec\":{\"user\":\"system:anonymous\",\"nonResourceAttributes\":{\"path\":"
                     "\"/\",\"verb\":\"get\"}}}");
    harness_expect(&r, 201);
    harness_contains(&r, "\"status\":{\"allowed\":false}");
    r = harness_post(h, AUTHZ "namespaces/default/localsubjectaccessreviews",
                     "{\"spec\":{\"user\":\"u\",\"groups\":[\"g\"],\"resourceAttributes\":{"
                     "\"namespace\":\"default\",\"verb\":\"get\",\"resource\":\"pods\"}}}");
    harness_expect(&r, 201);
    harness_contains(&r, "\"namespace\":\"default\"");
    harness_contains(&r, "\"status\":{\"allowed\":true}");
    r = harness_post(h, AUTHZ "selfsubjectaccessreviews", "{\"spec\":{}}");
    harness_expect(&r, 422);
    harness_contains(&r, "SelfSubjectAccessReview.authorization.k8s.io");
}

static void test_rules(void **state)
{
    struct harness *h = *state;
    struct reply r =
        harness_post(h, AUTHZ "selfsubjectrulesreviews", "{\"spec\":{\"namespace\":\"default\"}}");
    harness_expect(&r, 201);
    harness_contains(&r, "\"status\":{\"resourceRules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],"
                         "\"resources\":[\"*\"]}],\"nonResourceRules\":[{\"verbs\":[\"*\"],"
                         "\"nonResourceURLs\":[\"*\"]}],\"incomplete\":false}");
    r = harness_post(h, AUTHZ "selfsubjectrulesreviews", "{}");
    harness_expect(&r, 400);
}

static void test_identity(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(h, AUTHN "selfsubjectreviews", "{}");
    harness_expect(&r, 201);
    harness_contains(&r, "\"groups\":[\"system:authenticated\"]");
    r = harness_post(h, AUTHN "tokenreviews", "{\"spec\":{\"token\":\"t\"}}");
    harness_expect(&r, 201);
    harness_contains(&r, "\"error\":\"invalid bearer token\"");
    harness_lacks(&r, "\"authenticated\":true");
    r = harness_post(h, AUTHN "tokenreviews", "{\"spec\":{}}");
    harness_expect(&r, 400);
}

static const char bob[] = "Impersonate-User: bob\r\n";

/* What kubectl auth can-i asks. */
static void test_impersonated_questions(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_send(
        h, "POST", AUTHZ "selfsubjectaccessreviews", bob,
        "{\"spec\":{\"resourceAttributes\":{\"verb\":\"delete\",\"resource\":\"pods\"}}}");
    harness_expect(&r, 201);
    harness_contains(&r, "\"allowed\":false");
    r = harness_send(
        h, "POST", AUTHZ "selfsubjectrulesreviews", bob,
        "{\"metadata\":{\"namespace\":\"other\"},\"spec\":{\"namespace\":\"default\"}}");
    harness_expect(&r, 201);
    harness_contains(&r, "{\"verbs\":[\"create\"],\"apiGroups\":[\"authentication.k8s.io\"],"
                         "\"resources\":[\"selfsubjectreviews\"]}");
    harness_lacks(&r, "\"*\"");
    harness_lacks(&r, "other");
}

/* They are questions: there is nothing to read or to list. */
static void test_only_create(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, AUTHN "selfsubjectreviews");
    harness_expect(&r, 405);
    r = harness_post(h, AUTHZ "localsubjectaccessreviews", "{}");
    harness_expect(&r, 404);
    r = harness_post(h, AUTHN "selfsubjectreviews/x", "{}");
    harness_expect(&r, 404);
    r = harness_send(h, "POST", AUTHN "selfsubjectreviews",
                     "Accept: application/json;as=Table;g=meta.k8s.io;v=v1\r\n", "{}");
    harness_expect(&r, 406);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_access),      cmocka_unit_test(test_rules),
        cmocka_unit_test(test_identity),    cmocka_unit_test(test_impersonated_questions),
        cmocka_unit_test(test_only_create),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
