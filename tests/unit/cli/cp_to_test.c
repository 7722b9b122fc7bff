/* cp into a container: the archive that its tar is given. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "cli/tar.h"
#include "tests/unit/cli/exec_server.h"
#include "tests/unit/unit.h"

#define POD                                                                                        \
    "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"namespace\":\"default\"},\"spec\":{"         \
    "\"containers\":[{\"name\":\"a\"}]},\"status\":{\"phase\":\"Running\"}}"

#define YES "{\"status\":\"Success\"}"
#define NO  EXEC_EXIT("1")

struct seen {
    struct tar_reader r;
    struct buf text;
};

static int on_entry(struct tar_reader *r, const struct tar_entry *e, struct err *err)
{
    (void)err;
    buf_printf(&container_of(r, struct seen, r)->text, "%c %.*s>%.*s:", e->type, STR_ARG(e->name),
               STR_ARG(e->link));
    return 0;
}

static int on_data(struct tar_reader *r, struct str bytes, struct err *err)
{
    (void)err;
    buf_append_str(&container_of(r, struct seen, r)->text, bytes);
    return 0;
}

static int on_end(struct tar_reader *r, struct err *err)
{
    (void)err;
    buf_append_c(&container_of(r, struct seen, r)->text, ";");
    return 0;
}

static void check_archive(struct exec_server *s, const char *expected)
{
    struct seen seen = { .r = { .entry = on_entry, .data = on_data, .end = on_end } };
    struct err e;
    buf_init(&seen.text);
    tar_reader_init(&seen.r);
    assert_int_equal(tar_read(&seen.r, buf_str(&s->input), &e), 0);
    assert_true(seen.r.over);
    assert_string_equal(str_dup(&s->base.cli.arena, buf_str(&seen.text)), expected);
    tar_reader_deinit(&seen.r);
    buf_deinit(&seen.text);
}

static const char *in(struct exec_server *s, const char *folder, const char *name)
{
    return str_printf(&s->base.cli.arena, "%s/%s", folder, name).data;
}

static const char *make_folder(struct exec_server *s)
{
    const char *folder = in(s, getenv("TEST_TMPDIR"), "site");
    assert_int_equal(env_remove_tree(s->base.env, folder, NULL), 0);
    assert_int_equal(env_dir_make(s->base.env, in(s, folder, "d/e"), 0755, NULL), 0);
    assert_int_equal(env_file_write(s->base.env, in(s, folder, "d/f"), str_lit("text"), 0600, NULL),
                     0);
    assert_int_equal(env_file_write(s->base.env, in(s, folder, "z"), str_lit(""), 0600, NULL), 0);
    assert_int_equal(env_link_set(s->base.env, "/etc/passwd", in(s, folder, "l"), NULL), 0);
    return folder;
}

static void test_folder(void **state)
{
    static const struct {
        const char *below; /* the folder */
        const char *to;
        const char *test;
        const char *archive;
        const char *command;
    } cases[] = {
        { "", "p:/www", NO, "5 www/d/e>:;0 www/d/f>:text;2 www/l>/etc/passwd:;0 www/z>:;",
          "&command=tar&command=-xmf&command=-&command=-C&command=%2F" },
        { "/.", "p:/www", YES, "5 ./d/e>:;0 ./d/f>:text;2 ./l>/etc/passwd:;0 ./z>:;",
          "&command=tar&command=-xmf&command=-&command=-C&command=%2Fwww" },
        { "/", "p:/www/", YES, "5 site/d/e>:;0 site/d/f>:text;2 site/l>/etc/passwd:;0 site/z>:;",
          "&command=tar&command=-xmf&command=-&command=-C&command=%2Fwww" },
        { "", "default/p:x/y", NO, "5 y/d/e>:;0 y/d/f>:text;2 y/l>/etc/passwd:;0 y/z>:;",
          "&command=tar&command=-xmf&command=-&command=-C&command=x" },
    };
    struct exec_server *s = *state;
    const char *folder = make_folder(s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *from = str_printf(&s->base.cli.arena, "%s%s", folder, cases[i].below).data;
        const char *words[] = { from, cases[i].to, NULL };
        struct exec_run r;
        exec_server_reset(s);
        s->base.pod = POD;
        s->test = cases[i].test;
        exec_server_run(s, &cp_verb, words, "", &r);
        assert_int_equal(r.code, 0);
        assert_non_null(strstr(s->base.target, cases[i].command));
        check_archive(s, cases[i].archive);
    }
}

/* Why `test -d` failed: some of it ends the copy, the rest is said and it goes on. */
static void test_not_asked(void **state)
{
    static const struct {
        const char *test;
        int refusal;
        int code;
        const char *errors;
    } cases[] = {
        { NO, 0, 0, "bye\n" },
        { EXEC_EXIT("127"), 0, 0,
          "warning: /www is taken for no folder: test -d did not work in the container: it ended "
          "with exit code 127\nbye\n" },
        { "{\"status\":\"Failure\",\"message\":\"\\u001b[2Jno test\"}", 0, 0,
          "warning: /www is taken for no folder: test -d did not work in the container: error: "
          "^[[2Jno test\nbye\n" },
        { NO, 404, 1, "Error from server (BadRequest): not this one\n" },
    };
    struct exec_server *s = *state;
    const char *words[] = { in(s, make_folder(s), "z"), "p:/www", NULL };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct exec_run r;
        exec_server_reset(s);
        s->base.pod = POD;
        s->test = cases[i].test;
        s->test_refusal = cases[i].refusal;
        exec_server_run(s, &cp_verb, words, "", &r);
        assert_string_equal(r.errors, cases[i].errors);
        assert_int_equal(r.code, cases[i].code);
        assert_int_equal(s->input.len > 0, cases[i].code == 0);
    }
}

/* What is in ".." goes into the folder: its name would lead above it. */
static void test_above(void **state)
{
    static const char *const to[] = { "p:/www", "p:../..", "p:/" };
    static const char *const folder[] = { "%2Fwww", "..%2F..", "%2F" };
    struct exec_server *s = *state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(in(s, make_folder(s), "d/e")), 0);
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) {
        const char *words[] = { "..", to[i], NULL };
        struct exec_run r;
        exec_server_reset(s);
        s->base.pod = POD;
        s->test = i == 0 ? YES : EXEC_EXIT("2"); /* the others are folders, whatever it says */
        exec_server_run(s, &cp_verb, words, "", &r);
        assert_string_equal(r.errors, "bye\n");
        const char *end = strrchr(s->base.target, '=');
        assert_string_equal(end + 1, folder[i]);
        check_archive(s, "5 ./e>:;0 ./f>:text;");
    }
    assert_int_equal(chdir(before), 0);
}

static void test_no_preserve(void **state)
{
    struct exec_server *s = *state;
    const char *words[] = { in(s, make_folder(s), "z"), "p:/z", "--no-preserve", NULL };
    struct exec_run r;
    exec_server_reset(s);
    s->base.pod = POD;
    exec_server_run(s, &cp_verb, words, "", &r);
    assert_non_null(strstr(s->base.target,
                           "command=tar&command=--no-same-permissions&command=--no-same-owner"));
    check_archive(s, "0 z>:;");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_folder),
                                        cmocka_unit_test(test_not_asked),
                                        cmocka_unit_test(test_above),
                                        cmocka_unit_test(test_no_preserve) };
    return cmocka_run_group_tests(tests, exec_server_setup, exec_server_teardown);
}
