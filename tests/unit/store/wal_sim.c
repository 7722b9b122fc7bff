/* See the header. */
#include "tests/unit/store/wal_sim.h"

#include "base/assert.h"

#define TICK_REQUESTS_MAX 4
/* What the log told while it was closed has arrived by then: its sender's flush took its time. */
#define NEWS_MS 100

static uint64_t draw(void *ctx, uint64_t n)
{
    return env_sim_random(((struct wal_sim *)ctx)->world, n);
}

static bool is_alive(void *ctx)
{
    return env_sim_host_alive(((struct wal_sim *)ctx)->host);
}

static void on_held(void *ctx, bool held, const struct err *why)
{
    struct wal_sim *s = ctx;
    s->held += held;
    s->freed += !held;
    s->why = *why;
}

static void on_failed(void *ctx, const struct err *why)
{
    struct wal_sim *s = ctx;
    s->failed++;
    s->why = *why;
}

void wal_sim_init(struct wal_sim *s, uint64_t seed, uint64_t file_bytes)
{
    *s = (struct wal_sim){ .world = env_sim_new(seed), .pause_ms = 2, .in_flight_max = 30 };
    s->host = env_sim_host_new(s->world, "host");
    env_sim_disk_speed(s->host, 50, 2000);
    s->config = (struct wal_config){ .env = s->host,
                                     .name = "log",
                                     .folder = "/data/log",
                                     .file_bytes = file_bytes,
                                     .held = on_held,
                                     .failed = on_failed,
                                     .ctx = s };
    model_init(&s->model, draw, s);
    s->model.alive = is_alive;
}

void wal_sim_deinit(struct wal_sim *s)
{
    model_deinit(&s->model);
    env_sim_free(s->world);
}

int wal_sim_open(struct wal_sim *s, struct err *e)
{
    if (!env_sim_host_alive(s->host))
        env_sim_host_restart(s->host);
    s->owner = env_loop_new(s->host, "owner");
    s->config.loop = s->owner;
    env_loop_start(s->owner);
    int rc = model_open(&s->model, &s->config, &s->state, e);
    s->open = rc == 0;
    if (rc != 0)
        env_loop_free(s->owner);
    return rc;
}

static void on_tick(struct env_timer *t)
{
    struct wal_sim *s = container_of(t, struct wal_sim, tick);
    if (!s->open)
        return;
    uint64_t count = draw(s, TICK_REQUESTS_MAX + 1);
    for (uint64_t i = 0;
         i < count && is_alive(s) && !s->model.refused && s->model.in_flight < s->in_flight_max;
         i++)
        model_submit(&s->model);
    if (s->model.refused) {
        s->model.refused = false;
        s->failed++;
        env_sim_host_kill(s->host);
    }
    if (is_alive(s))
        env_timer_start(&s->tick, draw(s, s->pause_ms + 1));
}

static void on_start(struct env_msg *m)
{
    struct wal_sim *s = container_of(m, struct wal_sim, start);
    env_timer_start(&s->tick, 0);
}

void wal_sim_start(struct wal_sim *s)
{
    env_timer_init(s->owner, &s->tick, on_tick);
    env_post(s->owner, &s->start, on_start);
}

void wal_sim_run(struct wal_sim *s, uint64_t ms)
{
    uint64_t until = env_now_ns(s->world) + ms * ENV_MS;
    while (is_alive(s) && env_now_ns(s->world) < until && env_sim_step(s->world))
        ;
}

static void on_close(struct env_msg *m)
{
    struct wal_sim *s = container_of(m, struct wal_sim, msg);
    wal_close(s->model.wal);
    s->open = false;
}

void wal_sim_close(struct wal_sim *s)
{
    if (s->open && is_alive(s)) {
        env_sim_host_crash_after(s->host, UINT64_MAX); /* dead, it would leak the log's news */
        env_post(s->owner, &s->msg, on_close);
        while (s->open)
            ASSERT(env_sim_step(s->world));
        wal_sim_run(s, NEWS_MS);
        env_loop_stop(s->owner);
    }
    if (s->open)
        wal_close(s->model.wal); /* on a dead host: memory only */
    s->open = false;
    env_loop_free(s->owner);
}
