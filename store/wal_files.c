/* Renames, removals and allocations around the log's files; see the header for their order. */
#include "store/wal_files.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

#define FILE_MODE 0600

void wal_files_init(struct wal_files *f, struct env *env, const char *folder, uint64_t file_bytes)
{
    *f = (struct wal_files){ .env = env, .folder = folder, .file_bytes = file_bytes };
}

void wal_files_deinit(struct wal_files *f)
{
    env_file_close(f->prepared);
    f->prepared = NULL;
    mem_free(f->release);
    f->release = NULL;
}

void wal_files_release(struct wal_files *f, uint64_t sequence)
{
    ASSERT(f->release_count == 0 || f->release[f->release_count - 1] < sequence);
    if (f->release_count == f->release_capacity) {
        f->release_capacity = f->release_capacity == 0 ? 8 : f->release_capacity * 2;
        f->release = mem_realloc(f->release, f->release_capacity * sizeof(uint64_t));
    }
    f->release[f->release_count++] = sequence;
}

/* ---- behind ---- */

static int let_go(struct wal_files *f, uint64_t sequence, struct err *e)
{
    char from[WAL_PATH_BYTES];
    char to[WAL_PATH_BYTES];
    struct env_stat st;
    wal_path_of(from, f->folder, WAL_LOG_NAME, sequence);
    wal_path_of(to, f->folder, WAL_SPARE_NAME, sequence);
    int rc = env_path_stat(f->env, from, &st, e);
    if (rc == -ERR_NOT_FOUND)
        return 0; /* done before, and the flush of the folder failed */
    if (rc != 0)
        return rc;
    if (f->spares_count < WAL_SPARES_MAX && st.size == f->file_bytes) {
        rc = env_path_rename(f->env, from, to, e);
        if (rc == 0)
            f->spares[f->spares_count++] = sequence;
    } else {
        rc = env_path_remove(f->env, from, e);
    }
    return rc;
}

static int release_all(struct wal_files *f, struct err *e)
{
    size_t done = 0;
    int rc = 0;
    while (done < f->release_count && rc == 0) {
        rc = let_go(f, f->release[done], e);
        if (rc == 0)
            rc = env_dir_sync(f->env, f->folder, e);
        if (rc == 0)
            done++;
    }
    f->release_count -= done;
    if (f->release_count > 0)
        memmove(f->release, f->release + done, f->release_count * sizeof(uint64_t));
    return rc;
}

/* ---- ahead ---- */

static int fill_fresh(struct wal_files *f, const char *path, struct env_file **out, struct err *e)
{
    int flags = ENV_FILE_READ | ENV_FILE_WRITE | ENV_FILE_CREATE | ENV_FILE_TRUNCATE;
    int rc = env_file_open(f->env, path, flags, FILE_MODE, out, e);
    if (rc != 0)
        return rc;
    rc = env_file_allocate(*out, f->file_bytes, e);
    if (rc == 0)
        return 0;
    env_file_close(*out);
    *out = NULL;
    (void)env_path_remove(f->env, path, NULL); /* its space is what is wanted; emptied next time */
    return rc;
}

/* A spare of the right size, or a fresh file; open, under the name in path. */
static int find_space(struct wal_files *f, char path[WAL_PATH_BYTES], struct env_file **out,
                      struct err *e)
{
    while (f->spares_count > 0) {
        struct env_stat st;
        wal_path_of(path, f->folder, WAL_SPARE_NAME, f->spares[0]);
        f->spares_count--;
        memmove(f->spares, f->spares + 1, f->spares_count * sizeof(f->spares[0]));
        int rc = env_path_stat(f->env, path, &st, e);
        if (rc != 0)
            return rc;
        if (st.size == f->file_bytes)
            return env_file_open(f->env, path, ENV_FILE_READ | ENV_FILE_WRITE, 0, out, e);
        rc = env_path_remove(f->env, path, e); /* another size was set when it was made */
        if (rc != 0)
            return rc;
    }
    wal_path(path, f->folder, WAL_FRESH_NAME);
    return fill_fresh(f, path, out, e);
}

static int prepare_next(struct wal_files *f, struct err *e)
{
    char from[WAL_PATH_BYTES];
    char to[WAL_PATH_BYTES];
    struct env_file *file = NULL;
    int rc = find_space(f, from, &file, e);
    if (rc != 0)
        return rc;
    wal_path_of(to, f->folder, WAL_LOG_NAME, f->prepare);
    rc = env_path_rename(f->env, from, to, e);
    if (rc == 0)
        rc = env_dir_sync(f->env, f->folder, e);
    if (rc != 0) {
        env_file_close(file);
        return rc;
    }
    f->prepared = file;
    f->prepare = 0;
    return 0;
}

int wal_files_run(struct wal_files *f, struct err *e)
{
    int rc = release_all(f, e);
    if (rc == 0 && f->prepare != 0)
        rc = prepare_next(f, e);
    return rc;
}

/* ---- the folder itself ---- */

int wal_sync_above(struct env *env, const char *folder, struct err *e)
{
    char path[WAL_PATH_BYTES];
    int rc = 0;
    (void)snprintf(path, sizeof path, "%s", folder); /* the length was checked */
    char *slash;
    while (rc == 0 && (slash = strrchr(path, '/')) != NULL && path[1] != '\0') {
        slash[slash == path ? 1 : 0] = '\0';
        rc = env_dir_sync(env, path, e);
        if (rc == -ERR_FORBIDDEN)
            return 0; /* not ours, hence not made by us a moment ago */
    }
    return rc != 0 || folder[0] == '/' ? rc : env_dir_sync(env, ".", e);
}
