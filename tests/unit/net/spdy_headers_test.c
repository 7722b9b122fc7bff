/* Header blocks: against what zlib made elsewhere, and bombs. */
#include <zlib.h>

#include "base/err.h"
#include "net/spdy.h"
#include "tests/unit/unit.h"

/* The published Adler-32 of the dictionary is in every stream's first bytes (FDICT). */
static void test_dictionary(void **state)
{
    struct spdy_zlib *z = NULL;
    struct buf out;
    (void)state;
    buf_init(&out);
    spdy_deflate(&z, str_lit("x"), &out);
    assert_true((out.data[1] & 0x20) != 0);
    assert_int_equal(load_be32(out.data + 2), 0xe3c6a7c2);
    spdy_zlib_free(z, false);
    buf_deinit(&out);
}

/* What a moderate frame may unpack to is bounded. */
static void test_bomb(void **state)
{
    struct spdy_zlib *z = NULL;
    struct spdy_zlib *back = NULL;
    struct buf zeros;
    struct buf packed;
    struct buf block;
    (void)state;
    buf_init(&zeros);
    buf_init(&packed);
    buf_init(&block);
    for (size_t i = 0; i < SPDY_HEADER_BYTES_MAX; i++)
        buf_append_byte(&zeros, 0);
    spdy_deflate(&z, buf_str(&zeros), &packed);
    assert_int_equal(spdy_inflate(&back, buf_str(&packed), &block), 0);
    assert_int_equal(block.len, SPDY_HEADER_BYTES_MAX);
    buf_append_byte(&zeros, 0);
    buf_clear(&packed);
    spdy_deflate(&z, buf_str(&zeros), &packed);
    assert_true(packed.len < 1000);
    assert_int_equal(spdy_inflate(&back, buf_str(&packed), &block), -ERR_LIMIT);
    spdy_zlib_free(z, false);
    spdy_zlib_free(back, true);
    buf_deinit(&zeros);
    buf_deinit(&packed);
    buf_deinit(&block);
}

/* A stream primed with another dictionary is refused. */
static void test_other_dictionary(void **state)
{
    uint8_t packed[256];
    z_stream s = { 0 };
    struct spdy_zlib *z = NULL;
    struct buf block;
    (void)state;
    buf_init(&block);
    assert_int_equal(deflateInit(&s, 6), Z_OK);
    assert_int_equal(deflateSetDictionary(&s, (const uint8_t *)"other", 5), Z_OK);
    s.next_in = (uint8_t *)(uintptr_t) "abc";
    s.avail_in = 3;
    s.next_out = packed;
    s.avail_out = sizeof(packed);
    assert_int_equal(deflate(&s, Z_SYNC_FLUSH), Z_OK);
    struct str bytes = str_of(packed, sizeof(packed) - s.avail_out);
    assert_int_equal(spdy_inflate(&z, bytes, &block), -ERR_PARSE);
    spdy_zlib_free(z, true);
    assert_int_equal(deflateEnd(&s), Z_DATA_ERROR); /* it was not finished */
    buf_deinit(&block);
}

static void test_blocks(void **state)
{
    static const struct {
        struct str bytes;
        int rc;
        size_t count;
    } rows[] = {
        { { "\0\0\0\0", 4 }, 0, 0 },
        { { "\0\0\0\1\0\0\0\1a\0\0\0\0", 13 }, 0, 1 },
        { { "\0\0\0\1\0\0\0\0\0\0\0\0", 12 }, -ERR_PARSE, 0 },  /* a name of nothing */
        { { "\0\0\0\1\0\0\0\1a\0\0\0\1", 13 }, -ERR_PARSE, 0 }, /* cut */
        { { "\0\0\0\1\xff\xff\xff\xff"
            "a",
            9 },
          -ERR_PARSE,
          0 },                                        /* a length beyond the end */
        { { "\0\0\0\0x", 5 }, -ERR_PARSE, 0 },        /* more than announced */
        { { "\xff\xff\xff\xff", 4 }, -ERR_PARSE, 0 }, /* more than allowed */
        { { "\0\0", 2 }, -ERR_PARSE, 0 },
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_headers h = { 0 };
        assert_int_equal(spdy_headers_read(&a, rows[i].bytes, &h), rows[i].rc);
        if (rows[i].rc == 0)
            assert_int_equal(h.count, rows[i].count);
    }
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dictionary),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_other_dictionary),
        cmocka_unit_test(test_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
