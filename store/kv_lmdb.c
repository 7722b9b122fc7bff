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
 * more than it saves.)
 */
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "store/kv.h"
#include "store/store.h"

#define LMDB_READERS_MAX 1024
/* The file is kept at least this far ahead of the last used page, and grown by this much. */
#define LMDB_AHEAD_BYTES (32u << 20)

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
    [KV_META] = "meta",     [KV_REV] = "rev",       [KV_CUR] = "cur",
    [KV_INDEX] = "index",   [KV_COUNTER] = "count", [KV_ROW] = "row",
    [KV_STREAM] = "stream", [KV_STATE] = "state",   [KV_PRODUCER] = "producer"
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

/* LMDB failed where the state machine cannot go on. */
static _Noreturn void lmdb_die(const char *what, int rc)
{
    log_error("lmdb failed", KV("call", what), KV("error", mdb_strerror(rc)));
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
        lmdb_die("mdb_txn_begin", rc);
    return &t->txn;
}

/* Best effort: on a full disk LMDB itself reports it when it must. */
static void lmdb_extend(struct kv_lmdb *l)
{
    MDB_envinfo info;
    if (mdb_env_info(l->env, &info) != 0)
        return;
    uint64_t used = ((uint64_t)info.me_last_pgno + 1) * l->page_bytes;
    if (used + LMDB_AHEAD_BYTES / 2 <= l->file_bytes)
        return;
    mdb_filehandle_t fd;
    if (mdb_env_get_fd(l->env, &fd) != 0)
        return;
    uint64_t at = used + LMDB_AHEAD_BYTES;
    if (at > l->map_bytes || fallocate(fd, 0, 0, (off_t)at) != 0)
        at = UINT64_MAX; /* this file system cannot: LMDB grows the file itself */
    l->file_bytes = at;
}

static void lmdb_commit(struct kv_txn *t)
{
    int rc = mdb_txn_commit(mdb_of(t));
    if (rc != 0)
        lmdb_die("mdb_txn_commit", rc);
    lmdb_extend(lmdb_of(t->kv));
    mem_free(t);
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
    int rc = mdb_get(mdb_of(t), dbi_of(t, table), &k, &v);
    if (rc == MDB_NOTFOUND)
        return false;
    if (rc != 0)
        lmdb_die("mdb_get", rc);
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
        lmdb_die("mdb_put", rc);
}

static bool lmdb_del(struct kv_txn *t, enum kv_table table, struct str key)
{
    MDB_val k = val_of(key);
    int rc = mdb_del(mdb_of(t), dbi_of(t, table), &k, NULL);
    if (rc != 0 && rc != MDB_NOTFOUND)
        lmdb_die("mdb_del", rc);
    return rc == 0;
}

static void lmdb_cursor_open(struct kv_cursor *c)
{
    MDB_cursor *cursor = NULL;
    int rc = mdb_cursor_open(mdb_of(c->txn), dbi_of(c->txn, c->table), &cursor);
    if (rc != 0)
        lmdb_die("mdb_cursor_open", rc);
    c->impl = cursor;
}

static void lmdb_cursor_close(struct kv_cursor *c)
{
    mdb_cursor_close(c->impl);
}

static bool lmdb_move(struct kv_cursor *c, struct str key, MDB_cursor_op op)
{
    MDB_val k = val_of(key);
    MDB_val v = { 0 };
    int rc = mdb_cursor_get(c->impl, &k, &v, op);
    if (rc == MDB_NOTFOUND)
        return false;
    if (rc != 0)
        lmdb_die("mdb_cursor_get", rc);
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
    .close = lmdb_close,
};

static int lmdb_open_tables(struct kv_lmdb *l)
{
    MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(l->env, NULL, 0, &txn);
    if (rc != 0)
        return rc;
    for (int i = 0; i < KV_TABLES && rc == 0; i++)
        rc = mdb_dbi_open(txn, table_names[i], MDB_CREATE, &l->tables[i]);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

int kv_lmdb_open(const char *folder, uint64_t map_bytes, struct kv **out, struct err *e)
{
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return err_set(e, err_from_errno(errno), "make %s: %s", folder, strerror(errno));
    struct kv_lmdb *l = mem_alloc(sizeof *l);
    l->kv.ops = &lmdb_ops;
    l->map_bytes = map_bytes > 0 ? map_bytes : STORE_MAP_BYTES;
    int rc = mdb_env_create(&l->env);
    if (rc != 0)
        lmdb_die("mdb_env_create", rc);
    rc = mdb_env_set_mapsize(l->env, l->map_bytes);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(l->env, KV_TABLES);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(l->env, LMDB_READERS_MAX);
    if (rc == 0)
        rc = mdb_env_open(l->env, folder, MDB_NOTLS | MDB_NOMETASYNC | MDB_NORDAHEAD, 0600);
    int dead = 0;
    if (rc == 0)
        rc = mdb_reader_check(l->env, &dead);
    if (rc == 0)
        rc = lmdb_open_tables(l);
    MDB_stat stat;
    if (rc == 0)
        rc = mdb_env_stat(l->env, &stat);
    if (rc != 0) {
        mdb_env_close(l->env);
        mem_free(l);
        return lmdb_error(e, rc, "open", folder);
    }
    ASSERT(mdb_env_get_maxkeysize(l->env) >= KV_KEY_BYTES_MAX);
    l->page_bytes = stat.ms_psize;
    mdb_filehandle_t fd;
    struct stat st;
    if (mdb_env_get_fd(l->env, &fd) == 0 && fstat(fd, &st) == 0)
        l->file_bytes = (uint64_t)st.st_size;
    *out = &l->kv;
    return 0;
}

int kv_lmdb_copy(struct kv *kv, const char *folder, struct err *e)
{
    ASSERT(kv->ops == &lmdb_ops);
    int rc = mdb_env_copy2(lmdb_of(kv)->env, folder, MDB_CP_COMPACT);
    return rc == 0 ? 0 : lmdb_error(e, rc, "copy to", folder);
}

void kv_lmdb_usage(struct kv *kv, uint64_t *out_used_bytes, uint64_t *out_map_bytes)
{
    ASSERT(kv->ops == &lmdb_ops);
    struct kv_lmdb *l = lmdb_of(kv);
    MDB_envinfo info = { 0 };
    (void)mdb_env_info(l->env, &info); /* cannot fail on an open environment */
    *out_used_bytes = ((uint64_t)info.me_last_pgno + 1) * l->page_bytes;
    *out_map_bytes = l->map_bytes;
}
