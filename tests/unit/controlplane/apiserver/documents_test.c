/* Made once, kept compressed, linked to by the hash of what they say. */
#include "base/arena.h"
#include "base/err.h"
#include "controlplane/apiserver/documents.h"
#include "controlplane/apiserver/openapi/document.h"
#include "net/gzip.h"
#include "tests/unit/unit.h"

static struct str plain(struct arena *a, const struct document *d)
{
    struct buf b;
    struct err e;
    buf_init(&b);
    assert_int_equal(gzip_unpack(&b, buf_str(&d->packed), d->plain_bytes, &e), 0);
    struct str text = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

static void test_made_once(void **state)
{
    struct documents d = { 0 };
    struct arena a;
    struct buf b;
    char hash[DOCUMENT_HASH_BYTES + 1];
    (void)state;
    arena_init(&a);
    buf_init(&b);
    const struct document *v2 = documents_v2(&d, DOCUMENT_JSON);
    assert_ptr_equal(documents_v2(&d, DOCUMENT_JSON), v2);
    openapi_write_v2(&b);
    assert_true(str_eq(plain(&a, v2), buf_str(&b)));
    document_hash(buf_str(&b), hash);
    assert_string_equal(v2->hash, hash);
    assert_true(v2->packed.len < v2->plain_bytes / 5);
    const struct document *protobuf = documents_v2(&d, DOCUMENT_PROTOBUF);
    assert_ptr_not_equal(protobuf, v2);
    assert_string_not_equal(protobuf->hash, v2->hash);
    buf_deinit(&b);
    arena_deinit(&a);
    documents_deinit(&d);
}

static void test_root(void **state)
{
    struct documents d = { 0 };
    struct arena a;
    (void)state;
    arena_init(&a);
    struct str root = plain(&a, documents_root(&d));
    const struct document *apps = documents_v3(&d, str_lit("apis/apps/v1"), DOCUMENT_JSON);
    assert_non_null(apps);
    struct str link = str_printf(
        &a, "\"apis/apps/v1\":{\"serverRelativeURL\":\"/openapi/v3/apis/apps/v1?hash=%s\"}",
        apps->hash);
    assert_true(str_find(root, link) > 0);
    assert_null(documents_v3(&d, str_lit("apis/none/v1"), DOCUMENT_JSON));
    arena_deinit(&a);
    documents_deinit(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_made_once),
                                        cmocka_unit_test(test_root) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
