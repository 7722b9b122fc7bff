/*
 * What a backup of this member is made of: a copy of every group, open to be read.
 *
 * First a read point in each group, so that the copy holds every write that was acknowledged
 * anywhere before the call; then a copy at or above it (copy.h), opened: it may be removed or
 * replaced meanwhile, the open file stays whole. One at a time in a member.
 *
 * Everything but store_save_begin and store_save_end runs on the peer loop.
 */
#ifndef STORE_SAVE_H
#define STORE_SAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "store/backup.h"
#include "store/copy.h"
#include "store/store.h"

struct saver;

struct store_save {
    struct env_loop *loop;              /* where done runs */
    void (*done)(struct store_save *s); /* once, never inside the call */
    bool local; /* no read point: what this member has, also without a leader */
    void *priv;
    /* The outcome. -ERR_TOO_MANY_REQUESTS: another one is under way; -ERR_UNAVAILABLE: no leader
     * answered, or this member stops; else what making the copy says. */
    int status;
    struct err err;
    struct backup_group groups[BACKUP_GROUPS_MAX]; /* status 0: with their open files */
    size_t groups_count;
    /* The saver's. */
    struct env_msg msg;
    struct store_barrier barrier;
    struct env_work work;
    struct copy_info info;
    uint64_t min_index;
    char path[1024];
    int opened;
};

/* Any thread; s lives until done. */
void store_save_begin(struct store *store, struct store_save *s);
/* Closes the files; the next one may begin. After done, also when it failed; s may go at once. */
void store_save_end(struct store *store, struct store_save *s);

struct saver_config {
    struct env_loop *loop;
    struct store_group *const *groups; /* by enum store_group_id, as are copies; borrowed */
    struct copies *const *copies;
};
struct saver *saver_new(const struct saver_config *config);
struct saver *store_saver(struct store *store);
void saver_begin(struct saver *v, struct store_save *s);
void saver_end(struct saver *v, struct store_save *s);
/* On the loop: what is under way ends, nothing begins. */
void saver_stop(struct saver *v);
void saver_free(struct saver *v); /* after its loop has stopped; NULL-safe */

#endif
