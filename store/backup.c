/* See the header. The digest is computed while writing, and checked before anything is taken out.
 */
#include "store/backup.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "net/digest.h"

#define MAGIC        "GNTYSNAP"
#define MAGIC_BYTES  8
#define FORMAT       2
#define FORMAT_FIRST 1  /* does not say how many keys there are */
#define PREFIX_BYTES 16 /* magic, format, header bytes */
#define PIECE_BYTES  (1u << 20)
/* Larger than any map; so that sums of sizes cannot overflow. */
#define COPY_BYTES_MAX (1ull << 46)

/* ---- the header ---- */

void backup_encode(const struct backup *b, struct buf *out)
{
    size_t at = out->len;
    ASSERT(b->groups_count <= BACKUP_GROUPS_MAX);
    buf_append_c(out, MAGIC);
    buf_put_le32(out, FORMAT);
    buf_put_le32(out, 0); /* set below */
    buf_put_bytes(out, str_from(b->cluster_id));
    buf_put_bytes(out, str_from(b->version));
    buf_put_le64(out, b->wall_ns);
    buf_put_le32(out, (uint32_t)b->groups_count);
    for (size_t i = 0; i < b->groups_count; i++) {
        const struct backup_group *g = &b->groups[i];
        buf_put_le32(out, (uint32_t)g->id);
        buf_put_le32(out, g->point.level);
        buf_put_le64(out, g->point.index);
        buf_put_le64(out, g->point.term);
        buf_put_le64(out, g->point.revision);
        buf_put_le64(out, g->point.digest);
        buf_put_le64(out, g->point.compacted);
        buf_put_le64(out, g->bytes);
        buf_put_le64(out, g->keys);
    }
    ASSERT(out->len - at <= BACKUP_HEADER_BYTES_MAX);
    store_le32(out->data + at + MAGIC_BYTES + 4, (uint32_t)(out->len - at));
}

/* Text without NUL, of a bounded length. */
static bool read_text(struct reader *r, char out[BACKUP_TEXT_BYTES_MAX + 1])
{
    struct str s = reader_bytes(r);
    if (!reader_ok(r) || s.len > BACKUP_TEXT_BYTES_MAX || str_find_char(s, '\0', 0) >= 0 ||
        !str_utf8_valid(s))
        return false;
    memcpy(out, s.data, s.len);
    out[s.len] = '\0';
    return true;
}

static bool read_group(struct reader *r, uint32_t format, struct backup *b)
{
    uint32_t id = reader_le32(r);
    struct backup_group g = { .id = (enum store_group_id)id, .point = { .level = reader_le32(r) } };
    g.point.index = reader_le64(r);
    g.point.term = reader_le64(r);
    g.point.revision = reader_le64(r);
    g.point.digest = reader_le64(r);
    g.point.compacted = reader_le64(r);
    g.bytes = reader_le64(r);
    g.keys = format == FORMAT_FIRST ? BACKUP_KEYS_UNKNOWN : reader_le64(r);
    if (!reader_ok(r) || id < STORE_CLUSTER || id > STORE_BUS || g.bytes == 0 ||
        g.bytes > COPY_BYTES_MAX)
        return false;
    for (size_t i = 0; i < b->groups_count; i++)
        if (b->groups[i].id == g.id)
            return false;
    b->groups[b->groups_count++] = g;
    return true;
}

/* The first bytes: how long the header is. */
static int decode_prefix(struct str bytes, uint32_t *out_format, uint32_t *out_header,
                         struct err *e)
{
    struct reader r;
    reader_init(&r, bytes);
    struct str magic = reader_take(&r, MAGIC_BYTES);
    uint32_t format = reader_le32(&r);
    uint32_t header = reader_le32(&r);
    if (!reader_ok(&r) || !str_eq_c(magic, MAGIC))
        return err_set(e, ERR_CORRUPT, "this is not a backup");
    if (format < FORMAT_FIRST || format > FORMAT)
        return err_set(e, ERR_UNIMPLEMENTED, "a backup of format %u: a newer release reads it",
                       format);
    if (header < PREFIX_BYTES || header > BACKUP_HEADER_BYTES_MAX)
        return err_set(e, ERR_CORRUPT, "a backup's header of %u bytes", header);
    *out_format = format;
    *out_header = header;
    return 0;
}

int backup_decode(struct str bytes, struct backup *out, struct err *e)
{
    struct backup b = { .groups_count = 0 };
    struct reader r;
    uint32_t format;
    uint32_t header;
    int rc = decode_prefix(bytes, &format, &header, e);
    if (rc != 0)
        return rc;
    reader_init(&r, bytes);
    (void)reader_take(&r, PREFIX_BYTES); /* decoded above */
    bool ok = header == bytes.len && read_text(&r, b.cluster_id) && read_text(&r, b.version);
    b.wall_ns = reader_le64(&r);
    uint32_t count = reader_le32(&r);
    ok = ok && reader_ok(&r) && count <= BACKUP_GROUPS_MAX;
    for (uint32_t i = 0; ok && i < count; i++)
        ok = read_group(&r, format, &b);
    if (!ok || !reader_ok(&r) || reader_left(&r) != 0)
        return err_set(e, ERR_CORRUPT, "a backup's header does not decode");
    *out = b;
    return 0;
}

/* ---- writing ---- */

struct backup_source {
    struct backup backup;
    struct digest *digest;
    size_t part; /* 0: the header; then the groups; then the digest; then nothing */
    uint64_t at; /* in the present group's copy */
};

struct backup_source *backup_source_new(const struct backup *b)
{
    struct backup_source *s = mem_alloc(sizeof *s);
    *s = (struct backup_source){ .backup = *b, .digest = digest_new() };
    return s;
}

void backup_source_free(struct backup_source *s)
{
    if (s == NULL)
        return;
    digest_free(s->digest);
    mem_free(s);
}

uint64_t backup_bytes(const struct backup *b)
{
    struct buf header;
    buf_init(&header);
    backup_encode(b, &header);
    uint64_t bytes = header.len + DIGEST_SHA256_BYTES;
    buf_deinit(&header);
    for (size_t i = 0; i < b->groups_count; i++)
        bytes += b->groups[i].bytes;
    return bytes;
}

/* The next piece of the present group's copy. */
static int next_of_copy(struct backup_source *s, struct buf *out, struct err *e)
{
    const struct backup_group *g = &s->backup.groups[s->part - 1];
    uint64_t left = g->bytes - s->at;
    size_t len = left < BACKUP_PIECE_BYTES ? (size_t)left : BACKUP_PIECE_BYTES;
    size_t got = 0;
    buf_reserve(out, len);
    int rc = env_file_pread(g->file, s->at, out->data, len, &got, e);
    if (rc == 0 && got == 0)
        rc = err_set(e, ERR_CORRUPT, "the copy of group %u became shorter", (unsigned)g->id);
    if (rc != 0)
        return rc;
    out->len = got;
    s->at += got;
    if (s->at == g->bytes) {
        s->part++;
        s->at = 0;
    }
    return 0;
}

int backup_source_next(struct backup_source *s, struct buf *out, struct err *e)
{
    size_t count = s->backup.groups_count;
    int rc = 0;
    buf_clear(out);
    if (s->part > count) {
        uint8_t sum[DIGEST_SHA256_BYTES];
        digest_get(s->digest, sum);
        if (s->part++ == count + 1)
            buf_append(out, sum, sizeof sum);
        return 0;
    }
    if (s->part == 0) {
        backup_encode(&s->backup, out);
        s->part++;
    } else {
        rc = next_of_copy(s, out, e);
    }
    if (rc == 0)
        digest_add(s->digest, buf_str(out));
    return rc;
}

static int open_copy(struct env *env, struct backup_group *g, struct err *e)
{
    struct env_stat stat;
    int rc = env_file_open(env, g->path, ENV_FILE_READ, 0, &g->file, e);
    if (rc == 0)
        rc = env_file_stat(g->file, &stat, e);
    if (rc == 0 && stat.size != g->bytes)
        rc = err_set(e, ERR_CORRUPT, "%s has %llu bytes, not %llu", g->path,
                     (unsigned long long)stat.size, (unsigned long long)g->bytes);
    return rc;
}

int backup_write(struct env *env, const struct backup *b, int (*sink)(void *ctx, struct str bytes),
                 void *ctx, struct err *e)
{
    struct backup open = *b;
    struct buf piece;
    int rc = 0;
    buf_init(&piece);
    for (size_t i = 0; i < open.groups_count; i++)
        open.groups[i].file = NULL;
    for (size_t i = 0; rc == 0 && i < open.groups_count; i++)
        rc = open_copy(env, &open.groups[i], e);
    struct backup_source *s = backup_source_new(&open);
    while (rc == 0) {
        rc = backup_source_next(s, &piece, e);
        if (rc != 0 || piece.len == 0)
            break;
        rc = sink(ctx, buf_str(&piece));
    }
    backup_source_free(s);
    for (size_t i = 0; i < open.groups_count; i++)
        env_file_close(open.groups[i].file);
    buf_deinit(&piece);
    return rc;
}

/* ---- reading ---- */

/* Exactly len bytes. */
static int read_at(struct env_file *f, uint64_t at, void *out, size_t len, struct err *e)
{
    size_t done = 0;
    while (done < len) {
        size_t got = 0;
        int rc = env_file_pread(f, at + done, (char *)out + done, len - done, &got, e);
        if (rc != 0)
            return rc;
        if (got == 0)
            return err_set(e, ERR_CORRUPT, "the backup is cut off");
        done += got;
    }
    return 0;
}

/* The header, and that the file is as long as it says. */
static int read_header(struct env_file *f, struct backup *out, uint32_t *out_bytes, struct err *e)
{
    uint8_t bytes[BACKUP_HEADER_BYTES_MAX];
    struct env_stat stat;
    uint32_t format;
    int rc = read_at(f, 0, bytes, PREFIX_BYTES, e);
    if (rc == 0)
        rc = decode_prefix(str_of(bytes, PREFIX_BYTES), &format, out_bytes, e);
    if (rc == 0)
        rc = read_at(f, 0, bytes, *out_bytes, e);
    if (rc == 0)
        rc = backup_decode(str_of(bytes, *out_bytes), out, e);
    if (rc == 0)
        rc = env_file_stat(f, &stat, e);
    if (rc != 0)
        return rc;
    uint64_t size = *out_bytes;
    for (size_t i = 0; i < out->groups_count; i++) {
        out->groups[i].offset = size;
        size += out->groups[i].bytes;
    }
    size += DIGEST_SHA256_BYTES;
    if (stat.size != size)
        return err_set(e, ERR_CORRUPT, "the backup has %llu bytes, not %llu",
                       (unsigned long long)stat.size, (unsigned long long)size);
    return 0;
}

/* Is the last thing in it the SHA-256 of everything before? */
static int verify(struct env_file *f, const struct backup *b, uint32_t header, struct err *e)
{
    struct digest *d = digest_new();
    uint8_t *piece = mem_alloc(PIECE_BYTES);
    uint8_t sum[DIGEST_SHA256_BYTES];
    uint8_t want[DIGEST_SHA256_BYTES];
    uint64_t end = header;
    int rc = 0;
    for (size_t i = 0; i < b->groups_count; i++)
        end += b->groups[i].bytes;
    for (uint64_t at = 0; rc == 0 && at < end;) {
        uint64_t left = end - at;
        size_t len = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        rc = read_at(f, at, piece, len, e);
        digest_add(d, str_of(piece, rc == 0 ? len : 0));
        at += len;
    }
    if (rc == 0)
        rc = read_at(f, end, want, sizeof want, e);
    digest_get(d, sum);
    if (rc == 0 && memcmp(sum, want, sizeof sum) != 0)
        rc = err_set(e, ERR_CORRUPT, "the backup is damaged: its digest is wrong");
    digest_free(d);
    mem_free(piece);
    return rc;
}

int backup_open(struct env *env, const char *path, struct backup *out, struct env_file **out_file,
                struct err *e)
{
    struct backup b;
    struct env_file *f;
    uint32_t header;
    int rc = env_file_open(env, path, ENV_FILE_READ, 0, &f, e);
    if (rc != 0)
        return rc;
    rc = read_header(f, &b, &header, e);
    if (rc == 0)
        rc = verify(f, &b, header, e);
    if (rc != 0) {
        env_file_close(f);
        return err_wrap(e, rc, "%s", path);
    }
    *out = b;
    *out_file = f;
    return 0;
}

int backup_check(struct env *env, const char *path, struct backup *out, struct err *e)
{
    struct env_file *f;
    int rc = backup_open(env, path, out, &f, e);
    if (rc == 0)
        env_file_close(f);
    return rc;
}

int backup_take(struct env *env, struct env_file *f, const struct backup_group *g, const char *path,
                struct err *e)
{
    struct env_file *to;
    int rc = env_file_open(env, path, ENV_FILE_WRITE | ENV_FILE_CREATE | ENV_FILE_EXCLUSIVE, 0600,
                           &to, e);
    if (rc != 0)
        return rc;
    uint8_t *piece = mem_alloc(PIECE_BYTES);
    for (uint64_t done = 0; rc == 0 && done < g->bytes;) {
        uint64_t left = g->bytes - done;
        size_t len = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        rc = read_at(f, g->offset + done, piece, len, e);
        if (rc == 0)
            rc = env_file_pwrite(to, done, str_of(piece, len), e);
        done += len;
    }
    if (rc == 0)
        rc = env_file_sync(to, e);
    mem_free(piece);
    env_file_close(to);
    if (rc != 0)
        (void)env_path_remove(env, path, NULL); /* half of one is of no use */
    return rc;
}
