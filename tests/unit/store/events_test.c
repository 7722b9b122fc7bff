/* store_events: from the ring and from rev the same, in pages, up to 410. */
#include <stdio.h>
#include <stdlib.h>

#include "base/list.h"
#include "tests/unit/store/store_fixture.h"
#include "tests/unit/unit.h"

#define EVENTS 1500

struct seen {
    uint64_t last;
    uint64_t sum;
    int left;
};

static bool on_event(void *ctx, const struct store_event *event)
{
    struct seen *s = ctx;
    if (s->left-- == 0)
        return false;
    assert_true(event->revision == s->last + 1);
    s->last = event->revision;
    s->sum = s->sum * 31 + event->revision + event->old_revision * 7 + event->created * 3 +
             event->value.len + event->old_value.len * 5 + (event->deleted ? 11 : 0) +
             event->terms_count * 13 + event->old_terms_count * 17;
    return true;
}

static void fill(struct store_fixture *f)
{
    static struct store_op ops[300];
    static struct store_txn txns[300];
    static char names[300][16];
    static const struct store_term term[] = { { 1, STR("t") } };
    for (int done = 0; done < EVENTS; done += 300) {
        for (int i = 0; i < 300; i++) {
            snprintf(names[i], sizeof names[i], "k%d", i % 7);
            bool gone = i % 11 == 0 && i > 0;
            ops[i] = (struct store_op){ .type = gone ? STORE_OP_DELETE : STORE_OP_PUT,
                                        .key = str_from(names[i]),
                                        .value = gone ? str_of("", 0) : str_of(names[0], 2),
                                        .terms = term,
                                        .terms_count = i % 2 == 0 && !gone ? 1 : 0 };
            txns[i] = (struct store_txn){ .ops = &ops[i], .ops_count = 1 };
        }
        fixture_apply(f, txns, 300);
    }
    assert_int_equal(store_published(f->group), EVENTS);
}

static uint64_t walk(struct store_fixture *f, int page, int *out_calls)
{
    struct seen s = { .last = 0 };
    for (*out_calls = 0; s.last < EVENTS; ++*out_calls) {
        uint64_t last = 0;
        s.left = page;
        assert_int_equal(store_events(f->group, s.last, on_event, &s, &last), 0);
        assert_int_equal(last, s.last);
    }
    return s.sum;
}

static void test_same(void **state)
{
    (void)state;
    struct store_fixture wide;
    struct store_fixture narrow;
    int calls;
    fixture_init(&wide, 0);
    fixture_init(&narrow, 1); /* holds the last commit only */
    fill(&wide);
    fill(&narrow);
    uint64_t sum = walk(&wide, EVENTS, &calls);
    assert_int_equal(calls, 1); /* all from the ring */
    assert_true(walk(&narrow, EVENTS, &calls) == sum);
    assert_true(calls >= 2); /* rev in bounded reads, then the ring */
    assert_true(walk(&narrow, 17, &calls) == sum);
    assert_true(walk(&wide, 17, &calls) == sum);
    fixture_reopen(&wide); /* an empty ring */
    assert_true(walk(&wide, 100, &calls) == sum);
    fixture_deinit(&wide);
    fixture_deinit(&narrow);
}

static void test_edges(void **state)
{
    (void)state;
    struct store_fixture f;
    struct seen s = { .last = 0 };
    uint64_t last = 0;
    fixture_init(&f, 0);
    assert_int_equal(store_events(f.group, 0, on_event, &s, &last), 0);
    assert_int_equal(last, 0);
    fill(&f);
    assert_int_equal(store_events(f.group, EVENTS + 5, on_event, &s, &last), 0);
    assert_int_equal(last, EVENTS + 5); /* nothing yet */
    fixture_op(&f, (struct store_op){ .type = STORE_OP_COMPACT, .revision = 700 });
    assert_int_equal(store_events(f.group, 699, on_event, &s, &last), -ERR_EXPIRED);
    s = (struct seen){ .last = 700, .left = 3 };
    assert_int_equal(store_events(f.group, 700, on_event, &s, &last), 0);
    assert_int_equal(last, 703);
    fixture_deinit(&f);
}

/* ---- revisions of several rows ---- */

#define ROWS_A_REVISION 7

struct rows {
    uint64_t revision;
    unsigned row;
};

static bool on_row(void *ctx, const struct store_event *event)
{
    struct rows *s = ctx;
    bool first = event->revision != s->revision;
    if (event->revision == 401)
        return true;
    assert_true(!first || event->revision == s->revision + 1);
    s->row = first ? 0 : s->row + 1;
    s->revision = event->revision;
    assert_true(event->created == event->revision);
    assert_int_equal(event->key.data[0], 'a' + s->row);
    assert_int_equal(event->more, s->row + 1 < ROWS_A_REVISION);
    return true;
}

/* A bounded read ends between revisions: STORE_READ_ROWS_MAX is no multiple of the rows here. */
static void test_whole_revisions(void **state)
{
    (void)state;
    struct store_fixture f;
    static char names[400 * ROWS_A_REVISION][16];
    static struct store_op ops[400 * ROWS_A_REVISION];
    static struct store_txn txns[400];
    fixture_init(&f, 1);
    for (int i = 0; i < 400 * ROWS_A_REVISION; i++) {
        snprintf(names[i], sizeof names[i], "%c%d", 'a' + i % ROWS_A_REVISION, i);
        ops[i] = (struct store_op){ .type = STORE_OP_PUT, .key = str_from(names[i]) };
    }
    for (int i = 0; i < 400; i++)
        txns[i] =
            (struct store_txn){ .ops = &ops[i * ROWS_A_REVISION], .ops_count = ROWS_A_REVISION };
    fixture_apply(&f, txns, 400);
    fixture_put(&f, "x", ""); /* the only commit in the ring */
    struct rows s = { .row = ROWS_A_REVISION - 1 };
    uint64_t last = 0;
    int calls = 0;
    for (; last < 401; calls++) {
        uint64_t after = last;
        assert_int_equal(store_events(f.group, after, on_row, &s, &last), 0);
        assert_true(last > after);
    }
    assert_true(calls >= 3);
    assert_int_equal(s.revision, 400);
    fixture_deinit(&f);
}

/* ---- prefixes and short windows ---- */

static bool on_count(void *ctx, const struct store_event *event)
{
    int *count = ctx;
    (void)event;
    ++*count;
    return true;
}

static int count_of(struct store_fixture *f, const char *prefix, uint64_t after, int status)
{
    int count = 0;
    uint64_t last = 0;
    assert_int_equal(store_events_of(f->group, str_from(prefix), after, on_count, &count, &last),
                     status);
    assert_int_equal(last, status == 0 ? store_published(f->group) : after);
    return count;
}

static void fill_kinds(struct store_fixture *f)
{
    for (int i = 0; i < 30; i++)
        fixture_put(f, i % 3 == 0 ? "leases/a" : "pods/a", "v");
}

/* Where the ring no longer holds them, events of a short window are told to be gone, others not. */
static void test_windows(void **state)
{
    static const struct {
        size_t ring_bytes;
        int status;
    } cases[] = { { 1, -ERR_EXPIRED }, { 0, 0 } };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct store_fixture f;
        fixture_init(&f, cases[i].ring_bytes);
        fill_kinds(&f);
        assert_int_equal(count_of(&f, "leases/", 0, 0), 10);
        assert_int_equal(count_of(&f, "pods/", 0, 0), 20);
        fixture_op(&f, (struct store_op){
                           .type = STORE_OP_COMPACT, .key = str_lit("leases/"), .revision = 20 });
        int leases = cases[i].status == 0 ? 10 : 0;
        assert_int_equal(count_of(&f, "leases/", 0, cases[i].status), leases);
        assert_int_equal(count_of(&f, "leases/a", 19, cases[i].status), leases == 0 ? 0 : 3);
        assert_int_equal(count_of(&f, "", 19, cases[i].status), leases == 0 ? 0 : 11);
        assert_int_equal(count_of(&f, "leases/", 20, 0), 3);
        assert_int_equal(count_of(&f, "pods/", 0, 0), 20);
        int all = 0;
        uint64_t last = 0; /* whoever asks for all, and does not care for windows */
        assert_int_equal(store_events(f.group, 20, on_count, &all, &last), 0);
        assert_int_equal(all, 10);
        fixture_deinit(&f);
    }
}

/* ---- readers on other threads while the applier commits, evicts and compacts ---- */

#define READERS         3
#define RANDOM_COMMITS  600
#define COMMIT_EVERY    4 /* revisions an entry */
#define RANDOM_EXPECTED (RANDOM_COMMITS * COMMIT_EVERY)

struct random_reader {
    struct store_fixture *f;
    struct env_loop *loop;
    struct env_msg msg;
    uint64_t seed;
    uint64_t last;
    uint64_t seen;
    uint64_t expired;
    int left;
};

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Each revision writes one key, named by it, whose version before is named too. */
static bool on_random(void *ctx, const struct store_event *event)
{
    struct random_reader *r = ctx;
    uint64_t value = 0;
    if (r->left-- == 0)
        return false;
    assert_true(event->revision == r->last + 1);
    assert_int_equal(str_to_u64(event->value, &value), 0);
    assert_true(value == event->revision);
    if (event->old_revision != 0) {
        assert_int_equal(str_to_u64(event->old_value, &value), 0);
        assert_true(value == event->old_revision);
    }
    r->last = event->revision;
    r->seen++;
    return true;
}

static void random_turn(struct env_msg *m)
{
    struct random_reader *r = container_of(m, struct random_reader, msg);
    uint64_t random = next_random(&r->seed);
    uint64_t last = 0;
    if (random % 64 == 0) /* resumes at an older place */
        r->last -= r->last > 300 ? random / 64 % 300 : 0;
    r->left = 1 + (int)(random / 4096 % 40);
    int rc = store_events(r->f->group, r->last, on_random, r, &last);
    if (rc == -ERR_EXPIRED) {
        r->expired++;
        r->last = store_compacted(r->f->group);
    } else {
        assert_int_equal(rc, 0);
        assert_true(last == r->last);
    }
    if (r->last < RANDOM_EXPECTED)
        env_post(r->loop, &r->msg, random_turn);
    else
        env_loop_stop(r->loop);
}

static void random_commit(struct store_fixture *f, uint64_t first)
{
    struct store_op ops[COMMIT_EVERY];
    struct store_txn txns[COMMIT_EVERY + 1];
    char keys[COMMIT_EVERY][16];
    char values[COMMIT_EVERY][24];
    size_t count = 0;
    for (; count < COMMIT_EVERY; count++) {
        snprintf(keys[count], sizeof keys[count], "k%llu", (unsigned long long)(first + count) % 9);
        snprintf(values[count], sizeof values[count], "%llu", (unsigned long long)(first + count));
        ops[count] = (struct store_op){ .type = STORE_OP_PUT,
                                        .key = str_from(keys[count]),
                                        .value = str_from(values[count]) };
        txns[count] = (struct store_txn){ .ops = &ops[count], .ops_count = 1 };
    }
    struct store_op compact = { .type = STORE_OP_COMPACT, .revision = first - 200 };
    if (first > 200 && first % 16 == 1)
        txns[count++] = (struct store_txn){ .ops = &compact, .ops_count = 1 };
    fixture_apply(f, txns, count);
}

static void test_random_readers(void **state)
{
    (void)state;
    struct store_fixture f;
    struct random_reader readers[READERS] = { 0 };
    fixture_init(&f, 8192); /* a few dozen revisions */
    for (int i = 0; i < READERS; i++) {
        struct random_reader *r = &readers[i];
        r->f = &f;
        r->seed = 88172645463325252u + (uint64_t)i;
        r->loop = env_loop_new(f.env, "reader");
        env_post(r->loop, &r->msg, random_turn);
        env_loop_start(r->loop);
    }
    for (uint64_t revision = 1; revision <= RANDOM_EXPECTED; revision += COMMIT_EVERY)
        random_commit(&f, revision);
    for (int i = 0; i < READERS; i++) {
        env_loop_join(readers[i].loop);
        env_loop_free(readers[i].loop);
        assert_int_equal(readers[i].last, RANDOM_EXPECTED);
        assert_true(readers[i].seen > 0);
    }
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_whole_revisions),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_random_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
