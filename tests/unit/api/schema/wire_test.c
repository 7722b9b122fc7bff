/* The wire format, one field at a time. */
#include "api/schema/wire.h"
#include "tests/unit/unit.h"

static bool next(const char *bytes, size_t len, struct wire_field *out)
{
    const uint8_t *at = (const uint8_t *)bytes;
    return wire_next(at, at + len, out);
}

static void fields(void **state)
{
    (void)state;
    struct wire_field w;
    assert_true(next("\x08\x96\x01", 3, &w));
    assert_int_equal(w.number, 1);
    assert_int_equal(w.varint, 150);
    assert_true(next("\x12\x02hi", 4, &w));
    assert_int_equal(w.wire, WIRE_LENGTH);
    assert_true(str_eq_c(w.bytes, "hi"));
    assert_true(next("\x09\1\0\0\0\0\0\0\0", 9, &w));
    assert_int_equal(w.varint, 1);
    assert_true(next("\x0d\1\0\0\0", 5, &w));
    assert_int_equal(w.wire, WIRE_32);
    assert_true(next("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, &w));
    assert_true(w.varint == UINT64_MAX);
}

static void broken(void **state)
{
    (void)state;
    struct wire_field w;
    assert_false(next("", 0, &w));
    assert_false(next("\x08", 1, &w));
    assert_false(next("\x00\x01", 2, &w));
    assert_false(next("\x12\x03hi", 4, &w));
    assert_false(next("\x09\1", 2, &w));
    assert_false(next("\x0b", 1, &w));
    assert_false(next("\x0e", 1, &w));
    assert_false(next("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, &w));
    assert_false(next("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, &w));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(fields), cmocka_unit_test(broken) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
