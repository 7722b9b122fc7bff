/* The log's bytes: see the header. No I/O. */
#include "store/wal_format.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"

#define MAGIC_FILE      0x474f4c2d59544e47ull /* "GNTY-LOG" */
#define MAGIC_SLOT      0x4154454d59544e47ull /* "GNTYMETA" */
#define MAGIC_SNAPSHOT  0x50414e5359544e47ull /* "GNTYSNAP" */
#define SEQUENCE_DIGITS 16
#define ZEROS_BYTES     (8 * WAL_RECORD_ALIGN)

/* ---- CRC-32C ---- */

uint32_t wal_crc_table(uint32_t crc, const void *data, size_t len)
{
    /* By half bytes: of the polynomial 0x82f63b78 (Castagnoli's, reflected). */
    static const uint32_t table[16] = { 0x00000000u, 0x105ec76fu, 0x20bd8edeu, 0x30e349b1u,
                                        0x417b1dbcu, 0x5125dad3u, 0x61c69362u, 0x7198540du,
                                        0x82f63b78u, 0x92a8fc17u, 0xa24bb5a6u, 0xb21572c9u,
                                        0xc38d26c4u, 0xd3d3e1abu, 0xe330a81au, 0xf36e6f75u };
    const uint8_t *p = data;
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }
    return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc_sse42(uint32_t crc, const uint8_t *p,
                                                            size_t len)
{
    uint64_t wide = ~crc;
    for (; len >= 8; len -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; len > 0; len--, p++)
        crc = __builtin_ia32_crc32qi(crc, *p);
    return ~crc;
}
#endif

uint32_t wal_crc(uint32_t crc, const void *data, size_t len)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return crc_sse42(crc, data, len);
#endif
    return wal_crc_table(crc, data, len);
}

/* ---- records ---- */

static uint64_t padded(uint64_t length)
{
    return (length + WAL_RECORD_ALIGN - 1) & ~(uint64_t)(WAL_RECORD_ALIGN - 1);
}

uint64_t wal_record_span(uint64_t length)
{
    return WAL_RECORD_BYTES + padded(length);
}

uint32_t wal_seed(uint64_t id, uint64_t sequence)
{
    uint8_t bytes[16];
    store_le64(bytes, id);
    store_le64(bytes + 8, sequence);
    return wal_crc(0, bytes, sizeof bytes);
}

void wal_record_put(uint8_t out[WAL_RECORD_BYTES], const struct wal_record *r, uint32_t seed,
                    struct str bytes)
{
    static const uint8_t zeros[WAL_RECORD_ALIGN];
    ASSERT(bytes.len == r->length);
    store_le32(out + 8, r->length);
    out[12] = (uint8_t)r->kind;
    out[13] = r->type;
    out[14] = 0;
    out[15] = 0;
    store_le64(out + 16, r->index);
    store_le64(out + 24, r->term);
    store_le64(out + 32, r->group);
    store_le32(out + 40, r->start);
    store_le32(out + 44, r->end);
    uint32_t head = wal_crc(seed, out + 8, WAL_RECORD_BYTES - 8);
    uint32_t body = wal_crc(head, bytes.data, bytes.len);
    store_le32(out, wal_crc(body, zeros, padded(bytes.len) - bytes.len));
    store_le32(out + 4, head);
}

bool wal_record_get(const uint8_t *at, uint32_t seed, struct wal_record *out)
{
    uint32_t start = load_le32(at + 40);
    uint32_t end = load_le32(at + 44);
    uint32_t length = load_le32(at + 8);
    /* The cheap tests first: a search looks at every eighth byte of a file. */
    if (at[12] == 0 || at[12] >= WAL_KINDS || at[14] != 0 || at[15] != 0)
        return false;
    if (length > WAL_ENTRY_BYTES_MAX || start < WAL_BLOCK_BYTES || end < start)
        return false;
    uint32_t check = load_le32(at + 4);
    if (wal_crc(seed, at + 8, WAL_RECORD_BYTES - 8) != check)
        return false;
    *out = (struct wal_record){ .kind = (enum wal_kind)at[12],
                                .type = at[13],
                                .index = load_le64(at + 16),
                                .term = load_le64(at + 24),
                                .group = load_le64(at + 32),
                                .start = start,
                                .end = end,
                                .length = length,
                                .check = check };
    return true;
}

uint64_t wal_past_zeros(const uint8_t *bytes, uint64_t at, uint64_t len)
{
    while (len - at >= WAL_RECORD_BYTES + ZEROS_BYTES) {
        const uint8_t *second = bytes + at + WAL_RECORD_ALIGN;
        uint64_t any = 0;
        for (size_t i = 0; i < ZEROS_BYTES; i += WAL_RECORD_ALIGN)
            any |= load_le64(second + i);
        if (any != 0)
            break;
        at += ZEROS_BYTES;
    }
    return at;
}

bool wal_record_body_ok(const uint8_t *at, const struct wal_record *r)
{
    return wal_crc(r->check, at + WAL_RECORD_BYTES, padded(r->length)) == load_le32(at);
}

/* ---- heads of files, and metadata: magic, format, checksum of the rest, the rest ---- */

#define HEAD_REST 16

static void seal(uint8_t *out, size_t bytes, uint64_t magic)
{
    store_le64(out, magic);
    store_le32(out + 8, WAL_FORMAT);
    uint32_t crc = wal_crc(0, out, 12);
    store_le32(out + 12, wal_crc(crc, out + HEAD_REST, bytes - HEAD_REST));
}

static int unseal(const uint8_t *at, size_t bytes, uint64_t magic)
{
    uint32_t crc = wal_crc(0, at, 12);
    if (load_le64(at) != magic ||
        wal_crc(crc, at + HEAD_REST, bytes - HEAD_REST) != load_le32(at + 12))
        return -ERR_NOT_FOUND;
    return load_le32(at + 8) == WAL_FORMAT ? 0 : -ERR_UNIMPLEMENTED;
}

void wal_file_head_put(uint8_t out[WAL_FILE_HEAD_BYTES], const struct wal_file_head *h, uint64_t id,
                       uint64_t sequence)
{
    memset(out, 0, WAL_FILE_HEAD_BYTES);
    store_le64(out + 16, id);
    store_le64(out + 24, sequence);
    store_le64(out + 32, h->last);
    store_le64(out + 40, h->group);
    store_le64(out + 48, h->before_at);
    store_le64(out + 56, h->before_group);
    seal(out, WAL_FILE_HEAD_BYTES, MAGIC_FILE);
}

int wal_file_head_get(const uint8_t at[WAL_FILE_HEAD_BYTES], uint64_t id, uint64_t sequence,
                      struct wal_file_head *out)
{
    int rc = unseal(at, WAL_FILE_HEAD_BYTES, MAGIC_FILE);
    if (rc == -ERR_NOT_FOUND)
        return rc;
    if (load_le64(at + 16) != id || load_le64(at + 24) != sequence)
        return -ERR_NOT_FOUND;
    if (rc != 0)
        return rc;
    *out = (struct wal_file_head){ .last = load_le64(at + 32),
                                   .group = load_le64(at + 40),
                                   .before_at = load_le64(at + 48),
                                   .before_group = load_le64(at + 56) };
    return 0;
}

void wal_slot_put(uint8_t out[WAL_SLOT_BYTES], const struct wal_slot *s)
{
    memset(out, 0, WAL_SLOT_BYTES);
    store_le64(out + 16, s->id);
    store_le64(out + 24, s->version);
    store_le64(out + 32, s->term);
    store_le64(out + 40, s->vote);
    seal(out, WAL_SLOT_BYTES, MAGIC_SLOT);
}

int wal_slot_get(const uint8_t at[WAL_SLOT_BYTES], struct wal_slot *out)
{
    int rc = unseal(at, WAL_SLOT_BYTES, MAGIC_SLOT);
    if (rc != 0)
        return rc;
    *out = (struct wal_slot){ .id = load_le64(at + 16),
                              .version = load_le64(at + 24),
                              .term = load_le64(at + 32),
                              .vote = load_le64(at + 40) };
    return 0;
}

/* ---- the snapshot file ---- */

void wal_snapshot_encode(const struct wal_snapshot *s, uint64_t id, struct buf *out)
{
    ASSERT(s->servers_count <= WAL_SERVERS_MAX);
    ASSERT(s->manifest_len <= WAL_MANIFEST_BYTES);
    size_t from = out->len;
    for (int i = 0; i < HEAD_REST; i++)
        buf_append_byte(out, 0);
    buf_put_le64(out, id);
    buf_put_le64(out, s->index);
    buf_put_le64(out, s->term);
    buf_put_le64(out, s->configuration_index);
    buf_put_le32(out, (uint32_t)s->servers_count);
    for (size_t i = 0; i < s->servers_count; i++) {
        const struct wal_server *server = &s->servers[i];
        buf_put_le64(out, server->id);
        buf_put_le32(out, (uint32_t)server->role);
        buf_put_bytes(out, str_of(server->address, strnlen(server->address, WAL_ADDRESS_BYTES)));
    }
    buf_put_bytes(out, str_of(s->manifest, s->manifest_len));
    seal(out->data + from, out->len - from, MAGIC_SNAPSHOT);
}

static void decode_servers(struct reader *r, struct wal_snapshot *out)
{
    uint32_t count = reader_le32(r);
    if (count > WAL_SERVERS_MAX)
        r->failed = 1;
    for (uint32_t i = 0; i < count && reader_ok(r); i++) {
        struct wal_server *server = &out->servers[i];
        server->id = reader_le64(r);
        server->role = (int)reader_le32(r);
        struct str address = reader_bytes(r);
        if (address.len >= WAL_ADDRESS_BYTES)
            r->failed = 1;
        else if (address.len > 0)
            memcpy(server->address, address.data, address.len);
    }
    out->servers_count = count;
}

int wal_snapshot_decode(struct str bytes, uint64_t id, struct wal_snapshot *out, struct err *e)
{
    struct reader r;
    struct wal_snapshot s = { 0 };
    int rc = bytes.len < HEAD_REST || bytes.len > WAL_SNAPSHOT_MAX
                 ? -ERR_NOT_FOUND
                 : unseal((const uint8_t *)bytes.data, bytes.len, MAGIC_SNAPSHOT);
    if (rc == -ERR_UNIMPLEMENTED)
        return err_set(e, ERR_UNIMPLEMENTED, "the format is of a newer build");
    if (rc != 0)
        return err_set(e, ERR_CORRUPT, "the checksum does not match");
    reader_init(&r, str_slice(bytes, HEAD_REST, bytes.len));
    if (reader_le64(&r) != id)
        return err_set(e, ERR_CORRUPT, "it belongs to another log");
    s.index = reader_le64(&r);
    s.term = reader_le64(&r);
    s.configuration_index = reader_le64(&r);
    decode_servers(&r, &s);
    struct str manifest = reader_bytes(&r);
    if (!reader_ok(&r) || reader_left(&r) > 0 || manifest.len > WAL_MANIFEST_BYTES || s.index == 0)
        return err_set(e, ERR_CORRUPT, "its fields do not fit");
    if (manifest.len > 0)
        memcpy(s.manifest, manifest.data, manifest.len);
    s.manifest_len = manifest.len;
    *out = s;
    return 0;
}

/* ---- names and reasons ---- */

void wal_path(char out[WAL_PATH_BYTES], const char *folder, const char *name)
{
    int n = snprintf(out, WAL_PATH_BYTES, "%s/%s", folder, name);
    ASSERT(n > 0);
    ASSERT(n < WAL_PATH_BYTES); /* folders are checked when the log is opened */
}

void wal_path_of(char out[WAL_PATH_BYTES], const char *folder, const char *name, uint64_t sequence)
{
    char full[64];
    (void)snprintf(full, sizeof full, "%s-%016llx", name, (unsigned long long)sequence); /* fits */
    wal_path(out, folder, full);
}

uint64_t wal_name_sequence(struct str name, const char *prefix)
{
    struct str p = str_from(prefix);
    uint64_t sequence = 0;
    if (!str_starts(name, p) || name.len != p.len + 1 + SEQUENCE_DIGITS || name.data[p.len] != '-')
        return 0;
    for (size_t i = p.len + 1; i < name.len; i++) {
        char c = name.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return 0;
        sequence = sequence << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return sequence;
}

int wal_corrupt(struct err *e, const char *path, uint64_t offset, const char *format, ...)
{
    char why[200];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, sizeof why, format, args); /* cut when too long */
    va_end(args);
    return err_set(e, ERR_CORRUPT,
                   "%s at %llu: %s; this member's log is damaged: wipe its data folder and join "
                   "again (docs/operating.md)",
                   path, (unsigned long long)offset, why);
}
