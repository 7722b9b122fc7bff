/* Logs made and continued offline, also when the power goes at any step. */
#include "base/env_sim.h"
#include "store/wal.h"
#include "store/wal_format.h"
#include "tests/unit/unit.h"

#define FOLDER "/log"

struct seen {
    uint64_t count;
    uint64_t first;
    struct wal_entry last;
};

static void visit(void *ctx, const struct wal_entry *entry)
{
    struct seen *s = ctx;
    if (s->count++ == 0)
        s->first = entry->index;
    s->last = *entry;
}

static const struct wal_entry bootstrap[] = {
    { .index = 1, .term = 1, .type = 3, .bytes = STR("configuration") }
};

static void test_bootstrap(void **state)
{
    struct env *world = env_sim_new(1);
    struct env *host = env_sim_host_new(world, "host");
    struct wal_state found;
    struct seen seen = { 0 };
    struct wal_entry more = { .term = 4, .type = 2, .bytes = STR("more") };
    (void)state;
    assert_int_equal(wal_read(host, FOLDER, &found, NULL, NULL, NULL), -ERR_NOT_FOUND);
    assert_int_equal(wal_append_offline(host, FOLDER, &more, NULL), -ERR_NOT_FOUND);
    assert_int_equal(wal_create(host, FOLDER, 1, NULL, bootstrap, 1, NULL), 0);
    assert_int_equal(wal_create(host, FOLDER, 1, NULL, bootstrap, 1, NULL), -ERR_ALREADY_EXISTS);
    assert_int_equal(wal_read(host, FOLDER, &found, visit, &seen, NULL), 0);
    assert_int_equal(seen.count, 1);
    assert_int_equal(found.term, 1);
    assert_false(found.fresh);
    for (uint64_t i = 2; i < 6; i++) {
        more.term = i / 2 + 1;
        assert_int_equal(wal_append_offline(host, FOLDER, &more, NULL), 0);
        assert_int_equal(more.index, i);
    }
    seen = (struct seen){ 0 };
    assert_int_equal(wal_read(host, FOLDER, &found, visit, &seen, NULL), 0);
    assert_int_equal(seen.count, 5);
    assert_int_equal(seen.last.type, 2);
    assert_int_equal(found.term, 3);
    assert_int_equal(found.last, 5);
    env_sim_free(world);
}

static void test_restore(void **state)
{
    struct env *world = env_sim_new(2);
    struct env *host = env_sim_host_new(world, "host");
    struct wal_state found;
    struct wal_snapshot s = { .index = 1000, .term = 7, .configuration_index = 900 };
    struct wal_entry entry = { .index = 1001, .term = 8 };
    struct seen seen = { 0 };
    (void)state;
    assert_int_equal(env_dir_make(host, FOLDER, 0700, NULL), 0); /* an empty one will do */
    assert_int_equal(wal_create(host, FOLDER, 9, &s, NULL, 0, NULL), 0);
    assert_int_equal(wal_read(host, FOLDER, &found, NULL, NULL, NULL), 0);
    assert_int_equal(found.first, 1001);
    assert_int_equal(found.last, 1000);
    assert_int_equal(found.snapshot.configuration_index, 900);
    assert_int_equal(env_remove_tree(host, FOLDER, NULL), 0);
    assert_int_equal(wal_create(host, FOLDER, 9, &s, &entry, 1, NULL), 0);
    assert_int_equal(wal_read(host, FOLDER, &found, visit, &seen, NULL), 0);
    assert_int_equal(seen.first, 1001);
    assert_int_equal(found.term, 9);
    env_sim_free(world);
}

/* Exactly this log, or none. */
static void test_create_cut_short(void **state)
{
    bool done = false;
    (void)state;
    for (uint64_t n = 0; !done; n++) {
        struct env *world = env_sim_new(n + 1);
        struct env *host = env_sim_host_new(world, "host");
        struct wal_state found;
        env_sim_host_crash_after(host, n);
        (void)wal_create(host, FOLDER, 1, NULL, bootstrap, 1, NULL); /* means nothing when dead */
        done = env_sim_host_alive(host);
        if (done)
            env_sim_host_crash(host); /* after it returned: it is there */
        env_sim_host_restart(host);
        env_sim_host_crash_after(host, UINT64_MAX);
        bool there = env_path_exists(host, FOLDER);
        assert_true(there || !done);
        if (!there)
            assert_int_equal(wal_create(host, FOLDER, 1, NULL, bootstrap, 1, NULL), 0);
        assert_int_equal(wal_read(host, FOLDER, &found, NULL, NULL, NULL), 0);
        assert_int_equal(found.last, 1);
        assert_int_equal(found.term, 1);
        env_sim_free(world);
        assert_true(n < 100);
    }
}

/* More than one file of entries. */
static void test_many_entries(void **state)
{
    static char bytes[1 << 20];
    static struct wal_entry entries[40];
    struct env *world = env_sim_new(3);
    struct env *host = env_sim_host_new(world, "host");
    struct wal_state found;
    struct seen seen = { 0 };
    (void)state;
    for (size_t i = 0; i < 40; i++)
        entries[i] =
            (struct wal_entry){ .index = i + 1, .term = 2, .bytes = str_of(bytes, sizeof bytes) };
    assert_int_equal(wal_create(host, FOLDER, 2, NULL, entries, 40, NULL), 0);
    assert_true(env_path_exists(host, FOLDER "/log-0000000000000003"));
    assert_int_equal(wal_read(host, FOLDER, &found, visit, &seen, NULL), 0);
    assert_int_equal(seen.count, 40);
    env_sim_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_bootstrap),
                                        cmocka_unit_test(test_restore),
                                        cmocka_unit_test(test_create_cut_short),
                                        cmocka_unit_test(test_many_entries) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
