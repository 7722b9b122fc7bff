/*
 * The loader takes any bytes as a log's files: it refuses or reads them, and what it reads it reads
 * again after it was mended. The input is files {u8 name, le16 length, bytes}; checksums are made
 * to fit where a file says so (the name's high bit), or nothing would ever get past them.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/env_sim.h"
#include "store/wal_load.h"
#include "store/wal_meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Larger inputs only repeat what smaller ones do. */
#define INPUT_BYTES_MAX 16384
#define FOLDER          "/log"
#define LOG_ID          77
#define FIT             0x80u
#define FILES           4 /* log-1 ... log-4, then metadata, snapshot */

static void fit_head(uint8_t *at, size_t bytes)
{
    store_le32(at + 12, wal_crc(wal_crc(0, at, 12), at + 16, bytes - 16));
}

/* Whatever stands where a record may be gets checksums that fit; its length is made to fit too. */
static void fit_records(uint8_t *bytes, size_t len, uint64_t sequence)
{
    uint32_t seed = wal_seed(LOG_ID, sequence);
    if (len >= WAL_FILE_HEAD_BYTES) {
        store_le64(bytes + 16, LOG_ID);
        store_le64(bytes + 24, sequence);
        fit_head(bytes, WAL_FILE_HEAD_BYTES);
    }
    for (size_t at = WAL_BLOCK_BYTES; at + WAL_RECORD_BYTES <= len;) {
        uint32_t length = load_le32(bytes + at + 8) & 0xff;
        uint64_t span = wal_record_span(length);
        if (at + span > len)
            break;
        store_le32(bytes + at + 8, length);
        uint32_t head = wal_crc(seed, bytes + at + 8, WAL_RECORD_BYTES - 8);
        store_le32(bytes + at + 4, head);
        store_le32(bytes + at,
                   wal_crc(head, bytes + at + WAL_RECORD_BYTES, span - WAL_RECORD_BYTES));
        at += span;
    }
}

static void put_file(struct env *host, uint8_t name, struct str input)
{
    char path[WAL_PATH_BYTES];
    size_t file = (size_t)(name & ~FIT) % (FILES + 2);
    size_t len = input.len;
    if (file == FILES) /* metadata is two blocks, or is refused at once */
        len = len < 2 * WAL_BLOCK_BYTES ? 2 * WAL_BLOCK_BYTES : len;
    uint8_t *bytes = mem_alloc(len + 1);
    if (input.len > 0)
        memcpy(bytes, input.data, input.len);
    if (file < FILES) {
        wal_path_of(path, FOLDER, WAL_LOG_NAME, file + 1);
        if ((name & FIT) != 0)
            fit_records(bytes, len, file + 1);
    } else if (file == FILES) {
        wal_path(path, FOLDER, "metadata");
        if ((name & FIT) != 0)
            fit_head(bytes, WAL_SLOT_BYTES);
    } else {
        wal_path(path, FOLDER, "snapshot");
        if ((name & FIT) != 0 && len >= 16)
            fit_head(bytes, len);
    }
    int rc = env_file_write(host, path, str_of(bytes, len), 0600, NULL);
    ASSERT(rc == 0);
    mem_free(bytes);
}

static void put_files(struct env *host, struct str input)
{
    struct reader r;
    struct wal_slot slot = { .version = 1, .id = LOG_ID, .term = UINT64_MAX };
    int rc = wal_meta_make(host, FOLDER, &slot, NULL);
    ASSERT(rc == 0);
    reader_init(&r, input);
    while (reader_left(&r) > 3) {
        uint8_t name = reader_u8(&r);
        size_t len = reader_u8(&r);
        len |= (size_t)reader_u8(&r) << 8;
        if (len > reader_left(&r))
            len = reader_left(&r);
        put_file(host, name, reader_take(&r, len));
    }
}

struct walk {
    uint64_t next;
    uint64_t count;
};

static void visit(void *ctx, const struct wal_entry *entry)
{
    struct walk *w = ctx;
    ASSERT(w->count == 0 || entry->index == w->next);
    w->count++;
    w->next = entry->index + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct wal_loaded l;
    struct wal_loaded again;
    struct walk w = { 0 };
    if (len > INPUT_BYTES_MAX)
        return 0;
    struct env *world = env_sim_new(1);
    struct env *host = env_sim_host_new(world, "host");
    int rc = env_dir_make(host, FOLDER, 0700, NULL);
    ASSERT(rc == 0);
    put_files(host, str_of(data, len));
    rc = wal_load(host, FOLDER, visit, &w, &l, NULL);
    ASSERT(rc == 0 || rc == -ERR_CORRUPT || rc == -ERR_UNIMPLEMENTED);
    if (rc == 0) {
        ASSERT(w.count == l.state.last + 1 - l.state.first);
        ASSERT(w.count == 0 || w.next == l.state.last + 1);
        rc = wal_mend(host, FOLDER, &l, NULL);
        ASSERT(rc == 0);
        rc = wal_load(host, FOLDER, NULL, NULL, &again, NULL);
        ASSERT(rc == 0);
        ASSERT(again.state.last == l.state.last);
        ASSERT(again.state.first == l.state.first);
        wal_loaded_deinit(&again);
        wal_loaded_deinit(&l);
    }
    env_sim_free(world);
    return 0;
}
