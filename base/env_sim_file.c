/*
 * Open files of a simulated host, and how every operation on its disk begins.
 *
 * The operation in which the host is to lose power does a part of its work, then the host dies, and
 * the caller is told that all went well: it is dead and works on a disk that is thrown away.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_sim_disk.h"

/* What a write takes on a disk that takes time: a call, and copying at 1 GB/s. */
#define WRITE_NS        2000u
#define LOCK_MODE       0600
#define PERMISSION_BITS 0777

struct sim_file {
    struct env_file base;
    struct list node; /* in the disk's files */
    struct sim_disk *disk;
    struct sim_inode *inode;
    int flags;
    bool locks;
    char path[]; /* for messages */
};

static struct sim_file *file_of(struct env_file *f)
{
    return container_of(f, struct sim_file, base);
}

/* ---- operations ---- */

static uint64_t sync_ns(struct sim_host *host)
{
    uint64_t spread_us = host->sync_us_max - host->sync_us_min;
    uint64_t ns = host->sync_us_min * 1000 + sim_random(host->world, spread_us * 1000 + 1);
    if (host->stall_ns > 0)
        host->world->faults.stalls++;
    ns += host->stall_ns;
    host->stall_ns = 0;
    return ns;
}

int sim_disk_begin(struct sim_disk *d, enum env_sim_io kind, const char *path, bool *out_last,
                   struct err *e)
{
    struct sim_host *host = d->host;
    *out_last = false;
    if (d->dead)
        return 0;
    sim_mix(host->world, (uint64_t)kind);
    if (kind == ENV_SIM_SYNC)
        sim_spend(host, sync_ns(host));
    else if (kind == ENV_SIM_WRITE && host->sync_us_max > 0)
        sim_spend(host, WRITE_NS);
    if (kind != ENV_SIM_READ) {
        host->operations++;
        *out_last = host->crash_after == 0;
        host->crash_after -= host->crash_after != UINT64_MAX && !*out_last;
    }
    uint64_t *fail_after = &host->fail_after[kind];
    bool fails = *fail_after == 0;
    if (fails)
        *fail_after = UINT64_MAX;
    else if (*fail_after != UINT64_MAX)
        --*fail_after;
    if (!fails || *out_last)
        return 0;
    host->world->faults.io_errors++;
    return sim_errno(e, "use", path, EIO);
}

int sim_disk_no_space(struct sim_disk *d, const char *path, struct err *e)
{
    d->host->world->faults.full++;
    return sim_errno(e, "write", path, ENOSPC);
}

int sim_errno(struct err *e, const char *verb, const char *path, int code)
{
    return err_set(e, err_from_errno(code), "%s %s: %s", verb, path, strerror(code));
}

static void touch(struct sim_file *f)
{
    f->inode->modified_ns = (int64_t)sim_wall_ns(&f->disk->host->base);
}

/* ---- opening ---- */

static int empty(struct sim_disk *d, struct sim_inode *n, const char *path, struct err *e)
{
    bool last;
    if (n->seen.size == 0)
        return 0;
    int rc = sim_disk_begin(d, ENV_SIM_WRITE, path, &last, e);
    if (rc != 0)
        return rc;
    sim_inode_resize(n, 0);
    if (last)
        sim_host_die(d->host, true);
    return 0;
}

static int file_open(struct env *env, const char *path, int flags, mode_t mode,
                     struct env_file **out, struct err *e)
{
    struct sim_disk *d = sim_disk_of(env);
    struct sim_inode *dir;
    struct sim_inode *n;
    struct str name;
    int rc = sim_disk_find(d, "open", path, &dir, &name, &n, e);
    if (rc != 0)
        return rc;
    if (n == NULL && (flags & ENV_FILE_CREATE) == 0)
        return sim_errno(e, "open", path, ENOENT);
    if (n != NULL && (flags & ENV_FILE_CREATE) != 0 && (flags & ENV_FILE_EXCLUSIVE) != 0)
        return sim_errno(e, "open", path, EEXIST);
    if (n != NULL && n->is_dir)
        return sim_errno(e, "open", path, EISDIR);
    if (n == NULL)
        rc = sim_disk_make(d, dir, name, false, mode & PERMISSION_BITS, path, &n, e);
    else if ((flags & ENV_FILE_TRUNCATE) != 0)
        rc = empty(d, n, path, e);
    if (rc != 0)
        return rc;
    size_t len = strlen(path);
    struct sim_file *f = mem_alloc(sizeof(*f) + len + 1);
    f->base.ops = &sim_file_ops;
    f->disk = d;
    f->inode = n;
    f->flags = flags;
    memcpy(f->path, path, len + 1);
    n->opens++;
    list_append(&d->files, &f->node);
    *out = &f->base;
    return 0;
}

static void file_close(struct env_file *file)
{
    struct sim_file *f = file_of(file);
    if (f->locks)
        f->inode->locked = false;
    f->inode->opens--;
    list_remove(&f->node);
    if (f->inode->opens == 0 && f->inode->links == 0)
        sim_disk_collect(f->disk);
    mem_free(f);
}

static int file_lock(struct env *env, const char *path, struct env_file **out, struct err *e)
{
    int flags = ENV_FILE_READ | ENV_FILE_WRITE | ENV_FILE_CREATE;
    struct env_file *file;
    int rc = file_open(env, path, flags, LOCK_MODE, &file, e);
    if (rc != 0)
        return rc;
    struct sim_file *f = file_of(file);
    if (f->inode->locked) {
        file_close(file);
        return err_set(e, ERR_CONFLICT, "%s is locked by another process", path);
    }
    f->locks = true;
    f->inode->locked = true;
    *out = file;
    return 0;
}

/* ---- reading and writing ---- */

static int file_pread(struct env_file *file, uint64_t offset, void *data, size_t len,
                      size_t *out_len, struct err *e)
{
    struct sim_file *f = file_of(file);
    bool last;
    if ((f->flags & ENV_FILE_READ) == 0)
        return sim_errno(e, "read", f->path, EBADF);
    int rc = sim_disk_begin(f->disk, ENV_SIM_READ, f->path, &last, e);
    if (rc == 0)
        *out_len = sim_image_read(&f->inode->seen, offset, data, len);
    return rc;
}

static uint64_t parts_bytes(const struct str *parts, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += parts[i].len;
    return total;
}

/* One change, whatever the number of parts: it is one write. */
static void write_parts(struct sim_file *f, uint64_t offset, const struct str *parts, size_t count,
                        uint64_t len)
{
    struct buf bytes;
    buf_init(&bytes);
    for (size_t i = 0; i < count && bytes.len < len; i++)
        buf_append_str(&bytes, str_slice(parts[i], 0, (size_t)(len - bytes.len)));
    sim_inode_write(f->inode, offset, bytes.data, bytes.len);
    buf_deinit(&bytes);
    touch(f);
}

static int write_at(struct sim_file *f, uint64_t offset, const struct str *parts, size_t count,
                    struct err *e)
{
    uint64_t len = parts_bytes(parts, count);
    bool last;
    if ((f->flags & ENV_FILE_WRITE) == 0)
        return sim_errno(e, "write", f->path, EBADF);
    if (len == 0)
        return 0;
    int rc = sim_disk_begin(f->disk, ENV_SIM_WRITE, f->path, &last, e);
    if (rc != 0)
        return rc;
    if (!f->disk->dead && f->disk->host->sync_us_max > 0)
        sim_spend(f->disk->host, len);
    uint64_t fits = sim_image_fitting(&f->inode->seen, offset, len, sim_disk_room(f->disk));
    if (last)
        fits = sim_random(f->disk->host->world, fits + 1);
    write_parts(f, offset, parts, count, fits);
    if (last)
        sim_host_die(f->disk->host, true);
    return last || fits == len ? 0 : sim_disk_no_space(f->disk, f->path, e);
}

static int file_pwritev(struct env_file *file, uint64_t offset, const struct str *parts,
                        size_t count, struct err *e)
{
    struct sim_file *f = file_of(file);
    /* As Linux does: append wins. */
    bool append = (f->flags & ENV_FILE_APPEND) != 0;
    return write_at(f, append ? f->inode->seen.size : offset, parts, count, e);
}

static int file_append(struct env_file *file, struct str bytes, struct err *e)
{
    struct sim_file *f = file_of(file);
    return write_at(f, f->inode->seen.size, &bytes, 1, e);
}

static int file_truncate(struct env_file *file, uint64_t size, struct err *e)
{
    struct sim_file *f = file_of(file);
    bool last;
    if ((f->flags & ENV_FILE_WRITE) == 0)
        return sim_errno(e, "truncate", f->path, EINVAL);
    int rc = sim_disk_begin(f->disk, ENV_SIM_WRITE, f->path, &last, e);
    if (rc != 0)
        return rc;
    sim_inode_resize(f->inode, size);
    touch(f);
    if (last)
        sim_host_die(f->disk->host, true);
    return 0;
}

static int file_sync(struct env_file *file, struct err *e)
{
    struct sim_file *f = file_of(file);
    bool last;
    int rc = sim_disk_begin(f->disk, ENV_SIM_SYNC, f->path, &last, e);
    if (rc != 0)
        sim_inode_settle(f->disk->host->world, f->inode);
    else if (last)
        sim_host_die(f->disk->host, true); /* which decides how far the sync came */
    else if (!f->disk->dead)
        sim_inode_commit(f->inode);
    return rc;
}

static int file_allocate(struct env_file *file, uint64_t size, struct err *e)
{
    struct sim_file *f = file_of(file);
    bool last;
    if ((f->flags & ENV_FILE_WRITE) == 0)
        return sim_errno(e, "allocate", f->path, EBADF);
    if (size == 0)
        return 0;
    int rc = sim_disk_begin(f->disk, ENV_SIM_WRITE, f->path, &last, e);
    if (rc != 0)
        return rc;
    if (sim_image_fitting(&f->inode->seen, 0, size, sim_disk_room(f->disk)) < size && !last)
        return sim_disk_no_space(f->disk, f->path, e);
    sim_inode_write(f->inode, 0, NULL, last ? sim_random(f->disk->host->world, size + 1) : size);
    touch(f);
    if (last)
        sim_host_die(f->disk->host, true);
    return file_sync(file, e);
}

static int file_stat(struct env_file *file, struct env_stat *out, struct err *e)
{
    struct sim_file *f = file_of(file);
    (void)e; /* an open file is there */
    sim_inode_stat(f->inode, out);
    return 0;
}

const struct env_file_ops sim_file_ops = { .open = file_open,
                                           .lock = file_lock,
                                           .pread = file_pread,
                                           .pwritev = file_pwritev,
                                           .append = file_append,
                                           .allocate = file_allocate,
                                           .sync = file_sync,
                                           .truncate = file_truncate,
                                           .stat = file_stat,
                                           .close = file_close };

void sim_disk_close_files(struct sim_disk *d)
{
    while (!list_empty(&d->files))
        file_close(&container_of(d->files.next, struct sim_file, node)->base);
}
