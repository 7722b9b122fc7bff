/* Prefixes of log lines, however the bytes come. */
#include <string.h>

#include "base/arena.h"
#include "cli/log_lines.h"
#include "tests/unit/unit.h"

static void test_prefixes(void **state)
{
    static const char text[] = "one\n\ntwo\nlast";
    static const char want[] = "[p] one\n[p] \n[p] two\n[p] last";
    (void)state;
    for (size_t piece = 1; piece <= sizeof text; piece++) {
        struct log_lines l;
        struct buf out;
        log_lines_init(&l, str_lit("[p] "));
        buf_init(&out);
        for (size_t at = 0; at < sizeof text - 1; at += piece)
            log_lines_add(&l, str_slice(str_lit(text), at, at + piece), &out);
        assert_int_equal(out.len, strlen("[p] one\n[p] \n[p] two\n"));
        log_lines_end(&l, &out);
        assert_true(str_eq_c(buf_str(&out), want));
        log_lines_deinit(&l);
        buf_deinit(&out);
    }
}

static void test_long_line(void **state)
{
    char *bytes = mem_alloc(LOG_LINE_BYTES_MAX + 1);
    struct log_lines l;
    struct buf out;
    (void)state;
    memset(bytes, 'x', LOG_LINE_BYTES_MAX + 1);
    log_lines_init(&l, str_lit(""));
    buf_init(&out);
    log_lines_add(&l, str_of(bytes, LOG_LINE_BYTES_MAX - 1), &out);
    assert_int_equal(out.len, 0);
    log_lines_add(&l, str_of(bytes, 2), &out);
    assert_int_equal(out.len, LOG_LINE_BYTES_MAX + 1);
    assert_int_equal(out.data[out.len - 1], '\n');
    log_lines_end(&l, &out);
    assert_int_equal(out.len, LOG_LINE_BYTES_MAX + 2);
    log_lines_deinit(&l);
    buf_deinit(&out);
    mem_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_prefixes),
                                        cmocka_unit_test(test_long_line) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
