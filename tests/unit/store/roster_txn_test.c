/* Transactions over rows: guarded by what was read, all or nothing. */
#include <stdio.h>
#include <string.h>

#include "store/roster_txn.h"
#include "tests/unit/store/store_fixture.h"
#include "tests/unit/unit.h"

static struct roster_row row(uint64_t id, const char *name, uint64_t revision)
{
    struct roster_row r = { .want = ROSTER_STANDBY, .revision = revision };

    r.member.id = id;
    (void)snprintf(r.member.name, sizeof(r.member.name), "%s", name);
    (void)snprintf(r.member.raft_address, sizeof(r.member.raft_address), "%s", "tcp:a:1");
    (void)snprintf(r.member.peer_address, sizeof(r.member.peer_address), "%s", "tcp:a:2");
    return r;
}

static struct store_result submit(struct store_fixture *f, struct roster_txn *t)
{
    struct store_result result = fixture_txn(f, roster_txn_get(t, 0));

    roster_txn_deinit(t);
    roster_txn_init(t);
    return result;
}

static void test_rows_and_ids(void **state)
{
    struct store_fixture f;
    struct roster_txn t;
    struct roster r;
    struct roster_row m4 = row(4, "m4", 0);
    struct err e;

    (void)state;
    fixture_init(&f, 0);
    roster_txn_init(&t);
    (void)fixture_put(&f, ROSTER_NEXT_KEY, "4");
    assert_int_equal(roster_read(f.group, &r, &e), 0);
    roster_txn_row(&t, &m4);
    roster_txn_take_id(&t, &r);
    assert_int_equal(submit(&f, &t).status, 0);
    assert_int_equal(roster_read(f.group, &r, &e), 0);
    assert_int_equal(r.next_id, 5);
    assert_int_equal(r.rows[0].member.id, 4);
    /* As if it were not there yet: somebody else was faster. */
    roster_txn_row(&t, &m4);
    assert_int_equal(submit(&f, &t).status, -ERR_CONFLICT);
    m4 = r.rows[0];
    m4.want = ROSTER_GONE;
    roster_txn_row(&t, &m4);
    assert_int_equal(submit(&f, &t).status, 0);
    /* At the revision before. */
    roster_txn_drop(&t, &m4);
    assert_int_equal(submit(&f, &t).status, -ERR_CONFLICT);
    assert_int_equal(roster_read(f.group, &r, &e), 0);
    assert_false(roster_removed(&r, 4));
    roster_txn_drop(&t, &r.rows[0]);
    assert_int_equal(submit(&f, &t).status, 0);
    assert_int_equal(roster_read(f.group, &r, &e), 0);
    assert_int_equal(r.count, 0);
    assert_true(roster_removed(&r, 4));
    assert_false(roster_removed(&r, 5)); /* not given away yet */
    roster_txn_deinit(&t);
    fixture_deinit(&f);
}

static void test_all_or_nothing(void **state)
{
    struct store_fixture f;
    struct roster_txn t;
    struct roster_row m5 = row(5, "m5", 0);
    struct roster r;
    struct err e;

    (void)state;
    fixture_init(&f, 0);
    roster_txn_init(&t);
    (void)fixture_put(&f, "token", "x");
    roster_txn_row(&t, &m5);
    roster_txn_delete(&t, str_lit("token"), 77); /* not its revision */
    assert_int_equal(submit(&f, &t).status, -ERR_CONFLICT);
    assert_int_equal(roster_read(f.group, &r, &e), 0);
    assert_int_equal(r.count, 0);
    roster_txn_row(&t, &m5);
    roster_txn_put(&t, str_lit("other"), str_lit("y"), 0, 0);
    assert_int_equal(submit(&f, &t).status, 0);
    assert_int_equal(roster_read(f.group, &r, &e), 0);
    assert_int_equal(r.count, 1);
    roster_txn_deinit(&t);
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows_and_ids),
                                        cmocka_unit_test(test_all_or_nothing) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
