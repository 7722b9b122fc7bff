/*
 * See the header. One save goes, for each group: point -> ask (again while the copy is being made)
 * -> open -> the next group; the slot is taken from begin until end, or until it failed.
 */
#include "store/save.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/group.h"

#define ASK_AGAIN_MS 50

struct saver {
    struct saver_config config;
    struct store_save *at; /* being made */
    bool taken;            /* somebody has the slot */
    bool stopped;
    struct env_timer again;
};

/* What gives the slot back: the save itself may be gone by then. */
struct release {
    struct env_msg msg;
    struct saver *saver;
};

/* ---- the end ---- */

static void on_finished(struct env_msg *m)
{
    struct store_save *s = container_of(m, struct store_save, msg);
    s->done(s);
}

static void close_files(struct store_save *s)
{
    for (size_t i = 0; i < s->groups_count; i++)
        env_file_close(s->groups[i].file);
    s->groups_count = 0;
}

static void finish(struct saver *v, struct store_save *s, int status)
{
    s->status = status;
    if (v->at == s) {
        v->at = NULL;
        v->taken = status == 0;
    }
    if (status != 0)
        close_files(s);
    env_post(s->loop, &s->msg, on_finished);
}

/* ---- the steps ---- */

static enum store_group_id group_of(const struct store_save *s)
{
    return (enum store_group_id)(STORE_CLUSTER + s->groups_count);
}

static void ask(struct saver *v, struct store_save *s);
static void next_group(struct saver *v, struct store_save *s);

static void open_work(struct env_work *w)
{
    struct store_save *s = container_of(w, struct store_save, work);
    struct backup_group *g = &s->groups[s->groups_count];
    struct env *env = env_of(w->loop);
    struct env_stat stat;
    s->opened = env_file_open(env, s->path, ENV_FILE_READ, 0, &g->file, &s->err);
    if (s->opened != 0)
        return;
    s->opened = env_file_stat(g->file, &stat, &s->err);
    /* Another copy of the same index may have taken its place. */
    if (s->opened == 0 && stat.size != s->info.bytes)
        s->opened = -ERR_NOT_FOUND;
    if (s->opened != 0)
        env_file_close(g->file);
}

static struct saver *saver_of(const struct store_save *s)
{
    return s->barrier.priv;
}

static void on_opened(struct env_work *w)
{
    struct store_save *s = container_of(w, struct store_save, work);
    struct saver *v = saver_of(s);
    struct backup_group *g = &s->groups[s->groups_count];
    if (s->opened == -ERR_NOT_FOUND && !v->stopped) {
        copies_lost(v->config.copies[group_of(s)], s->info.id);
        ask(v, s);
        return;
    }
    if (s->opened != 0) {
        finish(v, s, s->opened);
        return;
    }
    g->id = group_of(s);
    g->point = s->info.point;
    g->bytes = s->info.bytes;
    g->keys = s->info.keys;
    s->groups_count++;
    next_group(v, s);
}

static void ask(struct saver *v, struct store_save *s)
{
    struct copies *copies = v->config.copies[group_of(s)];
    int rc = copies_ask(copies, s->min_index, 0, &s->info, &s->err);
    if (rc == -ERR_AGAIN) {
        env_timer_start(&v->again, ASK_AGAIN_MS);
        return;
    }
    if (rc == 0 && !copies_path(copies, s->info.id, s->path, sizeof s->path))
        rc = err_set(&s->err, ERR_INVALID_ARGUMENT, "the path of the copy is too long");
    if (rc != 0)
        finish(v, s, rc);
    else
        env_work(v->config.loop, &s->work, open_work, on_opened);
}

static void on_again(struct env_timer *t)
{
    struct saver *v = container_of(t, struct saver, again);
    ask(v, v->at);
}

static void on_point(struct saver *v, struct store_save *s)
{
    struct point now;
    group_point(v->config.groups[group_of(s)], &now);
    s->min_index = now.index;
    ask(v, s);
}

static void on_barrier(struct store_barrier *b)
{
    struct store_save *s = container_of(b, struct store_save, barrier);
    struct saver *v = saver_of(s);
    if (v->stopped)
        finish(v, s, err_set(&s->err, ERR_UNAVAILABLE, "this member is stopping"));
    else if (b->status != 0)
        finish(v, s,
               err_set(&s->err, ERR_UNAVAILABLE,
                       "no leader answered (%s): this member alone cannot "
                       "tell whether it has every write",
                       err_name(b->status)));
    else
        on_point(v, s);
}

static void next_group(struct saver *v, struct store_save *s)
{
    if (v->stopped) {
        finish(v, s, err_set(&s->err, ERR_UNAVAILABLE, "this member is stopping"));
        return;
    }
    if (group_of(s) > STORE_BUS) {
        finish(v, s, 0);
        return;
    }
    if (s->local) {
        on_point(v, s);
        return;
    }
    s->barrier = (struct store_barrier){ .loop = v->config.loop, .done = on_barrier, .priv = v };
    store_barrier(v->config.groups[group_of(s)], &s->barrier);
}

static void on_begin(struct env_msg *m)
{
    struct store_save *s = container_of(m, struct store_save, msg);
    struct saver *v = saver_of(s);
    if (v->taken) {
        finish(
            v, s,
            err_set(&s->err, ERR_TOO_MANY_REQUESTS, "another backup of this member is under way"));
        return;
    }
    v->taken = true;
    v->at = s;
    next_group(v, s);
}

/* ---- the outside ---- */

void saver_begin(struct saver *v, struct store_save *s)
{
    s->status = 0;
    s->err = (struct err){ 0 };
    s->groups_count = 0;
    memset(s->groups, 0, sizeof s->groups);
    s->barrier.priv = v;
    env_post(v->config.loop, &s->msg, on_begin);
}

static void on_release(struct env_msg *m)
{
    struct release *r = container_of(m, struct release, msg);
    r->saver->taken = false;
    mem_free(r);
}

void saver_end(struct saver *v, struct store_save *s)
{
    if (s->status != 0)
        return; /* it holds nothing */
    close_files(s);
    struct release *r = mem_alloc(sizeof *r);
    r->saver = v;
    env_post(v->config.loop, &r->msg, on_release);
}

void store_save_begin(struct store *store, struct store_save *s)
{
    saver_begin(store_saver(store), s);
}

void store_save_end(struct store *store, struct store_save *s)
{
    saver_end(store_saver(store), s);
}

struct saver *saver_new(const struct saver_config *config)
{
    struct saver *v = mem_alloc(sizeof *v);
    v->config = *config;
    env_timer_init(config->loop, &v->again, on_again);
    return v;
}

void saver_stop(struct saver *v)
{
    if (v == NULL)
        return;
    v->stopped = true;
    if (env_timer_active(&v->again))
        finish(v, v->at, err_set(&v->at->err, ERR_UNAVAILABLE, "this member is stopping"));
    env_timer_deinit(&v->again);
}

void saver_free(struct saver *v)
{
    mem_free(v);
}
