/* gantry snapshot: a file under its name is whole; everything else is said and leaves nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/backup.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

struct files {
    char folder[64];
    char file[80];
    char partial[96];
    struct buf backup;
};

static struct files files;

static int append(void *ctx, struct str bytes)
{
    buf_append_str(ctx, bytes);
    return 0;
}

static int setup(void **state)
{
    char name[] = "/tmp/snapshot-XXXXXX";
    assert_int_equal(cli_world_setup(state), 0);
    struct cli_world *w = *state;
    assert_non_null(mkdtemp(name));
    (void)snprintf(files.folder, sizeof files.folder, "%s", name);
    (void)snprintf(files.file, sizeof files.file, "%s/b", name);
    (void)snprintf(files.partial, sizeof files.partial, "%s/b.partial", name);
    struct backup b = { .cluster_id = "c-1", .version = "1.0", .wall_ns = 86400 * ENV_S };
    struct str copy = str_of(mem_alloc(600000), 600000);
    assert_int_equal(env_file_write(w->env, files.file, copy, 0600, NULL), 0);
    mem_free((void *)(uintptr_t)copy.data);
    b.groups[b.groups_count++] = (struct backup_group){
        .id = STORE_CLUSTER,
        .point = { .index = 9, .term = 2, .revision = 7, .digest = 0xabc, .level = 2 },
        .bytes = 600000,
        .keys = 4321,
        .path = files.file
    };
    buf_init(&files.backup);
    assert_int_equal(backup_write(w->env, &b, append, &files.backup, NULL), 0);
    assert_int_equal(env_path_remove(w->env, files.file, NULL), 0);
    return 0;
}

static int teardown(void **state)
{
    struct cli_world *w = *state;
    assert_int_equal(env_remove_tree(w->env, files.folder, NULL), 0);
    buf_deinit(&files.backup);
    return cli_world_teardown(state);
}

static int save(struct cli_world *w, const char *flag, const char *value)
{
    const char *words[] = { "save", files.file, flag, value, NULL };
    return cli_world_run(w, &snapshot_verb, words);
}

static int status(struct cli_world *w, const char *flag, const char *value)
{
    const char *words[] = { "status", files.file, flag, value, NULL };
    return cli_world_run(w, &snapshot_verb, words);
}

static void answer(struct cli_world *w, int code, struct str bytes)
{
    cli_world_reset(w);
    w->answers[0].status = code;
    w->answers[0].body = "";
    w->answers[0].bytes = bytes;
}

static void test_saved(void **state)
{
    struct cli_world *w = *state;
    struct env_stat stat;
    answer(w, 200, buf_str(&files.backup));
    assert_int_equal(save(w, NULL, NULL), CLI_OK);
    assert_string_equal(w->asked[0], "GET /gantry/v1/snapshot ");
    assert_non_null(strstr(w->out, "cluster c-1, revision 7, "));
    assert_string_equal(w->errors, ""); /* no terminal: no progress */
    assert_int_equal(env_path_stat(w->env, files.file, &stat, NULL), 0);
    assert_int_equal(stat.size, files.backup.len);
    assert_int_equal(stat.mode & 0777, 0600);
    assert_false(env_path_exists(w->env, files.partial));
    /* Not over another one, unless it is said. */
    assert_int_equal(save(w, NULL, NULL), CLI_FAILED);
    assert_int_equal(w->asks, 0);
    assert_non_null(strstr(w->errors, "is there already"));
    assert_int_equal(save(w, "--force", NULL), CLI_OK);
    assert_int_equal(save(w, "--force", "--local"), CLI_OK);
    assert_string_equal(w->asked[0], "GET /gantry/v1/snapshot?local=true ");

    assert_int_equal(status(w, NULL, NULL), CLI_OK);
    assert_true(strncmp(w->out, "cluster c-1  saved 1970-01-02T00:00:00Z by version 1.0  ", 56) ==
                0);
    assert_non_null(strstr(w->out, " ok\n"));
    assert_non_null(strstr(w->out, " DIGEST                   KEYS        BYTES\n"));
    assert_non_null(strstr(w->out, " 0000000000000abc         4321       600000\n"));
    assert_int_equal(status(w, "-o", "json"), CLI_OK);
    assert_true(strncmp(w->out,
                        "{\"ok\":true,\"cluster\":\"c-1\",\"saved\":\"1970-01-02T00:00:00Z\","
                        "\"version\":\"1.0\",\"bytes\":",
                        80) == 0);
    assert_non_null(strstr(w->out, "{\"name\":\"cluster\",\"index\":9,\"term\":2,\"revision\":7,"));
    assert_non_null(strstr(w->out, "\"digest\":\"0000000000000abc\",\"keys\":4321,\"bytes\":"));
    assert_int_equal(env_path_remove(w->env, files.file, NULL), 0);
}

static void test_member(void **state)
{
    struct cli_world *w = *state;
    answer(w, 200, str_lit("m2\n"));
    w->answers[1].status = 200;
    w->answers[1].bytes = buf_str(&files.backup);
    assert_int_equal(save(w, "--member", "m2"), CLI_OK);
    assert_string_equal(w->asked[0], "GET /gantry/v1/member ");
    assert_string_equal(w->asked[1], "GET /gantry/v1/snapshot ");
    assert_int_equal(env_path_remove(w->env, files.file, NULL), 0);
    assert_int_equal(save(w, "--member", "m3"), CLI_FAILED);
    assert_false(env_path_exists(w->env, files.partial));
}

/* What does not verify, what is refused, whom nobody answers. */
static void test_failures(void **state)
{
    struct cli_world *w = *state;
    struct str real = w->cli.servers[0];
    files.backup.data[files.backup.len / 2] ^= 1;
    answer(w, 200, buf_str(&files.backup));
    assert_int_equal(save(w, NULL, NULL), CLI_FAILED);
    assert_non_null(strstr(w->errors, "its digest is wrong"));
    assert_int_equal(env_file_write(w->env, files.file, buf_str(&files.backup), 0600, NULL), 0);
    assert_int_equal(status(w, NULL, NULL), CLI_FAILED);
    assert_non_null(strstr(w->errors, "its digest is wrong"));
    assert_int_equal(status(w, "-o", "json"), CLI_FAILED);
    assert_true(strncmp(w->out, "{\"ok\":false,\"reason\":\"", 22) == 0);
    assert_int_equal(env_path_remove(w->env, files.file, NULL), 0);
    files.backup.data[files.backup.len / 2] ^= 1;

    answer(w, 429, str_lit("another backup of this member is under way\n"));
    assert_int_equal(save(w, NULL, NULL), CLI_FAILED);
    assert_int_equal(w->asks, 1);
    assert_non_null(strstr(w->errors, "another backup of this member is under way"));
    w->cli.servers[0] = str_lit("tcp:127.0.0.1:1");
    assert_int_equal(save(w, NULL, NULL), CLI_FAILED);
    assert_non_null(strstr(w->errors, "127.0.0.1:1 broke off after 0 bytes"));
    w->cli.servers[0] = real;
    assert_false(env_path_exists(w->env, files.file));
    assert_false(env_path_exists(w->env, files.partial));
}

static void test_usage(void **state)
{
    static const char *const cases[][5] = {
        { NULL },
        { "load", NULL },
        { "save", NULL },
        { "save", "a", "b", NULL },
        { "save", "a", "--what", NULL },
        { "status", NULL },
        { "status", "a", "-o", "yaml", NULL },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(cli_world_run(w, &snapshot_verb, cases[i]), CLI_USAGE);
        int count = 0;
        while (cases[i][count] != NULL)
            count++;
        /* Only a save needs a server. */
        assert_int_equal(snapshot_verb.is_offline(count, (char **)(uintptr_t)cases[i]),
                         count == 0 || strcmp(cases[i][0], "save") != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_saved), cmocka_unit_test(test_member),
                                        cmocka_unit_test(test_failures),
                                        cmocka_unit_test(test_usage) };
    return cmocka_run_group_tests(tests, setup, teardown);
}
