/*
 * posix_fallocate as libraft's raft_uv calls it for a new log segment: here it also writes zeros.
 *
 * Appending to blocks that are reserved but never written changes the file's extents: each such
 * append flushes the file system's own records besides its block, and the kernel refuses RWF_NOWAIT
 * for it, so that raft_uv takes a detour over a pool thread: two to five times the time of an
 * append that overwrites. The zeros are written by the pool job that prepares a segment ahead of
 * use; flushed and out of the page cache, or the append would find them in its way.
 *
 * The dynamic linker binds the library's call to this definition; it is the only such trick here,
 * and it goes when raft_uv goes. What the caller is promised is the same: room that reads as zeros.
 */
#include "store/raft_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define ZEROS_BYTES (64u << 10)

static int write_zeros(int fd, off_t at, off_t end)
{
    static char zeros[ZEROS_BYTES];

    while (at < end) {
        size_t len = end - at < (off_t)sizeof(zeros) ? (size_t)(end - at) : sizeof(zeros);
        ssize_t n = pwrite(fd, zeros, len, at);

        if (n < 0 && errno != EINTR)
            return errno;
        at += n > 0 ? n : 0;
    }
    return 0;
}

int posix_fallocate(int fd, off_t offset, off_t len)
{
    int rv;

    /* All the room first, so that a full disk is found before much is written. A file system that
     * cannot reserve room makes it by the writing. */
    if (fallocate(fd, 0, offset, len) != 0 && errno != EOPNOTSUPP)
        return errno;
    rv = write_zeros(fd, offset, offset + len);
    if (rv == 0 && fdatasync(fd) != 0)
        rv = errno;
    (void)posix_fadvise(fd, offset, len, POSIX_FADV_DONTNEED); /* advice */
    return rv;
}

void raft_segment_prepare(void)
{
    /* Being called is enough: this file is linked. */
}
