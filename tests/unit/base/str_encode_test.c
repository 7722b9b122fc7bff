/* Hex and base64: RFC 4648's vectors, every length both ways, everything malformed refused. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "tests/unit/unit.h"

static void test_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *plain;
        const char *text;
    } rows[] = { { "", "" },
                 { "f", "Zg==" },
                 { "fo", "Zm8=" },
                 { "foo", "Zm9v" },
                 { "foob", "Zm9vYg==" },
                 { "fooba", "Zm9vYmE=" },
                 { "foobar", "Zm9vYmFy" } };
    struct arena a;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str back;
        assert_true(str_eq_c(str_base64(&a, str_from(rows[i].plain)), rows[i].text));
        assert_int_equal(str_base64_decode(&a, str_from(rows[i].text), &back), 0);
        assert_true(str_eq_c(back, rows[i].plain));
    }
    assert_true(str_eq_c(str_hex(&a, str_of("\x00\xff\x1a", 3)), "00ff1a"));
    assert_true(str_eq_c(str_base64url(&a, str_of("\xfb\xff", 2)), "-_8"));
    arena_deinit(&a);
}

static void test_round_trips(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    uint8_t bytes[100];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 167 + 13);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        struct str in = str_of(bytes, len);
        struct str back;
        assert_int_equal(str_base64_decode(&a, str_base64(&a, in), &back), 0);
        assert_true(str_eq(back, in));
        assert_int_equal(str_base64url_decode(&a, str_base64url(&a, in), &back), 0);
        assert_true(str_eq(back, in));
    }
    arena_deinit(&a);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "Zg=",  "Zg",       "Z===",   "====", "Zh==",  "Zm9=",
                                       "Zm 9", "Zg==Zg==", "Zm9v\n", "Z-9v", "Zm9v=", "=" };
    static const char *const bad_url[] = { "Z", "Zg==", "Zh", "Zm9", "Z+9v", "Zm9vZ" };
    struct arena a;
    arena_init(&a);
    struct str out = str_lit("untouched");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (str_base64_decode(&a, str_from(bad[i]), &out) != -ERR_PARSE)
            fail_msg("%s was accepted", bad[i]);
    for (size_t i = 0; i < sizeof(bad_url) / sizeof(bad_url[0]); i++)
        if (str_base64url_decode(&a, str_from(bad_url[i]), &out) != -ERR_PARSE)
            fail_msg("%s was accepted", bad_url[i]);
    assert_true(str_eq_c(out, "untouched"));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors),
                                        cmocka_unit_test(test_round_trips),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
