/* What the log says of a group's membership: steps with their reason, and what came of them. */
#include <raft.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "store/membership_news.h"
#include "tests/unit/unit.h"

static struct buf lines;

static void keep(void *ctx, struct str line)
{
    (void)ctx;
    buf_append(&lines, line.data, line.len);
}

static void expect(const char *text)
{
    if (str_find(buf_str(&lines), str_from(text)) < 0)
        fail_msg("'%s' is not in: %.*s", text, (int)lines.len, (const char *)lines.data);
}

static void test_steps(void **state)
{
    struct membership_step step = {
        .kind = MEMBERSHIP_ASSIGN, .id = 4, .role = RAFT_VOTER, .why = "it has caught up"
    };

    (void)state;
    membership_tell_step(STORE_CLUSTER, &step, 0);
    expect("membership changes group=1 step=assign member=4 role=voter reason=\"it has caught up\" "
           "status=begun");
    buf_clear(&lines);
    step.kind = MEMBERSHIP_REMOVE;
    membership_tell_step(STORE_BUS, &step, -ERR_AGAIN);
    expect("group=2 step=remove member=4 role=- reason=\"it has caught up\" status=AGAIN");
    buf_clear(&lines);
}

static void test_outcomes(void **state)
{
    struct membership_news m = { 0 };
    struct raft_server_view first[] = { { .id = 1, .name = "m1", .role = RAFT_VOTER },
                                        { .id = 2, .name = "m2", .role = RAFT_VOTER } };
    struct raft_server_view then[] = { { .id = 1, .name = "m1", .role = RAFT_STANDBY },
                                       { .id = 3, .name = "m3", .role = RAFT_SPARE } };

    (void)state;
    assert_true(membership_news_due(&m, 0));
    membership_news_tell(&m, STORE_CLUSTER, 7, 1, first, 2);
    assert_int_equal(lines.len, 0); /* what it begins with */
    assert_false(membership_news_due(&m, 7));
    assert_false(membership_news_due(&m, 0)); /* a newer one is not committed yet */
    assert_true(membership_news_due(&m, 9));
    membership_news_tell(&m, STORE_CLUSTER, 9, 1, then, 2);
    expect("membership changed group=1 member=1 name=m1 from=voter to=standby index=9 leader=1");
    expect("membership changed group=1 member=3 name=m3 from=none to=spare index=9 leader=1");
    expect("membership changed group=1 member=2 name=m2 from=voter to=none index=9 leader=1");
    buf_clear(&lines);
    membership_news_tell(&m, STORE_CLUSTER, 12, 1, then, 2);
    assert_int_equal(lines.len, 0); /* an address, perhaps: nothing of it is in a configuration */
    /* A member of an empty log learns of everybody. */
    m = (struct membership_news){ .known = true };
    membership_news_tell(&m, STORE_CLUSTER, 1, 0, first, 1);
    expect("member=1 name=m1 from=none to=voter index=1 leader=0");
}

static int setup(void **state)
{
    (void)state;
    buf_init(&lines);
    log_set_sink(keep, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_set_sink(NULL, NULL);
    buf_deinit(&lines);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_steps),
                                        cmocka_unit_test(test_outcomes) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
