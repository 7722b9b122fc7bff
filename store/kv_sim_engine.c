/*
 * Environments of the simulation as files: see kv.h.
 *
 * KV_FILE is either "KVSIMNEW", le64 number: an environment that began empty; or a copy, "KVSIMROW"
 * and then per table its rows {key, value} (varint lengths) in order, each table ended by an empty
 * key. Opened, a file has a disk in the engine for as long as it is the same file with the same
 * bytes; a copy's rows are loaded into it the first time. The engine flushes nothing of a copy: if
 * its bytes or its name were not durable, they are found missing at the next open, as with LMDB.
 */
#include <stdio.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/list.h"
#include "store/kv.h"

#define NEW_MAGIC      "KVSIMNEW"
#define ROWS_MAGIC     "KVSIMROW"
#define FILE_BYTES_MAX (64u << 20)
#define PATH_BYTES_MAX 1024

struct numbered {
    struct list node;
    uint64_t inode; /* of its file, and what is in it */
    uint64_t bytes_hash;
    struct kv_sim_disk *disk;
};

struct sim_engine {
    struct kv_engine engine; /* first */
    struct env *env;
    struct list disks;
    uint64_t newest;
};

static struct sim_engine *engine_of(const struct kv_engine *k)
{
    return (struct sim_engine *)(uintptr_t)k;
}

static struct numbered *disk_add(struct sim_engine *s)
{
    struct numbered *n = mem_alloc(sizeof *n);
    n->disk = kv_sim_disk_new();
    list_append(&s->disks, &n->node);
    return n;
}

static struct numbered *disk_find(struct sim_engine *s, uint64_t inode, struct str bytes)
{
    list_foreach (node, &s->disks) {
        struct numbered *n = container_of(node, struct numbered, node);
        if (n->inode == inode && n->bytes_hash == str_hash(bytes))
            return n;
    }
    return NULL;
}

static void disk_drop(struct numbered *n)
{
    list_remove(&n->node);
    kv_sim_disk_free(n->disk);
    mem_free(n);
}

/* ---- rows ---- */

static void rows_write(struct kv *kv, struct buf *out)
{
    struct kv_txn *t = kv_begin_read(kv);
    buf_append_c(out, ROWS_MAGIC);
    for (int table = 0; table < KV_TABLES; table++) {
        struct kv_cursor c;
        kv_cursor_open(t, (enum kv_table)table, &c);
        for (bool more = kv_seek(&c, str_of("", 0)); more; more = kv_next(&c)) {
            buf_put_bytes(out, c.key);
            buf_put_bytes(out, c.value);
        }
        kv_cursor_close(&c);
        buf_put_bytes(out, str_of("", 0));
    }
    kv_abort(t);
}

static bool rows_read(struct kv *kv, struct reader *r)
{
    struct kv_txn *t = kv_begin_write(kv);
    for (int table = 0; table < KV_TABLES; table++)
        for (;;) {
            struct str key = reader_bytes(r);
            if (!reader_ok(r) || key.len == 0)
                break;
            kv_put(t, (enum kv_table)table, key, reader_bytes(r));
        }
    kv_commit(t);
    return reader_ok(r) && reader_left(r) == 0;
}

static int rows_load(struct sim_engine *s, const char *path, struct str bytes,
                     struct numbered **out, struct err *e)
{
    struct reader r;
    struct numbered *n = disk_add(s);
    struct kv *kv = kv_sim_open(n->disk);
    reader_init(&r, bytes);
    bool ok = str_eq_c(reader_take(&r, sizeof ROWS_MAGIC - 1), ROWS_MAGIC) && rows_read(kv, &r);
    /* A file's rows are durable: one more commit, for a crash to lose. */
    kv_commit(kv_begin_write(kv));
    kv_close(kv);
    if (!ok) {
        disk_drop(n);
        return err_set(e, ERR_CORRUPT, "open %s: it holds no rows", path);
    }
    *out = n;
    return 0;
}

/* ---- the engine ---- */

/* Durable, as LMDB makes an environment. */
static int make_file(struct sim_engine *s, const char *path, struct err *e)
{
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, NEW_MAGIC);
    buf_put_le64(&b, ++s->newest);
    int rc = env_file_write(s->env, path, buf_str(&b), 0600, e);
    buf_deinit(&b);
    return rc;
}

static int disk_of_file(struct sim_engine *s, const char *path, struct numbered **out,
                        struct err *e)
{
    struct arena a;
    struct str bytes;
    struct env_stat stat;
    arena_init(&a);
    int rc = env_path_stat(s->env, path, &stat, e);
    if (rc == 0)
        rc = env_file_read(s->env, &a, path, FILE_BYTES_MAX, &bytes, e);
    struct numbered *n = rc == 0 ? disk_find(s, stat.inode, bytes) : NULL;
    if (rc == 0 && n == NULL && bytes.len == 16 && str_starts(bytes, str_lit(NEW_MAGIC)))
        n = disk_add(s);
    else if (rc == 0 && n == NULL)
        rc = rows_load(s, path, bytes, &n, e);
    if (rc == 0) {
        n->inode = stat.inode;
        n->bytes_hash = str_hash(bytes);
        *out = n;
    }
    arena_deinit(&a);
    return rc;
}

static int sim_engine_open(const struct kv_engine *k, const char *folder, uint64_t map_bytes,
                           struct kv **out, struct err *e)
{
    struct sim_engine *s = engine_of(k);
    char path[PATH_BYTES_MAX];
    struct numbered *n = NULL;
    (void)map_bytes; /* memory is the map */
    snprintf(path, sizeof path, "%s/%s", folder, KV_FILE);
    int rc = env_dir_make(s->env, folder, 0700, e);
    if (rc == 0 && !env_path_exists(s->env, path))
        rc = make_file(s, path, e);
    if (rc == 0)
        rc = disk_of_file(s, path, &n, e);
    if (rc == 0)
        *out = kv_sim_open(n->disk);
    return rc;
}

static int sim_engine_open_copy(const struct kv_engine *k, const char *path, struct kv **out,
                                struct err *e)
{
    struct sim_engine *s = engine_of(k);
    struct numbered *n = NULL;
    struct arena a;
    struct str bytes;
    arena_init(&a);
    int rc = env_file_read(s->env, &a, path, FILE_BYTES_MAX, &bytes, e);
    if (rc == 0)
        rc = rows_load(s, path, bytes, &n, e);
    arena_deinit(&a);
    if (rc == 0)
        *out = kv_sim_open(n->disk); /* the disk goes with the engine */
    return rc;
}

static int sim_engine_copy(const struct kv_engine *k, struct kv *kv, const char *path,
                           struct err *e)
{
    struct sim_engine *s = engine_of(k);
    struct buf b;
    ASSERT(kv_sim_is(kv));
    if (env_path_exists(s->env, path))
        return err_set(e, ERR_ALREADY_EXISTS, "make %s: it exists", path);
    buf_init(&b);
    rows_write(kv, &b);
    int rc = env_file_write(s->env, path, buf_str(&b), 0600, e);
    buf_deinit(&b);
    return rc;
}

struct kv_engine *kv_sim_engine_new(struct env *env)
{
    struct sim_engine *s = mem_alloc(sizeof *s);
    s->engine = (struct kv_engine){ .open = sim_engine_open,
                                    .copy = sim_engine_copy,
                                    .open_copy = sim_engine_open_copy };
    s->env = env;
    list_init(&s->disks);
    return &s->engine;
}

void kv_sim_engine_free(struct kv_engine *k)
{
    if (k == NULL)
        return;
    list_foreach_safe (node, &engine_of(k)->disks)
        disk_drop(container_of(node, struct numbered, node));
    mem_free(k);
}

void kv_sim_engine_crash(struct kv_engine *k, bool lose_last_commit)
{
    list_foreach (node, &engine_of(k)->disks)
        kv_sim_crash(container_of(node, struct numbered, node)->disk, lose_last_commit);
}
