/*
 * The applier, the ring and readers on threads of their own: every watcher sees every revision once
 * and in order, readers see whole revisions, answers come in order, a halt stops everything. Run
 * under ThreadSanitizer too.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "store/txn.h"
#include "tests/unit/store/store_fixture.h"
#include "tests/unit/unit.h"

#define WATCHERS 3
#define WRITES   3000
#define KEYS     17

struct watcher {
    struct store_subscriber subscriber; /* first */
    struct env_msg reading;
    struct env_loop *loop;
    struct store_group *group;
    uint64_t seen;
    bool slow; /* takes one event at a time, and so falls behind the ring */
    bool stop_now;
    _Atomic uint64_t done;
};

static void nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
}

static bool on_event(void *ctx, const struct store_event *event)
{
    struct watcher *w = ctx;
    if (w->slow && w->stop_now)
        return false;
    w->stop_now = true;
    assert_int_equal(event->revision, w->seen + 1);
    char value[32];
    snprintf(value, sizeof value, "value-%llu", (unsigned long long)event->revision);
    assert_true(str_eq_c(event->value, value));
    if (event->revision > KEYS) {
        snprintf(value, sizeof value, "value-%llu", (unsigned long long)(event->revision - KEYS));
        assert_int_equal(event->old_revision, event->revision - KEYS);
        assert_true(str_eq_c(event->old_value, value));
    }
    w->seen = event->revision;
    return true;
}

static void on_published(struct store_subscriber *s, uint64_t revision)
{
    struct watcher *w = (struct watcher *)s;
    while (w->seen < revision) {
        uint64_t last = 0;
        w->stop_now = false;
        assert_int_equal(store_events(w->group, w->seen, on_event, w, &last), 0);
        assert_int_equal(last, w->seen);
    }
    atomic_store(&w->done, w->seen);
}

static bool on_row(void *ctx, const struct store_version *v)
{
    uint64_t *newest = ctx;
    if (v->revision > *newest)
        *newest = v->revision;
    return true;
}

/* One list at the newest revision, over and over: the newest version in it is the revision. */
static void on_reading(struct env_msg *m)
{
    struct watcher *w = container_of(m, struct watcher, reading);
    struct store_read r;
    uint64_t newest = 0;
    bool more = false;
    uint64_t published = store_published(w->group);
    assert_int_equal(store_read_begin(w->group, 0, &r), 0);
    assert_true(r.revision >= published);
    assert_int_equal(
        store_read_scan(&r, str_from("k/"), str_of("", 0), on_row, &newest, NULL, &more), 0);
    assert_int_equal(newest, r.revision);
    store_read_end(&r);
    if (newest < WRITES)
        env_post(w->loop, m, on_reading);
}

static void feed(struct store_fixture *f, uint64_t *revision)
{
    struct buf entry;
    struct buf txn;
    buf_init(&entry);
    buf_init(&txn);
    entry_begin(&entry, STORE_FEATURE_LEVEL, 1);
    uint32_t count = 0;
    for (; count < 7 && *revision < WRITES; count++) {
        char key[32];
        char value[32];
        ++*revision;
        snprintf(key, sizeof key, "k/%llu", (unsigned long long)(*revision % KEYS));
        snprintf(value, sizeof value, "value-%llu", (unsigned long long)*revision);
        struct store_op op = { .type = STORE_OP_PUT,
                               .key = str_from(key),
                               .value = str_from(value) };
        buf_clear(&txn);
        assert_int_equal(txn_encode(&(struct store_txn){ .ops = &op, .ops_count = 1 }, &txn, NULL),
                         0);
        entry_add(&entry, buf_str(&txn));
    }
    entry_end(&entry, count);
    group_apply(f->group, ++f->index, 1, buf_str(&entry), NULL);
    buf_deinit(&entry);
    buf_deinit(&txn);
}

static void test_threads(void **state)
{
    (void)state;
    struct store_fixture f;
    static struct watcher watchers[WATCHERS];
    fixture_init(&f, 8000); /* a ring of a few dozen events */
    for (int i = 0; i < WATCHERS; i++) {
        struct watcher *w = &watchers[i];
        w->group = f.group;
        w->slow = i == 1;
        w->loop = env_loop_new(f.env, "watch");
        w->subscriber.loop = w->loop;
        w->subscriber.published = on_published;
        store_subscribe(f.group, &w->subscriber);
        env_loop_start(w->loop);
        if (i == 2)
            env_post(w->loop, &w->reading, on_reading);
    }
    uint64_t revision = 0;
    while (revision < WRITES) {
        feed(&f, &revision);
        while (group_queue_bytes(f.group) > 4000)
            nap();
    }
    for (int i = 0; i < WATCHERS; i++)
        while (atomic_load(&watchers[i].done) < WRITES)
            nap();
    for (int i = 0; i < WATCHERS; i++) {
        env_loop_stop(watchers[i].loop);
        env_loop_join(watchers[i].loop);
    }
    assert_true(group_covers(f.group, f.index));
    group_close(f.group);
    for (int i = 0; i < WATCHERS; i++)
        env_loop_free(watchers[i].loop);
    f.group = NULL;
    fixture_deinit(&f);
    for (int i = 0; i < WATCHERS; i++)
        assert_int_equal(watchers[i].seen, WRITES);
}

/* ---- streams ---- */

static _Atomic int woken;

static void on_woken(struct store_subscriber *s, uint64_t revision)
{
    (void)s;
    (void)revision;
    atomic_fetch_add(&woken, 1);
}

/* A stream's growth takes no revision, and is published all the same; other rows are silent. */
static void test_stream_wakes(void **state)
{
    (void)state;
    struct store_fixture f;
    static struct store_subscriber subscriber;
    fixture_init(&f, 0);
    subscriber.loop = env_loop_new(f.env, "bus");
    subscriber.published = on_woken;
    store_subscribe(f.group, &subscriber);
    env_loop_start(subscriber.loop);
    (void)fixture_op(&f, (struct store_op){ .type = STORE_OP_ROW_PUT, .key = STR("row") });
    (void)fixture_op(
        &f, (struct store_op){ .type = STORE_OP_APPEND, .key = STR("t"), .value = STR("m") });
    while (atomic_load(&woken) == 0)
        nap();
    assert_int_equal(atomic_load(&woken), 1);
    env_loop_stop(subscriber.loop);
    env_loop_join(subscriber.loop);
    group_close(f.group);
    env_loop_free(subscriber.loop);
    f.group = NULL;
    fixture_deinit(&f);
}

/* ---- halting ---- */

static _Atomic int halted;

static void on_halt(void *ctx, enum group_halt why, const char *message)
{
    (void)ctx;
    assert_true(strstr(message, "upgrade this member") != NULL);
    atomic_store(&halted, (int)why);
}

static void test_halt(void **state)
{
    (void)state;
    struct store_fixture f;
    fixture_init(&f, 0);
    group_close(f.group);
    struct env_loop *raft = env_loop_new(f.env, "raft");
    struct group_config config = {
        .env = f.env, .id = STORE_CLUSTER, .folder = f.folder, .raft_loop = raft, .on_halt = on_halt
    };
    assert_int_equal(group_open(&config, &f.group, NULL), 0);
    env_loop_start(raft);
    uint64_t revision = 0;
    feed(&f, &revision);
    static const char newer[] = { 99, 0, 0, 0, 0, 0, 0, 0 }; /* an entry's format of the future */
    group_apply(f.group, ++f.index, 1, str_of(newer, sizeof newer), NULL);
    feed(&f, &revision);
    while (atomic_load(&halted) == 0)
        nap();
    assert_int_equal(atomic_load(&halted), GROUP_HALT_UPGRADE);
    while (group_queue_bytes(f.group) > 0)
        nap();
    struct point point;
    group_point(f.group, &point);
    assert_int_equal(point.index, 1); /* what came before is durable, nothing after */
    assert_int_equal(point.revision, 7);
    assert_false(group_covers(f.group, 2));
    env_loop_stop(raft);
    env_loop_join(raft);
    group_close(f.group);
    env_loop_free(raft);
    f.group = NULL;
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_stream_wakes),
        cmocka_unit_test(test_halt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
