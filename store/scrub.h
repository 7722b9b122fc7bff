/*
 * Looking for rot: each key's newest version is read again, by and by, and must have the hash that
 * was written with it (mvcc.h). The running digest (fsm.h) cannot tell: it moves with changes, and
 * what changes by itself on the disk, below LMDB, which has no checksums, stays in it as it was
 * until it is written again. A member that finds such a row stops and stays in quarantine: the
 * others have the right one.
 *
 * A pass goes over all keys in steps between the applier's entries, then rests. A step is short:
 * it may have to wait for the disk, and entries wait for it. History behind the newest versions is
 * not looked at.
 *
 * Thread: the applier's.
 */
#ifndef STORE_SCRUB_H
#define STORE_SCRUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "store/kv.h"
#include "store/store.h"

#define SCRUB_STEP_ROWS 256
#define SCRUB_STEP_NS   (2 * ENV_MS)
#define SCRUB_STEP_MS   100 /* between steps */
#define SCRUB_FIRST_MS  60000
#define SCRUB_REST_MS   (60 * 60 * 1000) /* between passes */

/* Zeros: a pass begins. */
struct scrub {
    char after[STORE_KEY_BYTES_MAX];
    size_t after_bytes;
    uint64_t rows; /* looked at, ever */
    uint64_t passes;
};

/* Looks at the next keys as t sees them. 0 (passes rises with the last key), or -ERR_CORRUPT which
 * names the key. */
int scrub_step(struct scrub *s, struct kv_txn *t, struct env *env, struct err *e);

#endif
