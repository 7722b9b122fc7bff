/* meta "alarm": for each member with a reason le64 member, le32 reasons; no row: none has. */
#include "store/alarm.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "store/change.h"
#include "store/mvcc.h"
#include "store/stream.h"

#define ALARM_NAME   "alarm"
#define MEMBER_BYTES 12

/* ---- the state ---- */

void alarm_load(struct alarm *a, struct kv_txn *t)
{
    struct str row;
    a->count = 0;
    if (!kv_get(t, KV_META, str_lit(ALARM_NAME), &row))
        return;
    ASSERT(row.len % MEMBER_BYTES == 0 && row.len <= sizeof a->members);
    for (size_t at = 0; at < row.len; at += MEMBER_BYTES) {
        struct alarm_member *m = &a->members[a->count++];
        m->member = load_le64(row.data + at);
        m->reasons = load_le32(row.data + at + 8);
    }
}

static void alarm_save(const struct alarm *a, struct kv_txn *t)
{
    uint8_t row[ALARM_MEMBERS_MAX * MEMBER_BYTES];
    if (a->count == 0) {
        (void)kv_delete(t, KV_META, str_lit(ALARM_NAME)); /* may never have been there */
        return;
    }
    for (size_t i = 0; i < a->count; i++) {
        store_le64(row + i * MEMBER_BYTES, a->members[i].member);
        store_le32(row + i * MEMBER_BYTES + 8, a->members[i].reasons);
    }
    kv_put(t, KV_META, str_lit(ALARM_NAME), str_of(row, a->count * MEMBER_BYTES));
}

uint64_t alarm_digest(struct kv_txn *t)
{
    struct str row;
    if (!kv_get(t, KV_META, str_lit(ALARM_NAME), &row))
        return 0;
    return row_hash(KV_META, str_lit(ALARM_NAME), row);
}

void alarm_set(struct alarm *a, struct kv_txn *t, uint64_t member, uint32_t reasons,
               uint64_t *digest)
{
    size_t at = 0;
    while (at < a->count && a->members[at].member < member)
        at++;
    struct alarm_member *m = &a->members[at];
    size_t behind = (a->count - at) * sizeof *m;
    bool found = at < a->count && m->member == member;
    if (!found && (reasons == 0 || a->count == ALARM_MEMBERS_MAX))
        return;
    *digest -= alarm_digest(t);
    if (reasons == 0) {
        memmove(m, m + 1, behind - sizeof *m);
        a->count--;
    } else {
        if (!found) {
            memmove(m + 1, m, behind);
            a->count++;
        }
        *m = (struct alarm_member){ member, reasons };
    }
    alarm_save(a, t);
    *digest += alarm_digest(t);
}

uint32_t alarm_reasons(const struct alarm *a)
{
    uint32_t reasons = 0;
    for (size_t i = 0; i < a->count; i++)
        reasons |= a->members[i].reasons;
    return reasons;
}

void store_alarm_text(const struct store_status *status, char out[STORE_ALARM_TEXT_BYTES])
{
    out[0] = '\0';
    if (status->alarm & STORE_ALARM_QUOTA)
        snprintf(out, STORE_ALARM_TEXT_BYTES,
                 "store quota exceeded: %llu of %llu MiB in use here; compact or delete",
                 (unsigned long long)(status->used_bytes >> 20),
                 (unsigned long long)(status->quota_bytes >> 20));
    else if (status->alarm != 0)
        snprintf(out, STORE_ALARM_TEXT_BYTES,
                 "the disk of a member of the store is nearly full: make room there or delete");
}

/* ---- what grows ---- */

static int64_t term_bytes(const struct store_term *term)
{
    return (int64_t)(sizeof term->index + term->bytes.len);
}

static int64_t charge_bytes(const struct store_charge *charge)
{
    return (int64_t)(sizeof charge->amount + charge->counter.len);
}

static int64_t put_bytes(const struct store_op *op)
{
    int64_t bytes = (int64_t)(ALARM_ROW_BYTES + op->key.len + op->value.len);
    for (size_t i = 0; i < op->terms_count; i++)
        bytes += term_bytes(&op->terms[i]);
    for (size_t i = 0; i < op->charges_count; i++)
        bytes += charge_bytes(&op->charges[i]);
    return bytes;
}

/* Of the version that is present, counted as put_bytes counts it; 0: none is. */
static int64_t present_bytes(struct kv_txn *t, const struct compact *compact, struct str key)
{
    struct newest n;
    struct version v;
    struct store_term term;
    struct store_charge charge;
    if (!change_newest(t, compact, key, &n) || n.tombstone || !mvcc_get(t, n.place, &v))
        return 0;
    int64_t bytes = (int64_t)(ALARM_ROW_BYTES + key.len + v.v.value.len);
    while (version_term(&v.terms, &term))
        bytes += term_bytes(&term);
    while (version_charge(&v.charges, &charge))
        bytes += charge_bytes(&charge);
    return bytes;
}

static int64_t row_bytes(struct kv_txn *t, struct str key)
{
    struct str row;
    return kv_get(t, KV_ROW, key, &row) ? (int64_t)(ALARM_ROW_BYTES + key.len + row.len) : 0;
}

static bool writes_version(const struct store_op *op)
{
    return op->type == STORE_OP_PUT || op->type == STORE_OP_DELETE;
}

static bool writes_row(const struct store_op *op)
{
    return op->type == STORE_OP_ROW_PUT || op->type == STORE_OP_ROW_DELETE;
}

/* An earlier operation of the transaction took the credit for what the state holds. */
static bool taken(const struct store_txn *txn, size_t i)
{
    const struct store_op *op = &txn->ops[i];
    for (size_t j = 0; j < i; j++) {
        const struct store_op *before = &txn->ops[j];
        if (str_eq(before->key, op->key) && ((writes_version(op) && writes_version(before)) ||
                                             (writes_row(op) && writes_row(before))))
            return true;
    }
    return false;
}

static int64_t op_growth(struct kv_txn *t, const struct compact *compact,
                         const struct store_txn *txn, size_t i)
{
    const struct store_op *op = &txn->ops[i];
    uint64_t sequence;
    int64_t now = 0;
    int64_t old = 0;
    if (op->type == STORE_OP_APPEND)
        return stream_seen(t, op, &sequence)
                   ? 0
                   : (int64_t)(ALARM_ROW_BYTES + op->key.len + op->value.len);
    if (op->type == STORE_OP_PUT)
        now = put_bytes(op);
    if (op->type == STORE_OP_ROW_PUT)
        now = (int64_t)(ALARM_ROW_BYTES + op->key.len + op->value.len);
    if (!taken(txn, i) && writes_version(op))
        old = present_bytes(t, compact, op->key);
    if (!taken(txn, i) && writes_row(op))
        old = row_bytes(t, op->key);
    if (old > 0 && now > old && now - old <= ALARM_SLACK_BYTES)
        return 0;
    return now - old;
}

bool alarm_refuses(struct kv_txn *t, const struct compact *compact, const struct store_txn *txn)
{
    int64_t growth = 0;
    for (size_t i = 0; i < txn->ops_count; i++)
        growth += op_growth(t, compact, txn, i);
    return growth > 0;
}
