/*
 * Order matters here: slices of the old version end with the first write to the map, so everything
 * taken from it is encoded, staged or copied before.
 */
#include "store/change.h"

#include "base/assert.h"
#include "store/key.h"
#include "store/ring.h"

/* counter row: le64 value, u8 limited, le64 limit. */
#define COUNTER_BYTES 17

void counter_get(struct kv_txn *t, struct str name, struct counter *out)
{
    struct str row;
    *out = (struct counter){ 0 };
    if (!kv_get(t, KV_COUNTER, name, &row))
        return;
    ASSERT(row.len == COUNTER_BYTES);
    out->value = (int64_t)load_le64(row.data);
    out->limited = row.data[8] != 0;
    out->limit = (int64_t)load_le64(row.data + 9);
}

void counter_set(struct kv_txn *t, struct str name, const struct counter *counter, uint64_t *digest)
{
    struct str old;
    if (kv_get(t, KV_COUNTER, name, &old))
        *digest -= row_hash(KV_COUNTER, name, old);
    if (counter->value == 0 && !counter->limited) {
        (void)kv_delete(t, KV_COUNTER, name); /* may never have been there */
        return;
    }
    uint8_t row[COUNTER_BYTES];
    store_le64(row, (uint64_t)counter->value);
    row[8] = counter->limited ? 1 : 0;
    store_le64(row + 9, counter->limited ? (uint64_t)counter->limit : 0);
    *digest += row_hash(KV_COUNTER, name, str_of(row, sizeof row));
    kv_put(t, KV_COUNTER, name, str_of(row, sizeof row));
}

/* Sums wrap: a proposer that overflows a counter breaks its own quota, not the state machine. */
static void counter_add(struct changer *c, struct str name, int64_t amount, bool give_back)
{
    struct counter counter;
    counter_get(c->t, name, &counter);
    uint64_t delta = give_back ? 0 - (uint64_t)amount : (uint64_t)amount;
    counter.value = (int64_t)((uint64_t)counter.value + delta);
    counter_set(c->t, name, &counter, c->digest);
}

static void move_charges(struct changer *c, struct str old, struct str now)
{
    struct store_charge charge;
    if (str_eq(old, now))
        return;
    while (version_charge(&old, &charge))
        counter_add(c, charge.counter, charge.amount, true);
    while (version_charge(&now, &charge))
        counter_add(c, charge.counter, charge.amount, false);
}

static bool has_term(struct str terms, const struct store_term *wanted)
{
    struct store_term term;
    while (version_term(&terms, &term))
        if (term.index == wanted->index && str_eq(term.bytes, wanted->bytes))
            return true;
    return false;
}

static void move_terms(struct changer *c, struct str key, struct str old, struct str now)
{
    struct store_term term;
    struct key row;
    if (str_eq(old, now))
        return;
    for (struct str left = old; version_term(&left, &term);)
        if (!has_term(now, &term)) {
            key_index(&row, term.index, term.bytes, key);
            (void)kv_delete(c->t, KV_INDEX, key_str(&row)); /* a repeated term has one row */
        }
    for (struct str left = now; version_term(&left, &term);)
        if (!has_term(old, &term)) {
            key_index(&row, term.index, term.bytes, key);
            kv_put(c->t, KV_INDEX, key_str(&row), str_of("", 0));
        }
}

bool change_newest(struct kv_txn *t, const struct compact *compact, struct str key,
                   struct newest *out)
{
    return mvcc_newest(t, key, out) &&
           !(out->tombstone && out->place.revision <= compact_of_key(compact, key));
}

/* Old terms and charges, copied out of the map into c->saved. */
static void save_old(struct changer *c, const struct version *old, struct str *out_terms,
                     struct str *out_charges)
{
    buf_clear(c->saved);
    buf_append_str(c->saved, old->terms);
    buf_append_str(c->saved, old->charges);
    *out_terms = str_slice(buf_str(c->saved), 0, old->terms.len);
    *out_charges = str_slice(buf_str(c->saved), old->terms.len, c->saved->len);
}

static void write_version(struct changer *c, struct str key, const struct store_op *op)
{
    struct newest n;
    struct version old = { 0 };
    bool followed = change_newest(c->t, c->compact, key, &n);
    bool present = followed && !n.tombstone;
    ASSERT(present || op != NULL);
    bool found = followed && mvcc_get(c->t, n.place, &old);
    ASSERT(found == followed);

    struct version now = { .sub = c->at.sub };
    now.v.key = key;
    now.v.value = op != NULL ? op->value : str_of("", 0);
    now.v.revision = c->at.revision;
    now.v.created = present ? old.v.created : c->at.revision;
    now.v.version = present ? old.v.version + 1 : 1;
    now.v.tombstone = op == NULL;
    now.v.request_id = c->request_id;
    if (followed)
        now.previous = n.place;
    if (followed && c->skips)
        version_skip(&now, &old, n.place);

    struct key rev;
    key_rev(&rev, c->at.revision, c->at.sub);
    buf_clear(c->row);
    version_encode(c->row, &now, op);
    struct str row = buf_str(c->row);
    version_decode(key_str(&rev), row, &now);
    if (c->ring != NULL)
        ring_stage(c->ring, &now, followed ? &old : NULL);
    struct str old_terms = { NULL, 0 };
    struct str old_charges = { NULL, 0 };
    if (present)
        save_old(c, &old, &old_terms, &old_charges);

    kv_append(c->t, KV_REV, key_str(&rev), row);
    struct newest next = { .place = c->at, .tombstone = op == NULL };
    next.hash = row_hash(KV_REV, key_str(&rev), row);
    if (present)
        *c->digest -= n.hash;
    if (op != NULL)
        *c->digest += next.hash;
    mvcc_set_newest(c->t, key, &next);
    move_terms(c, key, old_terms, now.terms);
    move_charges(c, old_charges, now.charges);
    if (c->timers != NULL)
        timers_set(c->timers, c->t, TIMER_VERSION, key, c->at.revision,
                   op != NULL ? op->expires_ms : 0, c->digest);
    c->at.sub++;
}

bool change_put(struct changer *c, const struct store_op *op)
{
    write_version(c, op->key, op);
    return true;
}

bool change_delete(struct changer *c, struct str key)
{
    struct newest n;
    if (!change_newest(c->t, c->compact, key, &n) || n.tombstone)
        return false;
    write_version(c, key, NULL);
    return true;
}

void change_rewrap(struct changer *c, const struct store_op *op)
{
    struct newest n;
    struct version version;
    if (!change_newest(c->t, c->compact, op->key, &n) ||
        !mvcc_at(c->t, &n, op->revision, &version) || version.v.revision != op->revision ||
        version.v.tombstone)
        return;
    struct key rev;
    struct str row;
    key_rev(&rev, version.v.revision, version.sub);
    bool found = kv_get(c->t, KV_REV, key_str(&rev), &row);
    ASSERT(found);
    buf_clear(c->row);
    version_rewrap(c->row, row, op->value);
    kv_put(c->t, KV_REV, key_str(&rev), buf_str(c->row));
    if (n.place.revision != version.v.revision || n.place.sub != version.sub)
        return;
    *c->digest -= n.hash;
    n.hash = row_hash(KV_REV, key_str(&rev), buf_str(c->row));
    *c->digest += n.hash;
    mvcc_set_newest(c->t, op->key, &n);
}
