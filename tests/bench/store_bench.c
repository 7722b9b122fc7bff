/*
 * The state machine over LMDB alone, without Raft: entries of guarded creates of 512 B through the
 * applier, closed loop. Everything waiting becomes one entry, as the proposer does. Rate is answers
 * per second; latency is from hand-over to answer, as seen on the client's loop; "published" is
 * when readers see it. The ceiling that Raft and the API can come near to, on this machine and
 * disk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "store/group.h"
#include "store/txn.h"

#define OUTSTANDING_MAX 1024
#define VALUE_BYTES     512
#define RUN_MS          2000
#define SAMPLES_MAX     (1u << 22)

struct bench {
    struct env *env;
    struct env_loop *loop;
    struct store_group *group;
    struct env_msg start;
    struct env_timer end;
    uint64_t index;
    uint64_t next_key;
    size_t outstanding;
    size_t ready; /* clients without a write under way */
    size_t under_way;
    uint64_t began_ns;
    bool ended;
    uint64_t elapsed_ns;
    uint32_t *samples_us;
    size_t samples_count;
};

struct batch {
    struct proposal p; /* first */
    struct env_msg msg;
    struct bench *bench;
    uint64_t sent_ns;
};

static void send_batch(struct bench *b);

static void on_answer(struct proposal *p, size_t command, const struct store_result *result)
{
    (void)p;
    (void)command;
    ASSERT(result->status == 0);
}

static void on_answered(struct env_msg *m)
{
    struct batch *batch = container_of(m, struct batch, msg);
    struct bench *b = batch->bench;
    uint64_t us = (env_now_ns(b->env) - batch->sent_ns) / 1000;
    for (size_t i = 0; i < batch->p.count && b->samples_count < SAMPLES_MAX; i++)
        b->samples_us[b->samples_count++] = (uint32_t)us;
    b->ready += batch->p.count;
    b->under_way -= batch->p.count;
    mem_free(batch);
    if (!b->ended)
        send_batch(b);
    else if (b->under_way == 0)
        env_loop_stop(b->loop);
}

static void on_released(struct proposal *p)
{
    struct batch *batch = container_of(p, struct batch, p);
    env_post(batch->bench->loop, &batch->msg, on_answered);
}

static void add_create(struct bench *b, struct buf *entry, struct buf *txn)
{
    static char value[VALUE_BYTES];
    char key[64];
    char id[40];
    uint64_t n = b->next_key++;
    snprintf(key, sizeof key, "configmaps/default/object-%010llu",
             (unsigned long long)(n * 2654435761u % 10000000000u));
    snprintf(id, sizeof id, "%036llx", (unsigned long long)n);
    struct store_guard guard = { .type = STORE_GUARD_MOD, .key = str_from(key) };
    struct store_op op = { .type = STORE_OP_PUT,
                           .key = str_from(key),
                           .value = str_of(value, sizeof value) };
    buf_clear(txn);
    int rc = txn_encode(&(struct store_txn){ .guards = &guard,
                                             .guards_count = 1,
                                             .ops = &op,
                                             .ops_count = 1,
                                             .request_id = str_from(id) },
                        txn, NULL);
    ASSERT(rc == 0);
    entry_add(entry, buf_str(txn));
}

static void send_batch(struct bench *b)
{
    struct buf entry;
    struct buf txn;
    buf_init(&entry);
    buf_init(&txn);
    entry_begin(&entry, STORE_FEATURE_LEVEL, 1);
    struct batch *batch = mem_alloc(sizeof *batch);
    batch->p = (struct proposal){ .answer = on_answer, .released = on_released };
    batch->bench = b;
    batch->sent_ns = env_now_ns(b->env);
    /* Half of those waiting, so that one entry is applied while the next forms. */
    size_t count = b->ready > 1 ? (b->ready + 1) / 2 : b->ready;
    for (; batch->p.count < count; batch->p.count++)
        add_create(b, &entry, &txn);
    b->ready -= count;
    b->under_way += count;
    entry_end(&entry, (uint32_t)batch->p.count);
    group_apply(b->group, ++b->index, 1, buf_str(&entry), &batch->p);
    buf_deinit(&entry);
    buf_deinit(&txn);
    if (b->ready > 0 && b->under_way < b->outstanding)
        send_batch(b);
}

static void on_end(struct env_timer *t)
{
    struct bench *b = container_of(t, struct bench, end);
    b->elapsed_ns = env_now_ns(b->env) - b->began_ns;
    b->ended = true;
}

static void on_start(struct env_msg *m)
{
    struct bench *b = container_of(m, struct bench, start);
    env_timer_init(b->loop, &b->end, on_end);
    env_timer_start(&b->end, RUN_MS);
    b->began_ns = env_now_ns(b->env);
    send_batch(b);
}

static int compare_us(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void figure(const char *name, size_t outstanding, const char *what, double value,
                   const char *unit)
{
    printf("bench %s-%zu-%s gantry=%.0f peer=- ratio=- unit=%s goal=- met=yes\n", name, outstanding,
           what, value, unit);
}

static void run(struct bench *b, size_t outstanding)
{
    b->loop = env_loop_new(b->env, "client");
    b->outstanding = outstanding;
    b->ready = outstanding;
    b->samples_count = 0;
    b->ended = false;
    env_post(b->loop, &b->start, on_start);
    env_loop_run(b->loop);
    env_timer_deinit(&b->end);
    env_loop_free(b->loop);
    uint64_t answered_ns = env_now_ns(b->env);
    while (!group_covers(b->group, b->index))
        ;
    uint64_t lag_us = (env_now_ns(b->env) - answered_ns) / 1000;
    qsort(b->samples_us, b->samples_count, sizeof b->samples_us[0], compare_us);
    double rate = (double)b->samples_count * 1e9 / (double)b->elapsed_ns;
    figure("store-fsm", outstanding, "rate", rate, "ops/s");
    figure("store-fsm", outstanding, "p50", b->samples_us[b->samples_count / 2], "us");
    figure("store-fsm", outstanding, "p99", b->samples_us[b->samples_count * 99 / 100], "us");
    figure("store-fsm", outstanding, "publish-lag", (double)lag_us, "us");
}

int main(int argc, char **argv)
{
    static const size_t outstanding[] = { 1, 64, OUTSTANDING_MAX };
    char folder[256];
    struct err e = { 0 };
    snprintf(folder, sizeof folder, "%s/store-bench-XXXXXX", argc > 1 ? argv[1] : "/var/tmp");
    struct bench b = { .env = env_uv_new() };
    b.samples_us = mem_alloc(SAMPLES_MAX * sizeof b.samples_us[0]);
    struct group_config config = { .env = b.env, .id = STORE_CLUSTER, .folder = folder };
    if (mkdtemp(folder) == NULL || group_open(&config, &b.group, &e) != 0) {
        fprintf(stderr, "store_bench: %s: %s\n", folder, e.msg);
        return 1;
    }
    for (size_t i = 0; i < sizeof outstanding / sizeof outstanding[0]; i++)
        run(&b, outstanding[i]);
    group_close(b.group);
    (void)env_remove_tree(b.env, folder, NULL); /* only a temporary folder */
    mem_free(b.samples_us);
    env_uv_free(b.env);
    return 0;
}
