/* Streams and proxies have upstream's operations, kinds and queries. */
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "controlplane/apiserver/openapi/document.h"
#include "controlplane/resources/registry.h"
#include "tests/unit/unit.h"

#define POD "/api/v1/namespaces/{namespace}/pods/{name}/"

struct connect_case {
    const char *path;
    const char *method;
    const char *id; /* NULL: there is no such operation */
    const char *kind;
};

static const struct connect_case cases[] = {
    { POD "exec", "get", "connectCoreV1GetNamespacedPodExec", "PodExecOptions" },
    { POD "exec", "post", "connectCoreV1PostNamespacedPodExec", "PodExecOptions" },
    { POD "exec", "put", NULL, NULL },
    { POD "attach", "get", "connectCoreV1GetNamespacedPodAttach", "PodAttachOptions" },
    { POD "attach", "post", "connectCoreV1PostNamespacedPodAttach", "PodAttachOptions" },
    { POD "portforward", "get", "connectCoreV1GetNamespacedPodPortforward",
      "PodPortForwardOptions" },
    { POD "portforward", "post", "connectCoreV1PostNamespacedPodPortforward",
      "PodPortForwardOptions" },
    { POD "portforward", "delete", NULL, NULL },
    { POD "proxy", "get", "connectCoreV1GetNamespacedPodProxy", "PodProxyOptions" },
    { POD "proxy", "head", "connectCoreV1HeadNamespacedPodProxy", "PodProxyOptions" },
    { POD "proxy", "options", "connectCoreV1OptionsNamespacedPodProxy", "PodProxyOptions" },
    { POD "proxy/{path}", "patch", "connectCoreV1PatchNamespacedPodProxyWithPath",
      "PodProxyOptions" },
    { "/api/v1/namespaces/{namespace}/services/{name}/proxy/{path}", "put",
      "connectCoreV1PutNamespacedServiceProxyWithPath", "ServiceProxyOptions" },
    { "/api/v1/nodes/{name}/proxy", "delete", "connectCoreV1DeleteNodeProxy", "NodeProxyOptions" },
    { "/api/v1/nodes/{name}/proxy/{path}", "post", "connectCoreV1PostNodeProxyWithPath",
      "NodeProxyOptions" },
};

/* What a path takes: no more and no less. */
static const struct {
    const char *path;
    const char *names[9];
} queries[] = {
    { POD "exec",
      { "name", "namespace", "command", "container", "stderr", "stdin", "stdout", "tty" } },
    { POD "attach", { "name", "namespace", "container", "stderr", "stdin", "stdout", "tty" } },
    { POD "portforward", { "name", "namespace", "ports" } },
    { POD "proxy", { "name", "namespace", "path" } },
    { "/api/v1/nodes/{name}/proxy/{path}", { "name", "path", "path" } },
};

struct fixture {
    struct arena arena;
    const struct json *paths[2]; /* v2, v3 */
};

static int setup(void **state)
{
    static struct fixture f;
    static const struct group_version core = { "", "v1" };
    arena_init(&f.arena);
    for (int i = 0; i < 2; i++) {
        const struct json *tree = NULL;
        struct err e;
        struct buf b;
        buf_init(&b);
        if (i == 0) {
            openapi_write_v2(&b);
        } else {
            openapi_write_v3(&b, &core);
        }
        assert_int_equal(json_parse(&f.arena, str_copy(&f.arena, buf_str(&b)), &tree, &e), 0);
        f.paths[i] = json_get_c(tree, "paths");
        buf_deinit(&b);
    }
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_deinit(&f->arena);
    return 0;
}

static void check_case(const struct connect_case *c, const struct json *paths)
{
    const struct json *path = json_get_c(paths, c->path);
    print_message("%s %s\n", c->method, c->path);
    assert_non_null(path);
    const struct json *op = json_get_c(path, c->method);
    if (c->id == NULL) {
        assert_null(op);
        return;
    }
    assert_non_null(op);
    const struct json *kind = json_get_c(op, "x-kubernetes-group-version-kind");
    assert_true(str_eq_c(json_str(json_get_c(op, "operationId")), c->id));
    assert_true(str_eq_c(json_str(json_get_c(op, "x-kubernetes-action")), "connect"));
    assert_true(str_eq_c(json_str(json_get_c(kind, "kind")), c->kind));
    assert_true(str_eq_c(json_str(json_get_c(kind, "version")), "v1"));
    assert_non_null(json_get_c(json_get_c(op, "responses"), "200"));
}

static void test_operations(void **state)
{
    const struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_case(&cases[i], f->paths[0]);
        check_case(&cases[i], f->paths[1]);
    }
}

static void test_parameters(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        const struct json *path = json_get_c(f->paths[1], queries[i].path);
        const struct json *all = json_get_c(path, "parameters");
        uint32_t count = 0;
        for (; queries[i].names[count] != NULL; count++) {
            const struct json *name = json_get_c(&all->u.items[count], "name");
            assert_string_equal(str_dup(&f->arena, json_str(name)), queries[i].names[count]);
        }
        assert_int_equal(all->count, count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_operations),
                                        cmocka_unit_test(test_parameters) };
    return cmocka_run_group_tests(tests, setup, teardown);
}
