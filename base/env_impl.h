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
    const struct env_fs_ops *fs;     /* NULL: no files here */
    const struct env_file_ops *file; /* as above */
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

/* Embedded in a world's open file. */
struct env_file {
    const struct env_file_ops *ops;
};

/* Paths, folders and whole files. */
struct env_fs_ops {
    int (*file_read)(struct env *env, struct arena *a, const char *path, size_t bytes_max,
                     struct str *out, struct err *e);
    int (*file_write)(struct env *env, const char *path, struct str bytes, mode_t mode,
                      struct err *e);
    int (*dir_make)(struct env *env, const char *path, mode_t mode, struct err *e);
    int (*dir_list)(struct env *env, struct arena *a, const char *path, struct str **out_names,
                    size_t *out_count, struct err *e);
    int (*dir_sync)(struct env *env, const char *path, struct err *e);
    int (*remove_tree)(struct env *env, const char *path, struct err *e);
    bool (*exists)(struct env *env, const char *path);
    int (*stat)(struct env *env, const char *path, bool follow, struct env_stat *out,
                struct err *e);
    int (*rename)(struct env *env, const char *from, const char *to, struct err *e);
    int (*remove)(struct env *env, const char *path, struct err *e);
    int (*chmod)(struct env *env, const char *path, mode_t mode, struct err *e);
    int (*chown)(struct env *env, const char *path, uid_t uid, gid_t gid, struct err *e);
    int (*link_set)(struct env *env, const char *target, const char *path, struct err *e);
    int (*link_read)(struct env *env, struct arena *a, const char *path, struct str *out,
                     struct err *e);
    int (*disk_space)(struct env *env, const char *path, uint64_t *out_total, uint64_t *out_free,
                      struct err *e);
};

/* Open files. */
struct env_file_ops {
    int (*open)(struct env *env, const char *path, int flags, mode_t mode, struct env_file **out,
                struct err *e);
    int (*lock)(struct env *env, const char *path, struct env_file **out, struct err *e);
    int (*pread)(struct env_file *f, uint64_t offset, void *data, size_t len, size_t *out_len,
                 struct err *e);
    int (*pwritev)(struct env_file *f, uint64_t offset, const struct str *parts, size_t count,
                   struct err *e);
    int (*append)(struct env_file *f, struct str bytes, struct err *e);
    int (*allocate)(struct env_file *f, uint64_t size, struct err *e);
    int (*sync)(struct env_file *f, struct err *e);
    int (*truncate)(struct env_file *f, uint64_t size, struct err *e);
    int (*stat)(struct env_file *f, struct env_stat *out, struct err *e);
    void (*close)(struct env_file *f);
};

extern const struct env_fs_ops env_posix_fs_ops;     /* env_fs.c */
extern const struct env_file_ops env_posix_file_ops; /* env_file.c */

struct env_ops {
    bool real;                    /* processes and the machine are there */
    bool (*die)(struct env *env); /* NULL, or false: this process does */

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

    void (*resolve)(struct env_resolve *r, const char *address);
    void (*resolve_cancel)(struct env_resolve *r);

    void (*stream_start)(struct env_stream *s, const struct env_stream_events *events, void *ctx);
    void (*stream_write)(struct env_stream *s, struct str bytes);
    size_t (*stream_queued)(const struct env_stream *s);
    void (*stream_pause)(struct env_stream *s);
    void (*stream_resume)(struct env_stream *s);
    void (*stream_shutdown)(struct env_stream *s);
    void (*stream_close)(struct env_stream *s);
    bool (*stream_broken)(const struct env_stream *s);
    void (*stream_peer_limit)(struct env_stream *s, uint64_t limit_ms);
    const char *(*stream_peer)(const struct env_stream *s);
    int (*stream_peer_cred)(const struct env_stream *s, struct env_peer_cred *out);
};

/* A stat(2) answer in our words (env_fs.c). */
void env_stat_from(const struct stat *st, struct env_stat *out);

#endif
