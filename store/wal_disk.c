/* Groups: gathered, sealed, written, flushed. */
#include "store/wal_disk.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

#define PARTS_PER_RECORD 3 /* head, bytes, padding */

int wal_disk_init(struct wal_disk *d, struct env *env, const char *folder, uint64_t id,
                  const struct wal_tail *tail, struct err *e)
{
    char path[WAL_PATH_BYTES];
    struct env_stat st;
    *d = (struct wal_disk){ .folder = folder, .env = env, .id = id, .tail = *tail };
    if (tail->sequence != 0 && !tail->closed) {
        wal_path_of(path, folder, WAL_LOG_NAME, tail->sequence);
        int rc = env_file_open(env, path, ENV_FILE_READ | ENV_FILE_WRITE, 0, &d->file, e);
        if (rc == 0)
            rc = env_file_stat(d->file, &st, e);
        if (rc != 0) {
            env_file_close(d->file);
            return rc;
        }
        d->size = st.size;
    }
    struct wal_group *g = &d->group;
    g->records = mem_alloc(WAL_GROUP_RECORDS * sizeof(g->records[0]));
    g->bytes = mem_alloc(WAL_GROUP_RECORDS * sizeof(g->bytes[0]));
    g->heads = mem_alloc(WAL_BLOCK_BYTES + WAL_GROUP_RECORDS * WAL_RECORD_BYTES);
    g->parts = mem_alloc((1 + WAL_GROUP_RECORDS * PARTS_PER_RECORD) * sizeof(g->parts[0]));
    return 0;
}

void wal_disk_deinit(struct wal_disk *d)
{
    env_file_close(d->file);
    env_file_close(d->next);
    mem_free(d->files);
    mem_free(d->group.records);
    mem_free(d->group.bytes);
    mem_free(d->group.heads);
    mem_free(d->group.parts);
}

void wal_disk_add_file(struct wal_disk *d, const struct wal_disk_file *file)
{
    if (d->files_count == d->files_capacity) {
        d->files_capacity = d->files_capacity == 0 ? 16 : d->files_capacity * 2;
        d->files = mem_realloc(d->files, d->files_capacity * sizeof(d->files[0]));
    }
    d->files[d->files_count++] = *file;
}

void wal_disk_give_next(struct wal_disk *d, struct env_file *file, uint64_t bytes)
{
    ASSERT(d->next == NULL);
    ASSERT(bytes <= WAL_FILE_BYTES_MAX);
    d->next = file;
    d->next_size = bytes;
}

uint64_t wal_disk_next_sequence(const struct wal_disk *d)
{
    return d->tail.sequence + 1;
}

/* ---- gathering ---- */

static int begin_group(struct wal_disk *d, uint64_t span)
{
    struct wal_group *g = &d->group;
    bool begins = d->file == NULL || d->tail.at + span > d->size;
    if (begins && d->next == NULL)
        return -ERR_AGAIN;
    g->begins = begins;
    g->start = begins ? WAL_BLOCK_BYTES : d->tail.at;
    g->end = g->start;
    g->last = d->tail.last;
    ASSERT(g->start + span <= (begins ? d->next_size : d->size));
    return 0;
}

/* The order of indexes, which a load checks as well. */
static uint64_t last_after(enum wal_kind kind, uint64_t index, uint64_t last)
{
    if (kind == WAL_ENTRY)
        ASSERT(index == last + 1);
    if (kind == WAL_TRUNCATE) {
        ASSERT(index > 0);
        ASSERT(index <= last + 1);
        return index - 1;
    }
    return index;
}

int wal_disk_add(struct wal_disk *d, enum wal_kind kind, const struct wal_entry *entry)
{
    struct wal_group *g = &d->group;
    uint64_t span = wal_record_span(entry->bytes.len);
    ASSERT(entry->bytes.len <= WAL_ENTRY_BYTES_MAX);
    ASSERT(g->parts_count == 0);
    if (g->records_count == 0) {
        int rc = begin_group(d, span);
        if (rc != 0)
            return rc;
    } else if (g->records_count == WAL_GROUP_RECORDS || g->end - g->start >= WAL_GROUP_BYTES ||
               g->end + span > (g->begins ? d->next_size : d->size)) {
        return -ERR_LIMIT;
    }
    g->last = last_after(kind, entry->index, g->last);
    g->bytes[g->records_count] = entry->bytes;
    g->records[g->records_count++] = (struct wal_record){ .kind = kind,
                                                          .type = entry->type,
                                                          .index = entry->index,
                                                          .term = entry->term,
                                                          .length = (uint32_t)entry->bytes.len };
    g->end += span;
    return 0;
}

bool wal_disk_gathered(const struct wal_disk *d)
{
    return d->group.records_count > 0;
}

/* ---- writing ---- */

static void add_part(struct wal_group *g, const void *data, size_t len)
{
    if (len > 0)
        g->parts[g->parts_count++] = str_of(data, len);
}

static void seal(struct wal_disk *d)
{
    static const uint8_t zeros[8];
    struct wal_group *g = &d->group;
    uint64_t sequence = d->tail.sequence + (g->begins ? 1 : 0);
    uint32_t seed = wal_seed(d->id, sequence);
    if (g->begins) {
        struct wal_file_head head = { .last = d->tail.last,
                                      .group = d->tail.group,
                                      .before_at = d->tail.at,
                                      .before_group = d->tail.before_group };
        wal_file_head_put(g->heads, &head, d->id, sequence);
        add_part(g, g->heads, WAL_BLOCK_BYTES);
    }
    uint8_t *at = g->heads + WAL_BLOCK_BYTES;
    for (size_t i = 0; i < g->records_count; i++, at += WAL_RECORD_BYTES) {
        struct wal_record *r = &g->records[i];
        r->group = d->tail.group;
        r->start = (uint32_t)g->start;
        r->end = (uint32_t)g->end;
        wal_record_put(at, r, seed, g->bytes[i]);
        add_part(g, at, WAL_RECORD_BYTES);
        add_part(g, g->bytes[i].data, r->length);
        add_part(g, zeros, wal_record_span(r->length) - WAL_RECORD_BYTES - r->length);
    }
}

int wal_disk_write(struct wal_disk *d, struct err *e)
{
    struct wal_group *g = &d->group;
    ASSERT(g->records_count > 0);
    if (g->parts_count == 0)
        seal(d);
    return env_file_pwritev(g->begins ? d->next : d->file, g->begins ? 0 : g->start, g->parts,
                            g->parts_count, e);
}

/* ---- flushing ---- */

static void enter_next(struct wal_disk *d)
{
    env_file_close(d->file);
    d->file = d->next;
    d->size = d->next_size;
    d->next = NULL;
    d->tail.sequence++;
    d->tail.closed = false;
    wal_disk_add_file(
        d, &(struct wal_disk_file){ .sequence = d->tail.sequence, .bytes = d->size, .end = 0 });
}

static void cut_ends(struct wal_disk *d, uint64_t end)
{
    for (size_t i = 0; i < d->files_count; i++)
        if (d->files[i].end > end)
            d->files[i].end = end;
}

int wal_disk_flush(struct wal_disk *d, struct err *e)
{
    struct wal_group *g = &d->group;
    ASSERT(g->parts_count > 0);
    int rc = env_file_sync(g->begins ? d->next : d->file, e);
    if (rc != 0)
        return rc;
    if (g->begins)
        enter_next(d);
    ASSERT(d->files_count > 0);
    d->tail.at = g->end;
    d->tail.before_group = d->tail.group++;
    d->tail.last = g->last;
    for (size_t i = 0; i < g->records_count; i++) {
        const struct wal_record *r = &g->records[i];
        if (r->kind == WAL_ENTRY)
            d->files[d->files_count - 1].end = r->index + 1;
        else
            cut_ends(d, r->kind == WAL_TRUNCATE ? r->index : 0);
    }
    g->records_count = 0;
    g->parts_count = 0;
    return 0;
}

/* ---- letting go ---- */

void wal_disk_release(struct wal_disk *d, uint64_t keep_from, struct wal_files *f)
{
    size_t gone = 0;
    ASSERT(!wal_disk_gathered(d));
    while (gone + 1 < d->files_count && d->files[gone].end <= keep_from)
        wal_files_release(f, d->files[gone++].sequence);
    d->files_count -= gone;
    if (gone > 0)
        memmove(d->files, d->files + gone, d->files_count * sizeof(d->files[0]));
}

uint64_t wal_disk_bytes(const struct wal_disk *d)
{
    uint64_t bytes = d->next != NULL ? d->next_size : 0;
    for (size_t i = 0; i < d->files_count; i++)
        bytes += d->files[i].bytes;
    return bytes;
}
