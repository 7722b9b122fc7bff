/* Members' rows as text, and read from a group's state. */
#include <string.h>

#include "store/roster.h"
#include "tests/unit/store/store_fixture.h"
#include "tests/unit/unit.h"

static const struct roster_row sample = { .member = { .id = 4,
                                                      .name = "m4",
                                                      .raft_address = "tcp:[fd00::4]:2381",
                                                      .peer_address = "tcp:m4.example:2380" },
                                          .want = ROSTER_STANDBY };

static void test_round_trip(void **state)
{
    struct roster_row row;
    struct buf key;
    struct buf value;
    struct err e;

    (void)state;
    buf_init(&key);
    buf_init(&value);
    roster_row_key("m4", &key);
    roster_row_encode(&sample, &value);
    assert_true(str_eq_c(buf_str(&value), "1 4 standby tcp:[fd00::4]:2381 tcp:m4.example:2380"));
    assert_int_equal(roster_row_decode(buf_str(&key), buf_str(&value), &row, &e), 0);
    assert_memory_equal(&row, &sample, sizeof(row));
    buf_deinit(&key);
    buf_deinit(&value);
}

static void test_bad_rows(void **state)
{
    static const struct {
        const char *key;
        const char *value;
    } bad[] = { { "members.gantry/m4", "" },
                { "members.gantry/m4", "1 4 standby a" },
                { "members.gantry/m4", "1 4 standby a b c" },
                { "members.gantry/m4", "1 4 maybe a b" },
                { "members.gantry/m4", "1 0 voter a b" },
                { "members.gantry/m4", "1 x voter a b" },
                { "members.gantry/m4", "2 4 voter a b" },
                { "members.gantry/m4", "1 4 voter  b" },
                { "members.gantry/", "1 4 voter a b" },
                { "members.gantry/M4", "1 4 voter a b" },
                { "members.gantry/-a", "1 4 voter a b" },
                { "elsewhere/m4", "1 4 voter a b" } };
    char longer[400] = "1 4 voter ";

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct roster_row row;
        struct err e;

        if (roster_row_decode(str_from(bad[i].key), str_from(bad[i].value), &row, &e) !=
            -ERR_CORRUPT)
            fail_msg("accepted: %s = %s", bad[i].key, bad[i].value);
    }
    memset(longer + 10, 'a', 200);
    memcpy(longer + 210, " b", 3);
    assert_int_equal(roster_row_decode(str_lit("members.gantry/m4"), str_from(longer), NULL, NULL),
                     -ERR_CORRUPT);
}

static void test_read(void **state)
{
    struct store_fixture f;
    struct store_member members[ROSTER_MAX];
    struct roster r;
    struct err e;

    (void)state;
    fixture_init(&f, 0);
    assert_int_equal(roster_read(f.group, &r, &e), 0);
    assert_int_equal(r.count, 0);
    (void)fixture_put(&f, "members.gantry/m1", "1 1 voter tcp:a:1 tcp:a:2");
    (void)fixture_put(&f, "members.gantry/m2", "1 7 gone tcp:b:1 tcp:b:2");
    (void)fixture_put(&f, ROSTER_NEXT_KEY, "8");
    assert_int_equal(roster_read(f.group, &r, &e), 0);
    assert_int_equal(r.count, 2);
    assert_int_equal(r.next_id, 8);
    assert_int_equal(roster_by_id(&r, 7)->want, ROSTER_GONE);
    assert_int_equal(roster_by_name(&r, str_lit("m1"))->member.id, 1);
    assert_true(roster_by_name(&r, str_lit("m1"))->revision > 0);
    assert_null(roster_by_id(&r, 2));
    /* Who shall go may still lead a group that this member has yet to hear of. */
    assert_int_equal(roster_members(&r, members), 2);
    assert_int_equal(members[1].id, 7);
    (void)fixture_put(&f, "members.gantry/m3", "nonsense");
    assert_int_equal(roster_read(f.group, &r, &e), -ERR_CORRUPT);
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_round_trip),
                                        cmocka_unit_test(test_bad_rows),
                                        cmocka_unit_test(test_read) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
