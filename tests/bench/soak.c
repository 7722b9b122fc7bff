/*
 * A day's writes in minutes: three members in one process, small writes over a bounded set of keys
 * at the leader, a short history window so that compaction has all of them to take back. Memory,
 * file sizes and latency are sampled at equal steps; each must be flat: the last third's median at
 * most a quarter above the middle third's.
 *
 *   soak [WRITES [SAMPLES [RETAIN_MS]]]: a table, "soak NAME middle=N last=N ratio=N" of each; 1
 *   when one grew. A long RETAIN_MS shows what a run without compaction does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_uv.h"
#include "store/group_state.h"
#include "store/kv.h"
#include "tests/bench/proc.h"
#include "tests/bench/samples.h"
#include "tests/fault/members.h"

#define OUTSTANDING  256
#define KEYS         100000
#define VALUE_BYTES  100
#define RETAIN_MS    2000
#define MAP_BYTES    (16ull << 30)
#define SAMPLES_MAX  1000
#define GROWTH_MAX   1.25
#define DELETE_EVERY 10 /* one of so many takes a key away */

enum { PSS, USED, FILES, P99, RATE, COLUMNS };

static const char *const column_names[] = { "memory", "data.mdb-used", "files", "p99", "rate" };
static const bool column_counts[] = { true, true, true, true, false };

struct op {
    struct store_write write;
    struct soak *soak;
    uint64_t began_ns;
};

struct soak {
    struct env *env;
    struct env_loop *loop;
    struct env_msg start;
    struct members members;
    struct store *stores[MEMBERS_COUNT];
    struct store_group *leader;
    struct op ops[OUTSTANDING];
    unsigned live;
    uint64_t random;
    uint64_t writes;
    uint64_t sent;
    uint64_t answered;
    uint64_t failed;
    uint64_t began_ns;
    uint64_t sampled_ns;
    uint64_t written_bytes; /* by then */
    size_t samples_wanted;
    uint64_t retain_ms;
    size_t rows;
    struct samples latency_us;
    double columns[COLUMNS][SAMPLES_MAX];
};

/* ---- sampling ---- */

/* Of the member that uses most. */
static uint64_t used_bytes(const struct soak *s)
{
    uint64_t most = 0;
    for (int i = 0; i < MEMBERS_COUNT; i++) {
        uint64_t used = 0;
        uint64_t map = 0;
        kv_lmdb_usage(store_group(s->stores[i], STORE_CLUSTER)->kv, &used, &map);
        most = used > most ? used : most;
    }
    return most;
}

static uint64_t files_bytes(const struct soak *s)
{
    uint64_t most = 0;
    for (int i = 0; i < MEMBERS_COUNT; i++) {
        uint64_t bytes = proc_folder_bytes(s->members.folders[i]);
        most = bytes > most ? bytes : most;
    }
    return most;
}

static void sample(struct soak *s)
{
    uint64_t now = env_now_ns(s->env);
    struct proc_memory memory = proc_memory_of("self");
    /* The latencies kept here are not the store's memory. */
    uint64_t own_kib = s->latency_us.capacity * sizeof s->latency_us.us[0] / 1024;
    uint64_t published = store_published(s->leader);
    uint64_t written = proc_written_bytes();
    samples_sort(&s->latency_us);
    s->columns[PSS][s->rows] = (double)(memory.pss_kib - own_kib) / 1024;
    s->columns[USED][s->rows] = (double)used_bytes(s) / 1048576;
    s->columns[FILES][s->rows] = (double)files_bytes(s) / 1048576;
    s->columns[P99][s->rows] = samples_at(&s->latency_us, 0.99);
    s->columns[RATE][s->rows] = (double)s->latency_us.count * 1e9 / (double)(now - s->sampled_ns);
    printf("%10llu %7.1f %8.0f %8u %8.0f %9.1f %9.1f %9.1f %9.1f %10llu %9.2f\n",
           (unsigned long long)s->answered, (double)(now - s->began_ns) / 1e9,
           s->columns[RATE][s->rows], samples_at(&s->latency_us, 0.5), s->columns[P99][s->rows],
           s->columns[PSS][s->rows], (double)memory.map_kib / 1024, s->columns[USED][s->rows],
           s->columns[FILES][s->rows], (unsigned long long)(published - store_compacted(s->leader)),
           (double)(written - s->written_bytes) / 1024 / (double)s->latency_us.count);
    fflush(stdout);
    samples_clear(&s->latency_us);
    s->rows++;
    s->written_bytes = written;
    s->sampled_ns = env_now_ns(s->env);
}

/* ---- the load ---- */

static uint64_t next_random(struct soak *s)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return s->random >> 8;
}

static void op_next(struct op *o)
{
    static char value[VALUE_BYTES];
    struct soak *s = o->soak;
    char key[48];
    if (s->sent == s->writes) {
        if (--s->live == 0)
            env_loop_stop(s->loop);
        return;
    }
    s->sent++;
    snprintf(key, sizeof key, "soak/default/object-%llu",
             (unsigned long long)(next_random(s) % KEYS));
    bool gone = next_random(s) % DELETE_EVERY == 0;
    struct store_op op = { .type = gone ? STORE_OP_DELETE : STORE_OP_PUT,
                           .key = str_from(key),
                           .value = gone ? str_lit("") : str_of(value, sizeof value) };
    o->began_ns = env_now_ns(s->env);
    o->write.deadline_ms = 0;
    store_submit(s->leader, &o->write, &(struct store_txn){ .ops = &op, .ops_count = 1 });
}

static void on_written(struct store_write *w)
{
    struct op *o = container_of(w, struct op, write);
    struct soak *s = o->soak;
    samples_add(&s->latency_us, (env_now_ns(s->env) - o->began_ns) / 1000);
    s->answered++;
    if (w->result.status != 0 && s->failed++ == 0)
        fprintf(stderr, "soak: a write failed: %s\n", err_name(w->result.status));
    if (s->answered >= s->writes * (s->rows + 1) / s->samples_wanted && s->rows < s->samples_wanted)
        sample(s);
    op_next(o);
}

static void on_start(struct env_msg *m)
{
    struct soak *s = container_of(m, struct soak, start);
    s->live = OUTSTANDING;
    s->began_ns = s->sampled_ns = env_now_ns(s->env);
    for (unsigned i = 0; i < OUTSTANDING; i++) {
        s->ops[i].soak = s;
        s->ops[i].write.loop = s->loop;
        s->ops[i].write.done = on_written;
        op_next(&s->ops[i]);
    }
}

/* ---- the verdict ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, size_t count)
{
    double sorted[SAMPLES_MAX];
    memcpy(sorted, values, count * sizeof sorted[0]);
    qsort(sorted, count, sizeof sorted[0], compare);
    return sorted[count / 2];
}

/* false: something grew. */
static bool judge(const struct soak *s)
{
    bool flat = true;
    size_t third = s->rows / 3;
    for (int c = 0; c < COLUMNS; c++) {
        double middle = median(s->columns[c] + third, third);
        double last = median(s->columns[c] + s->rows - third, third);
        bool grew = column_counts[c] && last > middle * GROWTH_MAX;
        printf("soak %s middle=%.1f last=%.1f ratio=%.2f%s\n", column_names[c], middle, last,
               middle > 0 ? last / middle : 0, grew ? " GREW" : "");
        flat = flat && !grew;
    }
    return flat;
}

/* ---- members ---- */

static bool open_members(struct soak *s)
{
    struct err e = { 0 };
    members_init(&s->members, s->env);
    for (int i = 0; i < MEMBERS_COUNT; i++) {
        struct store_config c = members_config(&s->members, s->env, i);
        c.map_bytes = MAP_BYTES;
        c.retain_ms = s->retain_ms;
        if (store_open(&c, &s->stores[i], &e) != 0) {
            fprintf(stderr, "soak: %s\n", e.msg);
            return false;
        }
    }
    for (int tries = 0; tries < 1000 && s->leader == NULL; tries++) {
        usleep(10000);
        for (int i = 0; i < MEMBERS_COUNT; i++) {
            struct store_status status;
            store_status(store_group(s->stores[i], STORE_CLUSTER), &status);
            if (status.ready && status.leader_id == status.member_id)
                s->leader = store_group(s->stores[i], STORE_CLUSTER);
        }
    }
    return s->leader != NULL;
}

int main(int argc, char **argv)
{
    static struct soak soak = { .random = 88172645463325252u };
    struct soak *s = &soak;
    s->writes = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
    s->samples_wanted = argc > 2 ? strtoull(argv[2], NULL, 10) : 20;
    s->retain_ms = argc > 3 ? strtoull(argv[3], NULL, 10) : RETAIN_MS;
    if (s->writes < OUTSTANDING || s->samples_wanted < 3 || s->samples_wanted > SAMPLES_MAX) {
        fprintf(stderr, "usage: soak [WRITES [SAMPLES [RETAIN_MS]]]\n");
        return 2;
    }
    s->env = env_uv_new();
    if (!open_members(s))
        return 1;
    printf("%10s %7s %8s %8s %8s %9s %9s %9s %9s %10s %9s\n", "writes", "s", "per s", "p50 us",
           "p99 us", "mem MiB", "map MiB", "used MiB", "files MiB", "history", "KiB/write");
    s->loop = env_loop_new(s->env, "soak");
    env_post(s->loop, &s->start, on_start);
    env_loop_run(s->loop);
    bool flat = judge(s);
    for (int i = 0; i < MEMBERS_COUNT; i++)
        store_close(s->stores[i]);
    members_deinit(&s->members, s->env);
    return flat && s->failed == 0 ? 0 : 1;
}
