/* Every change of leadership in words: which, how loud, and why. */
#include <raft.h>
#include <string.h>

#include "base/buf.h"
#include "store/group_metrics.h"
#include "store/leadership.h"
#include "tests/unit/unit.h"

struct leadership_case {
    struct leadership_edge edge;
    enum leadership_kind kind;
    enum log_level level;
    const char *reason; /* "": none is looked at */
};

#define FOLLOWER  RAFT_FOLLOWER
#define CANDIDATE RAFT_CANDIDATE
#define LEADER    RAFT_LEADER

static const struct leadership_case cases[] = {
    /* Nothing that anybody reads. */
    { { .from = { FOLLOWER, 1, 0 }, .to = { FOLLOWER, 2, 0 } }, LEADERSHIP_NONE, 0, "" },
    { { .from = { FOLLOWER, 2, 3 }, .to = { FOLLOWER, 2, 3 } }, LEADERSHIP_NONE, 0, "" },
    { { .from = { CANDIDATE, 2, 0 }, .to = { CANDIDATE, 3, 0 } }, LEADERSHIP_NONE, 0, "" },
    { { .from = { CANDIDATE, 2, 0 }, .to = { FOLLOWER, 3, 0 } }, LEADERSHIP_NONE, 0, "" },
    /* Campaigns. */
    { { .from = { FOLLOWER, 2, 0 }, .to = { CANDIDATE, 2, 0 } },
      LEADERSHIP_CAMPAIGN,
      LOG_DEBUG,
      "no leader is known" },
    { { .from = { FOLLOWER, 2, 3 }, .to = { CANDIDATE, 2, 0 } },
      LEADERSHIP_CAMPAIGN,
      LOG_INFO,
      "leader 3 was not heard for an election timeout" },
    { { .from = { FOLLOWER, 2, 3 }, .to = { CANDIDATE, 3, 0 }, .asked = true },
      LEADERSHIP_CAMPAIGN,
      LOG_DEBUG,
      "member 3 hands over" },
    /* Won. */
    { { .from = { CANDIDATE, 3, 0 }, .to = { LEADER, 3, 1 } },
      LEADERSHIP_WON,
      LOG_INFO,
      "elected" },
    { { .from = { CANDIDATE, 3, 2 }, .to = { LEADER, 3, 1 }, .asked = true },
      LEADERSHIP_WON,
      LOG_INFO,
      "member 2 handed over" },
    { { .from = { FOLLOWER, 0, 0 }, .to = { LEADER, 1, 1 } },
      LEADERSHIP_WON,
      LOG_INFO,
      "the only voter" },
    /* Lost. */
    { { .from = { LEADER, 3, 1 }, .to = { FOLLOWER, 3, 0 } },
      LEADERSHIP_LOST,
      LOG_WARN,
      "stepped down: no quorum of voters was heard for an election timeout" },
    { { .from = { LEADER, 3, 1 }, .to = { FOLLOWER, 4, 0 }, .successor = 2, .voted_for = 2 },
      LEADERSHIP_LOST,
      LOG_INFO,
      "handed over to member 2" },
    { { .from = { LEADER, 3, 1 }, .to = { FOLLOWER, 4, 0 }, .successor = 2, .held = true },
      LEADERSHIP_LOST,
      LOG_WARN,
      "its disk is full: handed over to member 2" },
    { { .from = { LEADER, 3, 1 }, .to = { FOLLOWER, 5, 3 } },
      LEADERSHIP_LOST,
      LOG_WARN,
      "a newer term from member 3, which leads it" },
    { { .from = { LEADER, 3, 1 }, .to = { FOLLOWER, 4, 0 }, .voted_for = 3 },
      LEADERSHIP_LOST,
      LOG_WARN,
      "a newer term from member 3, which asked for this one's vote" },
    { { .from = { LEADER, 3, 1 }, .to = { FOLLOWER, 4, 0 } },
      LEADERSHIP_LOST,
      LOG_WARN,
      "a newer term from a member that did not get this one's vote" },
    /* Others. */
    { { .from = { FOLLOWER, 3, 1 }, .to = { FOLLOWER, 4, 2 } },
      LEADERSHIP_FOLLOWS,
      LOG_INFO,
      "it began a newer term" },
    { { .from = { FOLLOWER, 4, 0 }, .to = { FOLLOWER, 4, 2 } },
      LEADERSHIP_FOLLOWS,
      LOG_INFO,
      "it was heard" },
    { { .from = { FOLLOWER, 3, 1 }, .to = { FOLLOWER, 4, 0 }, .voted_for = 2 },
      LEADERSHIP_NOBODY,
      LOG_INFO,
      "a newer term: this member voted for member 2" },
    { { .from = { FOLLOWER, 3, 1 }, .to = { FOLLOWER, 4, 0 } },
      LEADERSHIP_NOBODY,
      LOG_INFO,
      "a newer term" },
};

static void test_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct leadership_case *c = &cases[i];
        struct leadership_news news;

        print_message("%zu: %s\n", i, c->reason);
        leadership_describe(&c->edge, &news);
        assert_int_equal(news.kind, c->kind);
        assert_string_equal(news.reason, c->reason);
        if (c->kind == LEADERSHIP_NONE)
            continue;
        assert_int_equal(news.level, c->level);
        assert_non_null(news.message);
    }
}

/* What is logged is one line an edge, with what is remembered between them. */
static void on_line(void *ctx, struct str line)
{
    buf_append_str(ctx, line);
    buf_append_c(ctx, "\n");
}

static void note(struct leadership *l, struct leadership_view to, bool asks, uint64_t now_ms)
{
    struct leadership_edge e = { .member_id = 1, .to = to };

    leadership_note(l, &e, asks, now_ms);
}

static bool says(const struct buf *lines, const char *text)
{
    return str_find(buf_str(lines), str_from(text)) >= 0;
}

static void test_memory(void **state)
{
    struct leadership l = { .group = STORE_BUS, .seen = { FOLLOWER, 3, 2 } };
    int64_t elections;
    int64_t changes;
    struct buf lines;

    (void)state;
    group_metrics_register();
    elections = metric_value(group_metric(STORE_BUS, GROUP_ELECTIONS));
    changes = metric_value(group_metric(STORE_BUS, GROUP_LEADER_CHANGES));
    buf_init(&lines);
    log_set_sink(on_line, &lines);
    /* Asked by 2, elected 30 ms later, in a term of its own. */
    note(&l, (struct leadership_view){ CANDIDATE, 4, 0 }, true, 1000);
    note(&l, (struct leadership_view){ LEADER, 4, 1 }, false, 1030);
    assert_true(says(&lines, "this member leads"));
    assert_true(says(&lines, "group=2 term=4 leader=1 reason=\"member 2 handed over\" "
                             "leaderless_ms=30"));
    /* Cut off; then it hears another. What was asked before is forgotten. */
    buf_clear(&lines);
    note(&l, (struct leadership_view){ FOLLOWER, 4, 0 }, false, 2000);
    assert_true(says(&lines, "no quorum"));
    note(&l, (struct leadership_view){ CANDIDATE, 5, 0 }, false, 2400);
    note(&l, (struct leadership_view){ LEADER, 5, 1 }, false, 2500);
    assert_true(says(&lines, "reason=elected leaderless_ms=500"));
    log_set_sink(NULL, NULL);
    buf_deinit(&lines);
    assert_int_equal(metric_value(group_metric(STORE_BUS, GROUP_ELECTIONS)), elections + 2);
    assert_int_equal(metric_value(group_metric(STORE_BUS, GROUP_LEADER_CHANGES)), changes + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_words),
                                        cmocka_unit_test(test_memory) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
