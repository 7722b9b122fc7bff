/* Bytes of a simulated file: against a flat model, and what a power loss leaves of a sector. */
#include <string.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/env_sim.h"
#include "tests/unit/unit.h"

#define MODEL_BYTES 20000u
#define SECTOR      512u
#define SEEDS       300

struct fixture {
    struct env *world;
    struct env *env;
    struct env_file *file;
};

static void open_file(struct fixture *f)
{
    struct err e;
    int flags = ENV_FILE_READ | ENV_FILE_WRITE | ENV_FILE_CREATE;
    assert_int_equal(env_file_open(f->env, "/file", flags, 0600, &f->file, &e), 0);
}

static void begin(struct fixture *f, uint64_t seed)
{
    struct err e;
    f->world = env_sim_new(seed);
    f->env = env_sim_host_new(f->world, "m1");
    open_file(f);
    assert_int_equal(env_dir_sync(f->env, "/", &e), 0);
}

static void power_cycle(struct fixture *f)
{
    env_sim_host_crash(f->env);
    env_sim_host_restart(f->env);
    env_file_close(f->file); /* of the dead: harmless */
    open_file(f);
}

static void end(struct fixture *f)
{
    env_file_close(f->file);
    env_sim_free(f->world);
}

static size_t file_bytes(struct fixture *f, uint8_t out[MODEL_BYTES])
{
    size_t len;
    struct err e;
    assert_int_equal(env_file_pread(f->file, 0, out, MODEL_BYTES, &len, &e), 0);
    return len;
}

/* Random writes, zeros and truncations, compared byte for byte; a kill changes nothing, and a power
 * loss after a sync neither. */
static void test_against_a_flat_model(void **state)
{
    (void)state;
    static uint8_t model[MODEL_BYTES];
    static uint8_t got[MODEL_BYTES];
    struct fixture f;
    struct err e;
    size_t size = 0;
    begin(&f, 5);
    memset(model, 0, sizeof(model));
    for (int i = 0; i < 2000; i++) {
        uint8_t piece[3000];
        size_t at = (size_t)env_sim_random(f.world, MODEL_BYTES - sizeof(piece));
        size_t len = (size_t)env_sim_random(f.world, sizeof(piece)) + 1;
        switch (env_sim_random(f.world, 8)) {
        case 0:
            assert_int_equal(env_file_truncate(f.file, at, &e), 0);
            memset(model + at, 0, sizeof(model) - at);
            size = at;
            break;
        case 1:
            assert_int_equal(env_file_allocate(f.file, len, &e), 0);
            memset(model, 0, len);
            size = size > len ? size : len;
            break;
        case 2:
            assert_int_equal(env_file_sync(f.file, &e), 0);
            power_cycle(&f);
            break;
        case 3:
            env_sim_host_kill(f.env);
            env_sim_host_restart(f.env);
            env_file_close(f.file);
            open_file(&f);
            break;
        default:
            memset(piece, i, len);
            assert_int_equal(env_file_pwrite(f.file, at, str_of(piece, len), &e), 0);
            memset(model + at, i, len);
            size = size > at + len ? size : at + len;
        }
        assert_int_equal(file_bytes(&f, got), size);
        assert_memory_equal(got, model, size);
    }
    end(&f);
}

/* Three writes of eight sectors over synced ones: each sector holds one of the four, whole. */
static void test_sectors_are_whole_and_independent(void **state)
{
    (void)state;
    static uint8_t bytes[8 * SECTOR];
    static uint8_t got[MODEL_BYTES];
    int of_version[4] = { 0 };
    int later_without_earlier = 0;
    uint64_t torn = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct fixture f;
        struct err e;
        begin(&f, seed);
        for (int version = 0; version < 4; version++) {
            memset(bytes, version, sizeof(bytes));
            assert_int_equal(env_file_pwrite(f.file, 0, str_of(bytes, sizeof(bytes)), &e), 0);
            if (version == 0)
                assert_int_equal(env_file_sync(f.file, &e), 0);
        }
        power_cycle(&f);
        assert_int_equal(file_bytes(&f, got), sizeof(bytes));
        for (size_t sector = 0; sector < 8; sector++) {
            uint8_t version = got[sector * SECTOR];
            assert_true(version < 4);
            for (size_t i = 0; i < SECTOR; i++)
                assert_int_equal(got[sector * SECTOR + i], version);
            of_version[version]++;
            later_without_earlier += version == 0 && got[0] == 3;
        }
        torn += env_sim_faults(f.world)->torn_sectors;
        end(&f);
    }
    for (int version = 0; version < 4; version++)
        assert_true(of_version[version] > SEEDS / 4);
    assert_true(later_without_earlier > 0);
    assert_true(torn > 0);
}

/* Two writes to one sector: the later one is never there without the earlier one. */
static void test_a_sector_has_one_history(void **state)
{
    (void)state;
    static uint8_t got[MODEL_BYTES];
    int seen[3] = { 0 };
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct fixture f;
        struct err e;
        begin(&f, seed);
        assert_int_equal(env_file_pwrite(f.file, 0, str_lit("......"), &e), 0);
        assert_int_equal(env_file_sync(f.file, &e), 0);
        assert_int_equal(env_file_pwrite(f.file, 0, str_lit("abc"), &e), 0);
        assert_int_equal(env_file_pwrite(f.file, 3, str_lit("def"), &e), 0);
        power_cycle(&f);
        assert_int_equal(file_bytes(&f, got), 6);
        int which = memcmp(got, "......", 6) == 0 ? 0 : memcmp(got, "abc...", 6) == 0 ? 1 : 2;
        assert_true(which < 2 || memcmp(got, "abcdef", 6) == 0);
        seen[which]++;
        end(&f);
    }
    assert_true(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
}

/* The size follows what survives; a truncation that is lost takes along what came after it. */
static void test_sizes_after_a_power_loss(void **state)
{
    (void)state;
    static uint8_t got[MODEL_BYTES];
    int appended[3] = { 0 };
    int truncated[3] = { 0 };
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct fixture f;
        struct err e;
        begin(&f, seed);
        assert_int_equal(env_file_pwrite(f.file, 0, str_lit("synced"), &e), 0);
        assert_int_equal(env_file_sync(f.file, &e), 0);
        if (seed % 2 == 0) {
            assert_int_equal(env_file_pwrite(f.file, 700, str_lit("far"), &e), 0);
            power_cycle(&f);
            size_t len = file_bytes(&f, got);
            assert_true(len == 6 || len == 703);
            assert_memory_equal(got, "synced", 6);
            appended[len == 703]++;
        } else {
            assert_int_equal(env_file_truncate(f.file, 0, &e), 0);
            assert_int_equal(env_file_pwrite(f.file, 0, str_lit("new"), &e), 0);
            power_cycle(&f);
            size_t len = file_bytes(&f, got);
            int which = len == 0 ? 0 : len == 3 ? 1 : 2;
            assert_memory_equal(got, which == 1 ? "new" : "synced", len);
            assert_true(len == 0 || len == 3 || len == 6);
            truncated[which]++;
        }
        end(&f);
    }
    assert_true(appended[0] > 0 && appended[1] > 0);
    assert_true(truncated[0] > 0 && truncated[1] > 0 && truncated[2] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_a_flat_model),
                                        cmocka_unit_test(test_sectors_are_whole_and_independent),
                                        cmocka_unit_test(test_a_sector_has_one_history),
                                        cmocka_unit_test(test_sizes_after_a_power_loss) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
