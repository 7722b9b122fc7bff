/* See the header. */
#include "tests/fault/lmdb_tape.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"

struct tape tape;

static bool noted(int fd)
{
    struct stat st;
    return tape.inode != 0 && fstat(fd, &st) == 0 && st.st_ino == tape.inode;
}

void tape_note(enum event_type type, uint64_t at, const void *bytes, size_t len)
{
    if (tape.count == tape.capacity) {
        tape.capacity = tape.capacity == 0 ? 1024 : 2 * tape.capacity;
        tape.events = mem_realloc(tape.events, tape.capacity * sizeof *tape.events);
    }
    tape.events[tape.count++] =
        (struct event){ type, at, len, len > 0 ? mem_dup(bytes, len) : NULL };
}

static void note_write(int fd, const void *bytes, ssize_t n, off_t at)
{
    struct stat st;
    if (n > 0 && tape.making && tape.inode == 0 && fstat(fd, &st) == 0)
        tape.inode = st.st_ino;
    if (n <= 0 || !noted(fd))
        return;
    /* Such a descriptor would flush by itself; with the store's flags LMDB writes by none. */
    ASSERT((fcntl(fd, F_GETFL) & (O_DSYNC | O_SYNC)) == 0);
    tape_note(EVENT_WRITE, (uint64_t)at, bytes, (size_t)n);
}

/* ---- LMDB's calls ---- */

#define REAL(name) ((__typeof__(&(name)))real(#name))

static void *real(const char *name)
{
    void *f = dlsym(RTLD_NEXT, name);
    if (f == NULL)
        abort();
    return f;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    ssize_t n = REAL(pwrite)(fd, bytes, len, at);
    note_write(fd, bytes, n, at);
    return n;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t n = REAL(writev)(fd, parts, count);
    ssize_t left = n;
    for (int i = 0; i < count && left > 0; i++) {
        ssize_t part = (ssize_t)parts[i].iov_len < left ? (ssize_t)parts[i].iov_len : left;
        note_write(fd, parts[i].iov_base, part, at);
        at += part;
        left -= part;
    }
    return n;
}

int ftruncate(int fd, off_t len)
{
    if (noted(fd))
        tape_note(EVENT_LENGTH, (uint64_t)len, NULL, 0);
    return REAL(ftruncate)(fd, len);
}

int fallocate(int fd, int mode, off_t at, off_t len)
{
    if (tape.grows_by_itself) {
        errno = EOPNOTSUPP;
        return -1;
    }
    if (noted(fd))
        tape_note(EVENT_LENGTH, (uint64_t)(at + len), NULL, 0);
    return REAL(fallocate)(fd, mode, at, len);
}

int fdatasync(int fd)
{
    int rc = tape.flushes_nothing ? 0 : REAL(fdatasync)(fd);
    if (rc == 0 && noted(fd))
        tape_note(EVENT_FLUSH, 0, NULL, 0);
    return rc;
}

int fsync(int fd)
{
    return fdatasync(fd);
}

int rename(const char *from, const char *to)
{
    if (tape.making)
        tape_note(EVENT_NAMED, 0, NULL, 0);
    return REAL(rename)(from, to);
}

int msync(void *at, size_t len, int flags)
{
    (void)at;
    (void)len;
    (void)flags;
    abort(); /* only with MDB_WRITEMAP, and then nothing here would be noted */
}

int mdb_env_open(MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode)
{
    return REAL(mdb_env_open)(env, path, flags | tape.open_flags, mode);
}

/* ---- without a note ---- */

void tape_put(int fd, const void *bytes, size_t len, uint64_t at)
{
    if (REAL(pwrite)(fd, bytes, len, (off_t)at) != (ssize_t)len)
        abort();
}

void tape_set_length(int fd, uint64_t len)
{
    if (REAL(ftruncate)(fd, (off_t)len) != 0)
        abort();
}

void tape_clear(void)
{
    for (size_t i = 0; i < tape.count; i++)
        mem_free(tape.events[i].bytes);
    mem_free(tape.events);
    memset(&tape, 0, sizeof tape);
}
