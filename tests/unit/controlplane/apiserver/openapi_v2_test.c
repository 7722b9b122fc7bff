/* The v2 document, read back field by field. */
#include "api/meta/peek.h"
#include "base/buf.h"
#include "controlplane/apiserver/openapi_v2.h"
#include "tests/unit/unit.h"

static void test_document(void **state)
{
    (void)state;
    static const uint8_t patch_path[] = { 2, 8, 0 };      /* NamedPathItem.value.patch */
    static const uint8_t name_path[] = { 1, 2, 3, 4, 0 }; /* the query parameter's name */
    struct buf b;
    struct peek_field field;
    size_t at = 0;
    int paths = 0;
    buf_init(&b);
    openapi_v2_write(&b);
    assert_true(peek_field(buf_str(&b), 1, &field));
    assert_true(str_eq_c(field.bytes, "2.0"));
    assert_true(peek_field(buf_str(&b), 8, &field));
    struct str all = field.bytes;
    while (peek_next(all, &at, &field)) {
        struct str operation = peek_string(field.bytes, patch_path);
        struct peek_field parameter;
        struct peek_field extension;
        size_t inside = 0;
        int parameters = 0;
        while (peek_next(operation, &inside, &parameter)) {
            if (parameter.number == 8) {
                assert_true(peek_string(parameter.bytes, name_path).len > 0);
                parameters++;
            }
        }
        assert_int_equal(parameters, 3);
        assert_true(peek_field(operation, 13, &extension));
        assert_true(str_find(extension.bytes, str_lit("version: v1\n")) > 0);
        paths++;
    }
    assert_true(paths >= 10);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
