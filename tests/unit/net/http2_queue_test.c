/* A stream's output queue: copies and counted slices come out in order, in pieces of any size. */
#include <string.h>

#include "base/arena.h"
#include "net/http2.h"
#include "net/tls.h"
#include "tests/unit/unit.h"

static int wakes;

static void on_wake(struct http_link *l)
{
    (void)l;
    wakes++;
}

static void test_order(void **state)
{
    static const struct http_link_ops ops = { .wake = on_wake };
    (void)state;
    for (size_t piece = 1; piece < 40000; piece = piece * 3 + 1) {
        struct http_link link = { .ops = &ops };
        struct http2_conn c = { .g = { .link = &link } };
        struct http2_stream s = { 0 };
        struct buf want = { 0 };
        struct buf got = { 0 };
        list_init(&c.streams);
        list_init(&c.ready);
        http2_stream_init(&c, &s, 1);
        for (uint8_t i = 0; i < 200; i++) {
            char bytes[400];
            struct str part = str_of(bytes, (size_t)i * 2 + 1);
            memset(bytes, 'a' + i % 26, sizeof(bytes));
            buf_append_str(&want, part);
            struct shared *shared = i % 3 == 0 ? shared_new(part.data, part.len) : NULL;
            assert_true(http2_stream_write(&s, part, shared));
            shared_unref(shared);
        }
        assert_int_equal(s.queue.bytes, want.len);
        while (s.queue.bytes > 0)
            http2_queue_take(&s.queue, &got, s.queue.bytes < piece ? s.queue.bytes : piece);
        assert_true(str_eq(buf_str(&got), buf_str(&want)));
        assert_true(http2_stream_write(&s, str_lit("left over"), NULL));
        http2_stream_deinit(&s);
        assert_int_equal(c.stream_count, 0);
        buf_deinit(&want);
        buf_deinit(&got);
    }
    assert_true(wakes > 0);
}

/* A slice in many queues is one piece of memory: the first queue counts it. */
static void test_what_is_held(void **state)
{
    static const struct http_link_ops ops = { .wake = on_wake };
    struct http_link link = { .ops = &ops };
    struct http2_conn c = { .g = { .link = &link } };
    struct http2_stream s[3] = { 0 };
    struct buf out = { 0 };
    (void)state;
    list_init(&c.streams);
    list_init(&c.ready);
    struct shared *slice = shared_new("0123456789", 10);
    for (int32_t i = 0; i < 3; i++) {
        http2_stream_init(&c, &s[i], i * 2 + 1);
        assert_true(http2_stream_write(&s[i], shared_str(slice), slice));
    }
    shared_unref(slice);
    assert_int_equal(c.held, 10);
    assert_true(http2_stream_write(&s[2], str_lit("own"), NULL));
    assert_int_equal(c.held, 13);
    http2_queue_take(&s[2].queue, &out, 12);
    assert_int_equal(s[2].queue.held, 1);
    c.held -= 2; /* what the session does then */
    for (int i = 0; i < 3; i++)
        http2_stream_deinit(&s[i]);
    assert_int_equal(c.held, 0);
    buf_deinit(&out);
}

static void test_a_writer_without_patience(void **state)
{
    static const struct http_link_ops ops = { .wake = on_wake };
    struct http_link link = { .ops = &ops };
    struct http2_conn c = { .g = { .link = &link } };
    struct http2_stream s = { 0 };
    (void)state;
    list_init(&c.streams);
    list_init(&c.ready);
    http2_stream_init(&c, &s, 1);
    char *bytes = mem_alloc(1 << 20);
    struct shared *shared = shared_new(bytes, 1 << 20);
    bool ok = true;
    for (int i = 0; i < 64; i++)
        ok = ok && http2_stream_write(&s, shared_str(shared), shared);
    assert_true(ok);
    assert_true(s.above);
    assert_false(http2_stream_write(&s, str_lit("x"), NULL));
    http2_stream_end(&s, NULL, 0);
    assert_true(http2_stream_write(&s, str_lit("late"), NULL));
    assert_int_equal(s.queue.bytes, (64 << 20) + 1);
    http2_stream_deinit(&s);
    shared_unref(shared);
    mem_free(bytes);
}

static void test_error_codes(void **state)
{
    (void)state;
    assert_int_equal(http2_error_of(-ERR_CANCELED), NGHTTP2_CANCEL);
    assert_int_equal(http2_error_of(ERR_CANCELED), NGHTTP2_CANCEL);
    assert_int_equal(http2_error_of(-ERR_UNAVAILABLE), NGHTTP2_REFUSED_STREAM);
    assert_int_equal(http2_error_of(-ERR_NOT_FOUND), NGHTTP2_INTERNAL_ERROR);
    assert_int_equal(http2_error_of(0), NGHTTP2_NO_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_what_is_held),
        cmocka_unit_test(test_a_writer_without_patience),
        cmocka_unit_test(test_error_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
