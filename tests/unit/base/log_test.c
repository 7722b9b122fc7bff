/* Log lines: format, quoting, levels, cutting; the ring of traces. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "tests/unit/unit.h"

static uint64_t fixed_clock(void *ctx)
{
    (void)ctx;
    return 1767225600123000000ull; /* 2026-01-01T00:00:00.123Z */
}

static void keep_line(void *ctx, struct str line)
{
    buf_append_str(ctx, line);
}

static int setup(void **state)
{
    struct buf *lines = mem_alloc(sizeof(*lines));
    buf_init(lines);
    log_set_clock(fixed_clock, NULL);
    log_set_sink(keep_line, lines);
    log_set_level(LOG_INFO);
    *state = lines;
    return 0;
}

static int teardown(void **state)
{
    log_set_clock(NULL, NULL);
    log_set_sink(NULL, NULL);
    buf_deinit(*state);
    mem_free(*state);
    return 0;
}

static void expect_line(struct buf *lines, const char *line)
{
    buf_append_byte(lines, 0);
    assert_string_equal((const char *)lines->data, line);
    buf_clear(lines);
}

static void test_format(void **state)
{
    log_info("pod bound", KV("pod", "default/a"), KVN("tries", -3), KVS("node", str_lit("n-1")));
    expect_line(*state,
                "2026-01-01T00:00:00.123Z INFO pod bound pod=default/a tries=-3 node=n-1\n");
    log_warn("none");
    expect_line(*state, "2026-01-01T00:00:00.123Z WARN none\n");
    log_error("quoted", KV("a", "x y"), KV("b", "say \"hi\""), KV("c", "1\n2\x01"), KV("d", ""),
              KV("e", NULL));
    expect_line(*state, "2026-01-01T00:00:00.123Z ERROR quoted a=\"x y\" b=\"say \\\"hi\\\"\" "
                        "c=\"1\\n2\\x01\" d=\"\" e=\"\"\n");
}

static void test_levels(void **state)
{
    struct buf *lines = *state;
    log_debug("hidden");
    log_trace("hidden");
    assert_int_equal(lines->len, 0);
    log_set_level(LOG_DEBUG);
    log_debug("shown");
    assert_true(lines->len > 0);
    buf_clear(lines);
    log_set_level(LOG_TRACE);
    log_trace("only in the ring");
    assert_int_equal(lines->len, 0);
    enum log_level level;
    assert_int_equal(log_level_parse(str_lit("warn"), &level), 0);
    assert_int_equal(level, LOG_WARN);
    assert_true(log_level_parse(str_lit("loud"), &level) < 0);
}

static void test_long_lines_are_cut(void **state)
{
    struct buf *lines = *state;
    char text[2 * LOG_LINE_BYTES_MAX];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_info("long", KV("text", text));
    assert_int_equal(lines->len, LOG_LINE_BYTES_MAX);
    assert_int_equal(lines->data[lines->len - 1], '\n');
}

static void test_ring_keeps_the_newest(void **state)
{
    (void)state;
    for (int i = 0; i < LOG_RING_LINES + 10; i++)
        log_trace("step", KVN("n", i));
    FILE *f = tmpfile();
    assert_non_null(f);
    log_dump_ring(fileno(f));
    static char text[LOG_RING_LINES * 300];
    ssize_t n = pread(fileno(f), text, sizeof(text) - 1, 0);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "step n=10\n"));
    assert_null(strstr(text, "step n=9\n"));
    assert_non_null(strstr(text, "step n=521\n"));
    (void)fclose(f);
}

#define LOGGERS          4
#define LINES_PER_LOGGER 1000

static void *log_many(void *arg)
{
    for (int i = 0; i < LINES_PER_LOGGER; i++) {
        log_trace("step", KVN("n", i));
        log_info("line", KVN("logger", (intptr_t)arg), KVN("n", i));
    }
    return NULL;
}

/* Whole lines only, all of them, while the ring is written and dumped by several threads. */
static void test_threads(void **state)
{
    struct buf *lines = *state;
    pthread_t threads[LOGGERS];
    for (intptr_t i = 0; i < LOGGERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, (void *)i), 0);
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_dump_ring(fd);
    (void)close(fd); /* nothing is kept */
    for (int i = 0; i < LOGGERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    struct str rest = buf_str(lines);
    struct str line;
    int count = 0;
    while (str_split(&rest, '\n', &line) && line.len > 0) {
        assert_true(str_starts(line, str_lit("2026-01-01T00:00:00.123Z INFO line logger=")));
        count++;
    }
    assert_int_equal(count, LOGGERS * LINES_PER_LOGGER);
}

/* Seen each second of an hour: said at once, then ever more rarely, and again when it is new. */
static void test_pace(void **state)
{
    (void)state;
    static const uint64_t said_s[] = { 0, 10, 30, 70, 150, 310, 630, 1230, 1830, 2430, 3030 };
    struct log_pace p = { 0 };
    size_t count = 0;
    for (uint64_t s = 0; s < 3600; s++) {
        if (!log_pace(&p, 5000 + s * 1000))
            continue;
        assert_in_range(count, 0, sizeof said_s / sizeof said_s[0] - 1);
        assert_int_equal(s, said_s[count++]);
        assert_int_equal(p.times, s + 1);
    }
    assert_int_equal(count, sizeof said_s / sizeof said_s[0]);
    p = (struct log_pace){ 0 };
    assert_true(log_pace(&p, 3600 * 1000));
    assert_int_equal(p.times, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_format),
                                        T(test_levels),
                                        T(test_long_lines_are_cut),
                                        T(test_ring_keeps_the_newest),
                                        T(test_threads),
                                        cmocka_unit_test(test_pace) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
