/* The simulated map: a crash loses none or the last commit, as asked, and what was open. */
#include "base/buf.h"
#include "store/kv.h"
#include "tests/unit/unit.h"

static uint64_t seed = 1;

static uint64_t below(uint64_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

static uint64_t number_of(struct kv *kv, const char *key)
{
    struct str value;
    struct kv_txn *t = kv_begin_read(kv);
    uint64_t n = kv_get(t, KV_META, str_from(key), &value) ? load_le64(value.data) : 0;
    kv_abort(t);
    return n;
}

static void put_number(struct kv_txn *t, const char *key, uint64_t n)
{
    uint8_t bytes[8];
    store_le64(bytes, n);
    kv_put(t, KV_META, str_from(key), str_of(bytes, sizeof bytes));
}

static void test_sim_crash(void **state)
{
    (void)state;
    struct kv_sim_disk *disk = kv_sim_disk_new();
    uint64_t committed = 0;
    for (int round = 0; round < 200; round++) {
        struct kv *kv = kv_sim_open(disk);
        assert_int_equal(number_of(kv, "n"), committed);
        uint64_t commits = below(3);
        for (uint64_t i = 0; i < commits; i++) {
            struct kv_txn *t = kv_begin_write(kv);
            put_number(t, "n", ++committed);
            (void)kv_delete(t, KV_META, str_from("x")); /* absent the first time */
            put_number(t, "x", committed);
            kv_commit(t);
        }
        if (below(2) == 0)
            put_number(kv_begin_write(kv), "n", 999999);
        bool lose = below(2) == 0;
        kv_sim_crash(disk, lose);
        kv_close(kv);
        committed -= lose && commits > 0 ? 1 : 0;
    }
    kv_sim_disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sim_crash) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
