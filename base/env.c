/* The public calls of the seam: each goes to its world's table. */
#include "base/env.h"

#include "base/assert.h"
#include "base/env_impl.h"

uint64_t env_now_ns(struct env *env)
{
    return env->ops->now_ns(env);
}

uint64_t env_wall_ns(struct env *env)
{
    return env->ops->wall_ns(env);
}

void env_random(struct env *env, void *out, size_t len)
{
    env->ops->random(env, out, len);
}

uint64_t env_random_u64(struct env *env)
{
    uint64_t v;
    env->ops->random(env, &v, sizeof(v));
    return v;
}

void env_die(struct env *env, const char *what, const char *file, int line, const char *function)
{
    if (env->ops->die == NULL || !env->ops->die(env))
        assert_fail(what, file, line, function);
}

struct env_loop *env_loop_new(struct env *env, const char *name)
{
    return env->ops->loop_new(env, name);
}

void env_loop_start(struct env_loop *loop)
{
    loop->env->ops->loop_start(loop);
}

void env_loop_run(struct env_loop *loop)
{
    loop->env->ops->loop_run(loop);
}

void env_loop_stop(struct env_loop *loop)
{
    loop->env->ops->loop_stop(loop);
}

void env_loop_join(struct env_loop *loop)
{
    loop->env->ops->loop_join(loop);
}

void env_loop_free(struct env_loop *loop)
{
    if (loop != NULL)
        loop->env->ops->loop_free(loop);
}

struct env *env_of(struct env_loop *loop)
{
    return loop->env;
}

bool env_on_loop(const struct env_loop *loop)
{
    return loop->env->ops->on_loop(loop);
}

uint64_t env_loop_now_ms(struct env_loop *loop)
{
    return env_now_ns(loop->env) / ENV_MS;
}

void env_post(struct env_loop *loop, struct env_msg *m, void (*run)(struct env_msg *m))
{
    ASSERT(run != NULL);
    m->run = run;
    loop->env->ops->post(loop, m);
}

void env_timer_init(struct env_loop *loop, struct env_timer *t, void (*fire)(struct env_timer *t))
{
    *t = (struct env_timer){ .loop = loop, .fire = fire };
    loop->env->ops->timer_init(t);
}

void env_timer_start(struct env_timer *t, uint64_t delay_ms)
{
    ASSERT(t->impl != NULL);
    t->loop->env->ops->timer_start(t, delay_ms);
}

void env_timer_stop(struct env_timer *t)
{
    if (t->impl != NULL)
        t->loop->env->ops->timer_stop(t);
}

bool env_timer_active(const struct env_timer *t)
{
    return t->impl != NULL && t->loop->env->ops->timer_active(t);
}

void env_timer_deinit(struct env_timer *t)
{
    if (t->impl == NULL)
        return;
    t->loop->env->ops->timer_deinit(t);
    t->impl = NULL;
}

void env_work(struct env_loop *loop, struct env_work *w, void (*work)(struct env_work *w),
              void (*done)(struct env_work *w))
{
    *w = (struct env_work){ .loop = loop, .work = work, .done = done };
    loop->env->ops->work(w);
}

int env_listen(struct env_loop *loop, const char *address, bool reuse_port,
               void (*accept)(void *ctx, struct env_stream *s), void *ctx,
               struct env_listener **out, struct err *e)
{
    return loop->env->ops->listen(loop, address, reuse_port, accept, ctx, out, e);
}

void env_listener_close(struct env_listener *l)
{
    if (l != NULL)
        l->loop->env->ops->listener_close(l);
}

int env_listener_port(const struct env_listener *l)
{
    return l->loop->env->ops->listener_port(l);
}

void env_connect(struct env_loop *loop, struct env_connect *c, const char *address,
                 uint64_t timeout_ms,
                 void (*done)(struct env_connect *c, struct env_stream *s, int status))
{
    *c = (struct env_connect){ .loop = loop, .done = done };
    loop->env->ops->connect(c, address, timeout_ms != 0 ? timeout_ms : ENV_CONNECT_TIMEOUT_MS);
}

void env_connect_cancel(struct env_connect *c)
{
    if (c->impl != NULL)
        c->loop->env->ops->connect_cancel(c);
}

void env_resolve(struct env_loop *loop, struct env_resolve *r, const char *address,
                 void (*done)(struct env_resolve *r, int status))
{
    r->impl = NULL;
    r->loop = loop;
    r->done = done;
    r->count = 0;
    loop->env->ops->resolve(r, address);
}

void env_resolve_cancel(struct env_resolve *r)
{
    if (r->impl != NULL)
        r->loop->env->ops->resolve_cancel(r);
}

void env_stream_start(struct env_stream *s, const struct env_stream_events *events, void *ctx)
{
    s->loop->env->ops->stream_start(s, events, ctx);
}

void env_stream_write(struct env_stream *s, struct str bytes)
{
    s->loop->env->ops->stream_write(s, bytes);
}

size_t env_stream_queued(const struct env_stream *s)
{
    return s->loop->env->ops->stream_queued(s);
}

void env_stream_pause(struct env_stream *s)
{
    s->loop->env->ops->stream_pause(s);
}

void env_stream_resume(struct env_stream *s)
{
    s->loop->env->ops->stream_resume(s);
}

void env_stream_shutdown(struct env_stream *s)
{
    s->loop->env->ops->stream_shutdown(s);
}

void env_stream_close(struct env_stream *s)
{
    s->loop->env->ops->stream_close(s);
}

bool env_stream_broken(const struct env_stream *s)
{
    return s->loop->env->ops->stream_broken(s);
}

void env_stream_peer_limit(struct env_stream *s, uint64_t limit_ms)
{
    s->loop->env->ops->stream_peer_limit(s, limit_ms);
}

const char *env_stream_peer(const struct env_stream *s)
{
    return s->loop->env->ops->stream_peer(s);
}

struct env_loop *env_stream_loop(const struct env_stream *s)
{
    return s->loop;
}

int env_stream_peer_cred(const struct env_stream *s, struct env_peer_cred *out)
{
    return s->loop->env->ops->stream_peer_cred(s, out);
}

/* ---- files ---- */

static int no_files(struct err *e)
{
    return err_set(e, ERR_UNIMPLEMENTED, "files are not simulated");
}

bool env_path_exists(struct env *env, const char *path)
{
    return env->fs != NULL && env->fs->exists(env, path);
}

int env_file_read(struct env *env, struct arena *a, const char *path, size_t bytes_max,
                  struct str *out, struct err *e)
{
    return env->fs != NULL ? env->fs->file_read(env, a, path, bytes_max, out, e) : no_files(e);
}

int env_file_write(struct env *env, const char *path, struct str bytes, mode_t mode, struct err *e)
{
    return env->fs != NULL ? env->fs->file_write(env, path, bytes, mode, e) : no_files(e);
}

int env_dir_make(struct env *env, const char *path, mode_t mode, struct err *e)
{
    return env->fs != NULL ? env->fs->dir_make(env, path, mode, e) : no_files(e);
}

int env_dir_list(struct env *env, struct arena *a, const char *path, struct str **out_names,
                 size_t *out_count, struct err *e)
{
    return env->fs != NULL ? env->fs->dir_list(env, a, path, out_names, out_count, e) : no_files(e);
}

int env_dir_sync(struct env *env, const char *path, struct err *e)
{
    return env->fs != NULL ? env->fs->dir_sync(env, path, e) : no_files(e);
}

int env_remove_tree(struct env *env, const char *path, struct err *e)
{
    return env->fs != NULL ? env->fs->remove_tree(env, path, e) : no_files(e);
}

int env_path_stat(struct env *env, const char *path, struct env_stat *out, struct err *e)
{
    return env->fs != NULL ? env->fs->stat(env, path, true, out, e) : no_files(e);
}

int env_path_lstat(struct env *env, const char *path, struct env_stat *out, struct err *e)
{
    return env->fs != NULL ? env->fs->stat(env, path, false, out, e) : no_files(e);
}

int env_path_rename(struct env *env, const char *from, const char *to, struct err *e)
{
    return env->fs != NULL ? env->fs->rename(env, from, to, e) : no_files(e);
}

int env_path_remove(struct env *env, const char *path, struct err *e)
{
    return env->fs != NULL ? env->fs->remove(env, path, e) : no_files(e);
}

int env_path_chmod(struct env *env, const char *path, mode_t mode, struct err *e)
{
    return env->fs != NULL ? env->fs->chmod(env, path, mode, e) : no_files(e);
}

int env_path_chown(struct env *env, const char *path, uid_t uid, gid_t gid, struct err *e)
{
    return env->fs != NULL ? env->fs->chown(env, path, uid, gid, e) : no_files(e);
}

int env_link_set(struct env *env, const char *target, const char *path, struct err *e)
{
    return env->fs != NULL ? env->fs->link_set(env, target, path, e) : no_files(e);
}

int env_link_read(struct env *env, struct arena *a, const char *path, struct str *out,
                  struct err *e)
{
    return env->fs != NULL ? env->fs->link_read(env, a, path, out, e) : no_files(e);
}

int env_disk_space(struct env *env, const char *path, uint64_t *out_total, uint64_t *out_free,
                   struct err *e)
{
    return env->fs != NULL ? env->fs->disk_space(env, path, out_total, out_free, e) : no_files(e);
}

int env_file_open(struct env *env, const char *path, int flags, mode_t mode, struct env_file **out,
                  struct err *e)
{
    ASSERT((flags & (ENV_FILE_READ | ENV_FILE_WRITE)) != 0);
    return env->file != NULL ? env->file->open(env, path, flags, mode, out, e) : no_files(e);
}

int env_file_lock(struct env *env, const char *path, struct env_file **out, struct err *e)
{
    return env->file != NULL ? env->file->lock(env, path, out, e) : no_files(e);
}

int env_file_pread(struct env_file *f, uint64_t offset, void *data, size_t len, size_t *out_len,
                   struct err *e)
{
    return f->ops->pread(f, offset, data, len, out_len, e);
}

int env_file_pwrite(struct env_file *f, uint64_t offset, struct str bytes, struct err *e)
{
    return f->ops->pwritev(f, offset, &bytes, 1, e);
}

int env_file_pwritev(struct env_file *f, uint64_t offset, const struct str *parts, size_t count,
                     struct err *e)
{
    return f->ops->pwritev(f, offset, parts, count, e);
}

int env_file_append(struct env_file *f, struct str bytes, struct err *e)
{
    return f->ops->append(f, bytes, e);
}

int env_file_allocate(struct env_file *f, uint64_t size, struct err *e)
{
    return f->ops->allocate(f, size, e);
}

int env_file_sync(struct env_file *f, struct err *e)
{
    return f->ops->sync(f, e);
}

int env_file_truncate(struct env_file *f, uint64_t size, struct err *e)
{
    return f->ops->truncate(f, size, e);
}

int env_file_stat(struct env_file *f, struct env_stat *out, struct err *e)
{
    return f->ops->stat(f, out, e);
}

void env_file_close(struct env_file *f)
{
    if (f != NULL)
        f->ops->close(f);
}
