/*
 * Paths, folders and whole files of the real world: plain system calls with our errors. Blocking,
 * so for a pool thread or for start-up.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/env_impl.h"

#define PATH_BYTES_MAX  4096
#define READ_STEP_BYTES 4096u
/* Descriptors a tree removal may hold open at once; deeper folders are reopened. */
#define TREE_DESCRIPTORS 16

static int fs_error(struct err *e, const char *verb, const char *path)
{
    int code = errno;
    return err_set(e, err_from_errno(code), "%s %s: %s", verb, path, strerror(code));
}

/* ---- the machine ---- */

int env_hostname(struct env *env, struct arena *a, struct str *out, struct err *e)
{
    char name[256];
    if (!env->ops->real)
        return err_set(e, ERR_UNIMPLEMENTED, "host names are not simulated");
    if (gethostname(name, sizeof(name)) != 0)
        return fs_error(e, "read", "host name");
    name[sizeof(name) - 1] = '\0';
    *out = str_copy(a, str_from(name));
    return 0;
}

const char *env_variable(struct env *env, const char *name)
{
    return env->ops->real ? getenv(name) : NULL;
}

int env_cpus(struct env *env)
{
    cpu_set_t set;
    if (!env->ops->real || sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}

uint64_t env_files_raise(struct env *env)
{
    struct rlimit limit;
    if (!env->ops->real || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return UINT64_MAX;
    struct rlimit raised = { .rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max };
    return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

/* ---- whole files ---- */

static int read_all(int fd, size_t bytes_max, struct buf *b)
{
    for (;;) {
        buf_reserve(b, READ_STEP_BYTES);
        ssize_t n = read(fd, b->data + b->len, b->capacity - b->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return (int)n;
        b->len += (size_t)n;
        if (b->len > bytes_max) {
            errno = EFBIG;
            return -1;
        }
    }
}

static int posix_file_read(struct env *env, struct arena *a, const char *path, size_t bytes_max,
                           struct str *out, struct err *e)
{
    (void)env; /* the machine has one file system */
    int rc = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fs_error(e, "open", path);
    struct buf b;
    buf_init(&b);
    if (read_all(fd, bytes_max, &b) == 0)
        *out = str_copy(a, buf_str(&b));
    else if (errno == EFBIG)
        rc = err_set(e, ERR_TOO_LARGE, "read %s: more than %zu bytes", path, bytes_max);
    else
        rc = fs_error(e, "read", path);
    buf_deinit(&b);
    (void)close(fd); /* only read from */
    return rc;
}

static int write_all(int fd, struct str bytes)
{
    size_t at = 0;
    while (at < bytes.len) {
        ssize_t n = write(fd, bytes.data + at, bytes.len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        at += (size_t)n;
    }
    return 0;
}

/* A name beside path that nobody else uses. */
static int temporary_name(struct env *env, const char *path, char out[PATH_BYTES_MAX],
                          struct err *e)
{
    int n = snprintf(out, PATH_BYTES_MAX, "%s.tmp-%016llx", path,
                     (unsigned long long)env_random_u64(env));
    if (n < 0 || n >= PATH_BYTES_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "%.64s...: the path is too long", path);
    return 0;
}

static int posix_dir_sync(struct env *env, const char *path, struct err *e)
{
    (void)env; /* the machine has one file system */
    int rc = 0;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fs_error(e, "open", path);
    if (fsync(fd) != 0)
        rc = fs_error(e, "sync", path);
    (void)close(fd); /* only synced */
    return rc;
}

static int sync_parent(struct env *env, const char *path, struct err *e)
{
    char folder[PATH_BYTES_MAX];
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return posix_dir_sync(env, ".", e);
    size_t len = slash == path ? 1 : (size_t)(slash - path);
    if (len >= sizeof(folder))
        return err_set(e, ERR_INVALID_ARGUMENT, "%.64s...: the path is too long", path);
    memcpy(folder, path, len);
    folder[len] = '\0';
    return posix_dir_sync(env, folder, e);
}

static int posix_file_write(struct env *env, const char *path, struct str bytes, mode_t mode,
                            struct err *e)
{
    char temporary[PATH_BYTES_MAX];
    int rc = temporary_name(env, path, temporary, e);
    if (rc != 0)
        return rc;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return fs_error(e, "create", temporary);
    /* fchmod: the mode is exact, whatever the umask. */
    if (fchmod(fd, mode) != 0 || write_all(fd, bytes) != 0 || fsync(fd) != 0)
        rc = fs_error(e, "write", temporary);
    if (close(fd) != 0 && rc == 0)
        rc = fs_error(e, "close", temporary);
    if (rc == 0 && rename(temporary, path) != 0)
        rc = fs_error(e, "rename over", path);
    if (rc != 0) {
        (void)unlink(temporary); /* the first failure is the one to report */
        return rc;
    }
    return sync_parent(env, path, e);
}

/* ---- folders ---- */

static int make_one(const char *path, mode_t mode, struct err *e)
{
    struct stat st;
    if (mkdir(path, mode) == 0)
        return 0;
    if (errno != EEXIST)
        return fs_error(e, "make folder", path);
    if (stat(path, &st) != 0)
        return fs_error(e, "stat", path);
    if (!S_ISDIR(st.st_mode))
        return err_set(e, ERR_ALREADY_EXISTS, "make folder %s: it exists and is none", path);
    return 0;
}

static int posix_dir_make(struct env *env, const char *path, mode_t mode, struct err *e)
{
    char part[PATH_BYTES_MAX];
    (void)env; /* the machine has one file system */
    int rc = 0;
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof(part))
        return err_set(e, ERR_INVALID_ARGUMENT, "a folder's path has 1 to %d bytes",
                       PATH_BYTES_MAX - 1);
    memcpy(part, path, len + 1);
    for (size_t i = 1; i < len && rc == 0; i++) {
        if (part[i] != '/')
            continue;
        part[i] = '\0';
        rc = make_one(part, mode, e);
        part[i] = '/';
    }
    return rc == 0 ? make_one(part, mode, e) : rc;
}

static int compare_names(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int posix_dir_list(struct env *env, struct arena *a, const char *path,
                          struct str **out_names, size_t *out_count, struct err *e)
{
    (void)env; /* the machine has one file system */
    int rc = 0;
    /* By a descriptor of our own: ThreadSanitizer does not see opendir's, and takes it for the one
     * that had its number before. */
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        rc = fs_error(e, "open", path);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    struct str *names = NULL;
    size_t count = 0;
    size_t capacity = 0;
    struct dirent *entry;
    while ((errno = 0, entry = readdir(dir)) != NULL) {
        struct str name = str_from(entry->d_name);
        if (str_eq_c(name, ".") || str_eq_c(name, ".."))
            continue;
        names = arena_grow(a, names, count, &capacity, sizeof(*names));
        names[count++] = str_copy(a, name);
    }
    if (errno != 0)
        rc = fs_error(e, "list", path);
    (void)closedir(dir); /* only read from */
    if (rc != 0)
        return rc;
    if (count > 0)
        qsort(names, count, sizeof(*names), compare_names);
    *out_names = names;
    *out_count = count;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st; /* the type is enough, and so is the path */
    (void)at;
    int rc = type == FTW_DP ? rmdir(path) : unlink(path);
    return rc != 0 && errno != ENOENT ? -1 : 0;
}

static int posix_remove_tree(struct env *env, const char *path, struct err *e)
{
    (void)env; /* the machine has one file system */
    /* Links are removed, not followed; other mounts are left alone (and then make this fail). */
    if (nftw(path, remove_one, TREE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 &&
        errno != ENOENT)
        return fs_error(e, "remove", path);
    return 0;
}

/* ---- paths ---- */

static bool posix_exists(struct env *env, const char *path)
{
    struct stat st;
    (void)env; /* the machine has one file system */
    return lstat(path, &st) == 0;
}

void env_stat_from(const struct stat *st, struct env_stat *out)
{
    *out = (struct env_stat){
        .size = (uint64_t)st->st_size,
        .inode = st->st_ino,
        .device = st->st_dev,
        .modified_ns = (int64_t)st->st_mtim.tv_sec * (int64_t)ENV_S + st->st_mtim.tv_nsec,
        .mode = st->st_mode,
        .uid = st->st_uid,
        .gid = st->st_gid,
        .is_dir = S_ISDIR(st->st_mode),
        .is_file = S_ISREG(st->st_mode),
        .is_link = S_ISLNK(st->st_mode),
    };
}

static int posix_stat(struct env *env, const char *path, bool follow, struct env_stat *out,
                      struct err *e)
{
    struct stat st;
    (void)env; /* the machine has one file system */
    if ((follow ? stat(path, &st) : lstat(path, &st)) != 0)
        return fs_error(e, "stat", path);
    env_stat_from(&st, out);
    return 0;
}

static int posix_rename(struct env *env, const char *from, const char *to, struct err *e)
{
    (void)env; /* the machine has one file system */
    return rename(from, to) != 0 ? fs_error(e, "rename", from) : 0;
}

static int posix_remove(struct env *env, const char *path, struct err *e)
{
    (void)env; /* the machine has one file system */
    return remove(path) != 0 ? fs_error(e, "remove", path) : 0;
}

static int posix_chmod(struct env *env, const char *path, mode_t mode, struct err *e)
{
    (void)env; /* the machine has one file system */
    return chmod(path, mode) != 0 ? fs_error(e, "change the mode of", path) : 0;
}

static int posix_chown(struct env *env, const char *path, uid_t uid, gid_t gid, struct err *e)
{
    (void)env; /* the machine has one file system */
    return lchown(path, uid, gid) != 0 ? fs_error(e, "change the owner of", path) : 0;
}

static int posix_link_set(struct env *env, const char *target, const char *path, struct err *e)
{
    char temporary[PATH_BYTES_MAX];
    int rc = temporary_name(env, path, temporary, e);
    if (rc != 0)
        return rc;
    if (symlink(target, temporary) != 0)
        return fs_error(e, "link", temporary);
    if (rename(temporary, path) == 0)
        return 0;
    rc = fs_error(e, "rename over", path);
    (void)unlink(temporary); /* the rename's failure is the one to report */
    return rc;
}

static int posix_link_read(struct env *env, struct arena *a, const char *path, struct str *out,
                           struct err *e)
{
    char target[PATH_BYTES_MAX];
    (void)env; /* the machine has one file system */
    ssize_t n = readlink(path, target, sizeof(target));
    if (n < 0)
        return fs_error(e, "read link", path);
    *out = str_copy(a, str_of(target, (size_t)n));
    return 0;
}

static int posix_disk_space(struct env *env, const char *path, uint64_t *out_total,
                            uint64_t *out_free, struct err *e)
{
    struct statvfs vfs;
    (void)env; /* the machine has one file system */
    if (statvfs(path, &vfs) != 0)
        return fs_error(e, "read the space of", path);
    *out_total = (uint64_t)vfs.f_blocks * vfs.f_frsize;
    *out_free = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    return 0;
}

const struct env_fs_ops env_posix_fs_ops = { .file_read = posix_file_read,
                                             .file_write = posix_file_write,
                                             .dir_make = posix_dir_make,
                                             .dir_list = posix_dir_list,
                                             .dir_sync = posix_dir_sync,
                                             .remove_tree = posix_remove_tree,
                                             .exists = posix_exists,
                                             .stat = posix_stat,
                                             .rename = posix_rename,
                                             .remove = posix_remove,
                                             .chmod = posix_chmod,
                                             .chown = posix_chown,
                                             .link_set = posix_link_set,
                                             .link_read = posix_link_read,
                                             .disk_space = posix_disk_space };

/* ---- mounts ---- */

static int mount_check(struct env *env, struct err *e)
{
    return env->ops->real ? 0 : err_set(e, ERR_UNIMPLEMENTED, "mounts are not simulated");
}

int env_mount_memory(struct env *env, const char *path, uint64_t bytes, struct err *e)
{
    char options[64];
    int rc = mount_check(env, e);
    if (rc != 0)
        return rc;
    (void)snprintf(options, sizeof(options), "mode=0777,size=%llu", (unsigned long long)bytes);
    if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, bytes > 0 ? options : "mode=0777") != 0)
        return fs_error(e, "mount tmpfs on", path);
    return 0;
}

int env_unmount(struct env *env, const char *path, struct err *e)
{
    int rc = mount_check(env, e);
    if (rc == 0 && umount2(path, UMOUNT_NOFOLLOW) != 0)
        return fs_error(e, "unmount", path);
    return rc;
}
