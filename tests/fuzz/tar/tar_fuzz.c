/*
 * Any bytes as an archive: whole and in pieces they must give the same entries, within bounds; and
 * what was read, written again by our writer, must read as the same. The first byte is the size of
 * the pieces.
 */
#include "base/assert.h"
#include "base/list.h"
#include "cli/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct seen {
    struct tar_reader r;
    uint64_t hash; /* of what there is of each entry */
    uint64_t left; /* of the entry under way */
    bool inside;
    /* A name is empty: that is no file, and ours writes none. */
    bool odd;
    struct buf *again; /* not NULL: the archive made anew */
};

static void mix(struct seen *s, uint64_t value)
{
    s->hash = s->hash * 31 + value;
}

static bool is_bodiless(int type)
{
    return type == TAR_LINK || type == TAR_HARD_LINK || type == TAR_FOLDER;
}

static int on_entry(struct tar_reader *r, const struct tar_entry *entry, struct err *e)
{
    struct seen *s = container_of(r, struct seen, r);
    (void)e;
    ASSERT(!s->inside);
    ASSERT(entry->name.len <= TAR_EXTRA_BYTES_MAX);
    ASSERT(entry->link.len <= TAR_EXTRA_BYTES_MAX);
    ASSERT(!is_bodiless(entry->type) || entry->size == 0);
    s->inside = true;
    s->left = entry->size;
    ASSERT(str_find_char(entry->name, '\0', 0) < 0 && str_find_char(entry->link, '\0', 0) < 0);
    s->odd |= entry->name.len == 0;
    mix(s, str_hash(entry->name));
    mix(s, str_hash(entry->link));
    mix(s, entry->size);
    mix(s, entry->mode + (uint64_t)entry->type);
    if (s->again != NULL && !s->odd)
        tar_write_header(s->again, entry);
    return 0;
}

static int on_data(struct tar_reader *r, struct str bytes, struct err *e)
{
    struct seen *s = container_of(r, struct seen, r);
    (void)e;
    ASSERT(s->inside && bytes.len > 0 && bytes.len <= s->left);
    s->left -= bytes.len;
    for (size_t i = 0; i < bytes.len; i++)
        mix(s, (uint8_t)bytes.data[i]);
    if (s->again != NULL)
        buf_append_str(s->again, bytes);
    return 0;
}

static int on_end(struct tar_reader *r, struct err *e)
{
    struct seen *s = container_of(r, struct seen, r);
    (void)e;
    ASSERT(s->inside && s->left == 0);
    s->inside = false;
    if (s->again != NULL)
        tar_write_padding(s->again, s->again->len);
    return 0;
}

/* What was read of the bytes, or 0 when they are no whole archive. again is cleared when it is not
 * to be read. */
static uint64_t run(struct str bytes, size_t piece, struct buf *again)
{
    struct seen s = { .r = { .entry = on_entry, .data = on_data, .end = on_end }, .again = again };
    struct err e;
    int rc = 0;
    tar_reader_init(&s.r);
    while (rc == 0 && bytes.len > 0) {
        rc = tar_read(&s.r, str_slice(bytes, 0, piece), &e);
        bytes = str_slice(bytes, piece < bytes.len ? piece : bytes.len, bytes.len);
        ASSERT(s.r.text.len <= TAR_EXTRA_BYTES_MAX);
    }
    bool whole = rc == 0 && tar_reader_between(&s.r);
    ASSERT(!whole || !s.inside);
    tar_reader_deinit(&s.r);
    if (again != NULL && s.odd)
        buf_clear(again);
    return whole ? s.hash + 1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct str bytes = str_of(data + 1, len - 1);
    struct buf again;
    buf_init(&again);
    uint64_t hash = run(bytes, len, &again);
    ASSERT(run(bytes, data[0] == 0 ? 1 : data[0], NULL) == hash);
    if (hash != 0 && again.len > 0)
        ASSERT(run(buf_str(&again), len, NULL) == hash);
    buf_deinit(&again);
    return 0;
}
