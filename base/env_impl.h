/*
 * What a world implements: private to base.
 *
 * The public calls in env.h go through the world's table. Each world embeds the base structs below
 * as the first member of its own.
 */
#ifndef BASE_ENV_IMPL_H
#define BASE_ENV_IMPL_H

#include "base/env.h"

struct stat;

struct env {
    const struct env_ops *ops;
};

struct env_loop {
    struct env *env;
};

struct env_stream {
    struct env_loop *loop;
};

struct env_listener {
    struct env_loop *loop;
};

struct env_ops {
    bool real; /* files, processes and the machine are there */

    uint64_t (*now_ns)(struct env *env);
    uint64_t (*wall_ns)(struct env *env);
    void (*random)(struct env *env, void *out, size_t len);

    struct env_loop *(*loop_new)(struct env *env, const char *name);
    void (*loop_start)(struct env_loop *loop);
    void (*loop_run)(struct env_loop *loop);
    void (*loop_stop)(struct env_loop *loop);
    void (*loop_join)(struct env_loop *loop);
    void (*loop_free)(struct env_loop *loop);
    bool (*on_loop)(const struct env_loop *loop);
    void (*post)(struct env_loop *loop, struct env_msg *m);

    void (*timer_init)(struct env_timer *t);
    void (*timer_start)(struct env_timer *t, uint64_t delay_ms);
    void (*timer_stop)(struct env_timer *t);
    bool (*timer_active)(const struct env_timer *t);
    void (*timer_deinit)(struct env_timer *t);

    void (*work)(struct env_work *w);

    int (*listen)(struct env_loop *loop, const char *address, bool reuse_port,
                  void (*accept)(void *ctx, struct env_stream *s), void *ctx,
                  struct env_listener **out, struct err *e);
    void (*listener_close)(struct env_listener *l);
    int (*listener_port)(const struct env_listener *l);

    void (*connect)(struct env_connect *c, const char *address, uint64_t timeout_ms);
    void (*connect_cancel)(struct env_connect *c);

    void (*stream_start)(struct env_stream *s, const struct env_stream_events *events, void *ctx);
    void (*stream_write)(struct env_stream *s, struct str bytes);
    size_t (*stream_queued)(const struct env_stream *s);
    void (*stream_pause)(struct env_stream *s);
    void (*stream_resume)(struct env_stream *s);
    void (*stream_shutdown)(struct env_stream *s);
    void (*stream_close)(struct env_stream *s);
    const char *(*stream_peer)(const struct env_stream *s);
    int (*stream_peer_cred)(const struct env_stream *s, struct env_peer_cred *out);
};

/* A stat(2) answer in our words (env_fs.c). */
void env_stat_from(const struct stat *st, struct env_stat *out);

#endif
