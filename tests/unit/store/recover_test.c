/* One survivor's logs: what is found in them, and what is added. */
#include <raft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/env_uv.h"
#include "store/raft_disk.h"
#include "store/recover.h"
#include "store/wal.h"
#include "tests/unit/unit.h"

struct fixture {
    struct env *env;
    char folder[64];
    char log[2][80];
};

static const struct store_member members[] = { { .id = 1, .name = "m1" },
                                               { .id = 2, .name = "m2" },
                                               { .id = 3, .name = "m3" } };

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    struct wal_entry more = { .term = 4, .type = RAFT_COMMAND, .bytes = str_lit("12345678") };

    f->env = env_uv_new();
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/recover-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->log[0], sizeof(f->log[0]), "%s/log-cluster", f->folder);
    (void)snprintf(f->log[1], sizeof(f->log[1]), "%s/log-bus", f->folder);
    for (int i = 0; i < 2; i++)
        assert_int_equal(raft_disk_bootstrap(f->env, f->log[i], members, 3, NULL), 0);
    assert_int_equal(wal_append_offline(f->env, f->log[0], &more, NULL), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    (void)env_remove_tree(f->env, f->folder, NULL); /* only a temporary folder */
    env_uv_free(f->env);
    mem_free(f);
    return 0;
}

static void test_found(void **state)
{
    struct fixture *f = *state;
    struct recover *r;
    const struct recover_group *g;
    struct err e = { 0 };

    assert_int_equal(recover_open(f->env, f->folder, &r, &e), 0);
    g = recover_group(r, STORE_CLUSTER);
    assert_string_equal(g->name, "cluster");
    assert_int_equal(g->last_index, 2);
    assert_int_equal(g->last_term, 4);
    assert_int_equal(g->term, 4);
    assert_int_equal(g->servers_count, 3);
    assert_string_equal(g->servers[2].name, "m3");
    assert_int_equal(g->servers[2].role, VIEW_VOTER);
    assert_int_equal(recover_group(r, STORE_BUS)->last_index, 1);
    recover_close(r);
}

static void test_a_running_member_is_let_be(void **state)
{
    struct fixture *f = *state;
    struct recover *one;
    struct recover *two;
    struct err e = { 0 };

    assert_int_equal(recover_open(f->env, f->folder, &one, &e), 0);
    assert_int_not_equal(recover_open(f->env, f->folder, &two, &e), 0);
    assert_non_null(strstr(e.msg, "running"));
    recover_close(one);
}

static void test_another_member_is_refused(void **state)
{
    static const struct {
        uint64_t id;
        const char *name;
    } cases[] = { { 4, "m4" }, { 2, "m1" }, { 1, "m2" }, { 9, "m1" } };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[RECOVER_NAME_BYTES];
        struct wal_state before;
        struct recover *r;
        struct err e = { 0 };

        assert_int_equal(recover_open(f->env, f->folder, &r, &e), 0);
        assert_int_equal(recover_write(r, cases[i].id, cases[i].name, &e), -ERR_INVALID_ARGUMENT);
        recover_close(r);
        assert_int_equal(wal_read(f->env, f->log[0], &before, NULL, NULL, NULL), 0);
        assert_int_equal(before.last, 2);
        assert_int_equal(recover_name(f->env, f->folder, name, &e), 0);
        assert_string_equal(name, "");
    }
}

static void test_alone_afterwards(void **state)
{
    struct fixture *f = *state;
    char first[RECOVER_NAME_BYTES];
    char second[RECOVER_NAME_BYTES];
    struct recover *r;
    struct err e = { 0 };

    for (int i = 0; i < 2; i++) {
        assert_int_equal(recover_open(f->env, f->folder, &r, &e), 0);
        assert_int_equal(recover_write(r, 2, "m2", &e), 0);
        recover_close(r);
        assert_int_equal(recover_name(f->env, f->folder, i == 0 ? first : second, &e), 0);
    }
    /* Again is another recovery: it removes again whoever came in between. */
    assert_int_equal(strlen(first), 32);
    assert_string_not_equal(first, second);
    assert_int_equal(recover_open(f->env, f->folder, &r, &e), 0);
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++) {
        const struct recover_group *g = recover_group(r, id);

        assert_int_equal(g->servers_count, 1);
        assert_int_equal(g->servers[0].id, 2);
        assert_string_equal(g->servers[0].name, "m2");
    }
    /* Each in a term of its own, above all that was known. */
    assert_int_equal(recover_group(r, STORE_CLUSTER)->last_term, 6);
    assert_int_equal(recover_group(r, STORE_CLUSTER)->last_index, 4);
    assert_int_equal(recover_group(r, STORE_BUS)->last_term, 3);
    recover_close(r);
}

static void test_begun_and_not_ended(void **state)
{
    struct fixture *f = *state;
    char name[RECOVER_NAME_BYTES];
    char path[96];
    struct err e = { 0 };
    static const char *const texts[] = { "begun 0123456789abcdef0123456789abcdef\n", "",
                                         "done x\n" };

    (void)snprintf(path, sizeof(path), "%s/" RECOVER_NAME, f->folder);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(env_file_write(f->env, path, str_from(texts[i]), 0600, &e), 0);
        assert_int_equal(recover_name(f->env, f->folder, name, &e), -ERR_CORRUPT);
        assert_non_null(strstr(e.msg, "run `gantryd recover` again"));
    }
}

static void test_nothing_to_recover_from(void **state)
{
    struct fixture *f = *state;
    struct recover *r;
    struct err e = { 0 };

    assert_int_equal(env_remove_tree(f->env, f->log[1], &e), 0);
    assert_int_not_equal(recover_open(f->env, f->folder, &r, &e), 0);
    assert_int_equal(recover_open(f->env, "/tmp/no-such-folder-here", &r, &e), -ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_running_member_is_let_be, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_member_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_alone_afterwards, setup, teardown),
        cmocka_unit_test_setup_teardown(test_begun_and_not_ended, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_to_recover_from, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
