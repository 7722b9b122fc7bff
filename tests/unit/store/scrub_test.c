/* Rows that rot in one member's state are found by and by, and that member stops. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/env_sim.h"
#include "store/key.h"
#include "store/mvcc.h"
#include "store/scrub.h"
#include "tests/unit/store/house_world.h"
#include "tests/unit/unit.h"

#define KEYS 1000

static struct house_world *world_new(void)
{
    static const uint32_t levels[HOUSE_MEMBERS] = { 2, 2, 2 };
    struct house_world *w = mem_alloc(sizeof *w);
    house_world_init(w, levels);
    house_world_put(w, "a", 0);
    house_world_put(w, "b", 0);
    house_world_put(w, "b", 0); /* its first version is history */
    house_world_put(w, "c", 0);
    return w;
}

static void world_free(struct house_world *w)
{
    house_world_deinit(w);
    mem_free(w);
}

/* The row of the key's newest version, or the one before it, in the member's state. */
static void rot(struct house_world *w, size_t member, const char *key, bool before)
{
    struct kv *kv = w->members[member].kv;
    struct kv_txn *t = kv_begin_read(kv);
    struct version v;
    struct newest n;
    struct key rev;
    assert_true(mvcc_newest(t, str_from(key), &n));
    assert_true(mvcc_get(t, n.place, &v));
    struct place at = before ? v.previous : n.place;
    kv_abort(t);
    key_rev(&rev, at.revision, at.sub);
    assert_true(kv_sim_rot(kv, KV_REV, key_str(&rev), 1));
}

static int step(struct house_world *w, struct scrub *s, struct err *e)
{
    struct kv_txn *t = kv_begin_read(w->members[0].kv);
    int rc = scrub_step(s, t, w->env, e);
    kv_abort(t);
    return rc;
}

static void test_found(void **state)
{
    (void)state;
    struct house_world *w = world_new();
    struct scrub s = { 0 };
    struct err e = { 0 };
    assert_int_equal(step(w, &s, &e), 0);
    assert_int_equal(s.passes, 1);
    assert_int_equal(s.rows, 3);
    rot(w, 0, "b", true); /* nobody's newest: not looked at */
    assert_int_equal(step(w, &s, &e), 0);
    assert_int_equal(s.passes, 2);
    rot(w, 0, "c", false);
    assert_int_equal(step(w, &s, &e), -ERR_CORRUPT);
    assert_non_null(strstr(e.msg, "key c at revision"));
    assert_int_equal(s.passes, 2);
    world_free(w);
}

static void test_gone(void **state)
{
    (void)state;
    struct house_world *w = world_new();
    struct scrub s = { 0 };
    struct err e = { 0 };
    struct newest n;
    struct key rev;
    struct kv_txn *t = kv_begin_write(w->members[0].kv);
    assert_true(mvcc_newest(t, str_lit("b"), &n));
    key_rev(&rev, n.place.revision, n.place.sub);
    assert_true(kv_delete(t, KV_REV, key_str(&rev)));
    kv_commit(t);
    assert_int_equal(step(w, &s, &e), -ERR_CORRUPT);
    assert_non_null(strstr(e.msg, "key b"));
    assert_non_null(strstr(e.msg, "is gone"));
    world_free(w);
}

/* Every key once a pass, in steps, although keys come and go between them; none that is deleted. */
static void test_steps(void **state)
{
    (void)state;
    struct kv_sim_disk *disk = kv_sim_disk_new();
    struct kv *kv = kv_sim_open(disk);
    struct env *env = env_sim_new(3);
    struct kv_txn *t = kv_begin_write(kv);
    struct scrub s = { 0 };
    struct err e = { 0 };
    char name[16];
    for (uint64_t i = 1; i <= KEYS; i++) {
        struct newest n = { .place = { i, 0 }, .tombstone = i % 10 == 0 };
        struct key rev;
        snprintf(name, sizeof name, "k%05llu", (unsigned long long)i);
        key_rev(&rev, i, 0);
        if (!n.tombstone) /* compaction may have taken it */
            kv_put(t, KV_REV, key_str(&rev), str_from(name));
        n.hash = row_hash(KV_REV, key_str(&rev), str_from(name));
        mvcc_set_newest(t, str_from(name), &n);
    }
    kv_commit(t);
    for (int i = 1; s.passes == 0; i++) {
        t = kv_begin_read(kv);
        assert_int_equal(scrub_step(&s, t, env, &e), 0);
        kv_abort(t);
        assert_true(s.rows <= (uint64_t)i * SCRUB_STEP_ROWS);
        t = kv_begin_write(kv); /* where it stands is gone */
        (void)kv_delete(t, KV_CUR, str_of(s.after, s.after_bytes));
        kv_commit(t);
    }
    assert_int_equal(s.rows, KEYS);
    kv_close(kv);
    kv_sim_disk_free(disk);
    env_sim_free(env);
}

/* In a member: it stops within a pass after its start, with the key; the others go on. */
static void test_member_stops(void **state)
{
    (void)state;
    struct house_world *w = world_new();
    house_world_run(w, SCRUB_FIRST_MS / 2);
    rot(w, 1, "a", false);
    house_world_run(w, SCRUB_FIRST_MS);
    assert_int_equal(w->members[1].halted, GROUP_HALT_ROTTEN);
    assert_non_null(strstr(w->members[1].why, "key a"));
    house_world_put(w, "d", 0);
    house_world_run(w, SCRUB_REST_MS + SCRUB_FIRST_MS);
    assert_int_equal(w->members[0].halted, 0);
    assert_int_equal(w->members[2].halted, 0);
    assert_true(house_world_has(w, 0, "d"));
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_found), cmocka_unit_test(test_gone),
                                        cmocka_unit_test(test_steps),
                                        cmocka_unit_test(test_member_stops) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
