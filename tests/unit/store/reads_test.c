/* The frames, and whose answers count: on a replica that is nothing but its read points. */
#include "base/arena.h"
#include "base/env_sim.h"
#include "store/raft_wire.h"
#include "store/reads.h"
#include "store/replica.h"
#include "tests/unit/unit.h"

struct world {
    struct env *env;
    struct replica r;
    struct raft_view view;
    unsigned asked; /* the members from 2 on are asked so many */
    uint64_t round;
    struct read_point reader;
    int status; /* 1: not answered */
};

static struct world *world_of(void *ctx)
{
    return container_of((struct replica *)ctx, struct world, r);
}

static void op_view(void *ctx, struct raft_view *out)
{
    *out = world_of(ctx)->view;
}

static unsigned op_voters(void *ctx, bool *out_self)
{
    *out_self = true;
    return world_of(ctx)->asked + 1;
}

static unsigned op_confirm(void *ctx, uint64_t term, uint64_t round, unsigned most)
{
    struct world *w = world_of(ctx);

    (void)term;
    (void)most; /* the first round asks all; the others are asked already */
    if (round == w->round)
        return 0;
    w->round = round;
    w->r.reads = (struct reads){ .round = round };
    for (; w->r.reads.count < w->asked; w->r.reads.count++)
        w->r.reads.asked[w->r.reads.count].id = w->r.reads.count + 2;
    return w->asked;
}

static bool op_ask(void *ctx, uint64_t leader_id, uint64_t term, uint64_t round)
{
    struct world *w = world_of(ctx);

    (void)term;
    w->round = round;
    w->r.reads = (struct reads){ .round = round, .asked = { { leader_id, false } }, .count = 1 };
    return true;
}

static bool op_covers(void *ctx, uint64_t index)
{
    (void)ctx;
    (void)index;
    return true;
}

static const struct readindex_ops ops = {
    .view = op_view, .voters = op_voters, .confirm = op_confirm, .ask = op_ask, .covers = op_covers
};

static void on_done(struct read_point *p)
{
    ((struct world *)p->priv)->status = p->status;
}

static int setup(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));

    w->env = env_sim_new(1);
    w->r.env = w->env;
    w->r.loop = env_loop_new(w->env, "raft");
    w->r.member_id = 1;
    env_loop_start(w->r.loop);
    w->round = UINT64_MAX;
    readindex_init(&w->r.readindex, w->r.loop, w->round, &ops, &w->r);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    readindex_stop(&w->r.readindex);
    env_sim_run(w->env, 10);
    env_loop_stop(w->r.loop);
    env_sim_run(w->env, 10);
    env_loop_free(w->r.loop);
    env_sim_free(w->env);
    mem_free(w);
    return 0;
}

static void read_here(struct world *w)
{
    w->status = 1;
    w->reader = (struct read_point){ .loop = w->r.loop,
                                     .deadline_ms = env_loop_now_ms(w->r.loop) + 2000,
                                     .done = on_done,
                                     .priv = w };
    readindex_submit(&w->r.readindex, &w->reader);
    env_sim_run(w->env, 1);
}

static void hear(struct world *w, uint64_t from, enum wire_type type, uint64_t round, bool yes)
{
    struct wire_read read = { .type = type, .round = round, .value = 20, .yes = yes };

    reads_receive(&w->r, from, &read);
    env_sim_run(w->env, 1);
}

static void test_nobody_counts_twice(void **state)
{
    struct world *w = *state;

    w->view = (struct raft_view){ .term = 3, .commit_index = 9, .leading = true, .ready = true };
    w->asked = 4;
    read_here(w);
    hear(w, 2, WIRE_CONFIRMED, w->round, true);
    hear(w, 2, WIRE_CONFIRMED, w->round, true);
    hear(w, 9, WIRE_CONFIRMED, w->round, true); /* was not asked */
    hear(w, 3, WIRE_CONFIRMED, w->round - 1, true);
    hear(w, 3, WIRE_READ_RESULT, w->round, true);
    assert_int_equal(w->status, 1);
    hear(w, 4, WIRE_CONFIRMED, w->round, false);
    hear(w, 4, WIRE_CONFIRMED, w->round, true);
    assert_int_equal(w->status, 1);
    hear(w, 5, WIRE_CONFIRMED, w->round, true);
    assert_int_equal(w->status, 0);
    assert_int_equal(w->reader.index, 9);
    /* Who said yes, in that order, is asked first next time. */
    assert_int_equal(w->r.reads.quick_count, 2);
    assert_int_equal(w->r.reads.quick[0], 2);
    assert_int_equal(w->r.reads.quick[1], 5);
}

static void test_only_the_leader_tells(void **state)
{
    struct world *w = *state;
    uint64_t first;

    w->view = (struct raft_view){ .term = 3, .leader_id = 2, .following = true };
    read_here(w);
    first = w->round;
    hear(w, 3, WIRE_READ_RESULT, first, true);
    hear(w, 2, WIRE_READ_RESULT, first + 1, true);
    assert_int_equal(w->status, 1);
    hear(w, 2, WIRE_READ_RESULT, first, false);
    assert_int_equal(w->status, 1);
    readindex_run(&w->r.readindex);
    assert_int_equal(w->round, first + 1);
    hear(w, 2, WIRE_READ_RESULT, first, true);
    assert_int_equal(w->status, 1);
    hear(w, 2, WIRE_READ_RESULT, first + 1, true);
    assert_int_equal(w->status, 0);
    assert_int_equal(w->reader.index, 20);
}

static void test_a_closing_member_says_nothing(void **state)
{
    struct world *w = *state;

    w->r.closing = true;
    hear(w, 2, WIRE_READ, 5, false);
    hear(w, 2, WIRE_CONFIRM, 5, false);
    assert_int_equal(w->r.readindex.count, 0);
}

static void test_frames(void **state)
{
    (void)state;
    for (uint8_t type = WIRE_CONFIRM; type <= WIRE_READ_RESULT; type++) {
        struct wire_read read = { (enum wire_type)type, 1ull << 40, UINT64_MAX, type % 2 == 0 };
        struct wire_header h;
        struct wire_read back;
        struct buf b;
        struct str body;

        buf_init(&b);
        wire_read_encode(&read, STORE_BUS, &b);
        assert_int_equal(wire_header_decode(b.data, &h, NULL), 0);
        assert_int_equal(h.type, type);
        assert_int_equal(h.group, STORE_BUS);
        body = str_slice(buf_str(&b), WIRE_HEADER_BYTES, b.len);
        assert_int_equal(body.len, WIRE_READ_BYTES);
        assert_int_equal(wire_read_decode(&h, body, &back, NULL), 0);
        assert_int_equal(back.type, type);
        assert_int_equal(back.round, read.round);
        assert_int_equal(back.value, read.value);
        assert_int_equal(back.yes, read.yes);
        for (size_t len = 0; len < body.len; len++)
            assert_int_equal(wire_read_decode(&h, str_slice(body, 0, len), &back, NULL),
                             -ERR_PROTOCOL);
        b.data[b.len - 1] = 2;
        assert_int_equal(wire_read_decode(&h, body, &back, NULL), -ERR_PROTOCOL);
        h.type = WIRE_PING;
        assert_int_equal(wire_read_decode(&h, body, &back, NULL), -ERR_PROTOCOL);
        buf_deinit(&b);
    }
    assert_false(wire_is_read(WIRE_PONG));
    assert_false(wire_is_read(WIRE_READ_RESULT + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test_setup_teardown(test_nobody_counts_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_only_the_leader_tells, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_closing_member_says_nothing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
