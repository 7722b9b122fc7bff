/* How full a group is; and that writing the same keys over and over, compacted, uses no more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/group_state.h"
#include "store/usage.h"
#include "tests/unit/store/store_fixture.h"
#include "tests/unit/unit.h"

static void test_quota(void **state)
{
    (void)state;
    static const struct {
        uint64_t quota;
        uint64_t map;
        uint64_t expected;
    } cases[] = {
        { 0, 0, STORE_QUOTA_BYTES },
        { 1000, 0, 1000 },
        { UINT64_MAX, 1000, 800 },
        { 0, 1000, 800 },
        { 0, UINT64_MAX, STORE_QUOTA_BYTES },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(usage_quota(cases[i].quota, cases[i].map), cases[i].expected);
}

static void test_wastes(void **state)
{
    (void)state;
    const uint64_t gib = 1ull << 30;
    const struct {
        struct usage u;
        bool wastes;
    } cases[] = {
        { { .used_bytes = gib,
            .free_bytes = 3 * gib,
            .disk_bytes = 9 * gib,
            .disk_free_bytes = 8 * gib },
          true },
        /* Half and half, and a small file, are left as they are. */
        { { .used_bytes = gib,
            .free_bytes = gib,
            .disk_bytes = 9 * gib,
            .disk_free_bytes = 8 * gib },
          false },
        { { .used_bytes = 1,
            .free_bytes = USAGE_WASTE_BYTES,
            .disk_bytes = 9 * gib,
            .disk_free_bytes = 8 * gib },
          false },
        /* No room for the copy, or nobody knows. */
        { { .used_bytes = gib,
            .free_bytes = 3 * gib,
            .disk_bytes = 9 * gib,
            .disk_free_bytes = 2 * gib },
          false },
        { { .used_bytes = gib, .free_bytes = 3 * gib }, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(usage_wastes(&cases[i].u), cases[i].wastes);
}

#define KEYS       50
#define ROUNDS     60
#define VALUE_SIZE 2000

static void overwrite(struct store_fixture *f)
{
    static char value[VALUE_SIZE + 1];
    memset(value, 'v', VALUE_SIZE);
    for (int i = 0; i < KEYS; i++) {
        char key[32];
        snprintf(key, sizeof key, "leases/%d", i);
        assert_int_equal(fixture_put(f, key, value).status, 0);
    }
}

/* Until the applier has walked what the mark passed. A test has nothing better than to poll. */
static void wait_compacted(struct store_fixture *f, uint64_t revision)
{
    struct store_read r;
    struct compact marks = { 0 };
    do {
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        assert_int_equal(store_read_begin(f->group, 0, &r), 0);
        compact_load(&marks, r.txn);
        store_read_end(&r);
    } while (marks.marks[0].done < revision);
}

struct sampling {
    struct env_msg msg;
    struct store_group *group;
    atomic_bool done;
};

static void run_sample(struct env_msg *m)
{
    struct sampling *s = (struct sampling *)m;
    usage_sample(s->group);
    atomic_store(&s->done, true);
}

static void sample(struct store_fixture *f, struct usage *out)
{
    struct sampling s = { .group = f->group };
    env_post(f->group->loop, &s.msg, run_sample);
    while (!atomic_load(&s.done))
        nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
    usage_read(f->group, out);
}

static void test_flat(void **state)
{
    (void)state;
    struct store_fixture f;
    struct usage usage = { 0 };
    uint64_t settled = 0;
    uint64_t most = 0;
    fixture_init(&f, 0);
    for (int round = 0; round < ROUNDS; round++) {
        overwrite(&f);
        uint64_t revision = store_published(f.group);
        fixture_op(&f, (struct store_op){ .type = STORE_OP_COMPACT, .revision = revision });
        wait_compacted(&f, revision);
        sample(&f, &usage);
        if (round == ROUNDS / 4)
            settled = usage.used_bytes + usage.free_bytes;
        if (round > ROUNDS / 4 && usage.used_bytes + usage.free_bytes > most)
            most = usage.used_bytes + usage.free_bytes;
        /* What is in use is the keys, not their history. */
        assert_true(usage.used_bytes < 4ull * KEYS * VALUE_SIZE);
    }
    print_message("file %llu bytes settled, at most %llu; %llu in use, %llu free\n",
                  (unsigned long long)settled, (unsigned long long)most,
                  (unsigned long long)usage.used_bytes, (unsigned long long)usage.free_bytes);
    /* Rows that went gave their pages to those that came: the file does not grow with rounds. */
    assert_true(most < settled + settled / 4);
    assert_true(usage.disk_bytes > 0 && usage.disk_free_bytes <= usage.disk_bytes);
    assert_int_equal(usage.quota_bytes, STORE_QUOTA_BYTES);
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_quota), cmocka_unit_test(test_wastes),
                                        cmocka_unit_test(test_flat) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
