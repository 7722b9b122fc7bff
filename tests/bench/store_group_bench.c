/*
 * Group commit of three members in one process, on one machine, each with its own log and LMDB.
 * Writes are submitted from one loop to the leader's group, or to a follower's (forwarded), with 1,
 * 64, 256 and 1024 outstanding; and read points. CPU time is of all three members, by thread, per
 * operation; the client's loop is "bench".
 *
 * store_group_bench [SECONDS [BYTES [MODE...]]]: one line per figure,
 *   store_group MODE outstanding=N bytes=N ops_s=N p50_us=N p99_us=N cpu_us=N cpu_THREAD_us=N ...
 * Modes: write-leader write-follower read-leader read-follower; all when none is named.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_uv.h"
#include "store/txn.h"
#include "tests/bench/proc.h"
#include "tests/bench/samples.h"
#include "tests/fault/members.h"

#define OUTSTANDING_MAX 1024
#define WARM_MS         300
#define BYTES_MAX       65536

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
    const char *name;
    uint64_t seconds;
    enum mode mode;
    unsigned outstanding;
    unsigned live;
    uint64_t measure_ns; /* from here on it counts */
    uint64_t end_ns;
    uint64_t last_ns;
    uint64_t next;
    size_t bytes;
    struct samples samples;
    struct proc_cpu before; /* when it began to count */
    bool counting;
    size_t failed;
    struct op *ops;
    struct env_msg start;
};

static void report(struct run *r)
{
    struct proc_cpu after = { 0 };

    proc_cpu_add(&after, "self");
    samples_sort(&r->samples);
    printf("store_group %s outstanding=%u bytes=%zu ops_s=%.0f p50_us=%u p99_us=%u failed=%zu",
           r->name, r->outstanding, r->bytes,
           (double)r->samples.count / ((double)(r->last_ns - r->measure_ns) / (double)ENV_S),
           samples_at(&r->samples, 0.5), samples_at(&r->samples, 0.99), r->failed);
    proc_cpu_print(&r->before, &after, (double)r->samples.count);
    printf("\n");
    fflush(stdout);
}

static void op_next(struct op *o)
{
    static char value[BYTES_MAX];
    struct run *r = o->run;
    char key[32];
    struct store_op put = { .type = STORE_OP_PUT, .value = { value, r->bytes } };
    struct store_txn txn = { .ops = &put, .ops_count = 1 };

    o->began_ns = env_now_ns(r->env);
    if (o->began_ns >= r->end_ns) {
        if (--r->live == 0) {
            report(r);
            env_loop_stop(r->loop);
        }
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
    else if (o->began_ns >= r->measure_ns) {
        samples_add(&r->samples, (now - o->began_ns) / 1000);
        r->last_ns = now;
    }
    if (!r->counting && now >= r->measure_ns) {
        r->counting = true;
        proc_cpu_add(&r->before, "self");
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

/* The report is made on the loop's thread at its end, so that its CPU time counts. */
static void run_one(struct env *env, struct store_group *group, const struct run *how,
                    const char *name)
{
    struct run r = *how;

    r.env = env;
    r.group = group;
    r.name = name;
    r.loop = env_loop_new(env, "bench");
    r.ops = mem_alloc(r.outstanding * sizeof(*r.ops));
    r.measure_ns = env_now_ns(env) + WARM_MS * ENV_MS;
    r.end_ns = r.measure_ns + r.seconds * ENV_S;
    env_loop_start(r.loop);
    env_post(r.loop, &r.start, on_start);
    env_loop_join(r.loop);
    env_loop_free(r.loop);
    samples_deinit(&r.samples);
    mem_free(r.ops);
}

static bool wanted(int argc, char **argv, const char *mode)
{
    for (int i = 3; i < argc; i++)
        if (strcmp(argv[i], mode) == 0)
            return true;
    return argc <= 3;
}

/* Until a member leads and is ready; it is the one in *out. */
static void wait_leader(struct store **stores, struct store_status *out)
{
    for (int tries = 0; tries < 1000 && !(out->ready && out->leader_id == out->member_id);
         tries++) {
        usleep(10000);
        for (int i = 0; i < MEMBERS_COUNT && !(out->ready && out->leader_id == out->member_id); i++)
            store_status(store_group(stores[i], STORE_CLUSTER), out);
    }
    ASSERT(out->ready && out->leader_id == out->member_id);
}

/* A new cluster works as the release before does until every member has said that it can more. */
static void wait_level(struct store **stores)
{
    for (int i = 0; i < MEMBERS_COUNT; i++) {
        struct store_status s = { 0 };

        for (int tries = 0; tries < 2000 && s.feature_level < STORE_FEATURE_LEVEL; tries++) {
            usleep(10000);
            store_status(store_group(stores[i], STORE_CLUSTER), &s);
        }
        ASSERT(s.feature_level == STORE_FEATURE_LEVEL);
    }
}

int main(int argc, char **argv)
{
    static const unsigned outstanding[] = { 1, 64, 256, OUTSTANDING_MAX };
    static const struct {
        const char *name;
        enum mode mode;
        uint64_t beside; /* 0: the leader; 1: the member after it */
    } runs[] = { { "write-leader", MODE_WRITE, 0 },
                 { "write-follower", MODE_WRITE, 1 },
                 { "read-leader", MODE_READ, 0 },
                 { "read-follower", MODE_READ, 1 } };
    struct run how = { .seconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 3,
                       .bytes = argc > 2 ? strtoull(argv[2], NULL, 10) : 512 };
    struct env *env = env_uv_new();
    struct store *stores[MEMBERS_COUNT];
    struct members m;
    struct store_status s = { 0 };
    struct err e = { 0 };

    if (how.seconds == 0 || how.bytes == 0 || how.bytes > BYTES_MAX)
        return 2;
    members_init(&m, env);
    for (int i = 0; i < MEMBERS_COUNT; i++) {
        struct store_config c = members_config(&m, env, i);

        if (store_open(&c, &stores[i], &e) != 0) {
            fprintf(stderr, "store_group_bench: %s\n", e.msg);
            return 1;
        }
    }
    wait_leader(stores, &s);
    wait_level(stores);
    for (size_t i = 0; i < sizeof(outstanding) / sizeof(outstanding[0]); i++) {
        for (size_t j = 0; j < sizeof(runs) / sizeof(runs[0]); j++) {
            struct store *at = stores[(s.leader_id - 1 + runs[j].beside) % MEMBERS_COUNT];

            if (!wanted(argc, argv, runs[j].name))
                continue;
            how.mode = runs[j].mode;
            how.outstanding = outstanding[i];
            run_one(env, store_group(at, STORE_CLUSTER), &how, runs[j].name);
        }
    }
    for (int i = 0; i < MEMBERS_COUNT; i++)
        store_close(stores[i]);
    members_deinit(&m, env);
    return 0;
}
