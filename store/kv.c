/* What both maps share: the calls of kv.h are thin, so that tests can stand in for either. */
#include "store/kv.h"

#include "base/assert.h"

void kv_close(struct kv *kv)
{
    if (kv != NULL)
        kv->ops->close(kv);
}

bool kv_room(struct kv *kv)
{
    return kv->ops->room(kv);
}

struct kv_txn *kv_begin_write(struct kv *kv)
{
    struct kv_txn *t = kv->ops->begin(kv, true);
    ASSERT(t != NULL);
    return t;
}

struct kv_txn *kv_begin_read(struct kv *kv)
{
    return kv->ops->begin(kv, false);
}

void kv_commit(struct kv_txn *t)
{
    ASSERT(t->write);
    t->kv->ops->commit(t);
}

void kv_abort(struct kv_txn *t)
{
    t->kv->ops->abort(t);
}

bool kv_get(struct kv_txn *t, enum kv_table table, struct str key, struct str *out)
{
    return t->kv->ops->get(t, table, key, out);
}

void kv_put(struct kv_txn *t, enum kv_table table, struct str key, struct str value)
{
    ASSERT(t->write);
    ASSERT(key.len > 0 && key.len <= KV_KEY_BYTES_MAX);
    t->kv->ops->put(t, table, key, value, false);
}

void kv_append(struct kv_txn *t, enum kv_table table, struct str key, struct str value)
{
    ASSERT(t->write);
    ASSERT(key.len > 0 && key.len <= KV_KEY_BYTES_MAX);
    t->kv->ops->put(t, table, key, value, true);
}

bool kv_delete(struct kv_txn *t, enum kv_table table, struct str key)
{
    ASSERT(t->write);
    return t->kv->ops->del(t, table, key);
}

void kv_cursor_open(struct kv_txn *t, enum kv_table table, struct kv_cursor *c)
{
    *c = (struct kv_cursor){ .txn = t, .table = table };
    t->kv->ops->cursor_open(c);
}

void kv_cursor_close(struct kv_cursor *c)
{
    c->txn->kv->ops->cursor_close(c);
}

bool kv_seek(struct kv_cursor *c, struct str key)
{
    return c->txn->kv->ops->seek(c, key);
}

bool kv_last(struct kv_cursor *c)
{
    return c->txn->kv->ops->last(c);
}

bool kv_next(struct kv_cursor *c)
{
    return c->txn->kv->ops->next(c);
}

bool kv_prev(struct kv_cursor *c)
{
    return c->txn->kv->ops->prev(c);
}
