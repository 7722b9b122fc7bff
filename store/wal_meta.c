/* Two slots, written one after the other. */
#include "store/wal_meta.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

#define META_NAME  "metadata"
#define META_BYTES (2 * WAL_BLOCK_BYTES)
#define META_MODE  0600

static int write_slot(struct wal_meta *m, int slot, const struct wal_slot *value, struct err *e)
{
    uint8_t bytes[WAL_SLOT_BYTES];
    wal_slot_put(bytes, value);
    return env_file_pwrite(m->file, (uint64_t)slot * WAL_BLOCK_BYTES, str_of(bytes, sizeof bytes),
                           e);
}

static int sync_file(struct wal_meta *m, struct err *e)
{
    int rc = env_file_sync(m->file, e);
    m->poisoned = m->poisoned || rc != 0;
    return rc;
}

int wal_meta_make(struct env *env, const char *folder, const struct wal_slot *slot, struct err *e)
{
    char path[WAL_PATH_BYTES];
    uint8_t bytes[META_BYTES];
    wal_path(path, folder, META_NAME);
    memset(bytes, 0, sizeof bytes);
    wal_slot_put(bytes, slot);
    wal_slot_put(bytes + WAL_BLOCK_BYTES, slot);
    return env_file_write(env, path, str_of(bytes, sizeof bytes), META_MODE, e);
}

static int read_slots(const char *path, const uint8_t *bytes, size_t len, struct wal_slot *out,
                      struct err *e)
{
    struct wal_slot slots[2];
    int rc[2];
    if (len < META_BYTES)
        return wal_corrupt(e, path, len, "two slots of %u bytes expected", WAL_BLOCK_BYTES);
    for (int i = 0; i < 2; i++)
        rc[i] = wal_slot_get(bytes + (size_t)i * WAL_BLOCK_BYTES, &slots[i]);
    if (rc[0] == -ERR_UNIMPLEMENTED || rc[1] == -ERR_UNIMPLEMENTED)
        return err_set(e, ERR_UNIMPLEMENTED, "%s: the format is of a newer build", path);
    if (rc[0] != 0 && rc[1] != 0)
        return wal_corrupt(e, path, 0, "neither slot of term and vote verifies");
    *out = rc[1] != 0 || (rc[0] == 0 && slots[0].version > slots[1].version) ? slots[0] : slots[1];
    return 0;
}

int wal_meta_read(struct env *env, const char *folder, struct wal_slot *out, struct err *e)
{
    char path[WAL_PATH_BYTES];
    struct arena arena;
    struct str bytes;
    wal_path(path, folder, META_NAME);
    if (!env_path_exists(env, path))
        return err_set(e, ERR_NOT_FOUND, "%s is not there", path);
    arena_init(&arena);
    int rc = env_file_read(env, &arena, path, META_BYTES, &bytes, e);
    if (rc == 0)
        rc = read_slots(path, (const uint8_t *)bytes.data, bytes.len, out, e);
    arena_deinit(&arena);
    return rc;
}

/* The newest slot gets the bytes that it shows already, so a torn write of it changes nothing that
 * is on disk; then the other one may be written over. */
static int mend_slots(struct wal_meta *m, int newest, struct err *e)
{
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++) {
        rc = write_slot(m, i == 0 ? newest : 1 - newest, &m->now, e);
        if (rc == 0)
            rc = sync_file(m, e);
    }
    return rc;
}

static int find_newest(struct wal_meta *m, int *out, struct err *e)
{
    uint8_t bytes[WAL_SLOT_BYTES];
    struct wal_slot there;
    size_t len = 0;
    int rc = env_file_pread(m->file, 0, bytes, sizeof bytes, &len, e);
    if (rc == 0)
        *out = len == sizeof bytes && wal_slot_get(bytes, &there) == 0 &&
                       there.version == m->now.version
                   ? 0
                   : 1;
    return rc;
}

int wal_meta_open(struct wal_meta *m, struct env *env, const char *folder,
                  const struct wal_slot *slot, struct err *e)
{
    char path[WAL_PATH_BYTES];
    int newest = 0;
    wal_path(path, folder, META_NAME);
    *m = (struct wal_meta){ .now = *slot };
    int rc = env_file_open(env, path, ENV_FILE_READ | ENV_FILE_WRITE, 0, &m->file, e);
    /* What was read may be in memory only, of a process that died before its flush, or whose flush
     * failed and is not tried again by the kernel: it is written again before anything is built on
     * it. */
    if (rc == 0)
        rc = find_newest(m, &newest, e);
    if (rc == 0)
        rc = mend_slots(m, newest, e);
    if (rc != 0)
        wal_meta_close(m);
    return rc;
}

void wal_meta_close(struct wal_meta *m)
{
    env_file_close(m->file);
    m->file = NULL;
}

int wal_meta_set(struct wal_meta *m, uint64_t term, uint64_t vote, struct err *e)
{
    struct wal_slot next = {
        .version = m->now.version + 1, .term = term, .vote = vote, .id = m->now.id
    };
    int rc = 0;
    if (m->poisoned)
        return err_set(e, ERR_IO, "an earlier flush of term and vote failed");
    if (m->stale)
        rc = write_slot(m, 1, &m->now, e);
    if (rc == 0)
        rc = sync_file(m, e);
    if (rc != 0)
        return rc;
    m->stale = true;
    rc = write_slot(m, 0, &next, e);
    if (rc == 0)
        rc = sync_file(m, e);
    if (rc != 0)
        return rc;
    m->now = next;
    m->stale = write_slot(m, 1, &next, NULL) != 0; /* then once more before the next change */
    return 0;
}
