/*
 * libraft's I/O of one group: the write-ahead log below (wal.h), the links beside (links.h), the
 * clock and the loop of base/env. It holds no rule: what libraft must be kept from is the guard's
 * business, between the two.
 *
 * What is submitted completes in order, on the raft loop, never inside the submitting call. Terms
 * and votes are durable when their call returns. Entries are written from the library's own memory.
 * A snapshot is the manifest that the node encodes; its bytes are small and kept here, so that one
 * is handed out without touching the disk.
 *
 * Thread: the raft loop; raft_disk_open and raft_disk_free block.
 */
#ifndef STORE_RAFT_DISK_H
#define STORE_RAFT_DISK_H

#include <raft.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "store/links.h"
#include "store/store.h"
#include "store/wal.h"

struct raft_disk;

/* What LMDB may still need for entries that are in the log already: so the log is held before
 * applying them meets a full disk, which would end the member. */
#define RAFT_DISK_RESERVE_BYTES (64u << 20)

struct raft_disk_config {
    struct env *env;
    struct env_loop *loop;
    enum store_group_id group;
    const char *name;    /* of the log's thread */
    const char *folder;  /* of the log */
    uint64_t file_bytes; /* 0: WAL_FILE_BYTES */
    /* The newest entry that the state holds: a log that lost it is refused. */
    uint64_t applied_index;
    struct raft *raft; /* looked at by assertions only */
    void (*held)(void *ctx, bool held, const struct err *why);
    void (*failed)(void *ctx, const struct err *why);
    void *ctx;
};

/* Opens the log; its entries wait for libraft's load. -ERR_CORRUPT says what to do. */
int raft_disk_open(const struct raft_disk_config *config, struct raft_disk **out, struct err *e);
/* Nothing was ever written here: the folder is missing or empty. */
bool raft_disk_is_fresh(struct env *env, const char *folder);
/* Makes a new log whose first entry is this configuration, all of it or nothing. */
int raft_disk_bootstrap(struct env *env, const char *folder, const struct store_member *members,
                        size_t count, struct err *e);
/* What libraft (or the guard) is given. */
struct raft_io *raft_disk_io(struct raft_disk *d);
/* Messages go out by these links, NULL: nobody to talk to. Those that arrived come in by receive.
 */
void raft_disk_set_links(struct raft_disk *d, struct links *links);
void raft_disk_receive(struct raft_disk *d, struct raft_message *m);
/* The newest snapshot stored, index 0: none. */
const struct wal_snapshot *raft_disk_snapshot(const struct raft_disk *d);
void raft_disk_stats(struct raft_disk *d, struct wal_stats *out); /* any thread */
/* After libraft was closed, or instead of it. */
void raft_disk_free(struct raft_disk *d);

#endif
