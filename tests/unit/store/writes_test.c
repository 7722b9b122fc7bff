/* Writes through members that do not lead: how they go, and what is said of those that went lost.
 */
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "store/proposer.h"
#include "store/raft_wire.h"
#include "store/replica.h"
#include "store/txn.h"
#include "store/writes.h"
#include "tests/unit/store/store_world.h"
#include "tests/unit/unit.h"

#define LEVEL_BEFORE (STORE_LEVEL_WRITES - 1)

/* ---- on a member's raft loop ---- */

struct task {
    struct env_msg msg;
    struct replica *replica;
    uint64_t leader_id;
    void (*run)(struct task *t);
    uint64_t value;
    atomic_bool done;
};

static void on_task(struct env_msg *m)
{
    struct task *t = container_of(m, struct task, msg);

    t->run(t);
    atomic_store(&t->done, true);
}

static uint64_t run_there(struct store_world *w, int i, uint64_t leader_id,
                          void (*run)(struct task *t))
{
    struct task t = { .replica = replica_of(store_group(w->stores[i], STORE_CLUSTER)),
                      .leader_id = leader_id,
                      .run = run };

    env_post(t.replica->loop, &t.msg, on_task);
    store_world_wait(&t.done);
    return t.value;
}

static void take_call(struct task *t)
{
    t->value = t->replica->writes.call;
}

static uint64_t call_of(struct store_world *w, int i)
{
    return run_there(w, i, 0, take_call);
}

/* A follower, when every member's level is that of the group's build. */
static int follower_of(struct store_world *w, uint64_t *out_leader_id)
{
    int leader = store_world_wait_leader(w);
    uint32_t level = w->level_max != 0 ? w->level_max : STORE_FEATURE_LEVEL;
    bool risen = false;

    for (int n = 0; n < 2000 && !risen; n++) {
        risen = true;
        for (int i = 0; i < MEMBERS_COUNT; i++)
            risen = risen && store_world_status(w, i).feature_level == level;
        usleep(10000);
    }
    assert_true(risen);
    *out_leader_id = (uint64_t)leader + 1;
    return (leader + 1) % MEMBERS_COUNT;
}

/* ---- tests ---- */

static void test_goes_over_links(void **state)
{
    struct store_world *w = *state;
    uint64_t leader_id;
    int follower = follower_of(w, &leader_id);
    uint64_t before = call_of(w, follower);

    for (int i = 0; i < 3; i++)
        assert_int_equal(store_world_put(w, follower, "k", "v", 0).status, 0);
    assert_int_equal(call_of(w, follower) - before, 3);
    assert_int_equal(store_world_put(w, follower, "k", "v", 1000000).status, -ERR_FENCED);
    assert_true(store_world_has(w, (int)leader_id - 1, "k", "v"));
}

static void receive_unknown(struct task *t)
{
    const struct wire_writes writes = { .type = WIRE_FORWARDED, .count = 1 };
    struct err e;

    assert_int_equal(writes_receive(t->replica, t->leader_id, &writes, &e), -ERR_PROTOCOL);
}

/* Members of the release before do not know such frames. */
static void test_release_before_is_sent_none(void **state)
{
    struct store_world *w = *state;
    uint64_t leader_id;
    int follower = follower_of(w, &leader_id);
    uint64_t before = call_of(w, follower);

    assert_int_equal(store_world_put(w, follower, "k", "v", 0).status, 0);
    assert_int_equal(call_of(w, follower), before);
    run_there(w, follower, leader_id, receive_unknown);
}

/* A write of the test's own that is forwarded, and what happens to it next. */
struct trial {
    struct env_msg msg;
    struct env_msg later;
    struct replica *replica;
    uint64_t leader_id;
    void (*then)(struct trial *t);  /* in the same turn, */
    void (*after)(struct trial *t); /* and when its frame has just left */
    int status;
    atomic_bool done;
};

static void on_pending_done(struct pending *p)
{
    struct trial *t = p->priv;

    t->status = p->result.status;
    pending_free(p);
    atomic_store(&t->done, true);
}

static void run_later(struct env_msg *m)
{
    struct trial *t = container_of(m, struct trial, later);

    if (t->after != NULL)
        t->after(t);
}

static void run_trial(struct env_msg *m)
{
    struct trial *t = container_of(m, struct trial, msg);
    struct store_op op = { .type = STORE_OP_PUT, .key = STR("trial"), .value = STR("v") };
    struct store_txn txn = { .ops = &op, .ops_count = 1 };
    struct pending *p = pending_new();
    struct list writes;

    list_init(&writes);
    assert_int_equal(txn_encode(&txn, &p->txn, NULL), 0);
    p->deadline_ms = env_loop_now_ms(t->replica->loop) + 10000;
    p->loop = t->replica->loop;
    p->proposer = &t->replica->proposer;
    p->done = on_pending_done;
    p->priv = t;
    list_append(&writes, &p->node);
    assert_true(writes_forward(t->replica, t->leader_id, &writes));
    assert_true(list_empty(&writes));
    if (t->then != NULL)
        t->then(t);
    env_post(t->replica->loop, &t->later, run_later); /* behind the connection's own turn */
}

static int try(struct store_world *w, void (*then)(struct trial *t), void (*after)(struct trial *t))
{
    struct trial t = { .then = then, .after = after };
    int follower = follower_of(w, &t.leader_id);

    t.replica = replica_of(store_group(w->stores[follower], STORE_CLUSTER));
    env_post(t.replica->loop, &t.msg, run_trial);
    store_world_wait(&t.done);
    return t.status;
}

static void lose(struct trial *t)
{
    writes_lost(t->replica, t->leader_id);
}

static void lose_another(struct trial *t)
{
    writes_lost(t->replica, t->replica->member_id);
}

/* What has not left waits on, and goes again. */
static void give_up_at_once(struct trial *t)
{
    writes_stop(t->replica);
    assert_int_equal(t->replica->writes.batches_count, 0);
    assert_int_equal(t->replica->proposer.queue_writes, 1);
    proposer_kick(&t->replica->proposer);
}

static void test_lost_with_its_connection(void **state)
{
    assert_int_equal(try(*state, NULL, NULL), 0);
    assert_int_equal(try(*state, NULL, lose), -ERR_UNKNOWN_OUTCOME);
    assert_int_equal(try(*state, NULL, lose_another), 0);
    assert_int_equal(try(*state, lose, NULL), 0); /* not a byte of it was on its way */
    assert_int_equal(try(*state, give_up_at_once, NULL), 0);
}

/* No more than so many batches are under way, and none to whom there is no connection. */
static void forward_many(struct task *t)
{
    struct pending *p = pending_new();
    struct list writes;

    list_init(&writes);
    list_append(&writes, &p->node);
    assert_false(writes_forward(t->replica, t->replica->member_id, &writes));
    t->replica->writes.batches_count = WRITES_BATCHES_MAX;
    assert_false(writes_forward(t->replica, t->leader_id, &writes));
    t->replica->writes.batches_count = 0;
    assert_int_equal(list_count(&writes), 1);
    pending_free(p);
}

static void test_bounded(void **state)
{
    struct store_world *w = *state;
    uint64_t leader_id;
    int follower = follower_of(w, &leader_id);

    run_there(w, follower, leader_id, forward_many);
}

static void encode(struct store_op op, struct buf *out)
{
    struct err e;

    buf_init(out);
    assert_int_equal(txn_encode(&(struct store_txn){ .ops = &op, .ops_count = 1 }, out, &e), 0);
}

static void receive_with(struct task *t, struct str bad)
{
    struct buf good;
    struct buf b;
    struct wire_header h;
    struct wire_writes writes;
    struct err e;
    size_t begun;

    encode((struct store_op){ .type = STORE_OP_PUT, .key = STR("good"), .value = STR("v") }, &good);
    buf_init(&b);
    begun = wire_writes_begin(WIRE_FORWARD, 1, 2, STORE_CLUSTER, &b);
    wire_forward_add(buf_str(&good), 1000, &b);
    wire_forward_add(bad, 1000, &b);
    wire_writes_end(begun, &b);
    assert_int_equal(wire_header_decode(b.data, &h, &e), 0);
    assert_int_equal(
        wire_writes_decode(&h, str_slice(buf_str(&b), WIRE_HEADER_BYTES, b.len), &writes, &e), 0);
    assert_int_equal(writes_receive(t->replica, 2, &writes, &e), -ERR_PROTOCOL);
    assert_true(list_empty(&t->replica->writes.served));
    buf_deinit(&good);
    buf_deinit(&b);
}

/* What does not decode must never reach the log, nor a level that no member could follow. */
static void receive_nonsense(struct task *t)
{
    struct buf level;

    receive_with(t, str_lit("xyz"));
    encode((struct store_op){ .type = STORE_OP_FEATURE_LEVEL, .amount = STORE_FEATURE_LEVEL + 1 },
           &level);
    receive_with(t, buf_str(&level));
    buf_deinit(&level);
}

static void test_nonsense_is_refused(void **state)
{
    struct store_world *w = *state;
    uint64_t leader_id;

    (void)follower_of(w, &leader_id);
    run_there(w, (int)leader_id - 1, leader_id, receive_nonsense);
    assert_int_equal(store_world_put(w, (int)leader_id - 1, "alive", "1", 0).status, 0);
    assert_false(store_world_has(w, (int)leader_id - 1, "good", ""));
}

static int setup_before(void **state)
{
    return store_world_setup_level(state, LEVEL_BEFORE);
}

int main(void)
{
    const struct CMUnitTest before[] = { cmocka_unit_test(test_release_before_is_sent_none) };
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_goes_over_links),
                                        cmocka_unit_test(test_lost_with_its_connection),
                                        cmocka_unit_test(test_bounded),
                                        cmocka_unit_test(test_nonsense_is_refused) };
    int failed = cmocka_run_group_tests(before, setup_before, store_world_teardown);

    return failed + cmocka_run_group_tests(tests, store_world_setup, store_world_teardown);
}
