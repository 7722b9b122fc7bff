/* SPDY/3.1 frames as bytes, whole and cut, and what the two sides write and read. */
#include "base/err.h"
#include "net/spdy.h"
#include "tests/unit/unit.h"

/* Appends what the events came to as text. The last event is returned. */
static enum spdy_event feed(struct spdy_decoder *d, struct buf *b, struct str bytes, size_t step)
{
    enum spdy_event event = SPDY_EVENT_MORE;
    while (bytes.len > 0 && event != SPDY_EVENT_ERROR) {
        struct str in = str_slice(bytes, 0, step);
        bytes = str_slice(bytes, in.len, bytes.len);
        while ((event = spdy_decode(d, &in)) != SPDY_EVENT_MORE) {
            if (event == SPDY_EVENT_ERROR) {
                buf_printf(b, "error %s;", d->reason);
                break;
            }
            if (event == SPDY_EVENT_DATA) {
                buf_printf(b, "%.*s%s", STR_ARG(d->data), d->fin ? "|" : "");
                continue;
            }
            buf_printf(b, "%d:%u:%u%s", event, d->stream, d->value, d->fin ? "|" : "");
            for (size_t i = 0; event <= SPDY_EVENT_HEADERS && i < d->headers.count; i++)
                buf_printf(b, " %.*s=%.*s", STR_ARG(d->headers.items[i].name),
                           STR_ARG(d->headers.items[i].value));
            buf_append_c(b, ";");
        }
    }
    return event;
}

static struct str run(struct arena *a, struct str bytes, size_t step)
{
    struct spdy_decoder d;
    struct buf b;
    buf_init(&b);
    spdy_decoder_init(&d);
    (void)feed(&d, &b, bytes, step); /* the text says it */
    struct str out = str_copy(a, buf_str(&b));
    spdy_decoder_deinit(&d);
    buf_deinit(&b);
    return out;
}

static void test_bytes(void **state)
{
    static const struct {
        struct str bytes;
        const char *want;
    } rows[] = {
        { { "\0\0\0\1\0\0\0\2hi\0\0\0\1\1\0\0\1!", 19 }, "hi!|" },
        { { "\0\0\0\3\1\0\0\0", 8 }, "|" },
        { { "\x80\3\0\6\0\0\0\4\0\0\0\7", 12 }, "5:7:7;" },
        { { "\x80\3\0\3\0\0\0\x8\0\0\0\5\0\0\0\5", 16 }, "4:5:5;" },
        { { "\x80\3\0\7\0\0\0\x8\0\0\0\5\0\0\0\0", 16 }, "6:5:0;" },
        /* skipped: SETTINGS, WINDOW_UPDATE and a type nobody knows */
        { { "\x80\3\0\4\0\0\0\4\0\0\0\0\x80\3\0\x9\0\0\0\0\x80\3\0\x77\0\0\0\1x\0\0\0\1\1\0\0\1!",
            38 },
          "!|" },
        { { "\0\0\0\0\0\0\0\1x", 9 }, "error data on stream 0;" },
        { { "\x80\2\0\6\0\0\0\4\0\0\0\7", 12 }, "error not version 3;" },
        { { "\x80\3\0\1\0\1\0\1", 8 }, "error control frame too long;" },
        { { "\x80\3\0\6\0\0\0\3\0\0\0", 11 }, "error control frame of a wrong length;" },
        { { "\x80\3\0\1\0\0\0\3\0\0\0", 11 }, "error control frame too short;" },
        { { "\x80\3\0\2\0\0\0\6\0\0\0\1xx", 14 }, "error headers do not unpack;" },
        { { "\0\0\0\1\0\0", 6 }, "" },
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str whole = run(&a, rows[i].bytes, rows[i].bytes.len);
        struct str single = run(&a, rows[i].bytes, 1);
        assert_string_equal(str_dup(&a, whole), rows[i].want);
        assert_string_equal(str_dup(&a, single), rows[i].want);
    }
    arena_deinit(&a);
}

static const struct http_header row = { STR("streamtype"), STR("stdout") };

/* One compression context for a connection: the second block is shorter and still reads. */
static void test_headers(void **state)
{
    struct spdy_encoder e;
    struct buf wire;
    struct arena a;
    (void)state;
    arena_init(&a);
    buf_init(&wire);
    spdy_encoder_init(&e);
    spdy_write_syn_stream(&e, &wire, 1, false, &row, 1);
    size_t first = wire.len;
    spdy_write_syn_stream(&e, &wire, 3, true, &row, 1);
    assert_true(wire.len - first < first);
    spdy_write_syn_reply(&e, &wire, 5, false, NULL, 0);
    assert_true(str_starts(buf_str(&wire), str_of("\x80\3\0\1\0\0\0", 7)));
    struct str want = str_lit("1:1:0 streamtype=stdout;1:3:0| streamtype=stdout;2:5:0;");
    for (size_t step = 1; step <= wire.len; step++)
        assert_string_equal(str_dup(&a, run(&a, buf_str(&wire), step)), str_dup(&a, want));
    spdy_encoder_deinit(&e);
    buf_deinit(&wire);
    arena_deinit(&a);
}

static void test_writing(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b);
    spdy_write_data(&b, 3, true, str_lit("x"));
    spdy_write_ping(&b, 9);
    spdy_write_rst_stream(&b, 1, SPDY_CANCEL);
    spdy_write_goaway(&b, 7, 0);
    assert_true(str_eq(buf_str(&b), str_of("\0\0\0\3\1\0\0\1x"
                                           "\x80\3\0\6\0\0\0\4\0\0\0\x9"
                                           "\x80\3\0\3\0\0\0\x8\0\0\0\1\0\0\0\5"
                                           "\x80\3\0\7\0\0\0\x8\0\0\0\7\0\0\0\0",
                                           9 + 12 + 16 + 16)));
    buf_deinit(&b);
}

/* Control frames can be passed on as they came, flags and packed headers included. */
static void test_same(void **state)
{
    static const struct http_header header = { STR("streamtype"), STR("error") };
    struct spdy_encoder e;
    struct spdy_decoder d;
    struct buf in;
    struct buf out;
    (void)state;
    buf_init(&in);
    buf_init(&out);
    spdy_encoder_init(&e);
    spdy_decoder_init(&d);
    spdy_write_syn_stream(&e, &in, 1, true, &header, 1);
    spdy_write_ping(&in, 9);
    spdy_write_syn_reply(&e, &in, 1, false, &header, 1);
    spdy_write_goaway(&in, 7, 0);
    struct str rest = buf_str(&in);
    while (spdy_decode(&d, &rest) != SPDY_EVENT_MORE) {
        spdy_write_same(&out, &d);
    }
    assert_true(str_eq(buf_str(&in), buf_str(&out)));
    spdy_decoder_deinit(&d);
    spdy_encoder_deinit(&e);
    buf_deinit(&in);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
