/*
 * A closed loop against Gantry's API or etcd's: the same program, connections and value size.
 *
 *   load --mode gantry|etcd --servers IP:PORT,... --ca F --cert F --key F --op OP
 *        [--namespace NS] [--outstanding N] [--seconds S] [--bytes B] [--keys K] [--pids P,...]
 *
 *   write   a new key each (POST of a ConfigMap, Put)      read    a key of K, linearizable
 *   list    the whole namespace in one answer              local   a key of K, what the member has
 *   fill    the keys k0..k(K-1), then ends (etcd: Txns of 100)
 *   ready   one linearizable read of k0, tried until it works; then ends
 *
 * One thread, one loop; each of the N slots sends its next call when the last is answered. One
 * connection per server. The first tenth of the time is not counted. With --pids the CPU time of
 * those processes per call is printed, in all and by thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench_client.h"
#include "tests/bench/proc.h"
#include "tests/bench/samples.h"

#define SLOTS_MAX  4096
#define FILL_TXN   100
#define RETRY_MS   5
#define ATTEMPT_MS 200

enum op { OP_WRITE, OP_READ, OP_LOCAL, OP_LIST, OP_FILL, OP_READY, OP_COUNT };

static const char *const op_names[] = { "write", "read", "local", "list", "fill", "ready" };

struct slot {
    struct load *load;
    struct bench_call call;
    uint64_t began_ns;
    size_t server;
    struct env_msg msg;
    struct env_timer retry;
};

struct load {
    struct bench bench;
    enum op op;
    const char *namespace;
    const char *pids;
    uint64_t outstanding;
    uint64_t seconds;
    uint64_t bytes;
    uint64_t keys;
    struct http_client *clients[BENCH_SERVERS_MAX];
    struct slot *slots;
    struct str value;
    uint64_t run;
    uint64_t next;
    uint64_t answer_bytes;
    uint64_t begin_ns;
    uint64_t count_from_ns;
    uint64_t end_ns;
    uint64_t errors;
    struct samples samples;
    struct proc_cpu before;
    size_t active;
    bool counting;
    char first_error[200];
};

static void slot_send(struct slot *s)
{
    struct load *l = s->load;
    struct bench *b = &l->bench;
    struct http_client *to = l->clients[s->server];
    char name[64];
    uint64_t n = l->next++;
    s->began_ns = env_now_ns(b->env);
    switch (l->op) {
    case OP_WRITE:
        snprintf(name, sizeof name, "b%llx-%llu", (unsigned long long)l->run,
                 (unsigned long long)n);
        bench_put(b, to, &s->call, l->namespace, name, l->value);
        break;
    case OP_FILL:
        if (b->etcd) {
            l->next = n + FILL_TXN < l->keys ? n + FILL_TXN : l->keys;
            bench_put_many(b, to, &s->call, l->namespace, n, l->next - n, l->value);
            break;
        }
        snprintf(name, sizeof name, "k%llu", (unsigned long long)n);
        bench_put(b, to, &s->call, l->namespace, name, l->value);
        break;
    case OP_LIST:
        bench_list(b, to, &s->call, l->namespace);
        break;
    default:
        /* Keys in an order that is no order. */
        snprintf(name, sizeof name, "k%llu", (unsigned long long)(n * 2654435761u % l->keys));
        bench_get(b, to, &s->call, l->namespace, name, l->op != OP_LOCAL);
        break;
    }
}

static void on_next(struct env_msg *m)
{
    slot_send(container_of(m, struct slot, msg));
}

static void on_retry(struct env_timer *t)
{
    struct slot *s = container_of(t, struct slot, retry);
    s->load->next = 0;
    slot_send(s);
}

static bool over(const struct load *l, uint64_t now)
{
    return l->op == OP_FILL ? l->next >= l->keys : l->op == OP_READY || now >= l->end_ns;
}

static void on_done(struct bench_call *c, bool ok)
{
    struct slot *s = container_of(c, struct slot, call);
    struct load *l = s->load;
    uint64_t now = env_now_ns(l->bench.env);
    if (!ok && l->op == OP_READY) {
        env_timer_start(&s->retry, RETRY_MS);
        return;
    }
    if (!ok) {
        l->errors++;
        if (l->first_error[0] == '\0')
            snprintf(l->first_error, sizeof l->first_error, "%s", c->error);
    } else if (l->op == OP_FILL || l->op == OP_READY ||
               (s->began_ns >= l->count_from_ns && now <= l->end_ns)) {
        samples_add(&l->samples, (now - s->began_ns) / 1000);
        l->answer_bytes = bench_answer_bytes(c);
    }
    if (!l->counting && now >= l->count_from_ns) {
        l->counting = true;
        if (l->pids != NULL)
            proc_cpu_add(&l->before, l->pids);
    }
    if (!over(l, now))
        env_post(l->bench.loop, &s->msg, on_next);
    else if (--l->active == 0)
        env_loop_stop(l->bench.loop);
}

static bool set_op(struct load *l, const char *value)
{
    for (int i = 0; i < OP_COUNT; i++) {
        if (strcmp(value, op_names[i]) == 0) {
            l->op = (enum op)i;
            return true;
        }
    }
    return false;
}

static bool set_flag(struct load *l, const char *flag, const char *value)
{
    struct {
        const char *name;
        uint64_t *value;
    } numbers[] = { { "--outstanding", &l->outstanding },
                    { "--seconds", &l->seconds },
                    { "--bytes", &l->bytes },
                    { "--keys", &l->keys } };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(flag, numbers[i].name) == 0)
            return str_to_u64(str_from(value), numbers[i].value) == 0;
    if (strcmp(flag, "--op") == 0)
        return set_op(l, value);
    if (strcmp(flag, "--namespace") == 0)
        l->namespace = value;
    else if (strcmp(flag, "--pids") == 0)
        l->pids = value;
    else
        return bench_flag(&l->bench, flag, value);
    return true;
}

static bool set_flags(struct load *l, int argc, char **argv)
{
    for (int i = 1; i < argc; i += 2)
        if (i + 1 == argc || !set_flag(l, argv[i], argv[i + 1]))
            return false;
    return l->outstanding > 0 && l->outstanding <= SLOTS_MAX && l->seconds > 0 && l->keys > 0 &&
           l->bytes > 0 && l->bytes <= 65536;
}

static void report(struct load *l)
{
    uint64_t end = l->op == OP_FILL || l->op == OP_READY ? env_now_ns(l->bench.env) : l->end_ns;
    uint64_t from = l->op == OP_FILL || l->op == OP_READY ? l->begin_ns : l->count_from_ns;
    double seconds = (double)(end - from) / (double)ENV_S;
    struct proc_cpu after = { 0 };
    if (l->pids != NULL)
        proc_cpu_add(&after, l->pids);
    samples_sort(&l->samples);
    printf("load op=%s outstanding=%llu bytes=%llu rate=%.0f p50_us=%u p99_us=%u errors=%llu "
           "took_ms=%.0f answer_bytes=%llu",
           op_names[l->op], (unsigned long long)l->outstanding, (unsigned long long)l->bytes,
           (double)l->samples.count / seconds, samples_at(&l->samples, 0.5),
           samples_at(&l->samples, 0.99), (unsigned long long)l->errors, seconds * 1000,
           (unsigned long long)l->answer_bytes);
    if (l->pids != NULL)
        proc_cpu_print(&l->before, &after, (double)l->samples.count);
    printf("\n");
    if (l->errors > 0)
        fprintf(stderr, "load: first error: %s\n", l->first_error);
}

static void start(struct load *l)
{
    l->begin_ns = env_now_ns(l->bench.env);
    l->end_ns = l->begin_ns + l->seconds * ENV_S;
    l->count_from_ns = l->begin_ns + l->seconds * ENV_S / 10;
    l->active = l->outstanding;
    for (size_t i = 0; i < l->outstanding; i++) {
        struct slot *s = &l->slots[i];
        s->load = l;
        s->server = i % l->bench.addresses_count;
        s->call.done = on_done;
        s->call.exists_is_ok = l->op == OP_FILL;
        s->call.timeout_ms = l->op == OP_READY ? ATTEMPT_MS : 0;
        env_timer_init(l->bench.loop, &s->retry, on_retry);
        env_post(l->bench.loop, &s->msg, on_next);
    }
}

int main(int argc, char **argv)
{
    static struct load load = {
        .seconds = 5, .bytes = 512, .outstanding = 1, .keys = 1, .namespace = "default"
    };
    struct load *l = &load;
    if (!set_flags(l, argc, argv)) {
        fprintf(stderr, "load: wrong flags; see the head of tests/bench/load.c\n");
        return 2;
    }
    if (!bench_open(&l->bench, "load"))
        return 1;
    l->run = env_random_u64(l->bench.env);
    char *bytes = mem_alloc(l->bytes);
    memset(bytes, 'v', l->bytes);
    l->value = str_of(bytes, l->bytes);
    l->slots = mem_alloc(l->outstanding * sizeof l->slots[0]);
    for (size_t i = 0; i < l->bench.addresses_count; i++)
        l->clients[i] = bench_connect(&l->bench, i);
    start(l);
    env_loop_run(l->bench.loop);
    report(l);
    return l->errors > 0;
}
