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
    assert_string_equal(str_dup(&s->cli.arena, buf_str(&seen.text)), expected);
    tar_reader_deinit(&seen.r);
    buf_deinit(&seen.text);
}

static const char *in(struct exec_server *s, const char *folder, const char *name)
{
    return str_printf(&s->cli.arena, "%s/%s", folder, name).data;
}

static const char *make_folder(struct exec_server *s)
{
    const char *folder = in(s, getenv("TEST_TMPDIR"), "site");
    assert_int_equal(env_remove_tree(s->env, folder, NULL), 0);
    assert_int_equal(env_dir_make(s->env, in(s, folder, "d/e"), 0755, NULL), 0);
    assert_int_equal(env_file_write(s->env, in(s, folder, "d/f"), str_lit("text"), 0600, NULL), 0);
    assert_int_equal(env_file_write(s->env, in(s, folder, "z"), str_lit(""), 0600, NULL), 0);
    assert_int_equal(env_link_set(s->env, "/etc/passwd", in(s, folder, "l"), NULL), 0);
    return folder;
}

static void test_folder(void **state)
{
    static const struct {
        const char *to;
        bool folder;
        const char *archive;
        const char *command;
    } cases[] = {
        { "p:/www", false, "5 www/d/e>:;0 www/d/f>:text;2 www/l>/etc/passwd:;0 www/z>:;",
          "&command=tar&command=-xmf&command=-&command=-C&command=%2F" },
        { "p:/www/", true, "5 site/d/e>:;0 site/d/f>:text;2 site/l>/etc/passwd:;0 site/z>:;",
          "&command=tar&command=-xmf&command=-&command=-C&command=%2Fwww" },
        { "default/p:x/y", false, "5 y/d/e>:;0 y/d/f>:text;2 y/l>/etc/passwd:;0 y/z>:;",
          "&command=tar&command=-xmf&command=-&command=-C&command=x" },
    };
    struct exec_server *s = *state;
    const char *folder = make_folder(s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *words[] = { folder, cases[i].to, NULL };
        struct exec_run r;
        exec_server_reset(s);
        s->pod = POD;
        s->folder = cases[i].folder;
        exec_server_run(s, &cp_verb, words, "", &r);
        assert_int_equal(r.code, 0);
        assert_non_null(strstr(s->target, cases[i].command));
        check_archive(s, cases[i].archive);
    }
}

static void test_no_preserve(void **state)
{
    struct exec_server *s = *state;
    const char *words[] = { in(s, make_folder(s), "z"), "p:/z", "--no-preserve", NULL };
    struct exec_run r;
    exec_server_reset(s);
    s->pod = POD;
    exec_server_run(s, &cp_verb, words, "", &r);
    assert_non_null(
        strstr(s->target, "command=tar&command=--no-same-permissions&command=--no-same-owner"));
    check_archive(s, "0 z>:;");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_folder),
                                        cmocka_unit_test(test_no_preserve) };
    return cmocka_run_group_tests(tests, exec_server_setup, exec_server_teardown);
}
