/*
 * Random transactions against a naive model: every version of every key in an array. After each
 * entry the answers are compared; now and then every key, list, index, counter and event at a
 * random revision. Timers and ticks, alarms and what they refuse are part of it. A twin state
 * machine on the simulated map takes the same entries through crashes that lose the last commit,
 * and must come to the same digest.
 *
 * The seed is printed; MODEL_SEED=N runs others. MODEL_KEEP=FILE writes the first entries as a log
 * for kept_log_test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "store/fsm.h"
#include "store/group_state.h"
#include "store/txn.h"
#include "tests/unit/store/model.h"
#include "tests/unit/store/store_fixture.h"
#include "tests/unit/unit.h"

#define ENTRIES      250
#define ENTRY_TXNS   6
#define KEPT_ENTRIES 120

struct run {
    struct store_fixture f;
    struct model m;
    struct kv_sim_disk *disk; /* the twin's */
    struct kv *kv;
    struct fsm fsm;
    struct buf entries[ENTRIES + 1]; /* by index */
    struct arena arena;
};

/* ---- comparing ---- */

static void assert_version(const struct store_version *v, const struct model_change *c)
{
    char value[32];
    snprintf(value, sizeof value, "value-%d", c->value);
    assert_true(str_eq_c(v->key, model_keys[c->key]));
    assert_true(str_eq_c(v->value, value));
    assert_int_equal(v->revision, c->revision);
    assert_int_equal(v->created, c->created);
    assert_int_equal(v->version, c->version);
}

static bool is_lease(int key)
{
    return strncmp(model_keys[key], "lease/", 6) == 0;
}

static void compare_keys(struct run *r, struct store_read *read)
{
    for (int key = 0; key < MODEL_KEYS; key++) {
        struct store_version v;
        int rc = store_read_get(read, str_from(model_keys[key]), &v);
        const struct model_change *c = model_present(&r->m, key, read->revision);
        if (rc == -ERR_EXPIRED) {
            assert_true(is_lease(key) && read->revision < r->m.lease_compacted);
            continue;
        }
        assert_int_equal(rc, c != NULL ? 0 : -ERR_NOT_FOUND);
        if (c != NULL)
            assert_version(&v, c);
    }
}

struct listing {
    struct run *run;
    uint64_t revision;
    char last[64];
    int count;
    int left; /* stop after so many */
};

static bool on_listed(void *ctx, const struct store_version *v)
{
    struct listing *l = ctx;
    assert_true(l->last[0] == 0 || str_cmp(str_from(l->last), v->key) < 0);
    snprintf(l->last, sizeof l->last, "%.*s", STR_ARG(v->key));
    for (int key = 0; key < MODEL_KEYS; key++)
        if (str_eq_c(v->key, model_keys[key])) {
            const struct model_change *c = model_present(&l->run->m, key, l->revision);
            assert_non_null(c);
            assert_version(v, c);
        }
    l->count++;
    return --l->left > 0;
}

static int model_count(const struct model *m, const char *prefix, uint64_t revision)
{
    int count = 0;
    for (int key = 0; key < MODEL_KEYS; key++)
        if (str_starts(str_from(model_keys[key]), str_from(prefix)) &&
            model_present(m, key, revision) != NULL)
            count++;
    return count;
}

/* In as many reads as it takes: one ends by the clock, too. */
static void compare_counts(struct run *r, const char *prefix, uint64_t revision)
{
    struct buf counted_to;
    uint64_t sum = 0;
    bool more = true;
    buf_init(&counted_to);
    while (more) {
        struct store_read read;
        uint64_t counted = 0;
        assert_int_equal(store_read_begin(r->f.group, revision, &read), 0);
        int rc = store_read_count(&read, str_from(prefix), &counted_to, &counted, &more);
        store_read_end(&read);
        if (rc == -ERR_EXPIRED) {
            assert_true(revision < r->m.lease_compacted);
            break;
        }
        assert_int_equal(rc, 0);
        sum += counted;
    }
    buf_deinit(&counted_to);
    if (revision >= r->m.lease_compacted)
        assert_int_equal(sum, model_count(&r->m, prefix, revision));
}

/* A paged list, each page in a read of its own. */
static void compare_lists(struct run *r, const char *prefix, uint64_t revision)
{
    compare_counts(r, prefix, revision);
    struct listing l = { .run = r, .revision = revision };
    bool more = true;
    while (more) {
        struct store_read read;
        assert_int_equal(store_read_begin(r->f.group, revision, &read), 0);
        l.left = 3;
        int rc =
            store_read_scan(&read, str_from(prefix), str_from(l.last), on_listed, &l, NULL, &more);
        store_read_end(&read);
        if (rc == -ERR_EXPIRED) {
            assert_true(revision < r->m.lease_compacted);
            return;
        }
        assert_int_equal(rc, 0);
    }
    assert_int_equal(l.count, model_count(&r->m, prefix, revision));
}

static void compare_index(struct run *r)
{
    struct store_read read;
    assert_int_equal(store_read_begin(r->f.group, 0, &read), 0);
    for (int term = 0; term < MODEL_TERMS; term++) {
        struct listing l = { .run = r, .revision = read.revision, .left = 1000 };
        int expected = 0;
        for (int key = 0; key < MODEL_KEYS; key++) {
            const struct model_change *c = model_present(&r->m, key, UINT64_MAX);
            expected += c != NULL && c->term == term ? 1 : 0;
        }
        assert_int_equal(
            store_read_index(&read, 7, str_from(model_terms[term]), str_of("", 0), on_listed, &l),
            0);
        assert_int_equal(l.count, expected);
    }
    for (int counter = 0; counter < MODEL_COUNTERS; counter++) {
        int64_t limit;
        assert_int_equal(store_read_counter(&read, str_from(counter == 0 ? "c0" : "c1"), &limit),
                         r->m.counters[counter]);
        assert_int_equal(limit, r->m.limits[counter]);
    }
    struct point point;
    group_point(r->f.group, &point);
    assert_true(fsm_digest_full(read.txn) == point.digest);
    uint64_t first;
    assert_int_equal(point.timers, model_timers(&r->m, &first));
    assert_int_equal(point.next_deadline_ms, first);
    assert_int_equal(point.clock_ms, r->m.clock);
    assert_int_equal(point.alarm, r->m.alarms[0] | r->m.alarms[1]);
    store_read_end(&read);
}

struct watching {
    struct run *run;
    size_t at; /* the next change of the model */
    int left;
};

static bool is_change(const struct store_event *event, const struct model_change *c)
{
    char value[32];
    snprintf(value, sizeof value, "value-%d", c->value);
    return c->revision == event->revision && str_eq_c(event->key, model_keys[c->key]) &&
           c->deleted == event->deleted && (c->deleted || str_eq_c(event->value, value));
}

static bool on_event(void *ctx, const struct store_event *event)
{
    struct watching *w = ctx;
    const struct model *m = &w->run->m;
    if (w->left-- == 0)
        return false;
    const struct model_change *c = &m->changes[w->at];
    /* Compaction of leases takes events that nobody may ask for any more. */
    while (w->at < m->changes_count && is_lease(c->key) && c->revision <= m->lease_compacted &&
           !is_change(event, c))
        c = &m->changes[++w->at];
    assert_true(w->at < m->changes_count);
    assert_true(is_change(event, c));
    assert_int_equal(event->terms_count, c->term != MODEL_NO_TERM ? 1 : 0);
    if (c->term != MODEL_NO_TERM)
        assert_true(str_eq_c(event->terms[0].bytes, model_terms[c->term]));
    const struct model_change *old = NULL;
    for (size_t i = 0; i < w->at; i++)
        if (m->changes[i].key == c->key)
            old = &m->changes[i];
    if (old == NULL || old->deleted) {
        assert_int_equal(event->old_revision, 0);
    } else {
        assert_int_equal(event->old_revision, old->revision);
        char value[32];
        snprintf(value, sizeof value, "value-%d", old->value);
        bool gone = is_lease(c->key) && old->revision <= m->lease_compacted;
        assert_true(str_eq_c(event->old_value, value) || (gone && event->old_value.len == 0));
    }
    bool more = w->at + 1 < m->changes_count && m->changes[w->at + 1].revision == c->revision;
    if (c->revision > m->lease_compacted)
        assert_int_equal(event->more, more);
    w->at++;
    return true;
}

static void compare_events(struct run *r)
{
    struct model *m = &r->m;
    uint64_t after = m->compacted + model_draw(m, m->revision - m->compacted + 1);
    uint64_t last = 0;
    if (m->compacted > 0)
        assert_int_equal(store_events(r->f.group, m->compacted - 1, on_event, NULL, &last),
                         -ERR_EXPIRED);
    while (after < m->revision) {
        struct watching w = { .run = r, .left = 1 + (int)model_draw(m, 30) };
        while (w.at < m->changes_count && m->changes[w.at].revision <= after)
            w.at++;
        assert_int_equal(store_events(r->f.group, after, on_event, &w, &last), 0);
        assert_true(last >= after && last <= m->revision);
        if (last == after && w.left > 0)
            assert_true(last == m->revision);
        after = last > after ? last : after + (w.left <= 0 ? 1 : 0);
    }
}

static void compare(struct run *r)
{
    struct model *m = &r->m;
    struct store_read read;
    assert_int_equal(store_published(r->f.group), m->revision);
    assert_int_equal(store_compacted(r->f.group), m->compacted);
    uint64_t revision = m->compacted + model_draw(m, m->revision - m->compacted + 1);
    if (revision > 0) {
        assert_int_equal(store_read_begin(r->f.group, revision, &read), 0);
        compare_keys(r, &read);
        store_read_end(&read);
        compare_lists(r, model_prefixes[model_draw(&r->m, 8)], revision);
    }
    assert_int_equal(store_read_begin(r->f.group, 0, &read), 0);
    compare_keys(r, &read);
    store_read_end(&read);
    if (m->compacted > 1)
        assert_int_equal(store_read_begin(r->f.group, m->compacted - 1, &read), -ERR_EXPIRED);
    compare_index(r);
    compare_events(r);
}

/* ---- the twin ---- */

static void twin_apply(struct run *r, uint64_t index)
{
    struct kv_txn *t = kv_begin_write(r->kv);
    size_t commands;
    enum group_halt why =
        fsm_apply(&r->fsm, t, index, buf_str(&r->entries[index]), NULL, NULL, &commands, NULL);
    assert_int_equal(why, 0);
    if (model_draw(&r->m, 3) == 0)
        compact_step(&r->fsm.compact, t, COMPACT_STEP_ROWS);
    fsm_save(&r->fsm, t);
    kv_commit(t);
}

static void twin_step(struct run *r)
{
    buf_append_str(&r->entries[r->f.index], buf_str(&r->f.entry));
    if (model_draw(&r->m, 10) == 0) {
        bool lose = model_draw(&r->m, 2) == 0;
        kv_close(r->kv);
        fsm_deinit(&r->fsm);
        kv_sim_crash(r->disk, lose);
        r->kv = kv_sim_open(r->disk);
        assert_int_equal(fsm_init(&r->fsm, r->kv, NULL), 0);
        assert_true(r->fsm.point.index + 1 >= r->f.index - 1);
    }
    while (r->fsm.point.index < r->f.index)
        twin_apply(r, r->fsm.point.index + 1);
    struct point point;
    group_point(r->f.group, &point);
    assert_true(point.digest == r->fsm.point.digest);
    assert_int_equal(point.revision, r->fsm.point.revision);
    assert_int_equal(point.compacted, r->fsm.point.compacted);
}

static void step(struct run *r)
{
    struct store_txn txns[ENTRY_TXNS] = { 0 };
    struct model_expected expected[ENTRY_TXNS];
    size_t count = 1 + model_draw(&r->m, ENTRY_TXNS);
    for (size_t i = 0; i < count; i++)
        model_txn(&r->m, &r->arena, &txns[i], &expected[i]);
    fixture_apply(&r->f, txns, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(r->f.results[i].status, expected[i].status);
        if (expected[i].status == 0)
            assert_int_equal(r->f.results[i].revision, expected[i].revision);
    }
    arena_reset(&r->arena);
    twin_step(r);
}

static void rise(struct run *r)
{
    fixture_op(&r->f,
               (struct store_op){ .type = STORE_OP_FEATURE_LEVEL, .amount = STORE_FEATURE_LEVEL });
    twin_step(r);
}

static void keep_log(const struct run *r)
{
    const char *path = getenv("MODEL_KEEP");
    FILE *f = path != NULL ? fopen(path, "wbe") : NULL;
    for (int i = 1; f != NULL && i <= KEPT_ENTRIES; i++) {
        uint8_t len[4];
        store_le32(len, (uint32_t)r->entries[i].len);
        assert_int_equal(fwrite(len, 1, sizeof len, f), sizeof len);
        assert_int_equal(fwrite(r->entries[i].data, 1, r->entries[i].len, f), r->entries[i].len);
    }
    if (f != NULL)
        assert_int_equal(fclose(f), 0);
}

static void run_model(uint64_t seed, size_t ring_bytes)
{
    struct run *r = calloc(1, sizeof *r);
    fixture_init(&r->f, ring_bytes);
    arena_init(&r->arena);
    r->disk = kv_sim_disk_new();
    r->kv = kv_sim_open(r->disk);
    assert_int_equal(fsm_init(&r->fsm, r->kv, NULL), 0);
    r->m.seed = seed;
    for (int i = 0; i < MODEL_COUNTERS; i++)
        r->m.limits[i] = -1;
    rise(r);
    for (int i = 1; i < ENTRIES; i++) {
        step(r);
        if (model_draw(&r->m, 4) == 0)
            compare(r);
        if (model_draw(&r->m, 50) == 0)
            fixture_reopen(&r->f);
        if (model_draw(&r->m, 10) == 0) /* let compaction in the background go on */
            nanosleep(&(struct timespec){ .tv_nsec = 15000000 }, NULL);
    }
    keep_log(r);
    for (int i = 0; i <= ENTRIES; i++)
        buf_deinit(&r->entries[i]);
    fsm_deinit(&r->fsm);
    kv_close(r->kv);
    kv_sim_disk_free(r->disk);
    arena_deinit(&r->arena);
    fixture_deinit(&r->f);
    free(r);
}

static void test_model(void **state)
{
    (void)state;
    const char *given = getenv("MODEL_SEED");
    uint64_t first = given != NULL ? strtoull(given, NULL, 10) : 1;
    for (uint64_t seed = first; seed < first + 3; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        run_model(seed, seed % 2 == 0 ? 0 : 3000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_model) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
