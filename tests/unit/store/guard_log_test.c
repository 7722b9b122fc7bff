/* What the guard reads in libraft's memory, on logs laid out by hand. */
#include <raft.h>
#include <string.h>

#include "store/guard_parts.h"
#include "tests/unit/unit.h"

#define SLOTS 8

/* A log of terms 1.. at indexes offset+1.., beginning at slot `front` of the ring. */
static void make_log(struct raft *r, struct raft_entry entries[SLOTS], raft_index offset,
                     size_t front, size_t count)
{
    memset(r, 0, sizeof(*r));
    memset(entries, 0, SLOTS * sizeof(entries[0]));
    r->log.entries = entries;
    r->log.size = SLOTS;
    r->log.offset = offset;
    r->log.front = front;
    r->log.back = (front + count) % SLOTS;
    for (size_t i = 0; i < count; i++) {
        entries[(front + i) % SLOTS].term = i + 1;
        entries[(front + i) % SLOTS].buf.len = 100;
    }
}

static void test_term_of(void **state)
{
    static const struct {
        raft_index offset;
        size_t front;
        size_t count;
        raft_index index;
        raft_term term;
    } cases[] = {
        { 0, 0, 3, 1, 1 },   { 0, 0, 3, 3, 3 },   { 0, 0, 3, 4, 0 },   { 0, 0, 3, 0, 0 },
        { 10, 6, 5, 11, 1 }, { 10, 6, 5, 15, 5 }, { 10, 6, 5, 16, 0 }, { 10, 6, 5, 9, 0 },
        { 10, 6, 5, 10, 77 } /* the snapshot's own index */
    };
    struct raft_entry entries[SLOTS];
    struct raft r;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make_log(&r, entries, cases[i].offset, cases[i].front, cases[i].count);
        r.log.snapshot.last_index = cases[i].offset;
        r.log.snapshot.last_term = 77;
        assert_int_equal(guard_term_of(&r, cases[i].index), cases[i].term);
    }
}

static void test_log_tail(void **state)
{
    struct raft_entry entries[SLOTS];
    size_t one = 100 + sizeof(entries[0]);
    struct raft r;

    (void)state;
    make_log(&r, entries, 10, 6, 5);
    assert_int_equal(guard_log_tail(&r, 1u << 20, 100), 5);
    assert_int_equal(guard_log_tail(&r, 1u << 20, 3), 3);
    assert_int_equal(guard_log_tail(&r, 2 * one, 100), 2);
    assert_int_equal(guard_log_tail(&r, 2 * one - 1, 100), 1);
    assert_int_equal(guard_log_tail(&r, 0, 100), 0);
}

static void test_quorum_match(void **state)
{
    static const struct {
        unsigned voters;
        raft_index match[5];
        raft_id sender;
        raft_index sent;
        raft_index quorum;
    } cases[] = { { 3, { 9, 0, 0 }, 2, 5, 5 },
                  { 3, { 9, 7, 0 }, 3, 5, 7 },
                  { 3, { 4, 7, 7 }, 2, 8, 7 },
                  { 5, { 10, 8, 0, 0, 0 }, 3, 10, 8 },
                  { 5, { 10, 10, 8, 0, 0 }, 4, 9, 9 },
                  { 5, { 10, 10, 8, 0, 0 }, 2, 3, 8 },
                  { 1, { 6 }, 1, 6, 6 } };
    struct raft_server servers[5];
    struct raft_progress progress[5];
    struct raft r;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&r, 0, sizeof(r));
        memset(progress, 0, sizeof(progress));
        for (unsigned j = 0; j < cases[i].voters; j++) {
            servers[j] = (struct raft_server){ .id = j + 1, .role = RAFT_VOTER };
            progress[j].match_index = cases[i].match[j];
        }
        r.configuration.servers = servers;
        r.configuration.n = cases[i].voters;
        r.leader_state.progress = progress;
        assert_int_equal(guard_quorum_match(&r, cases[i].sender, cases[i].sent), cases[i].quorum);
    }
}

/* Two batches and an entry of its own, as a start loads them: afterwards each stands alone. */
static void test_repack(void **state)
{
    char *first = raft_malloc(64);
    char *second = raft_malloc(64);
    struct raft_entry entries[] = {
        { .buf = { .base = first + 8, .len = 8 }, .batch = first },
        { .buf = { .base = first + 16, .len = 24 }, .batch = first },
        { .buf = { .base = raft_malloc(8), .len = 8 } },
        { .buf = { .base = second, .len = 16 }, .batch = second },
    };

    (void)state;
    memset(first, 'a', 64);
    memset(second, 'c', 64);
    memset(entries[1].buf.base, 'b', 24);
    memset(entries[2].buf.base, 'o', 8);
    guard_log_repack(entries, 4);
    for (size_t i = 0; i < 4; i++) {
        char want[24];

        memset(want, "aboc"[i], sizeof(want));
        assert_null(entries[i].batch);
        assert_memory_equal(entries[i].buf.base, want, entries[i].buf.len);
        raft_free(entries[i].buf.base); /* its own, or the sanitizer speaks up */
    }
    guard_log_repack(NULL, 0);
}

/* Entries 9 to 13 for a log that was let go up to 10 and holds 11 to 15. */
static void test_skip_compacted(void **state)
{
    static const struct {
        raft_index prev;
        unsigned n;
        raft_index snapshot;
        raft_index left_prev;
        unsigned left;
    } cases[] = {
        { 8, 5, 12, 12, 1 },  /* begins before, ends behind */
        { 8, 3, 12, 12, 0 },  /* all of it is there */
        { 8, 0, 12, 12, 0 },  /* a heartbeat that asks too far back */
        { 0, 15, 12, 12, 3 }, /* from the first entry on */
        { 0, 0, 12, 0, 0 },   /* asks for nothing */
        { 11, 2, 12, 11, 2 }, /* known: left alone */
        { 10, 2, 10, 10, 2 }, /* the snapshot's own */
        { 13, 2, 12, 13, 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct raft_entry entries[SLOTS];
        struct raft_append_entries a = { .term = 9 };
        struct raft r;
        raft_index last = cases[i].prev + cases[i].n;

        make_log(&r, entries, 10, 6, 5);
        r.current_term = 9;
        r.log.snapshot.last_index = cases[i].snapshot;
        r.log.snapshot.last_term = 77;
        a.prev_log_index = cases[i].prev;
        a.n_entries = cases[i].n;
        a.entries = cases[i].n == 0 ? NULL : raft_calloc(cases[i].n, sizeof(*a.entries));
        for (unsigned k = 0; k < cases[i].n; k++)
            a.entries[k].term = cases[i].prev + 1 + k;
        guard_skip_compacted(&r, &a);
        assert_int_equal(a.prev_log_index, cases[i].left_prev);
        assert_int_equal(a.n_entries, cases[i].left);
        if (a.n_entries > 0)
            assert_int_equal(a.entries[a.n_entries - 1].term, last);
        guard_drop_entries(&a);
        assert_null(a.entries);
    }
}

static void test_rule_names(void **state)
{
    static const char *const names[] = { "G1",  "G2",  "G3",  "G4",  "G5",  "G6",  "G7",
                                         "G9",  "G10", "G11", "G12", "G13", "G14", "G15",
                                         "G16", "G17", "G18", "G19", "G20", "G21" };
    unsigned all = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unsigned one = guard_rule_named(names[i]);

        assert_true(one != 0);
        assert_int_equal(all & one, 0);
        all |= one;
    }
    assert_int_equal(all, GUARD_ALL_RULES);
    assert_int_equal(guard_rule_named("G8"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_term_of),        cmocka_unit_test(test_log_tail),
        cmocka_unit_test(test_quorum_match),   cmocka_unit_test(test_repack),
        cmocka_unit_test(test_skip_compacted), cmocka_unit_test(test_rule_names)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
