/* A single member's node: start, bootstrap's crash window, a lost log, restart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_uv.h"
#include "store/raft_node.h"
#include "store/txn.h"
#include "tests/unit/unit.h"

struct world {
    struct env *env;
    struct env_loop *loop;
    struct store_member member;
    char folder[64];
    char raft[96];
    char lmdb[96];
    char older[96];
    bool again; /* not the first start: an empty folder is a loss */
    struct store_group *group;
    struct raft_node *node;
    bool closed;
    int answers;
    int lost;
};

static void on_turn(void *ctx)
{
    (void)ctx;
}

static int open_node(struct world *w, struct err *e)
{
    struct group_config group = {
        .env = w->env, .id = STORE_CLUSTER, .folder = w->lmdb, .map_bytes = 64u << 20
    };
    struct raft_node_config node = { .env = w->env,
                                     .folder = w->raft,
                                     .member_id = 1,
                                     .member_name = w->member.name,
                                     .found_members = &w->member,
                                     .found_count = w->again ? 0 : 1,
                                     .on_turn = on_turn,
                                     .ctx = w };

    w->loop = env_loop_new(w->env, "raft");
    node.loop = w->loop;
    assert_int_equal(env_dir_make(w->env, w->lmdb, 0700, e), 0);
    assert_int_equal(group_open(&group, &w->group, e), 0);
    node.group = w->group;
    return raft_node_open(&node, &w->node, e);
}

static void turn(struct world *w, int ms)
{
    for (int i = 0; i < ms; i++) {
        uv_run(env_uv_loop(w->loop), UV_RUN_NOWAIT);
        usleep(1000);
    }
}

static void on_closed(void *ctx)
{
    ((struct world *)ctx)->closed = true;
}

static void close_node(struct world *w)
{
    w->closed = false;
    raft_node_close(w->node, on_closed, w);
    for (int i = 0; i < 3000 && !w->closed; i++)
        turn(w, 1);
    assert_true(w->closed);
    raft_node_free(w->node);
    env_loop_free(w->loop);
    group_close(w->group);
    w->node = NULL;
}

static int setup(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));

    w->env = env_uv_new();
    snprintf(w->folder, sizeof(w->folder), "/tmp/node-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->raft, sizeof(w->raft), "%s/raft", w->folder);
    snprintf(w->lmdb, sizeof(w->lmdb), "%s/lmdb", w->folder);
    snprintf(w->older, sizeof(w->older), "%s/older", w->folder);
    w->member.id = 1;
    snprintf(w->member.name, sizeof(w->member.name), "m1");
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    (void)env_remove_tree(w->env, w->folder, NULL); /* only a temporary folder */
    env_uv_free(w->env);
    mem_free(w);
    return 0;
}

/* ---- proposing ---- */

struct one {
    struct proposal proposal;
    struct world *world;
};

static void on_answer(struct proposal *p, size_t command, const struct store_result *result)
{
    struct one *o = (struct one *)p;

    (void)command;
    if (result->status == 0)
        __atomic_fetch_add(&o->world->answers, 1, __ATOMIC_SEQ_CST);
}

static void on_released(struct proposal *p)
{
    mem_free(p);
}

static void on_lost(struct proposal *p)
{
    ((struct one *)p)->world->lost++;
    mem_free(p);
}

static int propose(struct world *w, const char *key)
{
    struct store_op op = { .type = STORE_OP_PUT, .key = str_from(key), .value = str_lit("v") };
    struct store_txn txn = { .ops = &op, .ops_count = 1 };
    struct one *o = mem_alloc(sizeof(*o));
    struct raft_view v;
    struct buf bytes;
    struct buf entry;
    struct err e;
    int rv;

    raft_node_view(w->node, &v);
    buf_init(&bytes);
    buf_init(&entry);
    assert_int_equal(txn_encode(&txn, &bytes, &e), 0);
    entry_begin(&entry, STORE_FEATURE_LEVEL, v.term);
    entry_add(&entry, buf_str(&bytes));
    entry_end(&entry, 1);
    buf_deinit(&bytes);
    o->world = w;
    o->proposal = (struct proposal){ .answer = on_answer, .released = on_released, .count = 1 };
    rv = raft_node_propose(w->node, &entry, &o->proposal, on_lost);
    if (rv != 0)
        mem_free(o);
    return rv;
}

static bool wait_ready(struct world *w)
{
    struct raft_view v = { 0 };

    for (int i = 0; i < 3000 && !v.ready; i++) {
        turn(w, 1);
        raft_node_view(w->node, &v);
    }
    return v.ready;
}

static void wait_answers(struct world *w, int count)
{
    for (int i = 0; i < 3000 && __atomic_load_n(&w->answers, __ATOMIC_SEQ_CST) < count; i++)
        turn(w, 1);
    assert_int_equal(w->answers, count);
}

/* ---- tests ---- */

static void test_restart_skips_what_is_applied(void **state)
{
    struct world *w = *state;
    struct point before;
    struct point after;
    struct err e = { 0 };

    assert_int_equal(open_node(w, &e), 0);
    assert_int_equal(propose(w, "early"), -ERR_NOT_LEADER); /* the barrier is not committed yet */
    assert_true(wait_ready(w));
    for (int i = 0; i < 20; i++)
        assert_int_equal(propose(w, "key"), 0);
    wait_answers(w, 20);
    turn(w, 50);
    group_point(w->group, &before);
    close_node(w);
    assert_int_equal(before.revision, 20);

    assert_int_equal(open_node(w, &e), 0);
    assert_true(wait_ready(w));
    turn(w, 50);
    group_point(w->group, &after);
    assert_int_equal(after.revision, before.revision);
    assert_true(after.digest == before.digest);
    assert_int_equal(propose(w, "key"), 0);
    wait_answers(w, 21);
    close_node(w);
    assert_int_equal(w->lost, 0);
}

/* The state can be rebuilt from the log; the log cannot be rebuilt from anything here. */
static void test_lost_state_is_replayed(void **state)
{
    struct world *w = *state;
    struct point before;
    struct point after;
    struct err e = { 0 };

    assert_int_equal(open_node(w, &e), 0);
    assert_true(wait_ready(w));
    for (int i = 0; i < 5; i++)
        assert_int_equal(propose(w, "key"), 0);
    wait_answers(w, 5);
    turn(w, 50);
    group_point(w->group, &before);
    close_node(w);
    assert_int_equal(env_remove_tree(w->env, w->lmdb, &e), 0);
    assert_int_equal(open_node(w, &e), 0);
    assert_true(wait_ready(w));
    turn(w, 100);
    group_point(w->group, &after);
    assert_int_equal(after.index, before.index);
    assert_true(after.digest == before.digest);
    close_node(w);
}

/* A first log that was being made when the power went is made anew. */
static void test_crash_inside_bootstrap(void **state)
{
    struct world *w = *state;
    char path[128];
    struct err e = { 0 };

    snprintf(path, sizeof(path), "%s.new", w->raft);
    assert_int_equal(env_dir_make(w->env, path, 0700, &e), 0);
    snprintf(path, sizeof(path), "%s.new/metadata", w->raft);
    assert_int_equal(env_file_write(w->env, path, str_lit("half"), 0600, &e), 0);
    assert_int_equal(open_node(w, &e), 0);
    assert_true(wait_ready(w));
    close_node(w);
}

static void refused(struct world *w, const char *why)
{
    struct err e = { 0 };

    assert_int_equal(open_node(w, &e), -ERR_CORRUPT);
    assert_non_null(strstr(e.msg, w->raft));
    assert_non_null(strstr(e.msg, why));
    group_close(w->group);
    env_loop_free(w->loop);
}

static void test_lost_folder_is_refused(void **state)
{
    struct world *w = *state;

    w->again = true;
    refused(w, "must not vote");
}

static void copy_folder(struct world *w, const char *from, const char *to)
{
    struct arena a;
    struct str *names;
    size_t count;
    struct err e = { 0 };

    arena_init(&a);
    assert_int_equal(env_dir_make(w->env, to, 0700, &e), 0);
    assert_int_equal(env_dir_list(w->env, &a, from, &names, &count, &e), 0);
    for (size_t i = 0; i < count; i++) {
        struct str bytes;
        struct str path = str_printf(&a, "%s/%.*s", from, STR_ARG(names[i]));

        assert_int_equal(env_file_read(w->env, &a, path.data, 64u << 20, &bytes, &e), 0);
        path = str_printf(&a, "%s/%.*s", to, STR_ARG(names[i]));
        assert_int_equal(env_file_write(w->env, path.data, bytes, 0600, &e), 0);
    }
    arena_deinit(&a);
}

/* As after rot in the log's last write: it looks like a torn tail, but the state knows better. */
static void test_lost_tail_is_refused(void **state)
{
    struct world *w = *state;
    struct err e = { 0 };

    assert_int_equal(open_node(w, &e), 0);
    assert_true(wait_ready(w));
    assert_int_equal(propose(w, "key"), 0);
    wait_answers(w, 1);
    close_node(w);
    copy_folder(w, w->raft, w->older);
    assert_int_equal(open_node(w, &e), 0);
    assert_true(wait_ready(w));
    assert_int_equal(propose(w, "key"), 0);
    wait_answers(w, 2);
    turn(w, 50);
    close_node(w);
    assert_int_equal(env_remove_tree(w->env, w->raft, &e), 0);
    copy_folder(w, w->older, w->raft);
    refused(w, "entries were lost");
}

static void test_applied_without_log_is_refused(void **state)
{
    struct world *w = *state;
    struct err e = { 0 };

    assert_int_equal(open_node(w, &e), 0);
    assert_true(wait_ready(w));
    assert_int_equal(propose(w, "key"), 0);
    wait_answers(w, 1);
    turn(w, 50);
    close_node(w);
    assert_int_equal(env_remove_tree(w->env, w->raft, &e), 0);
    assert_int_equal(open_node(w, &e), -ERR_CORRUPT);
    group_close(w->group);
    env_loop_free(w->loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_restart_skips_what_is_applied, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_state_is_replayed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_crash_inside_bootstrap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_folder_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_tail_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_applied_without_log_is_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
