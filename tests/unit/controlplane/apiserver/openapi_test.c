/* OpenAPI v3 documents are JSON, and known by a hash of what they say. */
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "controlplane/apiserver/openapi.h"
#include "tests/unit/unit.h"

static void test_documents(void **state)
{
    (void)state;
    struct arena a;
    struct buf root;
    struct buf doc;
    struct err e;
    arena_init(&a);
    buf_init(&root);
    buf_init(&doc);
    openapi_write_root(&a, &root);
    assert_int_equal(json_check(buf_str(&root), &e), 0);
    assert_true(openapi_write_group(&doc, str_lit("apis/apps/v1")));
    assert_int_equal(json_check(buf_str(&doc), &e), 0);
    struct str link = str_printf(&a, "/openapi/v3/apis/apps/v1?hash=%.*s",
                                 STR_ARG(openapi_hash(&a, buf_str(&doc))));
    assert_true(str_find(buf_str(&root), link) > 0);
    assert_true(str_find(buf_str(&doc),
                         str_lit("\"/apis/apps/v1/namespaces/{namespace}/deployments/{name}\":{"
                                 "\"patch\":{\"parameters\":[")) > 0);
    assert_true(str_find(buf_str(&doc), str_lit("{\"group\":\"apps\",\"version\":\"v1\",\"kind\":"
                                                "\"Deployment\"}")) > 0);
    buf_clear(&doc);
    assert_false(openapi_write_group(&doc, str_lit("apis/none/v1")));
    assert_false(str_eq(openapi_hash(&a, str_lit("a")), openapi_hash(&a, str_lit("b"))));
    buf_deinit(&root);
    buf_deinit(&doc);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
