/* The whole document, read back by the numbers of OpenAPIv2.proto. */
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "controlplane/apiserver/openapi/document.h"
#include "controlplane/apiserver/openapi/gnostic.h"
#include "controlplane/resources/registry.h"
#include "tests/unit/controlplane/apiserver/openapi/gnostic_read.h"
#include "tests/unit/unit.h"

enum { PATHS_PATH = 2, ITEM_PATCH = 8, OPERATION_PARAMETERS = 8, OPERATION_EXTENSION = 13 };
enum { SCHEMA_PROPERTIES = 25, SCHEMA_EXTENSION = 31 };

static void test_document(void **state)
{
    static const uint8_t paths[] = { 8, 0 };
    static const uint8_t definitions[] = { 9, 0 };
    static const uint8_t patch[] = { ITEM_PATCH, 0 };
    static const uint8_t yaml[] = { 2, 0 };
    static const uint8_t properties[] = { SCHEMA_PROPERTIES, 0 };
    static const uint8_t item_ref[] = { 23, 1, 1, 0 }; /* items.schema._ref */
    static const uint8_t type[] = { 22, 1, 0 };
    struct arena a;
    struct buf json;
    struct buf b;
    struct err e;
    const struct json *tree;
    (void)state;
    arena_init(&a);
    buf_init(&json);
    buf_init(&b);
    openapi_write_v2(&json);
    assert_int_equal(json_parse(&a, buf_str(&json), &tree, &e), 0);
    gnostic_write_v2(&b, tree);
    struct str all = at_path(buf_str(&b), paths);
    assert_int_equal(count_of(all, PATHS_PATH), json_get_c(tree, "paths")->count);
    struct str item =
        entry_of(all, PATHS_PATH, "/apis/apps/v1/namespaces/{namespace}/deployments/{name}");
    struct str op = at_path(item, patch);
    assert_int_equal(count_of(op, OPERATION_PARAMETERS), 5); /* dryRun ... force, and the body */
    struct str kind = entry_of(op, OPERATION_EXTENSION, "x-kubernetes-group-version-kind");
    assert_true(str_eq_c(at_path(kind, yaml),
                         "{\"group\":\"apps\",\"kind\":\"Deployment\",\"version\":\"v1\"}"));
    all = at_path(buf_str(&b), definitions);
    assert_int_equal(count_of(all, 1), json_get_c(tree, "definitions")->count);
    struct str spec = entry_of(all, 1, "io.k8s.api.core.v1.PodSpec");
    assert_true(str_eq_c(at_path(spec, type), "object"));
    struct str containers = entry_of(at_path(spec, properties), 1, "containers");
    assert_true(
        str_eq_c(at_path(containers, item_ref), "#/definitions/io.k8s.api.core.v1.Container"));
    struct str key = entry_of(containers, SCHEMA_EXTENSION, "x-kubernetes-patch-merge-key");
    assert_true(str_eq_c(at_path(key, yaml), "\"name\""));
    buf_deinit(&json);
    buf_deinit(&b);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_document) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
