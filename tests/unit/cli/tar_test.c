/* tar archives: what is written is read again, in pieces of any size; nonsense is told. */
#include <string.h>

#include "base/arena.h"
#include "base/list.h"
#include "cli/tar.h"
#include "tests/unit/unit.h"

struct seen {
    struct tar_reader r;
    struct buf text; /* "TYPE NAME LINK SIZE MODE: BYTES;" again and again */
};

static int on_entry(struct tar_reader *r, const struct tar_entry *e, struct err *err)
{
    struct seen *s = container_of(r, struct seen, r);
    (void)err;
    buf_printf(&s->text, "%c %.*s %.*s %llu %o:", e->type, STR_ARG(e->name), STR_ARG(e->link),
               (unsigned long long)e->size, e->mode);
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

static void seen_init(struct seen *s)
{
    *s = (struct seen){ .r = { .entry = on_entry, .data = on_data, .end = on_end } };
    buf_init(&s->text);
    tar_reader_init(&s->r);
}

static void seen_deinit(struct seen *s)
{
    buf_deinit(&s->text);
    tar_reader_deinit(&s->r);
}

static void add(struct buf *out, int type, const char *name, const char *link, const char *bytes)
{
    const struct tar_entry e = { .type = type,
                                 .name = str_from(name),
                                 .link = str_from(link),
                                 .size = strlen(bytes),
                                 .mode = 0640,
                                 .modified_s = 1700000000 };
    tar_write_header(out, &e);
    buf_append_c(out, bytes);
    tar_write_padding(out, e.size);
}

#define TEN     "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define LONG    "d/" HUNDRED "/" HUNDRED "/x"

static void test_both_ways(void **state)
{
    static const size_t pieces[] = { 1, 7, 511, 512, 513, 100000 };
    static const char whole[] = "0 a/b  5 640:hello;0 empty  0 640:;5 folder  0 640:;2 l " LONG
                                " 0 640:;0 " LONG "  3 640:abc;";
    struct buf archive;
    (void)state;
    buf_init(&archive);
    add(&archive, TAR_FILE, "a/b", "", "hello");
    add(&archive, TAR_FILE, "empty", "", "");
    add(&archive, TAR_FOLDER, "folder", "", "");
    add(&archive, TAR_LINK, "l", LONG, "");
    add(&archive, TAR_FILE, LONG, "", "abc");
    tar_write_end(&archive);
    assert_int_equal(archive.len % TAR_BLOCK_BYTES, 0);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct seen s;
        struct err e;
        seen_init(&s);
        for (size_t at = 0; at < archive.len; at += pieces[i])
            assert_int_equal(tar_read(&s.r, str_slice(buf_str(&archive), at, at + pieces[i]), &e),
                             0);
        assert_true(str_eq_c(buf_str(&s.text), whole));
        assert_true(s.r.over);
        seen_deinit(&s);
    }
    buf_deinit(&archive);
}

/* A size beyond octal's eight gibibytes is read as it was written; no bytes need to follow. */
static void test_huge(void **state)
{
    const struct tar_entry huge = { .type = TAR_FILE, .name = str_lit("x"), .size = 1ull << 40 };
    struct buf archive;
    struct seen s;
    struct err e;
    (void)state;
    buf_init(&archive);
    seen_init(&s);
    tar_write_header(&archive, &huge);
    assert_int_equal(tar_read(&s.r, buf_str(&archive), &e), 0);
    assert_true(str_eq_c(buf_str(&s.text), "0 x  1099511627776 0:"));
    assert_false(tar_reader_between(&s.r));
    seen_deinit(&s);
    buf_deinit(&archive);
}

/* What pax says of the next entry: its name, where it leads, its size. */
static void test_pax(void **state)
{
    struct buf archive;
    struct seen s;
    struct err e;
    (void)state;
    buf_init(&archive);
    seen_init(&s);
    add(&archive, 'x', "pax", "", "16 path=other/a\n9 size=2\n13 linkpath=\n");
    add(&archive, TAR_FILE, "short", "", "hi");
    add(&archive, TAR_FILE, "next", "", "");
    assert_int_equal(tar_read(&s.r, buf_str(&archive), &e), 0);
    assert_true(str_eq_c(buf_str(&s.text), "0 other/a  2 640:hi;0 next  0 640:;"));
    assert_true(tar_reader_between(&s.r));
    seen_deinit(&s);
    buf_deinit(&archive);
}

/* A long name of nothing is none; a name that others would read further than it opens is refused.
 */
static void test_names_that_are_none(void **state)
{
    static const char nul[] = "13 path=..\0x\n";
    struct buf archive;
    struct seen s;
    struct err e;
    (void)state;
    buf_init(&archive);
    seen_init(&s);
    const struct tar_entry nothing = { .type = 'L', .name = str_lit("x") };
    tar_write_header(&archive, &nothing);
    add(&archive, TAR_FILE, "a", "", "");
    assert_int_equal(tar_read(&s.r, buf_str(&archive), &e), 0);
    assert_true(str_eq_c(buf_str(&s.text), "0 a  0 640:;"));
    buf_clear(&archive);
    const struct tar_entry pax = { .type = 'x', .name = str_lit("x"), .size = sizeof nul - 1 };
    tar_write_header(&archive, &pax);
    buf_append(&archive, nul, sizeof nul - 1);
    for (size_t i = sizeof nul - 1; i < 512; i++)
        buf_append_byte(&archive, 0);
    assert_int_equal(tar_read(&s.r, buf_str(&archive), &e), -ERR_PARSE);
    assert_string_equal(e.msg, "tar archive: a name has a NUL in it");
    seen_deinit(&s);
    buf_deinit(&archive);
}

static void test_nonsense(void **state)
{
    struct buf archive;
    struct seen s;
    struct err e;
    (void)state;
    buf_init(&archive);
    seen_init(&s);
    add(&archive, TAR_FILE, "a", "", "hello");
    archive.data[0] = 'b'; /* the sum is no longer right */
    assert_int_equal(tar_read(&s.r, buf_str(&archive), &e), -ERR_PARSE);
    assert_string_equal(e.msg, "what came is no tar archive");
    seen_deinit(&s);
    seen_init(&s);
    buf_clear(&archive);
    const struct tar_entry name = { .type = 'L', .name = str_lit("x"), .size = 1 << 20 };
    tar_write_header(&archive, &name);
    assert_int_equal(tar_read(&s.r, buf_str(&archive), &e), -ERR_LIMIT);
    seen_deinit(&s);
    buf_deinit(&archive);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_both_ways),
                                        cmocka_unit_test(test_huge), cmocka_unit_test(test_pax),
                                        cmocka_unit_test(test_names_that_are_none),
                                        cmocka_unit_test(test_nonsense) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
