/*
 * Applying an entry: decode and check everything first (what cannot be applied halts the member
 * before anything changed), then each transaction in turn.
 */
#include "store/fsm.h"

#include <string.h>

#include "base/assert.h"
#include "store/change.h"
#include "store/key.h"
#include "store/mvcc.h"
#include "store/stream.h"
#include "store/txn.h"

/* meta "point": u8 format, le64 index, term, revision, digest, compacted, le32 level. */
#define POINT_NAME   "point"
#define POINT_FORMAT 1
#define POINT_BYTES  45

struct apply {
    struct fsm *f;
    struct kv_txn *t;
    const struct store_txn *txn;
    struct store_result result;
    struct changer changer;
    uint64_t entry_term;
};

int fsm_load_point(struct kv_txn *t, struct point *out, struct err *e)
{
    struct str row;
    *out = (struct point){ .level = STORE_FEATURE_LEVEL_FIRST };
    if (!kv_get(t, KV_META, str_lit(POINT_NAME), &row))
        return 0;
    struct reader r;
    reader_init(&r, row);
    if (row.len != POINT_BYTES || reader_u8(&r) != POINT_FORMAT)
        return err_set(e, ERR_CORRUPT, "the saved point does not decode");
    out->index = reader_le64(&r);
    out->term = reader_le64(&r);
    out->revision = reader_le64(&r);
    out->digest = reader_le64(&r);
    out->compacted = reader_le64(&r);
    out->level = reader_le32(&r);
    return 0;
}

void fsm_save(struct fsm *f, struct kv_txn *t)
{
    uint8_t row[POINT_BYTES];
    row[0] = POINT_FORMAT;
    store_le64(row + 1, f->point.index);
    store_le64(row + 9, f->point.term);
    store_le64(row + 17, f->point.revision);
    store_le64(row + 25, f->point.digest);
    store_le64(row + 33, f->point.compacted);
    store_le32(row + 41, f->point.level);
    kv_put(t, KV_META, str_lit(POINT_NAME), str_of(row, sizeof row));
}

int fsm_init(struct fsm *f, struct kv *kv, struct err *e)
{
    memset(f, 0, sizeof *f);
    struct kv_txn *t = kv_begin_read(kv);
    ASSERT(t != NULL);
    int rc = fsm_load_point(t, &f->point, e);
    if (rc == 0 && f->point.level > STORE_FEATURE_LEVEL)
        rc = err_set(e, ERR_UNIMPLEMENTED, "feature level %u: upgrade this member", f->point.level);
    if (rc == 0) {
        compact_load(&f->compact, t);
        arena_init(&f->arena);
        buf_init(&f->row);
        buf_init(&f->saved);
    }
    kv_abort(t);
    return rc;
}

void fsm_deinit(struct fsm *f)
{
    arena_deinit(&f->arena);
    buf_deinit(&f->row);
    buf_deinit(&f->saved);
}

/* ---- guards ---- */

/* Revision of the present version, 0 when absent. */
static uint64_t present_revision(struct apply *a, struct str key)
{
    struct newest n;
    if (!change_newest(a->t, &a->f->compact, key, &n) || n.tombstone)
        return 0;
    return n.place.revision;
}

static bool prefix_empty(struct apply *a, struct str prefix)
{
    struct kv_cursor cursor;
    bool empty = true;
    kv_cursor_open(a->t, KV_CUR, &cursor);
    for (bool more = kv_seek(&cursor, prefix); empty && more && str_starts(cursor.key, prefix);
         more = kv_next(&cursor)) {
        struct newest n;
        newest_decode(cursor.value, &n);
        empty = n.tombstone;
    }
    kv_cursor_close(&cursor);
    return empty;
}

static bool guard_holds(struct apply *a, const struct store_guard *g)
{
    struct str row;
    struct counter counter;
    int64_t sum;
    switch (g->type) {
    case STORE_GUARD_MOD:
        a->result.revision = present_revision(a, g->key);
        return a->result.revision == g->revision;
    case STORE_GUARD_EXISTS:
        a->result.revision = present_revision(a, g->key);
        return a->result.revision != 0;
    case STORE_GUARD_EMPTY:
        return prefix_empty(a, g->key);
    case STORE_GUARD_COUNTER:
        counter_get(a->t, g->key, &counter);
        if (!counter.limited)
            return true;
        if (__builtin_add_overflow(counter.value, g->amount, &sum))
            return g->amount < 0;
        return sum <= counter.limit;
    case STORE_GUARD_ROW_EXISTS:
        return kv_get(a->t, KV_ROW, g->key, &row);
    case STORE_GUARD_ROW_ABSENT:
        return !kv_get(a->t, KV_ROW, g->key, &row);
    }
    ASSERT(!"a guard that was decoded has a type");
    return false;
}

/* The version that followed the guarded one, when it was written by this very request. */
static uint64_t find_replay(struct apply *a, const struct store_guard *g)
{
    struct newest n;
    struct version v;
    if (!change_newest(a->t, &a->f->compact, g->key, &n))
        return 0;
    struct place at = n.place;
    for (int i = 0; i < FSM_REPLAY_STEPS_MAX && mvcc_get(a->t, at, &v); i++) {
        bool follows = g->revision == 0 ? v.v.version == 1 : v.previous.revision == g->revision;
        if (follows && str_eq(v.v.request_id, a->txn->request_id))
            return v.v.revision;
        if (v.v.revision <= g->revision)
            return 0;
        at = v.previous;
    }
    return 0;
}

/* false: the result says why. */
static bool guards_hold(struct apply *a)
{
    const struct store_txn *txn = a->txn;
    size_t failed = 0;
    while (failed < txn->guards_count && guard_holds(a, &txn->guards[failed]))
        failed++;
    if (failed == txn->guards_count)
        return true;
    a->result.status = -ERR_CONFLICT;
    a->result.failed_guard = (uint32_t)failed;
    for (size_t i = 0; i < txn->guards_count && txn->request_id.len > 0; i++) {
        const struct store_guard *g = &txn->guards[i];
        uint64_t revision = g->type == STORE_GUARD_MOD ? find_replay(a, g) : 0;
        if (revision > 0) {
            a->result = (struct store_result){ .revision = revision, .replayed = true };
            break;
        }
    }
    return false;
}

/* ---- operations ---- */

static void op_compact(struct apply *a, const struct store_op *op)
{
    struct fsm *f = a->f;
    /* Never above what exists: the present stays readable. */
    uint64_t revision = op->revision < f->point.revision ? op->revision : f->point.revision;
    compact_set(&f->compact, a->t, op->key, revision);
    f->point.compacted = f->compact.marks[0].revision;
}

static void op_limit(struct apply *a, const struct store_op *op)
{
    struct counter counter;
    counter_get(a->t, op->key, &counter);
    counter.limited = op->amount >= 0;
    counter.limit = counter.limited ? op->amount : 0;
    counter_set(a->t, op->key, &counter, &a->f->point.digest);
}

static void op_append(struct apply *a, const struct store_op *op)
{
    bool appended = false;
    a->result.sequence = stream_append(a->t, op, &a->f->point.digest, &appended);
    a->result.appended += appended;
    a->f->appended = a->f->appended || appended;
}

static void op_run(struct apply *a, const struct store_op *op)
{
    struct fsm *f = a->f;
    uint64_t *digest = &f->point.digest;
    switch (op->type) {
    case STORE_OP_PUT:
        (void)change_put(&a->changer, op); /* always writes */
        break;
    case STORE_OP_DELETE:
        (void)change_delete(&a->changer, op->key); /* what is not there stays so */
        break;
    case STORE_OP_REWRAP:
        change_rewrap(&a->changer, op);
        break;
    case STORE_OP_SET_LIMIT:
        op_limit(a, op);
        break;
    case STORE_OP_COMPACT:
        op_compact(a, op);
        break;
    case STORE_OP_CHECK: /* done by fsm_check before the entry */
        break;
    case STORE_OP_FEATURE_LEVEL:
        if (op->amount > f->point.level)
            f->point.level = (uint32_t)op->amount;
        break;
    case STORE_OP_APPEND:
        op_append(a, op);
        break;
    case STORE_OP_ROW_PUT:
        row_put(a->t, op->key, op->value, digest);
        break;
    case STORE_OP_ROW_DELETE:
        row_delete(a->t, op->key, digest);
        break;
    case STORE_OP_TRIM:
        stream_trim(a->t, op, digest);
        f->compact.trims = true;
        break;
    }
}

static void txn_run(struct apply *a)
{
    struct fsm *f = a->f;
    const struct store_txn *txn = a->txn;
    if (txn->fence_term != 0 && txn->fence_term != a->entry_term) {
        a->result.status = -ERR_FENCED;
        return;
    }
    if (!guards_hold(a))
        return;
    a->changer = (struct changer){ .t = a->t,
                                   .compact = &f->compact,
                                   .ring = f->ring,
                                   .digest = &f->point.digest,
                                   .request_id = txn->request_id,
                                   .at = { f->point.revision + 1, 0 },
                                   .row = &f->row,
                                   .saved = &f->saved };
    for (size_t i = 0; i < txn->ops_count; i++)
        op_run(a, &txn->ops[i]);
    if (a->changer.at.sub > 0)
        f->point.revision = a->changer.at.revision;
    a->result.revision = f->point.revision;
}

/* ---- entries ---- */

/* Operations that may stop the member, looked at before anything is applied. */
static enum group_halt fsm_check(struct fsm *f, const struct store_txn *txn, struct err *e)
{
    for (size_t i = 0; i < txn->ops_count; i++) {
        const struct store_op *op = &txn->ops[i];
        if (op->type == STORE_OP_FEATURE_LEVEL && op->amount > STORE_FEATURE_LEVEL) {
            (void)err_set(e, ERR_UNIMPLEMENTED, "feature level %lld: upgrade this member",
                          (long long)op->amount);
            return GROUP_HALT_UPGRADE;
        }
        if (op->type != STORE_OP_CHECK)
            continue;
        const struct fsm_digest *d = &f->digests[op->revision % FSM_DIGESTS_MAX];
        if (op->revision != 0 && d->index == op->revision && d->digest != (uint64_t)op->amount) {
            (void)err_set(e, ERR_CORRUPT,
                          "state diverged: after entry %llu the digest is %016llx, not %016llx",
                          (unsigned long long)op->revision, (unsigned long long)d->digest,
                          (unsigned long long)op->amount);
            return GROUP_HALT_DIVERGED;
        }
    }
    return 0;
}

/* The whole entry decoded into the arena, or why this member must stop. */
static enum group_halt fsm_decode(struct fsm *f, struct str bytes, struct entry *entry,
                                  struct store_txn **out_txns, struct err *e)
{
    int rc = entry_decode(bytes, entry, e);
    if (rc == 0 && entry->level > STORE_FEATURE_LEVEL)
        rc = err_set(e, ERR_UNIMPLEMENTED, "an entry of feature level %u: upgrade this member",
                     entry->level);
    if (rc != 0)
        return rc == -ERR_UNIMPLEMENTED ? GROUP_HALT_UPGRADE : GROUP_HALT_CORRUPT;
    struct store_txn *txns = arena_array(&f->arena, entry->count, sizeof *txns);
    struct str frame;
    for (uint32_t i = 0; entry_next(entry, &frame); i++) {
        ASSERT(i < entry->count);
        if (txn_decode(frame, &f->arena, &txns[i], e) != 0)
            return GROUP_HALT_CORRUPT;
        enum group_halt why = fsm_check(f, &txns[i], e);
        if (why != 0)
            return why;
    }
    *out_txns = txns;
    return 0;
}

enum group_halt fsm_apply(struct fsm *f, struct kv_txn *t, uint64_t index, struct str bytes,
                          fsm_answer_fn *answer, void *ctx, size_t *out_commands, struct err *e)
{
    ASSERT(index > f->point.index);
    struct entry entry;
    struct store_txn *txns = NULL;
    enum group_halt why = fsm_decode(f, bytes, &entry, &txns, e);
    if (why != 0) {
        arena_reset(&f->arena);
        return why;
    }
    for (uint32_t i = 0; i < entry.count; i++) {
        struct apply a = { .f = f, .t = t, .txn = &txns[i], .entry_term = entry.term };
        txn_run(&a);
        if (answer != NULL)
            answer(ctx, i, &a.result);
    }
    f->point.index = index;
    f->point.term = entry.term;
    f->digests[index % FSM_DIGESTS_MAX] = (struct fsm_digest){ index, f->point.digest };
    *out_commands = entry.count;
    arena_reset(&f->arena);
    return 0;
}

/* ---- the digest, anew ---- */

static uint64_t digest_table(struct kv_txn *t, enum kv_table table)
{
    uint64_t digest = 0;
    struct kv_cursor cursor;
    kv_cursor_open(t, table, &cursor);
    for (bool more = kv_seek(&cursor, str_of("", 0)); more; more = kv_next(&cursor))
        digest += row_hash(table, cursor.key, cursor.value);
    kv_cursor_close(&cursor);
    return digest;
}

uint64_t fsm_digest_full(struct kv_txn *t)
{
    uint64_t digest = digest_table(t, KV_COUNTER) + digest_table(t, KV_ROW) +
                      digest_table(t, KV_STATE) + digest_table(t, KV_PRODUCER);
    struct kv_cursor cursor;
    kv_cursor_open(t, KV_CUR, &cursor);
    for (bool more = kv_seek(&cursor, str_of("", 0)); more; more = kv_next(&cursor)) {
        struct newest n;
        struct key rev;
        struct str row;
        newest_decode(cursor.value, &n);
        if (n.tombstone)
            continue;
        key_rev(&rev, n.place.revision, n.place.sub);
        bool found = kv_get(t, KV_REV, key_str(&rev), &row);
        ASSERT(found);
        digest += row_hash(KV_REV, key_str(&rev), row);
    }
    kv_cursor_close(&cursor);
    return digest;
}
