/* Reads: bounds of a scan, where a page continues, what expires, plain rows and streams in pages.
 */
#include <stdio.h>
#include <stdlib.h>

#include "store/mvcc.h"
#include "store/txn.h"
#include "tests/unit/store/store_fixture.h"
#include "tests/unit/unit.h"

static int setup(void **state)
{
    struct store_fixture *f = malloc(sizeof *f);
    fixture_init(f, 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_deinit(*state);
    free(*state);
    return 0;
}

/* Entries of FIXTURE_TXNS_MAX transactions of one operation each. */
static void apply_many(struct store_fixture *f, enum store_op_type type, int from, int to)
{
    static struct store_op ops[FIXTURE_TXNS_MAX];
    static struct store_txn txns[FIXTURE_TXNS_MAX];
    static char keys[FIXTURE_TXNS_MAX][32];
    size_t count = 0;
    for (int i = from; i < to; i++) {
        snprintf(keys[count], sizeof keys[count], "pods/%05d", i);
        ops[count] = (struct store_op){ .type = type, .key = str_from(keys[count]) };
        txns[count] = (struct store_txn){ .ops = &ops[count], .ops_count = 1 };
        if (++count == FIXTURE_TXNS_MAX || i + 1 == to) {
            fixture_apply(f, txns, count);
            count = 0;
        }
    }
}

struct page {
    char last[64];
    int count;
};

static bool on_version(void *ctx, const struct store_version *v)
{
    struct page *p = ctx;
    assert_true(str_cmp(str_from(p->last), v->key) < 0);
    snprintf(p->last, sizeof p->last, "%.*s", STR_ARG(v->key));
    p->count++;
    return true;
}

static int scan_all(struct store_fixture *f, uint64_t revision, int *out_pages)
{
    struct page p = { .count = 0 };
    bool more = true;
    for (*out_pages = 0; more; ++*out_pages) {
        struct store_read r;
        int before = p.count;
        assert_int_equal(store_read_begin(f->group, revision, &r), 0);
        assert_int_equal(
            store_read_scan(&r, str_lit("pods/"), str_from(p.last), on_version, &p, NULL, &more),
            0);
        store_read_end(&r);
        assert_true(p.count - before <= STORE_READ_ROWS_MAX);
        assert_true(p.count > before || !more);
    }
    return p.count;
}

static uint64_t count_all(struct store_fixture *f, uint64_t revision, const char *from,
                          int *out_reads)
{
    uint64_t sum = 0;
    struct buf after;
    bool more = true;
    buf_init(&after);
    buf_append_c(&after, from);
    for (*out_reads = 0; more; ++*out_reads) {
        struct store_read r;
        uint64_t count = 0;
        assert_int_equal(store_read_begin(f->group, revision, &r), 0);
        assert_int_equal(store_read_count(&r, str_lit("pods/"), &after, &count, &more), 0);
        store_read_end(&r);
        assert_true(count <= STORE_READ_ROWS_MAX);
        sum += count;
    }
    buf_deinit(&after);
    return sum;
}

static void test_pages(void **state)
{
    struct store_fixture *f = *state;
    int pages;
    apply_many(f, STORE_OP_PUT, 0, 2500);
    assert_int_equal(scan_all(f, 0, &pages), 2500);
    assert_true(pages >= 3);
    /* At the revision of a list's first page, whatever happens meanwhile; past many tombstones. */
    apply_many(f, STORE_OP_DELETE, 100, 2400);
    assert_int_equal(scan_all(f, 2500, &pages), 2500);
    assert_int_equal(scan_all(f, 0, &pages), 200);
    /* Counted in as many reads. */
    assert_int_equal(count_all(f, 2500, "pods/00009", &pages), 2490);
    assert_true(pages >= 3);
    assert_int_equal(count_all(f, 0, "", &pages), 200);
    assert_true(pages >= 3);
}

/* Long runs of what is gone, and of versions of one key, end a read as rows do. */
static void test_nothing_there(void **state)
{
    struct store_fixture *f = *state;
    struct page p = { .count = 0 };
    struct buf resume;
    bool more = true;
    int reads = 0;
    apply_many(f, STORE_OP_PUT, 0, 5000);
    apply_many(f, STORE_OP_DELETE, 0, 4999);
    buf_init(&resume);
    for (; more; reads++) {
        struct store_read r;
        assert_int_equal(store_read_begin(f->group, 0, &r), 0);
        assert_int_equal(
            store_read_scan(&r, str_lit("pods/"), buf_str(&resume), on_version, &p, &resume, &more),
            0);
        store_read_end(&r);
    }
    assert_int_equal(p.count, 1);
    assert_string_equal(p.last, "pods/04999");
    assert_true(reads >= 5);
    buf_deinit(&resume);
}

static void test_many_versions(void **state)
{
    struct store_fixture *f = *state;
    struct page p = { .count = 0 };
    struct store_read r;
    bool more = false;
    fixture_put(f, "pods/a", "0");
    fixture_put(f, "pods/b", "0");
    for (int i = 0; i < STORE_READ_ROWS_MAX; i++)
        fixture_put(f, "pods/a", "1");
    assert_int_equal(store_read_begin(f->group, 2, &r), 0);
    assert_int_equal(
        store_read_scan(&r, str_lit("pods/"), str_of("", 0), on_version, &p, NULL, &more), 0);
    store_read_end(&r);
    assert_int_equal(p.count, 1);
    assert_true(more);
}

static void test_expired(void **state)
{
    struct store_fixture *f = *state;
    struct store_read r;
    struct store_version v;
    fixture_put(f, "leases/a", "1");
    fixture_put(f, "pods/a", "1");
    fixture_put(f, "leases/a", "2");
    fixture_put(f, "pods/a", "2");
    fixture_op(f, (struct store_op){ .type = STORE_OP_COMPACT, .revision = 2 });
    fixture_op(f,
               (struct store_op){ .type = STORE_OP_COMPACT, .key = STR("leases/"), .revision = 4 });
    assert_int_equal(store_read_begin(f->group, 1, &r), -ERR_EXPIRED);
    assert_int_equal(store_read_begin(f->group, 5, &r), -ERR_INVALID_ARGUMENT);
    assert_int_equal(store_read_begin(f->group, 2, &r), 0);
    assert_int_equal(store_read_get(&r, str_lit("pods/a"), &v), 0);
    assert_int_equal(v.revision, 2);
    assert_int_equal(store_read_get(&r, str_lit("leases/a"), &v), -ERR_EXPIRED);
    assert_int_equal(store_read_get(&r, str_lit("pods/b"), &v), -ERR_NOT_FOUND);
    bool more;
    struct page p = { .count = 0 };
    assert_int_equal(
        store_read_scan(&r, str_lit("leases/"), str_of("", 0), on_version, &p, NULL, &more),
        -ERR_EXPIRED);
    assert_int_equal(
        store_read_scan(&r, str_lit("pods/"), str_of("", 0), on_version, &p, NULL, &more), 0);
    assert_int_equal(p.count, 1);
    assert_int_equal(store_read_index(&r, 1, str_lit("x"), str_of("", 0), on_version, &p),
                     -ERR_EXPIRED);
    assert_int_equal(store_read_compacted(&r, str_lit("leases/")), 4);
    assert_int_equal(store_read_compacted(&r, str_lit("pods/")), 2);
    store_read_end(&r);
    assert_int_equal(store_read_begin(f->group, 3, &r), 0);
    assert_int_equal(store_read_get(&r, str_lit("leases/a"), &v), 0); /* newest anyway */
    assert_int_equal(v.revision, 3);
    store_read_end(&r);
}

static bool on_row(void *ctx, struct str key, struct str value)
{
    (void)value;
    struct page *p = ctx;
    assert_true(str_cmp(str_from(p->last), key) < 0);
    snprintf(p->last, sizeof p->last, "%.*s", STR_ARG(key));
    p->count++;
    return true;
}

static bool on_message(void *ctx, uint64_t sequence, struct str value)
{
    (void)value;
    uint64_t *last = ctx;
    assert_int_equal(sequence, *last + 1);
    *last = sequence;
    return true;
}

struct versions {
    uint64_t revisions[16];
    size_t count;
    size_t max;
};

static bool on_old(void *ctx, const struct store_version *v)
{
    struct versions *list = ctx;
    if (list->count == list->max)
        return false;
    /* A removal is shown with 1000 on top. */
    list->revisions[list->count++] = v->tombstone ? 1000 + v->revision : v->revision;
    return true;
}

/* What history there is of a key, as "revision revision ...". */
static const char *history(struct store_fixture *f, const char *key, uint64_t from, size_t max,
                           uint64_t *out_next)
{
    static char text[200];
    struct versions list = { .max = max };
    struct store_read r;
    size_t len = 0;
    assert_int_equal(store_read_begin(f->group, 0, &r), 0);
    int rc = store_read_history(&r, str_from(key), from, on_old, &list, out_next);
    store_read_end(&r);
    text[0] = '\0';
    if (rc != 0)
        return rc == -ERR_NOT_FOUND ? "none" : "failed";
    for (size_t i = 0; i < list.count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%llu", i > 0 ? " " : "",
                                (unsigned long long)list.revisions[i]);
    return text;
}

static void test_history(void **state)
{
    struct store_fixture *f = *state;
    uint64_t next;
    fixture_put(f, "pods/a", "1"); /* 1 */
    fixture_put(f, "pods/b", "1"); /* 2 */
    fixture_put(f, "pods/a", "2"); /* 3 */
    fixture_delete(f, "pods/a");   /* 4 */
    fixture_put(f, "pods/a", "3"); /* 5 */
    fixture_delete(f, "pods/b");   /* 6 */
    assert_string_equal(history(f, "pods/a", 0, 16, &next), "5 1004 3 1");
    assert_int_equal(next, 0);
    assert_string_equal(history(f, "pods/b", 0, 16, &next), "1006 2");
    assert_string_equal(history(f, "pods/c", 0, 16, &next), "none");
    /* Pages, and from where a revision fell. */
    assert_string_equal(history(f, "pods/a", 0, 2, &next), "5 1004");
    assert_int_equal(next, 3);
    assert_string_equal(history(f, "pods/a", next, 2, &next), "3 1");
    assert_int_equal(next, 0);
    assert_string_equal(history(f, "pods/a", 2, 2, &next), "1");
    assert_string_equal(history(f, "pods/b", 1, 2, &next), "none");
    /* Of what is compacted only the version that the oldest revision sees is left. */
    fixture_op(f, (struct store_op){ .type = STORE_OP_COMPACT, .revision = 3 });
    assert_string_equal(history(f, "pods/a", 0, 16, &next), "5 1004 3");
    fixture_op(f, (struct store_op){ .type = STORE_OP_COMPACT, .revision = 4 });
    assert_string_equal(history(f, "pods/a", 0, 16, &next), "5");
    assert_string_equal(history(f, "pods/b", 0, 16, &next), "1006 2");
    fixture_op(f, (struct store_op){ .type = STORE_OP_COMPACT, .revision = 6 });
    assert_string_equal(history(f, "pods/b", 0, 16, &next), "none");
}

#define HOT_LOW  700 /* versions written below the level of skip links */
#define HOT_HIGH 4000

/* Writes the key, or removes it now and then; txn i has revision i + 1. */
static void write_hot(struct store_fixture *f, int from, int to)
{
    static struct store_op ops[FIXTURE_TXNS_MAX];
    static struct store_txn txns[FIXTURE_TXNS_MAX];
    size_t count = 0;
    for (int i = from; i < to; i++) {
        ops[count] =
            (struct store_op){ .type = i % 7 == 6 ? STORE_OP_DELETE : STORE_OP_PUT,
                               .key = i % 5 == 4 ? str_lit("pods/other") : str_lit("pods/hot"),
                               .value = STR("v") };
        if (i % 5 == 4)
            ops[count].type = STORE_OP_PUT;
        txns[count] = (struct store_txn){ .ops = &ops[count], .ops_count = 1 };
        if (++count == FIXTURE_TXNS_MAX || i + 1 == to) {
            fixture_apply(f, txns, count);
            count = 0;
        }
    }
}

/* The revision of what a read of the key at this revision finds, 0: nothing; see write_hot. */
static uint64_t hot_at(uint64_t revision)
{
    while (revision > 0 && (revision - 1) % 5 == 4)
        revision--;
    return (revision - 1) % 7 == 6 ? 0 : revision;
}

static void assert_hot(struct store_fixture *f, uint64_t from, uint64_t to)
{
    size_t most = 0;
    struct store_read r;
    for (uint64_t at = from; at <= to; at++) {
        struct store_version v;
        struct newest n;
        struct version version;
        size_t steps = 0;
        assert_int_equal(store_read_begin(f->group, at, &r), 0);
        int rc = store_read_get(&r, str_lit("pods/hot"), &v);
        assert_int_equal(rc, hot_at(at) == 0 ? -ERR_NOT_FOUND : 0);
        if (rc == 0)
            assert_int_equal(v.revision, hot_at(at));
        assert_true(mvcc_newest(r.txn, str_lit("pods/hot"), &n));
        assert_true(mvcc_at_counted(r.txn, &n, at, &version, &steps));
        store_read_end(&r);
        if (at > HOT_LOW && steps > most)
            most = steps;
    }
    print_message("rows looked at: at most %zu\n", most);
    assert_true(most <= HOT_HIGH / MVCC_SKIP + MVCC_SKIP + 1);
}

/* A read of one key at an old revision does not look at every version since. */
static void test_skips(void **state)
{
    struct store_fixture *f = *state;
    write_hot(f, 0, HOT_LOW);
    fixture_op(f, (struct store_op){ .type = STORE_OP_FEATURE_LEVEL, .amount = STORE_LEVEL_SKIPS });
    write_hot(f, HOT_LOW, HOT_HIGH);
    assert_hot(f, 1, HOT_HIGH);
    fixture_reopen(f);
    assert_hot(f, 1, HOT_HIGH);
    fixture_op(f, (struct store_op){ .type = STORE_OP_COMPACT, .revision = 1500 });
    write_hot(f, HOT_HIGH, HOT_HIGH + 10);
    assert_hot(f, 1500, HOT_HIGH + 10);
}

static void test_plain(void **state)
{
    struct store_fixture *f = *state;
    apply_many(f, STORE_OP_ROW_PUT, 0, 1200);
    struct store_op ops[200];
    for (int i = 0; i < 200; i++)
        ops[i] = (struct store_op){ .type = STORE_OP_APPEND, .key = STR("t"), .value = STR("m") };
    for (int i = 0; i < 8; i++)
        assert_int_equal(fixture_txn(f, &(struct store_txn){ .ops = ops, .ops_count = 200 }).status,
                         0);
    struct page p = { .count = 0 };
    bool more = true;
    uint64_t last = 0;
    while (more || last < 1600) {
        struct store_read r;
        assert_int_equal(store_read_begin(f->group, 0, &r), 0);
        if (more)
            assert_int_equal(
                store_read_rows(&r, str_lit("pods/"), str_from(p.last), on_row, &p, &more), 0);
        uint64_t before = last;
        assert_int_equal(store_read_stream(&r, str_lit("t"), last, on_message, &last), 0);
        assert_true(last > before && last - before <= STORE_READ_ROWS_MAX);
        store_read_end(&r);
    }
    assert_int_equal(p.count, 1200);
    assert_int_equal(last, 1600);
    struct store_read r;
    uint64_t first;
    assert_int_equal(store_read_begin(f->group, 0, &r), 0);
    assert_int_equal(store_read_stream_bounds(&r, str_lit("u"), &first, &last), -ERR_NOT_FOUND);
    store_read_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expired, setup, teardown),
        cmocka_unit_test_setup_teardown(test_history, setup, teardown),
        cmocka_unit_test_setup_teardown(test_skips, setup, teardown),
        cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
