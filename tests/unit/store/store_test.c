/* store_open and its refusals, read points by revision, and a member that is left alone. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/quarantine.h"
#include "store/txn.h"
#include "store/usage.h"
#include "tests/unit/store/store_world.h"
#include "tests/unit/unit.h"

static void test_waits_for_a_revision(void **state)
{
    struct store_world *w = *state;
    int leader = store_world_wait_leader(w);
    struct store_result result = store_world_put(w, leader, "r", "1", 0);

    assert_int_equal(result.status, 0);
    for (int i = 0; i < MEMBERS_COUNT; i++)
        assert_int_equal(store_world_read_point(w, i, result.revision, 0).status, 0);
    assert_int_equal(store_world_read_point(w, 0, result.revision + 1000, 300).status,
                     -ERR_TIMEOUT);
}

static void test_bad_transaction(void **state)
{
    struct store_world *w = *state;
    char key[STORE_KEY_BYTES_MAX + 2];

    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    assert_true(store_world_put(w, 0, key, "1", 0).status < 0);
}

static void test_folder_is_locked(void **state)
{
    struct store_world *w = *state;
    struct store_config c = members_config(&w->m, w->env, 0);
    struct store *s;
    struct err e = { 0 };

    assert_int_equal(store_open(&c, &s, &e), -ERR_CONFLICT);
    assert_non_null(strstr(e.msg, c.folder));
}

/* A member in quarantine does not open, and says what to do; nor does it keep its folder locked. */
static void test_quarantine(void **state)
{
    struct store_world *w = *state;
    struct store_config c = members_config(&w->m, w->env, 1);
    struct quarantine q = { .group = STORE_CLUSTER, .why = "a test" };
    char folder[512];
    struct store *s;
    struct err e = { 0 };

    snprintf(folder, sizeof(folder), "%s/quarantined", w->m.folder);
    c.folder = folder;
    assert_int_equal(env_dir_make(w->env, folder, 0700, &e), 0);
    assert_int_equal(quarantine_write(w->env, folder, &q, &e), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(store_open(&c, &s, &e), -ERR_CORRUPT);
        assert_non_null(strstr(e.msg, "gantry member remove"));
    }
}

/* The level rises by itself, everywhere; what it unlocks works through any member. */
static void test_level_rises(void **state)
{
    struct store_world *w = *state;
    bool risen = false;

    for (int n = 0; n < 2000 && !risen; n++) {
        risen = true;
        for (int i = 0; i < MEMBERS_COUNT; i++)
            risen = risen && store_world_status(w, i).feature_level == STORE_FEATURE_LEVEL;
        usleep(10000);
    }
    assert_true(risen);
    assert_int_equal(store_world_status(w, 0).feature_level_max, STORE_FEATURE_LEVEL);
    assert_int_equal(store_world_status(w, 0).quota_bytes,
                     usage_quota(0, members_config(&w->m, w->env, 0).map_bytes));
    assert_true(store_world_status(w, 0).used_bytes > 0);
    for (int i = 0; i < MEMBERS_COUNT; i++) {
        struct store_op put = { .type = STORE_OP_PUT, .key = STR("short"), .expires_ms = 1 };
        struct store_txn txn = { .ops = &put, .ops_count = 1 };
        struct store_result result = store_world_write(w, i, &txn);
        bool gone = false;

        assert_int_equal(result.status, 0);
        for (int n = 0; n < 1000 && !gone; n++) { /* the leader's clock is past 1970 */
            gone = store_world_status(w, i).published > result.revision;
            usleep(10000);
        }
        assert_true(gone);
        assert_false(store_world_has(w, i, "short", ""));
        assert_int_equal(store_world_status(w, i).timers, 0);
        assert_true(store_world_status(w, i).clock_ms > 1);
    }
}

static void test_bad_config(void **state)
{
    struct store_world *w = *state;
    struct store_config c = members_config(&w->m, w->env, 0);
    struct store *s;
    struct err e = { 0 };

    c.member_id = 7;
    assert_int_equal(store_open(&c, &s, &e), -ERR_INVALID_ARGUMENT);
    c.member_id = 1;
    c.members[1].id = 1;
    assert_int_equal(store_open(&c, &s, &e), -ERR_INVALID_ARGUMENT);
    c.members_count = 0;
    assert_int_equal(store_open(&c, &s, &e), -ERR_INVALID_ARGUMENT);
}

/* One of three can promise nothing: reads and writes end with an error, not with a guess. */
static void test_minority_says_so(void **state)
{
    struct store_world *w = *state;
    struct store_barrier b;

    (void)store_world_wait_leader(w);
    store_close(w->stores[1]);
    store_close(w->stores[2]);
    w->stores[1] = w->stores[2] = NULL;
    usleep(1500000); /* a leader steps down when it hears nobody */
    b = store_world_read_point(w, 0, 0, 1000);
    assert_true(b.status == -ERR_UNAVAILABLE || b.status == -ERR_TIMEOUT);
    assert_false(store_world_status(w, 0).ready);
    store_world_open_member(w, 1);
    store_world_open_member(w, 2);
    (void)store_world_wait_leader(w);
    assert_int_equal(store_world_put(w, 0, "again", "1", 0).status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_for_a_revision), cmocka_unit_test(test_bad_transaction),
        cmocka_unit_test(test_folder_is_locked),     cmocka_unit_test(test_bad_config),
        cmocka_unit_test(test_quarantine),           cmocka_unit_test(test_level_rises),
        cmocka_unit_test(test_minority_says_so)
    };

    return cmocka_run_group_tests(tests, store_world_setup, store_world_teardown);
}
