/* The log in the real world: every request, reopened; random requests against the model. */
#include <string.h>

#include "base/arena.h"
#include "store/wal.h"
#include "tests/unit/store/wal_fixture.h"
#include "tests/unit/unit.h"

#define FILE_BYTES 65536

static void set_term(struct wal_fixture *f, uint64_t term)
{
    assert_int_equal(wal_set_term(f->model.wal, term, NULL), 0);
    f->model.term = term;
    f->model.vote = 0;
}

static void reopen(struct wal_fixture *f)
{
    wal_fixture_wait(f);
    wal_fixture_close(f);
    wal_fixture_open(f); /* compares all of it */
    assert_int_equal(f->state.torn, 0);
}

static void test_requests_reopened(void **state)
{
    struct wal_fixture f;
    struct model_log *log = &f.model.current;
    (void)state;
    wal_fixture_init(&f, FILE_BYTES, 1);
    wal_fixture_open(&f);
    assert_true(f.state.fresh);
    assert_int_equal(f.state.first, 1);
    assert_int_equal(f.state.last, 0);
    reopen(&f);
    assert_true(f.state.fresh);

    set_term(&f, 1);
    reopen(&f);
    assert_false(f.state.fresh);
    model_append(&f.model, 3);
    reopen(&f);
    assert_int_equal(f.state.last, 3);
    set_term(&f, 4);
    model_append(&f.model, 16);
    model_truncate(&f.model, 2);
    model_append(&f.model, 1);
    reopen(&f);
    assert_int_equal(f.state.last, 2);
    assert_int_equal(wal_set_vote(f.model.wal, 7, NULL), 0);
    f.model.vote = 7;
    model_snapshot(&f.model, 1, 1, 0);
    reopen(&f);
    assert_int_equal(f.state.first, 1);
    assert_int_equal(f.state.vote, 7);
    model_snapshot(&f.model, 2, 3, 0); /* another term than the entry's: all is gone */
    reopen(&f);
    assert_int_equal(f.state.first, 3);
    assert_int_equal(f.state.last, 2);
    model_append(&f.model, 5);
    model_snapshot(&f.model, 100, 4, 0); /* beyond the last */
    model_append(&f.model, 2);
    reopen(&f);
    assert_int_equal(f.state.first, 101);
    assert_int_equal(log->last, 102);
    wal_fixture_close(&f);
    wal_fixture_deinit(&f);
}

static void test_random_requests(void **state)
{
    struct wal_fixture f;
    (void)state;
    wal_fixture_init(&f, FILE_BYTES, 2);
    wal_fixture_open(&f);
    for (int life = 0; life < 20; life++) {
        for (int i = 0; i < 150; i++) {
            model_submit(&f.model);
            if (f.model.in_flight > 40)
                wal_fixture_wait(&f);
        }
        if (life % 2 == 0)
            wal_fixture_wait(&f);
        /* else what is in flight is finished by the close, and not completed */
        wal_fixture_close(&f);
        uint64_t submitted = f.model.current.last;
        wal_fixture_open(&f);
        assert_int_equal(f.state.last, submitted);
        assert_int_equal(f.model.dropped, 0);
    }
    assert_int_equal(f.failed, 0);
    assert_int_equal(f.held, 0);
    wal_fixture_close(&f);
    wal_fixture_deinit(&f);
}

/* Snapshots let files go, and those come back: the folder does not grow. */
static void test_steady_size(void **state)
{
    struct wal_fixture f;
    struct wal_stats stats;
    (void)state;
    wal_fixture_init(&f, FILE_BYTES, 3);
    wal_fixture_open(&f);
    set_term(&f, 1);
    for (int i = 0; i < 100; i++) {
        model_append(&f.model, 16);
        wal_fixture_wait(&f);
        model_snapshot(&f.model, f.model.current.last, 1, f.model.current.last - 10);
        wal_fixture_wait(&f);
        wal_stats(f.model.wal, &stats);
        assert_true(stats.bytes <= 8 * FILE_BYTES);
        assert_int_equal(stats.queued, 0);
    }
    assert_true(stats.flushes >= 100);
    assert_true(stats.flush_ns_max >= stats.flush_ns);
    assert_false(stats.held);
    reopen(&f);
    assert_true(f.state.last - f.state.first < 200);
    wal_fixture_close(&f);
    wal_fixture_deinit(&f);
}

struct probe {
    struct wal_write write;
    bool *submitting;
    int *done;
};

static void on_probe(struct wal_write *write)
{
    struct probe *p = (struct probe *)write;
    assert_false(*p->submitting);
    (*p->done)++;
}

/* A completion never runs inside the call that submitted; an empty request completes as well. */
static void test_fresh_stack(void **state)
{
    struct wal_fixture f;
    bool submitting = true;
    int done = 0;
    struct probe p[3];
    struct wal_entry entry = { .index = 1, .term = 1, .bytes = STR("x") };
    (void)state;
    wal_fixture_init(&f, FILE_BYTES, 4);
    wal_fixture_open(&f);
    set_term(&f, 1);
    memset(p, 0, sizeof p);
    for (int i = 0; i < 3; i++)
        p[i] = (struct probe){ .write = { .done = on_probe },
                               .submitting = &submitting,
                               .done = &done };
    wal_append(f.model.wal, &p[0].write, &entry, 1);
    wal_append(f.model.wal, &p[1].write, NULL, 0);
    wal_truncate(f.model.wal, &p[2].write, 1);
    submitting = false;
    model_append(&f.model, 1); /* completes after them */
    wal_fixture_wait(&f);
    assert_int_equal(done, 3);
    reopen(&f);
    wal_fixture_close(&f);
    wal_fixture_deinit(&f);
}

/* Entries that fill a file, or a group, and some of no bytes. */
static void test_sizes(void **state)
{
    static char bytes[FILE_BYTES];
    struct wal_fixture f;
    size_t sizes[] = { 0,     1,
                       7,     8,
                       9,     FILE_BYTES - 4096 - 48,
                       0,     FILE_BYTES - 4096 - 49,
                       30000, 31000,
                       3,     FILE_BYTES / 2 };
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    struct wal_entry entries[COUNT];
    struct probe p = { .write = { .done = on_probe } };
    bool submitting = false;
    int done = 0;
    struct wal_state found;
    (void)state;
    wal_fixture_init(&f, FILE_BYTES, 5);
    wal_fixture_open(&f);
    set_term(&f, 1);
    p.submitting = &submitting;
    p.done = &done;
    for (size_t i = 0; i < COUNT; i++)
        entries[i] =
            (struct wal_entry){ .index = i + 1, .term = 1, .bytes = str_of(bytes, sizes[i]) };
    wal_append(f.model.wal, &p.write, entries, COUNT);
    wal_fixture_close(&f);
    assert_int_equal(wal_read(f.env, f.folder, &found, NULL, NULL, NULL), 0);
    assert_int_equal(found.last, COUNT);
    assert_int_equal(done, 0); /* closed before it was told */
    wal_fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_requests_reopened),
                                        cmocka_unit_test(test_random_requests),
                                        cmocka_unit_test(test_steady_size),
                                        cmocka_unit_test(test_fresh_stack),
                                        cmocka_unit_test(test_sizes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
