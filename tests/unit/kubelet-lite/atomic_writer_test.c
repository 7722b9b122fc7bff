/* The ..data layout on a real file system: first write, no change, change, removal. */
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/env_uv.h"
#include "kubelet-lite/atomic_writer.h"
#include "tests/unit/kubelet-lite/fixture.h"
#include "tests/unit/unit.h"

static const char *text_at(struct fixture *f, struct env *env, const char *folder, const char *name)
{
    struct str s;
    struct err e;
    const char *path = str_printf(&f->a, "%s/%s", folder, name).data;
    if (env_file_read(env, &f->a, path, 1000, &s, &e) != 0)
        return "(none)";
    return str_dup(&f->a, s);
}

static const char *data_of(struct fixture *f, struct env *env, const char *folder)
{
    struct str s;
    struct err e;
    assert_int_equal(env_link_read(env, &f->a, str_printf(&f->a, "%s/..data", folder).data, &s, &e),
                     0);
    return str_dup(&f->a, s);
}

static void test_generations(void **state)
{
    struct fixture *f = *state;
    struct env *env = env_uv_new();
    struct err e = { 0 };
    struct env_stat st;
    bool changed;
    char root[] = "/tmp/atomic.XXXXXX";
    assert_non_null(mkdtemp(root));
    const char *folder = str_printf(&f->a, "%s/v", root).data;
    struct volume_file files[] = { { "a", STR("one"), 0644, (gid_t)-1 },
                                   { "sub/b", STR("two"), 0400, (gid_t)-1 } };
    assert_int_equal(atomic_write(env, folder, files, 2, &changed, &e), 0);
    assert_true(changed);
    assert_string_equal(text_at(f, env, folder, "a"), "one");
    assert_string_equal(text_at(f, env, folder, "sub/b"), "two");
    assert_int_equal(env_path_stat(env, str_printf(&f->a, "%s/sub/b", folder).data, &st, &e), 0);
    assert_int_equal(st.mode & 07777, 0400);
    const char *first = data_of(f, env, folder);
    assert_int_equal(atomic_write(env, folder, files, 2, &changed, &e), 0);
    assert_false(changed);
    assert_string_equal(data_of(f, env, folder), first);
    files[0].bytes = str_lit("uno");
    assert_int_equal(atomic_write(env, folder, files, 1, &changed, &e), 0);
    assert_true(changed);
    assert_string_equal(text_at(f, env, folder, "a"), "uno");
    assert_string_equal(text_at(f, env, folder, "sub/b"), "(none)");
    assert_false(env_path_exists(env, str_printf(&f->a, "%s/sub", folder).data));
    assert_false(env_path_exists(env, str_printf(&f->a, "%s/%s", folder, first).data));
    assert_int_equal(atomic_write(env, folder, NULL, 0, &changed, &e), 0);
    assert_string_equal(text_at(f, env, folder, "a"), "(none)");
    assert_int_equal(env_remove_tree(env, root, &e), 0);
    env_uv_free(env);
}

static void test_paths(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int rc;
    } rows[] = { { "a", 0 },
                 { "a/b/c", 0 },
                 { "a..b", 0 },
                 { "", -ERR_INVALID_ARGUMENT },
                 { "/a", -ERR_INVALID_ARGUMENT },
                 { "..", -ERR_INVALID_ARGUMENT },
                 { "a/../../b", -ERR_INVALID_ARGUMENT },
                 { "..data", -ERR_INVALID_ARGUMENT } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e;
        assert_int_equal(atomic_path_check(rows[i].path, &e), rows[i].rc);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_generations), T(test_paths) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
