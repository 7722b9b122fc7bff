/*
 * A member made from a backup: the same state and digest on each, the new members' rows in place of
 * the old ones', a log that begins behind it; and nothing at all when something is wrong.
 */
#include <raft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/env.h"
#include "store/folder.h"
#include "store/fsm.h"
#include "store/kv.h"
#include "store/restore.h"
#include "store/roster.h"
#include "store/wal.h"
#include "tests/unit/store/store_fixture.h"
#include "tests/unit/unit.h"

#define TOKENS "join-tokens.gantry/"

struct world {
    struct store_fixture f; /* the old cluster's group */
    struct env *env;
    char base[200];
    char file[300];
    struct point point;
    struct store_member members[2];
};

static const char *at(struct world *w, const char *name)
{
    static char paths[6][400];
    static unsigned next;
    char *path = paths[next++ % 6];
    snprintf(path, sizeof paths[0], "%s/%s", w->base, name);
    return path;
}

static int append(void *ctx, struct str bytes)
{
    buf_append_str(ctx, bytes);
    return 0;
}

static struct backup_group copy_of(struct world *w, struct store_group *g, const char *name)
{
    struct backup_group out = { .id = group_id(g), .path = at(w, name) };
    struct env_stat stat;
    (void)env_path_remove(w->env, out.path, NULL); /* an earlier one */
    assert_int_equal(group_copy(g, out.path, NULL), 0);
    assert_int_equal(env_path_stat(w->env, out.path, &stat, NULL), 0);
    assert_int_equal(group_copy_point(&kv_lmdb, out.id, out.path, &out.point, NULL), 0);
    out.bytes = stat.size;
    return out;
}

/* The bus is as new: not one entry was applied. */
static struct backup_group bus_copy(struct world *w)
{
    struct store_group *bus;
    struct group_config config = { .env = w->env, .id = STORE_BUS, .folder = at(w, "bus") };
    assert_int_equal(group_open(&config, &bus, NULL), 0);
    struct backup_group out = copy_of(w, bus, "bus.mdb");
    group_close(bus);
    return out;
}

static void write_backup(struct world *w, size_t groups)
{
    struct backup b = { .cluster_id = "old", .version = "0", .groups_count = groups };
    struct buf bytes;
    b.groups[0] = copy_of(w, w->f.group, "cluster.mdb");
    if (groups > 1)
        b.groups[1] = bus_copy(w);
    w->point = b.groups[0].point;
    buf_init(&bytes);
    assert_int_equal(backup_write(w->env, &b, append, &bytes, NULL), 0);
    assert_int_equal(env_file_write(w->env, w->file, buf_str(&bytes), 0600, NULL), 0);
    buf_deinit(&bytes);
}

static int setup(void **state)
{
    struct world *w = mem_alloc(sizeof *w);
    char name[] = "/tmp/restore-XXXXXX";
    char key[64];
    assert_non_null(mkdtemp(name));
    fixture_init(&w->f, 0);
    w->env = w->f.env;
    snprintf(w->base, sizeof w->base, "%s", name);
    snprintf(w->file, sizeof w->file, "%s/backup", name);
    (void)fixture_op(&w->f, (struct store_op){ .type = STORE_OP_FEATURE_LEVEL, .amount = 2 });
    (void)fixture_put(&w->f, "pods/a", "one");
    (void)fixture_put(&w->f, ROSTER_PREFIX "m1", "1 1 voter tcp:10.0.0.1:1 tcp:10.0.0.1:2");
    (void)fixture_put(&w->f, ROSTER_PREFIX "old", "1 2 gone tcp:10.0.0.2:1 tcp:10.0.0.2:2");
    (void)fixture_put(&w->f, ROSTER_NEXT_KEY, "17");
    (void)fixture_put(&w->f, "pods/a", "two");
    (void)fixture_put(&w->f, "pods/gone", "x");
    (void)fixture_delete(&w->f, "pods/gone");
    /* More than one transaction can remove. */
    for (int i = 0; i < STORE_TXN_OPS_MAX + 3; i++) {
        snprintf(key, sizeof key, TOKENS "%d", i);
        (void)fixture_put(&w->f, key, "secret");
    }
    (void)fixture_op(
        &w->f,
        (struct store_op){ .type = STORE_OP_ALARM, .revision = 2, .amount = STORE_ALARM_DISK });
    for (int i = 0; i < 2; i++) {
        struct store_member *m = &w->members[i];
        m->id = (uint64_t)i + 1;
        snprintf(m->name, sizeof m->name, "m%d", i + 1);
        snprintf(m->raft_address, sizeof m->raft_address, "tcp:127.0.0.%d:2381", i + 1);
        snprintf(m->peer_address, sizeof m->peer_address, "tcp:127.0.0.%d:2380", i + 1);
    }
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    assert_int_equal(env_remove_tree(w->env, w->base, NULL), 0);
    fixture_deinit(&w->f);
    mem_free(w);
    return 0;
}

static int restore(struct world *w, const char *folder, struct restored *out, struct err *e)
{
    static const char *const forgotten[] = { TOKENS, NULL };
    struct restore_config c = { .env = w->env,
                                .file = w->file,
                                .folder = folder,
                                .members = w->members,
                                .members_count = 2,
                                .forget_prefixes = forgotten };
    return store_restore(&c, out, e);
}

/* Anything in it but our lock? */
static bool is_empty(struct world *w, const char *folder)
{
    struct arena a;
    struct str *names;
    size_t count = 0;
    bool empty = true;
    arena_init(&a);
    (void)env_dir_list(w->env, &a, folder, &names, &count, NULL);
    for (size_t i = 0; i < count; i++)
        empty = empty && str_eq_c(names[i], "LOCK");
    arena_deinit(&a);
    return empty;
}

static void check_log(struct world *w, const char *folder, const char *log, enum store_group_id id,
                      const struct point *p)
{
    struct wal_state state;
    struct point manifest;
    char path[500];
    snprintf(path, sizeof path, "%s/%s", folder, log);
    assert_int_equal(wal_read(w->env, path, &state, NULL, NULL, NULL), 0);
    assert_int_equal(state.last, p->index);
    assert_int_equal(state.term, p->term);
    assert_int_equal(state.vote, 0);
    assert_int_equal(state.snapshot.index, p->index);
    assert_int_equal(state.snapshot.servers_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(state.snapshot.servers[i].id, w->members[i].id);
        assert_int_equal(state.snapshot.servers[i].role, RAFT_VOTER);
        assert_string_equal(state.snapshot.servers[i].address, w->members[i].name);
    }
    assert_int_equal(manifest_decode(str_of(state.snapshot.manifest, state.snapshot.manifest_len),
                                     id, &manifest, NULL),
                     0);
    assert_int_equal(manifest.index, p->index);
    assert_int_equal(manifest.digest, p->digest);
}

static void check_digest(const char *folder, uint64_t digest)
{
    struct kv *kv;
    char path[500];
    snprintf(path, sizeof path, "%s/lmdb-cluster/env-1", folder);
    assert_int_equal(kv_lmdb_open(path, 0, &kv, NULL), 0);
    struct kv_txn *t = kv_begin_read(kv);
    assert_int_equal(fsm_digest_full(t), digest);
    kv_abort(t);
    kv_close(kv);
}

static void check_rows(struct world *w, struct store_group *g)
{
    struct roster roster;
    struct store_read r;
    struct store_version v;
    struct buf after;
    uint64_t count;
    bool more;
    assert_int_equal(roster_read(g, &roster, NULL), 0);
    assert_int_equal(roster.count, 2);
    assert_int_equal(roster.next_id, 3);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(roster.rows[i].want, ROSTER_VOTER);
        assert_string_equal(roster.rows[i].member.name, w->members[i].name);
        assert_string_equal(roster.rows[i].member.raft_address, w->members[i].raft_address);
    }
    assert_int_equal(store_read_begin(g, 0, &r), 0);
    assert_int_equal(store_read_get(&r, str_lit("pods/a"), &v), 0);
    assert_true(str_eq_c(v.value, "two"));
    assert_int_equal(store_read_get(&r, str_lit("pods/gone"), &v), -ERR_NOT_FOUND);
    buf_init(&after);
    assert_int_equal(store_read_count(&r, str_lit(TOKENS), &after, &count, &more), 0);
    assert_int_equal(count, 0);
    buf_deinit(&after);
    store_read_end(&r);
    /* History came along. */
    assert_int_equal(store_read_begin(g, 1, &r), 0);
    assert_int_equal(store_read_get(&r, str_lit("pods/a"), &v), 0);
    assert_true(str_eq_c(v.value, "one"));
    store_read_end(&r);
}

static void test_restored(void **state)
{
    struct world *w = *state;
    struct restored one;
    struct restored two;
    struct point now;
    struct store_group *g;
    struct err e;
    char folder[400];
    write_backup(w, 2);
    if (restore(w, at(w, "one"), &one, &e) != 0)
        fail_msg("%s", e.msg);
    assert_int_equal(restore(w, at(w, "two"), &two, &e), 0);
    assert_string_equal(one.backup.cluster_id, "old");
    /* The same on each member, one entry of the next term later. */
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        assert_memory_equal(&one.points[id], &two.points[id], sizeof one.points[id]);
    const struct point *p = &one.points[STORE_CLUSTER];
    assert_int_equal(p->index, w->point.index + 1);
    assert_int_equal(p->term, w->point.term + 1);
    assert_true(p->revision > w->point.revision);
    assert_int_equal(p->alarm, 0);
    assert_int_equal(one.points[STORE_BUS].index, 1);
    check_log(w, at(w, "one"), "log-cluster", STORE_CLUSTER, p);
    check_log(w, at(w, "one"), "log-bus", STORE_BUS, &one.points[STORE_BUS]);
    check_digest(at(w, "one"), p->digest);
    assert_false(env_path_exists(w->env, at(w, "one/restoring")));
    snprintf(folder, sizeof folder, "%s", at(w, "two/lmdb-cluster"));
    struct group_config config = { .env = w->env, .id = STORE_CLUSTER, .folder = folder };
    assert_int_equal(group_open(&config, &g, NULL), 0);
    group_point(g, &now);
    assert_int_equal(now.index, p->index);
    check_rows(w, g);
    group_close(g);
}

static int refuse(void *ctx, struct err *e)
{
    (void)ctx;
    return err_set(e, ERR_CONFLICT, "not now");
}

static void test_refused(void **state)
{
    struct world *w = *state;
    struct restored out;
    struct err e;
    assert_int_equal(restore(w, at(w, "a"), &out, &e), -ERR_NOT_FOUND);
    write_backup(w, 1);
    assert_int_equal(restore(w, at(w, "b"), &out, &e), -ERR_NOT_FOUND);
    assert_non_null(strstr(e.msg, "holds no copy of group bus"));
    assert_true(is_empty(w, at(w, "b")));
    write_backup(w, 2);
    assert_int_equal(env_dir_make(w->env, at(w, "c/lmdb-bus"), 0700, NULL), 0);
    assert_int_equal(restore(w, at(w, "c"), &out, &e), -ERR_ALREADY_EXISTS);
    assert_non_null(strstr(e.msg, "lmdb-bus"));
    /* The last word is the caller's. */
    struct restore_config c = { .env = w->env,
                                .file = w->file,
                                .folder = at(w, "d"),
                                .members = w->members,
                                .members_count = 2,
                                .built = refuse };
    assert_int_equal(store_restore(&c, &out, &e), -ERR_CONFLICT);
    assert_true(is_empty(w, at(w, "d")));
    c.members_count = 0;
    assert_int_equal(store_restore(&c, &out, &e), -ERR_INVALID_ARGUMENT);
    /* What an earlier try left is no obstacle. */
    assert_int_equal(env_dir_make(w->env, at(w, "d/restoring/lmdb-bus"), 0700, NULL), 0);
    assert_int_equal(restore(w, at(w, "d"), &out, &e), 0);
}

/* A copy that is whole but is not what the header says. */
static void test_lying_header(void **state)
{
    struct world *w = *state;
    struct backup b;
    struct restored out;
    struct buf bytes;
    struct err e;
    write_backup(w, 2);
    assert_int_equal(backup_check(w->env, w->file, &b, NULL), 0);
    b.groups[0].path = at(w, "cluster.mdb");
    b.groups[1].path = at(w, "bus.mdb");
    b.groups[0].point.digest++;
    buf_init(&bytes);
    assert_int_equal(backup_write(w->env, &b, append, &bytes, NULL), 0);
    assert_int_equal(env_file_write(w->env, w->file, buf_str(&bytes), 0600, NULL), 0);
    buf_deinit(&bytes);
    assert_int_equal(restore(w, at(w, "a"), &out, &e), -ERR_CORRUPT);
    assert_non_null(strstr(e.msg, "not what the backup's header says"));
    assert_true(is_empty(w, at(w, "a")));
}

int main(void)
{
#define ON_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = { ON_WORLD(test_restored), ON_WORLD(test_refused),
                                        ON_WORLD(test_lying_header) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
