/*
 * The environments of a group: the current one, those on their way out, and the exchange.
 *
 * Install, on the applier's loop: take the staged file -> open it -> verify -> CURRENT names it ->
 * it is the one that readers enter -> state machine and ring begin anew from it -> its point is
 * published. In this order a reader that saw a published revision finds an environment that holds
 * it, and the ring has let go before a revision above its end can be asked of it. A failure up to
 * CURRENT leaves everything as it was; there is none after it.
 *
 * The old environment ends on the pool when its count was seen at zero after the exchange: closed,
 * and its folder removed. What a crash leaves is removed at the next start.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/log.h"
#include "store/group_state.h"
#include "store/kv.h"
#include "store/mvcc.h"
#include "store/txn.h"

#define INSTALLED_NAME "installed"
#define RETIRE_POLL_MS 10
/* meta: whose state this is, le32; so that a copy is never taken for another group's. */
#define GROUP_NAME "group"

/* ---- entering ---- */

struct group_env *group_enter(struct store_group *g)
{
    for (;;) {
        struct group_env *v = atomic_load(&g->env);
        atomic_fetch_add(&v->readers, 1);
        if (atomic_load(&g->env) == v)
            return v;
        atomic_fetch_sub(&v->readers, 1);
    }
}

void group_leave(struct group_env *v)
{
    atomic_fetch_sub(&v->readers, 1);
}

/* ---- whose it is ---- */

static int check_group(struct kv *kv, enum store_group_id id, bool *out_named, struct err *e)
{
    struct str row;
    int rc = 0;
    struct kv_txn *t = kv_begin_read(kv);
    if (t == NULL)
        return err_set(e, ERR_UNAVAILABLE, "every reader slot is taken");
    *out_named = kv_get(t, KV_META, str_lit(GROUP_NAME), &row);
    if (*out_named && (row.len != 4 || load_le32(row.data) != (uint32_t)id))
        rc = err_set(e, ERR_CORRUPT, "this is not the state of group %u", (uint32_t)id);
    kv_abort(t);
    return rc;
}

static void name_group(struct kv *kv, enum store_group_id id)
{
    uint8_t row[4];
    store_le32(row, (uint32_t)id);
    struct kv_txn *t = kv_begin_write(kv);
    kv_put(t, KV_META, str_lit(GROUP_NAME), str_of(row, sizeof row));
    kv_commit(t);
}

static int read_point(struct kv *kv, enum store_group_id id, struct point *out, struct err *e)
{
    bool named = false;
    int rc = check_group(kv, id, &named, e);
    if (rc == 0 && !named)
        rc = err_set(e, ERR_CORRUPT, "this is not the state of a group");
    if (rc != 0)
        return rc;
    struct kv_txn *t = kv_begin_read(kv);
    if (t == NULL)
        return err_set(e, ERR_UNAVAILABLE, "every reader slot is taken");
    rc = fsm_load_point(t, out, e);
    kv_abort(t);
    if (rc == 0 && out->level > STORE_FEATURE_LEVEL)
        rc = err_set(e, ERR_UNIMPLEMENTED, "feature level %u: upgrade this member", out->level);
    return rc;
}

/* ---- opening and closing ---- */

static struct group_env *env_add(struct store_group *g, struct kv *kv, const char *folder)
{
    struct group_env *v = mem_alloc(sizeof *v);
    v->group = g;
    v->kv = kv;
    memcpy(v->folder, folder, strlen(folder) + 1);
    list_prepend(&g->envs, &v->node);
    g->kv = kv;
    atomic_store(&g->env, v);
    return v;
}

const struct kv_engine *group_engine(const struct store_group *g)
{
    return g->config.engine != NULL ? g->config.engine : &kv_lmdb;
}

const char *group_folder(const struct store_group *g)
{
    return g->folder;
}

int group_env_open(struct store_group *g, struct err *e)
{
    const struct group_config *c = &g->config;
    const struct kv_engine *engine = group_engine(g);
    char current[FOLDER_BYTES_MAX] = "";
    struct kv *kv = c->kv;
    bool named = false;
    int rc = 0;
    list_init(&g->envs);
    if (kv == NULL) {
        if (strlen(c->folder) >= sizeof g->folder)
            return err_set(e, ERR_INVALID_ARGUMENT, "%.64s...: the path is too long", c->folder);
        memcpy(g->folder, c->folder, strlen(c->folder) + 1);
        rc = folder_open(c->env, g->folder, current, e);
        if (rc == 0)
            rc = engine->open(engine, current, c->map_bytes, &kv, e);
        if (rc != 0)
            return rc;
    }
    rc = check_group(kv, c->id, &named, e);
    if (rc != 0) {
        if (c->kv == NULL)
            kv_close(kv);
        return err_wrap(e, rc, "open %s", c->kv == NULL ? current : "state");
    }
    if (!named)
        name_group(kv, c->id);
    (void)env_add(g, kv, current); /* the first */
    return 0;
}

void group_env_close(struct store_group *g)
{
    for (struct list *n = list_pop(&g->envs); n != NULL; n = list_pop(&g->envs)) {
        struct group_env *v = container_of(n, struct group_env, node);
        ASSERT(atomic_load(&v->readers) == 0);
        if (v->kv != g->config.kv)
            kv_close(v->kv);
        mem_free(v);
    }
}

/* ---- the end of an old one ---- */

static void end_work(struct env_work *w)
{
    struct group_env *v = container_of(w, struct group_env, work);
    struct kv *kv = v->kv;
    struct err e;
    v->kv = NULL;
    if (kv == v->group->config.kv)
        return;
    kv_close(kv);
    if (env_remove_tree(v->group->config.env, v->folder, &e) != 0)
        log_warn("an old environment was not removed: the next start does", KV("error", e.msg));
}

static void on_ended(struct env_work *w)
{
    (void)w; /* the struct stays for readers that back off */
}

/* Ends whom nobody reads; true: none is left to end. */
static bool retire(struct store_group *g)
{
    struct group_env *current = atomic_load(&g->env);
    bool done = true;
    list_foreach (n, &g->envs) {
        struct group_env *v = container_of(n, struct group_env, node);
        if (v == current || v->ending)
            continue;
        if (atomic_load(&v->readers) > 0) {
            done = false;
            continue;
        }
        v->ending = true;
        env_work(g->loop, &v->work, end_work, on_ended);
    }
    return done;
}

static void on_retire(struct env_timer *t)
{
    struct store_group *g = container_of(t, struct store_group, retire);
    if (!retire(g))
        env_timer_start(&g->retire, RETIRE_POLL_MS);
}

void group_env_start(struct store_group *g)
{
    env_timer_init(g->loop, &g->retire, on_retire);
}

void group_env_stop(struct store_group *g)
{
    env_timer_deinit(&g->retire);
}

/* ---- install ---- */

static int check_point(struct store_group *g, const struct group_install *i,
                       const struct point *staged, struct err *e)
{
    const struct point *now = &g->fsm.point;
    if (staged->index < i->min_index)
        return err_set(e, ERR_CONFLICT, "the copy is of index %llu, not %llu",
                       (unsigned long long)staged->index, (unsigned long long)i->min_index);
    if (staged->index < now->index || staged->revision < now->revision ||
        staged->compacted < now->compacted)
        return err_set(e, ERR_CONFLICT,
                       "the copy (index %llu, revision %llu) is older than the state here (%llu, "
                       "%llu)",
                       (unsigned long long)staged->index, (unsigned long long)staged->revision,
                       (unsigned long long)now->index, (unsigned long long)now->revision);
    if (staged->level > g->fsm.level_max)
        return err_set(e, ERR_UNIMPLEMENTED, "feature level %u: upgrade this member",
                       staged->level);
    if (staged->index == now->index && staged->digest != now->digest)
        return err_set(e, ERR_CORRUPT, "the copy differs from the state here at index %llu",
                       (unsigned long long)now->index);
    return 0;
}

/* This state came as a copy of so many entries: the log need not hold them (group_installed).
 * Twice, for a power loss may take the last commit: the mark must be there when CURRENT names the
 * state. */
static void mark_installed(struct kv *kv, uint64_t index)
{
    uint8_t row[8];
    store_le64(row, index);
    for (int i = 0; i < 2; i++) {
        struct kv_txn *t = kv_begin_write(kv);
        kv_put(t, KV_META, str_lit(INSTALLED_NAME), str_of(row, sizeof row));
        kv_commit(t);
    }
}

static uint64_t read_installed(struct kv *kv)
{
    struct kv_txn *t = kv_begin_read(kv);
    struct str row;
    ASSERT(t != NULL);
    bool found = kv_get(t, KV_META, str_lit(INSTALLED_NAME), &row) && row.len == 8;
    uint64_t index = found ? load_le64(row.data) : 0;
    kv_abort(t);
    return index;
}

uint64_t group_installed(struct store_group *g)
{
    struct group_env *v = group_enter(g);
    uint64_t index = read_installed(v->kv);
    group_leave(v);
    return index;
}

/* Takes, opens, verifies, switches: up to here a failure changes nothing. */
static int exchange(struct store_group *g, const struct group_install *i, bool foreign, char next[],
                    struct kv **out, struct err *e)
{
    const struct group_config *c = &g->config;
    const struct kv_engine *engine = group_engine(g);
    struct kv *kv = NULL;
    struct point staged;
    int rc = folder_take(c->env, g->folder, i->folder, next, e);
    if (rc != 0)
        return rc;
    rc = engine->open(engine, next, c->map_bytes, &kv, e);
    if (rc == 0)
        rc = read_point(kv, c->id, &staged, e);
    if (rc == 0)
        rc = check_point(g, i, &staged, e);
    if (rc == 0 && foreign)
        mark_installed(kv, staged.index);
    if (rc == 0)
        rc = folder_switch(c->env, g->folder, next, e);
    if (rc == -ERR_UNKNOWN_OUTCOME) {
        log_error("the state's folder cannot go on: start again", KV("reason", e->msg));
        env_die(c->env, "CURRENT is in doubt", __FILE__, __LINE__, __func__);
    }
    if (rc != 0) {
        kv_close(kv);
        (void)env_remove_tree(c->env, next, NULL); /* or at the next start */
        return rc;
    }
    *out = kv;
    return 0;
}

static int install(struct store_group *g, struct group_install *i, bool foreign)
{
    char next[FOLDER_BYTES_MAX];
    struct kv *kv;
    struct err e = { 0 };
    if (g->halted != 0)
        return err_set(&i->err, ERR_UNAVAILABLE, "the group has halted: %s", g->halt_message);
    int rc = exchange(g, i, foreign, next, &kv, &i->err);
    (void)env_remove_tree(g->config.env, i->folder, NULL); /* what is left has no use */
    if (rc != 0)
        return rc;
    (void)env_add(g, kv, next); /* the old one is found in the list */
    rc = fsm_reload(&g->fsm, kv, &e);
    ASSERT(rc == 0); /* read_point looked at the same */
    g->fsm.ring = g->ring;
    ring_reset(g->ring, g->fsm.point.revision);
    applier_installed(g);
    i->point = g->fsm.point;
    on_retire(&g->retire);
    return 0;
}

static void on_installed(struct env_msg *m)
{
    struct group_install *i = container_of(m, struct group_install, msg);
    struct store_group *g = i->group;
    /* Only this loop stores it. Entries that the new state holds need not be handed over. */
    if (i->status == 0 && atomic_load(&g->handed) < i->point.index)
        atomic_store(&g->handed, i->point.index);
    i->done(i);
}

static void on_install(struct env_msg *m)
{
    struct group_install *i = container_of(m, struct group_install, msg);
    applier_commit(i->group); /* what is replaced is whole */
    i->status = install(i->group, i, true);
    if (i->status == 0)
        log_info("another member's copy is installed", KVN("group", i->group->config.id),
                 KVN("index", i->point.index), KVN("revision", i->point.revision));
    else
        log_error("another member's copy is refused", KVN("group", i->group->config.id),
                  KV("reason", i->err.msg));
    env_post(i->group->config.raft_loop, &i->msg, on_installed);
}

void group_install(struct store_group *g, struct group_install *i)
{
    ASSERT(g->config.raft_loop != NULL);
    ASSERT(g->folder[0] != '\0');
    i->group = g;
    env_post(g->loop, &i->msg, on_install);
}

/* ---- without free pages ---- */

/* A compact copy of this very state, flushed. The applier: nothing is written meanwhile. */
static int make_compact(struct store_group *g, const char *folder, struct err *e)
{
    struct env *env = g->config.env;
    const struct kv_engine *engine = group_engine(g);
    struct env_file *f;
    char path[FOLDER_BYTES_MAX + sizeof("/" KV_FILE)];
    (void)env_remove_tree(env, folder, NULL); /* of a former try */
    int rc = env_dir_make(env, folder, 0700, e);
    if (rc != 0)
        return rc;
    (void)snprintf(path, sizeof path, "%s/" KV_FILE, folder);
    rc = engine->copy(engine, g->kv, path, e);
    if (rc == 0)
        rc = env_file_open(env, path, ENV_FILE_READ | ENV_FILE_WRITE, 0600, &f, e);
    if (rc != 0)
        return rc;
    rc = env_file_sync(f, e);
    env_file_close(f);
    return rc == 0 ? env_dir_sync(env, folder, e) : rc;
}

static void on_defragment(struct env_msg *m)
{
    struct store_group *g = container_of(m, struct store_group, defragment);
    uint64_t began_ns = env_now_ns(g->config.env);
    char folder[FOLDER_BYTES_MAX];
    struct group_install i = { .folder = folder, .group = g };
    int len = snprintf(folder, sizeof folder, "%s/compact", g->folder);
    ASSERT(len > 0 && (size_t)len < sizeof folder);
    applier_commit(g); /* what is copied is whole */
    int rc = make_compact(g, folder, &i.err);
    if (rc == 0)
        rc = install(g, &i, false);
    if (rc != 0)
        log_warn("the store stays as it is, with its free pages", KVN("group", g->config.id),
                 KV("reason", i.err.msg));
    else
        log_info("a compact copy has taken the store's place", KVN("group", g->config.id),
                 KVN("ms", (env_now_ns(g->config.env) - began_ns) / ENV_MS));
    (void)env_remove_tree(g->config.env, folder, NULL); /* or at the next try */
    atomic_store(&g->defragmenting, 0);
}

void group_defragment(struct store_group *g)
{
    if (g->folder[0] != '\0' && atomic_exchange(&g->defragmenting, 1) == 0)
        env_post(g->loop, &g->defragment, on_defragment);
}

/* ---- copies ---- */

int group_copy(struct store_group *g, const char *path, struct err *e)
{
    const struct kv_engine *engine = group_engine(g);
    struct group_env *v = group_enter(g);
    int rc = engine->copy(engine, v->kv, path, e);
    group_leave(v);
    return rc;
}

void group_pages(struct store_group *g, uint64_t *out_used_bytes, uint64_t *out_map_bytes)
{
    struct group_env *v = group_enter(g);
    *out_used_bytes = 0;
    *out_map_bytes = 0;
    if (!kv_sim_is(v->kv)) {
        kv_lmdb_usage(v->kv, out_used_bytes, out_map_bytes);
        uint64_t unused = kv_lmdb_free_bytes(v->kv);
        *out_used_bytes -= unused < *out_used_bytes ? unused : *out_used_bytes;
    }
    group_leave(v);
}

int group_copy_point(const struct kv_engine *engine, enum store_group_id id, const char *path,
                     struct point *out, struct err *e)
{
    struct kv *kv;
    int rc = engine->open_copy(engine, path, &kv, e);
    if (rc != 0)
        return rc;
    rc = read_point(kv, id, out, e);
    kv_close(kv);
    return rc != 0 ? err_wrap(e, rc, "%s", path) : 0;
}

static uint64_t count_keys(struct kv *kv)
{
    struct kv_txn *t = kv_begin_read(kv);
    struct kv_cursor cursor;
    struct newest n;
    uint64_t count = 0;
    ASSERT(t != NULL); /* nobody else reads this copy */
    kv_cursor_open(t, KV_CUR, &cursor);
    for (bool more = kv_seek(&cursor, str_lit("")); more; more = kv_next(&cursor)) {
        newest_decode(cursor.value, &n);
        count += n.tombstone ? 0 : 1;
    }
    kv_cursor_close(&cursor);
    kv_abort(t);
    return count;
}

int group_copy_keys(const struct kv_engine *engine, const char *path, uint64_t *out, struct err *e)
{
    struct kv *kv;
    int rc = engine->open_copy(engine, path, &kv, e);
    if (rc != 0)
        return rc;
    *out = count_keys(kv);
    kv_close(kv);
    return 0;
}
