/* Writes for the leader and their answers as frames. (Those about reads: links_test, and the fuzz
 * target's corpus.) */
#include "store/raft_wire.h"
#include "tests/unit/unit.h"

/* ---- writes for the leader ---- */

static int decode_writes(struct str frame, struct wire_writes *out)
{
    struct wire_header h;
    struct err e;
    int rv = wire_header_decode(frame.data, &h, &e);

    return rv != 0
               ? rv
               : wire_writes_decode(&h, str_slice(frame, WIRE_HEADER_BYTES, frame.len), out, &e);
}

static void put_forward(struct buf *b)
{
    size_t begun = wire_writes_begin(WIRE_FORWARD, 1ull << 40, 2, STORE_BUS, b);

    wire_forward_add(str_lit("first"), 10000, b);
    wire_forward_add(str_lit(""), 0, b);
    wire_writes_end(begun, b);
}

static void put_forwarded(struct buf *b)
{
    static const struct store_result results[] = {
        { .revision = 1ull << 33 },
        { .status = -ERR_CONFLICT, .revision = 7, .failed_guard = 3 },
        { .sequence = 9, .appended = 2, .replayed = true },
    };
    size_t begun = wire_writes_begin(WIRE_FORWARDED, 5, 3, STORE_CLUSTER, b);

    for (int i = 0; i < 3; i++)
        wire_forwarded_add(&results[i], b);
    wire_writes_end(begun, b);
}

static void test_writes_come_back(void **state)
{
    struct wire_writes w;
    struct store_result r;
    struct str txn;
    uint32_t wait_ms;
    struct buf b;

    (void)state;
    buf_init(&b);
    put_forward(&b);
    assert_int_equal(decode_writes(buf_str(&b), &w), 0);
    assert_int_equal(w.call, 1ull << 40);
    assert_int_equal(w.count, 2);
    assert_true(wire_forward_next(&w, &txn, &wait_ms));
    assert_true(str_eq_c(txn, "first"));
    assert_int_equal(wait_ms, 10000);
    assert_true(wire_forward_next(&w, &txn, &wait_ms));
    assert_int_equal(txn.len, 0);
    assert_false(wire_forward_next(&w, &txn, &wait_ms));
    buf_clear(&b);
    put_forwarded(&b);
    assert_int_equal(decode_writes(buf_str(&b), &w), 0);
    assert_true(wire_forwarded_next(&w, &r));
    assert_int_equal(r.status, 0);
    assert_int_equal(r.revision, 1ull << 33);
    assert_true(wire_forwarded_next(&w, &r));
    assert_int_equal(r.status, -ERR_CONFLICT);
    assert_int_equal(r.failed_guard, 3);
    assert_true(wire_forwarded_next(&w, &r));
    assert_int_equal(r.sequence, 9);
    assert_int_equal(r.appended, 2);
    assert_true(r.replayed);
    assert_false(wire_forwarded_next(&w, &r));
    buf_deinit(&b);
}

/* One byte is changed, or the frame ends early: the decoder says no. */
static void test_writes_out_of_range(void **state)
{
    static const struct {
        void (*put)(struct buf *b);
        size_t at; /* in the body */
        uint8_t value;
    } cases[] = {
        { put_forward, 8, 1 },           /* fewer than there are */
        { put_forward, 8, 3 },           /* more */
        { put_forward, 8, 0 },           /* none */
        { put_forward, 9, 0x10 },        /* more than an entry holds */
        { put_forward, 12 + 4, 4 },      /* a transaction's length */
        { put_forward, 12 + 6, 0x18 },   /* above the largest */
        { put_forward, 12 + 7, 0xff },   /* far above */
        { put_forwarded, 8, 2 },         /* as above */
        { put_forwarded, 12 + 3, 0x80 }, /* a status that is none */
        { put_forwarded, 12 + 28, 2 },   /* neither yes nor no */
    };
    struct wire_writes w;
    struct buf b;

    (void)state;
    buf_init(&b);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_clear(&b);
        cases[i].put(&b);
        b.data[WIRE_HEADER_BYTES + cases[i].at] = cases[i].value;
        assert_int_equal(decode_writes(buf_str(&b), &w), -ERR_PROTOCOL);
    }
    for (int kind = 0; kind < 2; kind++) {
        buf_clear(&b);
        (kind == 0 ? put_forward : put_forwarded)(&b);
        for (size_t len = WIRE_HEADER_BYTES; len < b.len; len++)
            assert_int_equal(decode_writes(str_of(b.data, len), &w), -ERR_PROTOCOL);
    }
    buf_deinit(&b);
}

static void test_headers(void **state)
{
    static const struct {
        const char *bytes;
        int rv;
    } cases[] = {
        { "\x9d\0\0\0\2\x47\1\0", 0 },             /* a forwarded write */
        { "\0\0\x19\0\2\x47\1\0", -ERR_PROTOCOL }, /* more than an entry's worth of them */
        { "\x9d\0\0\0\0\x48\1\0", -ERR_PROTOCOL }, /* answers of no group */
        { "\0\0\2\0\1\x48\1\0", -ERR_PROTOCOL },   /* more answers than writes */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wire_header h;
        struct err e;

        assert_int_equal(wire_header_decode(cases[i].bytes, &h, &e), cases[i].rv);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_headers),
                                        cmocka_unit_test(test_writes_come_back),
                                        cmocka_unit_test(test_writes_out_of_range) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
