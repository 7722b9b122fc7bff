/* Marks are rows of meta: "compact/" and the prefix -> le64 revision, le64 done. */
#include "store/compact.h"

#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "store/key.h"
#include "store/mvcc.h"
#include "store/stream.h"

#define MARK_NAME  "compact/"
#define MARK_BYTES 16

static struct str mark_prefix(const struct compact_mark *m)
{
    return str_of(m->prefix, m->prefix_bytes);
}

static void mark_save(const struct compact_mark *m, struct kv_txn *t)
{
    char name[sizeof MARK_NAME - 1 + STORE_KEY_BYTES_MAX];
    memcpy(name, MARK_NAME, sizeof MARK_NAME - 1);
    memcpy(name + sizeof MARK_NAME - 1, m->prefix, m->prefix_bytes);
    uint8_t row[MARK_BYTES];
    store_le64(row, m->revision);
    store_le64(row + 8, m->done);
    kv_put(t, KV_META, str_of(name, sizeof MARK_NAME - 1 + m->prefix_bytes),
           str_of(row, sizeof row));
}

static struct compact_mark *mark_find(struct compact *c, struct str prefix)
{
    for (size_t i = 0; i < c->count; i++)
        if (str_eq(mark_prefix(&c->marks[i]), prefix))
            return &c->marks[i];
    if (c->count == COMPACT_MARKS_MAX)
        return NULL;
    struct compact_mark *m = &c->marks[c->count++];
    memset(m, 0, sizeof *m);
    ASSERT(prefix.len <= sizeof m->prefix);
    if (prefix.len > 0)
        memcpy(m->prefix, prefix.data, prefix.len);
    m->prefix_bytes = prefix.len;
    return m;
}

void compact_load(struct compact *c, struct kv_txn *t)
{
    memset(c, 0, sizeof *c);
    (void)mark_find(c, str_of("", 0)); /* the first mark is every key's */
    struct str name = str_lit(MARK_NAME);
    struct kv_cursor cursor;
    kv_cursor_open(t, KV_META, &cursor);
    for (bool more = kv_seek(&cursor, name); more && str_starts(cursor.key, name);
         more = kv_next(&cursor)) {
        struct compact_mark *m = mark_find(c, str_slice(cursor.key, name.len, cursor.key.len));
        ASSERT(m != NULL && cursor.value.len == MARK_BYTES);
        m->revision = load_le64(cursor.value.data);
        m->done = load_le64(cursor.value.data + 8);
    }
    kv_cursor_close(&cursor);
    c->trims = true;
}

void compact_set(struct compact *c, struct kv_txn *t, struct str prefix, uint64_t revision)
{
    struct compact_mark *m = mark_find(c, prefix);
    if (m == NULL || m->revision >= revision)
        return;
    m->revision = revision;
    mark_save(m, t);
}

uint64_t compact_of_key(const struct compact *c, struct str key)
{
    uint64_t revision = 0;
    for (size_t i = 0; i < c->count; i++)
        if (c->marks[i].revision > revision && str_starts(key, mark_prefix(&c->marks[i])))
            revision = c->marks[i].revision;
    return revision;
}

uint64_t compact_of_prefix(const struct compact *c, struct str prefix)
{
    uint64_t revision = compact_of_key(c, prefix);
    for (size_t i = 0; i < c->count; i++)
        if (c->marks[i].revision > revision && str_starts(mark_prefix(&c->marks[i]), prefix))
            revision = c->marks[i].revision;
    return revision;
}

bool compact_pending(const struct compact *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->marks[i].done < c->marks[i].revision)
            return true;
    return c->trims;
}

/* What a row at or below the mark makes unreadable. The row's slices end with the first change. */
static void forget_behind(struct kv_txn *t, const struct version *row)
{
    struct place at = { row->v.revision, row->sub };
    struct place previous = row->previous;
    struct key k;
    if (row->v.tombstone) {
        struct newest n;
        if (mvcc_newest(t, row->v.key, &n) && n.place.revision == at.revision &&
            n.place.sub == at.sub) {
            char key[STORE_KEY_BYTES_MAX];
            size_t len = row->v.key.len;
            ASSERT(len <= sizeof key);
            memcpy(key, row->v.key.data, len);
            (void)kv_delete(t, KV_CUR, str_of(key, len)); /* just seen there */
        }
        key_rev(&k, at.revision, at.sub);
        (void)kv_delete(t, KV_REV, key_str(&k)); /* the row itself */
    }
    if (previous.revision > 0) {
        key_rev(&k, previous.revision, previous.sub);
        (void)kv_delete(t, KV_REV, key_str(&k)); /* another mark's walk may have taken it */
    }
}

/* Returns the number of rows walked. */
static size_t mark_step(struct compact_mark *m, struct kv_txn *t, size_t rows)
{
    size_t walked = 0;
    struct place at = { m->done, UINT32_MAX };
    while (walked < rows) {
        /* A cursor does not live through changes: one seek a row. */
        struct kv_cursor cursor;
        struct key k;
        key_rev(&k, at.revision, at.sub);
        kv_cursor_open(t, KV_REV, &cursor);
        bool found = kv_seek(&cursor, key_str(&k));
        if (found && str_eq(cursor.key, key_str(&k)))
            found = kv_next(&cursor);
        struct version row;
        if (found)
            version_decode(cursor.key, cursor.value, &row);
        kv_cursor_close(&cursor);
        if (!found || row.v.revision > m->revision) {
            m->done = m->revision;
            break;
        }
        at = (struct place){ row.v.revision, row.sub };
        if (str_starts(row.v.key, mark_prefix(m)))
            forget_behind(t, &row);
        walked++;
        /* Rows of one revision are few; the next step starts over with the last, harmlessly. */
        m->done = at.revision - 1;
    }
    mark_save(m, t);
    return walked;
}

void compact_step(struct compact *c, struct kv_txn *t, size_t rows)
{
    ASSERT(rows > STORE_TXN_OPS_MAX);
    for (size_t i = 0; i < c->count && rows > 0; i++)
        if (c->marks[i].done < c->marks[i].revision) {
            size_t walked = mark_step(&c->marks[i], t, rows);
            rows -= walked < rows ? walked : rows;
        }
    if (c->trims && rows > 0 && stream_forget(t, rows) < rows)
        c->trims = false;
}
