/* Open files of the real world: positioned reads of what grows, writes, space, locks. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env_impl.h"

#define LOCK_FILE_MODE 0600
/* Zeros are written in steps of so many bytes. */
#define ZERO_STEP_BYTES (256u << 10)

struct posix_file {
    struct env_file base;
    int fd;
    char path[]; /* for messages */
};

static struct posix_file *posix_of(struct env_file *f)
{
    return container_of(f, struct posix_file, base);
}

static int file_error(struct err *e, const char *verb, const char *path)
{
    int code = errno;
    return err_set(e, err_from_errno(code), "%s %s: %s", verb, path, strerror(code));
}

static int open_flags(int flags)
{
    int mode = (flags & ENV_FILE_WRITE) == 0  ? O_RDONLY
               : (flags & ENV_FILE_READ) != 0 ? O_RDWR
                                              : O_WRONLY;
    return mode | O_CLOEXEC | ((flags & ENV_FILE_CREATE) != 0 ? O_CREAT : 0) |
           ((flags & ENV_FILE_APPEND) != 0 ? O_APPEND : 0) |
           ((flags & ENV_FILE_TRUNCATE) != 0 ? O_TRUNC : 0) |
           ((flags & ENV_FILE_EXCLUSIVE) != 0 ? O_EXCL : 0);
}

static int posix_open(struct env *env, const char *path, int flags, mode_t mode,
                      struct env_file **out, struct err *e)
{
    (void)env; /* the machine has one file system */
    int fd = open(path, open_flags(flags), mode);
    if (fd < 0)
        return file_error(e, "open", path);
    size_t len = strlen(path);
    struct posix_file *f = mem_alloc(sizeof(*f) + len + 1);
    f->base.ops = &env_posix_file_ops;
    f->fd = fd;
    memcpy(f->path, path, len + 1);
    *out = &f->base;
    return 0;
}

static int posix_pread(struct env_file *file, uint64_t offset, void *data, size_t len,
                       size_t *out_len, struct err *e)
{
    struct posix_file *f = posix_of(file);
    size_t at = 0;
    while (at < len) {
        ssize_t n = pread(f->fd, (char *)data + at, len - at, (off_t)(offset + at));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_error(e, "read", f->path);
        if (n == 0)
            break;
        at += (size_t)n;
    }
    *out_len = at;
    return 0;
}

/* Describes what is left, from byte *skip of part *at on; moves past empty parts. */
static int fill_vector(struct iovec *out, const struct str *parts, size_t count, size_t *at,
                       size_t *skip)
{
    int n = 0;
    while (*at < count && *skip >= parts[*at].len) {
        *skip -= parts[*at].len;
        (*at)++;
    }
    for (size_t i = *at; i < count && n < IOV_MAX; i++) {
        size_t from = i == *at ? *skip : 0;
        if (parts[i].len == from)
            continue;
        out[n].iov_base = (char *)(uintptr_t)parts[i].data + from; /* the kernel only reads */
        out[n++].iov_len = parts[i].len - from;
    }
    return n;
}

static int posix_pwritev(struct env_file *file, uint64_t offset, const struct str *parts,
                         size_t count, struct err *e)
{
    struct posix_file *f = posix_of(file);
    struct iovec vector[IOV_MAX];
    size_t at = 0;
    size_t skip = 0;
    int left;
    while ((left = fill_vector(vector, parts, count, &at, &skip)) > 0) {
        ssize_t n = pwritev(f->fd, vector, left, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_error(e, "write", f->path);
        offset += (size_t)n;
        skip += (size_t)n;
    }
    return 0;
}

/* Where the file system cannot reserve, the zeros that follow do it. */
static int reserve(struct posix_file *f, uint64_t size, struct err *e)
{
    int rc;
    do {
        rc = fallocate(f->fd, 0, 0, (off_t)size);
    } while (rc != 0 && errno == EINTR);
    return rc == 0 || errno == EOPNOTSUPP || errno == ENOSYS ? 0
                                                             : file_error(e, "allocate", f->path);
}

static int posix_sync(struct env_file *file, struct err *e)
{
    struct posix_file *f = posix_of(file);
    return fdatasync(f->fd) == 0 ? 0 : file_error(e, "sync", f->path);
}

static int posix_allocate(struct env_file *file, uint64_t size, struct err *e)
{
    if (size == 0)
        return 0;
    int rc = reserve(posix_of(file), size, e);
    if (rc != 0)
        return rc;
    char *zeros = mem_alloc(ZERO_STEP_BYTES);
    for (uint64_t at = 0; at < size && rc == 0; at += ZERO_STEP_BYTES) {
        uint64_t step = size - at < ZERO_STEP_BYTES ? size - at : ZERO_STEP_BYTES;
        struct str part = str_of(zeros, (size_t)step);
        rc = posix_pwritev(file, at, &part, 1, e);
    }
    mem_free(zeros);
    return rc == 0 ? posix_sync(file, e) : rc;
}

static int posix_append(struct env_file *file, struct str bytes, struct err *e)
{
    struct posix_file *f = posix_of(file);
    size_t at = 0;
    while (at < bytes.len) {
        ssize_t n = write(f->fd, bytes.data + at, bytes.len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_error(e, "append to", f->path);
        at += (size_t)n;
    }
    return 0;
}

static int posix_truncate(struct env_file *file, uint64_t size, struct err *e)
{
    struct posix_file *f = posix_of(file);
    return ftruncate(f->fd, (off_t)size) == 0 ? 0 : file_error(e, "truncate", f->path);
}

static int posix_stat(struct env_file *file, struct env_stat *out, struct err *e)
{
    struct posix_file *f = posix_of(file);
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return file_error(e, "stat", f->path);
    env_stat_from(&st, out);
    return 0;
}

static void posix_close(struct env_file *file)
{
    struct posix_file *f = posix_of(file);
    (void)close(f->fd); /* who needs durability called env_file_sync */
    mem_free(f);
}

static int posix_lock(struct env *env, const char *path, struct env_file **out, struct err *e)
{
    struct env_file *f;
    int flags = ENV_FILE_READ | ENV_FILE_WRITE | ENV_FILE_CREATE;
    int rc = posix_open(env, path, flags, LOCK_FILE_MODE, &f, e);
    if (rc != 0)
        return rc;
    if (flock(posix_of(f)->fd, LOCK_EX | LOCK_NB) == 0) {
        *out = f;
        return 0;
    }
    if (errno == EWOULDBLOCK)
        rc = err_set(e, ERR_CONFLICT, "%s is locked by another process", path);
    else
        rc = file_error(e, "lock", path);
    posix_close(f);
    return rc;
}

const struct env_file_ops env_posix_file_ops = { .open = posix_open,
                                                 .lock = posix_lock,
                                                 .pread = posix_pread,
                                                 .pwritev = posix_pwritev,
                                                 .append = posix_append,
                                                 .allocate = posix_allocate,
                                                 .sync = posix_sync,
                                                 .truncate = posix_truncate,
                                                 .stat = posix_stat,
                                                 .close = posix_close };
