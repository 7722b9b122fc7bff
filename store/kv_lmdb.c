/*
 * The ordered map over LMDB.
 *
 * MDB_NOMETASYNC: one flush per commit; a crash may lose the last transaction, never more, and
 * never corrupts (pages freed by transaction N are not reused before N + 1 is durable).
 * MDB_NOTLS: read transactions belong to the object, not to the thread's slot. The map is large
 * address space, set once. Any LMDB error while writing aborts: see kv.h.
 *
 * The file is extended ahead of use with fallocate, by the one writing thread between transactions:
 * LMDB would grow it a few pages at every commit, and each growth makes the flush commit the file
 * system's journal. (Writing zeros ahead was measured too: it writes everything twice and costs
 * more than it saves.) So a full disk shows here, while there is still room for what is under way.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "store/kv.h"
#include "store/store.h"

#define LMDB_READERS_MAX 1024
/* The file is grown to so far ahead of the last used page. */
#define LMDB_AHEAD_BYTES (32u << 20)
/* And has at least this much there when a transaction begins: the largest batch of the applier,
 * with an entry at the limit in it and every page it touches copied, takes less. */
#define LMDB_ROOM_BYTES (LMDB_AHEAD_BYTES / 2)
/* A disk with less is full for us. */
#define LMDB_FULL_BYTES (1u << 20)
#define NO_TABLE        UINT_MAX

struct kv_lmdb {
    struct kv kv;
    MDB_env *env;
    MDB_dbi tables[KV_TABLES];
    uint64_t map_bytes;
    uint64_t page_bytes;
    uint64_t file_bytes;
};

struct lmdb_txn {
    struct kv_txn txn;
    MDB_txn *mdb;
};

static const char *const table_names[KV_TABLES] = {
    [KV_META] = "meta",         [KV_REV] = "rev",     [KV_CUR] = "cur",       [KV_INDEX] = "index",
    [KV_COUNTER] = "count",     [KV_ROW] = "row",     [KV_STREAM] = "stream", [KV_STATE] = "state",
    [KV_PRODUCER] = "producer", [KV_TIMER] = "timer", [KV_EXPIRY] = "expiry"
};

static struct kv_lmdb *lmdb_of(struct kv *kv)
{
    return (struct kv_lmdb *)kv;
}

static MDB_txn *mdb_of(struct kv_txn *t)
{
    return ((struct lmdb_txn *)t)->mdb;
}

static MDB_dbi dbi_of(struct kv_txn *t, enum kv_table table)
{
    return lmdb_of(t->kv)->tables[table];
}

/* LMDB failed where the state machine cannot go on. What an operator can cure is said as such: a
 * full disk by its free bytes, a full map by its size. */
static _Noreturn void lmdb_die(const struct kv_lmdb *l, const char *what, int rc)
{
    const char *path = "?";
    struct statvfs vfs = { 0 };
    (void)mdb_env_get_path(l->env, &path); /* failing, the reason is still worth telling */
    (void)statvfs(path, &vfs);
    uint64_t free_bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    /* LMDB calls a write that came out short EIO. */
    bool full = rc == ENOSPC || rc == EDQUOT || (rc == EIO && free_bytes < LMDB_FULL_BYTES);
    const char *message = full ? "no space left where the state is kept: make room, start again"
                          : rc == MDB_MAP_FULL ? "the state has outgrown its map"
                                               : "lmdb failed";
    log_error(message, KV("folder", path), KVN("free_bytes", free_bytes),
              KVN("map_bytes", l->map_bytes), KV("call", what), KV("error", mdb_strerror(rc)));
    assert_fail(what, __FILE__, __LINE__, "lmdb");
}

static MDB_val val_of(struct str s)
{
    return (MDB_val){ .mv_size = s.len, .mv_data = (void *)(uintptr_t)s.data };
}

static struct str str_of_val(MDB_val v)
{
    return str_of(v.mv_data, v.mv_size);
}

/* Translates an error of opening, where the caller can still say what is wrong. */
static int lmdb_error(struct err *e, int rc, const char *what, const char *folder)
{
    enum err_code code = ERR_IO;
    if (rc == MDB_CORRUPTED || rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH)
        code = ERR_CORRUPT;
    else if (rc == ENOSPC)
        code = ERR_NO_SPACE;
    return err_set(e, code, "%s %s: %s", what, folder, mdb_strerror(rc));
}

static struct kv_txn *lmdb_begin(struct kv *kv, bool write)
{
    struct lmdb_txn *t = mem_alloc(sizeof *t);
    t->txn = (struct kv_txn){ .kv = kv, .write = write };
    int rc = mdb_txn_begin(lmdb_of(kv)->env, NULL, write ? 0 : MDB_RDONLY, &t->mdb);
    if (rc == MDB_READERS_FULL) {
        mem_free(t);
        return NULL;
    }
    if (rc != 0)
        lmdb_die(lmdb_of(kv), "mdb_txn_begin", rc);
    return &t->txn;
}

static uint64_t size_of(mdb_filehandle_t fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* Its length afterwards: on a full disk a part may have been had. UINT64_MAX: this file system
 * cannot do it, or the map ends there: LMDB grows the file itself. */
static uint64_t grow(const struct kv_lmdb *l, mdb_filehandle_t fd, uint64_t bytes)
{
    if (bytes > l->map_bytes)
        return UINT64_MAX;
    if (fallocate(fd, 0, 0, (off_t)bytes) == 0)
        return bytes;
    return errno == ENOSPC || errno == EDQUOT || errno == EINTR ? size_of(fd) : UINT64_MAX;
}

static bool lmdb_room(struct kv *kv)
{
    struct kv_lmdb *l = lmdb_of(kv);
    MDB_envinfo info = { 0 };
    mdb_filehandle_t fd;
    (void)mdb_env_info(l->env, &info); /* cannot fail on an open environment */
    uint64_t used = ((uint64_t)info.me_last_pgno + 1) * l->page_bytes;
    if (used + LMDB_ROOM_BYTES <= l->file_bytes || mdb_env_get_fd(l->env, &fd) != 0)
        return true;
    l->file_bytes = grow(l, fd, used + LMDB_AHEAD_BYTES);
    return used + LMDB_ROOM_BYTES <= l->file_bytes;
}

static void lmdb_commit(struct kv_txn *t)
{
    int rc = mdb_txn_commit(mdb_of(t));
    if (rc != 0)
        lmdb_die(lmdb_of(t->kv), "mdb_txn_commit", rc);
    struct kv *kv = t->kv;
    mem_free(t);
    (void)lmdb_room(kv); /* now, not when the next one is waited for */
}

static void lmdb_abort(struct kv_txn *t)
{
    mdb_txn_abort(mdb_of(t));
    mem_free(t);
}

static bool lmdb_get(struct kv_txn *t, enum kv_table table, struct str key, struct str *out)
{
    MDB_val k = val_of(key);
    MDB_val v;
    if (dbi_of(t, table) == NO_TABLE)
        return false;
    int rc = mdb_get(mdb_of(t), dbi_of(t, table), &k, &v);
    if (rc == MDB_NOTFOUND)
        return false;
    if (rc != 0)
        lmdb_die(lmdb_of(t->kv), "mdb_get", rc);
    *out = str_of_val(v);
    return true;
}

static void lmdb_put(struct kv_txn *t, enum kv_table table, struct str key, struct str value,
                     bool append)
{
    MDB_val k = val_of(key);
    MDB_val v = val_of(value);
    int rc = mdb_put(mdb_of(t), dbi_of(t, table), &k, &v, append ? MDB_APPEND : 0);
    if (rc != 0)
        lmdb_die(lmdb_of(t->kv), "mdb_put", rc);
}

static bool lmdb_del(struct kv_txn *t, enum kv_table table, struct str key)
{
    MDB_val k = val_of(key);
    int rc = mdb_del(mdb_of(t), dbi_of(t, table), &k, NULL);
    if (rc != 0 && rc != MDB_NOTFOUND)
        lmdb_die(lmdb_of(t->kv), "mdb_del", rc);
    return rc == 0;
}

static void lmdb_cursor_open(struct kv_cursor *c)
{
    MDB_cursor *cursor = NULL;
    if (dbi_of(c->txn, c->table) == NO_TABLE)
        return;
    int rc = mdb_cursor_open(mdb_of(c->txn), dbi_of(c->txn, c->table), &cursor);
    if (rc != 0)
        lmdb_die(lmdb_of(c->txn->kv), "mdb_cursor_open", rc);
    c->impl = cursor;
}

static void lmdb_cursor_close(struct kv_cursor *c)
{
    if (c->impl != NULL)
        mdb_cursor_close(c->impl);
}

static bool lmdb_move(struct kv_cursor *c, struct str key, MDB_cursor_op op)
{
    MDB_val k = val_of(key);
    MDB_val v = { 0 };
    if (c->impl == NULL)
        return false;
    int rc = mdb_cursor_get(c->impl, &k, &v, op);
    if (rc == MDB_NOTFOUND)
        return false;
    if (rc != 0)
        lmdb_die(lmdb_of(c->txn->kv), "mdb_cursor_get", rc);
    c->key = str_of_val(k);
    c->value = str_of_val(v);
    return true;
}

static bool lmdb_seek(struct kv_cursor *c, struct str key)
{
    /* LMDB refuses an empty key. */
    return key.len == 0 ? lmdb_move(c, key, MDB_FIRST) : lmdb_move(c, key, MDB_SET_RANGE);
}

static bool lmdb_last(struct kv_cursor *c)
{
    return lmdb_move(c, str_of("", 0), MDB_LAST);
}

static bool lmdb_next(struct kv_cursor *c)
{
    return lmdb_move(c, str_of("", 0), MDB_NEXT);
}

static bool lmdb_prev(struct kv_cursor *c)
{
    return lmdb_move(c, str_of("", 0), MDB_PREV);
}

static void lmdb_close(struct kv *kv)
{
    struct kv_lmdb *l = lmdb_of(kv);
    (void)mdb_env_sync(l->env, 1); /* an orderly end loses nothing; failing, the log has it */
    mdb_env_close(l->env);
    mem_free(l);
}

static const struct kv_ops lmdb_ops = {
    .begin = lmdb_begin,
    .commit = lmdb_commit,
    .abort = lmdb_abort,
    .get = lmdb_get,
    .put = lmdb_put,
    .del = lmdb_del,
    .cursor_open = lmdb_cursor_open,
    .cursor_close = lmdb_cursor_close,
    .seek = lmdb_seek,
    .last = lmdb_last,
    .next = lmdb_next,
    .prev = lmdb_prev,
    .room = lmdb_room,
    .close = lmdb_close,
};

/* ---- opening ---- */

/* A copy that a release with fewer tables made lacks some: they read as empty. */
static int lmdb_open_tables(struct kv_lmdb *l, bool reading)
{
    MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(l->env, NULL, reading ? MDB_RDONLY : 0, &txn);
    if (rc != 0)
        return rc;
    for (int i = 0; i < KV_TABLES && rc == 0; i++) {
        rc = mdb_dbi_open(txn, table_names[i], reading ? 0 : MDB_CREATE, &l->tables[i]);
        if (rc != MDB_NOTFOUND || !reading || i == KV_META)
            continue;
        l->tables[i] = NO_TABLE;
        rc = 0;
    }
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

static int lmdb_open(const char *path, uint64_t map_bytes, unsigned flags, struct kv **out,
                     struct err *e)
{
    bool reading = (flags & MDB_RDONLY) != 0;
    struct kv_lmdb *l = mem_alloc(sizeof *l);
    l->kv.ops = &lmdb_ops;
    l->map_bytes = map_bytes > 0 ? map_bytes : STORE_MAP_BYTES;
    int rc = mdb_env_create(&l->env);
    ASSERT(rc == 0); /* only memory */
    rc = mdb_env_set_mapsize(l->env, l->map_bytes);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(l->env, KV_TABLES);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(l->env, LMDB_READERS_MAX);
    if (rc == 0)
        rc = mdb_env_open(l->env, path, MDB_NOTLS | MDB_NORDAHEAD | flags, 0600);
    int dead = 0;
    if (rc == 0 && !reading)
        rc = mdb_reader_check(l->env, &dead);
    if (rc == 0)
        rc = lmdb_open_tables(l, reading);
    MDB_stat stat;
    if (rc == 0)
        rc = mdb_env_stat(l->env, &stat);
    if (rc != 0) {
        mdb_env_close(l->env);
        mem_free(l);
        return lmdb_error(e, rc, "open", path);
    }
    ASSERT(mdb_env_get_maxkeysize(l->env) >= KV_KEY_BYTES_MAX);
    l->page_bytes = stat.ms_psize;
    mdb_filehandle_t fd;
    if (mdb_env_get_fd(l->env, &fd) == 0)
        l->file_bytes = size_of(fd);
    *out = &l->kv;
    return 0;
}

static int sync_folder(const char *folder, struct err *e)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0)
        (void)close(fd);
    return rc == 0 ? 0 : err_set(e, err_from_errno(rc), "flush %s: %s", folder, strerror(rc));
}

/* A new environment has its name only when it is whole: LMDB writes both meta pages without a flush
 * between them, and refuses a file in which one is missing. Nobody else opens it: no lock file. */
static int lmdb_make(const char *folder, const char *path, uint64_t map_bytes, struct err *e)
{
    char making[PATH_MAX];
    struct kv *kv;
    if (snprintf(making, sizeof making, "%s.new", path) >= (int)sizeof making)
        return err_set(e, ERR_INVALID_ARGUMENT, "%.64s...: the path is too long", path);
    if (unlink(making) != 0 && errno != ENOENT)
        return err_set(e, err_from_errno(errno), "remove %s: %s", making, strerror(errno));
    int rc = lmdb_open(making, map_bytes, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOMETASYNC, &kv, e);
    if (rc != 0)
        return rc;
    rc = mdb_env_sync(lmdb_of(kv)->env, 1);
    kv_close(kv);
    if (rc != 0)
        return lmdb_error(e, rc, "flush", making);
    if (rename(making, path) != 0)
        return err_set(e, err_from_errno(errno), "rename %s: %s", making, strerror(errno));
    return sync_folder(folder, e);
}

int kv_lmdb_open(const char *folder, uint64_t map_bytes, struct kv **out, struct err *e)
{
    char path[PATH_MAX];
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return err_set(e, err_from_errno(errno), "make %s: %s", folder, strerror(errno));
    if (snprintf(path, sizeof path, "%s/" KV_FILE, folder) >= (int)sizeof path)
        return err_set(e, ERR_INVALID_ARGUMENT, "%.64s...: the path is too long", folder);
    int rc = access(path, F_OK) == 0 ? 0 : lmdb_make(folder, path, map_bytes, e);
    return rc != 0 ? rc : lmdb_open(folder, map_bytes, MDB_NOMETASYNC, out, e);
}

static int engine_open(const struct kv_engine *k, const char *folder, uint64_t map_bytes,
                       struct kv **out, struct err *e)
{
    (void)k; /* LMDB has no state of its own */
    return kv_lmdb_open(folder, map_bytes, out, e);
}

/* Without a lock file: nobody writes to a copy, and its reader slots are this process's own. */
static int engine_open_copy(const struct kv_engine *k, const char *path, struct kv **out,
                            struct err *e)
{
    (void)k;
    return lmdb_open(path, 0, MDB_RDONLY | MDB_NOSUBDIR | MDB_NOLOCK, out, e);
}

static int engine_copy(const struct kv_engine *k, struct kv *kv, const char *path, struct err *e)
{
    (void)k;
    ASSERT(kv->ops == &lmdb_ops);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(e, err_from_errno(errno), "make %s: %s", path, strerror(errno));
    int rc = mdb_env_copyfd2(lmdb_of(kv)->env, fd, MDB_CP_COMPACT);
    if (close(fd) != 0 && rc == 0)
        rc = errno;
    return rc == 0 ? 0 : lmdb_error(e, rc, "copy to", path);
}

const struct kv_engine kv_lmdb = { .open = engine_open,
                                   .copy = engine_copy,
                                   .open_copy = engine_open_copy };

/* ---- usage ---- */

void kv_lmdb_usage(struct kv *kv, uint64_t *out_used_bytes, uint64_t *out_map_bytes)
{
    ASSERT(kv->ops == &lmdb_ops);
    struct kv_lmdb *l = lmdb_of(kv);
    MDB_envinfo info = { 0 };
    (void)mdb_env_info(l->env, &info); /* cannot fail on an open environment */
    *out_used_bytes = ((uint64_t)info.me_last_pgno + 1) * l->page_bytes;
    *out_map_bytes = l->map_bytes;
}

uint64_t kv_lmdb_free_bytes(struct kv *kv)
{
    ASSERT(kv->ops == &lmdb_ops);
    struct kv_lmdb *l = lmdb_of(kv);
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val k;
    MDB_val v;
    uint64_t pages = 0;
    if (mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn) != 0)
        return 0; /* every reader slot is taken: the next sample counts */
    /* Table 0 is LMDB's own: transaction -> {count, pages it freed}. */
    int rc = mdb_cursor_open(txn, 0, &cursor);
    if (rc != 0)
        lmdb_die(l, "mdb_cursor_open", rc);
    while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0) {
        size_t count;
        ASSERT(v.mv_size >= sizeof count);
        memcpy(&count, v.mv_data, sizeof count);
        pages += count;
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return pages * l->page_bytes;
}
