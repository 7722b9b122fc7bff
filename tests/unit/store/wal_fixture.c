/* See the header. */
#include "tests/unit/store/wal_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_uv.h"

static uint64_t next_random(void *ctx, uint64_t n)
{
    uint64_t *state = ctx;
    uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (z ^ (z >> 31)) % n;
}

static void on_held(void *ctx, bool held, const struct err *why)
{
    struct wal_fixture *f = ctx;
    f->held += held;
    f->why = *why;
}

static void on_failed(void *ctx, const struct err *why)
{
    struct wal_fixture *f = ctx;
    f->failed++;
    f->why = *why;
}

/* ---- whose turn it is: the loop's thread stands still inside a message while the test runs ----
 */

static void stand_still(struct env_msg *m)
{
    struct wal_fixture *f = container_of(m, struct wal_fixture, msg);
    atomic_store(&f->tests_turn, true);
    while (atomic_load(&f->tests_turn))
        nanosleep(&(struct timespec){ .tv_nsec = 10000 }, NULL);
    f->on_loop(f);
}

static void wait_turn(struct wal_fixture *f)
{
    while (!atomic_load(&f->tests_turn))
        nanosleep(&(struct timespec){ .tv_nsec = 10000 }, NULL);
}

static void stop_loop(struct wal_fixture *f)
{
    env_loop_stop(f->loop);
}

/* Lets the loop run until it stands still again. */
static void let_run(struct wal_fixture *f, void (*on_loop)(struct wal_fixture *f))
{
    f->on_loop = on_loop;
    atomic_store(&f->tests_turn, false);
    if (on_loop != stop_loop)
        wait_turn(f);
}

void wal_fixture_init(struct wal_fixture *f, uint64_t file_bytes, uint64_t seed)
{
    *f = (struct wal_fixture){ .env = env_uv_new(), .random = seed };
    const char *base = getenv("TEST_TMPDIR");
    (void)snprintf(f->parent, sizeof f->parent, "%s/wal-XXXXXX", base != NULL ? base : "/tmp");
    ASSERT(mkdtemp(f->parent) != NULL);
    (void)snprintf(f->folder, sizeof f->folder, "%s/log", f->parent);
    f->loop = env_loop_new(f->env, "owner");
    f->config = (struct wal_config){ .env = f->env,
                                     .loop = f->loop,
                                     .name = "log",
                                     .folder = f->folder,
                                     .file_bytes = file_bytes,
                                     .held = on_held,
                                     .failed = on_failed,
                                     .ctx = f };
    model_init(&f->model, next_random, &f->random);
    env_post(f->loop, &f->msg, stand_still);
    env_loop_start(f->loop);
    wait_turn(f);
}

int wal_fixture_refuse(struct wal_fixture *f, struct err *e)
{
    struct wal_state state;
    struct wal *w = NULL;
    int rc = wal_open(&f->config, &w, &state, NULL, NULL, e);
    ASSERT(rc != 0);
    return rc;
}

void wal_fixture_open(struct wal_fixture *f)
{
    struct err e = { 0 };
    int rc = model_open(&f->model, &f->config, &f->state, &e);
    if (rc != 0)
        fprintf(stderr, "wal_open: %s\n", e.msg);
    ASSERT(rc == 0);
    model_check(&f->model, &f->state);
}

static void close_log(struct wal_fixture *f)
{
    wal_close(f->model.wal);
    f->model.wal = NULL;
    env_post(f->loop, &f->msg, stand_still); /* behind the news still under way */
}

void wal_fixture_close(struct wal_fixture *f)
{
    let_run(f, close_log);
}

static void look(struct wal_fixture *f);

static void on_look(struct env_msg *m)
{
    look(container_of(m, struct wal_fixture, msg));
}

static void look(struct wal_fixture *f)
{
    bool over = f->model.in_flight == 0 || f->failed > 0;
    env_post(f->loop, &f->msg, over ? stand_still : on_look);
}

void wal_fixture_wait(struct wal_fixture *f)
{
    let_run(f, look);
}

void wal_fixture_deinit(struct wal_fixture *f)
{
    let_run(f, stop_loop);
    env_loop_join(f->loop);
    env_loop_free(f->loop);
    model_deinit(&f->model);
    ASSERT(env_remove_tree(f->env, f->parent, NULL) == 0);
    env_uv_free(f->env);
}

struct str wal_fixture_read(struct wal_fixture *f, struct arena *a, const char *name)
{
    char path[400];
    struct str bytes;
    (void)snprintf(path, sizeof path, "%s/%s", f->folder, name);
    ASSERT(env_file_read(f->env, a, path, 1u << 26, &bytes, NULL) == 0);
    return bytes;
}

void wal_fixture_write(struct wal_fixture *f, const char *name, struct str bytes)
{
    char path[400];
    (void)snprintf(path, sizeof path, "%s/%s", f->folder, name);
    ASSERT(env_file_write(f->env, path, bytes, 0600, NULL) == 0);
}
