/* The state machine through a group on LMDB: guards, operations, replay, fencing, streams. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/fsm.h"
#include "store/group_state.h"
#include "store/key.h"
#include "store/stream.h"
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

static struct store_op put_op(const char *key, const char *value)
{
    return (
        struct store_op){ .type = STORE_OP_PUT, .key = str_from(key), .value = str_from(value) };
}

static struct store_result guarded(struct store_fixture *f, struct store_guard guard,
                                   struct store_op op, const char *request_id)
{
    return fixture_txn(f, &(struct store_txn){ .guards = &guard,
                                               .guards_count = 1,
                                               .ops = &op,
                                               .ops_count = 1,
                                               .request_id = str_from(request_id) });
}

static struct store_guard mod(const char *key, uint64_t revision)
{
    return (
        struct store_guard){ .type = STORE_GUARD_MOD, .key = str_from(key), .revision = revision };
}

static void assert_value(struct store_fixture *f, uint64_t revision, const char *key,
                         const char *value)
{
    struct store_read r;
    struct store_version v;
    assert_int_equal(store_read_begin(f->group, revision, &r), 0);
    int rc = store_read_get(&r, str_from(key), &v);
    if (value == NULL) {
        assert_int_equal(rc, -ERR_NOT_FOUND);
    } else {
        assert_int_equal(rc, 0);
        assert_true(str_eq_c(v.value, value));
    }
    store_read_end(&r);
}

static void assert_digest(struct store_fixture *f)
{
    struct point point;
    struct store_read r;
    group_point(f->group, &point);
    assert_int_equal(store_read_begin(f->group, 0, &r), 0);
    uint64_t full = fsm_digest_full(r.txn);
    store_read_end(&r);
    assert_true(full == point.digest);
}

static void test_versions(void **state)
{
    struct store_fixture *f = *state;
    assert_int_equal(fixture_put(f, "pods/a", "one").revision, 1);
    assert_int_equal(fixture_put(f, "pods/b", "other").revision, 2);
    assert_int_equal(fixture_put(f, "pods/a", "two").revision, 3);
    assert_int_equal(fixture_delete(f, "pods/a").revision, 4);
    assert_int_equal(fixture_delete(f, "pods/a").revision, 4); /* absent: no revision taken */
    assert_int_equal(fixture_put(f, "pods/a", "three").revision, 5);
    assert_value(f, 1, "pods/a", "one");
    assert_value(f, 1, "pods/b", NULL);
    assert_value(f, 2, "pods/a", "one");
    assert_value(f, 3, "pods/a", "two");
    assert_value(f, 4, "pods/a", NULL);
    assert_value(f, 4, "pods/b", "other");
    assert_value(f, 0, "pods/a", "three");
    struct store_read r;
    struct store_version v;
    assert_int_equal(store_read_begin(f->group, 6, &r), -ERR_INVALID_ARGUMENT);
    assert_int_equal(store_read_begin(f->group, 0, &r), 0);
    assert_int_equal(store_read_get(&r, str_from("pods/a"), &v), 0);
    assert_int_equal(v.revision, 5);
    assert_int_equal(v.created, 5);
    assert_int_equal(v.version, 1);
    assert_int_equal(v.previous, 4);
    assert_int_equal(store_read_revision(&r, str_from("pods/a"), 3, &v), 0);
    assert_true(str_eq_c(v.value, "two"));
    assert_int_equal(v.version, 2);
    assert_int_equal(store_read_revision(&r, str_from("pods/a"), 2, &v), -ERR_NOT_FOUND);
    store_read_end(&r);
    assert_digest(f);
    fixture_reopen(f);
    assert_value(f, 3, "pods/a", "two");
    assert_int_equal(fixture_put(f, "pods/c", "x").revision, 6);
}

static void test_guards(void **state)
{
    struct store_fixture *f = *state;
    fixture_put(f, "a", "1");
    fixture_put(f, "dir/x", "1");
    static const struct {
        struct store_guard guard;
        int status;
    } cases[] = {
        { { .type = STORE_GUARD_MOD, .key = STR("a"), .revision = 1 }, 0 },
        { { .type = STORE_GUARD_MOD, .key = STR("a"), .revision = 0 }, -ERR_CONFLICT },
        { { .type = STORE_GUARD_MOD, .key = STR("a"), .revision = 2 }, -ERR_CONFLICT },
        { { .type = STORE_GUARD_MOD, .key = STR("none"), .revision = 0 }, 0 },
        { { .type = STORE_GUARD_MOD, .key = STR("none"), .revision = 1 }, -ERR_CONFLICT },
        { { .type = STORE_GUARD_EXISTS, .key = STR("a") }, 0 },
        { { .type = STORE_GUARD_EXISTS, .key = STR("aa") }, -ERR_CONFLICT },
        { { .type = STORE_GUARD_EMPTY, .key = STR("dir/") }, -ERR_CONFLICT },
        { { .type = STORE_GUARD_EMPTY, .key = STR("dirs/") }, 0 },
        { { .type = STORE_GUARD_ROW_EXISTS, .key = STR("a") }, -ERR_CONFLICT },
        { { .type = STORE_GUARD_ROW_ABSENT, .key = STR("a") }, 0 },
        { { .type = STORE_GUARD_COUNTER, .key = STR("q"), .amount = 99 }, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char key[32];
        snprintf(key, sizeof key, "case/%zu", i);
        struct store_result r = guarded(f, cases[i].guard, put_op(key, "x"), "");
        assert_int_equal(r.status, cases[i].status);
        assert_value(f, 0, key, cases[i].status == 0 ? "x" : NULL);
    }
    /* A conflict tells the newest revision, and leaves nothing behind. */
    assert_int_equal(guarded(f, mod("a", 7), put_op("a", "2"), "").revision, 1);
    fixture_delete(f, "dir/x");
    struct store_guard empty = { .type = STORE_GUARD_EMPTY, .key = STR("dir/") };
    assert_int_equal(guarded(f, empty, put_op("dir", "gone"), "").status, 0);
    assert_digest(f);
}

static void test_counters(void **state)
{
    struct store_fixture *f = *state;
    struct store_charge charge = { .counter = STR("ns/pods"), .amount = 3 };
    struct store_op op = put_op("pod", "x");
    op.charges = &charge;
    op.charges_count = 1;
    fixture_op(f,
               (struct store_op){ .type = STORE_OP_SET_LIMIT, .key = STR("ns/pods"), .amount = 5 });
    struct store_guard guard = { .type = STORE_GUARD_COUNTER, .key = STR("ns/pods"), .amount = 3 };
    assert_int_equal(guarded(f, guard, op, "").status, 0);
    op.key = str_from("pod2");
    assert_int_equal(guarded(f, guard, op, "").status, -ERR_CONFLICT);
    charge.amount = 2; /* replaces the 3 */
    op.key = str_from("pod");
    fixture_op(f, op);
    struct store_read r;
    int64_t limit = 0;
    assert_int_equal(store_read_begin(f->group, 0, &r), 0);
    assert_int_equal(store_read_counter(&r, str_from("ns/pods"), &limit), 2);
    assert_int_equal(limit, 5);
    store_read_end(&r);
    assert_int_equal(guarded(f, guard, put_op("pod3", "free"), "").status, 0);
    fixture_delete(f, "pod");
    assert_int_equal(store_read_begin(f->group, 0, &r), 0);
    assert_int_equal(store_read_counter(&r, str_from("ns/pods"), &limit), 0);
    store_read_end(&r);
    assert_digest(f);
}

static void test_replay(void **state)
{
    struct store_fixture *f = *state;
    /* A create whose answer was lost. */
    assert_int_equal(guarded(f, mod("k", 0), put_op("k", "1"), "first").revision, 1);
    struct store_result r = guarded(f, mod("k", 0), put_op("k", "1"), "first");
    assert_int_equal(r.status, 0);
    assert_true(r.replayed);
    assert_int_equal(r.revision, 1);
    assert_int_equal(guarded(f, mod("k", 0), put_op("k", "1"), "other").status, -ERR_CONFLICT);
    /* An update, then others. */
    assert_int_equal(guarded(f, mod("k", 1), put_op("k", "2"), "second").revision, 2);
    assert_int_equal(guarded(f, mod("k", 2), put_op("k", "3"), "third").revision, 3);
    r = guarded(f, mod("k", 1), put_op("k", "2"), "second");
    assert_true(r.replayed && r.status == 0 && r.revision == 2);
    r = guarded(f, mod("k", 0), put_op("k", "1"), "first");
    assert_true(r.replayed && r.revision == 1);
    /* The id of a version that did not follow the guarded one does not count. */
    assert_int_equal(guarded(f, mod("k", 1), put_op("k", "2"), "third").status, -ERR_CONFLICT);
    /* A delete. */
    struct store_op gone = { .type = STORE_OP_DELETE, .key = STR("k") };
    assert_int_equal(guarded(f, mod("k", 3), gone, "fourth").revision, 4);
    r = guarded(f, mod("k", 3), gone, "fourth");
    assert_true(r.replayed && r.status == 0 && r.revision == 4);
    assert_int_equal(store_published(f->group), 4);
}

static void test_fence(void **state)
{
    struct store_fixture *f = *state;
    struct store_op op = put_op("k", "v");
    struct store_txn txn = { .ops = &op, .ops_count = 1, .fence_term = 4 };
    f->term = 5;
    assert_int_equal(fixture_txn(f, &txn).status, -ERR_FENCED);
    assert_value(f, 0, "k", NULL);
    txn.fence_term = 5;
    assert_int_equal(fixture_txn(f, &txn).status, 0);
    assert_value(f, 0, "k", "v");
}

static bool count_version(void *ctx, const struct store_version *v)
{
    (void)v;
    ++*(int *)ctx;
    return true;
}

static int index_count(struct store_fixture *f, uint32_t index, const char *term)
{
    struct store_read r;
    int count = 0;
    assert_int_equal(store_read_begin(f->group, 0, &r), 0);
    assert_int_equal(
        store_read_index(&r, index, str_from(term), str_of("", 0), count_version, &count), 0);
    store_read_end(&r);
    return count;
}

static void test_index(void **state)
{
    struct store_fixture *f = *state;
    char longer[200];
    memset(longer, 'n', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    struct store_term terms[2] = { { 1, STR("node-1") }, { 2, STR("x") } };
    struct store_op op = put_op("a", "1");
    op.terms = terms;
    op.terms_count = 2;
    fixture_op(f, op);
    op.key = str_from("b");
    fixture_op(f, op);
    assert_int_equal(index_count(f, 1, "node-1"), 2);
    assert_int_equal(index_count(f, 2, "x"), 2);
    assert_int_equal(index_count(f, 2, "node-1"), 0);
    assert_int_equal(index_count(f, 1, "node"), 0);
    terms[0].bytes = str_from(longer);
    fixture_op(f, op);
    assert_int_equal(index_count(f, 1, "node-1"), 1);
    assert_int_equal(index_count(f, 1, longer), 1);
    fixture_delete(f, "b");
    assert_int_equal(index_count(f, 1, longer), 0);
    assert_int_equal(index_count(f, 2, "x"), 1);
}

static void test_rewrap(void **state)
{
    struct store_fixture *f = *state;
    fixture_put(f, "s", "old key");
    fixture_put(f, "s", "newer");
    fixture_op(f, (struct store_op){ .type = STORE_OP_REWRAP,
                                     .key = STR("s"),
                                     .revision = 2,
                                     .value = STR("newer, sealed again") });
    fixture_op(f,
               (struct store_op){
                   .type = STORE_OP_REWRAP, .key = STR("s"), .revision = 1, .value = STR("1st") });
    fixture_op(f,
               (struct store_op){
                   .type = STORE_OP_REWRAP, .key = STR("s"), .revision = 9, .value = STR("no") });
    assert_value(f, 0, "s", "newer, sealed again");
    assert_value(f, 1, "s", "1st");
    assert_int_equal(store_published(f->group), 2);
    assert_digest(f);
}

static bool sum_rows(void *ctx, uint64_t sequence, struct str value)
{
    (void)value;
    *(uint64_t *)ctx += sequence;
    return true;
}

static uint64_t stream_sum(struct store_fixture *f, uint64_t after)
{
    struct store_read r;
    uint64_t sum = 0;
    assert_int_equal(store_read_begin(f->group, 0, &r), 0);
    assert_int_equal(store_read_stream(&r, str_from("t"), after, sum_rows, &sum), 0);
    store_read_end(&r);
    return sum;
}

static void test_streams(void **state)
{
    struct store_fixture *f = *state;
    struct store_op append = {
        .type = STORE_OP_APPEND, .key = STR("t"), .value = STR("m"), .producer = STR("p")
    };
    static const struct {
        uint64_t producer_sequence;
        uint64_t sequence;
        uint32_t appended;
    } cases[] = { { 5, 1, 1 }, { 6, 2, 1 }, { 6, 2, 0 }, { 5, 0, 0 },
                  { 9, 3, 1 }, { 8, 0, 0 }, { 9, 3, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        append.producer_sequence = cases[i].producer_sequence;
        struct store_result result = fixture_op(f, append);
        assert_int_equal(result.sequence, cases[i].sequence);
        assert_int_equal(result.appended, cases[i].appended);
    }
    append.producer = str_of("", 0);
    assert_int_equal(fixture_op(f, append).sequence, 4);
    assert_int_equal(fixture_op(f, append).sequence, 5);
    append.key = str_from("t2"); /* a name that the other is a prefix of */
    assert_int_equal(fixture_op(f, append).sequence, 1);
    assert_int_equal(stream_sum(f, 0), 15);
    assert_int_equal(stream_sum(f, 3), 9);
    fixture_op(f, (struct store_op){ .type = STORE_OP_TRIM, .key = STR("t"), .revision = 2 });
    assert_int_equal(stream_sum(f, 0), 12);
    struct store_read r;
    uint64_t first, last;
    assert_int_equal(store_read_begin(f->group, 0, &r), 0);
    assert_int_equal(store_read_stream_bounds(&r, str_from("t"), &first, &last), 0);
    store_read_end(&r);
    assert_int_equal(first, 3);
    assert_int_equal(last, 5);
    assert_int_equal(store_published(f->group), 0); /* streams take no revision */
    assert_digest(f);
}

static void test_rows(void **state)
{
    struct store_fixture *f = *state;
    struct store_op op = { .type = STORE_OP_ROW_PUT, .key = STR("cursor"), .value = STR("1") };
    struct store_guard absent = { .type = STORE_GUARD_ROW_ABSENT, .key = STR("cursor") };
    assert_int_equal(guarded(f, absent, op, "").status, 0);
    assert_int_equal(guarded(f, absent, op, "").status, -ERR_CONFLICT);
    struct store_read r;
    struct str value;
    assert_int_equal(store_read_begin(f->group, 0, &r), 0);
    assert_int_equal(store_read_row(&r, str_from("cursor"), &value), 0);
    assert_true(str_eq_c(value, "1"));
    store_read_end(&r);
    fixture_op(f, (struct store_op){ .type = STORE_OP_ROW_DELETE, .key = STR("cursor") });
    assert_int_equal(store_read_begin(f->group, 0, &r), 0);
    assert_int_equal(store_read_row(&r, str_from("cursor"), &value), -ERR_NOT_FOUND);
    store_read_end(&r);
    assert_digest(f);
}

static enum group_halt apply_raw(struct fsm *fsm, struct kv *kv, uint64_t index, struct store_op op,
                                 uint32_t level)
{
    struct buf entry;
    struct buf txn;
    struct err e = { 0 };
    size_t commands = 0;
    buf_init(&entry);
    buf_init(&txn);
    assert_int_equal(txn_encode(&(struct store_txn){ .ops = &op, .ops_count = 1 }, &txn, &e), 0);
    entry_begin(&entry, level, 1);
    entry_add(&entry, buf_str(&txn));
    entry_end(&entry, 1);
    struct kv_txn *t = kv_begin_write(kv);
    enum group_halt why = fsm_apply(fsm, t, index, buf_str(&entry), NULL, NULL, &commands, &e);
    fsm_save(fsm, t);
    kv_commit(t);
    buf_deinit(&entry);
    buf_deinit(&txn);
    return why;
}

static void test_halts(void **state)
{
    (void)state;
    struct kv_sim_disk *disk = kv_sim_disk_new();
    struct kv *kv = kv_sim_open(disk);
    struct fsm *fsm = malloc(sizeof *fsm);
    assert_int_equal(fsm_init(fsm, kv, NULL), 0);
    assert_int_equal(apply_raw(fsm, kv, 1, put_op("a", "1"), 1), 0);
    uint64_t digest = fsm->point.digest;
    struct store_op check = { .type = STORE_OP_CHECK, .revision = 1, .amount = (int64_t)digest };
    assert_int_equal(apply_raw(fsm, kv, 2, check, 1), 0);
    check.amount++;
    assert_int_equal(apply_raw(fsm, kv, 3, check, 1), GROUP_HALT_DIVERGED);
    assert_int_equal(fsm->mismatch.index, 1);
    assert_true(fsm->mismatch.digest == digest && fsm->mismatch.agreed == digest + 1);
    check.revision = 77; /* not remembered: nothing to compare */
    assert_int_equal(apply_raw(fsm, kv, 3, check, 1), 0);
    assert_int_equal(apply_raw(fsm, kv, 4, put_op("b", "1"), STORE_FEATURE_LEVEL + 1),
                     GROUP_HALT_UPGRADE);
    struct store_op level = { .type = STORE_OP_FEATURE_LEVEL, .amount = STORE_FEATURE_LEVEL + 1 };
    assert_int_equal(apply_raw(fsm, kv, 4, level, 1), GROUP_HALT_UPGRADE);
    assert_int_equal(fsm->point.index, 3);
    assert_true(fsm->point.digest == digest);
    fsm_deinit(fsm);
    free(fsm);
    kv_close(kv);
    kv_sim_disk_free(disk);
}

static struct store_op level_op(int64_t level)
{
    return (struct store_op){ .type = STORE_OP_FEATURE_LEVEL, .amount = level };
}

/* What level 2 brings is refused below it as a format nobody knows; and its rows are kept. */
static void test_levels(void **state)
{
    (void)state;
    static const struct store_op unlocked[] = {
        { .type = STORE_OP_PUT, .key = STR("a"), .expires_ms = 1000 },
        { .type = STORE_OP_ALARM, .revision = 7, .amount = STORE_ALARM_DISK },
        { .type = STORE_OP_TIMER, .key = STR("a"), .expires_ms = 500 },
        { .type = STORE_OP_TICK, .expires_ms = 499 },
    };
    const size_t count = sizeof unlocked / sizeof unlocked[0];
    struct kv_sim_disk *disk = kv_sim_disk_new();
    struct kv *kv = kv_sim_open(disk);
    struct fsm *fsm = malloc(sizeof *fsm);
    assert_int_equal(fsm_init(fsm, kv, NULL), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(apply_raw(fsm, kv, 1, unlocked[i], 2), GROUP_HALT_UPGRADE);
    assert_int_equal(fsm->point.index, 0);
    assert_int_equal(apply_raw(fsm, kv, 1, level_op(2), 1), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(apply_raw(fsm, kv, i + 2, unlocked[i], 2), 0);
    struct point point = fsm->point;
    assert_int_equal(point.alarm, STORE_ALARM_DISK);
    assert_int_equal(point.timers, 1);
    assert_int_equal(point.next_deadline_ms, 500);
    assert_int_equal(point.clock_ms, 499);
    fsm_deinit(fsm);
    assert_int_equal(fsm_init_level(fsm, kv, 1, NULL), -ERR_UNIMPLEMENTED);
    assert_int_equal(fsm_init(fsm, kv, NULL), 0);
    assert_memory_equal(&fsm->point, &point, sizeof point);
    struct alarm_member alarms[ALARM_MEMBERS_MAX];
    assert_int_equal(fsm_alarms(fsm, alarms), 1);
    assert_int_equal(alarms[0].member, 7);
    uint64_t digest = 0;
    assert_true(fsm_digest_at(fsm, point.index, &digest) && digest == point.digest);
    assert_false(fsm_digest_at(fsm, point.index - 1, &digest));
    assert_false(fsm_digest_at(fsm, 0, &digest));
    struct kv_txn *t = kv_begin_read(kv);
    assert_true(fsm_digest_full(t) == point.digest);
    kv_abort(t);
    fsm_deinit(fsm);
    free(fsm);
    kv_close(kv);
    kv_sim_disk_free(disk);
}

static void test_alarm(void **state)
{
    struct store_fixture *f = *state;
    fixture_op(f, level_op(2));
    fixture_put(f, "a", "1");
    uint64_t revision = store_published(f->group);
    struct store_op alarm = { .type = STORE_OP_ALARM, .revision = 1, .amount = STORE_ALARM_QUOTA };
    assert_int_equal(fixture_op(f, alarm).status, 0);
    assert_int_equal(fixture_put(f, "b", "1").status, -ERR_NO_SPACE);
    assert_int_equal(store_published(f->group), revision);
    /* A guard that fails is told first: the caller's view was old. */
    assert_int_equal(guarded(f, mod("b", 7), put_op("b", "1"), "").status, -ERR_CONFLICT);
    assert_int_equal(guarded(f, mod("a", revision), put_op("a", "2"), "id").status, 0);
    assert_true(guarded(f, mod("a", revision), put_op("a", "2"), "id").replayed);
    fixture_reopen(f);
    assert_int_equal(fixture_put(f, "b", "1").status, -ERR_NO_SPACE);
    alarm.amount = 0;
    assert_int_equal(fixture_op(f, alarm).status, 0);
    assert_int_equal(fixture_put(f, "b", "1").status, 0);
    assert_digest(f);
}

static struct store_op append_op(uint64_t sequence, uint64_t expires_ms)
{
    return (struct store_op){ .type = STORE_OP_APPEND,
                              .key = STR("topic"),
                              .value = STR("m"),
                              .producer = STR("p"),
                              .producer_sequence = sequence,
                              .expires_ms = expires_ms };
}

/* A producer that stopped is forgotten; one that goes on moves its timer, in large steps. */
static void test_producer_expiry(void **state)
{
    struct store_fixture *f = *state;
    const uint64_t step = STREAM_PRODUCER_STEP_MS;
    struct store_op tick = { .type = STORE_OP_TICK, .expires_ms = step + 1 };
    struct point point;
    fixture_op(f, level_op(2));
    assert_int_equal(fixture_op(f, append_op(1, step)).sequence, 1);
    assert_int_equal(fixture_op(f, append_op(2, step + 1)).sequence, 2);
    group_point(f->group, &point);
    assert_int_equal(point.next_deadline_ms, step); /* not worth a row */
    assert_int_equal(fixture_op(f, append_op(3, 2 * step)).sequence, 3);
    group_point(f->group, &point);
    assert_int_equal(point.next_deadline_ms, 2 * step);
    assert_int_equal(point.timers, 1);
    fixture_op(f, tick);
    assert_int_equal(fixture_op(f, append_op(3, 9 * step)).appended, 0); /* known, not moved on */
    tick.expires_ms = 2 * step;
    assert_int_equal(fixture_op(f, tick).revision, 0);
    group_point(f->group, &point);
    assert_int_equal(point.timers, 0);
    assert_int_equal(fixture_op(f, append_op(3, 0)).sequence, 4); /* a stranger */
    assert_int_equal(fixture_op(f, append_op(3, 0)).appended, 0);
    assert_int_equal(fixture_op(f, append_op(4, step)).sequence, 5);
    assert_int_equal(fixture_op(f, append_op(5, 0)).sequence, 6); /* never, again */
    group_point(f->group, &point);
    assert_int_equal(point.timers, 0);
    assert_digest(f);
}

/* Several keys, one TICK: one revision, in the order of their deadlines. */
static void test_expiry(void **state)
{
    struct store_fixture *f = *state;
    fixture_op(f, level_op(2));
    static const char *const keys[] = { "c", "b", "a", "later" };
    for (size_t i = 0; i < 4; i++) {
        struct store_op put = put_op(keys[i], "v");
        put.expires_ms = i < 3 ? 100 + i : 1000;
        assert_int_equal(fixture_op(f, put).status, 0);
    }
    struct store_op tick = { .type = STORE_OP_TICK, .expires_ms = 99 };
    assert_int_equal(fixture_op(f, tick).revision, 4); /* nothing is due */
    tick.expires_ms = 102;
    assert_int_equal(fixture_op(f, tick).revision, 5);
    assert_value(f, 0, "a", NULL);
    assert_value(f, 4, "a", "v");
    assert_value(f, 0, "later", "v");
    struct store_read r;
    struct store_version v;
    assert_int_equal(store_read_begin(f->group, 0, &r), 0);
    assert_int_equal(store_read_removed(&r, str_from("c"), &v), 0);
    assert_int_equal(v.revision, 5);
    assert_int_equal(v.request_id.len, 0);
    assert_int_equal(store_read_expires(&r, str_from("later")), 1000);
    assert_int_equal(store_read_expires(&r, str_from("c")), 0);
    store_read_end(&r);
    assert_digest(f);
    fixture_reopen(f);
    struct point point;
    group_point(f->group, &point);
    assert_int_equal(point.timers, 1);
    assert_int_equal(point.next_deadline_ms, 1000);
    fixture_delete(f, "later");
    group_point(f->group, &point);
    assert_int_equal(point.timers, 0);
    assert_int_equal(point.next_deadline_ms, 0);
    assert_digest(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guards, setup, teardown),
        cmocka_unit_test_setup_teardown(test_counters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fence, setup, teardown),
        cmocka_unit_test_setup_teardown(test_index, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rewrap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_streams, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
        cmocka_unit_test(test_halts),
        cmocka_unit_test(test_levels),
        cmocka_unit_test_setup_teardown(test_alarm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expiry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_producer_expiry, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
