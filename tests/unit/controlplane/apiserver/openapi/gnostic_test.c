/* The engine: fields, wraps, maps, extensions. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "controlplane/apiserver/openapi/gnostic.h"
#include "tests/unit/unit.h"

static const struct gnostic_field fields[] = { { "name", 1, gnostic_string },
                                               { "words", 2, gnostic_strings },
                                               { "yes", 3, gnostic_bool },
                                               { "any", 4, gnostic_any },
                                               { "all", 5, gnostic_anys } };
static const struct gnostic_message message = { fields, 5, 9 };

static void expect(const char *json, const uint32_t *path, const char *bytes, size_t len)
{
    struct arena a;
    struct buf b;
    struct err e;
    const struct json *tree;
    arena_init(&a);
    buf_init(&b);
    assert_int_equal(json_parse(&a, str_from(json), &tree, &e), 0);
    gnostic_put_message(&b, path, &message, tree);
    assert_int_equal(b.len, len);
    assert_memory_equal(b.data, bytes, len);
    buf_deinit(&b);
    arena_deinit(&a);
}

#define EXPECT(json, bytes, ...)                                                                   \
    expect(json, (const uint32_t[]){ __VA_ARGS__, 0 }, bytes, sizeof(bytes) - 1)

static void test_fields(void **state)
{
    (void)state;
    EXPECT("{}", "\x3a\x00", 7);
    EXPECT("{\"name\":\"a\",\"yes\":true}",
           "\x3a\x05\x0a\x01"
           "a\x18\x01",
           7);
    EXPECT("{\"words\":[\"a\",\"b\"]}",
           "\x0a\x06\x12\x01"
           "a\x12\x01"
           "b",
           1);
    EXPECT("{\"any\":{}}", "\x0a\x06\x22\x04\x12\x02{}", 1);
    EXPECT("{\"all\":[1,2]}",
           "\x0a\x0a\x2a\x03\x12\x01"
           "1\x2a\x03\x12\x01"
           "2",
           1);
    /* An unknown member is left out; one that begins with x- is an extension. */
    EXPECT("{\"other\":1}", "\x0a\x00", 1);
    EXPECT("{\"x-a\":[]}", "\x0a\x0d\x4a\x0b\x0a\x03x-a\x12\x04\x12\x02[]", 1);
    /* Innermost first. */
    EXPECT("{\"name\":\"a\"}",
           "\x12\x05\x0a\x03\x0a\x01"
           "a",
           1, 2);
}

static void test_named(void **state)
{
    struct arena a;
    struct buf b;
    struct err e;
    const struct json *tree;
    static const char bytes[] = "\x2a\x06\x0a\x01k\x12\x01v";
    (void)state;
    arena_init(&a);
    buf_init(&b);
    assert_int_equal(json_parse(&a, str_lit("{\"k\":\"v\"}"), &tree, &e), 0);
    gnostic_put_named(&b, 5, tree, gnostic_string);
    assert_int_equal(b.len, sizeof(bytes) - 1);
    assert_memory_equal(b.data, bytes, b.len);
    buf_deinit(&b);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_fields),
                                        cmocka_unit_test(test_named) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
