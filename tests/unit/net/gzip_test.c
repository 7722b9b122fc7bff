/* What is packed comes back; what is cut or too large does not. */
#include "base/buf.h"
#include "base/err.h"
#include "net/gzip.h"
#include "tests/unit/unit.h"

static void test_round_trip(void **state)
{
    struct buf plain;
    struct buf packed;
    struct buf back;
    struct err e;
    (void)state;
    buf_init(&plain);
    buf_init(&packed);
    buf_init(&back);
    for (int i = 0; i < 50000; i++)
        buf_printf(&plain, "line %d\n", i % 100);
    gzip_pack(&packed, buf_str(&plain));
    assert_true(packed.len < plain.len / 20);
    assert_int_equal(gzip_unpack(&back, buf_str(&packed), plain.len, &e), 0);
    assert_true(str_eq(buf_str(&back), buf_str(&plain)));
    buf_clear(&back);
    assert_int_equal(gzip_unpack(&back, buf_str(&packed), plain.len - 1, &e), -ERR_LIMIT);
    buf_clear(&back);
    struct str cut = str_slice(buf_str(&packed), 0, packed.len - 9);
    assert_int_equal(gzip_unpack(&back, cut, plain.len, &e), -ERR_PARSE);
    buf_clear(&back);
    assert_int_equal(gzip_unpack(&back, str_lit("not gzip at all"), 100, &e), -ERR_PARSE);
    buf_deinit(&plain);
    buf_deinit(&packed);
    buf_deinit(&back);
}

static void test_empty(void **state)
{
    struct buf packed;
    struct buf back;
    struct err e;
    (void)state;
    buf_init(&packed);
    buf_init(&back);
    gzip_pack_fast(&packed, str_lit(""));
    assert_int_equal(gzip_unpack(&back, buf_str(&packed), 0, &e), 0);
    assert_int_equal(back.len, 0);
    buf_deinit(&packed);
    buf_deinit(&back);
}

static void test_stream(void **state)
{
    struct gzip_stream *g = gzip_stream_new();
    struct buf plain;
    struct buf packed;
    struct buf back;
    struct err e;
    (void)state;
    buf_init(&plain);
    buf_init(&packed);
    buf_init(&back);
    uint32_t random = 1;
    for (int piece = 0; piece < 40; piece++) {
        size_t from = plain.len;
        for (int i = 0; i < 7000; i++) {
            random = random * 1664525u + 1013904223u;
            buf_append_byte(&plain, piece % 2 == 0 ? (uint8_t)(random >> 24) : 'x');
        }
        gzip_stream_pack(g, &packed, str_slice(buf_str(&plain), from, plain.len), false);
    }
    gzip_stream_pack(g, &packed, str_lit(""), true);
    gzip_stream_free(g);
    assert_int_equal(gzip_unpack(&back, buf_str(&packed), plain.len, &e), 0);
    assert_true(str_eq(buf_str(&back), buf_str(&plain)));
    gzip_stream_free(gzip_stream_new()); /* given up before its end */
    buf_deinit(&plain);
    buf_deinit(&packed);
    buf_deinit(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_round_trip),
                                        cmocka_unit_test(test_stream),
                                        cmocka_unit_test(test_empty) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
