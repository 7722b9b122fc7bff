/*
 * The time from the end of a member to the next acknowledged write, as a client sees it that tries
 * all members: kills PID, then keeps one write under way at each server, each given up after a
 * while and tried again at once.
 *
 *   failover --mode gantry|etcd --servers IP:PORT,... --ca F --cert F --key F --kill PID
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "tests/bench/bench_client.h"

#define ATTEMPT_MS  100
#define RETRY_MS    2
#define WARM_WRITES 20
#define GIVE_UP_S   30
#define VALUE_BYTES 64
#define NAMESPACE   "default"

struct attempt {
    struct failover *failover;
    struct bench_call call;
    struct http_client *client;
    struct env_timer retry; /* call.user: the failover, in those begun after the kill */
};

struct failover {
    struct bench bench;
    struct attempt attempts[BENCH_SERVERS_MAX];
    uint64_t run;
    uint64_t next;
    uint64_t pid;
    uint64_t warmed;
    uint64_t killed_ns; /* 0: not yet */
    uint64_t acknowledged_ns;
    struct env_timer give_up;
};

static void try_write(struct attempt *a)
{
    static const char value[VALUE_BYTES];
    struct failover *f = a->failover;
    char name[64];
    snprintf(name, sizeof name, "f%llx-%llu", (unsigned long long)f->run,
             (unsigned long long)f->next++);
    bench_put(&f->bench, a->client, &a->call, NAMESPACE, name, str_of(value, sizeof value));
}

static void on_retry(struct env_timer *t)
{
    try_write(container_of(t, struct attempt, retry));
}

static void on_done(struct bench_call *c, bool ok)
{
    struct attempt *a = container_of(c, struct attempt, call);
    struct failover *f = a->failover;
    if (ok && f->killed_ns == 0 && ++f->warmed >= WARM_WRITES * f->bench.addresses_count) {
        f->killed_ns = env_now_ns(f->bench.env);
        (void)kill((pid_t)f->pid, SIGKILL);
        c->user = f;
        env_timer_start(&a->retry, RETRY_MS);
        return;
    }
    /* What was sent before the kill may still be answered by who is dead now. */
    if (ok && f->killed_ns != 0 && c->user == f) {
        f->acknowledged_ns = env_now_ns(f->bench.env);
        env_loop_stop(f->bench.loop);
        return;
    }
    if (f->killed_ns != 0)
        c->user = f;
    env_timer_start(&a->retry, RETRY_MS);
}

static void on_give_up(struct env_timer *t)
{
    env_loop_stop(t->loop);
}

int main(int argc, char **argv)
{
    static struct failover failover;
    struct failover *f = &failover;
    for (int i = 1; i + 1 < argc; i += 2) {
        bool known = str_eq_c(str_from(argv[i]), "--kill")
                         ? str_to_u64(str_from(argv[i + 1]), &f->pid) == 0
                         : bench_flag(&f->bench, argv[i], argv[i + 1]);
        if (!known) {
            fprintf(stderr, "failover: wrong flags; see the head of tests/bench/failover.c\n");
            return 2;
        }
    }
    if (f->pid <= 1 || !bench_open(&f->bench, "failover"))
        return 2;
    f->run = env_random_u64(f->bench.env);
    env_timer_init(f->bench.loop, &f->give_up, on_give_up);
    env_timer_start(&f->give_up, GIVE_UP_S * 1000);
    for (size_t i = 0; i < f->bench.addresses_count; i++) {
        struct attempt *a = &f->attempts[i];
        a->failover = f;
        a->client = bench_connect(&f->bench, i);
        a->call.done = on_done;
        a->call.timeout_ms = ATTEMPT_MS;
        env_timer_init(f->bench.loop, &a->retry, on_retry);
        env_timer_start(&a->retry, 1);
    }
    env_loop_run(f->bench.loop);
    if (f->acknowledged_ns == 0) {
        fprintf(stderr, "failover: no write was acknowledged within %d s\n", GIVE_UP_S);
        return 1;
    }
    printf("failover ms=%.1f\n", (double)(f->acknowledged_ns - f->killed_ns) / (double)ENV_MS);
    return 0;
}
