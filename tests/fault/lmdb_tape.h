/*
 * What LMDB does to its file, noted: every write with its bytes, every change of its length, every
 * flush. The calls by which LMDB does it are this file's (a shared library's calls bind to the
 * program's own functions); they are passed on.
 */
#ifndef TESTS_FAULT_LMDB_TAPE_H
#define TESTS_FAULT_LMDB_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum event_type { EVENT_WRITE, EVENT_LENGTH, EVENT_FLUSH, EVENT_COMMITTED, EVENT_NAMED };

struct event {
    enum event_type type;
    uint64_t at; /* WRITE: offset; LENGTH: it */
    size_t len;
    uint8_t *bytes;
};

struct tape {
    ino_t inode; /* of the file; 0: nothing is noted */
    bool making; /* the file is the one that is written first */
    struct event *events;
    size_t count;
    size_t capacity;
    bool grows_by_itself; /* fallocate is refused, as some file systems do */
    bool flushes_nothing; /* what is opened only to be looked at need not be flushed */
    unsigned open_flags;  /* more of them for LMDB */
};

extern struct tape tape; /* one a process, as the calls are */

/* For what is no call of LMDB's. */
void tape_note(enum event_type type, uint64_t at, const void *bytes, size_t len);
void tape_clear(void);
/* The calls as they are, without a note; anything short of all aborts. */
void tape_put(int fd, const void *bytes, size_t len, uint64_t at);
void tape_set_length(int fd, uint64_t len);

#endif
