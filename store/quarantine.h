/*
 * The mark of a member whose state cannot be trusted: a file in its data folder, written before it
 * stops. While it is there the member does not open its store: it never votes, serves or answers
 * with what it holds. Only its operator takes it away, with the whole folder.
 */
#ifndef STORE_QUARANTINE_H
#define STORE_QUARANTINE_H

#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "store/store.h"

#define QUARANTINE_NAME "QUARANTINE"

struct quarantine {
    enum store_group_id group;
    uint64_t index; /* of the entry after which digests differed; 0: for another reason */
    uint64_t digest;
    uint64_t agreed; /* what a majority of the members had */
    const char *why; /* one line */
};

/* Atomic and durable. A mark that is there stays: the first reason counts. Blocking. */
int quarantine_write(struct env *env, const char *folder, const struct quarantine *q,
                     struct err *e);
/* 0, or -ERR_CORRUPT with what happened and what to do. Blocking: at start. */
int quarantine_check(struct env *env, const char *folder, struct err *e);

#endif
