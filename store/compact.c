/* Marks are rows of meta: "compact/" and the prefix -> le64 revision, le64 done. */
#include "store/compact.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "store/key.h"
#include "store/mvcc.h"
#include "store/stream.h"

#define MARK_NAME  "compact/"
#define MARK_BYTES 16
#define DEAD_MIN   256

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
    c->batch_rows = COMPACT_BATCH_ROWS;
}

void compact_deinit(struct compact *c)
{
    mem_free(c->dead);
    c->dead = NULL;
    c->dead_count = c->dead_max = 0;
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

/* A mark with rows to walk; NULL: none. */
static struct compact_mark *mark_next(struct compact *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->marks[i].done < c->marks[i].revision)
            return &c->marks[i];
    return NULL;
}

bool compact_pending(const struct compact *c)
{
    return c->trims || compact_backlog(c) > 0;
}

uint64_t compact_backlog(const struct compact *c)
{
    uint64_t most = 0;
    for (size_t i = 0; i < c->count; i++)
        if (c->marks[i].revision - c->marks[i].done > most)
            most = c->marks[i].revision - c->marks[i].done;
    return most;
}

/* ---- the places of a batch: a heap, the smallest first ---- */

static bool is_before(struct place a, struct place b)
{
    return a.revision < b.revision || (a.revision == b.revision && a.sub < b.sub);
}

static void dead_add(struct compact *c, struct place place)
{
    if (c->dead_count == c->dead_max) {
        c->dead_max = c->dead_max > 0 ? 2 * c->dead_max : DEAD_MIN;
        c->dead = mem_realloc(c->dead, c->dead_max * sizeof c->dead[0]);
    }
    size_t i = c->dead_count++;
    for (; i > 0 && is_before(place, c->dead[(i - 1) / 2]); i = (i - 1) / 2)
        c->dead[i] = c->dead[(i - 1) / 2];
    c->dead[i] = place;
}

static struct place dead_take(struct compact *c)
{
    ASSERT(c->dead_count > 0);
    struct place first = c->dead[0];
    struct place last = c->dead[--c->dead_count];
    size_t i = 0;
    for (size_t child = 1; child < c->dead_count; child = 2 * i + 1) {
        if (child + 1 < c->dead_count && is_before(c->dead[child + 1], c->dead[child]))
            child++;
        if (!is_before(c->dead[child], last))
            break;
        c->dead[i] = c->dead[child];
        i = child;
    }
    c->dead[i] = last;
    return first;
}

/* ---- batches ---- */

/* A tombstone's row of cur, if nothing came after it. */
static void forget_key(struct kv_txn *t, struct str key, struct place at)
{
    struct newest n;
    if (mvcc_newest(t, key, &n) && n.place.revision == at.revision && n.place.sub == at.sub)
        (void)kv_delete(t, KV_CUR, key); /* just seen there */
}

/* Notes what a row at or below the mark makes unreadable; out_gone: the key of a tombstone. */
static void note_dead(struct compact *c, const struct version *row, struct key *out_gone)
{
    if (row->v.tombstone) {
        dead_add(c, (struct place){ row->v.revision, row->sub });
        ASSERT(row->v.key.len <= sizeof out_gone->bytes);
        memcpy(out_gone->bytes, row->v.key.data, row->v.key.len);
        out_gone->len = row->v.key.len;
    }
    if (row->previous.revision > 0)
        dead_add(c, row->previous); /* there, or gone already */
}

/* Walks until a tombstone, so that no cursor lives through a change; returns the number of rows. */
static size_t walk_run(struct compact *c, struct compact_mark *m, struct kv_txn *t, size_t rows)
{
    struct kv_cursor cursor;
    struct key at;
    struct key gone = { .len = 0 };
    size_t walked = 0;
    key_rev(&at, m->at.revision, m->at.sub);
    kv_cursor_open(t, KV_REV, &cursor);
    bool found = kv_seek(&cursor, key_str(&at));
    if (found && str_eq(cursor.key, key_str(&at)))
        found = kv_next(&cursor);
    for (; found && walked < rows && gone.len == 0; found = kv_next(&cursor)) {
        struct version row;
        version_decode(cursor.key, cursor.value, &row);
        if (row.v.revision > m->revision) {
            found = false;
            break;
        }
        m->at = (struct place){ row.v.revision, row.sub };
        walked++;
        if (str_starts(row.v.key, mark_prefix(m)))
            note_dead(c, &row, &gone);
    }
    kv_cursor_close(&cursor);
    if (gone.len > 0)
        forget_key(t, key_str(&gone), m->at);
    c->walked += walked;
    if (!found)
        m->at = (struct place){ m->revision, UINT32_MAX };
    c->removing = !found || c->walked >= c->batch_rows;
    return walked;
}

static size_t batch_walk(struct compact *c, struct compact_mark *m, struct kv_txn *t, size_t rows)
{
    size_t walked = 0;
    while (walked < rows && !c->removing) {
        size_t most = c->batch_rows - c->walked;
        walked += walk_run(c, m, t, rows - walked < most ? rows - walked : most);
    }
    return walked;
}

static void batch_end(struct compact *c, struct compact_mark *m, struct kv_txn *t)
{
    m->done = m->at.sub == UINT32_MAX ? m->at.revision : m->at.revision - 1;
    mark_save(m, t);
    c->walking = NULL;
    c->removing = false;
    if (mark_next(c) == NULL)
        compact_deinit(c);
}

static size_t batch_remove(struct compact *c, struct compact_mark *m, struct kv_txn *t, size_t rows)
{
    size_t removed = 0;
    for (; removed < rows && c->dead_count > 0; removed++) {
        struct key k;
        struct place place = dead_take(c);
        key_rev(&k, place.revision, place.sub);
        (void)kv_delete(t, KV_REV, key_str(&k)); /* another mark's batch may have taken it */
    }
    if (c->dead_count == 0)
        batch_end(c, m, t);
    return removed;
}

static void batch_begin(struct compact *c, struct compact_mark *m)
{
    c->walking = m;
    c->walked = 0;
    if (!is_before((struct place){ m->done, UINT32_MAX }, m->at))
        m->at = (struct place){ m->done, UINT32_MAX };
}

/* Goes on with the batch, or begins one; the number of rows walked and removed. */
static size_t batch_step(struct compact *c, struct kv_txn *t, size_t rows)
{
    size_t left = rows;
    if (c->walking == NULL)
        batch_begin(c, mark_next(c));
    struct compact_mark *m = c->walking;
    left -= batch_walk(c, m, t, left);
    if (c->removing)
        left -= batch_remove(c, m, t, left);
    return rows - left;
}

size_t compact_step(struct compact *c, struct kv_txn *t, size_t rows)
{
    size_t left = rows;
    while (left > 0 && mark_next(c) != NULL)
        left -= batch_step(c, t, left);
    if (c->trims && left > 0) {
        size_t removed = stream_forget(t, left);
        if (removed < left)
            c->trims = false;
        left -= removed;
    }
    return rows - left;
}
