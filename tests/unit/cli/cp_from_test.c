/* cp out of a container: where files go, and above all where they do not. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/tar.h"
#include "tests/unit/cli/exec_server.h"
#include "tests/unit/unit.h"

#define POD                                                                                        \
    "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"namespace\":\"default\"},\"spec\":{"         \
    "\"containers\":[{\"name\":\"a\"}]},\"status\":{\"phase\":\"Running\"}}"

struct part {
    int type;
    const char *name;
    const char *bytes; /* or where a link leads */
};

static void pack(struct buf *out, const struct part *parts)
{
    for (; parts->name != NULL; parts++) {
        bool file = parts->type == TAR_FILE;
        const struct tar_entry e = { .type = parts->type,
                                     .name = str_from(parts->name),
                                     .link = str_from(file ? "" : parts->bytes),
                                     .size = file ? strlen(parts->bytes) : 0,
                                     .mode = 0600 };
        tar_write_header(out, &e);
        if (file)
            buf_append_c(out, parts->bytes);
        tar_write_padding(out, e.size);
    }
    tar_write_end(out);
}

static const char *in(struct exec_server *s, const char *folder, const char *name)
{
    return str_printf(&s->cli.arena, "%s/%s", folder, name).data;
}

static void check_file(struct exec_server *s, const char *path, const char *bytes)
{
    struct str text;
    int rc = env_file_read(s->env, &s->cli.arena, path, 4096, &text, NULL);
    assert_int_equal(rc == 0, bytes != NULL);
    if (rc == 0)
        assert_true(str_eq_c(text, bytes));
}

/* An empty folder, with what is around it. */
static const char *fresh(struct exec_server *s)
{
    const char *around = in(s, getenv("TEST_TMPDIR"), "from");
    assert_int_equal(env_remove_tree(s->env, around, NULL), 0);
    assert_int_equal(env_dir_make(s->env, in(s, around, "to"), 0755, NULL), 0);
    return in(s, around, "to");
}

static void copy(struct exec_server *s, const struct part *parts, const char *from, const char *to,
                 struct exec_run *r)
{
    const char *words[] = { from, to, NULL };
    struct buf archive;
    buf_init(&archive);
    pack(&archive, parts);
    exec_server_reset(s);
    s->pod = POD;
    s->at_once = true;
    s->output = buf_str(&archive);
    exec_server_run(s, &cp_verb, words, "", r);
    buf_deinit(&archive);
}

static void test_files(void **state)
{
    static const struct part folder[] = {
        { TAR_FOLDER, "www/", "" },     { TAR_FILE, "www/a", "one" },
        { TAR_FILE, "www/d/b", "two" }, { TAR_HARD_LINK, "www/c", "www/a" },
        { TAR_FOLDER, "www/e", "" },    { 0 }
    };
    static const struct part one[] = { { TAR_FILE, "etc/motd", "hello" }, { 0 } };
    struct exec_server *s = *state;
    const char *to = fresh(s);
    struct exec_run r;
    copy(s, folder, "p:/www", to, &r);
    assert_string_equal(r.errors, "");
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(s->target, "command=tar&command=cf&command=-&command=%2Fwww"));
    check_file(s, in(s, to, "a"), "one");
    check_file(s, in(s, to, "d/b"), "two");
    check_file(s, in(s, to, "c"), "one");
    assert_true(env_path_exists(s->env, in(s, to, "e")));
    copy(s, one, "p:../etc/motd", in(s, to, "name"), &r);
    assert_int_equal(r.code, 0);
    check_file(s, in(s, to, "name"), "hello");
    copy(s, one, "p:/etc/motd", to, &r); /* into the folder */
    assert_int_equal(r.code, 0);
    check_file(s, in(s, to, "motd"), "hello");
}

static void test_escapes(void **state)
{
    static const struct part parts[] = {
        { TAR_FILE, "x/../../out", "bad" }, { TAR_LINK, "x/l", "/etc" },
        { TAR_FILE, "x/l/in", "fine" },     { TAR_FILE, "x/away/file", "bad" },
        { TAR_FILE, "x/good", "good" },     { 0 }
    };
    struct exec_server *s = *state;
    const char *to = fresh(s);
    struct exec_run r;
    assert_int_equal(env_dir_make(s->env, in(s, to, "../elsewhere"), 0755, NULL), 0);
    assert_int_equal(env_link_set(s->env, "../elsewhere", in(s, to, "away"), NULL), 0);
    copy(s, parts, "p:x", to, &r);
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(r.errors, "is outside target destination, skipping\n"));
    assert_non_null(strstr(r.errors, "warning: skipping symlink: "));
    check_file(s, in(s, to, "../out"), NULL);
    check_file(s, in(s, to, "../elsewhere/file"), NULL);
    check_file(s, in(s, to, "l/in"), "fine"); /* the link is not there: a folder of its name is */
    check_file(s, in(s, to, "good"), "good");
}

static void test_corrupted(void **state)
{
    static const struct part other[] = { { TAR_FILE, "xy", "bad" }, { 0 } };
    struct exec_server *s = *state;
    const char *to = fresh(s);
    struct exec_run r;
    copy(s, other, "p:x", to, &r);
    assert_string_equal(r.errors, "error: tar contents corrupted\n");
    assert_int_equal(r.code, 1);
    exec_server_reset(s);
    s->pod = POD;
    s->at_once = true;
    s->output = str_lit("half an archive");
    exec_server_run(s, &cp_verb, (const char *[]){ "p:x", to, NULL }, "", &r);
    assert_string_equal(r.errors,
                        "error: the archive ends before its end mark: the copy is not complete\n");
    assert_int_equal(r.code, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_files),
                                        cmocka_unit_test(test_escapes),
                                        cmocka_unit_test(test_corrupted) };
    return cmocka_run_group_tests(tests, exec_server_setup, exec_server_teardown);
}
