/* Open files: positioned reads of what grows, appends, locks. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_impl.h"

#define LOCK_FILE_MODE 0600

struct env_file {
    int fd;
    char path[]; /* for messages */
};

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

int env_file_open(struct env *env, const char *path, int flags, mode_t mode, struct env_file **out,
                  struct err *e)
{
    if (!env->ops->real)
        return err_set(e, ERR_UNIMPLEMENTED, "files are not simulated");
    ASSERT((flags & (ENV_FILE_READ | ENV_FILE_WRITE)) != 0);
    int fd = open(path, open_flags(flags), mode);
    if (fd < 0)
        return file_error(e, "open", path);
    size_t len = strlen(path);
    struct env_file *f = mem_alloc(sizeof(*f) + len + 1);
    f->fd = fd;
    memcpy(f->path, path, len + 1);
    *out = f;
    return 0;
}

int env_file_pread(struct env_file *f, uint64_t offset, void *data, size_t len, size_t *out_len,
                   struct err *e)
{
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

int env_file_pwrite(struct env_file *f, uint64_t offset, struct str bytes, struct err *e)
{
    size_t at = 0;
    while (at < bytes.len) {
        ssize_t n = pwrite(f->fd, bytes.data + at, bytes.len - at, (off_t)(offset + at));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_error(e, "write", f->path);
        at += (size_t)n;
    }
    return 0;
}

int env_file_append(struct env_file *f, struct str bytes, struct err *e)
{
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

int env_file_sync(struct env_file *f, struct err *e)
{
    return fdatasync(f->fd) == 0 ? 0 : file_error(e, "sync", f->path);
}

int env_file_truncate(struct env_file *f, uint64_t size, struct err *e)
{
    return ftruncate(f->fd, (off_t)size) == 0 ? 0 : file_error(e, "truncate", f->path);
}

int env_file_stat(struct env_file *f, struct env_stat *out, struct err *e)
{
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return file_error(e, "stat", f->path);
    env_stat_from(&st, out);
    return 0;
}

void env_file_close(struct env_file *f)
{
    if (f == NULL)
        return;
    (void)close(f->fd); /* who needs durability called env_file_sync */
    mem_free(f);
}

int env_file_lock(struct env *env, const char *path, struct env_file **out, struct err *e)
{
    struct env_file *f;
    int flags = ENV_FILE_READ | ENV_FILE_WRITE | ENV_FILE_CREATE;
    int rc = env_file_open(env, path, flags, LOCK_FILE_MODE, &f, e);
    if (rc != 0)
        return rc;
    if (flock(f->fd, LOCK_EX | LOCK_NB) == 0) {
        *out = f;
        return 0;
    }
    if (errno == EWOULDBLOCK)
        rc = err_set(e, ERR_CONFLICT, "%s is locked by another process", path);
    else
        rc = file_error(e, "lock", path);
    env_file_close(f);
    return rc;
}
