/* The names of every Prometheus client, and that the figures are this process'. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/metrics.h"
#include "base/process_metrics.h"
#include "tests/unit/unit.h"

#define BIG_BYTES (64u << 20)

static double value_of(const char *name)
{
    struct buf out;
    buf_init(&out);
    metrics_render(&out);
    buf_append_byte(&out, 0);
    char line[96];
    (void)snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr((const char *)out.data, line);
    if (at == NULL)
        fail_msg("no %s in: %s", name, (const char *)out.data);
    double value = strtod(at + strlen(line), NULL);
    buf_deinit(&out);
    return value;
}

static void test_values(void **state)
{
    struct rlimit limit;
    (void)state;
    double before = value_of("process_open_fds");
    assert_true(before >= 3);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(value_of("process_open_fds") == before + 1);
    close(fd);
    assert_true(value_of("process_open_fds") == before);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(value_of("process_max_fds") == (double)limit.rlim_cur);
    double resident = value_of("process_resident_memory_bytes");
    volatile char *big = malloc(BIG_BYTES);
    for (size_t i = 0; i < BIG_BYTES; i += 4096)
        big[i] = 1;
    double grown = value_of("process_resident_memory_bytes") - resident;
    free((void *)(uintptr_t)big);
    assert_true(grown > BIG_BYTES * 0.9 && grown < BIG_BYTES * 2.0);
    double age = (double)time(NULL) - value_of("process_start_time_seconds");
    assert_true(age >= 0 && age < 600);
    double cpu = value_of("process_cpu_seconds_total");
    clock_t until = clock() + CLOCKS_PER_SEC / 20;
    while (clock() < until) {
    }
    double worked = value_of("process_cpu_seconds_total") - cpu;
    assert_true(worked >= 0.04 && worked < 10);
}

static void test_types(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out);
    metrics_render(&out);
    assert_true(str_find(buf_str(&out), str_lit("# TYPE process_cpu_seconds_total counter\n")) > 0);
    assert_true(str_find(buf_str(&out), str_lit("# TYPE process_open_fds gauge\n")) > 0);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_values),
                                        cmocka_unit_test(test_types) };
    process_metrics_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
