/* See the header. */
#include "store/restore.h"

#include <raft.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/folder.h"
#include "store/fsm.h"
#include "store/kv.h"
#include "store/mvcc.h"
#include "store/roster.h"
#include "store/txn.h"
#include "store/wal.h"

#define BUILDING "restoring"

static const char *const group_names[] = { [STORE_CLUSTER] = "cluster", [STORE_BUS] = "bus" };

struct restoring {
    const struct restore_config *config;
    const struct kv_engine *engine;
    struct env_file *lock;
    struct env_file *file;
    struct restored result;
};

static int join(char out[FOLDER_BYTES_MAX], struct err *e, const char *folder, const char *name,
                const char *group)
{
    int n = snprintf(out, FOLDER_BYTES_MAX, "%s/%s%s", folder, name, group);
    if (n < 0 || n >= FOLDER_BYTES_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "%.64s...: the path is too long", folder);
    return 0;
}

/* ---- the folder ---- */

/* What an empty folder may hold: a file system's own, our lock, what an earlier try left. */
static bool may_stay(struct str name)
{
    return str_eq_c(name, "lost+found") || str_eq_c(name, "LOCK") || str_eq_c(name, BUILDING);
}

static int check_empty(struct env *env, const char *folder, struct err *e)
{
    struct arena a;
    struct str *names;
    size_t count = 0;
    arena_init(&a);
    int rc = env_dir_list(env, &a, folder, &names, &count, e);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (!may_stay(names[i]))
            rc = err_set(e, ERR_ALREADY_EXISTS,
                         "%s is not empty (it holds %.*s): a backup is restored into a new "
                         "member's folder only",
                         folder, STR_ARG(names[i]));
    arena_deinit(&a);
    return rc;
}

static int open_folder(struct restoring *r, char building[FOLDER_BYTES_MAX], struct err *e)
{
    struct env *env = r->config->env;
    const char *folder = r->config->folder;
    char path[FOLDER_BYTES_MAX];
    int rc = env_path_exists(env, folder) ? 0 : folder_make(env, folder, e);
    if (rc == 0)
        rc = check_empty(env, folder, e);
    if (rc == 0)
        rc = join(path, e, folder, "LOCK", "");
    if (rc == 0) {
        rc = env_file_lock(env, path, &r->lock, e);
        if (rc != 0)
            rc = err_wrap(e, rc, "another process uses %s", folder);
    }
    if (rc == 0)
        rc = join(building, e, folder, BUILDING, "");
    if (rc == 0)
        rc = env_remove_tree(env, building, e);
    return rc == 0 ? folder_make(env, building, e) : rc;
}

/* ---- the restoring entry ---- */

static void add_txn(struct buf *entry, const struct store_op *ops, size_t count)
{
    struct store_txn txn = { .ops = ops, .ops_count = count };
    struct buf bytes;
    struct err e;
    buf_init(&bytes);
    int rc = txn_encode(&txn, &bytes, &e);
    ASSERT(rc == 0);
    entry_add(entry, buf_str(&bytes));
    buf_deinit(&bytes);
}

/* Alarms are of members that are no more; where there is one, the level knows the operation. */
static uint32_t forget_alarms(struct fsm *f, struct buf *entry)
{
    struct alarm_member on[ALARM_MEMBERS_MAX];
    struct store_op ops[ALARM_MEMBERS_MAX];
    size_t count = fsm_alarms(f, on);
    for (size_t i = 0; i < count; i++)
        ops[i] = (struct store_op){ .type = STORE_OP_ALARM, .revision = on[i].member };
    if (count > 0)
        add_txn(entry, ops, count);
    return count > 0 ? 1 : 0;
}

/* Every key there is under prefix goes, in as many transactions as that takes. */
static uint32_t forget_keys(struct kv *kv, struct arena *a, const char *prefix, struct buf *entry)
{
    struct store_op ops[STORE_TXN_OPS_MAX];
    struct kv_cursor cursor;
    size_t count = 0;
    uint32_t txns = 0;
    struct kv_txn *t = kv_begin_read(kv);
    ASSERT(t != NULL);
    kv_cursor_open(t, KV_CUR, &cursor);
    for (bool more = kv_seek(&cursor, str_from(prefix)); more; more = kv_next(&cursor)) {
        struct newest newest;
        if (!str_starts(cursor.key, str_from(prefix)))
            break;
        newest_decode(cursor.value, &newest);
        if (newest.tombstone)
            continue;
        ops[count++] = (struct store_op){ .type = STORE_OP_DELETE, .key = str_copy(a, cursor.key) };
        if (count == STORE_TXN_OPS_MAX) {
            add_txn(entry, ops, count);
            txns++;
            count = 0;
        }
    }
    kv_cursor_close(&cursor);
    kv_abort(t);
    if (count > 0) {
        add_txn(entry, ops, count);
        txns++;
    }
    return txns;
}

static struct str row_text(struct arena *a, void (*append)(const void *from, struct buf *out),
                           const void *from)
{
    struct buf b;
    buf_init(&b);
    append(from, &b);
    struct str text = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

static void append_key(const void *from, struct buf *out)
{
    roster_row_key(((const struct roster_row *)from)->member.name, out);
}

static void append_value(const void *from, struct buf *out)
{
    roster_row_encode(from, out);
}

static void add_members(const struct restore_config *c, struct arena *a, struct buf *entry)
{
    struct store_op ops[ROSTER_MAX + 1];
    struct roster roster;
    size_t count = 0;
    roster_from_members(&roster, c->members, c->members_count);
    for (size_t i = 0; i < roster.count; i++)
        ops[count++] = (struct store_op){ .type = STORE_OP_PUT,
                                          .key = row_text(a, append_key, &roster.rows[i]),
                                          .value = row_text(a, append_value, &roster.rows[i]) };
    struct str next = str_printf(a, "%llu", (unsigned long long)roster.next_id);
    ops[count++] =
        (struct store_op){ .type = STORE_OP_PUT, .key = str_lit(ROSTER_NEXT_KEY), .value = next };
    add_txn(entry, ops, count);
}

/* What is the cluster's own, in the cluster group alone; the number of transactions. */
static uint32_t change_members(const struct restore_config *c, struct kv *kv, struct arena *a,
                               struct buf *entry)
{
    uint32_t txns = forget_keys(kv, a, ROSTER_PREFIX, entry);
    for (size_t i = 0; c->forget_prefixes != NULL && c->forget_prefixes[i] != NULL; i++)
        txns += forget_keys(kv, a, c->forget_prefixes[i], entry);
    add_members(c, a, entry);
    return txns + 1;
}

/* One entry after the last, of the next term. */
static int apply_entry(struct restoring *r, enum store_group_id id, struct kv *kv, struct fsm *f,
                       struct err *e)
{
    struct buf entry;
    struct arena a;
    size_t commands;
    buf_init(&entry);
    arena_init(&a);
    entry_begin(&entry, f->point.level, f->point.term + 1);
    uint32_t count = forget_alarms(f, &entry);
    if (id == STORE_CLUSTER)
        count += change_members(r->config, kv, &a, &entry);
    entry_end(&entry, count);
    struct kv_txn *t = kv_begin_write(kv);
    enum group_halt why =
        fsm_apply(f, t, f->point.index + 1, buf_str(&entry), NULL, NULL, &commands, e);
    if (why == 0) {
        fsm_save(f, t);
        kv_commit(t);
    } else {
        kv_abort(t);
    }
    arena_deinit(&a);
    buf_deinit(&entry);
    return why == 0 ? 0 : -(int)e->code;
}

/* ---- one group ---- */

static bool same_point(const struct point *a, const struct point *b)
{
    return a->index == b->index && a->term == b->term && a->revision == b->revision &&
           a->digest == b->digest && a->compacted == b->compacted && a->level == b->level;
}

/* What was written is on disk, LMDB's newest meta page included. */
static int flush(struct env *env, const char *path, struct err *e)
{
    struct env_file *f;
    int rc = env_file_open(env, path, ENV_FILE_WRITE, 0, &f, e);
    if (rc != 0)
        return rc;
    rc = env_file_sync(f, e);
    env_file_close(f);
    return rc;
}

static int change_state(struct restoring *r, enum store_group_id id, const char *folder,
                        struct err *e)
{
    struct kv *kv;
    struct fsm f;
    int rc = r->engine->open(r->engine, folder, 0, &kv, e);
    if (rc != 0)
        return rc;
    rc = fsm_init(&f, kv, e);
    if (rc == 0) {
        rc = apply_entry(r, id, kv, &f, e);
        r->result.points[id] = f.point;
        fsm_deinit(&f);
    }
    kv_close(kv);
    return rc;
}

static int build_state(struct restoring *r, const struct backup_group *g, const char *building,
                       struct err *e)
{
    struct env *env = r->config->env;
    char folder[FOLDER_BYTES_MAX];
    char current[FOLDER_BYTES_MAX];
    char path[FOLDER_BYTES_MAX];
    struct point point;
    int rc = join(folder, e, building, "lmdb-", group_names[g->id]);
    if (rc == 0)
        rc = folder_open(env, folder, current, e);
    if (rc == 0)
        rc = join(path, e, current, KV_FILE, "");
    if (rc == 0)
        rc = backup_take(env, r->file, g, path, e);
    if (rc == 0)
        rc = group_copy_point(r->engine, g->id, path, &point, e);
    if (rc == 0 && !same_point(&point, &g->point))
        rc = err_set(e, ERR_CORRUPT, "the copy of group %s is not what the backup's header says",
                     group_names[g->id]);
    if (rc == 0)
        rc = change_state(r, g->id, current, e);
    if (rc == 0)
        rc = flush(env, path, e);
    return rc == 0 ? env_dir_sync(env, current, e) : rc;
}

/* A log that begins behind the restoring entry. */
static int build_log(struct restoring *r, enum store_group_id id, const char *building,
                     struct err *e)
{
    const struct point *p = &r->result.points[id];
    struct wal_snapshot snapshot = { .index = p->index,
                                     .term = p->term,
                                     .configuration_index = p->index,
                                     .servers_count = r->config->members_count,
                                     .manifest_len = MANIFEST_BYTES };
    char folder[FOLDER_BYTES_MAX];
    int rc = join(folder, e, building, "log-", group_names[id]);
    for (size_t i = 0; rc == 0 && i < snapshot.servers_count; i++) {
        const struct store_member *m = &r->config->members[i];
        struct wal_server *server = &snapshot.servers[i];
        server->id = m->id;
        server->role = RAFT_VOTER;
        if (strlen(m->name) >= sizeof server->address)
            rc = err_set(e, ERR_INVALID_ARGUMENT, "%s: the name is too long", m->name);
        else
            memcpy(server->address, m->name, strlen(m->name) + 1);
    }
    if (rc != 0)
        return rc;
    manifest_encode(p, id, snapshot.manifest);
    return wal_create(r->config->env, folder, p->term, &snapshot, NULL, 0, e);
}

/* ---- all of it ---- */

static int build(struct restoring *r, const char *building, struct err *e)
{
    const struct backup *b = &r->result.backup;
    bool found[STORE_BUS + 1] = { false };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < b->groups_count; i++) {
        found[b->groups[i].id] = true;
        rc = build_state(r, &b->groups[i], building, e);
        if (rc == 0)
            rc = build_log(r, b->groups[i].id, building, e);
    }
    for (enum store_group_id id = STORE_CLUSTER; rc == 0 && id <= STORE_BUS; id++)
        if (!found[id])
            rc = err_set(e, ERR_NOT_FOUND, "%s holds no copy of group %s", r->config->file,
                         group_names[id]);
    return rc;
}

/* States first: a log without its state, or the other way round, is refused at start. */
static int move_in(struct restoring *r, const char *building, struct err *e)
{
    static const char *const kinds[] = { "lmdb-", "log-" };
    struct env *env = r->config->env;
    char from[FOLDER_BYTES_MAX];
    char to[FOLDER_BYTES_MAX];
    int rc = env_dir_sync(env, building, e);
    for (size_t k = 0; rc == 0 && k < 2; k++) {
        for (enum store_group_id id = STORE_BUS; rc == 0 && id >= STORE_CLUSTER; id--) {
            rc = join(from, e, building, kinds[k], group_names[id]);
            if (rc == 0)
                rc = join(to, e, r->config->folder, kinds[k], group_names[id]);
            if (rc == 0)
                rc = env_path_rename(env, from, to, e);
        }
        if (rc == 0)
            rc = env_dir_sync(env, r->config->folder, e);
    }
    return rc == 0 ? env_remove_tree(env, building, e) : rc;
}

/* What move_in had moved: the folder is to be as empty as it was. */
static void move_out(const struct restoring *r)
{
    static const char *const kinds[] = { "lmdb-", "log-" };
    char path[FOLDER_BYTES_MAX];
    for (size_t k = 0; k < 2; k++)
        for (enum store_group_id id = STORE_BUS; id >= STORE_CLUSTER; id--)
            if (join(path, NULL, r->config->folder, kinds[k], group_names[id]) == 0)
                (void)env_remove_tree(r->config->env, path, NULL); /* its error is told already */
}

static int check_members(const struct restore_config *c, struct err *e)
{
    if (c->members_count == 0 || c->members_count > ROSTER_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "%zu members", c->members_count);
    return 0;
}

int store_restore(const struct restore_config *config, struct restored *out, struct err *e)
{
    struct restoring r = { .config = config,
                           .engine = config->engine != NULL ? config->engine : &kv_lmdb };
    char building[FOLDER_BYTES_MAX] = "";
    int rc = check_members(config, e);
    if (rc == 0)
        rc = backup_open(config->env, config->file, &r.result.backup, &r.file, e);
    if (rc == 0)
        rc = open_folder(&r, building, e);
    bool begun = rc == 0;
    if (rc == 0)
        rc = build(&r, building, e);
    if (rc == 0 && config->built != NULL)
        rc = config->built(config->ctx, e);
    if (rc == 0) {
        rc = move_in(&r, building, e);
        if (rc != 0)
            move_out(&r);
    }
    if (rc != 0 && begun)
        (void)env_remove_tree(config->env, building, NULL); /* else the next call does */
    env_file_close(r.file);
    env_file_close(r.lock);
    if (rc == 0)
        *out = r.result;
    return rc;
}
