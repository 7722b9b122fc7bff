/* See folder.h. Every rename is followed by a sync of each folder whose names it changed. */
#include "store/folder.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "store/kv.h"

#define CURRENT           "CURRENT"
#define ENV_PREFIX        "env-"
#define ENV_NUMBER_MAX    999999999ull
#define LOCK_FILE         "lock.mdb" /* LMDB's */
#define CURRENT_BYTES_MAX 64
#define NOTE_MAGIC        0x4e544e47u /* "GNTN" */
#define NOTE_BYTES        104

/* ---- names ---- */

static int join(char out[FOLDER_BYTES_MAX], const char *folder, const char *name, struct err *e)
{
    int n = snprintf(out, FOLDER_BYTES_MAX, "%s/%s", folder, name);
    if (n < 0 || n >= FOLDER_BYTES_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "%.64s...: the path is too long", folder);
    return 0;
}

/* 0: not the name of an environment. */
static uint64_t env_number(struct str name)
{
    uint64_t number = 0;
    if (!str_starts(name, str_lit(ENV_PREFIX)))
        return 0;
    struct str digits = str_slice(name, sizeof ENV_PREFIX - 1, name.len);
    if (digits.len == 0 || digits.data[0] == '0' || str_to_u64(digits, &number) != 0 ||
        number > ENV_NUMBER_MAX)
        return 0;
    return number;
}

static int env_path(char out[FOLDER_BYTES_MAX], const char *folder, uint64_t number, struct err *e)
{
    char name[32];
    snprintf(name, sizeof name, ENV_PREFIX "%llu", (unsigned long long)number);
    return join(out, folder, name, e);
}

/* The folder's own name is durable in the folder that holds it. */
static int sync_parent(struct env *env, const char *folder, struct err *e)
{
    char parent[FOLDER_BYTES_MAX];
    const char *slash = strrchr(folder, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - folder);
    if (slash == NULL || len >= sizeof parent)
        return slash == NULL
                   ? env_dir_sync(env, ".", e)
                   : err_set(e, ERR_INVALID_ARGUMENT, "%.64s...: the path is too long", folder);
    memcpy(parent, folder, len);
    parent[len] = '\0';
    return env_dir_sync(env, len > 0 ? parent : "/", e);
}

int folder_make(struct env *env, const char *folder, struct err *e)
{
    /* Also when it is there: whoever made it may have died before the sync. */
    int rc = env_dir_make(env, folder, 0700, e);
    return rc != 0 ? rc : sync_parent(env, folder, e);
}

/* ---- CURRENT ---- */

/* 0 and the number, 0: there is no CURRENT. */
static int current_read(struct env *env, const char *folder, uint64_t *out, struct err *e)
{
    char path[FOLDER_BYTES_MAX];
    struct arena a;
    struct str text;
    int rc = join(path, folder, CURRENT, e);
    *out = 0;
    if (rc != 0 || !env_path_exists(env, path))
        return rc;
    arena_init(&a);
    rc = env_file_read(env, &a, path, CURRENT_BYTES_MAX, &text, e);
    if (rc == 0) {
        if (str_ends(text, str_lit("\n")))
            text.len--;
        *out = env_number(text);
        if (*out == 0)
            rc = err_set(e, ERR_CORRUPT, "%s does not name an environment", path);
    }
    arena_deinit(&a);
    return rc;
}

static int current_write(struct env *env, const char *folder, uint64_t number, struct err *e)
{
    char path[FOLDER_BYTES_MAX];
    char text[32];
    snprintf(text, sizeof text, ENV_PREFIX "%llu\n", (unsigned long long)number);
    int rc = join(path, folder, CURRENT, e);
    return rc != 0 ? rc : env_file_write(env, path, str_from(text), 0600, e);
}

/* ---- opening ---- */

/* Moves folder `from`'s KV_FILE to folder `to`, made when missing, under `folder`. */
static int move_file(struct env *env, const char *folder, const char *from, const char *to,
                     struct err *e)
{
    char source[FOLDER_BYTES_MAX];
    char target[FOLDER_BYTES_MAX];
    int rc = join(source, from, KV_FILE, e);
    if (rc == 0)
        rc = join(target, to, KV_FILE, e);
    if (rc == 0)
        rc = env_dir_make(env, to, 0700, e);
    if (rc == 0)
        rc = env_dir_sync(env, folder, e);
    if (rc == 0)
        rc = env_path_rename(env, source, target, e);
    if (rc == 0)
        rc = env_dir_sync(env, to, e);
    return rc == 0 ? env_dir_sync(env, from, e) : rc;
}

/* A folder without CURRENT is new, of an earlier release, or on the way from there to env-1. */
static int adopt(struct env *env, const char *folder, struct err *e)
{
    char flat[FOLDER_BYTES_MAX];
    char lock[FOLDER_BYTES_MAX];
    char first[FOLDER_BYTES_MAX];
    int rc = join(flat, folder, KV_FILE, e);
    if (rc == 0)
        rc = join(lock, folder, LOCK_FILE, e);
    if (rc == 0)
        rc = env_path(first, folder, 1, e);
    if (rc == 0 && env_path_exists(env, flat))
        rc = move_file(env, folder, folder, first, e);
    if (rc == 0 && env_path_exists(env, lock))
        rc = env_path_remove(env, lock, e);
    if (rc == 0)
        rc = env_dir_make(env, first, 0700, e);
    if (rc == 0)
        rc = env_dir_sync(env, folder, e);
    return rc == 0 ? current_write(env, folder, 1, e) : rc;
}

static int remove_others(struct env *env, const char *folder, uint64_t current, struct err *e)
{
    struct arena a;
    struct str *names;
    size_t count = 0;
    arena_init(&a);
    int rc = env_dir_list(env, &a, folder, &names, &count, e);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        uint64_t number = env_number(names[i]);
        char path[FOLDER_BYTES_MAX];
        if (number == 0 || number == current)
            continue;
        rc = env_path(path, folder, number, e);
        if (rc == 0)
            rc = env_remove_tree(env, path, e);
    }
    arena_deinit(&a);
    return rc;
}

int folder_open(struct env *env, const char *folder, char out_current[FOLDER_BYTES_MAX],
                struct err *e)
{
    uint64_t current = 0;
    int rc = folder_make(env, folder, e);
    if (rc == 0)
        rc = current_read(env, folder, &current, e);
    if (rc == 0 && current == 0) {
        rc = adopt(env, folder, e);
        current = 1;
    }
    if (rc == 0)
        rc = env_path(out_current, folder, current, e);
    if (rc == 0 && !env_path_exists(env, out_current))
        rc = err_set(e, ERR_CORRUPT, "%s/" CURRENT " names %s, which is not there", folder,
                     out_current);
    return rc == 0 ? remove_others(env, folder, current, e) : rc;
}

/* ---- the exchange ---- */

int folder_take(struct env *env, const char *folder, const char *staged,
                char out_next[FOLDER_BYTES_MAX], struct err *e)
{
    uint64_t current = 0;
    int rc = current_read(env, folder, &current, e);
    if (rc != 0)
        return rc;
    ASSERT(current > 0); /* the group is open */
    rc = env_path(out_next, folder, current + 1, e);
    /* What a refused one left there. */
    if (rc == 0)
        rc = env_remove_tree(env, out_next, e);
    return rc == 0 ? move_file(env, folder, staged, out_next, e) : rc;
}

int folder_switch(struct env *env, const char *folder, const char *next, struct err *e)
{
    const char *slash = strrchr(next, '/');
    ASSERT(slash != NULL);
    uint64_t number = env_number(str_from(slash + 1));
    ASSERT(number > 0);
    int rc = current_write(env, folder, number, e);
    uint64_t now = 0;
    if (rc == 0 || (current_read(env, folder, &now, NULL) == 0 && now != number))
        return rc;
    if (e != NULL)
        e->code = ERR_UNKNOWN_OUTCOME;
    return err_wrap(e, -ERR_UNKNOWN_OUTCOME, "switch to %s", next);
}

/* ---- the note ---- */

int folder_note_write(struct env *env, const char *staging, const struct folder_note *note,
                      struct err *e)
{
    char path[FOLDER_BYTES_MAX];
    uint8_t bytes[NOTE_BYTES] = { 0 };
    store_le32(bytes, NOTE_MAGIC);
    store_le32(bytes + 4, note->point.level);
    store_le64(bytes + 8, note->copy_id);
    store_le64(bytes + 16, note->bytes);
    store_le64(bytes + 24, note->point.index);
    store_le64(bytes + 32, note->point.term);
    store_le64(bytes + 40, note->point.revision);
    store_le64(bytes + 48, note->point.digest);
    store_le64(bytes + 56, note->point.compacted);
    memcpy(bytes + 64, note->sha256, sizeof note->sha256);
    int rc = join(path, staging, FOLDER_NOTE, e);
    return rc != 0 ? rc : env_file_write(env, path, str_of(bytes, sizeof bytes), 0600, e);
}

int folder_note_read(struct env *env, const char *staging, struct folder_note *out)
{
    char path[FOLDER_BYTES_MAX];
    struct arena a;
    struct str bytes;
    arena_init(&a);
    bool found = join(path, staging, FOLDER_NOTE, NULL) == 0 && env_path_exists(env, path) &&
                 env_file_read(env, &a, path, NOTE_BYTES, &bytes, NULL) == 0 &&
                 bytes.len == NOTE_BYTES && load_le32(bytes.data) == NOTE_MAGIC;
    if (found) {
        const char *at = bytes.data;
        out->copy_id = load_le64(at + 8);
        out->bytes = load_le64(at + 16);
        out->point = (struct point){ .index = load_le64(at + 24),
                                     .term = load_le64(at + 32),
                                     .revision = load_le64(at + 40),
                                     .digest = load_le64(at + 48),
                                     .compacted = load_le64(at + 56),
                                     .level = load_le32(at + 4) };
        memcpy(out->sha256, at + 64, sizeof out->sha256);
    }
    arena_deinit(&a);
    return found ? 0 : -ERR_NOT_FOUND;
}

int folder_sweep(struct env *env, const char *folder, uint64_t index, struct err *e)
{
    char staging[FOLDER_BYTES_MAX];
    struct folder_note note;
    int rc = join(staging, folder, FOLDER_STAGING, e);
    if (rc != 0 || !env_path_exists(env, staging))
        return rc;
    if (folder_note_read(env, staging, &note) == 0 && note.point.index > index)
        return 0;
    return env_remove_tree(env, staging, e);
}
