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
    return str_printf(&s->base.cli.arena, "%s/%s", folder, name).data;
}

static void check_file(struct exec_server *s, const char *path, const char *bytes)
{
    struct str text;
    int rc = env_file_read(s->base.env, &s->base.cli.arena, path, 4096, &text, NULL);
    assert_int_equal(rc == 0, bytes != NULL);
    if (rc == 0)
        assert_true(str_eq_c(text, bytes));
}

/* An empty folder, with what is around it. */
static const char *fresh(struct exec_server *s)
{
    const char *around = in(s, getenv("TEST_TMPDIR"), "from");
    assert_int_equal(env_remove_tree(s->base.env, around, NULL), 0);
    assert_int_equal(env_dir_make(s->base.env, in(s, around, "to"), 0755, NULL), 0);
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
    s->base.pod = POD;
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
    assert_non_null(strstr(s->base.target, "command=tar&command=cf&command=-&command=%2Fwww"));
    check_file(s, in(s, to, "a"), "one");
    check_file(s, in(s, to, "d/b"), "two");
    check_file(s, in(s, to, "c"), "one");
    assert_true(env_path_exists(s->base.env, in(s, to, "e")));
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
    assert_int_equal(env_dir_make(s->base.env, in(s, to, "../elsewhere"), 0755, NULL), 0);
    assert_int_equal(env_link_set(s->base.env, "../elsewhere", in(s, to, "away"), NULL), 0);
    copy(s, parts, "p:x", to, &r);
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(r.errors, "is outside target destination, skipping\n"));
    assert_non_null(strstr(r.errors, "warning: skipping symlink: "));
    check_file(s, in(s, to, "../out"), NULL);
    check_file(s, in(s, to, "../elsewhere/file"), NULL);
    check_file(s, in(s, to, "l/in"), "fine"); /* the link is not there: a folder of its name is */
    check_file(s, in(s, to, "good"), "good");
}

/* However a tar writes the names, and whatever the path that was asked for begins with. */
static void test_names(void **state)
{
    static const struct part dotted[] = { { TAR_FOLDER, "./x/", "" },
                                          { TAR_FILE, "./x//./a", "one" },
                                          { 0 } };
    static const struct part flag[] = { { TAR_FILE, "./-x/a", "two" }, { 0 } };
    static const struct part above[] = {
        { TAR_FILE, "/a", "three" }, { TAR_FILE, "../b", "bad" }, { TAR_FILE, "./", "bad" }, { 0 }
    };
    struct exec_server *s = *state;
    const char *to = fresh(s);
    struct exec_run r;
    copy(s, dotted, "p:./x", to, &r);
    assert_string_equal(r.errors, "");
    check_file(s, in(s, to, "a"), "one");
    copy(s, flag, "p:-x", to, &r);
    assert_string_equal(r.errors, "");
    assert_non_null(strstr(s->base.target, "command=-&command=.%2F-x"));
    check_file(s, in(s, to, "a"), "two");
    copy(s, above, "p:..", to, &r);
    assert_int_equal(r.code, 0);
    check_file(s, in(s, to, "a"), "three");
    check_file(s, in(s, to, "../b"), NULL);
    assert_non_null(strstr(r.errors, "is outside target destination, skipping\n"));
}

#define TEN      "0123456789"
#define HUNDRED  TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "/"
#define THOUSAND HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

/* A name that no path can hold is skipped, and nothing else. */
static void test_too_long(void **state)
{
    static const struct part parts[] = { { TAR_FILE, "x/" THOUSAND THOUSAND THOUSAND THOUSAND "in",
                                           "bad" },
                                         { TAR_FILE, "x/good", "good" },
                                         { 0 } };
    struct exec_server *s = *state;
    const char *to = fresh(s);
    struct exec_run r;
    copy(s, parts, "p:x", to, &r);
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(r.errors, "skipping\n"));
    assert_false(env_path_exists(s->base.env, in(s, to, TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN)));
    check_file(s, in(s, to, "good"), "good");
}

/* Names and words from there do nothing to the terminal. */
static void test_controls(void **state)
{
    static const struct part parts[] = { { TAR_LINK, "x/\x1b[2J", "/\x1b]0;t\x07" },
                                         { TAR_FOLDER, "x/\x1b[1m", "" },
                                         { TAR_FILE, "x/\x1b[1m", "no room" },
                                         { 0 } };
    struct exec_server *s = *state;
    const char *to = fresh(s);
    struct exec_run r;
    struct buf archive;
    buf_init(&archive);
    pack(&archive, parts);
    exec_server_reset(s);
    s->base.pod = POD;
    s->at_once = true;
    s->errors = str_lit("tar: \x1b[31m\xc2\x9b\r\n");
    s->output = buf_str(&archive);
    exec_server_run(s, &cp_verb, (const char *[]){ "p:x", to, NULL }, "", &r);
    buf_deinit(&archive);
    assert_int_equal(r.code, 1);
    assert_non_null(strstr(r.errors, "tar: ^[[31m\\u009b\\r\n"));
    assert_non_null(strstr(r.errors, "skipping symlink: "));
    assert_non_null(strstr(r.errors, "error: "));
    assert_null(strchr(r.errors, '\x1b'));
    assert_null(strchr(r.errors, '\x07'));
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
    s->base.pod = POD;
    s->at_once = true;
    s->output = str_lit("half an archive");
    exec_server_run(s, &cp_verb, (const char *[]){ "p:x", to, NULL }, "", &r);
    assert_string_equal(r.errors,
                        "error: the archive ends before its end mark: the copy is not complete\n");
    assert_int_equal(r.code, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),    cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_names),    cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_controls), cmocka_unit_test(test_corrupted)
    };
    return cmocka_run_group_tests(tests, exec_server_setup, exec_server_teardown);
}
