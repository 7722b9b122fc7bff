/* Read points on the simulated world: shared rounds, majorities, retries and deadlines. */
#include "base/arena.h"
#include "base/env_sim.h"
#include "store/readindex.h"
#include "tests/unit/unit.h"

#define READERS_MAX 8

struct world {
    struct env *env;
    struct env_loop *loop;
    struct readindex x;
    struct raft_view view;
    unsigned voters;
    uint64_t fellow;    /* the other voter of a pair */
    unsigned reachable; /* of the others */
    unsigned confirms;  /* rounds */
    unsigned asked;     /* in the last of them */
    uint64_t confirm_round;
    unsigned asks;
    uint64_t ask_round;
    uint64_t ask_term;
    uint64_t covered;
    uint64_t published;
    struct read_point readers[READERS_MAX];
    int statuses[READERS_MAX]; /* 1: not answered */
};

static void op_view(void *ctx, struct raft_view *out)
{
    *out = ((struct world *)ctx)->view;
}

static unsigned op_voters(void *ctx, bool *out_self)
{
    *out_self = true;
    return ((struct world *)ctx)->voters;
}

static bool op_pair(void *ctx, uint64_t member_id)
{
    const struct world *w = ctx;

    return member_id == w->fellow && w->voters <= 3;
}

static unsigned op_confirm(void *ctx, uint64_t term, uint64_t round, unsigned most)
{
    struct world *w = ctx;
    unsigned left;

    assert_int_equal(term, w->view.term);
    if (round != w->confirm_round) {
        w->confirms++;
        w->asked = 0;
    }
    w->confirm_round = round;
    left = w->reachable > w->asked ? w->reachable - w->asked : 0;
    most = most < left ? most : left;
    w->asked += most;
    return most;
}

static bool op_ask(void *ctx, uint64_t leader_id, uint64_t term, uint64_t round)
{
    struct world *w = ctx;

    assert_int_equal(leader_id, w->view.leader_id);
    w->asks++;
    w->ask_round = round;
    w->ask_term = term;
    return w->reachable > 0;
}

static bool op_covers(void *ctx, uint64_t index)
{
    return ((struct world *)ctx)->covered >= index;
}

static uint64_t op_published(void *ctx)
{
    return ((struct world *)ctx)->published;
}

static const struct readindex_ops ops = { .view = op_view,
                                          .voters = op_voters,
                                          .pair = op_pair,
                                          .confirm = op_confirm,
                                          .ask = op_ask,
                                          .covers = op_covers,
                                          .published = op_published };

static int setup(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));

    w->env = env_sim_new(1);
    w->loop = env_loop_new(w->env, "raft");
    env_loop_start(w->loop);
    for (int i = 0; i < READERS_MAX; i++)
        w->statuses[i] = 1;
    w->view = (struct raft_view){
        .term = 3, .leader_id = 1, .commit_index = 10, .leading = true, .ready = true
    };
    w->covered = 10;
    w->voters = 3;
    w->fellow = 2;
    w->reachable = 2;
    readindex_init(&w->x, w->loop, 41, &ops, w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    readindex_stop(&w->x);
    env_sim_run(w->env, 10);
    env_loop_stop(w->loop);
    env_sim_run(w->env, 10);
    env_loop_free(w->loop);
    env_sim_free(w->env);
    mem_free(w);
    return 0;
}

static void on_done(struct read_point *r)
{
    struct world *w = r->priv;

    assert_int_equal(w->statuses[r - w->readers], 1); /* once */
    w->statuses[r - w->readers] = r->status;
}

static struct read_point *submit(struct world *w, unsigned i)
{
    struct read_point *r = &w->readers[i];

    r->loop = w->loop;
    r->priv = w;
    r->done = on_done;
    r->deadline_ms = env_loop_now_ms(w->loop) + 2000;
    readindex_submit(&w->x, r);
    return r;
}

static void test_one_round_for_all_who_wait(void **state)
{
    struct world *w = *state;

    submit(w, 0);
    submit(w, 1);
    env_sim_run(w->env, 1);
    assert_int_equal(w->confirms, 1);
    /* Came after the round began: the next one's. */
    w->view.commit_index = 12;
    submit(w, 2);
    env_sim_run(w->env, 1);
    assert_int_equal(w->confirms, 1);
    readindex_confirmed(&w->x, w->confirm_round, true);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], 0);
    assert_int_equal(w->statuses[1], 0);
    assert_int_equal(w->readers[0].index, 10);
    assert_int_equal(w->statuses[2], 1);
    assert_int_equal(w->confirms, 2);
    readindex_confirmed(&w->x, w->confirm_round, true);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[2], 1); /* index 12 is not covered yet */
    w->covered = 12;
    readindex_run(&w->x);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[2], 0);
}

static void test_a_late_answer_of_an_older_round_does_not_count(void **state)
{
    struct world *w = *state;
    uint64_t first;

    submit(w, 0);
    env_sim_run(w->env, 1);
    first = w->confirm_round;
    env_sim_run(w->env, READINDEX_ROUND_MS + 100);
    readindex_run(&w->x); /* given up, begun anew */
    assert_int_equal(w->confirms, 2);
    readindex_confirmed(&w->x, first, true);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], 1);
    readindex_confirmed(&w->x, w->confirm_round, true);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], 0);
}

static void settle(struct world *w)
{
    readindex_run(&w->x);
    env_sim_run(w->env, 1);
}

/* The first round asks all, to learn who is quick; the next no more than a majority needs. */
static void test_no_more_are_asked_than_needed(void **state)
{
    struct world *w = *state;

    submit(w, 0);
    env_sim_run(w->env, 1);
    assert_int_equal(w->asked, 2);
    readindex_confirmed(&w->x, w->confirm_round, true);
    readindex_confirmed(&w->x, w->confirm_round, true); /* late: nobody waits for it */
    submit(w, 1);
    env_sim_run(w->env, 1);
    assert_int_equal(w->asked, 1);
    readindex_confirmed(&w->x, w->confirm_round, true);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[1], 0);
    w->voters = 5;
    w->reachable = 4;
    submit(w, 2);
    env_sim_run(w->env, 1);
    assert_int_equal(w->asked, 2);
    readindex_confirmed(&w->x, w->confirm_round, true);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[2], 1);
    readindex_confirmed(&w->x, w->confirm_round, true);
    env_sim_run(w->env, READINDEX_SURVEY_MS);
    assert_int_equal(w->statuses[2], 0);
    assert_int_equal(w->asked, 2);
    submit(w, 3);
    env_sim_run(w->env, 1);
    assert_int_equal(w->asked, 4);
}

/* Silence or a no: the others are asked in the same round. */
static void test_the_others_are_asked_too(void **state)
{
    struct world *w = *state;
    unsigned rounds;

    submit(w, 0);
    env_sim_run(w->env, 1);
    readindex_confirmed(&w->x, w->confirm_round, true);
    submit(w, 1);
    env_sim_run(w->env, 1);
    rounds = w->confirms;
    assert_int_equal(w->asked, 1);
    env_sim_run(w->env, READINDEX_HEDGE_MS + 1);
    assert_int_equal(w->asked, 2);
    readindex_confirmed(&w->x, w->confirm_round, true);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[1], 0);
    assert_int_equal(w->confirms, rounds);
    submit(w, 2);
    env_sim_run(w->env, 1);
    assert_int_equal(w->asked, 1);
    readindex_confirmed(&w->x, w->confirm_round, false);
    assert_int_equal(w->asked, 2);
    readindex_confirmed(&w->x, w->confirm_round, false);
    env_sim_run(w->env, READINDEX_HEDGE_MS + 1);
    assert_int_equal(w->confirms, rounds + 1);
    settle(w);
    assert_int_equal(w->confirms, rounds + 2); /* given up, begun anew */
    readindex_confirmed(&w->x, w->confirm_round, true);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[2], 0);
}

static void test_no_majority_no_read(void **state)
{
    struct world *w = *state;

    submit(w, 0);
    env_sim_run(w->env, 1);
    readindex_confirmed(&w->x, w->confirm_round, false);
    readindex_confirmed(&w->x, w->confirm_round, false);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], 1);
    for (int i = 0; i < 30; i++) {
        env_sim_run(w->env, 100);
        readindex_run(&w->x);
    }
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], -ERR_TIMEOUT);
}

/* Who cannot be asked counts as a no: the next run asks again, not the next deadline. */
static void test_out_of_reach(void **state)
{
    struct world *w = *state;

    w->reachable = 0;
    submit(w, 0);
    env_sim_run(w->env, 1);
    assert_int_equal(w->confirms, 1);
    w->reachable = 1;
    readindex_run(&w->x);
    assert_int_equal(w->confirms, 2);
    readindex_run(&w->x);
    assert_int_equal(w->confirms, 2); /* one of the two is asked: it is a majority with us */
    readindex_confirmed(&w->x, w->confirm_round, true);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], 0);
    w->view = (struct raft_view){ .term = 3, .leader_id = 2, .following = true };
    w->reachable = 0;
    submit(w, 1);
    env_sim_run(w->env, 1);
    assert_int_equal(w->asks, 1);
    w->reachable = 1;
    readindex_run(&w->x);
    assert_int_equal(w->asks, 2);
    readindex_answered(&w->x, w->ask_round, 0, 10);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[1], 0);
}

static void test_lost_term_does_not_serve(void **state)
{
    struct world *w = *state;

    submit(w, 0);
    env_sim_run(w->env, 1);
    w->view.term = 4; /* leads again, in another term: that round proves nothing */
    readindex_confirmed(&w->x, w->confirm_round, true);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], 1);
}

static void test_leader_without_barrier_waits(void **state)
{
    struct world *w = *state;

    w->view.ready = false;
    submit(w, 0);
    env_sim_run(w->env, 1);
    assert_int_equal(w->confirms, 0);
    w->view.ready = true;
    readindex_run(&w->x);
    assert_int_equal(w->confirms, 1);
}

static void test_follower_asks_the_leader(void **state)
{
    struct world *w = *state;

    w->view = (struct raft_view){ .term = 3, .leader_id = 2, .following = true };
    w->covered = 0;
    submit(w, 0);
    submit(w, 1)->remote = true;
    env_sim_run(w->env, 1);
    assert_int_equal(w->asks, 1);
    assert_int_equal(w->ask_term, 3);
    assert_int_equal(w->statuses[1], -ERR_NOT_LEADER); /* another member's: not ours to pass on */
    readindex_answered(&w->x, w->ask_round, -ERR_UNAVAILABLE, 0);
    readindex_run(&w->x);
    assert_int_equal(w->asks, 2);
    readindex_answered(&w->x, w->ask_round, 0, 20);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], 1);
    w->covered = 20;
    readindex_run(&w->x);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], 0);
}

static void test_remote_reader_needs_no_applying(void **state)
{
    struct world *w = *state;

    w->covered = 0;
    submit(w, 0)->remote = true;
    env_sim_run(w->env, 1);
    readindex_confirmed(&w->x, w->confirm_round, true);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], 0);
    assert_int_equal(w->readers[0].index, 10);
}

static struct read_point *submit_vouched(struct world *w, unsigned i, uint64_t term)
{
    w->readers[i].remote = true;
    w->readers[i].from = 2;
    w->readers[i].term = term;
    return submit(w, i);
}

static void test_a_question_from_the_other_half_of_a_majority_is_a_yes(void **state)
{
    struct world *w = *state;

    submit(w, 0); /* its round is not helped by it: that word may be older than this reader */
    submit_vouched(w, 1, 3);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[1], 0);
    assert_int_equal(w->readers[1].index, 10);
    assert_int_equal(w->statuses[0], 1);
    assert_int_equal(w->confirms, 1);
    readindex_confirmed(&w->x, w->confirm_round, true);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], 0);
}

/* Each is answered by a round, or not at all. */
static void test_a_question_that_proves_too_little(void **state)
{
    struct world *w = *state;

    submit_vouched(w, 0, 2);           /* follows an older leader */
    submit_vouched(w, 1, 4);           /* there is a newer one */
    submit_vouched(w, 2, 0);           /* does not say */
    submit_vouched(w, 3, 3)->from = 9; /* no voter */
    env_sim_run(w->env, 1);
    w->voters = 5;
    submit_vouched(w, 4, 3); /* two of five */
    env_sim_run(w->env, 1);
    w->voters = 3;
    w->view.ready = false; /* the commit index may be too low */
    submit_vouched(w, 5, 3);
    env_sim_run(w->env, 1);
    for (int i = 0; i < 6; i++)
        assert_int_equal(w->statuses[i], 1);
    w->view = (struct raft_view){ .term = 3, .leader_id = 2, .following = true };
    submit_vouched(w, 6, 3);
    env_sim_run(w->env, READINDEX_ROUND_MS + 100);
    readindex_run(&w->x);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[6], -ERR_NOT_LEADER);
}

static void test_revision(void **state)
{
    struct world *w = *state;

    w->published = 4;
    submit(w, 0)->revision = 4;
    submit(w, 1)->revision = 5;
    env_sim_run(w->env, 1);
    assert_int_equal(w->confirms, 0);
    assert_int_equal(w->statuses[0], 0);
    assert_int_equal(w->statuses[1], 1);
    w->published = 5;
    readindex_run(&w->x);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[1], 0);
}

static void test_follows(void **state)
{
    struct raft_view v = { .term = 3, .leader_id = 2, .following = true };

    (void)state;
    assert_true(readindex_follows(&v, 1, 2, 3));
    assert_false(readindex_follows(&v, 1, 2, 2));
    assert_false(readindex_follows(&v, 1, 2, 4));
    assert_false(readindex_follows(&v, 1, 3, 3));
    v.following = false; /* a candidate of that term follows nobody */
    assert_false(readindex_follows(&v, 1, 2, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_round_for_all_who_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_late_answer_of_an_older_round_does_not_count, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_no_more_are_asked_than_needed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_others_are_asked_too, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_majority_no_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_out_of_reach, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_term_does_not_serve, setup, teardown),
        cmocka_unit_test_setup_teardown(test_leader_without_barrier_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_follower_asks_the_leader, setup, teardown),
        cmocka_unit_test_setup_teardown(test_remote_reader_needs_no_applying, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_question_from_the_other_half_of_a_majority_is_a_yes,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_question_that_proves_too_little, setup, teardown),
        cmocka_unit_test_setup_teardown(test_revision, setup, teardown),
        cmocka_unit_test(test_follows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
