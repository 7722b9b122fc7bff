/* The writer when the disk is full, fails or stalls; and groups. */
#include "base/log.h"
#include "store/wal_writer.h"
#include "tests/unit/store/wal_sim.h"
#include "tests/unit/unit.h"

#define FILE_BYTES 65536

static void open_log(struct wal_sim *s, uint64_t seed)
{
    struct err e = { 0 };
    wal_sim_init(s, seed, FILE_BYTES);
    assert_int_equal(wal_sim_open(s, &e), 0);
    model_check(&s->model, &s->state);
    wal_sim_start(s);
}

static void close_log(struct wal_sim *s)
{
    wal_sim_close(s);
    wal_sim_deinit(s);
}

/* What waits is held, and goes on when there is space; nothing is lost meanwhile. */
static void test_full_disk(void **state)
{
    struct wal_sim s;
    struct wal_stats stats;
    struct err e = { 0 };
    (void)state;
    open_log(&s, 1);
    for (int round = 0; round < 5; round++) {
        wal_sim_run(&s, 200);
        env_sim_disk_full(s.host, true);
        wal_sim_run(&s, 3000);
        wal_stats(s.model.wal, &stats);
        assert_int_equal(s.held, round + 1);
        assert_int_equal(s.freed, round);
        assert_true(stats.held);
        assert_int_equal(stats.queued, s.model.in_flight);
        assert_true(stats.queued > 0);
        assert_int_equal(s.why.code, ERR_NO_SPACE);
        uint64_t completed = s.model.completed;
        wal_sim_run(&s, 1000);
        assert_int_equal(s.model.completed, completed);
        env_sim_disk_full(s.host, false);
        wal_sim_run(&s, 2 * WAL_RETRY_MS);
        assert_int_equal(s.freed, round + 1);
        assert_true(s.model.completed > completed);
    }
    assert_int_equal(s.failed, 0);
    wal_sim_close(&s);
    assert_int_equal(wal_sim_open(&s, &e), 0);
    model_check(&s.model, &s.state);
    close_log(&s);
}

/* With less than the reserve left the log is held, though its own files have room. */
static void test_reserve(void **state)
{
    struct wal_sim s;
    uint64_t total = 0;
    uint64_t room = 0;
    (void)state;
    wal_sim_init(&s, 5, FILE_BYTES);
    s.config.reserve_bytes = 1 << 20;
    assert_int_equal(wal_sim_open(&s, NULL), 0);
    wal_sim_start(&s);
    wal_sim_run(&s, 500);
    assert_int_equal(s.held, 0);
    assert_int_equal(env_disk_space(s.host, s.config.folder, &total, &room, NULL), 0);
    env_sim_disk_limit(s.host, total - room + (1 << 19)); /* half of it */
    wal_sim_run(&s, 1000);
    assert_int_equal(s.held, 1);
    assert_int_equal(s.why.code, ERR_NO_SPACE);
    uint64_t completed = s.model.completed;
    wal_sim_run(&s, 1000);
    assert_int_equal(s.model.completed, completed);
    env_sim_disk_limit(s.host, UINT64_MAX);
    wal_sim_run(&s, 2 * WAL_RETRY_MS);
    assert_int_equal(s.freed, 1);
    assert_true(s.model.completed > completed);
    assert_int_equal(s.failed, 0);
    close_log(&s);
}

static void count_line(void *ctx, struct str line)
{
    if (str_find(line, str_lit("slow flush of the log")) >= 0)
        ++*(int *)ctx;
}

/* A flush over a second is told, but not each. */
static void test_slow(void **state)
{
    struct wal_sim s;
    int lines = 0;
    (void)state;
    open_log(&s, 6);
    log_set_sink(count_line, &lines);
    wal_sim_run(&s, 1000);
    assert_int_equal(lines, 0);
    env_sim_disk_speed(s.host, 1100000, 1200000);
    /* One event of the log may flush a few times, each a second of its own ahead of the world's. */
    wal_sim_run(&s, 5000);
    assert_int_equal(lines, 1);
    wal_sim_run(&s, 14000);
    log_set_sink(NULL, NULL);
    assert_in_range(lines, 2, 3);
    env_sim_disk_speed(s.host, 0, 0);
    close_log(&s);
}

/* Closed while held: what waits is given up, what was completed is there. */
static void test_full_and_closed(void **state)
{
    struct wal_sim s;
    struct err e = { 0 };
    (void)state;
    open_log(&s, 2);
    wal_sim_run(&s, 200);
    env_sim_disk_full(s.host, true);
    wal_sim_run(&s, 3000);
    assert_int_equal(s.held, 1);
    wal_sim_close(&s);
    env_sim_disk_full(s.host, false);
    assert_int_equal(wal_sim_open(&s, &e), 0);
    model_check(&s.model, &s.state);
    close_log(&s);
}

/* Any other failure ends the log: told once, nothing completes after it. */
static void test_failures(void **state)
{
    static const enum env_sim_io kinds[] = { ENV_SIM_WRITE, ENV_SIM_SYNC };
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct wal_sim s;
        struct err e = { 0 };
        open_log(&s, seed);
        s.model.term = 0; /* set below: the owner's own writes are not meant to fail */
        assert_int_equal(wal_set_term(s.model.wal, 1, NULL), 0);
        s.model.term = 1;
        s.model.quiet = true;
        wal_sim_run(&s, 100);
        env_sim_disk_fail(s.host, kinds[seed % 2], env_sim_random(s.world, 20));
        wal_sim_run(&s, 3000);
        assert_int_equal(s.failed, 1);
        assert_int_equal(s.why.code, ERR_IO);
        uint64_t completed = s.model.completed;
        wal_sim_run(&s, 1000);
        assert_int_equal(s.model.completed, completed);
        assert_int_equal(s.failed, 1);
        env_sim_host_crash(s.host); /* the process must not go on with what it has in memory */
        wal_sim_close(&s);
        assert_int_equal(wal_sim_open(&s, &e), 0);
        model_check(&s.model, &s.state);
        close_log(&s);
    }
}

/* Many requests share a flush. */
static void test_groups(void **state)
{
    struct wal_sim s;
    struct wal_stats stats;
    (void)state;
    open_log(&s, 3);
    s.model.bytes_max = 64;
    env_sim_disk_speed(s.host, 5000, 5000);
    wal_sim_run(&s, 2000);
    wal_stats(s.model.wal, &stats);
    assert_true(s.model.completed > 4 * stats.flushes);
    assert_true(stats.flush_ns >= 5 * ENV_MS);
    assert_true(stats.flush_ns_max >= stats.flush_ns);
    close_log(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_disk), cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_slow),      cmocka_unit_test(test_full_and_closed),
        cmocka_unit_test(test_failures),  cmocka_unit_test(test_groups)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
