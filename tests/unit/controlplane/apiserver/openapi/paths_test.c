/* Operations agree with discovery, and have what kubectl looks for. */
#include "api/meta/kinds.h"
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "controlplane/apiserver/openapi/document.h"
#include "controlplane/resources/registry.h"
#include "tests/unit/unit.h"

static const struct group_version apps = { "apps", "v1" };
static const struct group_version core = { "", "v1" };
static const struct group_version authorization = { "authorization.k8s.io", "v1" };

static const struct json *paths_of(struct arena *a, struct buf *b, const struct group_version *g)
{
    const struct json *tree = NULL;
    struct err e;
    buf_clear(b);
    openapi_write_v3(b, g);
    assert_int_equal(json_parse(a, str_copy(a, buf_str(b)), &tree, &e), 0);
    return json_get_c(tree, "paths");
}

struct op_case {
    const struct group_version *group;
    const char *path;
    const char *method;
    const char *id; /* NULL: there is no such operation */
    const char *parameter;
};

#define DEPLOYMENTS "/apis/apps/v1/namespaces/{namespace}/deployments"

static const struct op_case cases[] = {
    { &apps, "/apis/apps/v1/", "get", "getAppsV1APIResources", NULL },
    { &apps, DEPLOYMENTS, "get", "listAppsV1NamespacedDeployment", "labelSelector" },
    { &apps, DEPLOYMENTS, "post", "createAppsV1NamespacedDeployment", "fieldValidation" },
    { &apps, DEPLOYMENTS, "delete", "deleteAppsV1CollectionNamespacedDeployment",
      "propagationPolicy" },
    { &apps, "/apis/apps/v1/deployments", "get", "listAppsV1DeploymentForAllNamespaces", "watch" },
    { &apps, "/apis/apps/v1/deployments", "post", NULL, NULL },
    { &apps, DEPLOYMENTS "/{name}", "patch", "patchAppsV1NamespacedDeployment", "dryRun" },
    { &apps, DEPLOYMENTS "/{name}", "patch", "patchAppsV1NamespacedDeployment", "force" },
    { &apps, DEPLOYMENTS "/{name}", "put", "replaceAppsV1NamespacedDeployment", "dryRun" },
    { &apps, DEPLOYMENTS "/{name}/scale", "get", "readAppsV1NamespacedDeploymentScale", NULL },
    { &apps, DEPLOYMENTS "/{name}/status", "patch", "patchAppsV1NamespacedDeploymentStatus",
      "fieldManager" },
    { &apps, DEPLOYMENTS "/{name}/status", "delete", NULL, NULL },
    { &core, "/api/v1/namespaces", "delete", NULL, NULL },
    { &core, "/api/v1/namespaces/{name}/finalize", "put", "replaceCoreV1NamespaceFinalize",
      "dryRun" },
    { &core, "/api/v1/namespaces/{namespace}/pods/{name}/binding", "post",
      "createCoreV1NamespacedPodBinding", "dryRun" },
    { &core, "/api/v1/namespaces/{namespace}/pods/{name}/log", "get", "readCoreV1NamespacedPodLog",
      NULL },
    { &authorization, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "post",
      "createAuthorizationV1SelfSubjectAccessReview", "dryRun" },
    { &authorization, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "get", NULL, NULL },
};

static bool takes(const struct json *op, const char *name)
{
    const struct json *all = json_get_c(op, "parameters");
    for (uint32_t i = 0; all != NULL && i < all->count; i++) {
        if (str_eq_c(json_str(json_get_c(&all->u.items[i], "name")), name)) {
            return true;
        }
    }
    return false;
}

static void test_operations(void **state)
{
    struct arena a;
    struct buf b;
    (void)state;
    arena_init(&a);
    buf_init(&b);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct op_case *c = &cases[i];
        print_message("%s %s\n", c->method, c->path);
        const struct json *path = json_get_c(paths_of(&a, &b, c->group), c->path);
        const struct json *op = path == NULL ? NULL : json_get_c(path, c->method);
        if (c->id == NULL) {
            assert_null(op);
            continue;
        }
        assert_non_null(op);
        assert_true(str_eq_c(json_str(json_get_c(op, "operationId")), c->id));
        assert_true(c->parameter == NULL || takes(op, c->parameter));
        assert_non_null(json_get_c(json_get_c(op, "responses"), "200"));
    }
    buf_deinit(&b);
    arena_deinit(&a);
}

/* What kubectl's dry run and validation look for. */
static void test_kind_of_patch(void **state)
{
    struct arena a;
    struct buf b;
    (void)state;
    arena_init(&a);
    buf_init(&b);
    const struct json *paths = paths_of(&a, &b, &apps);
    const struct json *patch = json_get_c(json_get_c(paths, DEPLOYMENTS "/{name}"), "patch");
    const struct json *kind = json_get_c(patch, "x-kubernetes-group-version-kind");
    assert_true(str_eq_c(json_str(json_get_c(kind, "group")), "apps"));
    assert_true(str_eq_c(json_str(json_get_c(kind, "kind")), "Deployment"));
    assert_true(str_eq_c(json_str(json_get_c(patch, "x-kubernetes-action")), "patch"));
    patch = json_get_c(json_get_c(paths, DEPLOYMENTS "/{name}/scale"), "patch");
    kind = json_get_c(patch, "x-kubernetes-group-version-kind");
    assert_true(str_eq_c(json_str(json_get_c(kind, "group")), "autoscaling"));
    buf_deinit(&b);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_operations),
                                        cmocka_unit_test(test_kind_of_patch) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
