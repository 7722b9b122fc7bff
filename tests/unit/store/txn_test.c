/* Transactions and entries as bytes: round trips, limits, and strict refusal. */
#include <string.h>

#include "base/arena.h"
#include "store/txn.h"
#include "tests/unit/unit.h"

static const struct store_term terms[] = { { 3, STR("node-1") }, { 4000000000u, STR("") } };
static const struct store_charge charges[] = { { STR("ns/pods"), -7 }, { STR("c"), INT64_MIN } };
static const struct store_guard guards[] = {
    { .type = STORE_GUARD_MOD, .key = STR("a"), .revision = UINT64_MAX },
    { .type = STORE_GUARD_EXISTS, .key = STR("b") },
    { .type = STORE_GUARD_EMPTY, .key = STR("c/") },
    { .type = STORE_GUARD_COUNTER, .key = STR("d"), .amount = -1 },
    { .type = STORE_GUARD_ROW_EXISTS, .key = STR("e") },
    { .type = STORE_GUARD_ROW_ABSENT, .key = STR("f") }
};
static const struct store_op ops[] = {
    { .type = STORE_OP_PUT,
      .key = STR("k"),
      .value = STR("v\0w"),
      .terms = terms,
      .terms_count = 2,
      .charges = charges,
      .charges_count = 2 },
    { .type = STORE_OP_DELETE, .key = STR("k2") },
    { .type = STORE_OP_SET_LIMIT, .key = STR("q"), .amount = INT64_MAX },
    { .type = STORE_OP_REWRAP, .key = STR("k"), .value = STR("s"), .revision = 300 },
    { .type = STORE_OP_COMPACT, .revision = 127 },
    { .type = STORE_OP_COMPACT, .key = STR("leases/"), .revision = 128 },
    { .type = STORE_OP_CHECK, .revision = 1, .amount = -2 },
    { .type = STORE_OP_FEATURE_LEVEL, .amount = 1 },
    { .type = STORE_OP_APPEND,
      .key = STR("t"),
      .value = STR("m"),
      .producer = STR("p"),
      .producer_sequence = 9 },
    { .type = STORE_OP_APPEND, .key = STR("t"), .value = STR("") },
    { .type = STORE_OP_ROW_PUT, .key = STR("r"), .value = STR("x") },
    { .type = STORE_OP_ROW_DELETE, .key = STR("r") },
    { .type = STORE_OP_TRIM, .key = STR("t"), .revision = 5 },
    { .type = STORE_OP_PUT, .key = STR("k"), .value = STR("v"), .expires_ms = 1 },
    { .type = STORE_OP_PUT,
      .key = STR("k"),
      .terms = terms,
      .terms_count = 1,
      .expires_ms = UINT64_MAX },
    { .type = STORE_OP_APPEND,
      .key = STR("t"),
      .value = STR("m"),
      .producer = STR("p"),
      .producer_sequence = 10,
      .expires_ms = 77 },
    { .type = STORE_OP_ALARM, .revision = 3, .amount = STORE_ALARM_DISK },
    { .type = STORE_OP_TIMER, .key = STR("k"), .revision = 9, .expires_ms = 0 },
    { .type = STORE_OP_TICK, .expires_ms = 1767225600000 }
};
static const struct store_txn whole = { .guards = guards,
                                        .guards_count = 6,
                                        .ops = ops,
                                        .ops_count = sizeof ops / sizeof ops[0],
                                        .request_id = STR("0123"),
                                        .fence_term = 77 };

static void assert_str(struct str a, struct str b)
{
    assert_true(str_eq(a, b));
}

static void test_round_trip(void **state)
{
    (void)state;
    struct buf b;
    struct buf again;
    struct arena arena;
    struct store_txn txn;
    struct err e;
    buf_init(&b);
    buf_init(&again);
    arena_init(&arena);
    assert_int_equal(txn_encode(&whole, &b, &e), 0);
    assert_int_equal(txn_decode(buf_str(&b), &arena, &txn, &e), 0);
    assert_int_equal(txn.fence_term, 77);
    assert_str(txn.request_id, whole.request_id);
    assert_int_equal(txn.guards_count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(txn.guards[i].type, guards[i].type);
        assert_str(txn.guards[i].key, guards[i].key);
        assert_true(txn.guards[i].revision == guards[i].revision);
        assert_true(txn.guards[i].amount == guards[i].amount);
    }
    assert_int_equal(txn.ops_count, whole.ops_count);
    for (size_t i = 0; i < whole.ops_count; i++) {
        assert_int_equal(txn.ops[i].type, ops[i].type);
        assert_str(txn.ops[i].key, ops[i].key);
        assert_str(txn.ops[i].value, ops[i].value);
        assert_true(txn.ops[i].revision == ops[i].revision);
        assert_true(txn.ops[i].amount == ops[i].amount);
        assert_str(txn.ops[i].producer, ops[i].producer);
        assert_int_equal(txn.ops[i].producer_sequence, ops[i].producer_sequence);
        assert_true(txn.ops[i].expires_ms == ops[i].expires_ms);
    }
    assert_int_equal(txn.ops[0].terms_count, 2);
    assert_int_equal(txn.ops[0].terms[1].index, 4000000000u);
    assert_str(txn.ops[0].terms[0].bytes, terms[0].bytes);
    assert_true(txn.ops[0].charges[1].amount == INT64_MIN);
    assert_int_equal(txn_encode(&txn, &again, &e), 0);
    assert_str(buf_str(&again), buf_str(&b)); /* one encoding */
    /* No prefix of it, and nothing longer, is a transaction. */
    for (size_t cut = 0; cut < b.len; cut++)
        assert_int_equal(txn_decode(str_of(b.data, cut), &arena, &txn, &e), -ERR_CORRUPT);
    buf_append_byte(&b, 0);
    assert_int_equal(txn_decode(buf_str(&b), &arena, &txn, &e), -ERR_CORRUPT);
    buf_deinit(&b);
    buf_deinit(&again);
    arena_deinit(&arena);
}

static int encode_op(struct store_op op)
{
    struct buf b;
    struct err e;
    buf_init(&b);
    int rc = txn_encode(&(struct store_txn){ .ops = &op, .ops_count = 1 }, &b, &e);
    assert_true(rc == 0 || b.len == 0);
    buf_deinit(&b);
    return rc;
}

static void test_limits(void **state)
{
    (void)state;
    static char big[STORE_TXN_BYTES_MAX + 1];
    memset(big, 'k', sizeof big);
    struct store_term term = { 1, str_of(big, STORE_TERM_WHOLE_BYTES_MAX + 1) };
    const struct {
        struct store_op op;
        int rc;
    } cases[] = {
        { { .type = STORE_OP_PUT, .key = str_of(big, 400) }, 0 },
        { { .type = STORE_OP_PUT, .key = str_of(big, 401) }, -ERR_INVALID_ARGUMENT },
        { { .type = STORE_OP_PUT }, -ERR_INVALID_ARGUMENT },
        { { .type = 0, .key = STR("k") }, -ERR_INVALID_ARGUMENT },
        { { .type = 15, .key = STR("k"), .expires_ms = 1 }, -ERR_INVALID_ARGUMENT },
        { { .type = 16, .key = STR("k"), .expires_ms = 1 }, -ERR_INVALID_ARGUMENT },
        { { .type = 17, .key = STR("k") }, -ERR_INVALID_ARGUMENT },
        { { .type = STORE_OP_ALARM, .key = STR("k") }, -ERR_INVALID_ARGUMENT },
        { { .type = STORE_OP_TIMER, .expires_ms = 5 }, -ERR_INVALID_ARGUMENT },
        { { .type = STORE_OP_TICK }, -ERR_INVALID_ARGUMENT },
        { { .type = STORE_OP_CHECK, .key = STR("k") }, -ERR_INVALID_ARGUMENT },
        { { .type = STORE_OP_APPEND, .key = STR("a\0b") }, -ERR_INVALID_ARGUMENT },
        { { .type = STORE_OP_PUT, .key = STR("a\0b") }, 0 },
        { { .type = STORE_OP_PUT, .key = STR("k"), .value = str_of(big, sizeof big) },
          -ERR_TOO_LARGE },
        { { .type = STORE_OP_PUT, .key = STR("k"), .value = str_of(big, sizeof big - 1) },
          -ERR_TOO_LARGE },
        { { .type = STORE_OP_PUT, .key = STR("k"), .value = str_of(big, sizeof big - 100) }, 0 },
        { { .type = STORE_OP_PUT, .key = STR("k"), .terms = &term, .terms_count = 1 },
          -ERR_INVALID_ARGUMENT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(encode_op(cases[i].op), cases[i].rc);
    struct buf b;
    buf_init(&b);
    static struct store_op many[STORE_TXN_OPS_MAX + 1];
    for (size_t i = 0; i <= STORE_TXN_OPS_MAX; i++)
        many[i] = (struct store_op){ .type = STORE_OP_DELETE, .key = STR("k") };
    struct store_txn txn = { .ops = many, .ops_count = STORE_TXN_OPS_MAX };
    assert_int_equal(txn_encode(&txn, &b, NULL), 0);
    txn.ops_count++;
    assert_int_equal(txn_encode(&txn, &b, NULL), -ERR_INVALID_ARGUMENT);
    txn = (struct store_txn){ .request_id = str_of(big, 65) };
    assert_int_equal(txn_encode(&txn, &b, NULL), -ERR_INVALID_ARGUMENT);
    buf_deinit(&b);
}

static void test_strict(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        int rc;
    } cases[] = {
        { STR("\0\0\0\0"), 0 },                /* nothing guarded, nothing done */
        { STR("\x80\0\0\0\0"), -ERR_CORRUPT }, /* a varint longer than needed */
        { STR("\0\0\xff\xff\x03\0"), -ERR_CORRUPT },
        { STR("\0\0\0\1\x02\1k"), 0 },
        { STR("\0\0\0\1\x02\0"), -ERR_CORRUPT },
        { STR("\0\0\0\1\x63\1k"), -ERR_CORRUPT },
        { STR("\0\0\1\x63\1k\0"), -ERR_CORRUPT },
        { STR("\0\0\0\1\x0f\1k\1v\0\0\5"), 0 },            /* a put that expires */
        { STR("\0\0\0\1\x0f\1k\1v\0\0\0"), -ERR_CORRUPT }, /* a put has one encoding */
        { STR("\0\0\0\1\x0e\0\7"), 0 },                    /* a tick */
        { STR("\0\0\0\1\x0e\0\0"), -ERR_CORRUPT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena;
        struct store_txn txn;
        arena_init(&arena);
        assert_int_equal(txn_decode(cases[i].bytes, &arena, &txn, NULL), cases[i].rc);
        arena_deinit(&arena);
    }
}

/* What a release of level 1 can read is what needs level 1. */
static void test_levels(void **state)
{
    (void)state;
    for (size_t i = 0; i < whole.ops_count; i++) {
        struct store_txn txn = { .ops = &ops[i], .ops_count = 1 };
        assert_int_equal(txn_level(&txn),
                         ops[i].type > STORE_OP_TRIM || ops[i].expires_ms > 0 ? 2 : 1);
    }
    assert_int_equal(txn_level(&whole), 2);
    assert_int_equal(txn_level(&(struct store_txn){ 0 }), STORE_FEATURE_LEVEL_FIRST);
    struct store_op raise = { .type = STORE_OP_FEATURE_LEVEL, .amount = 3 };
    struct store_txn txn = { .ops = &raise, .ops_count = 1 };
    assert_true(txn_raises_above(&txn, 2));
    assert_false(txn_raises_above(&txn, 3));
}

static void test_entries(void **state)
{
    (void)state;
    struct buf b;
    struct entry entry;
    struct str frame;
    buf_init(&b);
    entry_begin(&b, 5, 42);
    entry_add(&b, str_lit("first"));
    entry_add(&b, str_lit(""));
    entry_add(&b, str_lit("third"));
    entry_end(&b, 3);
    assert_int_equal(b.len % 8, 0);
    assert_int_equal(entry_decode(buf_str(&b), &entry, NULL), 0);
    assert_int_equal(entry.level, 5);
    assert_int_equal(entry.term, 42);
    assert_int_equal(entry.count, 3);
    assert_true(entry_next(&entry, &frame) && str_eq_c(frame, "first"));
    assert_true(entry_next(&entry, &frame) && str_eq_c(frame, ""));
    assert_true(entry_next(&entry, &frame) && str_eq_c(frame, "third"));
    assert_false(entry_next(&entry, &frame));
    for (size_t cut = 0; cut < b.len; cut++)
        assert_int_equal(entry_decode(str_of(b.data, cut), &entry, NULL), -ERR_CORRUPT);
    b.data[b.len - 1] = 1; /* padding */
    assert_int_equal(entry_decode(buf_str(&b), &entry, NULL), -ERR_CORRUPT);
    b.data[0] = 9;
    assert_int_equal(entry_decode(buf_str(&b), &entry, NULL), -ERR_UNIMPLEMENTED);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_strict),     cmocka_unit_test(test_levels),
        cmocka_unit_test(test_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
