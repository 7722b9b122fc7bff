/*
 * Paths, folders and whole files of a simulated host.
 *
 * A path is names between slashes from the root, wherever it begins; "." is skipped, ".." refused.
 * Names become durable when their folder is synced. Symbolic links are not simulated.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_sim_disk.h"

#define PATH_BYTES_MAX 4096
#define MODE_BITS      07777
/* What a disk without a limit says it has. */
#define UNLIMITED_BYTES (1ull << 40)
#define DEPTH_MAX       64

struct sim_disk *sim_disk_of(struct env *env)
{
    struct sim_host *host = sim_host_of(env);
    struct sim_loop *current = host->world->current;
    if (current != NULL && current->host == host)
        return current->disk;
    return host->alive ? host->disk : host->corpse;
}

/* ---- paths ---- */

static bool next_name(struct str *rest, struct str *out)
{
    while (str_split(rest, '/', out))
        if (out->len > 0 && !str_eq_c(*out, "."))
            return true;
    return false;
}

int sim_disk_find(struct sim_disk *d, const char *verb, const char *path,
                  struct sim_inode **out_dir, struct str *out_name, struct sim_inode **out_inode,
                  struct err *e)
{
    struct str rest = str_from(path);
    struct str name;
    struct sim_inode *dir = d->root;
    struct sim_inode *at = d->root;
    size_t depth = 0;
    if (rest.len == 0 || rest.len >= PATH_BYTES_MAX)
        return sim_errno(e, verb, path, rest.len == 0 ? ENOENT : ENAMETOOLONG);
    *out_name = str_lit("");
    while (next_name(&rest, &name)) {
        if (at == NULL || str_eq_c(name, "..") || depth++ == DEPTH_MAX)
            return sim_errno(e, verb, path, at == NULL ? ENOENT : EINVAL);
        if (!at->is_dir)
            return sim_errno(e, verb, path, ENOTDIR);
        dir = at;
        *out_name = name;
        at = sim_names_find(&dir->seen_names, name);
    }
    *out_dir = dir;
    *out_inode = at;
    return 0;
}

/* As sim_disk_find, for what must be there. */
static int find_existing(struct env *env, const char *verb, const char *path,
                         struct sim_inode **out, struct err *e)
{
    struct sim_inode *dir;
    struct str name;
    int rc = sim_disk_find(sim_disk_of(env), verb, path, &dir, &name, out, e);
    return rc == 0 && *out == NULL ? sim_errno(e, verb, path, ENOENT) : rc;
}

static int find_dir(struct env *env, const char *verb, const char *path, struct sim_inode **out,
                    struct err *e)
{
    int rc = find_existing(env, verb, path, out, e);
    return rc == 0 && !(*out)->is_dir ? sim_errno(e, verb, path, ENOTDIR) : rc;
}

void sim_inode_stat(const struct sim_inode *n, struct env_stat *out)
{
    *out = (struct env_stat){ .size = n->seen.size,
                              .inode = n->number,
                              .device = 1,
                              .modified_ns = n->modified_ns,
                              .mode = n->mode | (n->is_dir ? S_IFDIR : S_IFREG),
                              .uid = n->uid,
                              .gid = n->gid,
                              .is_dir = n->is_dir,
                              .is_file = !n->is_dir };
}

static int fs_stat(struct env *env, const char *path, bool follow, struct env_stat *out,
                   struct err *e)
{
    struct sim_inode *n;
    (void)follow; /* there are no links */
    int rc = find_existing(env, "stat", path, &n, e);
    if (rc == 0)
        sim_inode_stat(n, out);
    return rc;
}

static bool fs_exists(struct env *env, const char *path)
{
    struct sim_inode *n;
    return find_existing(env, "stat", path, &n, NULL) == 0;
}

static int fs_chmod(struct env *env, const char *path, mode_t mode, struct err *e)
{
    struct sim_inode *n;
    int rc = find_existing(env, "change the mode of", path, &n, e);
    if (rc == 0)
        n->mode = mode & MODE_BITS;
    return rc;
}

static int fs_chown(struct env *env, const char *path, uid_t uid, gid_t gid, struct err *e)
{
    struct sim_inode *n;
    int rc = find_existing(env, "change the owner of", path, &n, e);
    if (rc != 0)
        return rc;
    n->uid = uid != (uid_t)-1 ? uid : n->uid;
    n->gid = gid != (gid_t)-1 ? gid : n->gid;
    return 0;
}

static int fs_link_set(struct env *env, const char *target, const char *path, struct err *e)
{
    (void)env;
    (void)target; /* nobody who runs here needs one */
    return err_set(e, ERR_UNIMPLEMENTED, "link %s: links are not simulated", path);
}

static int fs_link_read(struct env *env, struct arena *a, const char *path, struct str *out,
                        struct err *e)
{
    (void)env;
    (void)a;
    (void)out; /* as above */
    return err_set(e, ERR_UNIMPLEMENTED, "read link %s: links are not simulated", path);
}

static int fs_disk_space(struct env *env, const char *path, uint64_t *out_total, uint64_t *out_free,
                         struct err *e)
{
    struct sim_inode *n;
    int rc = find_existing(env, "read the space of", path, &n, e);
    if (rc != 0)
        return rc;
    struct sim_disk *d = sim_disk_of(env);
    uint64_t limit = d->host->limit_bytes;
    uint64_t room = sim_disk_room(d);
    *out_total = limit != UINT64_MAX ? limit : UNLIMITED_BYTES;
    *out_free = room != UINT64_MAX ? room * SIM_PAGE_BYTES : UNLIMITED_BYTES - sim_disk_used(d);
    return 0;
}

/* ---- changing names ---- */

int sim_disk_make(struct sim_disk *d, struct sim_inode *dir, struct str name, bool is_dir,
                  mode_t mode, const char *path, struct sim_inode **out, struct err *e)
{
    bool last;
    int rc = sim_disk_begin(d, ENV_SIM_WRITE, path, &last, e);
    if (rc == 0 && sim_disk_room(d) == 0)
        rc = sim_disk_no_space(d, path, e);
    if (rc != 0)
        return rc;
    *out = sim_inode_new(d, is_dir, mode);
    sim_dir_add(dir, name, *out);
    if (last)
        sim_host_die(d->host, true);
    return 0;
}

static int fs_dir_make(struct env *env, const char *path, mode_t mode, struct err *e)
{
    struct sim_disk *d = sim_disk_of(env);
    struct sim_inode *at = d->root;
    struct str rest = str_from(path);
    struct str name;
    int rc = 0;
    if (rest.len == 0 || rest.len >= PATH_BYTES_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "a folder's path has 1 to %d bytes",
                       PATH_BYTES_MAX - 1);
    while (rc == 0 && next_name(&rest, &name)) {
        if (str_eq_c(name, ".."))
            return sim_errno(e, "make folder", path, EINVAL);
        struct sim_inode *next = sim_names_find(&at->seen_names, name);
        if (next == NULL)
            rc = sim_disk_make(d, at, name, true, mode & MODE_BITS, path, &next, e);
        else if (!next->is_dir)
            rc = err_set(e, ERR_ALREADY_EXISTS, "make folder %s: it exists and is none", path);
        at = next;
    }
    return rc;
}

/* Moves no folder into itself: a name below the folder is no place for it. */
static bool lies_below(const struct sim_inode *n, const struct sim_inode *dir)
{
    if (n == dir)
        return true;
    for (size_t i = 0; dir->is_dir && i < dir->seen_names.count; i++)
        if (lies_below(n, dir->seen_names.entries[i].inode))
            return true;
    return false;
}

static int check_rename(const struct sim_inode *n, const struct sim_inode *over,
                        const struct sim_inode *to_dir)
{
    if (n->is_dir && lies_below(to_dir, n))
        return EINVAL;
    if (over == NULL || over == n)
        return 0;
    if (over->is_dir != n->is_dir)
        return over->is_dir ? EISDIR : ENOTDIR;
    return over->seen_names.count > 0 ? ENOTEMPTY : 0;
}

static int fs_rename(struct env *env, const char *from, const char *to, struct err *e)
{
    struct sim_disk *d = sim_disk_of(env);
    struct sim_inode *from_dir;
    struct sim_inode *to_dir;
    struct sim_inode *n;
    struct sim_inode *over;
    struct str from_name;
    struct str to_name;
    bool last;
    int rc = sim_disk_find(d, "rename", from, &from_dir, &from_name, &n, e);
    if (rc == 0)
        rc = sim_disk_find(d, "rename", to, &to_dir, &to_name, &over, e);
    if (rc != 0)
        return rc;
    if (n == NULL)
        return sim_errno(e, "rename", from, ENOENT);
    if (from_name.len == 0 || to_name.len == 0)
        return sim_errno(e, "rename", from, EBUSY);
    int code = check_rename(n, over, to_dir);
    if (code != 0)
        return sim_errno(e, "rename", from, code);
    rc = sim_disk_begin(d, ENV_SIM_WRITE, from, &last, e);
    if (rc != 0)
        return rc;
    sim_dir_rename(from_dir, from_name, to_dir, to_name);
    if (last)
        sim_host_die(d->host, true);
    return 0;
}

static int fs_remove(struct env *env, const char *path, struct err *e)
{
    struct sim_disk *d = sim_disk_of(env);
    struct sim_inode *dir;
    struct sim_inode *n;
    struct str name;
    bool last;
    int rc = sim_disk_find(d, "remove", path, &dir, &name, &n, e);
    if (rc != 0)
        return rc;
    if (n == NULL)
        return sim_errno(e, "remove", path, ENOENT);
    if (name.len == 0 || n->seen_names.count > 0)
        return sim_errno(e, "remove", path, name.len == 0 ? EBUSY : ENOTEMPTY);
    rc = sim_disk_begin(d, ENV_SIM_WRITE, path, &last, e);
    if (rc != 0)
        return rc;
    sim_dir_drop(dir, name);
    if (last)
        sim_host_die(d->host, true);
    return 0;
}

/* Children first, one operation each: a power loss may leave any part. */
static int remove_below(struct env *env, struct sim_inode *n, char path[PATH_BYTES_MAX], size_t len,
                        struct err *e)
{
    int rc = 0;
    while (rc == 0 && n->seen_names.count > 0) {
        struct sim_entry *entry = &n->seen_names.entries[n->seen_names.count - 1];
        int more = snprintf(path + len, PATH_BYTES_MAX - len, "/%s", entry->name);
        if (more < 0 || len + (size_t)more >= PATH_BYTES_MAX)
            rc = sim_errno(e, "remove", path, ENAMETOOLONG);
        else
            rc = remove_below(env, entry->inode, path, len + (size_t)more, e);
        path[len] = '\0';
    }
    return rc == 0 ? fs_remove(env, path, e) : rc;
}

static int fs_remove_tree(struct env *env, const char *path, struct err *e)
{
    char full[PATH_BYTES_MAX];
    struct sim_inode *n;
    int rc = find_existing(env, "remove", path, &n, e);
    if (rc == -ERR_NOT_FOUND)
        return 0;
    if (rc != 0)
        return rc;
    (void)snprintf(full, sizeof(full), "%s", path); /* it fits: it was found */
    return remove_below(env, n, full, strlen(full), e);
}

/* ---- folders ---- */

static int fs_dir_sync(struct env *env, const char *path, struct err *e)
{
    struct sim_disk *d = sim_disk_of(env);
    struct sim_inode *dir;
    bool last;
    int rc = find_dir(env, "sync", path, &dir, e);
    if (rc == 0)
        rc = sim_disk_begin(d, ENV_SIM_SYNC, path, &last, e);
    if (rc != 0)
        return rc;
    if (last)
        sim_host_die(d->host, true); /* which decides how far the sync came */
    if (d->dead)
        return 0;
    sim_dir_commit(dir);
    sim_disk_collect(d);
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int fs_dir_list(struct env *env, struct arena *a, const char *path, struct str **out_names,
                       size_t *out_count, struct err *e)
{
    struct sim_inode *dir;
    bool last;
    int rc = find_dir(env, "list", path, &dir, e);
    if (rc == 0)
        rc = sim_disk_begin(sim_disk_of(env), ENV_SIM_READ, path, &last, e);
    if (rc != 0)
        return rc;
    size_t count = dir->seen_names.count;
    struct str *names = arena_array(a, count, sizeof(*names));
    for (size_t i = 0; i < count; i++)
        names[i] = str_copy(a, str_from(dir->seen_names.entries[i].name));
    if (count > 0)
        qsort(names, count, sizeof(*names), compare_names);
    *out_names = names;
    *out_count = count;
    return 0;
}

/* ---- whole files ---- */

static int fs_file_read(struct env *env, struct arena *a, const char *path, size_t bytes_max,
                        struct str *out, struct err *e)
{
    struct env_file *f;
    struct env_stat st;
    int rc = env_file_open(env, path, ENV_FILE_READ, 0, &f, e);
    if (rc != 0)
        return rc;
    rc = env_file_stat(f, &st, e);
    if (rc == 0 && st.size > bytes_max)
        rc = err_set(e, ERR_TOO_LARGE, "read %s: more than %zu bytes", path, bytes_max);
    if (rc == 0) {
        char *bytes = arena_alloc(a, (size_t)st.size + 1);
        size_t len;
        rc = env_file_pread(f, 0, bytes, (size_t)st.size, &len, e);
        if (rc == 0)
            *out = str_of(bytes, len);
    }
    env_file_close(f);
    return rc;
}

static int sync_parent(struct env *env, const char *path, struct err *e)
{
    char folder[PATH_BYTES_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL || slash == path ? 0 : (size_t)(slash - path);
    (void)snprintf(folder, sizeof(folder), "%.*s", (int)len, path); /* paths are shorter */
    return fs_dir_sync(env, len == 0 ? "/" : folder, e);
}

/* The steps of the real one, each of which may be the host's last. */
static int fs_file_write(struct env *env, const char *path, struct str bytes, mode_t mode,
                         struct err *e)
{
    char temporary[PATH_BYTES_MAX];
    struct env_file *f;
    int n = snprintf(temporary, sizeof(temporary), "%s.tmp-%016llx", path,
                     (unsigned long long)env_random_u64(env));
    if (n < 0 || n >= PATH_BYTES_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "%.64s...: the path is too long", path);
    int flags = ENV_FILE_WRITE | ENV_FILE_CREATE | ENV_FILE_EXCLUSIVE;
    int rc = env_file_open(env, temporary, flags, mode, &f, e);
    if (rc != 0)
        return rc;
    rc = env_file_pwrite(f, 0, bytes, e);
    if (rc == 0)
        rc = env_file_sync(f, e);
    env_file_close(f);
    if (rc == 0)
        rc = fs_rename(env, temporary, path, e);
    if (rc != 0) {
        (void)fs_remove(env, temporary, NULL); /* the first failure is the one to report */
        return rc;
    }
    return sync_parent(env, path, e);
}

const struct env_fs_ops sim_fs_ops = { .file_read = fs_file_read,
                                       .file_write = fs_file_write,
                                       .dir_make = fs_dir_make,
                                       .dir_list = fs_dir_list,
                                       .dir_sync = fs_dir_sync,
                                       .remove_tree = fs_remove_tree,
                                       .exists = fs_exists,
                                       .stat = fs_stat,
                                       .rename = fs_rename,
                                       .remove = fs_remove,
                                       .chmod = fs_chmod,
                                       .chown = fs_chown,
                                       .link_set = fs_link_set,
                                       .link_read = fs_link_read,
                                       .disk_space = fs_disk_space };
