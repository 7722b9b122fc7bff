/* Rows of versions: round trips, another sealing, hashes, and walking back. */
#include <string.h>

#include "base/arena.h"
#include "store/key.h"
#include "store/mvcc.h"
#include "tests/unit/unit.h"

static const struct store_term terms[] = { { 1, STR("a") }, { 70000, STR("") } };
static const struct store_charge charges[] = { { STR("c"), -5 }, { STR("dd"), 1ll << 40 } };
static const struct store_op op = {
    .terms = terms, .terms_count = 2, .charges = charges, .charges_count = 2
};
static const struct version sample = { .v = { .key = STR("pods/a"),
                                              .value = STR("value"),
                                              .revision = 301,
                                              .created = 300,
                                              .version = 7,
                                              .request_id = STR("id") },
                                       .previous = { 299, 2 },
                                       .skip = { 44, 5 },
                                       .since = 3 };

static void assert_sample(const struct version *v, const char *value)
{
    assert_int_equal(v->v.revision, 301);
    assert_int_equal(v->sub, 4);
    assert_int_equal(v->v.created, 300);
    assert_int_equal(v->v.previous, 299);
    assert_int_equal(v->previous.sub, 2);
    assert_int_equal(v->v.version, 7);
    assert_false(v->v.tombstone);
    assert_true(str_eq_c(v->v.key, "pods/a"));
    assert_true(str_eq_c(v->v.request_id, "id"));
    assert_true(str_eq_c(v->v.value, value));
    assert_int_equal(v->since, 3);
    assert_int_equal(v->skip.revision, 44);
    assert_int_equal(v->skip.sub, 5);
}

static void test_row(void **state)
{
    (void)state;
    struct buf row;
    struct buf again;
    struct key k;
    struct version v;
    struct arena arena;
    const struct store_term *out;
    buf_init(&row);
    buf_init(&again);
    arena_init(&arena);
    key_rev(&k, 301, 4);
    version_encode(&row, &sample, &op);
    version_decode(key_str(&k), buf_str(&row), &v);
    assert_sample(&v, "value");
    assert_int_equal(version_terms(&v, &arena, &out), 2);
    assert_int_equal(out[1].index, 70000);
    assert_true(str_eq_c(out[0].bytes, "a"));
    struct store_charge charge;
    assert_true(version_charge(&v.charges, &charge) && charge.amount == -5);
    assert_true(version_charge(&v.charges, &charge) && charge.amount == 1ll << 40);
    assert_true(str_eq_c(charge.counter, "dd"));
    assert_false(version_charge(&v.charges, &charge));
    version_rewrap(&again, buf_str(&row), str_lit("sealed"));
    version_decode(key_str(&k), buf_str(&again), &v);
    assert_sample(&v, "sealed");
    assert_int_equal(version_terms(&v, &arena, &out), 2);
    buf_deinit(&row);
    buf_deinit(&again);
    arena_deinit(&arena);
}

static void test_hash(void **state)
{
    (void)state;
    /* What differs in table, key, value or the border between them has another hash; and the
     * function never changes: digests of kept logs depend on it. */
    char bytes[40] = { 0 };
    uint64_t hashes[64];
    size_t count = 0;
    for (size_t len = 0; len <= sizeof bytes; len++)
        hashes[count++] = row_hash(KV_ROW, str_lit("k"), str_of(bytes, len));
    hashes[count++] = row_hash(KV_REV, str_lit("k"), str_of(bytes, 0));
    hashes[count++] = row_hash(KV_ROW, str_lit("ab"), str_lit("c"));
    hashes[count++] = row_hash(KV_ROW, str_lit("a"), str_lit("bc"));
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(hashes[i] != hashes[j]);
    assert_true(row_hash(KV_ROW, str_lit("a"), str_lit("bc")) == 0x37a4a8d8cfa88753u);
}

static void test_walk_back(void **state)
{
    (void)state;
    struct kv_sim_disk *disk = kv_sim_disk_new();
    struct kv *kv = kv_sim_open(disk);
    struct kv_txn *t = kv_begin_write(kv);
    static const uint64_t revisions[] = { 3, 5, 9 };
    struct version v = sample;
    struct place previous = { 1, 0 }; /* compaction took it */
    for (size_t i = 0; i < 3; i++) {
        struct buf row;
        struct key k;
        buf_init(&row);
        v.previous = previous;
        v.since = 0;
        version_encode(&row, &v, NULL);
        previous = (struct place){ revisions[i], 0 };
        key_rev(&k, revisions[i], 0);
        kv_append(t, KV_REV, key_str(&k), buf_str(&row));
        buf_deinit(&row);
    }
    struct newest n = { .place = previous, .hash = 99 };
    mvcc_set_newest(t, str_lit("pods/a"), &n);
    memset(&n, 0, sizeof n);
    assert_true(mvcc_newest(t, str_lit("pods/a"), &n));
    assert_true(n.place.revision == 9 && n.hash == 99 && !n.tombstone);
    assert_false(mvcc_newest(t, str_lit("pods/b"), &n));
    static const uint64_t cases[][2] = {
        { 2, 0 }, { 3, 3 }, { 4, 3 }, { 5, 5 }, { 8, 5 }, { 20, 9 }
    };
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(mvcc_at(t, &n, cases[i][0], &v), cases[i][1] != 0);
        if (cases[i][1] != 0)
            assert_int_equal(v.v.revision, cases[i][1]);
    }
    kv_commit(t);
    kv_close(kv);
    kv_sim_disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_walk_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
