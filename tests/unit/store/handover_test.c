/*
 * A leader that is asked to hand over: another leads at once, and no write of anybody fails, has an
 * unknown outcome, or is lost, through whichever member it came.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/handover.h"
#include "tests/unit/store/store_world.h"
#include "tests/unit/unit.h"

#define WRITERS_EACH 4 /* of a member, each with one write under way */

struct writer {
    struct store_write write;
    struct env_msg start;
    struct store_world *world;
    atomic_bool *stop;
    struct store_group *group;
    int number;
    unsigned count; /* acknowledged */
    int failed;     /* the first status that was not 0 */
    atomic_bool ended;
    char key[32];
};

static void next(struct writer *w)
{
    struct store_op op = { .type = STORE_OP_PUT, .value = str_lit("v") };

    snprintf(w->key, sizeof(w->key), "w%d/%u", w->number, w->count);
    op.key = str_from(w->key);
    store_submit(w->group, &w->write, &(struct store_txn){ .ops = &op, .ops_count = 1 });
}

static void on_written(struct store_write *write)
{
    struct writer *w = (struct writer *)write;

    if (write->result.status != 0)
        w->failed = write->result.status;
    else
        w->count++;
    if (w->failed != 0 || atomic_load(w->stop))
        atomic_store(&w->ended, true);
    else
        next(w);
}

static void start(struct env_msg *m)
{
    next(container_of(m, struct writer, start));
}

static void on_handed_over(void *ctx)
{
    atomic_store((atomic_bool *)ctx, true);
}

static uint64_t leader_of(struct store_world *w, int i, enum store_group_id id)
{
    struct store_status s;

    store_status(store_group(w->stores[i], id), &s);
    return s.leader_id;
}

static void start_writers(struct store_world *w, struct writer *writers, atomic_bool *stop)
{
    for (int n = 0; n < MEMBERS_COUNT * WRITERS_EACH; n++) {
        struct writer *to = &writers[n];

        *to = (struct writer){ .world = w, .stop = stop, .number = n };
        to->group = store_group(w->stores[n % MEMBERS_COUNT], STORE_CLUSTER);
        to->write.loop = w->loop;
        to->write.done = on_written;
        env_post(w->loop, &to->start, start);
    }
}

/* Everything acknowledged is on member i. */
static void expect_all(struct store_world *w, int i, const struct writer *writers)
{
    assert_int_equal(store_world_read_point(w, i, 0, 0).status, 0);
    for (int n = 0; n < MEMBERS_COUNT * WRITERS_EACH; n++)
        for (unsigned k = 0; k < writers[n].count; k++) {
            char key[32];

            snprintf(key, sizeof(key), "w%d/%u", n, k);
            assert_true(store_world_has(w, i, key, "v"));
        }
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* While nobody leads yet, an election may be under way: whoever hands over does not come to lead by
 * it afterwards, unless it took longer than a handover may. The first test, for the members have
 * only just started. */
static void test_election_under_way(void **state)
{
    struct store_world *w = *state;
    atomic_bool done = false;
    uint64_t began = now_ms();

    store_hand_over(w->stores[0], on_handed_over, &done);
    store_world_wait(&done);
    if (now_ms() - began >= HANDOVER_MS)
        return;
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++) {
        while (leader_of(w, 0, id) == 0)
            usleep(1000);
        assert_true(leader_of(w, 0, id) != 1);
    }
}

static void test_no_write_fails(void **state)
{
    struct store_world *w = *state;

    for (int round = 0; round < 3; round++) {
        static struct writer writers[MEMBERS_COUNT * WRITERS_EACH];
        atomic_bool stop = false;
        atomic_bool handed_over = false;
        int old = store_world_wait_leader(w);

        start_writers(w, writers, &stop);
        while (store_world_status(w, old).published < 100 * (uint64_t)(round + 1))
            usleep(1000); /* writes are under way */
        store_hand_over(w->stores[old], on_handed_over, &handed_over);
        store_world_wait(&handed_over);
        for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
            assert_true(leader_of(w, old, id) != (uint64_t)old + 1);
        atomic_store(&stop, true);
        for (int n = 0; n < MEMBERS_COUNT * WRITERS_EACH; n++) {
            store_world_wait(&writers[n].ended);
            assert_int_equal(writers[n].failed, 0);
            assert_true(writers[n].count > 0);
        }
        /* The old leader goes on: it reads, and writes through the new one. */
        assert_int_equal(store_world_put(w, old, "after", "1", 0).status, 0);
        for (int i = 0; i < MEMBERS_COUNT; i++)
            expect_all(w, i, writers);
    }
}

/* Who does not lead has nothing to hand over; twice is once more. */
static void test_follower(void **state)
{
    struct store_world *w = *state;
    int leader = store_world_wait_leader(w);
    uint64_t term = store_world_status(w, leader).term;

    for (int n = 0; n < 2; n++)
        for (int i = 0; i < MEMBERS_COUNT; i++) {
            atomic_bool done = false;

            if (i == leader || leader_of(w, i, STORE_BUS) == (uint64_t)i + 1)
                continue;
            store_hand_over(w->stores[i], on_handed_over, &done);
            store_world_wait(&done);
            assert_int_equal(store_world_status(w, leader).term, term);
        }
}

/* A member on its own has nobody to give it to, and says so at once. */
static void test_alone(void **state)
{
    struct store_world *w = *state;
    struct store_config c = members_config(&w->m, w->env, 0);
    char folder[512];
    struct store *s = NULL;
    struct err e = { 0 };
    atomic_bool done = false;
    struct store_status status = { 0 };

    snprintf(folder, sizeof(folder), "%s/alone", w->m.folder);
    c.folder = folder;
    c.members_count = 1;
    c.ca_file = NULL;
    c.start = STORE_START_FOUND;
    if (store_open(&c, &s, &e) != 0)
        fail_msg("%s", e.msg);
    for (int n = 0; n < 1000 && !status.ready; n++) {
        store_status(store_group(s, STORE_CLUSTER), &status);
        usleep(10000);
    }
    assert_true(status.ready);
    store_hand_over(s, on_handed_over, &done);
    store_world_wait(&done);
    store_status(store_group(s, STORE_CLUSTER), &status);
    assert_int_equal(status.leader_id, 1);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_election_under_way),
                                        cmocka_unit_test(test_no_write_fails),
                                        cmocka_unit_test(test_follower),
                                        cmocka_unit_test(test_alone) };

    return cmocka_run_group_tests(tests, store_world_setup, store_world_teardown);
}
