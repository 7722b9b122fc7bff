/*
 * What forgetting costs over LMDB alone: small puts spread over KEYS keys, a mark WINDOW revisions
 * behind, steps of compaction along with them as the applier makes them. CPU time of compact_step
 * and its pages are told for each row that went; commits pay for the pages, so the whole run is
 * told for each put too, beside one that forgets nothing.
 *
 *   compact_bench [FOLDER [PUTS]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "store/change.h"
#include "store/compact.h"
#include "store/kv.h"
#include "tests/bench/proc.h"

#define KEYS        100000
#define VALUE_BYTES 100
#define BATCH_PUTS  200 /* in one transaction */
#define STEP_ROWS   (3 * BATCH_PUTS)
#define MARK_EVERY  100000
#define WINDOW      50000

struct run {
    struct kv *kv;
    struct compact compact;
    struct changer changer;
    struct buf row;
    struct buf saved;
    uint64_t digest;
    uint64_t random;
    uint64_t step_ns;
};

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t next_random(struct run *r)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return r->random >> 8;
}

static void put(struct run *r)
{
    static char value[VALUE_BYTES];
    char key[48];
    snprintf(key, sizeof key, "bench/default/object-%llu",
             (unsigned long long)(next_random(r) % KEYS));
    r->changer.at = (struct place){ r->changer.at.revision + 1, 0 };
    (void)change_put(&r->changer, &(struct store_op){ .type = STORE_OP_PUT, /* always writes */
                                                      .key = str_from(key),
                                                      .value = str_of(value, sizeof value) });
}

static void batch(struct run *r, bool forgets)
{
    struct kv_txn *t = kv_begin_write(r->kv);
    r->changer.t = t;
    for (int i = 0; i < BATCH_PUTS; i++)
        put(r);
    uint64_t revision = r->changer.at.revision;
    if (forgets && revision % MARK_EVERY == 0 && revision > WINDOW)
        compact_set(&r->compact, t, str_of("", 0), revision - WINDOW);
    uint64_t began_ns = cpu_ns();
    if (compact_pending(&r->compact))
        (void)compact_step(&r->compact, t, STEP_ROWS); /* compact_pending tells when to stop */
    r->step_ns += cpu_ns() - began_ns;
    kv_commit(t);
}

static uint64_t rows_of(struct kv *kv)
{
    struct kv_txn *t = kv_begin_read(kv);
    struct kv_cursor c;
    uint64_t rows = 0;
    ASSERT(t != NULL);
    kv_cursor_open(t, KV_REV, &c);
    for (bool more = kv_seek(&c, str_of("", 0)); more; more = kv_next(&c))
        rows++;
    kv_cursor_close(&c);
    kv_abort(t);
    return rows;
}

static void open_run(struct run *r, const char *folder)
{
    struct err e = { 0 };
    if (kv_lmdb_open(folder, 0, &r->kv, &e) != 0) {
        fprintf(stderr, "compact_bench: %s\n", e.msg);
        exit(1);
    }
    buf_init(&r->row);
    buf_init(&r->saved);
    struct kv_txn *t = kv_begin_write(r->kv);
    compact_load(&r->compact, t);
    kv_commit(t);
    r->changer = (struct changer){
        .compact = &r->compact, .digest = &r->digest, .row = &r->row, .saved = &r->saved
    };
}

static void measure(struct env *env, const char *folder, uint64_t puts, bool forgets)
{
    struct run r = { .random = 88172645463325252u };
    open_run(&r, folder);
    uint64_t written = proc_written_bytes();
    uint64_t began_cpu_ns = cpu_ns();
    uint64_t began_ns = env_now_ns(env);
    while (r.changer.at.revision < puts)
        batch(&r, forgets);
    double elapsed_ns = (double)(env_now_ns(env) - began_ns);
    double cpu = (double)(cpu_ns() - began_cpu_ns);
    written = proc_written_bytes() - written;
    uint64_t gone = puts - rows_of(r.kv);
    uint64_t used = 0;
    uint64_t map = 0;
    kv_lmdb_usage(r.kv, &used, &map);
    printf("compact_bench forgets=%s puts_per_s=%.0f cpu_ns_per_put=%.0f written_kib_per_put=%.2f "
           "used_mib=%.1f gone=%llu cpu_ns_per_row_gone=%.0f\n",
           forgets ? "yes" : "no", (double)puts * 1e9 / elapsed_ns, cpu / (double)puts,
           (double)written / 1024 / (double)puts, (double)used / 1048576, (unsigned long long)gone,
           gone > 0 ? (double)r.step_ns / (double)gone : 0);
    compact_deinit(&r.compact);
    buf_deinit(&r.row);
    buf_deinit(&r.saved);
    kv_close(r.kv);
}

int main(int argc, char **argv)
{
    uint64_t puts = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    struct env *env = env_uv_new();
    for (int forgets = 0; forgets < 2; forgets++) {
        char folder[256];
        snprintf(folder, sizeof folder, "%s/compact-bench-XXXXXX", argc > 1 ? argv[1] : "/var/tmp");
        if (mkdtemp(folder) == NULL) {
            perror("compact_bench");
            return 1;
        }
        measure(env, folder, puts, forgets == 1);
        (void)env_remove_tree(env, folder, NULL); /* only a temporary folder */
    }
    env_uv_free(env);
    return 0;
}
