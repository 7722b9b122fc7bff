/* The load against damage: any single bit, missing and foreign files, torn tails. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "store/wal_load.h"
#include "tests/unit/store/wal_sim.h"
#include "tests/unit/unit.h"

#define FILE_BYTES 8192 /* a block for the head, one for records */
#define FOLDER     "/data/log"

/* Everything a load says, to compare. */
struct sum {
    struct wal_state state;
    uint64_t entries;
    uint64_t hash;
};

static void visit(void *ctx, const struct wal_entry *entry)
{
    struct sum *s = ctx;
    uint64_t words[3] = { entry->index, entry->term, str_hash(entry->bytes) };
    s->entries++;
    s->hash = s->hash * 31 + str_hash(str_of(words, sizeof words));
}

static int read_log(struct wal_sim *s, struct sum *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    return wal_read(s->host, FOLDER, &out->state, visit, out, e);
}

static void flip(struct wal_sim *s, const char *path, uint64_t at, int bit)
{
    struct env_file *f;
    uint8_t byte;
    size_t len;
    assert_int_equal(env_file_open(s->host, path, ENV_FILE_READ | ENV_FILE_WRITE, 0, &f, NULL), 0);
    assert_int_equal(env_file_pread(f, at, &byte, 1, &len, NULL), 0);
    assert_int_equal(len, 1);
    byte ^= (uint8_t)(1u << bit);
    assert_int_equal(env_file_pwrite(f, at, str_of(&byte, 1), NULL), 0);
    env_file_close(f);
}

static void settle(struct wal_sim *s)
{
    while (s->model.in_flight > 0)
        assert_true(env_sim_step(s->world));
}

/* A log of several files and many groups, with a snapshot and truncations; closed. */
static void make_log(struct wal_sim *s, bool snapshot)
{
    struct err e = { 0 };
    wal_sim_init(s, 7, FILE_BYTES);
    s->model.bytes_max = 300;
    assert_int_equal(wal_sim_open(s, &e), 0);
    assert_int_equal(wal_set_term(s->model.wal, 1, NULL), 0);
    s->model.term = 1;
    for (int i = 0; i < 30; i++) {
        model_append(&s->model, 1 + (size_t)i % 3);
        if (i % 7 == 3)
            model_truncate(&s->model, s->model.current.last);
        settle(s);
    }
    if (snapshot)
        model_snapshot(&s->model, s->model.current.last - 3, 1, 0);
    settle(s);
    for (int i = 0; i < 2; i++) { /* so that the last one does not begin its file */
        model_append(&s->model, 1);
        settle(s);
    }
    wal_sim_close(s);
}

/* Where the last group begins. */
static uint64_t last_group(struct wal_sim *s, struct wal_tail *out_tail)
{
    struct wal_loaded l;
    assert_int_equal(wal_load(s->host, FOLDER, NULL, NULL, &l, NULL), 0);
    *out_tail = l.tail;
    assert_true(l.files_count > 2);
    wal_loaded_deinit(&l);
    struct env_file *f;
    uint8_t bytes[FILE_BYTES];
    char path[WAL_PATH_BYTES];
    size_t len;
    wal_path_of(path, FOLDER, "log", out_tail->sequence);
    assert_int_equal(env_file_open(s->host, path, ENV_FILE_READ, 0, &f, NULL), 0);
    assert_int_equal(env_file_pread(f, 0, bytes, sizeof bytes, &len, NULL), 0);
    env_file_close(f);
    uint64_t at = WAL_BLOCK_BYTES;
    while (load_le64(bytes + at + 32) != out_tail->before_group)
        at += wal_record_span(load_le32(bytes + at + 8));
    return at;
}

/* One flipped bit, anywhere: nothing changes, or it is corrupt, or the last group is dropped. */
static void test_any_bit(void **state)
{
    struct wal_sim s;
    struct sum whole;
    struct sum got;
    struct err e;
    struct wal_tail tail;
    uint64_t unused = 0;
    uint64_t refused = 0;
    uint64_t dropped = 0;
    char path[WAL_PATH_BYTES];
    (void)state;
    make_log(&s, false);
    assert_int_equal(read_log(&s, &whole, &e), 0);
    uint64_t last = last_group(&s, &tail);
    for (uint64_t sequence = 1; sequence <= tail.sequence + 1; sequence++) {
        wal_path_of(path, FOLDER, "log", sequence);
        for (uint64_t at = 0; at < FILE_BYTES; at++) {
            int bit = (int)((at * 5 + sequence) % 8);
            bool in_last = sequence == tail.sequence && at >= last && at < tail.at;
            flip(&s, path, at, bit);
            int rc = read_log(&s, &got, &e);
            if (rc == 0 && got.hash == whole.hash) {
                unused++;
                assert_int_equal(got.state.last, whole.state.last);
                assert_false(in_last);
            } else if (rc == 0) {
                dropped++;
                assert_true(in_last);
                assert_int_equal(got.state.last, whole.state.last - 1);
            } else {
                refused++;
                assert_int_equal(rc, -ERR_CORRUPT);
            }
            flip(&s, path, at, bit);
        }
    }
    assert_int_equal(dropped, tail.at - last);
    assert_true(refused > 6000);
    assert_true(unused > 4000 * tail.sequence); /* the first blocks are mostly zeros */
    wal_sim_deinit(&s);
}

static void test_snapshot_bits(void **state)
{
    struct wal_sim s;
    struct sum got;
    struct err e;
    struct env_stat st;
    (void)state;
    make_log(&s, true);
    assert_int_equal(read_log(&s, &got, &e), 0);
    assert_int_equal(got.state.snapshot.index, got.state.last - 5);
    assert_int_equal(env_path_stat(s.host, FOLDER "/snapshot", &st, NULL), 0);
    for (uint64_t at = 0; at < st.size; at++) {
        flip(&s, FOLDER "/snapshot", at, (int)(at % 8));
        assert_int_equal(read_log(&s, &got, &e), -ERR_CORRUPT);
        flip(&s, FOLDER "/snapshot", at, (int)(at % 8));
    }
    wal_sim_deinit(&s);
}

static void test_missing_files(void **state)
{
    static const char *const names[] = { "metadata", "log-0000000000000001",
                                         "log-0000000000000002" };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct wal_sim s;
        struct sum got;
        struct err e;
        char path[WAL_PATH_BYTES];
        make_log(&s, false);
        wal_path(path, FOLDER, names[i]);
        assert_int_equal(env_path_remove(s.host, path, NULL), 0);
        assert_int_equal(read_log(&s, &got, &e), -ERR_CORRUPT);
        assert_int_equal(wal_sim_open(&s, &e), -ERR_CORRUPT);
        assert_false(env_path_exists(s.host, path)); /* left as it was */
        wal_sim_deinit(&s);
    }
}

static void remove_logs(struct wal_sim *s, uint64_t from, uint64_t to)
{
    char path[WAL_PATH_BYTES];
    for (uint64_t i = from; i <= to; i++) {
        wal_path_of(path, FOLDER, "log", i);
        (void)env_path_remove(s->host, path, NULL); /* some are gone already */
    }
}

/* A snapshot without a log is a log lost; so is a last file without its head. */
static void test_lost_log(void **state)
{
    struct wal_sim s;
    struct sum got;
    struct err e;
    struct wal_tail tail;
    (void)state;
    make_log(&s, true);
    (void)last_group(&s, &tail); /* the tail */
    remove_logs(&s, 1, tail.sequence + 1);
    assert_int_equal(read_log(&s, &got, &e), -ERR_CORRUPT);
    wal_sim_deinit(&s);
    make_log(&s, true);
    remove_logs(&s, 1, tail.sequence - 1);
    assert_int_equal(read_log(&s, &got, &e), -ERR_CORRUPT); /* it begins after the snapshot */
    wal_sim_deinit(&s);
}

/* The first entries of a group that was cut short are kept, and what follows cannot return. */
static void test_torn_group(void **state)
{
    struct wal_sim s;
    struct sum whole;
    struct sum got;
    struct err e = { 0 };
    struct wal_tail tail;
    char path[WAL_PATH_BYTES];
    (void)state;
    make_log(&s, false);
    assert_int_equal(read_log(&s, &whole, &e), 0);
    uint64_t last = last_group(&s, &tail);
    wal_path_of(path, FOLDER, "log", tail.sequence);
    flip(&s, path, tail.at - 1, 0); /* the body: the head still tells of the group */
    assert_int_equal(read_log(&s, &got, &e), 0);
    assert_int_equal(got.state.last, whole.state.last - 1);
    assert_int_equal(got.state.torn, tail.at - last);
    assert_int_equal(wal_sim_open(&s, &e), 0);
    wal_sim_close(&s);
    flip(&s, path, tail.at - 1, 0); /* whole again: not yet begun anew, so it is read */
    assert_int_equal(read_log(&s, &got, &e), 0);
    assert_int_equal(got.state.last, whole.state.last);
    flip(&s, path, tail.at - 1, 0);
    struct wal_entry entry = { .term = 1, .bytes = STR("instead") };
    assert_int_equal(wal_append_offline(s.host, FOLDER, &entry, &e), 0);
    assert_int_equal(entry.index, whole.state.last);
    flip(&s, path, tail.at - 1, 0); /* now it is not */
    assert_int_equal(read_log(&s, &got, &e), 0);
    assert_int_equal(got.state.last, whole.state.last);
    assert_int_equal(got.state.torn, 0);
    assert_true(got.hash != whole.hash);
    wal_sim_deinit(&s);
}

/* Is the first record of a file one of this log and file? */
static bool first_record(struct wal_sim *s, const char *path, uint64_t sequence, uint64_t id)
{
    struct env_file *f;
    uint8_t bytes[WAL_RECORD_BYTES];
    struct wal_record r;
    size_t len = 0;
    if (env_file_open(s->host, path, ENV_FILE_READ, 0, &f, NULL) != 0)
        return false;
    assert_int_equal(env_file_pread(f, WAL_BLOCK_BYTES, bytes, sizeof bytes, &len, NULL), 0);
    env_file_close(f);
    return len == sizeof bytes && wal_record_get(bytes, wal_seed(id, sequence), &r);
}

/* A file whose first group was cut short is not written again before it was removed. */
static void test_unborn_file(void **state)
{
    struct wal_sim s;
    struct sum whole;
    struct sum got;
    struct err e = { 0 };
    struct wal_loaded l;
    char path[WAL_PATH_BYTES];
    (void)state;
    make_log(&s, false);
    assert_int_equal(wal_load(s.host, FOLDER, NULL, NULL, &l, NULL), 0);
    wal_loaded_deinit(&l);
    uint64_t next = l.tail.sequence + 1;
    wal_path_of(path, FOLDER, "log", next);
    assert_int_equal(wal_sim_open(&s, &e), 0);
    model_check(&s.model, &s.state);
    do {
        model_append(&s.model, 1);
        settle(&s);
    } while (!first_record(&s, path, next, l.slot.id));
    wal_sim_close(&s);
    assert_int_equal(read_log(&s, &whole, &e), 0);
    flip(&s, path, 3, 3); /* its head */
    assert_int_equal(read_log(&s, &got, &e), 0);
    assert_int_equal(got.state.last, whole.state.last - 1);
    assert_true(got.state.torn > 0);
    assert_true(first_record(&s, path, next, l.slot.id));
    assert_int_equal(wal_sim_open(&s, &e), 0);
    wal_sim_close(&s);
    assert_false(first_record(&s, path, next, l.slot.id));
    assert_int_equal(read_log(&s, &got, &e), 0);
    assert_int_equal(got.state.torn, 0);
    assert_int_equal(got.state.last, whole.state.last - 1);
    wal_sim_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_bit),       cmocka_unit_test(test_snapshot_bits),
        cmocka_unit_test(test_missing_files), cmocka_unit_test(test_lost_log),
        cmocka_unit_test(test_torn_group),    cmocka_unit_test(test_unborn_file)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
