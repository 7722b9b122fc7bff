/* See roster_txn.h. */
#include "store/roster_txn.h"

#include <string.h>

#include "base/assert.h"

void roster_txn_init(struct roster_txn *t)
{
    memset(t, 0, sizeof(*t));
    arena_init(&t->arena);
}

void roster_txn_deinit(struct roster_txn *t)
{
    arena_deinit(&t->arena);
}

static struct store_op *add(struct roster_txn *t, enum store_op_type type, struct str key,
                            uint64_t revision)
{
    struct store_op *op = &t->ops[t->txn.ops_count];
    struct str copy = str_copy(&t->arena, key);

    ASSERT(t->txn.ops_count < ROSTER_TXN_OPS);
    *op = (struct store_op){ .type = type, .key = copy };
    t->txn.ops_count++;
    t->guards[t->txn.guards_count++] =
        (struct store_guard){ .type = STORE_GUARD_MOD, .key = copy, .revision = revision };
    return op;
}

void roster_txn_put(struct roster_txn *t, struct str key, struct str value, uint64_t revision,
                    uint64_t expires_ms)
{
    struct store_op *op = add(t, STORE_OP_PUT, key, revision);

    op->value = str_copy(&t->arena, value);
    op->expires_ms = expires_ms;
}

void roster_txn_delete(struct roster_txn *t, struct str key, uint64_t revision)
{
    (void)add(t, STORE_OP_DELETE, key, revision);
}

void roster_txn_row(struct roster_txn *t, const struct roster_row *row)
{
    struct buf key;
    struct buf value;

    buf_init(&key);
    buf_init(&value);
    roster_row_key(row->member.name, &key);
    roster_row_encode(row, &value);
    roster_txn_put(t, buf_str(&key), buf_str(&value), row->revision, 0);
    buf_deinit(&key);
    buf_deinit(&value);
}

void roster_txn_drop(struct roster_txn *t, const struct roster_row *row)
{
    struct buf key;

    buf_init(&key);
    roster_row_key(row->member.name, &key);
    roster_txn_delete(t, buf_str(&key), row->revision);
    buf_deinit(&key);
}

void roster_txn_take_id(struct roster_txn *t, const struct roster *roster)
{
    struct str next = str_printf(&t->arena, "%llu", (unsigned long long)roster->next_id + 1);

    roster_txn_put(t, str_lit(ROSTER_NEXT_KEY), next, roster->next_revision, 0);
}

const struct store_txn *roster_txn_get(struct roster_txn *t, uint64_t fence_term)
{
    t->txn.guards = t->guards;
    t->txn.ops = t->ops;
    t->txn.fence_term = fence_term;
    return &t->txn;
}
