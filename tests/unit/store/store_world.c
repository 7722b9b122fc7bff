/* See the header. */
#include "tests/unit/store/store_world.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env_uv.h"
#include "tests/unit/unit.h"

void store_world_open_member(struct store_world *w, int i)
{
    struct store_config c = members_config(&w->m, w->env, i);
    struct err e = { 0 };
    int rv;

    c.feature_level_max = w->level_max;
    rv = store_open(&c, &w->stores[i], &e);
    if (rv != 0)
        fprintf(stderr, "%s\n", e.msg);
    assert_int_equal(rv, 0);
}

struct store_status store_world_status(struct store_world *w, int i)
{
    struct store_status s;

    store_status(store_group(w->stores[i], STORE_CLUSTER), &s);
    return s;
}

/* The index of the member that leads and is ready, within 10 s. */
int store_world_wait_leader(struct store_world *w)
{
    for (int n = 0; n < 1000; n++) {
        for (int i = 0; i < MEMBERS_COUNT; i++)
            if (w->stores[i] != NULL && store_world_status(w, i).ready &&
                store_world_status(w, i).leader_id == (uint64_t)i + 1)
                return i;
        usleep(10000);
    }
    assert_true(false);
    return -1;
}

int store_world_setup(void **state)
{
    return store_world_setup_level(state, 0);
}

int store_world_setup_level(void **state, uint32_t level_max)
{
    struct store_world *w = mem_alloc(sizeof(*w));

    w->env = env_uv_new();
    w->level_max = level_max;
    members_init(&w->m, w->env);
    w->loop = env_loop_new(w->env, "client");
    env_loop_start(w->loop);
    for (int i = 0; i < MEMBERS_COUNT; i++)
        store_world_open_member(w, i);
    *state = w;
    return 0;
}

int store_world_teardown(void **state)
{
    struct store_world *w = *state;

    for (int i = 0; i < MEMBERS_COUNT; i++)
        store_close(w->stores[i]);
    env_loop_stop(w->loop);
    env_loop_join(w->loop);
    env_loop_free(w->loop);
    members_deinit(&w->m, w->env);
    env_uv_free(w->env);
    mem_free(w);
    return 0;
}

/* ---- calls that wait ---- */

struct waiting_write {
    struct store_write write;
    struct env_msg msg;
    struct store_group *group;
    const struct store_txn *txn;
    atomic_bool done;
};

static void on_written(struct store_write *w)
{
    atomic_store(&((struct waiting_write *)w)->done, true);
}

static void submit(struct env_msg *m)
{
    struct waiting_write *w = container_of(m, struct waiting_write, msg);

    store_submit(w->group, &w->write, w->txn);
}

void store_world_wait(const atomic_bool *done)
{
    for (int n = 0; n < 2000 && !atomic_load(done); n++)
        usleep(10000);
    assert_true(atomic_load(done));
}

struct store_result store_world_write(struct store_world *w, int i, const struct store_txn *txn)
{
    struct waiting_write write = { .group = store_group(w->stores[i], STORE_CLUSTER), .txn = txn };

    write.write.loop = w->loop;
    write.write.done = on_written;
    env_post(w->loop, &write.msg, submit);
    store_world_wait(&write.done);
    return write.write.result;
}

struct store_result store_world_put(struct store_world *w, int i, const char *key,
                                    const char *value, uint64_t fence)
{
    struct store_op op = { .type = STORE_OP_PUT, .key = str_from(key), .value = str_from(value) };

    return store_world_write(
        w, i, &(struct store_txn){ .ops = &op, .ops_count = 1, .fence_term = fence });
}

struct waiting_read {
    struct store_barrier barrier;
    struct env_msg msg;
    struct store_group *group;
    uint64_t revision;
    uint64_t wait_ms;
    atomic_bool done;
};

static void on_barrier(struct store_barrier *b)
{
    atomic_store(&((struct waiting_read *)b)->done, true);
}

static void submit_read(struct env_msg *m)
{
    struct waiting_read *r = container_of(m, struct waiting_read, msg);

    r->barrier.deadline_ms = r->wait_ms != 0 ? env_loop_now_ms(r->barrier.loop) + r->wait_ms : 0;
    if (r->revision != 0)
        store_wait_revision(r->group, &r->barrier, r->revision);
    else
        store_barrier(r->group, &r->barrier);
}

struct store_barrier store_world_read_point(struct store_world *w, int i, uint64_t revision,
                                            uint64_t ms)
{
    struct waiting_read r = { .group = store_group(w->stores[i], STORE_CLUSTER),
                              .revision = revision,
                              .wait_ms = ms };

    r.barrier.loop = w->loop;
    r.barrier.done = on_barrier;
    env_post(w->loop, &r.msg, submit_read);
    store_world_wait(&r.done);
    return r.barrier;
}

bool store_world_has(struct store_world *w, int i, const char *key, const char *value)
{
    struct store_read r;
    struct store_version v;
    bool found;

    assert_int_equal(store_read_begin(store_group(w->stores[i], STORE_CLUSTER), 0, &r), 0);
    found =
        store_read_get(&r, str_from(key), &v) == 0 && (value == NULL || str_eq_c(v.value, value));
    store_read_end(&r);
    return found;
}
