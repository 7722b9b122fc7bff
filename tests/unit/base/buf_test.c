/* Buffers, the reader's overrun rules, shared slices. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "tests/unit/unit.h"

static void test_append_consume_take(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, "hello ");
    buf_printf(&b, "%s %d", "world", 42);
    buf_append_byte(&b, '!');
    buf_append(&b, NULL, 0);
    assert_true(str_eq_c(buf_str(&b), "hello world 42!"));
    buf_consume(&b, 6);
    assert_true(str_eq_c(buf_str(&b), "world 42!"));
    buf_consume(&b, 0);
    for (int i = 0; i < 2000; i++)
        buf_printf(&b, "%d,", i);
    assert_true(str_ends(buf_str(&b), str_lit("1998,1999,")));
    size_t len;
    uint8_t *data = buf_take(&b, &len);
    assert_int_equal(b.len, 0);
    assert_memory_equal(data, "world 42!0,1,", 13);
    mem_free(data);
    data = buf_take(&b, &len);
    assert_non_null(data);
    assert_int_equal(len, 0);
    mem_free(data);
    buf_deinit(&b);
}

static void test_integers_round_trip(void **state)
{
    (void)state;
    static const uint64_t values[] = {
        0, 1, 127, 128, 16383, 16384, UINT32_MAX, 1ull << 63, UINT64_MAX, 0x0102030405060708ull
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        uint64_t v = values[i];
        struct buf b;
        buf_init(&b);
        buf_put_be64(&b, v);
        buf_put_be32(&b, (uint32_t)v);
        buf_put_le64(&b, v);
        buf_put_le32(&b, (uint32_t)v);
        buf_put_varint(&b, v);
        buf_put_bytes(&b, str_lit("bytes"));
        assert_int_equal(b.data[0], v >> 56);
        assert_int_equal(b.data[12], v & 255);
        struct reader r;
        reader_init(&r, buf_str(&b));
        assert_true(reader_be64(&r) == v);
        assert_true(reader_be32(&r) == (uint32_t)v);
        assert_true(reader_le64(&r) == v);
        assert_true(reader_le32(&r) == (uint32_t)v);
        assert_true(reader_varint(&r) == v);
        assert_true(str_eq_c(reader_bytes(&r), "bytes"));
        assert_int_equal(reader_left(&r), 0);
        assert_true(reader_ok(&r));
        buf_deinit(&b);
    }
}

/* Every prefix of a message fails once, stays failed, and gives zeros. */
static void test_overrun_is_sticky(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b);
    buf_put_le32(&b, 0xFFFFFFFF);
    buf_put_bytes(&b, str_lit("payload"));
    buf_put_varint(&b, UINT64_MAX);
    for (size_t len = 0; len < b.len; len++) {
        uint8_t *exact = mem_dup(b.data, len);
        struct reader r;
        reader_init(&r, str_of(exact, len));
        (void)reader_le32(&r);
        (void)reader_bytes(&r);
        (void)reader_varint(&r);
        assert_false(reader_ok(&r));
        assert_int_equal(reader_u8(&r), 0);
        assert_int_equal(reader_le64(&r), 0);
        assert_int_equal(reader_be64(&r), 0);
        assert_int_equal(reader_be32(&r), 0);
        assert_int_equal(reader_take(&r, 0).len, 0);
        assert_int_equal(reader_left(&r), 0);
        mem_free(exact);
    }
    buf_deinit(&b);
}

static void test_malformed_varints(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        int ok;
    } rows[] = { { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, 1 },
                 { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, 0 },
                 { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, 0 },
                 { "\x80", 1, 0 },
                 { "\x80\x00", 2, 1 },
                 { "\xff\xff\xff\xff\x7f" /* a length far beyond the end */, 5, 1 } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct reader r;
        reader_init(&r, str_of(rows[i].bytes, rows[i].len));
        (void)reader_varint(&r);
        assert_int_equal(reader_ok(&r), rows[i].ok);
    }
    struct reader r;
    reader_init(&r, str_of(rows[0].bytes, 10));
    assert_int_equal(reader_bytes(&r).len, 0);
    assert_false(reader_ok(&r));
}

static void test_shared(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, "event");
    struct shared *s = shared_from_buf(&b);
    assert_int_equal(b.len, 0);
    assert_ptr_equal(shared_ref(s), s);
    assert_int_equal(shared_refs(s), 2);
    shared_unref(s);
    assert_int_equal(shared_refs(s), 1);
    assert_true(str_eq_c(shared_str(s), "event"));
    shared_unref(s);
    shared_unref(NULL);

    buf_append_c(&b, "an answer");
    const uint8_t *bytes = b.data;
    s = shared_adopt(&b);
    assert_ptr_equal(shared_str(s).data, bytes);
    assert_true(str_eq_c(shared_str(s), "an answer"));
    assert_null(b.data);
    shared_unref(s);
    s = shared_new(NULL, 0);
    assert_int_equal(shared_str(s).len, 0);
    shared_unref(s);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_append_consume_take),
                                        cmocka_unit_test(test_integers_round_trip),
                                        cmocka_unit_test(test_overrun_is_sticky),
                                        cmocka_unit_test(test_malformed_varints),
                                        cmocka_unit_test(test_shared) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
