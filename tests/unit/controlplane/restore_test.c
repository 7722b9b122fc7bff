/* `gantryd restore`: the flags, and who may be made from a backup; what is made is store/restore's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/env_uv.h"
#include "controlplane/restore.h"
#include "store/backup.h"
#include "store/group.h"
#include "store/kv.h"
#include "tests/unit/unit.h"

struct world {
    struct env *env;
    char base[100];
};

static const char *at(struct world *w, const char *name)
{
    static char paths[8][200];
    static unsigned next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s/%s", w->base, name);
    return path;
}

static int append(void *ctx, struct str bytes)
{
    buf_append_str(ctx, bytes);
    return 0;
}

/* Of two groups as new. */
static void write_backup(struct world *w)
{
    static const char *const names[] = { "x", "a", "b" };
    struct backup b = { .cluster_id = "old", .version = "0" };
    struct buf bytes;
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++) {
        struct group_config config = { .env = w->env, .id = id, .folder = at(w, names[id]) };
        struct backup_group *g = &b.groups[b.groups_count++];
        struct store_group *group;
        struct env_stat stat;
        char copy[220];
        (void)snprintf(copy, sizeof copy, "%s.mdb", config.folder);
        assert_int_equal(group_open(&config, &group, NULL), 0);
        assert_int_equal(group_copy(group, copy, NULL), 0);
        group_close(group);
        assert_int_equal(env_path_stat(w->env, copy, &stat, NULL), 0);
        assert_int_equal(group_copy_point(&kv_lmdb, id, copy, &g->point, NULL), 0);
        g->id = id;
        g->bytes = stat.size;
        g->path = at(w, id == STORE_CLUSTER ? "a.mdb" : "b.mdb");
    }
    buf_init(&bytes);
    assert_int_equal(backup_write(w->env, &b, append, &bytes, NULL), 0);
    assert_int_equal(env_file_write(w->env, at(w, "backup"), buf_str(&bytes), 0600, NULL), 0);
    buf_deinit(&bytes);
}

static void put(struct world *w, const char *name, const char *text)
{
    assert_int_equal(env_file_write(w->env, at(w, name), str_from(text), 0600, NULL), 0);
}

static int setup(void **state)
{
    static struct world w;
    char name[] = "/tmp/restore-XXXXXX";
    assert_non_null(mkdtemp(name));
    w.env = env_uv_new();
    (void)snprintf(w.base, sizeof w.base, "%s", name);
    assert_int_equal(env_dir_make(w.env, at(&w, "cluster/members/m1"), 0700, NULL), 0);
    put(&w, "cluster/cluster.conf",
        "cluster new\nmember 1 m1 tcp:127.0.0.1:2380 tcp:127.0.0.1:2381\n");
    put(&w, "cluster/members/m1/first-start", "x\n");
    write_backup(&w);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    assert_int_equal(env_remove_tree(w->env, w->base, NULL), 0);
    env_uv_free(w->env);
    return 0;
}

static int run(struct world *w, const char *name, struct err *e)
{
    const char *words[] = { "--from", at(w, "backup"), "--cluster",  at(w, "cluster"), "--name",
                            name,     "--data",        at(w, "data") };
    struct buf out;
    buf_init(&out);
    int rc = restore_command(w->env, 8, (char **)(uintptr_t)words, &out, e);
    assert_int_equal(rc == 0, out.len > 0);
    buf_deinit(&out);
    return rc;
}

static void test_flags(void **state)
{
    static const struct {
        const char *words[3];
        int count;
        const char *says;
    } cases[] = {
        { { NULL }, 0, "--from is needed" },
        { { "--from" }, 1, "--from needs a value" },
        { { "--to", "x" }, 2, "unknown flag '--to'" },
        { { "--from", "x" }, 2, "--cluster is needed" },
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e;
        assert_int_equal(
            restore_command(w->env, cases[i].count, (char **)(uintptr_t)cases[i].words, NULL, &e),
            -ERR_INVALID_ARGUMENT);
        if (strstr(e.msg, cases[i].says) == NULL)
            fail_msg("%s: %s", cases[i].says, e.msg);
    }
}

static void test_once(void **state)
{
    struct world *w = *state;
    struct err e;
    assert_int_equal(run(w, "m2", &e), -ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(e.msg, "no such member"));
    if (run(w, "m1", &e) != 0)
        fail_msg("%s", e.msg);
    assert_true(env_path_exists(w->env, at(w, "data/log-cluster/metadata")));
    assert_true(env_path_exists(w->env, at(w, "data/lmdb-bus/CURRENT")));
    /* It counts as one that ran: neither a first start nor another restore is possible. */
    assert_false(env_path_exists(w->env, at(w, "cluster/members/m1/first-start")));
    assert_int_equal(env_remove_tree(w->env, at(w, "data"), NULL), 0);
    assert_int_equal(run(w, "m1", &e), -ERR_CONFLICT);
    assert_non_null(strstr(e.msg, "was restored before"));
    assert_false(env_path_exists(w->env, at(w, "data")));
}

/* Whoever cannot be restored has not run either. */
static void test_failure_keeps_the_mark(void **state)
{
    struct world *w = *state;
    struct err e;
    put(w, "backup", "no backup");
    assert_int_equal(run(w, "m1", &e), -ERR_CORRUPT);
    assert_true(env_path_exists(w->env, at(w, "cluster/members/m1/first-start")));
}

int main(void)
{
#define ON_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = { ON_WORLD(test_flags), ON_WORLD(test_once),
                                        ON_WORLD(test_failure_keeps_the_mark) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
