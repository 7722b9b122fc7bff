/* The alarm's rows, and which transactions it refuses. */
#include <string.h>

#include "store/alarm.h"
#include "store/stream.h"
#include "tests/unit/store/sim_fixture.h"
#include "tests/unit/unit.h"

static void test_members(void **state)
{
    (void)state;
    struct sim_fixture f;
    struct alarm a;
    struct alarm again;
    sim_init(&f);
    alarm_load(&a, f.t);
    assert_int_equal(alarm_reasons(&a), 0);
    alarm_set(&a, f.t, 3, 0, &f.digest); /* never was */
    assert_int_equal(f.digest, 0);
    alarm_set(&a, f.t, 3, STORE_ALARM_DISK, &f.digest);
    alarm_set(&a, f.t, 1, STORE_ALARM_QUOTA, &f.digest);
    assert_int_equal(alarm_reasons(&a), STORE_ALARM_DISK | STORE_ALARM_QUOTA);
    assert_true(f.digest == alarm_digest(f.t) && f.digest != 0);
    alarm_load(&again, f.t);
    assert_int_equal(again.count, 2);
    assert_int_equal(again.members[0].member, 1);
    assert_int_equal(again.members[1].reasons, STORE_ALARM_DISK);
    alarm_set(&a, f.t, 1, 0, &f.digest);
    assert_int_equal(alarm_reasons(&a), STORE_ALARM_DISK);
    alarm_set(&a, f.t, 3, 0, &f.digest);
    assert_int_equal(alarm_reasons(&a), 0);
    assert_true(f.digest == 0);
    /* Bounded, whatever the log says. */
    for (uint64_t id = 2 * ALARM_MEMBERS_MAX; id > 0; id--)
        alarm_set(&a, f.t, id, 1, &f.digest);
    assert_int_equal(a.count, ALARM_MEMBERS_MAX);
    alarm_load(&again, f.t);
    assert_int_equal(again.count, ALARM_MEMBERS_MAX);
    assert_true(f.digest == alarm_digest(f.t));
    sim_deinit(&f);
}

static const struct store_term term = { 1, STR("0123456789012345678901234567890123456789012345678"
                                               "901234567890123456789") };

#define OLD_VALUE "0123456789"
#define BIG_VALUE                                                                                  \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234"
#define PUT(k, v)                                                                                  \
    {                                                                                              \
        .type = STORE_OP_PUT, .key = STR(k), .value = STR(v)                                       \
    }
#define DELETE(k)                                                                                  \
    {                                                                                              \
        .type = STORE_OP_DELETE, .key = STR(k)                                                     \
    }
#define ROW_PUT(k, v)                                                                              \
    {                                                                                              \
        .type = STORE_OP_ROW_PUT, .key = STR(k), .value = STR(v)                                   \
    }
#define ROW_DELETE(k)                                                                              \
    {                                                                                              \
        .type = STORE_OP_ROW_DELETE, .key = STR(k)                                                 \
    }

static void test_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool refused;
        size_t count;
        struct store_op ops[4];
    } cases[] = {
        { "a new key", true, 1, { PUT("new", "") } },
        { "an update as large", false, 1, { PUT("old", "abcdefghij") } },
        { "an update a little larger", false, 1, { PUT("old", OLD_VALUE "+") } },
        { "an update much larger", true, 1, { PUT("old", BIG_VALUE) } },
        { "terms are bytes, too",
          true,
          1,
          { { .type = STORE_OP_PUT,
              .key = STR("old"),
              .value = STR(OLD_VALUE),
              .terms = &term,
              .terms_count = 1 } } },
        { "a delete", false, 1, { DELETE("old") } },
        { "a delete of nothing", false, 1, { DELETE("none") } },
        { "one for one", false, 2, { PUT("ol2", OLD_VALUE), DELETE("old") } },
        { "credit is given once", true, 3, { DELETE("old"), DELETE("old"), PUT("o", BIG_VALUE) } },
        { "again after a delete", false, 2, { DELETE("old"), PUT("old", OLD_VALUE) } },
        { "a deleted key is a new one", true, 1, { PUT("dead", "") } },
        { "a new row", true, 1, { ROW_PUT("new", "") } },
        { "a row as large", false, 1, { ROW_PUT("row", "abcde") } },
        { "row for row", false, 2, { ROW_PUT("ro2", "abcde"), ROW_DELETE("row") } },
        { "an append", true, 1, { { .type = STORE_OP_APPEND, .key = STR("s") } } },
        { "a producer's duplicate",
          false,
          1,
          { { .type = STORE_OP_APPEND,
              .key = STR("s"),
              .value = STR("m"),
              .producer = STR("p"),
              .producer_sequence = 7 } } },
        { "a limit", false, 1, { { .type = STORE_OP_SET_LIMIT, .key = STR("q"), .amount = 1 } } },
        { "compaction", false, 1, { { .type = STORE_OP_COMPACT, .revision = 1 } } },
        { "the end of the alarm", false, 1, { { .type = STORE_OP_ALARM, .revision = 1 } } },
        { "a timer", false, 1, { { .type = STORE_OP_TIMER, .key = STR("old"), .expires_ms = 9 } } },
        { "a trim", false, 1, { { .type = STORE_OP_TRIM, .key = STR("s"), .revision = 1 } } },
    };
    struct sim_fixture f;
    bool appended;
    sim_init(&f);
    sim_put(&f, (struct store_op)PUT("old", OLD_VALUE));
    sim_put(&f, (struct store_op)PUT("dead", OLD_VALUE));
    assert_true(sim_delete(&f, "dead"));
    row_put(f.t, str_lit("row"), str_lit("12345"), &f.digest);
    struct store_op append = { .type = STORE_OP_APPEND,
                               .key = STR("s"),
                               .value = STR("m"),
                               .producer = STR("p"),
                               .producer_sequence = 7 };
    stream_append(f.t, &append, &f.digest, &appended);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct store_txn txn = { .ops = cases[i].ops, .ops_count = cases[i].count };
        if (alarm_refuses(f.t, &f.compact, &txn) != cases[i].refused)
            fail_msg("%s", cases[i].name);
    }
    sim_deinit(&f);
}

static void test_text(void **state)
{
    (void)state;
    char text[STORE_ALARM_TEXT_BYTES];
    struct store_status s = { .used_bytes = 7ull << 30, .quota_bytes = 8ull << 30 };
    store_alarm_text(&s, text);
    assert_string_equal(text, "");
    s.alarm = STORE_ALARM_QUOTA | STORE_ALARM_DISK;
    store_alarm_text(&s, text);
    assert_string_equal(text,
                        "store quota exceeded: 7168 of 8192 MiB in use here; compact or delete");
    s.alarm = STORE_ALARM_DISK;
    store_alarm_text(&s, text);
    assert_non_null(strstr(text, "disk"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_members),
                                        cmocka_unit_test(test_refuses),
                                        cmocka_unit_test(test_text) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
