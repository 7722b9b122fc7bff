/* The simulated map: a crash loses none or the last commit, as asked, and what was open;
 * readers see one commit. */
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

/* Readers see the commit they began after, whoever writes, commits or aborts meanwhile. */
static void test_sim_snapshots(void **state)
{
    (void)state;
    struct kv_sim_disk *disk = kv_sim_disk_new();
    struct kv *kv = kv_sim_open(disk);
    struct kv_txn *readers[64];
    uint64_t expect[64];
    size_t count = 0;
    uint64_t committed = 0;
    struct kv_txn *writer = NULL;
    uint64_t written = 0;
    struct str value;
    for (int step = 0; step < 5000; step++) {
        switch (below(5)) {
        case 0:
            if (writer == NULL)
                writer = kv_begin_write(kv);
            put_number(writer, "n", written = committed + 1 + below(100));
            break;
        case 1:
            if (writer != NULL)
                kv_commit(writer);
            committed = writer != NULL ? written : committed;
            writer = NULL;
            break;
        case 2:
            if (writer != NULL)
                kv_abort(writer);
            writer = NULL;
            break;
        case 3:
            if (count < 64) {
                expect[count] = committed;
                readers[count++] = kv_begin_read(kv);
            }
            break;
        default:
            if (count > 0) {
                size_t i = below(count);
                bool found = kv_get(readers[i], KV_META, str_lit("n"), &value);
                assert_int_equal(found ? load_le64(value.data) : 0, expect[i]);
                kv_abort(readers[i]);
                readers[i] = readers[--count];
                expect[i] = expect[count];
            }
        }
    }
    assert_true(committed > 0);
    kv_sim_crash(disk, false); /* with readers and a writer in it */
    kv_close(kv);
    kv = kv_sim_open(disk);
    assert_int_equal(number_of(kv, "n"), committed);
    kv_close(kv);
    kv_sim_disk_free(disk);
}

/* A row that rotted stays so, whatever a crash takes back. */
static void test_sim_rot(void **state)
{
    (void)state;
    for (int crash = 0; crash < 3; crash++) { /* 0: none; 1: keeps the commit; 2: loses it */
        struct kv_sim_disk *disk = kv_sim_disk_new();
        struct kv *kv = kv_sim_open(disk);
        struct kv_txn *t;
        for (uint64_t n = 2; n <= 4; n += 2) {
            t = kv_begin_write(kv);
            put_number(t, "n", n);
            kv_commit(t);
        }
        t = kv_begin_write(kv);
        put_number(t, "n", 6); /* open when the power goes */
        assert_true(kv_sim_rot(kv, KV_META, str_lit("n"), 0));
        assert_false(kv_sim_rot(kv, KV_META, str_lit("n"), 8));
        assert_false(kv_sim_rot(kv, KV_META, str_lit("m"), 0));
        if (crash == 0) {
            kv_commit(t);
        } else {
            kv_sim_crash(disk, crash > 1);
            kv_close(kv);
            kv = kv_sim_open(disk);
        }
        assert_int_equal(number_of(kv, "n"), crash == 0 ? 7 : crash == 1 ? 5 : 3);
        kv_close(kv);
        kv_sim_disk_free(disk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sim_crash),
                                        cmocka_unit_test(test_sim_snapshots),
                                        cmocka_unit_test(test_sim_rot) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
