/* gantry cp: its words, and paths made clean. */
#include <string.h>

#include "cli/cp.h"
#include "tests/unit/cli/exec_server.h"
#include "tests/unit/unit.h"

static void test_paths(void **state)
{
    static const struct {
        const char *path;
        const char *clean;
        const char *base;
        const char *folder;
    } cases[] = {
        { "", ".", ".", "." },
        { "a", "a", "a", "." },
        { "a/", "a", "a", "." },
        { "/a//b/./c/", "/a/b/c", "c", "/a/b" },
        { "/", "/", "/", "/" },
        { "/a", "/a", "a", "/" },
        { "a/../b", "b", "b", "." },
        { "../a", "../a", "a", ".." },
        { "../../a/..", "../..", "..", ".." },
        { "/../a", "/a", "a", "/" },
        { "a/../../b", "../b", "b", ".." },
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str clean = cp_clean(&a, str_from(cases[i].path));
        assert_string_equal(str_dup(&a, clean), cases[i].clean);
        assert_string_equal(str_dup(&a, cp_base(clean)), cases[i].base);
        assert_string_equal(str_dup(&a, cp_folder(clean)), cases[i].folder);
    }
    arena_deinit(&a);
}

static void test_words(void **state)
{
    static const struct {
        const char *words[4];
        const char *error;
    } cases[] = {
        { { "a" }, "error: source and destination are required\n" },
        { { ":a", "b" },
          "error: filespec must match the canonical format: [[namespace/]pod:]file/path\n" },
        { { "n/p/q:a", "b" },
          "error: filespec must match the canonical format: [[namespace/]pod:]file/path\n" },
        { { "p:a", "q:b" }, "error: one of src or dest must be a local file specification\n" },
        { { "a", "b" }, "error: one of src or dest must be a remote file specification\n" },
        { { "p:", "b" }, "error: filepath can not be empty\n" },
        { { "/no/such/file", "p:b" }, "error: /no/such/file doesn't exist in local filesystem\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct exec_server *s = *state;
        struct exec_run r;
        exec_server_reset(s);
        exec_server_run(s, &cp_verb, cases[i].words, "", &r);
        assert_string_equal(r.errors, cases[i].error);
        assert_int_equal(r.code, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_paths),
                                        cmocka_unit_test(test_words) };
    return cmocka_run_group_tests(tests, exec_server_setup, exec_server_teardown);
}
