/* Logs made, read and continued without a loop; see wal.h. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/wal_load.h"
#include "store/wal_meta.h"

#define NAME_BYTES_MAX 80
#define FOLDER_MODE    0700

static int check_path(const char *folder, struct err *e)
{
    if (strlen(folder) + NAME_BYTES_MAX > WAL_PATH_BYTES)
        return err_set(e, ERR_INVALID_ARGUMENT, "%.64s...: the path is too long", folder);
    return 0;
}

int wal_read(struct env *env, const char *folder, struct wal_state *out_state,
             void (*visit)(void *ctx, const struct wal_entry *entry), void *ctx, struct err *e)
{
    struct wal_loaded l;
    int rc = check_path(folder, e);
    if (rc == 0)
        rc = wal_load(env, folder, visit, ctx, &l, e);
    if (rc != 0)
        return rc;
    *out_state = l.state;
    wal_loaded_deinit(&l);
    return 0;
}

/* ---- writing ---- */

struct pen {
    struct wal_disk disk;
    struct wal_files files;
};

static int write_group(struct pen *p, struct err *e)
{
    if (!wal_disk_gathered(&p->disk))
        return 0;
    int rc = wal_disk_write(&p->disk, e);
    return rc != 0 ? rc : wal_disk_flush(&p->disk, e);
}

static int give_file(struct pen *p, struct err *e)
{
    p->files.prepare = wal_disk_next_sequence(&p->disk);
    int rc = wal_files_run(&p->files, e);
    if (rc != 0)
        return rc;
    wal_disk_give_next(&p->disk, p->files.prepared, p->files.file_bytes);
    p->files.prepared = NULL;
    return 0;
}

static int write_record(struct pen *p, enum wal_kind kind, const struct wal_entry *entry,
                        struct err *e)
{
    for (;;) {
        int rc = wal_disk_add(&p->disk, kind, entry);
        if (rc == 0)
            return 0;
        rc = rc == -ERR_AGAIN ? give_file(p, e) : write_group(p, e);
        if (rc != 0)
            return rc;
    }
}

static int open_pen(struct pen *p, struct env *env, const char *folder, uint64_t id,
                    const struct wal_tail *tail, struct err *e)
{
    wal_files_init(&p->files, env, folder, WAL_FILE_BYTES);
    return wal_disk_init(&p->disk, env, folder, id, tail, e);
}

static void close_pen(struct pen *p)
{
    wal_disk_deinit(&p->disk);
    wal_files_deinit(&p->files);
}

/* ---- a new log ---- */

/* A file comes first, marked with where entries begin; so no snapshot is ever without a log. */
static int write_all(struct pen *p, const struct wal_snapshot *snapshot,
                     const struct wal_entry *entries, size_t count, struct err *e)
{
    struct wal_entry mark = { 0 };
    if (snapshot != NULL) {
        mark.index = snapshot->index;
        mark.term = snapshot->term;
    }
    int rc = write_record(p, WAL_RESET, &mark, e);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = write_record(p, WAL_ENTRY, &entries[i], e);
    return rc != 0 ? rc : write_group(p, e);
}

static int fill_folder(struct env *env, const char *folder, uint64_t term,
                       const struct wal_snapshot *snapshot, const struct wal_entry *entries,
                       size_t count, struct err *e)
{
    struct pen pen;
    struct wal_slot slot = { .version = 1, .term = term, .id = env_random_u64(env) | 1 };
    int rc = wal_meta_make(env, folder, &slot, e);
    if (rc == 0 && snapshot != NULL)
        rc = wal_snapshot_write(env, folder, slot.id, snapshot, e);
    if (rc == 0)
        rc = open_pen(&pen, env, folder, slot.id, &(struct wal_tail){ .group = 1 }, e);
    if (rc != 0)
        return rc;
    rc = write_all(&pen, snapshot, entries, count, e);
    close_pen(&pen);
    return rc != 0 ? rc : env_dir_sync(env, folder, e);
}

/* Missing or empty, and gone when this returns 0. */
static int clear_target(struct env *env, const char *folder, struct err *e)
{
    struct arena arena;
    struct str *names = NULL;
    size_t count = 0;
    if (!env_path_exists(env, folder))
        return 0;
    arena_init(&arena);
    int rc = env_dir_list(env, &arena, folder, &names, &count, e);
    arena_deinit(&arena);
    if (rc != 0)
        return rc;
    if (count > 0)
        return err_set(e, ERR_ALREADY_EXISTS, "%s has something in it", folder);
    return env_path_remove(env, folder, e);
}

int wal_create(struct env *env, const char *folder, uint64_t term,
               const struct wal_snapshot *snapshot, const struct wal_entry *entries, size_t count,
               struct err *e)
{
    char beside[WAL_PATH_BYTES];
    uint64_t base = snapshot != NULL ? snapshot->index : 0;
    ASSERT(snapshot == NULL || (snapshot->index > 0 && snapshot->term <= term));
    for (size_t i = 0; i < count; i++) {
        ASSERT(entries[i].index == base + 1 + i);
        ASSERT(entries[i].term <= term);
    }
    int rc = check_path(folder, e);
    if (rc == 0)
        rc = clear_target(env, folder, e);
    if (rc != 0)
        return rc;
    (void)snprintf(beside, sizeof beside, "%s.new", folder); /* as above */
    if (env_path_exists(env, beside))
        rc = env_remove_tree(env, beside, e); /* an earlier attempt was cut short */
    if (rc == 0)
        rc = env_dir_make(env, beside, FOLDER_MODE, e);
    if (rc == 0)
        rc = fill_folder(env, beside, term, snapshot, entries, count, e);
    if (rc == 0)
        rc = env_path_rename(env, beside, folder, e);
    if (rc == 0)
        rc = wal_sync_above(env, folder, e);
    return rc;
}

/* ---- a log continued ---- */

static int raise_term(struct env *env, const char *folder, struct wal_loaded *l, uint64_t term,
                      struct err *e)
{
    struct wal_meta meta;
    int rc = wal_meta_open(&meta, env, folder, &l->slot, e);
    if (rc != 0)
        return rc;
    if (term > l->slot.term)
        rc = wal_meta_set(&meta, term, 0, e);
    wal_meta_close(&meta);
    return rc;
}

static int append_loaded(struct env *env, const char *folder, struct wal_loaded *l,
                         struct wal_entry *entry, struct err *e)
{
    struct pen pen;
    struct wal_entry mark = { .index = l->state.snapshot.index, .term = l->state.snapshot.term };
    int rc = wal_mend(env, folder, l, e);
    if (rc == 0)
        rc = raise_term(env, folder, l, entry->term, e);
    if (rc == 0)
        rc = open_pen(&pen, env, folder, l->slot.id, &l->tail, e);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < l->files_count; i++)
        wal_disk_add_file(&pen.disk, &l->files[i]);
    entry->index = l->state.last + 1;
    if (l->reset)
        rc = write_record(&pen, WAL_RESET, &mark, e);
    if (rc == 0)
        rc = write_record(&pen, WAL_ENTRY, entry, e);
    if (rc == 0)
        rc = write_group(&pen, e);
    close_pen(&pen);
    return rc;
}

int wal_append_offline(struct env *env, const char *folder, struct wal_entry *entry, struct err *e)
{
    struct wal_loaded l;
    ASSERT(entry->bytes.len <= WAL_ENTRY_BYTES_MAX);
    int rc = check_path(folder, e);
    if (rc == 0)
        rc = wal_load(env, folder, NULL, NULL, &l, e);
    if (rc != 0)
        return rc;
    if (l.slot.id == 0)
        rc = err_set(e, ERR_NOT_FOUND, "%s has no log", folder);
    else
        rc = append_loaded(env, folder, &l, entry, e);
    wal_loaded_deinit(&l);
    return rc;
}
