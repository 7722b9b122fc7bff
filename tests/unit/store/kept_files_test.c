/*
 * A log's folder and a backup as they were written when their formats were new, read by this build:
 * a change of either that would leave members or backups behind fails here. KEPT_MAKE=FOLDER makes
 * them anew, into an empty folder, and prints what they hold. Files are only ever added.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "store/backup.h"
#include "store/fsm.h"
#include "store/kv.h"
#include "tests/unit/store/copy_world.h"
#include "tests/unit/store/wal_fixture.h"
#include "tests/unit/unit.h"

#define LOG            "tests/unit/store/kept/log"
#define BACKUP         "tests/unit/store/kept/format2.backup"
#define FILE_BYTES_MAX (1u << 20)
#define LOG_FILE_BYTES 8192
#define MAKE_STEPS     60
#define MAKE_VALUES    5

struct path {
    char s[800];
};

static struct path path_of(const char *folder, const char *name)
{
    struct path p;
    (void)snprintf(p.s, sizeof p.s, "%s/%s", folder, name);
    return p;
}

static void copy_folder(struct env *env, const char *from, const char *to)
{
    struct arena a;
    struct str *names;
    size_t count;
    arena_init(&a);
    assert_int_equal(env_dir_make(env, to, 0700, NULL), 0);
    assert_int_equal(env_dir_list(env, &a, from, &names, &count, NULL), 0);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        char name[100];
        struct str bytes;
        (void)snprintf(name, sizeof name, "%.*s", STR_ARG(names[i]));
        assert_int_equal(
            env_file_read(env, &a, path_of(from, name).s, FILE_BYTES_MAX, &bytes, NULL), 0);
        assert_int_equal(env_file_write(env, path_of(to, name).s, bytes, 0600, NULL), 0);
    }
    arena_deinit(&a);
}

/* ---- the log ---- */

struct seen {
    uint64_t count;
    uint64_t hash;
};

static void mix(struct seen *s, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        s->hash = (s->hash ^ ((const uint8_t *)bytes)[i]) * 1099511628211u;
}

static void visit(void *ctx, const struct wal_entry *entry)
{
    struct seen *s = ctx;
    mix(s, &entry->index, sizeof entry->index);
    mix(s, &entry->term, sizeof entry->term);
    mix(s, &entry->type, sizeof entry->type);
    mix(s, entry->bytes.data, entry->bytes.len);
    s->count++;
}

static void make_log(struct wal_fixture *f)
{
    f->model.bytes_max = 100;
    wal_fixture_open(f);
    for (int i = 0; i < MAKE_STEPS; i++) {
        model_submit(&f->model);
        wal_fixture_wait(f);
    }
    model_append(&f->model, 3);
    wal_fixture_wait(f);
    wal_fixture_close(f);
}

static void assert_log(struct wal_fixture *f)
{
    struct wal_state found;
    struct seen seen = { 0 };
    struct err e = { 0 };
    if (wal_read(f->env, f->folder, &found, visit, &seen, &e) != 0)
        fail_msg("%s", e.msg);
    print_message("log: term %llu vote %llu first %llu last %llu snapshot %llu entries %llu hash "
                  "0x%llx\n",
                  (unsigned long long)found.term, (unsigned long long)found.vote,
                  (unsigned long long)found.first, (unsigned long long)found.last,
                  (unsigned long long)found.snapshot.index, (unsigned long long)seen.count,
                  (unsigned long long)seen.hash);
    if (getenv("KEPT_MAKE") != NULL)
        return;
    assert_int_equal(found.term, 2);
    assert_int_equal(found.vote, 1);
    assert_int_equal(found.first, 39);
    assert_int_equal(found.last, 119);
    assert_int_equal(found.snapshot.index, 60);
    assert_int_equal(found.torn, 0);
    assert_int_equal(seen.count, 81);
    assert_true(seen.hash == 0x8c1a8327a2667072u);
}

/* It is read, opened to be written, and is still the same. */
static void test_log(void **state)
{
    struct wal_fixture f;
    const char *make = getenv("KEPT_MAKE");
    struct wal_state found;
    struct err e = { 0 };
    (void)state;
    wal_fixture_init(&f, LOG_FILE_BYTES, 3);
    if (make != NULL) {
        make_log(&f);
        copy_folder(f.env, f.folder, path_of(make, "log").s);
    } else {
        copy_folder(f.env, LOG, f.folder);
    }
    assert_log(&f);
    if (wal_open(&f.config, &f.model.wal, &found, NULL, NULL, &e) != 0)
        fail_msg("%s", e.msg);
    wal_fixture_close(&f);
    assert_log(&f);
    wal_fixture_deinit(&f);
}

/* ---- the backup ---- */

static int collect(void *ctx, struct str bytes)
{
    buf_append_str(ctx, bytes);
    return 0;
}

static void make_backup(struct copy_world *w, const char *path)
{
    char copy[600];
    struct copy_info info;
    struct buf bytes;
    struct backup b = {
        .cluster_id = "kept", .version = "0.1.0", .wall_ns = 1234567890, .groups_count = 1
    };
    copy_world_fill(w, MAKE_VALUES, 100);
    assert_int_equal(copy_world_ask(w, 1, &info, NULL), 0);
    (void)snprintf(copy, sizeof copy, "%s/1-%llu.mdb", w->copies_folder,
                   (unsigned long long)info.point.index);
    b.groups[0] = (struct backup_group){ .id = STORE_CLUSTER,
                                         .point = info.point,
                                         .bytes = info.bytes,
                                         .keys = info.keys,
                                         .path = copy };
    buf_init(&bytes);
    assert_int_equal(backup_write(w->env, &b, collect, &bytes, NULL), 0);
    assert_int_equal(env_file_write(w->env, path, buf_str(&bytes), 0600, NULL), 0);
    buf_deinit(&bytes);
}

/* The rows of the copy in it are those that its header tells of. */
static void assert_state(struct copy_world *w, const char *file, const struct point *told)
{
    struct path folder = path_of(w->base, "kept");
    struct env_file *f;
    struct backup b;
    struct point point = { 0 };
    struct kv *kv;
    assert_int_equal(backup_open(w->env, file, &b, &f, NULL), 0);
    assert_int_equal(env_dir_make(w->env, folder.s, 0700, NULL), 0);
    assert_int_equal(backup_take(w->env, f, &b.groups[0], path_of(folder.s, KV_FILE).s, NULL), 0);
    env_file_close(f);
    assert_int_equal(kv_lmdb_open(folder.s, 64u << 20, &kv, NULL), 0);
    struct kv_txn *t = kv_begin_read(kv);
    assert_int_equal(fsm_load_point(t, &point, NULL), 0);
    assert_true(copy_world_same_point(&point, told));
    assert_true(fsm_digest_full(t) == told->digest);
    kv_abort(t);
    kv_close(kv);
}

static void test_backup(void **state)
{
    struct copy_world *w = *state;
    const char *make = getenv("KEPT_MAKE");
    struct path made = path_of(make != NULL ? make : "", "format2.backup");
    const char *file = make != NULL ? made.s : BACKUP;
    struct backup b;
    struct err e = { 0 };
    if (make != NULL)
        make_backup(w, file);
    if (backup_check(w->env, file, &b, &e) != 0)
        fail_msg("%s", e.msg);
    const struct backup_group *g = &b.groups[0];
    print_message("backup: index %llu revision %llu level %u keys %llu digest 0x%llx\n",
                  (unsigned long long)g->point.index, (unsigned long long)g->point.revision,
                  g->point.level, (unsigned long long)g->keys, (unsigned long long)g->point.digest);
    assert_state(w, file, &g->point);
    if (make != NULL)
        return;
    assert_string_equal(b.cluster_id, "kept");
    assert_string_equal(b.version, "0.1.0");
    assert_true(b.wall_ns == 1234567890);
    assert_int_equal(b.groups_count, 1);
    assert_int_equal(g->id, STORE_CLUSTER);
    assert_int_equal(g->point.index, 5);
    assert_int_equal(g->point.revision, 5);
    assert_int_equal(g->keys, 5);
    assert_true(g->point.digest == 0x9f6a8d04cc3c5d8au);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_log),
                                        cmocka_unit_test_setup_teardown(
                                            test_backup, copy_world_setup, copy_world_teardown) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
