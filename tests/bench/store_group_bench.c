/*
 * Group commit of three members in one process, on one machine: raft over unix sockets, each with
 * its own log and LMDB. Writes of 512 bytes are submitted from one loop to the leader's group, or
 * to a follower's (forwarded over mutual TLS), with 1, 64 and 1024 outstanding; and read points.
 *
 * store_group_bench [SECONDS]: one line per figure,
 *   store_group NAME outstanding=N ops_s=N p50_us=N p99_us=N
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_uv.h"
#include "tests/fault/members.h"

#define OUTSTANDING_MAX 1024
#define SAMPLES_MAX     2000000
#define WARM_MS         500

enum mode { MODE_WRITE, MODE_READ };

struct op {
    struct store_write write;
    struct store_barrier barrier;
    struct run *run;
    uint64_t began_ns;
};

struct run {
    struct env *env;
    struct env_loop *loop;
    struct store_group *group;
    enum mode mode;
    unsigned outstanding;
    unsigned live;
    uint64_t measure_ns; /* from here on it counts */
    uint64_t end_ns;
    uint64_t last_ns;
    uint64_t next;
    uint32_t *samples_us;
    size_t samples;
    size_t failed;
    struct op *ops;
    struct env_msg start;
};

static void op_next(struct op *o)
{
    static char value[512];
    struct run *r = o->run;
    char key[32];
    struct store_op put = { .type = STORE_OP_PUT, .value = { value, sizeof(value) } };
    struct store_txn txn = { .ops = &put, .ops_count = 1 };

    o->began_ns = env_now_ns(r->env);
    if (o->began_ns >= r->end_ns) {
        if (--r->live == 0)
            env_loop_stop(r->loop);
        return;
    }
    if (r->mode == MODE_READ) {
        o->barrier.deadline_ms = 0;
        store_barrier(r->group, &o->barrier);
        return;
    }
    snprintf(key, sizeof(key), "bench/%llu", (unsigned long long)(r->next++ % 100000));
    put.key = str_from(key);
    o->write.deadline_ms = 0;
    store_submit(r->group, &o->write, &txn);
}

static void op_done(struct op *o, int status)
{
    struct run *r = o->run;
    uint64_t now = env_now_ns(r->env);

    if (status != 0)
        r->failed++;
    else if (o->began_ns >= r->measure_ns && r->samples < SAMPLES_MAX) {
        r->samples_us[r->samples++] = (uint32_t)((now - o->began_ns) / 1000);
        r->last_ns = now;
    }
    op_next(o);
}

static void on_written(struct store_write *w)
{
    op_done(container_of(w, struct op, write), w->result.status);
}

static void on_barrier(struct store_barrier *b)
{
    op_done(container_of(b, struct op, barrier), b->status);
}

static void on_start(struct env_msg *m)
{
    struct run *r = container_of(m, struct run, start);

    r->live = r->outstanding;
    for (unsigned i = 0; i < r->outstanding; i++) {
        struct op *o = &r->ops[i];

        o->run = r;
        o->write.loop = r->loop;
        o->write.done = on_written;
        o->barrier.loop = r->loop;
        o->barrier.done = on_barrier;
        op_next(o);
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void run_one(struct env *env, struct store_group *group, const char *name, enum mode mode,
                    unsigned outstanding, unsigned seconds)
{
    struct run r = { .env = env, .group = group, .mode = mode, .outstanding = outstanding };

    r.loop = env_loop_new(env, "bench");
    r.ops = mem_alloc(outstanding * sizeof(*r.ops));
    r.samples_us = mem_alloc(SAMPLES_MAX * sizeof(*r.samples_us));
    r.measure_ns = env_now_ns(env) + WARM_MS * ENV_MS;
    r.end_ns = r.measure_ns + seconds * ENV_S;
    env_loop_start(r.loop);
    env_post(r.loop, &r.start, on_start);
    env_loop_join(r.loop);
    env_loop_free(r.loop);
    qsort(r.samples_us, r.samples, sizeof(*r.samples_us), compare);
    if (r.samples == 0)
        printf("store_group %s outstanding=%u nothing was acknowledged (failed %zu)\n", name,
               outstanding, r.failed);
    else
        printf("store_group %s outstanding=%u ops_s=%.0f p50_us=%u p99_us=%u failed=%zu\n", name,
               outstanding,
               (double)r.samples / ((double)(r.last_ns - r.measure_ns) / (double)ENV_S),
               r.samples_us[r.samples / 2], r.samples_us[r.samples * 99 / 100], r.failed);
    fflush(stdout);
    mem_free(r.samples_us);
    mem_free(r.ops);
}

int main(int argc, char **argv)
{
    static const unsigned outstanding[] = { 1, 64, OUTSTANDING_MAX };
    unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 3;
    struct env *env = env_uv_new();
    struct store *stores[MEMBERS_COUNT];
    struct members m;
    struct store_status s = { 0 };
    struct err e = { 0 };

    members_init(&m, env);
    for (int i = 0; i < MEMBERS_COUNT; i++) {
        struct store_config c = members_config(&m, env, i);

        if (store_open(&c, &stores[i], &e) != 0) {
            fprintf(stderr, "store_group_bench: %s\n", e.msg);
            return 1;
        }
    }
    for (int tries = 0; tries < 1000 && !(s.ready && s.leader_id != 0); tries++) {
        usleep(10000);
        for (int i = 0; i < MEMBERS_COUNT && !(s.ready && s.leader_id == (uint64_t)i + 1); i++)
            store_status(store_group(stores[i], STORE_CLUSTER), &s);
    }
    ASSERT(s.ready);
    for (size_t i = 0; i < 3; i++) {
        struct store_group *leader = store_group(stores[s.leader_id - 1], STORE_CLUSTER);
        struct store_group *follower =
            store_group(stores[s.leader_id % MEMBERS_COUNT], STORE_CLUSTER);

        run_one(env, leader, "write-leader", MODE_WRITE, outstanding[i], seconds);
        run_one(env, follower, "write-follower", MODE_WRITE, outstanding[i], seconds);
        run_one(env, leader, "read-leader", MODE_READ, outstanding[i], seconds);
        run_one(env, follower, "read-follower", MODE_READ, outstanding[i], seconds);
    }
    for (int i = 0; i < MEMBERS_COUNT; i++)
        store_close(stores[i]);
    members_deinit(&m, env);
    return 0;
}
