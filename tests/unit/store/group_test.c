/*
 * The same group in the simulated world: kv_sim, simulated loops, crashes that lose the last
 * commit; and what the raft loop relies on: covered indexes, durable edges, manifest, retention.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/env_sim.h"
#include "store/group.h"
#include "store/kv.h"
#include "store/txn.h"
#include "tests/unit/unit.h"

#define PREFIX "leases/"

struct member {
    struct env *env;
    struct kv_sim_disk *disk;
    struct kv *kv;
    struct env_loop *apply;
    struct env_loop *raft;
    struct store_group *group;
    struct buf log[200]; /* by index */
    uint64_t handed;
    struct point durable; /* as the raft loop saw it last */
    int edges;
    bool full; /* as the raft loop was told */
};

/* One entry's proposal, and what came of it. */
struct counted {
    struct proposal p; /* first */
    size_t answers;
    int released;
};

static void on_durable(void *ctx, const struct point *point)
{
    struct member *m = ctx;
    assert_true(point->index >= m->durable.index);
    m->durable = *point;
    m->edges++;
}

static void on_room(void *ctx, bool room)
{
    struct member *m = ctx;
    assert_true(m->full == room); /* edges only */
    m->full = !room;
}

static void member_open(struct member *m)
{
    static const char *const prefixes[] = { PREFIX, NULL };
    m->kv = kv_sim_open(m->disk);
    m->apply = env_loop_new(m->env, "apply");
    m->raft = env_loop_new(m->env, "raft");
    env_loop_start(m->apply);
    env_loop_start(m->raft);
    struct group_config config = { .env = m->env,
                                   .id = STORE_CLUSTER,
                                   .kv = m->kv,
                                   .apply_loop = m->apply,
                                   .raft_loop = m->raft,
                                   .on_durable = on_durable,
                                   .on_room = on_room,
                                   .retain_revisions = 5,
                                   .retain_ms = 300000,
                                   .short_history_prefixes = prefixes,
                                   .ctx = m };
    assert_int_equal(group_open(&config, &m->group, NULL), 0);
    group_point(m->group, &m->durable);
    m->handed = m->durable.index;
}

static void member_close(struct member *m, bool lose_last_commit)
{
    env_loop_stop(m->apply);
    env_loop_stop(m->raft);
    env_loop_free(m->apply);
    env_loop_free(m->raft);
    group_abandon(m->group);
    kv_sim_crash(m->disk, lose_last_commit);
    kv_close(m->kv);
}

static int setup(void **state)
{
    struct member *m = calloc(1, sizeof *m);
    m->env = env_sim_new(7);
    m->disk = kv_sim_disk_new();
    member_open(m);
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    struct member *m = *state;
    member_close(m, false);
    kv_sim_disk_free(m->disk);
    for (size_t i = 0; i < sizeof m->log / sizeof m->log[0]; i++)
        buf_deinit(&m->log[i]);
    env_sim_free(m->env);
    free(m);
    return 0;
}

static void on_answer(struct proposal *p, size_t command, const struct store_result *result)
{
    struct counted *c = (struct counted *)p;
    assert_int_equal(command, c->answers); /* in order */
    assert_int_equal(result->revision, 3 + command);
    assert_int_equal(c->released, 0);
    c->answers++;
}

static void on_released(struct proposal *p)
{
    ((struct counted *)p)->released++;
}

static void begin_entry(struct buf *entry)
{
    entry_begin(entry, STORE_FEATURE_LEVEL, 3);
}

static void add_op(struct buf *entry, const struct store_op *op)
{
    struct store_txn t = { .ops = op, .ops_count = 1 };
    struct buf txn;
    buf_init(&txn);
    assert_int_equal(txn_encode(&t, &txn, NULL), 0);
    entry_add(entry, buf_str(&txn));
    buf_deinit(&txn);
}

/* Entry `index` puts two keys; made once, handed over as often as asked. */
static void hand_over(struct member *m, uint64_t index)
{
    struct buf *entry = &m->log[index];
    if (entry->len == 0) {
        begin_entry(entry);
        for (int i = 0; i < 2; i++) {
            char key[32];
            snprintf(key, sizeof key, "%s%d", i == 0 ? "pods/" : PREFIX, (int)(index % 3));
            struct store_op op = { .type = STORE_OP_PUT, .key = str_from(key), .value = STR("v") };
            add_op(entry, &op);
        }
        entry_end(entry, 2);
    }
    group_apply(m->group, index, 3, buf_str(entry), NULL);
    if (index > m->handed)
        m->handed = index;
}

static void test_covers(void **state)
{
    struct member *m = *state;
    assert_true(group_covers(m->group, 100)); /* nothing was handed over */
    hand_over(m, 3);
    assert_false(group_covers(m->group, 3));
    assert_false(group_covers(m->group, 9)); /* a barrier at 9: entry 3 comes before it */
    assert_true(group_covers(m->group, 0));
    assert_true(group_queue_bytes(m->group) > 0);
    hand_over(m, 5);
    env_sim_run(m->env, 1000);
    assert_true(group_covers(m->group, 9));
    assert_int_equal(group_queue_bytes(m->group), 0);
    assert_int_equal(m->durable.index, 5);
    assert_int_equal(m->durable.term, 3);
    assert_int_equal(m->durable.revision, 4);
    assert_true(m->edges >= 1 && m->edges <= 2);
    hand_over(m, 4); /* a replay of what is applied: skipped */
    env_sim_run(m->env, 1000);
    assert_int_equal(m->durable.revision, 4);
    int edges = m->edges;
    hand_over(m, 6); /* nobody asked: nobody is woken */
    env_sim_run(m->env, 1000);
    assert_true(group_covers(m->group, 6));
    assert_int_equal(m->edges, edges);
}

static void test_answers(void **state)
{
    struct member *m = *state;
    hand_over(m, 1);
    struct counted c = { .p = { .answer = on_answer, .released = on_released, .count = 2 } };
    group_apply(m->group, 2, 3, buf_str(&m->log[1]), &c.p);
    assert_int_equal(c.answers, 0); /* never inside the call */
    assert_false(group_covers(m->group, 2));
    env_sim_run(m->env, 1000);
    assert_int_equal(c.answers, 2);
    assert_int_equal(c.released, 1);
    assert_int_equal(m->durable.revision, 4);
}

static void test_crashes(void **state)
{
    struct member *m = *state;
    uint64_t digests[100] = { 0 };
    for (uint64_t index = 1; index < 100; index++) {
        hand_over(m, index);
        if (env_sim_random(m->env, 4) == 0)
            (void)env_sim_step(m->env); /* crash in the middle of things, too */
        else
            env_sim_run(m->env, 20);
        struct point point;
        group_point(m->group, &point);
        if (digests[point.index] != 0)
            assert_true(digests[point.index] == point.digest);
        digests[point.index] = point.digest;
        if (env_sim_random(m->env, 6) != 0)
            continue;
        member_close(m, env_sim_random(m->env, 2) == 0);
        member_open(m);
        /* Only the last commit may be gone, and the log replays from there. */
        assert_true(m->durable.revision == 2 * m->durable.index);
        for (uint64_t replay = 1; replay <= index; replay++)
            hand_over(m, replay);
    }
    (void)group_covers(m->group, 99); /* asked, so that the edge comes if it is not there yet */
    env_sim_run(m->env, 1000);
    group_point(m->group, &m->durable);
    assert_int_equal(m->durable.index, 99);
    assert_int_equal(m->durable.revision, 198);
}

static void test_manifest(void **state)
{
    (void)state;
    struct point point = { .index = 1ull << 40,
                           .term = 2,
                           .revision = 3,
                           .digest = 0xfedcba9876543210u,
                           .compacted = 5,
                           .level = 6 };
    struct point back;
    uint8_t bytes[MANIFEST_BYTES];
    manifest_encode(&point, STORE_BUS, bytes);
    struct str s = str_of(bytes, sizeof bytes);
    assert_int_equal(manifest_decode(s, STORE_BUS, &back, NULL), 0);
    assert_true(back.index == point.index && back.term == 2 && back.revision == 3);
    assert_true(back.digest == point.digest && back.compacted == 5 && back.level == 6);
    assert_int_equal(manifest_decode(s, STORE_CLUSTER, &back, NULL), -ERR_CORRUPT);
    assert_int_equal(manifest_decode(str_slice(s, 0, 63), STORE_BUS, &back, NULL), -ERR_CORRUPT);
    bytes[4]++;
    assert_int_equal(manifest_decode(s, STORE_BUS, &back, NULL), -ERR_UNIMPLEMENTED);
    bytes[0]++;
    assert_int_equal(manifest_decode(s, STORE_BUS, &back, NULL), -ERR_CORRUPT);
}

static void test_retention(void **state)
{
    struct member *m = *state;
    struct store_op ops[4];
    hand_over(m, 1); /* revisions 1 and 2 */
    env_sim_run(m->env, 1000);
    assert_int_equal(group_compact_ops(m->group, ops, 4), 0);
    for (uint64_t index = 2; index <= 6; index++)
        hand_over(m, index); /* up to 12 */
    env_sim_run(m->env, STORE_SHORT_RETAIN_MS);
    /* The short window: what was newest a minute ago. */
    assert_int_equal(group_compact_ops(m->group, ops, 4), 1);
    assert_int_equal(ops[0].type, STORE_OP_COMPACT);
    assert_true(str_eq_c(ops[0].key, PREFIX));
    assert_int_equal(ops[0].revision, 2);
    assert_int_equal(group_compact_ops(m->group, ops, 4), 0); /* said once */
    env_sim_run(m->env, 10000);
    assert_int_equal(group_compact_ops(m->group, ops, 4), 1); /* it was lost */
    assert_int_equal(ops[0].revision, 2);
    begin_entry(&m->log[7]);
    add_op(&m->log[7], &ops[0]);
    entry_end(&m->log[7], 1);
    hand_over(m, 7);
    env_sim_run(m->env, 10000);
    assert_int_equal(group_compact_ops(m->group, ops, 4), 0); /* done */
    env_sim_run(m->env, 300000);
    /* Five minutes: 12 is old enough by then, but five revisions are kept. */
    assert_int_equal(group_compact_ops(m->group, ops, 4), 2);
    assert_int_equal(ops[0].key.len, 0);
    assert_int_equal(ops[0].revision, 7);
    assert_int_equal(ops[1].revision, 12);
}

/* A short window's mark is far ahead of that of all keys, and must not pass for it. */
static void test_short_marks_are_not_everybodys(void **state)
{
    struct member *m = *state;
    struct store_op ops[4];
    struct buf *entry = &m->log[7];
    for (uint64_t index = 1; index <= 6; index++)
        hand_over(m, index); /* up to 12 */
    env_sim_run(m->env, 1000);
    assert_int_equal(group_compact_ops(m->group, ops, 4), 0);
    env_sim_run(m->env, STORE_SHORT_RETAIN_MS);
    assert_int_equal(group_compact_ops(m->group, ops, 4), 1);
    assert_int_equal(ops[0].revision, 12);
    begin_entry(entry);
    add_op(entry, &ops[0]);
    entry_end(entry, 1);
    hand_over(m, 7);
    env_sim_run(m->env, 300000);
    assert_int_equal(group_compact_ops(m->group, ops, 4), 1);
    assert_int_equal(ops[0].key.len, 0);
    assert_int_equal(ops[0].revision, 7);
}

static void test_full_disk(void **state)
{
    struct member *m = *state;
    hand_over(m, 1);
    env_sim_run(m->env, 1000);
    kv_sim_disk_full(m->disk, true);
    struct counted c = { .p = { .answer = on_answer, .released = on_released, .count = 2 } };
    group_apply(m->group, 2, 3, buf_str(&m->log[1]), &c.p);
    env_sim_run(m->env, 10 * APPLIER_ROOM_MS);
    assert_true(m->full);
    assert_int_equal(c.answers, 0);
    assert_false(group_covers(m->group, 2));
    assert_true(group_queue_bytes(m->group) > 0);
    kv_sim_disk_full(m->disk, false);
    env_sim_run(m->env, 2 * APPLIER_ROOM_MS);
    assert_false(m->full);
    assert_int_equal(c.answers, 2);
    assert_int_equal(m->durable.revision, 4);
    /* Full again with nothing to do: nobody needs to know. */
    kv_sim_disk_full(m->disk, true);
    env_sim_run(m->env, 10 * APPLIER_ROOM_MS);
    assert_false(m->full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_covers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_crashes, setup, teardown),
        cmocka_unit_test(test_manifest),
        cmocka_unit_test_setup_teardown(test_retention, setup, teardown),
        cmocka_unit_test_setup_teardown(test_short_marks_are_not_everybodys, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
