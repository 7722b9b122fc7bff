/* The wire cursor: every wire type, last field wins, and malformed bytes end the walk. */
#include "api/meta/peek.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 1: varint 300, 2: "ab", 3: fixed64 1, 4: fixed32 2, 2: {1: "x"} again. */
static const char message[] = "\x08\xac\x02"
                              "\x12\x02"
                              "ab"
                              "\x19\x01\0\0\0\0\0\0\0"
                              "\x25\x02\0\0\0"
                              "\x12\x03\x0a\x01x";

static void test_walk(void **state)
{
    static const struct {
        uint32_t number;
        enum peek_wire wire;
        uint64_t value;
        size_t len;
    } cases[] = { { 1, PEEK_VARINT, 300, 0 },
                  { 2, PEEK_BYTES, 0, 2 },
                  { 3, PEEK_FIXED64, 1, 0 },
                  { 4, PEEK_FIXED32, 2, 0 },
                  { 2, PEEK_BYTES, 0, 3 } };
    struct str m = str_of(message, sizeof(message) - 1);
    struct peek_field field;
    size_t at = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_true(peek_next(m, &at, &field));
        assert_int_equal(field.number, cases[i].number);
        assert_int_equal(field.wire, cases[i].wire);
        assert_int_equal(field.number_value, cases[i].value);
        assert_int_equal(field.bytes.len, cases[i].len);
    }
    assert_false(peek_next(m, &at, &field));
}

static void test_paths(void **state)
{
    static const uint8_t inner[] = { 2, 1, 0 };
    static const uint8_t through_number[] = { 1, 1, 0 };
    static const uint8_t absent[] = { 9, 0 };
    static const uint8_t empty[] = { 0 };
    struct str m = str_of(message, sizeof(message) - 1);
    struct peek_field field;
    (void)state;
    assert_true(str_eq_c(peek_string(m, inner), "x"));
    assert_false(peek_path(m, through_number, &field));
    assert_false(peek_path(m, absent, &field));
    assert_false(peek_path(m, empty, &field));
    assert_int_equal(peek_string(m, absent).len, 0);
}

static void test_malformed(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = { { "\x08", 1 },
                  { "\x12\x05"
                    "ab",
                    4 },
                  { "\x00\x00", 2 },
                  { "\x0b", 1 },
                  { "\x19\x01", 2 },
                  { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11 } };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct peek_field field;
        size_t at = 0;
        assert_false(peek_next(str_of(cases[i].bytes, cases[i].len), &at, &field));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_walk), cmocka_unit_test(test_paths),
                                        cmocka_unit_test(test_malformed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
