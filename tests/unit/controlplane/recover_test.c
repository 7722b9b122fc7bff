/* Loud first, and only then: what is printed, and what it takes to do it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env_uv.h"
#include "controlplane/recover.h"
#include "store/raft_disk.h"
#include "store/recover.h"
#include "tests/unit/unit.h"

struct fixture {
    struct env *env;
    struct arena arena;
    struct buf out;
    char folder[64];
};

static const char *path(struct fixture *f, const char *file)
{
    return str_printf(&f->arena, "%s/%s", f->folder, file).data;
}

static int setup(void **state)
{
    static const struct store_member members[] = { { .id = 1, .name = "m1" },
                                                   { .id = 2, .name = "m2" } };
    struct fixture *f = mem_alloc(sizeof *f);
    f->env = env_uv_new();
    arena_init(&f->arena);
    buf_init(&f->out);
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/recover-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    assert_int_equal(raft_disk_bootstrap(f->env, path(f, "log-cluster"), members, 2, NULL), 0);
    assert_int_equal(raft_disk_bootstrap(f->env, path(f, "log-bus"), members, 2, NULL), 0);
    assert_int_equal(env_file_write(f->env, path(f, "cluster.conf"),
                                    str_lit("cluster c\nmember 1 m1 tcp:a:1 tcp:a:2\n"
                                            "member 3 m3 tcp:c:1 tcp:c:2\n"),
                                    0600, NULL),
                     0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    (void)env_remove_tree(f->env, f->folder, NULL); /* only a temporary folder */
    buf_deinit(&f->out);
    arena_deinit(&f->arena);
    env_uv_free(f->env);
    mem_free(f);
    return 0;
}

static int recover(struct fixture *f, const char *name, bool consent, struct err *e)
{
    const char *args[] = { "--cluster",
                           f->folder,
                           "--name",
                           name,
                           "--data",
                           f->folder,
                           "--i-know-that-writes-may-be-lost" };
    buf_clear(&f->out);
    *e = (struct err){ 0 };
    return recover_command(f->env, consent ? 7 : 6, (char **)(uintptr_t)args, &f->out, e);
}

static bool says(const struct fixture *f, const char *words)
{
    return str_find(buf_str(&f->out), str_from(words)) >= 0;
}

static void test_says_what_it_would_do(void **state)
{
    struct fixture *f = *state;
    char name[RECOVER_NAME_BYTES];
    struct err e;
    assert_int_equal(recover(f, "m1", false, &e), -ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(e.msg, "nothing was changed"));
    assert_true(says(f, "DISASTER RECOVERY of member m1"));
    assert_true(says(f, "m1(1, voter) m2(2, voter)"));
    assert_true(says(f, "LOSE every write"));
    assert_int_equal(recover_name(f->env, f->folder, name, NULL), 0);
    assert_string_equal(name, "");
}

static void test_does_it_when_told(void **state)
{
    struct fixture *f = *state;
    char name[RECOVER_NAME_BYTES];
    struct err e;
    assert_int_equal(recover(f, "m1", true, &e), 0);
    assert_true(says(f, "done: start the member"));
    assert_int_equal(recover_name(f->env, f->folder, name, NULL), 0);
    assert_int_equal(strlen(name), 32);
    assert_int_equal(recover(f, "m1", false, &e), -ERR_INVALID_ARGUMENT);
    assert_true(says(f, "members: m1(1, voter)\n"));
}

static void test_whom_it_does_not_know(void **state)
{
    struct fixture *f = *state;
    struct err e;
    assert_int_equal(recover(f, "m9", true, &e), -ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(e.msg, "no such member"));
    /* In cluster.conf, but never a part of these logs. */
    assert_int_equal(recover(f, "m3", true, &e), -ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(e.msg, "never was a part"));
    assert_int_equal(recover_command(f->env, 0, NULL, &f->out, &e), -ERR_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_says_what_it_would_do, setup, teardown),
        cmocka_unit_test_setup_teardown(test_does_it_when_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whom_it_does_not_know, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
