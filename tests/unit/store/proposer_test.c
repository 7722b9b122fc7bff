/* Group commit on the simulated world: what becomes one entry, what waits, what is never guessed.
 */
#include <string.h>

#include "base/arena.h"
#include "base/env_sim.h"
#include "store/proposer.h"
#include "store/txn.h"
#include "tests/unit/unit.h"

#define ENTRIES_MAX 8
#define WRITES_MAX  64

struct world {
    struct env *env;
    struct env_loop *loop;
    struct proposer proposer;
    struct raft_view view;
    unsigned inflight;
    uint64_t applier_bytes;
    bool refuse; /* propose says NOT_LEADER */
    struct proposal *entries[ENTRIES_MAX];
    void (*lost[ENTRIES_MAX])(struct proposal *p);
    uint64_t entry_terms[ENTRIES_MAX];
    unsigned entries_count;
    bool forward_full;
    struct list forwarded;
    uint64_t forwarded_to;
    int statuses[WRITES_MAX]; /* -1: not answered */
    unsigned answered;
};

static void op_view(void *ctx, struct raft_view *out)
{
    *out = ((struct world *)ctx)->view;
}

static int op_propose(void *ctx, struct buf *bytes, struct proposal *p,
                      void (*lost)(struct proposal *p))
{
    struct world *w = ctx;
    struct entry entry;
    struct err e;

    assert_int_equal(bytes->len % 8, 0);
    assert_int_equal(entry_decode(buf_str(bytes), &entry, &e), 0);
    assert_int_equal(entry.count, p->count);
    w->entry_terms[w->entries_count] = entry.term;
    buf_deinit(bytes);
    if (w->refuse)
        return -ERR_NOT_LEADER;
    w->lost[w->entries_count] = lost;
    w->entries[w->entries_count++] = p;
    w->inflight++;
    return 0;
}

static unsigned op_inflight(void *ctx)
{
    return ((struct world *)ctx)->inflight;
}

static uint64_t op_applier_bytes(void *ctx)
{
    return ((struct world *)ctx)->applier_bytes;
}

static uint32_t op_level(void *ctx)
{
    (void)ctx;
    return STORE_FEATURE_LEVEL;
}

static bool op_forward(void *ctx, uint64_t leader_id, struct list *writes)
{
    struct world *w = ctx;
    struct list *node;

    if (w->forward_full)
        return false;
    w->forwarded_to = leader_id;
    while ((node = list_pop(writes)) != NULL)
        list_append(&w->forwarded, node);
    return true;
}

static const struct proposer_ops ops = { .view = op_view,
                                         .propose = op_propose,
                                         .inflight = op_inflight,
                                         .applier_bytes = op_applier_bytes,
                                         .level = op_level,
                                         .forward = op_forward };

static int setup(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));

    w->env = env_sim_new(1);
    w->loop = env_loop_new(w->env, "raft");
    env_loop_start(w->loop);
    list_init(&w->forwarded);
    for (int i = 0; i < WRITES_MAX; i++)
        w->statuses[i] = -1;
    w->view = (struct raft_view){ .term = 7, .leader_id = 1, .leading = true, .ready = true };
    proposer_init(&w->proposer, w->loop, &ops, w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    proposer_stop(&w->proposer);
    env_sim_run(w->env, 10);
    env_loop_stop(w->loop);
    env_sim_run(w->env, 10);
    env_loop_free(w->loop);
    env_sim_free(w->env);
    mem_free(w);
    return 0;
}

struct tag {
    struct world *world;
    unsigned id;
};

static void on_done(struct pending *p)
{
    struct tag *tag = p->priv;

    assert_int_equal(tag->world->statuses[tag->id], -1); /* once */
    tag->world->statuses[tag->id] = -p->result.status;
    tag->world->answered++;
    mem_free(tag);
    pending_free(p);
}

static struct pending *submit(struct world *w, unsigned id, size_t bytes)
{
    static char value[STORE_TXN_BYTES_MAX];
    struct store_op op = { .type = STORE_OP_PUT, .key = str_lit("key"), .value = { value, bytes } };
    struct store_txn txn = { .ops = &op, .ops_count = 1 };
    struct pending *p = pending_new();
    struct tag *tag = mem_alloc(sizeof(*tag));
    struct err e;

    assert_int_equal(txn_encode(&txn, &p->txn, &e), 0);
    *tag = (struct tag){ w, id };
    p->priv = tag;
    p->loop = w->loop;
    p->done = on_done;
    p->deadline_ms = env_loop_now_ms(w->loop) + 1000;
    proposer_submit(&w->proposer, p);
    return p;
}

static void answer(struct world *w, unsigned entry)
{
    struct proposal *p = w->entries[entry];
    struct store_result ok = { .status = 0, .revision = 5 };

    for (size_t i = 0; i < p->count; i++)
        p->answer(p, i, &ok);
    p->released(p);
    w->inflight--;
}

static void test_what_waits_is_one_entry(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < 5; i++)
        submit(w, i, 10);
    env_sim_run(w->env, 1);
    assert_int_equal(w->entries_count, 1);
    assert_int_equal(w->entries[0]->count, 5);
    assert_int_equal(w->entry_terms[0], 7);
    for (unsigned i = 5; i < 8; i++)
        submit(w, i, 10);
    env_sim_run(w->env, 1);
    assert_int_equal(w->entries_count, PROPOSER_INFLIGHT_MAX);
    submit(w, 8, 10);
    env_sim_run(w->env, 1);
    assert_int_equal(w->entries_count, PROPOSER_INFLIGHT_MAX); /* waits for one to end */
    answer(w, 0);
    proposer_run(&w->proposer);
    assert_int_equal(w->entries_count, PROPOSER_INFLIGHT_MAX + 1);
    for (unsigned i = 1; i < w->entries_count; i++)
        answer(w, i);
    env_sim_run(w->env, 1);
    assert_int_equal(w->answered, 9);
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(w->statuses[i], 0);
}

static void test_large_writes_split(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < 3; i++)
        submit(w, i, STORE_BATCH_BYTES_MAX / 2 + 1);
    env_sim_run(w->env, 1);
    assert_int_equal(w->entries_count, 2);
    assert_int_equal(w->entries[0]->count, 1);
    answer(w, 0);
    proposer_run(&w->proposer);
    assert_int_equal(w->entries_count, 3);
    answer(w, 1);
    answer(w, 2);
    env_sim_run(w->env, 1);
    assert_int_equal(w->answered, 3);
}

static void test_lost_leadership_is_unknown(void **state)
{
    struct world *w = *state;

    submit(w, 0, 10);
    env_sim_run(w->env, 1);
    w->lost[0](w->entries[0]);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], ERR_UNKNOWN_OUTCOME);
}

static void test_refused_proposal_waits_in_order(void **state)
{
    struct world *w = *state;

    w->refuse = true;
    submit(w, 0, 10);
    submit(w, 1, 10);
    env_sim_run(w->env, 1);
    assert_int_equal(w->entries_count, 0);
    assert_int_equal(w->answered, 0);
    w->refuse = false;
    proposer_run(&w->proposer);
    assert_int_equal(w->entries[0]->count, 2);
    answer(w, 0);
    env_sim_run(w->env, 1);
    assert_int_equal(w->answered, 2);
}

static void test_waits_for_a_leader_until_its_deadline(void **state)
{
    struct world *w = *state;

    w->view = (struct raft_view){ .term = 7, .following = true };
    submit(w, 0, 10);
    env_sim_run(w->env, 500);
    proposer_run(&w->proposer);
    env_sim_run(w->env, 1);
    assert_int_equal(w->answered, 0);
    env_sim_run(w->env, 600);
    submit(w, 1, 10);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], ERR_UNAVAILABLE);
    assert_int_equal(w->statuses[1], -1);
    /* A leader whose barrier is not committed yet proposes nothing either. */
    w->view = (struct raft_view){ .term = 8, .leader_id = 1, .leading = true };
    proposer_run(&w->proposer);
    assert_int_equal(w->entries_count, 0);
}

static void test_forwards_and_takes_back(void **state)
{
    struct world *w = *state;
    struct pending *mine;
    struct pending *theirs;

    w->view = (struct raft_view){ .term = 7, .leader_id = 2, .following = true };
    mine = submit(w, 0, 10);
    theirs = submit(w, 1, 10);
    theirs->forwarded = true;
    env_sim_run(w->env, 1);
    assert_int_equal(w->forwarded_to, 2);
    assert_int_equal(list_count(&w->forwarded), 1);
    assert_int_equal(w->statuses[1], ERR_NOT_LEADER); /* never forwarded again */
    list_remove(&mine->node);
    w->view = (struct raft_view){ .term = 8, .leader_id = 1, .leading = true, .ready = true };
    proposer_return(&w->proposer, mine);
    proposer_run(&w->proposer);
    assert_int_equal(w->entries_count, 1);
    answer(w, 0);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], 0);
}

static void test_full_queue(void **state)
{
    struct world *w = *state;
    unsigned fit = PROPOSER_BYTES_MAX / (STORE_TXN_BYTES_MAX - 100);

    w->view = (struct raft_view){ .term = 7, .following = true };
    assert_true(fit + 1 < WRITES_MAX);
    for (unsigned i = 0; i <= fit + 1; i++)
        submit(w, i, STORE_TXN_BYTES_MAX - 100);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[fit + 1], ERR_TOO_MANY_REQUESTS);
    assert_int_equal(w->statuses[0], -1);
}

static void test_applier_behind(void **state)
{
    struct world *w = *state;

    w->applier_bytes = APPLIER_QUEUE_BYTES_MAX + 1;
    submit(w, 0, 10);
    env_sim_run(w->env, 1);
    assert_int_equal(w->entries_count, 0);
    w->applier_bytes = 0;
    proposer_run(&w->proposer);
    assert_int_equal(w->entries_count, 1);
    answer(w, 0);
}

/* An entry that some member cannot read would stop it: what needs a higher level is never one. */
static void test_level_not_reached(void **state)
{
    struct world *w = *state;

    submit(w, 0, 10)->level = STORE_FEATURE_LEVEL + 1;
    submit(w, 1, 10)->level = STORE_FEATURE_LEVEL;
    struct pending *p = submit(w, 2, 10);
    p->level = STORE_FEATURE_LEVEL + 1;
    p->forwarded = true; /* its sender has seen the level rise: so will this member */
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], ERR_UNIMPLEMENTED);
    assert_int_equal(w->statuses[2], ERR_UNAVAILABLE);
    assert_int_equal(w->entries_count, 1);
    assert_int_equal(w->entries[0]->count, 1);
    answer(w, 0);
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[1], 0);
}

static void test_stop(void **state)
{
    struct world *w = *state;

    w->view = (struct raft_view){ .term = 7, .following = true };
    submit(w, 0, 10);
    env_sim_run(w->env, 1);
    w->view = (struct raft_view){ .term = 7, .leading = true }; /* not ready: theirs waits too */
    submit(w, 2, 10)->forwarded = true;
    env_sim_run(w->env, 20);
    assert_int_equal(proposer_oldest_ms(&w->proposer), 21);
    proposer_stop(&w->proposer);
    submit(w, 1, 10);
    submit(w, 3, 10)->forwarded = true;
    env_sim_run(w->env, 1);
    assert_int_equal(w->statuses[0], ERR_UNAVAILABLE);
    assert_int_equal(w->statuses[1], ERR_UNAVAILABLE);
    /* Another member's go back to it: it may know who leads now. */
    assert_int_equal(w->statuses[2], ERR_NOT_LEADER);
    assert_int_equal(w->statuses[3], ERR_NOT_LEADER);
    assert_int_equal(proposer_oldest_ms(&w->proposer), 0);
    /* Nothing is posted any more that would be on its way when the proposer's memory goes. */
    proposer_kick(&w->proposer);
    assert_false(w->proposer.kicked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_waits_is_one_entry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_writes_split, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_leadership_is_unknown, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_proposal_waits_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_waits_for_a_leader_until_its_deadline, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_forwards_and_takes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_applier_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_level_not_reached, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
