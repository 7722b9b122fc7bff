/* See trim.h. */
#include "base/trim.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

size_t trim_private_bytes(void)
{
    unsigned long long size = 0;
    unsigned long long resident = 0;
    unsigned long long shared = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    int fields;

    if (f == NULL)
        return 0;
    fields = fscanf(f, "%llu %llu %llu", &size, &resident, &shared);
    (void)fclose(f); /* read only */
    return fields == 3 && resident > shared
               ? (size_t)(resident - shared) * (size_t)sysconf(_SC_PAGESIZE)
               : 0;
}

static void give_back(struct env_work *w)
{
    struct trim *t = container_of(w, struct trim, work);
    uint64_t began = env_now_ns(t->env);

    (void)malloc_trim(0); /* whether it helped is what the process has afterwards */
    t->took_ns = env_now_ns(t->env) - began;
    t->after_bytes = trim_private_bytes();
}

static void on_given_back(struct env_work *w)
{
    struct trim *t = container_of(w, struct trim, work);

    log_info("memory that is free was given back", KVN("before_bytes", (int64_t)t->before_bytes),
             KVN("after_bytes", (int64_t)t->after_bytes), KVN("us", (int64_t)(t->took_ns / 1000)));
    t->least_bytes = t->after_bytes;
    t->last_bytes = t->after_bytes;
    env_timer_start(&t->timer, TRIM_EVERY_MS);
}

bool trim_look(struct trim *t)
{
    size_t now = trim_private_bytes();
    bool grows = now > t->last_bytes;

    t->last_bytes = now;
    if (now < t->least_bytes)
        t->least_bytes = now;
    if (grows || now - t->least_bytes < TRIM_GROWN_BYTES)
        return false;
    t->before_bytes = now;
    env_timer_stop(&t->timer); /* until it is done */
    env_work(t->timer.loop, &t->work, give_back, on_given_back);
    return true;
}

static void on_timer(struct env_timer *timer)
{
    struct trim *t = container_of(timer, struct trim, timer);

    if (!trim_look(t))
        env_timer_start(&t->timer, TRIM_EVERY_MS);
}

void trim_start(struct trim *t, struct env *env, struct env_loop *loop)
{
    *t = (struct trim){ .env = env };
    t->least_bytes = t->last_bytes = trim_private_bytes();
    env_timer_init(loop, &t->timer, on_timer);
    env_timer_start(&t->timer, TRIM_EVERY_MS);
}
