/* Where a fetch goes on, from what staging holds; and what its work leaves there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/env_uv.h"
#include "net/digest.h"
#include "store/fetch_state.h"
#include "store/kv.h"
#include "tests/unit/unit.h"

struct world {
    struct fetch f; /* only what its work looks at */
    char base[256];
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    const char *base = getenv("TEST_TMPDIR");
    w->f.config.env = env_uv_new();
    snprintf(w->base, sizeof w->base, "%s/work-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(w->base));
    snprintf(w->f.folder, sizeof w->f.folder, "%s/staging", w->base);
    snprintf(w->f.path, sizeof w->f.path, "%s/" KV_FILE, w->f.folder);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    env_file_close(w->f.file);
    (void)env_remove_tree(w->f.config.env, w->base, NULL); /* only a temporary folder */
    env_uv_free(w->f.config.env);
    free(w);
    return 0;
}

static void run(struct world *w, void (*work)(struct env_work *work))
{
    w->f.work_status = 0;
    work(&w->f.work);
}

static void begin(struct world *w, uint64_t id, uint64_t bytes, uint64_t index)
{
    w->f.info = (struct copy_info){ .id = id, .bytes = bytes, .point = { .index = index } };
    run(w, fetch_begin_work);
    assert_int_equal(w->f.work_status, 0);
    assert_non_null(w->f.file);
}

static uint64_t size_of(struct world *w)
{
    struct env_stat stat;
    assert_int_equal(env_path_stat(w->f.config.env, w->f.path, &stat, NULL), 0);
    return stat.size;
}

static void test_look(void **state)
{
    const uint64_t chunk = COPY_CHUNK_BYTES;
    const struct {
        uint64_t have;
        uint64_t bytes;
        uint64_t index;
        uint64_t written;
        bool whole;
    } cases[] = {
        { 0, 3 * chunk, 9, 0, false },
        { chunk - 1, 3 * chunk, 9, 0, false },
        { chunk, 3 * chunk, 9, chunk, false },
        { 2 * chunk + 7, 3 * chunk, 9, 2 * chunk, false },
        { 3 * chunk, 3 * chunk, 9, 3 * chunk, true },
        { 5 * chunk, 3 * chunk, 9, 3 * chunk, true }, /* the digest will tell */
        { chunk + 5, chunk + 5, 9, chunk + 5, true },
        { chunk + 5, chunk + 5, 8, chunk + 5, false }, /* too old to be of use */
    };
    struct world *w = *state;
    run(w, fetch_look_work);
    assert_int_equal(w->f.work_status, 0);
    assert_false(w->f.noted);
    assert_true(env_path_exists(w->f.config.env, w->f.folder));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        w->f.noted = false;
        w->f.written = 0;
        begin(w, 7, cases[i].bytes, cases[i].index);
        assert_int_equal(env_file_truncate(w->f.file, cases[i].have, NULL), 0);
        env_file_close(w->f.file);
        w->f.file = NULL;
        w->f.config.min_index = 9;
        run(w, fetch_look_work);
        assert_true(w->f.noted);
        assert_int_equal(w->f.note.copy_id, 7);
        assert_int_equal(w->f.written, cases[i].written);
        assert_int_equal(w->f.file != NULL, cases[i].whole);
    }
}

/* Another copy begins with an empty file; the same one keeps what it has. */
static void test_begin(void **state)
{
    struct world *w = *state;
    run(w, fetch_look_work);
    begin(w, 7, 100, 9);
    assert_int_equal(env_file_pwrite(w->f.file, 0, str_lit("0123456789"), NULL), 0);
    w->f.noted = true;
    w->f.written = 4;
    begin(w, 7, 100, 9);
    assert_int_equal(size_of(w), 4);
    w->f.noted = false;
    w->f.written = 0;
    begin(w, 8, 100, 9);
    assert_int_equal(size_of(w), 0);
    run(w, fetch_look_work);
    assert_int_equal(w->f.note.copy_id, 8);
}

static void test_write_and_check(void **state)
{
    struct world *w = *state;
    struct chunk c = { .offset = 3, .len = 4 };
    run(w, fetch_look_work);
    begin(w, 7, 7, 9);
    assert_int_equal(env_file_pwrite(w->f.file, 0, str_lit("abc"), NULL), 0);
    buf_append_c(&c.bytes, "defg");
    w->f.writing = &c;
    w->f.sync = true;
    run(w, fetch_write_work);
    assert_int_equal(w->f.work_status, 0);
    assert_int_equal(size_of(w), 7);
    run(w, fetch_check_work);
    assert_int_equal(w->f.work_status, -ERR_CORRUPT);
    digest_sha256(str_lit("abcdefg"), w->f.info.sha256);
    run(w, fetch_check_work);
    assert_int_equal(w->f.work_status, 0);
    w->f.info.bytes = 8;
    run(w, fetch_check_work);
    assert_int_equal(w->f.work_status, -ERR_CORRUPT);
    buf_deinit(&c.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_look, setup, teardown),
        cmocka_unit_test_setup_teardown(test_begin, setup, teardown),
        cmocka_unit_test_setup_teardown(test_write_and_check, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
