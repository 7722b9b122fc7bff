/* Who a request runs as, and what it may then do. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

static const char bob[] = "Impersonate-User: bob\r\n";

/* A request runs as whom its headers name: with the rights of nobody in particular, or of a group.
 */
static void test_impersonation(void **state)
{
    struct harness *h = *state;
    struct reply r =
        harness_send(h, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                     "Impersonate-User: bob\r\nImpersonate-Uid: u1\r\nImpersonate-Group: g\r\n"
                     "Impersonate-Group: f\r\nImpersonate-Extra-A%2fb: x\r\n"
                     "Impersonate-Extra-a%2Fb: y\r\n",
                     "{}");
    harness_expect(&r, 201);
    harness_contains(&r, "{\"username\":\"bob\",\"uid\":\"u1\",\"groups\":[\"g\",\"f\","
                         "\"system:authenticated\"],\"extra\":{\"a/b\":[\"x\",\"y\"]}}");
    r = harness_send(h, "GET", "/api/v1/namespaces/default/pods", bob, NULL);
    harness_expect(&r, 403);
    harness_contains(&r, "\"message\":\"pods is forbidden: User \\\"bob\\\" cannot list resource "
                         "\\\"pods\\\" in API group \\\"\\\" in the namespace \\\"default\\\"\"");
    harness_contains(&r, "\"reason\":\"Forbidden\",\"details\":{\"kind\":\"pods\"},\"code\":403");
    r = harness_send(h, "GET", "/apis/apps/v1/namespaces/x/deployments/d/scale", bob, NULL);
    harness_expect(&r, 403);
    harness_contains(
        &r, "deployments.apps \\\"d\\\" is forbidden: User \\\"bob\\\" cannot get resource "
            "\\\"deployments/scale\\\" in API group \\\"apps\\\" in the namespace");
    r = harness_send(h, "DELETE", "/api/v1/nodes/n", bob, NULL);
    harness_expect(&r, 403);
    harness_contains(&r, "nodes \\\"n\\\" is forbidden: User \\\"bob\\\" cannot delete resource "
                         "\\\"nodes\\\" in API group \\\"\\\" at the cluster scope");
    r = harness_send(h, "GET", "/metrics", bob, NULL);
    harness_expect(&r, 403);
    harness_contains(&r, "forbidden: User \\\"bob\\\" cannot get path \\\"/metrics\\\"");
    r = harness_send(h, "GET", "/apis/apps/v1", bob, NULL);
    harness_expect(&r, 200);
    r = harness_send(h, "GET", "/api/v1/namespaces/default/pods",
                     "Impersonate-User: bob\r\nImpersonate-Group: system:masters\r\n", NULL);
    harness_expect(&r, 200);
    r = harness_send(h, "GET", "/api/v1/pods",
                     "Impersonate-Group: g\r\nImpersonate-Extra-K: v\r\nImpersonate-Uid: u\r\n",
                     NULL);
    harness_expect(&r, 400);
    harness_contains(&r,
                     "requested [{Group  g    } {UserExtra  v  authentication.k8s.io/v1  k} {UID  "
                     "u  authentication.k8s.io/v1  }] without impersonating a user");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_impersonation),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
