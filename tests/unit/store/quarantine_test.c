/* The mark that keeps a member from opening: who leaves it, and that it says what to do. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env_uv.h"
#include "store/quarantine.h"
#include "tests/unit/unit.h"

struct world {
    struct env *env;
    char folder[256];
    char path[300];
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->env = env_uv_new();
    /* Short: it holds unix sockets, too. */
    snprintf(w->folder, sizeof w->folder, "/tmp/quarantine-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->path, sizeof w->path, "%s/%s", w->folder, QUARANTINE_NAME);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    (void)env_remove_tree(w->env, w->folder, NULL); /* only a temporary folder */
    env_uv_free(w->env);
    free(w);
    return 0;
}

static void test_mark(void **state)
{
    struct world *w = *state;
    struct err e = { 0 };
    assert_int_equal(quarantine_check(w->env, w->folder, &e), 0);
    struct quarantine q = { .group = STORE_CLUSTER,
                            .index = 77,
                            .digest = 0xabc,
                            .agreed = 0xdef,
                            .why = "state diverged" };
    assert_int_equal(quarantine_write(w->env, w->folder, &q, &e), 0);
    q.why = "what came of it";
    assert_int_equal(quarantine_write(w->env, w->folder, &q, &e), 0); /* the first reason stays */
    assert_int_equal(quarantine_check(w->env, w->folder, &e), -ERR_CORRUPT);
    assert_non_null(strstr(e.msg, "gantry member remove"));
    assert_non_null(strstr(e.msg, "gantryd join"));
    assert_non_null(strstr(e.msg, w->folder));
    assert_non_null(strstr(e.msg, "group: cluster;why: state diverged;index: 77"));
    assert_null(strstr(e.msg, "what came of it"));
    struct arena arena;
    struct str file;
    arena_init(&arena);
    assert_int_equal(env_file_read(w->env, &arena, w->path, 4096, &file, &e), 0);
    assert_true(str_starts(file, str_lit("group: cluster\nwhy: state diverged\nindex: 77\n"
                                         "digest: 0000000000000abc\nagreed: 0000000000000def\n"
                                         "seconds since 1970: ")));
    arena_deinit(&arena);
}

/* A mark is a mark, whatever is in it. */
static void test_any_content(void **state)
{
    struct world *w = *state;
    static char big[10000];
    memset(big, 'x', sizeof big);
    const struct {
        struct str content;
        const char *shown;
    } cases[] = { { STR(""), "(QUARANTINE: )" },
                  { STR("a\x1b[2J\xff\nb"), "a?[2J?;b" },
                  { str_of(big, sizeof big), "it cannot be read" } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = { 0 };
        assert_int_equal(env_file_write(w->env, w->path, cases[i].content, 0600, &e), 0);
        assert_int_equal(quarantine_check(w->env, w->folder, &e), -ERR_CORRUPT);
        assert_non_null(strstr(e.msg, cases[i].shown));
    }
}

/* ---- a member that comes to differ ---- */

struct doomed {
    struct env_msg msg;
    struct store_group *group;
    struct store_write write;
    struct store_op op;
    atomic_bool done;
};

static void on_written(struct store_write *w)
{
    atomic_store(&((struct doomed *)w->priv)->done, true);
}

static void run_submit(struct env_msg *m)
{
    struct doomed *d = (struct doomed *)m;
    store_submit(d->group, &d->write, &(struct store_txn){ .ops = &d->op, .ops_count = 1 });
}

/* Writes and waits; the process ends in between, or the write does. */
static void write_op(struct env_loop *loop, struct store_group *group, struct store_op op)
{
    struct doomed d = { .group = group, .op = op };
    d.write.loop = loop;
    d.write.done = on_written;
    d.write.priv = &d;
    env_post(loop, &d.msg, run_submit);
    while (!atomic_load(&d.done))
        usleep(1000);
}

static struct store_config single(struct env *env, const char *folder)
{
    struct store_config c = { .env = env,
                              .folder = folder,
                              .start = STORE_START_FOUND,
                              .peer_listen_fd = -1,
                              .raft_listen_fd = -1,
                              .member_id = 1,
                              .members = { { .id = 1, .name = "m1" } },
                              .members_count = 1,
                              .map_bytes = 1u << 30 };
    return c;
}

/* In a process of its own: a verdict that its digest is not the one that was agreed upon. */
static _Noreturn void run_doomed(const char *folder)
{
    struct env *env = env_uv_new();
    struct store_config c = single(env, folder);
    struct env_loop *loop = env_loop_new(env, "client");
    struct store_status status;
    struct store *store;
    struct err e = { 0 };
    env_loop_start(loop);
    if (store_open(&c, &store, &e) != 0) {
        fprintf(stderr, "%s\n", e.msg);
        _exit(3);
    }
    struct store_group *group = store_group(store, STORE_BUS);
    write_op(loop, group, (struct store_op){ .type = STORE_OP_ROW_PUT, .key = STR("a") });
    do
        store_status(group, &status);
    while (status.applied_index == 0);
    write_op(loop, group,
             (struct store_op){ .type = STORE_OP_CHECK,
                                .revision = status.applied_index,
                                .amount = (int64_t)(status.digest + 1) });
    (void)alarm(60); /* it went on: another signal than the one expected */
    for (;;)
        (void)pause(); /* until that */
}

static void test_member_that_differs(void **state)
{
    struct world *w = *state;
    struct store *store;
    struct err e = { 0 };
    int how = 0;
    pid_t pid = fork(); /* no thread runs yet */
    assert_true(pid >= 0);
    if (pid == 0)
        run_doomed(w->folder);
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
    struct store_config c = single(w->env, w->folder);
    for (int i = 0; i < 2; i++) { /* every start, and it never votes */
        assert_int_equal(store_open(&c, &store, &e), -ERR_CORRUPT);
        assert_non_null(strstr(e.msg, "group: bus;why: state diverged: after entry"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_member_that_differs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mark, setup, teardown),
        cmocka_unit_test_setup_teardown(test_any_content, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
