/*
 * Reads of a group: each in one kv read transaction at one revision, on any thread.
 *
 * A read at the newest revision finds its answer in cur. An older one follows back links, and must
 * know whether compaction took what it looks for: then it is -ERR_EXPIRED, never a wrong "not
 * found". Marks are read only on that path.
 */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/metrics.h"
#include "store/change.h"
#include "store/compact.h"
#include "store/group_metrics.h"
#include "store/group_state.h"
#include "store/key.h"
#include "store/mvcc.h"
#include "store/stream.h"

/* The clock is read every so many rows. */
#define CLOCK_ROWS 32

/* Twice the bound: beyond it a read keeps more pages from reuse than its caller was told to. */
#define LONG_READ_NS (2 * STORE_READ_NS_MAX)

static struct metric long_total = { .name = "store_read_long_total",
                                    .help = "read transactions open for over twice their bound",
                                    .type = METRIC_COUNTER };
struct metric *const read_metrics[] = { &long_total, NULL };

int store_read_begin(struct store_group *g, uint64_t revision, struct store_read *out)
{
    struct group_env *v = group_enter(g);
    struct kv_txn *t = kv_begin_read(v->kv);
    if (t == NULL) {
        group_leave(v);
        metric_add(group_metric(g->config.id, GROUP_READS_REFUSED), 1);
        return -ERR_UNAVAILABLE;
    }
    struct point point;
    int rc = fsm_load_point(t, &point, NULL);
    ASSERT(rc == 0);
    if (revision > point.revision)
        rc = -ERR_INVALID_ARGUMENT;
    else if (revision != 0 && revision < point.compacted)
        rc = -ERR_EXPIRED;
    if (rc != 0) {
        kv_abort(t);
        group_leave(v);
        return rc;
    }
    atomic_fetch_add_explicit(&g->reads_open, 1, memory_order_relaxed);
    *out = (struct store_read){ .group = g,
                                .revision = revision != 0 ? revision : point.revision,
                                .newest = point.revision,
                                .txn = t,
                                .env = v,
                                .began_ns = env_now_ns(g->config.env) };
    return 0;
}

static void measure(struct store_group *g, uint64_t took)
{
    uint64_t longest = atomic_load_explicit(&g->reads_longest_ns, memory_order_relaxed);

    atomic_fetch_sub_explicit(&g->reads_open, 1, memory_order_relaxed);
    while (took > longest && !atomic_compare_exchange_weak(&g->reads_longest_ns, &longest, took))
        ;
    if (took > LONG_READ_NS)
        metric_add(&long_total, 1);
}

void store_read_end(struct store_read *r)
{
    kv_abort(r->txn);
    r->txn = NULL;
    group_leave(r->env);
    measure(r->group, env_now_ns(r->group->config.env) - r->began_ns);
}

uint64_t store_read_compacted(struct store_read *r, struct str prefix)
{
    struct compact marks;
    compact_load(&marks, r->txn);
    return compact_of_prefix(&marks, prefix);
}

/* May an answer about prefix at this revision be wrong because history is gone? */
static bool expired(struct store_read *r, struct str prefix)
{
    return r->revision < r->newest && store_read_compacted(r, prefix) > r->revision;
}

/* 0, -ERR_NOT_FOUND or -ERR_EXPIRED. */
static int read_version(struct store_read *r, struct str key, struct version *out)
{
    struct newest n;
    bool found = mvcc_newest(r->txn, key, &n);
    if ((!found || n.place.revision > r->revision) && expired(r, key))
        return -ERR_EXPIRED;
    if (!found || !mvcc_at(r->txn, &n, r->revision, out) || out->v.tombstone)
        return -ERR_NOT_FOUND;
    return 0;
}

int store_read_get(struct store_read *r, struct str key, struct store_version *out)
{
    struct version version;
    if (key.len == 0 || key.len > STORE_KEY_BYTES_MAX)
        return -ERR_NOT_FOUND;
    int rc = read_version(r, key, &version);
    if (rc == 0)
        *out = version.v;
    return rc;
}

int store_read_removed(struct store_read *r, struct str key, struct store_version *out)
{
    struct newest n;
    struct version version;
    if (key.len == 0 || key.len > STORE_KEY_BYTES_MAX)
        return -ERR_NOT_FOUND;
    if (!mvcc_newest(r->txn, key, &n) || !mvcc_at(r->txn, &n, r->revision, &version) ||
        !version.v.tombstone)
        return -ERR_NOT_FOUND;
    *out = version.v;
    return 0;
}

int store_read_revision(struct store_read *r, struct str key, uint64_t revision,
                        struct store_version *out)
{
    struct newest n;
    struct version version;
    if (key.len == 0 || key.len > STORE_KEY_BYTES_MAX || revision > r->revision)
        return -ERR_NOT_FOUND;
    if (!mvcc_newest(r->txn, key, &n) || !mvcc_at(r->txn, &n, revision, &version) ||
        version.v.revision != revision)
        return -ERR_NOT_FOUND;
    *out = version.v;
    return 0;
}

int store_read_history(struct store_read *r, struct str key, uint64_t from,
                       bool (*visit)(void *ctx, const struct store_version *v), void *ctx,
                       uint64_t *out_next)
{
    struct newest n;
    struct version version;
    uint64_t oldest = store_read_compacted(r, key);
    *out_next = 0;
    if (key.len == 0 || key.len > STORE_KEY_BYTES_MAX || !mvcc_newest(r->txn, key, &n))
        return -ERR_NOT_FOUND;
    if (from == 0 || from > r->revision)
        from = r->revision;
    bool found = mvcc_at(r->txn, &n, from, &version);
    if (!found || (version.v.tombstone && version.v.revision <= oldest))
        return -ERR_NOT_FOUND;
    for (size_t rows = 0; found; rows++) {
        /* Of what is not newer than the oldest revision kept, only the first is seen by anyone. */
        bool last = version.v.revision <= oldest;
        if (last && version.v.tombstone)
            break;
        *out_next = version.v.revision;
        if (rows == STORE_READ_ROWS_MAX || !visit(ctx, &version.v))
            return 0;
        found = !last && mvcc_get(r->txn, version.previous, &version);
    }
    *out_next = 0;
    return 0;
}

/* ---- scans ---- */

/* A walk over the keys of a table under a prefix, after a key, bounded as a read is. */
struct scan {
    struct store_read *read;
    struct kv_cursor cursor;
    struct str prefix;
    size_t walked; /* rows, and older versions of them */
    size_t timed;  /* walked when the clock was last looked at */
    size_t visited;
    bool more; /* the cursor is on a row */
};

static void scan_begin(struct scan *s, struct store_read *r, enum kv_table table, struct str prefix,
                       struct str after)
{
    *s = (struct scan){ .read = r, .prefix = prefix };
    kv_cursor_open(r->txn, table, &s->cursor);
    bool from_after = after.len <= KV_KEY_BYTES_MAX && str_cmp(after, prefix) > 0;
    struct str from = from_after ? after : prefix;
    s->more = from.len <= KV_KEY_BYTES_MAX && kv_seek(&s->cursor, from);
    if (s->more && after.len > 0 && str_eq(s->cursor.key, after))
        s->more = kv_next(&s->cursor);
    s->more = s->more && str_starts(s->cursor.key, prefix);
}

static void scan_next(struct scan *s)
{
    s->walked++;
    s->more = kv_next(&s->cursor) && str_starts(s->cursor.key, s->prefix);
}

static bool scan_over(struct scan *s)
{
    if (s->walked >= STORE_READ_ROWS_MAX)
        return true;
    if (s->walked - s->timed < CLOCK_ROWS)
        return false;
    s->timed = s->walked;
    return env_now_ns(s->read->group->config.env) - s->read->began_ns >= STORE_READ_NS_MAX;
}

/* The cursor's row at the read's revision: false when the key is not there. */
static bool scan_version(struct scan *s, struct version *out)
{
    struct newest n;
    size_t steps = 0;
    newest_decode(s->cursor.value, &n);
    if (n.tombstone && n.place.revision <= s->read->revision)
        return false;
    bool found = mvcc_at_counted(s->read->txn, &n, s->read->revision, out, &steps);
    s->walked += steps > 0 ? steps - 1 : 0;
    return found && !out->v.tombstone;
}

/* The row before the cursor's is the last one that was walked. */
static void remember(struct buf *resume, struct str key)
{
    buf_clear(resume);
    buf_append_str(resume, key);
}

int store_read_scan(struct store_read *r, struct str prefix, struct str after,
                    bool (*visit)(void *ctx, const struct store_version *v), void *ctx,
                    struct buf *resume, bool *out_more)
{
    struct scan s;
    struct str last = { 0 }; /* in the map, like all that is read */
    if (expired(r, prefix))
        return -ERR_EXPIRED;
    bool going = true;
    for (scan_begin(&s, r, KV_CUR, prefix, after); going && s.more; scan_next(&s)) {
        struct version version;
        /* Who continues must get on: after what was visited, or after what was walked. */
        if ((s.visited > 0 || (resume != NULL && s.walked > 0)) && scan_over(&s))
            break;
        last = s.cursor.key;
        if (!scan_version(&s, &version))
            continue;
        s.visited++;
        going = visit(ctx, &version.v);
    }
    *out_more = s.more;
    if (resume != NULL && s.visited == 0 && last.len > 0)
        remember(resume, last);
    kv_cursor_close(&s.cursor);
    return 0;
}

int store_read_count(struct store_read *r, struct str prefix, struct buf *after,
                     uint64_t *out_count, bool *out_more)
{
    struct scan s;
    struct str last = { 0 };
    if (expired(r, prefix))
        return -ERR_EXPIRED;
    *out_count = 0;
    for (scan_begin(&s, r, KV_CUR, prefix, buf_str(after));
         s.more && (s.walked == 0 || !scan_over(&s)); scan_next(&s)) {
        struct version version;
        last = s.cursor.key;
        *out_count += scan_version(&s, &version) ? 1 : 0;
    }
    *out_more = s.more;
    if (last.len > 0)
        remember(after, last);
    kv_cursor_close(&s.cursor);
    return 0;
}

int store_read_index(struct store_read *r, uint32_t index, struct str term, struct str prefix,
                     bool (*visit)(void *ctx, const struct store_version *v), void *ctx)
{
    if (r->revision != r->newest)
        return -ERR_EXPIRED;
    if (prefix.len > STORE_KEY_BYTES_MAX)
        return 0;
    struct key from;
    struct scan s;
    key_index(&from, index, term, prefix);
    size_t skip = key_index_term_bytes(term);
    bool going = true;
    for (scan_begin(&s, r, KV_INDEX, key_str(&from), str_of("", 0)); going && s.more;
         scan_next(&s)) {
        struct version version;
        struct str key = str_slice(s.cursor.key, skip, s.cursor.key.len);
        int rc = read_version(r, key, &version);
        ASSERT(rc == 0);
        going = visit(ctx, &version.v);
    }
    kv_cursor_close(&s.cursor);
    return 0;
}

int64_t store_read_counter(struct store_read *r, struct str counter, int64_t *out_limit)
{
    struct counter c = { 0 };
    if (counter.len > 0 && counter.len <= KV_KEY_BYTES_MAX)
        counter_get(r->txn, counter, &c);
    if (out_limit != NULL)
        *out_limit = c.limited ? c.limit : -1;
    return c.value;
}

/* ---- plain rows and streams ---- */

int store_read_row(struct store_read *r, struct str key, struct str *out_value)
{
    if (key.len == 0 || key.len > STORE_KEY_BYTES_MAX || !kv_get(r->txn, KV_ROW, key, out_value))
        return -ERR_NOT_FOUND;
    return 0;
}

int store_read_rows(struct store_read *r, struct str prefix, struct str after,
                    bool (*visit)(void *ctx, struct str key, struct str value), void *ctx,
                    bool *out_more)
{
    struct scan s;
    bool going = true;
    for (scan_begin(&s, r, KV_ROW, prefix, after); going && s.more && !scan_over(&s);
         scan_next(&s)) {
        s.visited++;
        going = visit(ctx, s.cursor.key, s.cursor.value);
    }
    *out_more = s.more;
    kv_cursor_close(&s.cursor);
    return 0;
}

int store_read_stream(struct store_read *r, struct str stream, uint64_t after,
                      bool (*visit)(void *ctx, uint64_t sequence, struct str value), void *ctx)
{
    struct stream_state state;
    if (stream.len == 0 || stream.len > STORE_KEY_BYTES_MAX ||
        !stream_get(r->txn, stream, &state) || after >= state.last)
        return 0;
    struct key all;
    struct key from;
    struct scan s;
    uint64_t first = after + 1 > state.first ? after + 1 : state.first;
    key_stream(&all, stream, 0);
    key_stream(&from, stream, first - 1);
    bool going = true;
    /* Everything before the sequence is the prefix. */
    for (scan_begin(&s, r, KV_STREAM, str_of(all.bytes, all.len - 8), key_str(&from));
         going && s.more && !scan_over(&s); scan_next(&s)) {
        s.visited++;
        going = visit(ctx, key_stream_sequence(s.cursor.key), s.cursor.value);
    }
    kv_cursor_close(&s.cursor);
    return 0;
}

int store_read_stream_bounds(struct store_read *r, struct str stream, uint64_t *out_first,
                             uint64_t *out_last)
{
    struct stream_state state;
    if (stream.len == 0 || stream.len > STORE_KEY_BYTES_MAX || !stream_get(r->txn, stream, &state))
        return -ERR_NOT_FOUND;
    *out_first = state.first;
    *out_last = state.last;
    return 0;
}
