/* The whole document, read back by the numbers of OpenAPIv3.proto. */
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "controlplane/apiserver/openapi/document.h"
#include "controlplane/apiserver/openapi/gnostic.h"
#include "controlplane/resources/registry.h"
#include "tests/unit/controlplane/apiserver/openapi/gnostic_read.h"
#include "tests/unit/unit.h"

enum { PATHS_PATH = 1, ITEM_PATCH = 10, OPERATION_PARAMETERS = 6, OPERATION_EXTENSION = 13 };
enum { SCHEMA_PROPERTIES = 31, SCHEMA_EXTENSION = 36 };

static void test_document(void **state)
{
    static const struct group_version core = { "", "v1" };
    static const uint8_t paths[] = { 4, 0 };
    static const uint8_t schemas[] = { 5, 1, 0 };
    static const uint8_t patch[] = { ITEM_PATCH, 0 };
    static const uint8_t yaml[] = { 2, 0 };
    static const uint8_t properties[] = { 1, SCHEMA_PROPERTIES, 0 };
    static const uint8_t items[] = { 1, 30, 1, 0 };
    static const uint8_t reference[] = { 1, 26, 2, 1, 0 }; /* of a schema's allOf */
    static const uint8_t string_default[] = { 1, 33, 3, 0 };
    static const uint8_t itself[] = { 1, 0 };
    struct arena a;
    struct buf json;
    struct buf b;
    struct err e;
    const struct json *tree;
    (void)state;
    arena_init(&a);
    buf_init(&json);
    buf_init(&b);
    openapi_write_v3(&json, &core);
    assert_int_equal(json_parse(&a, buf_str(&json), &tree, &e), 0);
    gnostic_write_v3(&b, tree);
    struct str all = at_path(buf_str(&b), paths);
    assert_int_equal(count_of(all, PATHS_PATH), json_get_c(tree, "paths")->count);
    struct str item = entry_of(all, PATHS_PATH, "/api/v1/namespaces/{namespace}/pods/{name}");
    struct str op = at_path(item, patch);
    assert_int_equal(count_of(op, OPERATION_PARAMETERS), 4);
    struct str kind = entry_of(op, OPERATION_EXTENSION, "x-kubernetes-group-version-kind");
    assert_true(
        str_eq_c(at_path(kind, yaml), "{\"group\":\"\",\"kind\":\"Pod\",\"version\":\"v1\"}"));
    all = at_path(buf_str(&b), schemas);
    struct str spec = entry_of(all, 1, "io.k8s.api.core.v1.PodSpec");
    struct str containers = entry_of(at_path(spec, properties), 1, "containers");
    assert_true(str_eq_c(at_path(at_path(containers, items), reference),
                         "#/components/schemas/io.k8s.api.core.v1.Container"));
    struct str key =
        entry_of(at_path(containers, itself), SCHEMA_EXTENSION, "x-kubernetes-patch-merge-key");
    assert_true(str_eq_c(at_path(key, yaml), "\"name\""));
    struct str port = entry_of(all, 1, "io.k8s.api.core.v1.ContainerPort");
    struct str protocol = entry_of(at_path(port, properties), 1, "protocol");
    assert_true(str_eq_c(at_path(protocol, string_default), "TCP"));
    buf_deinit(&json);
    buf_deinit(&b);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_document) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
