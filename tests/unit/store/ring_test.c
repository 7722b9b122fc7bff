/* The watch ring alone: what it holds, what it forgets, and where a walk stops. */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env_uv.h"
#include "base/list.h"
#include "store/ring.h"
#include "tests/unit/unit.h"

/* Version `revision` of a key, with a value of so many bytes. */
static void stage(struct ring *r, uint64_t revision, size_t bytes)
{
    static char value[4096];
    struct version old = { .v = {
                               .key = STR("k"), .revision = revision - 1, .value = STR("old") } };
    struct version now = {
        .v = { .key = STR("k"), .revision = revision, .created = 1, .value = str_of(value, bytes) }
    };
    ring_stage(r, &now, revision > 1 ? &old : NULL);
}

struct seen {
    uint64_t first;
    uint64_t last;
    int count;
    int left;
    bool more;
};

static bool on_event(void *ctx, const struct store_event *event)
{
    struct seen *s = ctx;
    if (s->left-- == 0)
        return false;
    if (s->count++ == 0)
        s->first = event->revision;
    s->last = event->revision;
    s->more = event->more;
    assert_true(str_eq_c(event->key, "k"));
    if (event->revision > 1)
        assert_true(str_eq_c(event->old_value, "old"));
    return true;
}

static struct seen look(struct ring *r, uint64_t after, uint64_t upto, int left, bool served,
                        uint64_t last)
{
    struct seen s = { .left = left };
    uint64_t out = 0;
    assert_int_equal(ring_events(r, after, upto, on_event, &s, &out), served);
    if (served)
        assert_int_equal(out, last);
    return s;
}

static void test_walk(void **state)
{
    (void)state;
    struct ring *r = ring_new(1 << 20, 10);
    for (uint64_t revision = 11; revision <= 30; revision++) {
        stage(r, revision, 5);
        if (revision % 3 == 0)
            ring_publish(r);
    }
    struct seen s = look(r, 10, 30, 1000, true, 30);
    assert_true(s.first == 11 && s.last == 30 && s.count == 20);
    s = look(r, 17, 30, 1000, true, 30);
    assert_true(s.first == 18 && s.count == 13);
    s = look(r, 17, 21, 1000, true, 21); /* not above what is published */
    assert_int_equal(s.last, 21);
    s = look(r, 17, 30, 4, true, 21); /* stopped: the fifth was not taken */
    assert_int_equal(s.count, 4);
    s = look(r, 30, 30, 10, true, 30);
    assert_int_equal(s.count, 0);
    (void)look(r, 9, 30, 10, false, 0); /* before the floor */
    ring_free(r);
}

static void test_whole_revisions(void **state)
{
    (void)state;
    struct ring *r = ring_new(1 << 20, 0);
    stage(r, 1, 1);
    stage(r, 2, 1);
    stage(r, 2, 1);
    stage(r, 3, 1);
    ring_publish(r);
    struct seen s = look(r, 0, 3, 2, true, 1); /* in the middle of 2 */
    assert_true(s.last == 2 && s.more);
    s = look(r, 0, 3, 3, true, 2);
    assert_false(s.more);
    ring_free(r);
}

static void test_bounds(void **state)
{
    (void)state;
    struct ring *r = ring_new(20000, 0);
    for (uint64_t revision = 1; revision <= 100; revision++) {
        stage(r, revision, 1000);
        ring_publish(r);
        assert_true(ring_bytes(r) <= 20000);
    }
    struct seen s = look(r, 95, 100, 1000, true, 100);
    assert_int_equal(s.count, 5);
    (void)look(r, 50, 100, 1000, false, 0);
    /* One commit larger than the ring is kept alone. */
    for (uint64_t revision = 101; revision <= 150; revision++)
        stage(r, revision, 1000);
    ring_publish(r);
    s = look(r, 100, 150, 1000, true, 150);
    assert_int_equal(s.count, 50);
    (void)look(r, 99, 150, 1000, false, 0);
    ring_free(r);
}

static struct ring *walked;

/* A reader in the middle of a walk while the applier evicts all it may look at. */
static bool on_slow_event(void *ctx, const struct store_event *event)
{
    uint64_t *expected = ctx;
    assert_int_equal(event->revision, ++*expected);
    for (uint64_t i = 0; event->revision == 3 && i < 100; i++) {
        stage(walked, 100 + i, 1000);
        ring_publish(walked);
    }
    assert_true(str_eq_c(event->key, "k"));
    return true;
}

static void test_reader_keeps_chunks(void **state)
{
    (void)state;
    walked = ring_new(20000, 0);
    for (uint64_t revision = 1; revision <= 5; revision++)
        stage(walked, revision, 1000);
    ring_publish(walked);
    uint64_t expected = 0;
    uint64_t last = 0;
    assert_true(ring_events(walked, 0, 5, on_slow_event, &expected, &last));
    assert_int_equal(expected, 5);
    assert_int_equal(last, 5);
    ring_publish(walked); /* nobody reads: what was evicted may go */
    ring_publish(walked);
    ring_free(walked);
}

/* ---- readers that take turns, so that there is never none ---- */

struct turn_reader {
    struct ring *ring;
    struct env_loop *loop;
    struct env_msg msg;
    uint64_t after;
    atomic_bool inside;
    atomic_bool leave;
    atomic_bool outside;
};

static bool on_turn_event(void *ctx, const struct store_event *event)
{
    struct turn_reader *t = ctx;
    atomic_store(&t->inside, true);
    while (!atomic_load(&t->leave))
        sched_yield();
    assert_true(str_eq_c(event->key, "k")); /* still there */
    return false;
}

static void on_turn(struct env_msg *m)
{
    struct turn_reader *t = container_of(m, struct turn_reader, msg);
    uint64_t last = 0;
    assert_true(ring_events(t->ring, t->after, t->after + 1, on_turn_event, t, &last));
    atomic_store(&t->outside, true);
}

static void enter(struct turn_reader *t, uint64_t after)
{
    t->after = after;
    atomic_store(&t->inside, false);
    atomic_store(&t->outside, false);
    atomic_store(&t->leave, false);
    env_post(t->loop, &t->msg, on_turn);
    while (!atomic_load(&t->inside))
        sched_yield();
}

static void leave(struct turn_reader *t)
{
    atomic_store(&t->leave, true);
    while (!atomic_load(&t->outside))
        sched_yield();
}

static void test_busy_readers(void **state)
{
    (void)state;
    struct env *env = env_uv_new();
    struct ring *r = ring_new(8000, 0);
    struct turn_reader readers[2] = { 0 };
    size_t most = 0;
    for (int i = 0; i < 2; i++) {
        readers[i].ring = r;
        readers[i].loop = env_loop_new(env, "reader");
        env_loop_start(readers[i].loop);
    }
    stage(r, 1, 1000);
    ring_publish(r);
    enter(&readers[0], 0);
    for (uint64_t revision = 2; revision <= 500; revision++) {
        stage(r, revision, 1000);
        ring_publish(r); /* one reader is inside */
        most = ring_unlinked(r) > most ? ring_unlinked(r) : most;
        enter(&readers[(revision + 1) % 2], revision - 1);
        leave(&readers[revision % 2]);
    }
    leave(&readers[1]);
    assert_true(most > 0);
    assert_true(most < 16); /* of nearly 500 that left */
    for (int i = 0; i < 2; i++) {
        env_loop_stop(readers[i].loop);
        env_loop_join(readers[i].loop);
        env_loop_free(readers[i].loop);
    }
    ring_free(r);
    env_uv_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),         cmocka_unit_test(test_whole_revisions),
        cmocka_unit_test(test_bounds),       cmocka_unit_test(test_reader_keeps_chunks),
        cmocka_unit_test(test_busy_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
