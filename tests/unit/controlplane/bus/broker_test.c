/* Who gets what: shared and separate channels, consumers that go, leadership that moves. */
#include <string.h>

#include "tests/unit/controlplane/bus/harness.h"
#include "tests/unit/unit.h"

static struct subscriber one;
static struct subscriber two;

static int fresh(void **state)
{
    (void)state;
    memset(&one, 0, sizeof one);
    memset(&two, 0, sizeof two);
    return 0;
}

static bool both_have(void *ctx)
{
    (void)ctx;
    return one.count + two.count >= 40;
}

static void test_two_consumers_share(void **state)
{
    struct harness *h = *state;
    one.ack = two.ack = true;
    harness_subscribe(h, &one, "share", "c", 5, 0);
    harness_subscribe(h, &two, "share", "c", 5, 0);
    (void)harness_publish(h, "share", "", 0, "m", 40, NULL);
    harness_until(h, both_have, NULL);
    harness_sleep(50);
    assert_int_equal(one.count + two.count, 40);
    assert_true(one.count > 0 && two.count > 0);
    bool seen[41] = { false };
    for (size_t i = 0; i < 40; i++) {
        const struct delivered *row = i < one.count ? &one.rows[i] : &two.rows[i - one.count];
        assert_in_range(row->sequence, 1, 40);
        assert_false(seen[row->sequence]);
        seen[row->sequence] = true;
    }
    harness_subscribe_close(&one);
    harness_subscribe_close(&two);
}

static void test_two_channels_each_get_all(void **state)
{
    struct harness *h = *state;
    one.ack = two.ack = true;
    harness_subscribe(h, &one, "all", "a", 100, 0);
    (void)harness_publish(h, "all", "", 0, "m", 10, NULL);
    harness_subscribe(h, &two, "all", "b", 100, 0);
    (void)harness_publish(h, "all", "", 0, "n", 10, NULL);
    harness_expect_rows(&one, 20, 30);
    harness_expect_rows(&two, 20, 30);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(one.rows[i].sequence, i + 1);
        assert_int_equal(two.rows[i].sequence, i + 1);
    }
    harness_subscribe_close(&one);
    harness_subscribe_close(&two);
}

/* What a consumer held goes to the others at once, in its order and as a further attempt. */
static void test_consumer_vanishes(void **state)
{
    struct harness *h = *state;
    harness_subscribe(h, &one, "vanish", "c", 3, 60000);
    (void)harness_publish(h, "vanish", "", 0, "m", 4, NULL);
    harness_expect_rows(&one, 3, 20);
    harness_ack(&one, 2);
    harness_subscribe(h, &two, "vanish", "c", 10, 60000);
    harness_expect_rows(&two, 1, 20);
    assert_int_equal(two.rows[0].sequence, 4);
    harness_subscribe_close(&one);
    harness_expect_rows(&two, 3, 20);
    assert_int_equal(two.rows[1].sequence, 1);
    assert_int_equal(two.rows[1].attempt, 2);
    assert_int_equal(two.rows[2].sequence, 3);
    harness_subscribe_close(&two);
}

static void test_ephemeral_goes(void **state)
{
    struct harness *h = *state;
    (void)harness_publish(h, "passing", "", 0, "m", 3, NULL);
    harness_subscribe_latest(h, &one, "passing", "e#ephemeral", 10);
    harness_expect_rows(&one, 0, 50);
    (void)harness_publish(h, "passing", "", 0, "n", 1, NULL);
    harness_wait_rows(&one, 1);
    assert_string_equal(one.rows[0].body, "n0");
    harness_subscribe_close(&one);
    /* The same name is a new channel: from the beginning, because it is asked to. */
    harness_subscribe(h, &one, "passing", "e#ephemeral", 10, 0);
    harness_wait_rows(&one, 4);
    assert_int_equal(one.rows[0].sequence, 1);
    assert_false(harness_row(h, str_lit("channel/passing/e#ephemeral")));
    harness_subscribe_close(&one);
}

static void test_leadership_lost(void **state)
{
    struct harness *h = *state;
    (void)harness_publish(h, "lead", "", 0, "m", 3, NULL);
    harness_subscribe(h, &one, "lead", "c", 10, 0);
    harness_wait_rows(&one, 3);
    harness_ack(&one, 1);
    harness_lead(h, false);
    harness_wait_end(&one, GRPC_UNAVAILABLE, "leader=solo");
    harness_subscribe(h, &two, "lead", "c", 10, 0);
    harness_wait_end(&two, GRPC_UNAVAILABLE, "leader=solo");
    /* Publishing goes on: it needs the store's leader only. */
    assert_int_equal(harness_publish(h, "lead", "", 0, "n", 1, NULL), 4);
    harness_lead(h, true);
    harness_subscribe(h, &one, "lead", "c", 10, 0);
    harness_wait_rows(&one, 3);
    /* The ack may have been on its way when leadership went: then 1 comes again, before the rest.
     */
    if (one.rows[0].sequence == 1)
        harness_wait_rows(&one, 4);
    size_t last = one.count - 1;
    assert_int_equal(one.rows[last].sequence, 4);
    assert_int_equal(one.rows[last].attempt, 1);
    harness_subscribe_close(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_two_consumers_share, fresh),
        cmocka_unit_test_setup(test_two_channels_each_get_all, fresh),
        cmocka_unit_test_setup(test_consumer_vanishes, fresh),
        cmocka_unit_test_setup(test_ephemeral_goes, fresh),
        cmocka_unit_test_setup(test_leadership_lost, fresh),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
