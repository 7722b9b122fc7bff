/*
 * The seam to the world: the only place that reads the clock, randomness, the network, the disk or
 * a process. Nothing above base calls the system for these.
 *
 * A struct env is a world: the real one (base/env_uv.h: libuv, pthreads) or a simulated one
 * (base/env_sim.h: one OS thread, virtual time, an order drawn from one seed). A thread is a
 * struct env_loop, and env_post is the only way across: everything else about a loop (its timers,
 * streams, work completions) belongs to the loop's own thread.
 *
 * Rules for every asynchronous call here: the caller embeds the request struct and keeps it alive
 * until its completion; exactly one completion per submission; a completion never runs inside the
 * call that submitted it; closing completes what is pending with -ERR_CANCELED.
 */
#ifndef BASE_ENV_H
#define BASE_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/list.h"
#include "base/str.h"

struct arena;
struct buf;
struct env;
struct env_loop;
struct env_stream;
struct env_listener;

#define ENV_MS 1000000ull /* nanoseconds in a millisecond */
#define ENV_S  1000000000ull

/* ---- clock and randomness: any thread ---- */

uint64_t env_now_ns(struct env *env);  /* monotonic: for deadlines and durations */
uint64_t env_wall_ns(struct env *env); /* since 1970: for what is shown or stored */
void env_random(struct env *env, void *out, size_t len); /* cryptographic in the real world */
uint64_t env_random_u64(struct env *env);

/* ---- the process's surroundings: any thread ---- */

int env_hostname(struct env *env, struct arena *a, struct str *out, struct err *e);
/* An environment variable, borrowed for the process's life; NULL when unset (and in a simulation).
 */
const char *env_variable(struct env *env, const char *name);
int env_cpus(struct env *env); /* processors this process may run on, at least 1 */
/* Lets the process open as many files and sockets as it may (the hard limit), and says how many
 * that is. A simulation knows no limit. Before threads run. */
uint64_t env_files_raise(struct env *env);

/* The process ends here and now, saying why: for what is nobody's programming error (a dead disk, a
 * state that must not go on). A simulated host is killed instead, and this returns: nothing that
 * the caller does after has an effect, but it must bear to be run. Any thread. */
void env_die(struct env *env, const char *what, const char *file, int line, const char *function);

/* ---- loops ---- */

/* Owned by the caller. name: short, for the thread's name and traces. */
struct env_loop *env_loop_new(struct env *env, const char *name);
/* Runs the loop on a thread of its own until env_loop_stop. (Simulation: joins the schedule.) */
void env_loop_start(struct env_loop *loop);
/* Runs the loop on the caller's thread until env_loop_stop (real world only); it may be run again.
 */
void env_loop_run(struct env_loop *loop);
void env_loop_stop(struct env_loop *loop); /* any thread */
void env_loop_join(struct env_loop *loop); /* waits for the thread of env_loop_start */
/* The loop is stopped and joined, or never ran. What is still open on it completes here with
 * -ERR_CANCELED or closed(), on the caller's thread; messages not yet run are dropped. Timers
 * should be deinitialized before; those that are not are released and must not be touched again. */
void env_loop_free(struct env_loop *loop);
struct env *env_of(struct env_loop *loop);
bool env_on_loop(const struct env_loop *loop);   /* is this code running on that loop's thread? */
uint64_t env_loop_now_ms(struct env_loop *loop); /* monotonic */

/* A message to a loop, embedded in what it carries. */
struct env_msg {
    struct list node;
    void (*run)(struct env_msg *m);
};

/* Runs m->run on the loop's thread, in FIFO order per loop. Any thread. The message belongs to the
 * loop until run is called; it may be posted again from there. */
void env_post(struct env_loop *loop, struct env_msg *m, void (*run)(struct env_msg *m));

/* ---- timers: the loop's thread only ---- */

struct env_timer {
    void *impl;
    struct env_loop *loop;
    void (*fire)(struct env_timer *t);
};

/* init allocates the handle; deinit stops and releases it (memory may be reused at once). */
void env_timer_init(struct env_loop *loop, struct env_timer *t, void (*fire)(struct env_timer *t));
void env_timer_start(struct env_timer *t, uint64_t delay_ms); /* one shot; restarts when running */
void env_timer_stop(struct env_timer *t);
bool env_timer_active(const struct env_timer *t);
void env_timer_deinit(struct env_timer *t);

/* ---- blocking work on the pool ---- */

struct env_work {
    void *impl;
    struct env_loop *loop;
    void (*work)(struct env_work *w); /* on a pool thread: touches only what it owns */
    void (*done)(struct env_work *w); /* on the loop */
};

void env_work(struct env_loop *loop, struct env_work *w, void (*work)(struct env_work *w),
              void (*done)(struct env_work *w));

/* ---- byte streams (TCP and unix): the loop's thread only ---- */

/*
 * Addresses are text: "tcp:127.0.0.1:6443", "tcp:[::1]:6443" (numeric only), "unix:/run/x.sock",
 * "fd:7" (listen only: an already listening socket handed to the process).
 */
struct env_stream_events {
    /* Bytes arrived; borrowed for the call. Not called while paused. */
    void (*data)(void *ctx, struct str bytes);
    /* The end: 0 for the peer's orderly end, else -ERR_X. Once; no data follows. After status 0 the
     * other direction still works: drained may come, and output that fails then is dropped. */
    void (*end)(void *ctx, int status);
    /* Queued output fell to ENV_STREAM_LOW_BYTES or below after having been above it. May be NULL.
     */
    void (*drained)(void *ctx);
    /* After env_stream_close: the stream is gone, ctx may be freed. Once. */
    void (*closed)(void *ctx);
};

#define ENV_STREAM_LOW_BYTES (64u << 10)
#define ENV_LISTEN_BACKLOG   512
/* An idle TCP stream whose peer has vanished ends after about so long: first probe after
 * _IDLE_S, then one every _EVERY_S, given up after _PROBES unanswered. */
#define ENV_STREAM_KEEPALIVE_IDLE_S  10
#define ENV_STREAM_KEEPALIVE_EVERY_S 5
#define ENV_STREAM_KEEPALIVE_PROBES  3
#define ENV_STREAM_KEEPALIVE_S                                                                     \
    (ENV_STREAM_KEEPALIVE_IDLE_S + ENV_STREAM_KEEPALIVE_EVERY_S * ENV_STREAM_KEEPALIVE_PROBES)
/* What the kernel takes of a TCP stream's output beyond what it can send at once. */
#define ENV_STREAM_UNSENT_BYTES (128u << 10)

/* A listener accepts on its loop; accept gets a stream with no events yet and must call
 * env_stream_start (or close it). reuse_port: one listener per loop on the same address. */
int env_listen(struct env_loop *loop, const char *address, bool reuse_port,
               void (*accept)(void *ctx, struct env_stream *s), void *ctx,
               struct env_listener **out, struct err *e);
void env_listener_close(struct env_listener *l);     /* frees it; no accept call follows */
int env_listener_port(const struct env_listener *l); /* TCP port bound, 0 for unix */

struct env_connect {
    void *impl;
    struct env_loop *loop;
    /* s owned by the callee when status is 0, else NULL. */
    void (*done)(struct env_connect *c, struct env_stream *s, int status);
};

/* timeout_ms 0: ENV_CONNECT_TIMEOUT_MS. A refused address completes with -ERR_UNAVAILABLE. */
#define ENV_CONNECT_TIMEOUT_MS 5000
void env_connect(struct env_loop *loop, struct env_connect *c, const char *address,
                 uint64_t timeout_ms,
                 void (*done)(struct env_connect *c, struct env_stream *s, int status));
void env_connect_cancel(struct env_connect *c);

/*
 * Host names to addresses, on the work pool: "tcp:db.example:2381" gives what env_connect takes,
 * "tcp:192.0.2.7:2381" and "tcp:[2001:db8::7]:2381", in the order the system prefers them. Numeric
 * and unix addresses are answered without a lookup. -ERR_INVALID_ARGUMENT: no such form;
 * -ERR_UNAVAILABLE: the name is not known, or nobody could be asked. In a simulation names are
 * addresses, but for those it was told of (env_sim_set_name).
 */
#define ENV_RESOLVE_MAX   16
#define ENV_ADDRESS_BYTES 128
struct env_resolve {
    void *impl;
    struct env_loop *loop;
    void (*done)(struct env_resolve *r, int status);
    char addresses[ENV_RESOLVE_MAX][ENV_ADDRESS_BYTES];
    size_t count; /* at least 1 when status is 0 */
};
void env_resolve(struct env_loop *loop, struct env_resolve *r, const char *address,
                 void (*done)(struct env_resolve *r, int status));
void env_resolve_cancel(struct env_resolve *r);

void env_stream_start(struct env_stream *s, const struct env_stream_events *events, void *ctx);
/* Copies what the kernel does not take at once. Errors show as an end event. */
void env_stream_write(struct env_stream *s, struct str bytes);
size_t env_stream_queued(const struct env_stream *s); /* bytes not yet taken by the kernel */
void env_stream_pause(struct env_stream *s);          /* stop reading: back-pressure */
void env_stream_resume(struct env_stream *s);
/* Half close after what is queued; nothing may be written after. */
void env_stream_shutdown(struct env_stream *s);
void env_stream_close(struct env_stream *s); /* ends in closed(); queued output is dropped */
/* Nothing that is written arrives any more, as far as is known here. After a peer's orderly end no
 * event tells that it has gone altogether: who waits for something else meanwhile may ask. Of a TCP
 * peer that has closed, and is sent nothing, it is known about ENV_STREAM_KEEPALIVE_S after its
 * kernel forgot the connection (Linux: a minute); of one that broke off, at once. A system call. */
bool env_stream_broken(const struct env_stream *s);
/* Ends the stream (-ERR_TIMEOUT) when what was sent is not taken by the peer for so long. Only for
 * a peer that always reads: one that holds back on purpose is cut off as well. Without it a peer
 * that vanished is noticed only by an idle stream (keepalive, about ENV_STREAM_KEEPALIVE_S). */
void env_stream_peer_limit(struct env_stream *s, uint64_t limit_ms);
/* Textual peer address ("127.0.0.1:5000", "unix"). Borrowed from the stream. */
const char *env_stream_peer(const struct env_stream *s);
struct env_loop *env_stream_loop(const struct env_stream *s);

/* Who is at the other end of a unix stream, as the kernel knows it. -ERR_UNIMPLEMENTED elsewhere.
 */
struct env_peer_cred {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};
int env_stream_peer_cred(const struct env_stream *s, struct env_peer_cred *out);

/* ---- files: synchronous; on a pool thread, or at start before loops run ---- */

int env_file_read(struct env *env, struct arena *a, const char *path, size_t bytes_max,
                  struct str *out, struct err *e);
/* Writes a temporary file, syncs it, renames it over path and syncs the folder. */
int env_file_write(struct env *env, const char *path, struct str bytes, mode_t mode, struct err *e);
int env_dir_make(struct env *env, const char *path, mode_t mode, struct err *e); /* with parents */
/* Names in the folder, sorted, without . and ..; in the arena. */
int env_dir_list(struct env *env, struct arena *a, const char *path, struct str **out_names,
                 size_t *out_count, struct err *e);
int env_remove_tree(struct env *env, const char *path, struct err *e);
bool env_path_exists(struct env *env, const char *path);

struct env_stat {
    uint64_t size;
    uint64_t inode; /* with device: the identity of a file across renames (log rotation) */
    uint64_t device;
    int64_t modified_ns; /* since 1970 */
    mode_t mode;         /* permission bits and type, as stat(2) */
    uid_t uid;
    gid_t gid;
    bool is_dir;
    bool is_file;
    bool is_link; /* only from env_path_lstat */
};
int env_path_stat(struct env *env, const char *path, struct env_stat *out, struct err *e);
int env_path_lstat(struct env *env, const char *path, struct env_stat *out, struct err *e);
int env_path_rename(struct env *env, const char *from, const char *to, struct err *e);
/* A file, a link or an empty folder; a missing path is -ERR_NOT_FOUND. */
int env_path_remove(struct env *env, const char *path, struct err *e);
int env_path_chmod(struct env *env, const char *path, mode_t mode, struct err *e);
/* uid or gid -1: unchanged. Links are changed themselves, not followed. */
int env_path_chown(struct env *env, const char *path, uid_t uid, gid_t gid, struct err *e);
/* Makes path a symbolic link to target; what link was there is replaced atomically. */
int env_link_set(struct env *env, const char *target, const char *path, struct err *e);
int env_link_read(struct env *env, struct arena *a, const char *path, struct str *out,
                  struct err *e);
int env_dir_sync(struct env *env, const char *path, struct err *e); /* names in it are durable */
/* Bytes of the file system that holds path. */
int env_disk_space(struct env *env, const char *path, uint64_t *out_total, uint64_t *out_free,
                   struct err *e);

/* Mounts a memory file system (tmpfs) of at most bytes (0: the kernel's default) on a folder. */
int env_mount_memory(struct env *env, const char *path, uint64_t bytes, struct err *e);
int env_unmount(struct env *env, const char *path, struct err *e);

/*
 * Open files: for what is read while it grows (container logs) or appended to. An env_file is used
 * by one thread at a time; it may be opened on one pool thread and read on another.
 */
struct env_file;

enum env_file_flags {
    ENV_FILE_READ = 1,
    ENV_FILE_WRITE = 2,
    ENV_FILE_CREATE = 4,    /* with mode */
    ENV_FILE_APPEND = 8,    /* every write goes to the end */
    ENV_FILE_TRUNCATE = 16, /* empty it first */
    ENV_FILE_EXCLUSIVE = 32 /* with CREATE: -ERR_ALREADY_EXISTS when there */
};
int env_file_open(struct env *env, const char *path, int flags, mode_t mode, struct env_file **out,
                  struct err *e);
/* Reads up to len bytes at offset; *out_len 0 means the end of what is there now. */
int env_file_pread(struct env_file *f, uint64_t offset, void *data, size_t len, size_t *out_len,
                   struct err *e);
/* Write all of bytes or fail. append: at the end, for a file opened with ENV_FILE_APPEND. */
int env_file_pwrite(struct env_file *f, uint64_t offset, struct str bytes, struct err *e);
/* The parts one after the other, as one write where the system can; any number of them. */
int env_file_pwritev(struct env_file *f, uint64_t offset, const struct str *parts, size_t count,
                     struct err *e);
int env_file_append(struct env_file *f, struct str bytes, struct err *e);
/* Reserves the first size bytes, writes zeros over all of them and syncs: overwriting any part
 * later needs no space and moves no block. -ERR_NO_SPACE leaves a file to be used or removed. */
int env_file_allocate(struct env_file *f, uint64_t size, struct err *e);
int env_file_sync(struct env_file *f, struct err *e); /* data and what is needed to read it */
int env_file_truncate(struct env_file *f, uint64_t size, struct err *e);
int env_file_stat(struct env_file *f, struct env_stat *out, struct err *e);
void env_file_close(struct env_file *f); /* NULL-safe */

/* Opens (creating it) and locks a file for this process alone, until env_file_close or the process
 * ends. Held by another: -ERR_CONFLICT at once. */
int env_file_lock(struct env *env, const char *path, struct env_file **out, struct err *e);

/* ---- processes (real world only): the loop's thread ---- */

struct env_process {
    void *impl;
    pid_t pid;
    /* exit_code 0..255, or signal > 0 with code 0. Once. */
    void (*exited)(struct env_process *p, int exit_code, int signal);
};

struct env_spawn {
    const char *const *argv; /* NULL-ended; argv[0] is a path or found on PATH */
    const char *const *env;  /* NULL: inherit */
    const char *stdin_path;  /* NULL: /dev/null */
    const char *output_path; /* stdout and stderr appended here; NULL: inherit */
    bool detach;             /* setsid: survives the parent */
};

int env_process_start(struct env_loop *loop, struct env_process *p, const struct env_spawn *spawn,
                      void (*exited)(struct env_process *p, int exit_code, int signal),
                      struct err *e);
int env_process_kill(struct env_process *p, int signal);
/* Stops watching: exited will not be called, p may be reused at once; the process runs on. */
void env_process_forget(struct env_process *p);

/* Calls on_signal on the loop for SIGTERM and SIGINT; SIGPIPE is ignored for the whole process. */
void env_on_terminate(struct env_loop *loop, void (*on_signal)(void *ctx, int signal), void *ctx);

#endif
