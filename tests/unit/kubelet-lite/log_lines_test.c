/* Log lines, options, and what a reader gets of them. */
#include <string.h>

#include "base/arena.h"
#include "kubelet-lite/log_lines.h"
#include "tests/unit/unit.h"

static void test_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *text; /* NULL: none */
        bool partial;
    } rows[] = { { "2026-11-22T07:12:28.41808981Z stdout F hello world", "hello world", false },
                 { "2026-11-22T07:12:28Z stderr P piece", "piece", true },
                 { "2026-11-22T07:12:28Z stdout F ", "", false },
                 { "2026-11-22T07:12:28Z stdout F", "", false },
                 { "2026-11-22T07:12:28Z stdout F:x tagged", "tagged", false },
                 { "2026-11-22T07:12:28Z stdin F x", NULL, false },
                 { "2026-11-22T07:12:28Z stdout X x", NULL, false },
                 { "2026-11-22T07:12:28Z stdout FF x", NULL, false },
                 { "nonsense", NULL, false },
                 { "", NULL, false } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct log_line l;
        int rc = log_line_parse(str_from(rows[i].line), &l);
        assert_int_equal(rc, rows[i].text != NULL ? 0 : -ERR_PARSE);
        if (rows[i].text == NULL)
            continue;
        assert_true(str_eq_c(l.text, rows[i].text));
        assert_int_equal(l.partial, rows[i].partial);
    }
}

static void test_options(void **state)
{
    (void)state;
    struct arena a;
    struct log_options o;
    struct err e;
    arena_init(&a);
    assert_int_equal(
        log_options_parse(&a, str_lit("follow=true&tailLines=3&timestamps=true"), 100, &o, &e), 0);
    assert_true(o.follow && o.timestamps && o.has_tail && !o.has_limit && !o.has_since);
    assert_int_equal(o.tail_lines, 3);
    assert_int_equal(log_options_parse(&a, str_lit("sinceSeconds=30&limitBytes=5"), 100, &o, &e),
                     0);
    assert_int_equal(o.since_s, 70);
    assert_int_equal(o.limit_bytes, 5);
    assert_int_equal(
        log_options_parse(&a, str_lit("sinceTime=1970-01-01T00%3A01%3A00.5Z"), 100, &o, &e), 0);
    assert_int_equal(o.since_s, 60);
    assert_int_equal(o.since_ns, 500000000);
    /* Clients write what their language prints. */
    assert_int_equal(log_options_parse(&a, str_lit("follow=True&timestamps=False"), 1, &o, &e), 0);
    assert_true(o.follow && !o.timestamps);
    assert_int_equal(log_options_parse(&a, str_lit("follow=0&timestamps"), 1, &o, &e), 0);
    assert_true(!o.follow && o.timestamps);
    static const char *const bad[] = { "tailLines=-1", "limitBytes=x",
                                       "sinceSeconds=1&sinceTime=1970-01-01T00:00:00Z",
                                       "sinceTime=yesterday" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(log_options_parse(&a, str_from(bad[i]), 100, &o, &e),
                         -ERR_INVALID_ARGUMENT);
    arena_deinit(&a);
}

static const char text[] = "1970-01-01T00:00:01Z stdout F one\n"
                           "1970-01-01T00:00:02Z stdout P tw\n"
                           "1970-01-01T00:00:03Z stdout F o\n"
                           "broken\n"
                           "1970-01-01T00:00:04Z stderr F three\n";

static void test_reading(void **state)
{
    (void)state;
    static const struct {
        struct log_options options;
        const char *out;
    } rows[] = { { { 0 }, "one\ntwo\nthree\n" },
                 { { .timestamps = true },
                   "1970-01-01T00:00:01Z one\n1970-01-01T00:00:02Z two\n1970-01-01T00:00:04Z "
                   "three\n" },
                 { { .has_limit = true, .limit_bytes = 5 }, "one\nt" },
                 { { .has_limit = true, .limit_bytes = 0 }, "" },
                 { { .has_since = true, .since_s = 4 }, "three\n" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        /* Whatever the pieces are, the outcome is the same. */
        for (size_t step = 1; step < sizeof text; step += 7) {
            struct log_reader r;
            struct buf out;
            buf_init(&out);
            log_reader_init(&r, &rows[i].options);
            for (size_t at = 0; at < sizeof text - 1; at += step)
                log_reader_feed(&r, str_slice(str_lit(text), at, at + step), &out);
            assert_true(str_eq_c(buf_str(&out), rows[i].out));
            log_reader_deinit(&r);
            buf_deinit(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines),
                                        cmocka_unit_test(test_options),
                                        cmocka_unit_test(test_reading) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
