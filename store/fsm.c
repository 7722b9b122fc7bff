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

/*
 * meta "point": u8 format, le64 index, term, revision, digest, compacted, le32 level; format 2 has
 * le64 clock, next deadline, timers, le32 alarm behind. Format 2 is written from feature level 2
 * on, so that a member of the release before can still be given a copy of this kv.
 */
#define POINT_NAME    "point"
#define POINT_BYTES   45
#define POINT_2_BYTES (POINT_BYTES + 28)

struct apply {
    struct fsm *f;
    struct kv_txn *t;
    const struct store_txn *txn;
    struct store_result result;
    struct changer changer;
    uint64_t entry_term;
    size_t expired; /* keys, by TICKs of this transaction */
};

int fsm_load_point(struct kv_txn *t, struct point *out, struct err *e)
{
    struct str row;
    *out = (struct point){ .level = STORE_FEATURE_LEVEL_FIRST };
    if (!kv_get(t, KV_META, str_lit(POINT_NAME), &row))
        return 0;
    struct reader r;
    reader_init(&r, row);
    uint8_t format = reader_u8(&r);
    if (format < 1 || format > 2 || row.len != (format == 1 ? POINT_BYTES : POINT_2_BYTES))
        return err_set(e, ERR_CORRUPT, "the saved point does not decode");
    out->index = reader_le64(&r);
    out->term = reader_le64(&r);
    out->revision = reader_le64(&r);
    out->digest = reader_le64(&r);
    out->compacted = reader_le64(&r);
    out->level = reader_le32(&r);
    if (format == 1)
        return 0;
    out->clock_ms = reader_le64(&r);
    out->next_deadline_ms = reader_le64(&r);
    out->timers = reader_le64(&r);
    out->alarm = reader_le32(&r);
    return 0;
}

void fsm_save(struct fsm *f, struct kv_txn *t)
{
    uint8_t row[POINT_2_BYTES];
    const struct point *p = &f->point;
    row[0] = p->level < 2 ? 1 : 2;
    store_le64(row + 1, p->index);
    store_le64(row + 9, p->term);
    store_le64(row + 17, p->revision);
    store_le64(row + 25, p->digest);
    store_le64(row + 33, p->compacted);
    store_le32(row + 41, p->level);
    store_le64(row + 45, p->clock_ms);
    store_le64(row + 53, p->next_deadline_ms);
    store_le64(row + 61, p->timers);
    store_le32(row + 69, p->alarm);
    kv_put(t, KV_META, str_lit(POINT_NAME), str_of(row, row[0] == 1 ? POINT_BYTES : sizeof row));
}

/* ---- what other threads see ---- */

static void show_digest(struct fsm *f, uint64_t index, uint64_t digest)
{
    struct fsm_view *v = &f->view;
    size_t at = index % FSM_DIGESTS_MAX;
    atomic_store(&v->digests[at].index, 0);
    atomic_store(&v->digests[at].digest, digest);
    atomic_store(&v->digests[at].index, index);
}

bool fsm_digest_at(const struct fsm *f, uint64_t index, uint64_t *out_digest)
{
    const struct fsm_view *v = &f->view;
    size_t at = index % FSM_DIGESTS_MAX;
    if (index == 0 || atomic_load(&v->digests[at].index) != index)
        return false;
    *out_digest = atomic_load(&v->digests[at].digest);
    return atomic_load(&v->digests[at].index) == index;
}

static void show_alarm(struct fsm *f)
{
    f->point.alarm = alarm_reasons(&f->alarm);
    for (size_t i = 0; i < ALARM_MEMBERS_MAX; i++) {
        const struct alarm_member *m = &f->alarm.members[i];
        atomic_store(&f->view.alarms[i], i < f->alarm.count ? m->member << 8 | m->reasons : 0);
    }
}

size_t fsm_alarms(const struct fsm *f, struct alarm_member out[ALARM_MEMBERS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < ALARM_MEMBERS_MAX; i++) {
        uint64_t word = atomic_load(&f->view.alarms[i]);
        if (word != 0)
            out[count++] = (struct alarm_member){ word >> 8, (uint32_t)(word & 0xff) };
    }
    return count;
}

/* ---- life ---- */

/* Everything that is kept of a state, from it. */
static int load(struct fsm *f, struct kv *kv, struct err *e)
{
    struct kv_txn *t = kv_begin_read(kv);
    ASSERT(t != NULL);
    int rc = fsm_load_point(t, &f->point, e);
    if (rc == 0 && f->point.level > f->level_max)
        rc = err_set(e, ERR_UNIMPLEMENTED, "feature level %u: upgrade this member", f->point.level);
    if (rc == 0) {
        compact_deinit(&f->compact);
        memset(&f->alarm, 0, sizeof f->alarm);
        memset(&f->timers, 0, sizeof f->timers);
        compact_load(&f->compact, t);
        alarm_load(&f->alarm, t);
        show_alarm(f);
        f->timers.count = f->point.timers;
        if (f->point.index > 0)
            show_digest(f, f->point.index, f->point.digest);
    }
    kv_abort(t);
    return rc;
}

int fsm_init_level(struct fsm *f, struct kv *kv, uint32_t level_max, struct err *e)
{
    memset(f, 0, sizeof *f);
    f->level_max = level_max;
    int rc = load(f, kv, e);
    if (rc == 0) {
        arena_init(&f->arena);
        buf_init(&f->row);
        buf_init(&f->saved);
    }
    return rc;
}

int fsm_reload(struct fsm *f, struct kv *kv, struct err *e)
{
    return load(f, kv, e);
}

int fsm_init(struct fsm *f, struct kv *kv, struct err *e)
{
    return fsm_init_level(f, kv, STORE_FEATURE_LEVEL, e);
}

void fsm_deinit(struct fsm *f)
{
    compact_deinit(&f->compact);
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
    ASSERT(false); /* a guard that was decoded has a type */
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
    if (appended && a->f->point.level >= 2)
        stream_producer_expires(a->t, op, &a->f->timers, &a->f->point.digest);
}

/* reasons are a byte in rows and views: unknown ones of a newer build are kept, too. */
static void op_alarm(struct apply *a, const struct store_op *op)
{
    struct fsm *f = a->f;
    alarm_set(&f->alarm, a->t, op->revision & (UINT64_MAX >> 8), (uint32_t)op->amount & 0xff,
              &f->point.digest);
    show_alarm(f);
}

static void op_timer(struct apply *a, const struct store_op *op)
{
    struct fsm *f = a->f;
    uint64_t revision = present_revision(a, op->key);
    if (revision != 0 && (op->revision == 0 || op->revision == revision))
        timers_set(&f->timers, a->t, TIMER_VERSION, op->key, revision, op->expires_ms,
                   &f->point.digest);
}

static void expire(struct apply *a, const struct timer *due)
{
    struct fsm *f = a->f;
    struct str key = key_str(&due->key);
    a->expired++;
    if (due->kind == TIMER_PRODUCER) {
        timers_set(&f->timers, a->t, TIMER_PRODUCER, key, 0, 0, &f->point.digest);
        stream_forget_producer(a->t, key, &f->point.digest);
        return;
    }
    ASSERT(present_revision(a, key) == due->revision);
    bool deleted = change_delete(&a->changer, key);
    ASSERT(deleted);
}

/* What one transaction expires takes one revision; who proposed it comes again if more is due. */
static void op_tick(struct apply *a, const struct store_op *op)
{
    struct fsm *f = a->f;
    struct timer due;
    if (op->expires_ms > f->point.clock_ms)
        f->point.clock_ms = op->expires_ms;
    while (a->expired < STORE_TXN_OPS_MAX && timers_first(a->t, &due) &&
           due.deadline_ms <= op->expires_ms)
        expire(a, &due);
}

static void op_run(struct apply *a, const struct store_op *op)
{
    struct fsm *f = a->f;
    uint64_t *digest = &f->point.digest;
    if (f->touch != NULL && (op->type == STORE_OP_PUT || op->type == STORE_OP_DELETE))
        f->touch(f->touch_ctx, op->key);
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
    case STORE_OP_ALARM:
        op_alarm(a, op);
        break;
    case STORE_OP_TIMER:
        op_timer(a, op);
        break;
    case STORE_OP_TICK:
        op_tick(a, op);
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
    if (f->alarm.count > 0 && alarm_refuses(a->t, &f->compact, txn)) {
        a->result.status = -ERR_NO_SPACE;
        a->result.revision = 0;
        return;
    }
    a->changer = (struct changer){ .t = a->t,
                                   .compact = &f->compact,
                                   .ring = f->ring,
                                   .timers = f->point.level >= 2 ? &f->timers : NULL,
                                   .skips = f->point.level >= STORE_LEVEL_SKIPS,
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

static enum group_halt check_digest(struct fsm *f, const struct store_op *op, struct err *e)
{
    uint64_t digest;
    if (!fsm_digest_at(f, op->revision, &digest) || digest == (uint64_t)op->amount)
        return 0;
    f->mismatch = (struct fsm_mismatch){ op->revision, digest, (uint64_t)op->amount };
    (void)err_set(e, ERR_CORRUPT,
                  "state diverged: after entry %llu the digest is %016llx, not %016llx",
                  (unsigned long long)op->revision, (unsigned long long)digest,
                  (unsigned long long)op->amount);
    return GROUP_HALT_DIVERGED;
}

/* Operations that may stop the member, looked at before anything is applied. */
static enum group_halt fsm_check(struct fsm *f, const struct store_txn *txn, struct err *e)
{
    uint32_t level = txn_level(txn);
    enum group_halt why = 0;
    if (level > f->point.level) {
        (void)err_set(e, ERR_UNIMPLEMENTED,
                      "an operation of feature level %u while the cluster is at %u: upgrade this "
                      "member",
                      level, f->point.level);
        return GROUP_HALT_UPGRADE;
    }
    for (size_t i = 0; i < txn->ops_count && why == 0; i++) {
        const struct store_op *op = &txn->ops[i];
        if (op->type == STORE_OP_FEATURE_LEVEL && op->amount > f->level_max) {
            (void)err_set(e, ERR_UNIMPLEMENTED, "feature level %lld: upgrade this member",
                          (long long)op->amount);
            why = GROUP_HALT_UPGRADE;
        }
        if (op->type == STORE_OP_CHECK)
            why = check_digest(f, op, e);
    }
    return why;
}

/* The whole entry decoded into the arena, or why this member must stop. */
static enum group_halt fsm_decode(struct fsm *f, struct str bytes, struct entry *entry,
                                  struct store_txn **out_txns, struct err *e)
{
    int rc = entry_decode(bytes, entry, e);
    if (rc == 0 && entry->level > f->level_max)
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
    if (f->timers.changed) {
        f->timers.changed = false;
        f->point.timers = f->timers.count;
        struct timer first;
        f->point.next_deadline_ms = timers_first(t, &first) ? first.deadline_ms : 0;
    }
    show_digest(f, index, f->point.digest);
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
                      digest_table(t, KV_STATE) + digest_table(t, KV_PRODUCER) +
                      digest_table(t, KV_TIMER) + alarm_digest(t);
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
