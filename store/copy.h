/*
 * Copies of a group's state for others to fetch: the sender's side.
 *
 * A copy is one compact, consistent file (kv_engine.copy) in the member's copies folder,
 * <group>-<index>.mdb, with the point read from the copy itself, its size and its SHA-256. At most
 * one per group is kept and shared by everyone who asks for something it can serve; it goes when it
 * was not used for COPY_KEEP_MS, or when a newer one was made for someone whom it is too old for. A
 * restart removes it: whoever was fetching it begins anew with another.
 *
 * Made, summed and read on the work pool; it is refused with a clear reason when the disk has not
 * room for twice what is in use. Everything here is called on one loop, the peer loop.
 */
#ifndef STORE_COPY_H
#define STORE_COPY_H

#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "net/digest.h"
#include "store/group.h"

#define COPY_KEEP_MS     (10 * 60 * 1000)
#define COPY_CHUNK_BYTES (1u << 20) /* one read is at most this */
#define COPY_READS_MAX   32         /* in flight at once: about as many MiB */

struct copy_info {
    uint64_t id; /* random: of this very file */
    struct point point;
    uint64_t bytes;
    uint64_t keys; /* in it; of a copy that another member has made: 0 */
    uint8_t sha256[DIGEST_SHA256_BYTES];
};

struct copies;

struct copies_config {
    struct env *env;
    struct env_loop *loop;
    struct store_group *group;
    const char *folder; /* made when missing; shared by the groups */
    uint64_t keep_ms;   /* 0: COPY_KEEP_MS */
};

/* Blocking, before the loop runs: removes what an earlier process left for this group. */
int copies_open(const struct copies_config *config, struct copies **out, struct err *e);
/* On the loop. What is in flight completes; then closed runs and the memory is gone. The files are
 * removed. */
void copies_close(struct copies *c, void (*closed)(void *ctx), void *ctx);

/*
 * A copy at or above min_index; with want_id (not 0) that very one, while it is there and serves.
 * 0 and *out: read it. -ERR_AGAIN: it is being made; ask again a little later. Else why not:
 * -ERR_NO_SPACE, -ERR_UNAVAILABLE (this member is not there itself yet), ...; the next call tries
 * again.
 */
int copies_ask(struct copies *c, uint64_t min_index, uint64_t want_id, struct copy_info *out,
               struct err *e);

/* One range of a copy. */
struct copy_read {
    uint64_t id;
    uint64_t offset;
    uint32_t bytes_max;                /* cut to COPY_CHUNK_BYTES */
    void (*done)(struct copy_read *r); /* on the loop, once, never inside the call */
    void *priv;
    /* The outcome: 0, -ERR_NOT_FOUND (that copy is gone: ask anew), -ERR_INVALID_ARGUMENT (beyond
     * its end), -ERR_TOO_MANY_REQUESTS, or what the disk said. */
    int status;
    struct buf bytes; /* the caller deinitializes it */
    struct err err;
    /* The keeper's. */
    struct env_work work;
    struct env_msg msg;
    struct copies *copies;
    char *path;
};
void copies_read(struct copies *c, struct copy_read *r);

/* Where the file of copy id is, for a reader of this process (a backup): false when it is gone. It
 * stays at least keep_ms from now. */
bool copies_path(struct copies *c, uint64_t id, char *out, size_t len);
/* The file of copy id is not there, or not as it was: the next ask makes another. */
void copies_lost(struct copies *c, uint64_t id);

/* SHA-256 and size of a file. Blocking: a pool thread. */
int copy_sum(struct env *env, const char *path, uint64_t *out_bytes,
             uint8_t out_sha256[DIGEST_SHA256_BYTES], struct err *e);

#endif
