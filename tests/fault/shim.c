/*
 * Loaded into a member before libc (LD_PRELOAD): its disk can lose power, its clock can be wrong.
 *
 * Every call that writes to a file under FAULT_ROOT is let through and remembered as a range not
 * yet flushed; fsync and fdatasync copy these ranges to the file's image and then return (the live
 * folder is a memory file system: there is nothing else to flush). A write through a descriptor
 * opened with O_DSYNC or O_SYNC is copied at once. The first flush of a file in this process copies
 * all of it, because what a killed process before it wrote is still in the page cache. Changes of
 * names are written to the image's journal. image.h says what becomes of it.
 *
 * Pages written through a memory map are not seen until the first flush of their file: LMDB without
 * MDB_WRITEMAP writes data with pwrite, and maps for writing only its lock file, which a restart
 * makes anew.
 */
#include "tests/fault/shim.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tests/fault/image.h"

#define FILES_MAX  4096
#define RANGES_MAX 64

struct range {
    off_t from;
    off_t to;
};

struct dirty {
    ino_t inode;
    bool known; /* since this process flushed it for the first time */
    unsigned count;
    struct range ranges[RANGES_MAX];
};

static struct shim_control *control;
static char root[PATH_MAX];
static char image[PATH_MAX];
static dev_t root_device;
static int journal = -1;
static struct dirty *files[FILES_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The next definition of a name: libc's own. Threads that meet here find the same. */
#define REAL(name)                                                                                 \
    ({                                                                                             \
        static __typeof__(&name) real_;                                                            \
        if (real_ == NULL)                                                                         \
            real_ = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                                    \
        real_;                                                                                     \
    })

static void die(const char *what)
{
    char line[PATH_MAX];
    int n = snprintf(line, sizeof line, "fault shim: %s: %s\n", what, strerror(errno));

    if (n > 0 && write(2, line, (size_t)n) < 0)
        _exit(98);
    _exit(99);
}

__attribute__((constructor)) static void shim_start(void)
{
    const char *path = getenv(SHIM_CONTROL);
    const char *live = getenv(SHIM_ROOT);
    const char *stable = getenv(SHIM_IMAGE);
    struct stat st;

    if (path != NULL) {
        int fd = REAL(open)(path, O_RDWR | O_CLOEXEC);
        void *page = mmap(NULL, sizeof *control, PROT_READ, MAP_SHARED, fd, 0);

        if (fd < 0 || page == MAP_FAILED)
            die(path);
        control = page;
        close(fd);
    }
    if (live == NULL || stable == NULL)
        return;
    if (realpath(live, root) == NULL || realpath(stable, image) == NULL || stat(root, &st) != 0)
        die(live);
    root_device = st.st_dev;
    char name[PATH_MAX + 16];
    snprintf(name, sizeof name, "%s/" IMAGE_JOURNAL, image);
    journal = REAL(open)(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (journal < 0)
        die(name);
}

/* ---- what is not flushed ---- */

/* A regular file of the live folder. */
static bool tracked(int fd, struct stat *out)
{
    int saved = errno;
    bool yes =
        journal >= 0 && fstat(fd, out) == 0 && out->st_dev == root_device && S_ISREG(out->st_mode);

    errno = saved;
    return yes;
}

static struct dirty *dirty_of(ino_t inode)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        size_t at = (inode + i) % FILES_MAX;

        if (files[at] == NULL) {
            files[at] = calloc(1, sizeof *files[at]);
            if (files[at] == NULL)
                die("memory");
            files[at]->inode = inode;
        }
        if (files[at]->inode == inode)
            return files[at];
    }
    errno = ENFILE;
    die("more files than it can follow");
    return NULL;
}

static void mark(ino_t inode, off_t from, off_t to)
{
    struct dirty *d = dirty_of(inode);

    for (unsigned i = d->count; i-- > 0;) {
        if (from > d->ranges[i].to || to < d->ranges[i].from)
            continue;
        d->ranges[i].from = from < d->ranges[i].from ? from : d->ranges[i].from;
        d->ranges[i].to = to > d->ranges[i].to ? to : d->ranges[i].to;
        return;
    }
    if (d->count == RANGES_MAX)
        d->known = false; /* the next flush copies everything */
    else
        d->ranges[d->count++] = (struct range){ from, to };
}

static void copy_range(int from, int to, off_t at, off_t end)
{
    static char bytes[1 << 16]; /* under the lock */

    while (at < end) {
        size_t want = (size_t)(end - at) < sizeof bytes ? (size_t)(end - at) : sizeof bytes;
        ssize_t n = pread(from, bytes, want, at);

        if (n <= 0)
            return; /* it is shorter now */
        if (REAL(pwrite)(to, bytes, (size_t)n, at) != n)
            die("write to the image");
        at += n;
    }
}

/* Everything but holes. */
static void copy_whole(int from, int to, off_t size)
{
    off_t at = 0;

    if (REAL(ftruncate)(to, 0) != 0)
        die("truncate in the image");
    while (at < size) {
        off_t data = lseek(from, at, SEEK_DATA);
        off_t hole;

        if (data < 0)
            return;
        hole = lseek(from, data, SEEK_HOLE);
        copy_range(from, to, data, hole < 0 ? size : hole);
        at = hole < 0 ? size : hole;
    }
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    char line[2 * PATH_MAX + 64];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof line || REAL(write)(journal, line, (size_t)n) != n)
        die("write to the journal");
}

/* A descriptor of our own: the caller's may not allow reading, and its position is its own. */
static int reopen(int fd)
{
    char link[64];
    int own;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    own = REAL(open)(link, O_RDONLY | O_CLOEXEC);
    if (own < 0)
        die(link);
    return own;
}

static int image_file(ino_t inode)
{
    char name[PATH_MAX + 32];
    int fd;

    snprintf(name, sizeof name, "%s/%llu", image, (unsigned long long)inode);
    fd = REAL(open)(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        die(name);
    return fd;
}

/* Of an open file or folder, relative to the root. False: it has none any more. */
static bool path_of(int fd, char out[PATH_MAX])
{
    char link[64];
    char path[PATH_MAX];
    size_t len = strlen(root);
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    if (n < 0)
        die(link);
    path[n] = '\0';
    if (strncmp(path, root, len) != 0 || strstr(path, " (deleted)") != NULL)
        return false;
    snprintf(out, PATH_MAX, "%s", path[len] == '/' ? path + len + 1 : "");
    return true;
}

/* Under the lock. */
static void flush_file(int fd, const struct stat *st)
{
    char path[PATH_MAX];
    struct dirty *d = dirty_of(st->st_ino);
    int from = reopen(fd);
    int to = image_file(st->st_ino);

    if (!d->known)
        copy_whole(from, to, st->st_size);
    for (unsigned i = 0; d->known && i < d->count; i++)
        copy_range(from, to, d->ranges[i].from, d->ranges[i].to);
    if (REAL(ftruncate)(to, st->st_size) != 0)
        die("truncate in the image");
    d->known = true;
    d->count = 0;
    close(from);
    close(to);
    if (path_of(fd, path))
        say("sync %llu %s\n", (unsigned long long)st->st_ino, path);
}

static bool lies(void)
{
    return control != NULL && atomic_load(&control->disk_lies) != 0;
}

/* ---- names ---- */

/* Relative to the root, or NULL: not ours. The path's folder exists. */
static const char *relative(int folder, const char *path, char out[PATH_MAX])
{
    char whole[2 * PATH_MAX];
    char parent[PATH_MAX];
    const char *name;
    size_t len = strlen(root);
    int saved = errno;

    if (journal < 0 || path == NULL)
        return NULL;
    if (path[0] == '/' || folder == AT_FDCWD)
        snprintf(whole, sizeof whole, "%s", path);
    else
        snprintf(whole, sizeof whole, "/proc/self/fd/%d/%s", folder, path);
    char *slash = strrchr(whole, '/');
    name = slash == NULL ? whole : slash + 1;
    if (slash != NULL)
        *slash = '\0';
    if (realpath(slash == NULL ? "." : whole, parent) == NULL)
        parent[0] = '\0';
    errno = saved;
    if (strncmp(parent, root, len) != 0 || (parent[len] != '/' && parent[len] != '\0'))
        return NULL;
    snprintf(out, PATH_MAX, "%s%s%.200s", parent[len] == '/' ? parent + len + 1 : "",
             parent[len] == '/' ? "/" : "", name);
    return out;
}

static void created(int fd, const char *path)
{
    struct stat st;

    if (path != NULL && tracked(fd, &st))
        say("create %llu %s\n", (unsigned long long)st.st_ino, path);
}

static int open_at(int folder, const char *path, int flags, mode_t mode)
{
    char buf[PATH_MAX];
    const char *name = (flags & O_CREAT) != 0 ? relative(folder, path, buf) : NULL;
    bool fresh = name != NULL && faccessat(folder, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    int fd = REAL(openat)(folder, path, flags, mode);
    struct stat st;

    if (fd < 0)
        return fd;
    pthread_mutex_lock(&lock);
    if (fresh)
        created(fd, name);
    else if ((flags & O_TRUNC) != 0 && tracked(fd, &st))
        dirty_of(st.st_ino)->known = false;
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE_ARGUMENT(flags, mode)                                                                 \
    mode_t mode = 0;                                                                               \
    if (((flags) & (O_CREAT | O_TMPFILE)) != 0) {                                                  \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode = va_arg(args, mode_t);                                                               \
        va_end(args);                                                                              \
    }

int open(const char *path, int flags, ...)
{
    MODE_ARGUMENT(flags, mode)
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE_ARGUMENT(flags, mode)
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    MODE_ARGUMENT(flags, mode)
    return open_at(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
    MODE_ARGUMENT(flags, mode)
    return open_at(folder, path, flags, mode);
}

int rename(const char *from, const char *to)
{
    char a[PATH_MAX];
    char b[PATH_MAX];
    const char *x = relative(AT_FDCWD, from, a);
    const char *y = relative(AT_FDCWD, to, b);
    int rc;

    pthread_mutex_lock(&lock);
    rc = REAL(rename)(from, to);
    if (rc == 0 && x != NULL && y != NULL)
        say("rename %s\t%s\n", x, y);
    pthread_mutex_unlock(&lock);
    return rc;
}

static int remove_at(int folder, const char *path, int flags)
{
    char buf[PATH_MAX];
    const char *name = relative(folder, path, buf);
    int rc;

    pthread_mutex_lock(&lock);
    rc = REAL(unlinkat)(folder, path, flags);
    if (rc == 0 && name != NULL)
        say("remove %s\n", name);
    pthread_mutex_unlock(&lock);
    return rc;
}

int unlinkat(int folder, const char *path, int flags)
{
    return remove_at(folder, path, flags);
}

int unlink(const char *path)
{
    return remove_at(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return remove_at(AT_FDCWD, path, AT_REMOVEDIR);
}

int remove(const char *path)
{
    int rc = unlink(path);

    return rc != 0 && errno == EISDIR ? rmdir(path) : rc;
}

int mkdir(const char *path, mode_t mode)
{
    char buf[PATH_MAX];
    const char *name = relative(AT_FDCWD, path, buf);
    int rc;

    pthread_mutex_lock(&lock);
    rc = REAL(mkdir)(path, mode);
    if (rc == 0 && name != NULL)
        say("folder %s\n", name);
    pthread_mutex_unlock(&lock);
    return rc;
}

/* ---- writes and flushes ---- */

static ssize_t wrote(int fd, ssize_t n, off_t at)
{
    struct stat st;
    int flags;

    if (n <= 0 || !tracked(fd, &st))
        return n;
    flags = fcntl(fd, F_GETFL);
    if (at < 0)
        at = (flags & O_APPEND) != 0 ? st.st_size - n : lseek(fd, 0, SEEK_CUR) - n;
    pthread_mutex_lock(&lock);
    mark(st.st_ino, at, at + n);
    if ((flags & O_DSYNC) != 0 && !lies())
        flush_file(fd, &st);
    pthread_mutex_unlock(&lock);
    return n;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    return wrote(fd, REAL(write)(fd, bytes, len), -1);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return wrote(fd, REAL(writev)(fd, parts, count), -1);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    return wrote(fd, REAL(pwrite)(fd, bytes, len, at), at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    return pwrite(fd, bytes, len, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    return wrote(fd, REAL(pwritev)(fd, parts, count, at), at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at)
{
    return pwritev(fd, parts, count, at);
}

/* What a truncation cut off was in the image and may come back as zeros: all of it is copied. */
int ftruncate(int fd, off_t size)
{
    struct stat st;
    bool ours = tracked(fd, &st);
    int rc = REAL(ftruncate)(fd, size);

    if (rc != 0 || !ours || size >= st.st_size)
        return rc;
    pthread_mutex_lock(&lock);
    dirty_of(st.st_ino)->known = false;
    pthread_mutex_unlock(&lock);
    return rc;
}

int ftruncate64(int fd, off64_t size)
{
    return ftruncate(fd, size);
}

int fdatasync(int fd)
{
    struct stat st;

    if (!tracked(fd, &st))
        return REAL(fdatasync)(fd);
    pthread_mutex_lock(&lock);
    if (!lies())
        flush_file(fd, &st);
    pthread_mutex_unlock(&lock);
    return 0;
}

/* What it holds now is durable: PATH TAB INODE NAME TAB ... */
static void list_folder(int fd, const char *path)
{
    static char line[1 << 16]; /* under the lock */
    int own = reopen(fd);
    DIR *dir = fdopendir(own);
    struct dirent *entry;
    size_t n;

    if (dir == NULL)
        die(path);
    n = (size_t)snprintf(line, sizeof line, "sync-folder %s", path);
    while ((entry = readdir(dir)) != NULL && n + 300 < sizeof line) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        n += (size_t)snprintf(line + n, sizeof line - n, "\t%llu %s",
                              entry->d_type == DT_DIR ? 0ull : (unsigned long long)entry->d_ino,
                              entry->d_name);
    }
    closedir(dir);
    line[n++] = '\n';
    if (REAL(write)(journal, line, n) != (ssize_t)n)
        die("write to the journal");
}

static int sync_folder(int fd)
{
    char path[PATH_MAX];

    pthread_mutex_lock(&lock);
    if (!lies() && path_of(fd, path))
        list_folder(fd, path);
    pthread_mutex_unlock(&lock);
    return 0;
}

int fsync(int fd)
{
    struct stat st;

    if (journal >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && st.st_dev == root_device)
        return sync_folder(fd);
    return fdatasync(fd);
}

/* ---- the clock ---- */

int clock_gettime(clockid_t id, struct timespec *out)
{
    int rc = REAL(clock_gettime)(id, out);
    int64_t ns;

    if (rc != 0 || control == NULL || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE))
        return rc;
    ns = (int64_t)out->tv_sec * 1000000000 + out->tv_nsec + atomic_load(&control->clock_offset_ns);
    out->tv_sec = ns / 1000000000;
    out->tv_nsec = ns % 1000000000;
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
