/*
 * Fetching another member's copy of a group's state: the receiver's side of CopyService.
 *
 * Asks a member for a copy at or above an index, reads it in chunks of COPY_CHUNK_BYTES, at most
 * FETCH_WINDOW in flight and at most bytes_per_s, and writes them to the staging folder in order.
 * What is there is always a prefix, and FOLDER_NOTE says of which copy: after a lost connection, or
 * a restart of the process, it goes on where it was if that copy is still kept, else it begins anew
 * with another. When all is there, the file is flushed and its SHA-256 compared, and the folder is
 * flushed: only then is it done, and the Raft snapshot it stands for may be acknowledged.
 *
 * Whatever the other side does wrong (unreachable, refuses, loses its copy) is tried again, with
 * back-off, until it is cancelled; fetch_use changes whom is asked. What goes wrong here ends it:
 * -ERR_NO_SPACE, -ERR_IO, or -ERR_CORRUPT when copies did not have their digest FETCH_ANEW_MAX
 * times in a row.
 *
 * Thread: one loop, the peer loop. Files are the work pool's.
 */
#ifndef STORE_FETCH_H
#define STORE_FETCH_H

#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "store/copy.h"
#include "store/group.h"

struct metric;
struct peer_call;

#define COPY_BYTES_PER_S   (64u << 20) /* a member that catches up leaves room for the others */
#define FETCH_WINDOW       4
#define FETCH_CALL_MS      15000
#define FETCH_ANEW_MAX     3
#define FETCH_RETRY_MS_MIN 100
#define FETCH_RETRY_MS_MAX 5000
#define FETCH_POLL_MS_MAX  1000 /* between asks while a copy is being made */
#define FETCH_LOG_MS       5000
#define FETCH_SYNC_BYTES   (32u << 20) /* flushed at least so often */

/* How a member is called: peers_call for ctx = struct peers, or a test's or the simulation's. */
struct fetch_calls {
    void (*call)(void *ctx, uint64_t member_id, struct peer_call *c, const char *path,
                 struct str request, uint64_t timeout_ms);
    void (*cancel)(void *ctx, struct peer_call *c); /* done follows */
};
extern const struct fetch_calls fetch_peer_calls;

extern struct metric *const fetch_metrics[]; /* NULL-ended; registered by copies_open */

struct fetch;

struct fetch_config {
    struct env *env;
    struct env_loop *loop;
    const struct fetch_calls *calls;
    void *calls_ctx;
    enum store_group_id group;
    uint64_t member_id; /* whom to ask */
    uint64_t min_index;
    const char *folder;   /* staging; made when missing; nobody else touches it meanwhile */
    uint64_t bytes_per_s; /* 0: COPY_BYTES_PER_S */
    /* May be NULL: after every chunk; and what a member said or did wrong. */
    void (*progress)(void *ctx, uint64_t got_bytes, uint64_t total_bytes);
    void (*trouble)(void *ctx, uint64_t member_id, const struct err *why);
    /* Once, last, never inside a call below; f is gone. point: of the copy, when status is 0. */
    void (*done)(void *ctx, int status, const struct point *point, const struct err *e);
    void *ctx;
};

struct fetch *fetch_start(const struct fetch_config *config);
/* Asks another member from now on: it begins anew there, unless nothing was got yet. */
void fetch_use(struct fetch *f, uint64_t member_id);
/* done follows with -ERR_CANCELED. What was got stays for the next. */
void fetch_cancel(struct fetch *f);

#endif
