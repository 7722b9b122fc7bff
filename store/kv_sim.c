/*
 * The ordered map of the simulation: skip lists in memory, one per table, and a log of what the
 * last commit and the open transaction changed, so that a crash can take them back.
 *
 * One thread. The tables are counted: a read transaction shares the newest ones, and a writer that
 * finds readers in them goes on in a clone; a reader that begins while a transaction is being
 * written gets a clone with that taken back. Both are rare (a copy being made), so the whole is
 * cloned. Heights come from a fixed generator: the same operations build the same map.
 */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/list.h"
#include "store/kv.h"

#define HEIGHT_MAX 16

struct node {
    struct str key; /* owned */
    struct str value;
    struct node *prev;
    int height;
    struct node *next[];
};

/* How to take one change back: the row as it was before. */
struct undo {
    struct list node;
    enum kv_table table;
    struct str key; /* owned */
    struct str value;
    bool existed;
};

struct table {
    struct node *head; /* full height, no key */
    struct node *last; /* head when empty */
};

struct tables {
    struct table table[KV_TABLES];
    uint64_t generator;
    int refs; /* the disk's, and one per reader */
};

struct kv_sim_disk {
    struct tables *tables; /* the newest */
    struct list open_undo; /* newest first */
    struct list last_undo;
    struct list readers;    /* open read transactions */
    uint64_t life;          /* counts crashes: transactions of an earlier life are dead */
    struct kv_txn *writing; /* the open write transaction */
    bool full;
};

struct kv_sim {
    struct kv kv;
    struct kv_sim_disk *disk;
    uint64_t life;
};

struct sim_txn {
    struct kv_txn txn;
    struct kv_sim_disk *disk;
    struct tables *tables; /* a reader's; a writer uses the disk's */
    struct list node;      /* in the disk's readers */
};

static struct str own(struct str s)
{
    return s.len > 0 ? str_of(mem_dup(s.data, s.len), s.len) : str_of(NULL, 0);
}

static void disown(struct str s)
{
    mem_free((void *)(uintptr_t)s.data);
}

static struct node *node_new(int height, struct str key, struct str value)
{
    struct node *n = mem_alloc(sizeof *n + (size_t)height * sizeof n->next[0]);
    n->key = own(key);
    n->value = own(value);
    n->height = height;
    return n;
}

static void node_free(struct node *n)
{
    disown(n->key);
    disown(n->value);
    mem_free(n);
}

static int random_height(struct tables *d)
{
    d->generator = d->generator * 6364136223846793005u + 1442695040888963407u;
    int height = 1;
    for (uint64_t bits = d->generator >> 33; (bits & 3) == 0 && height < HEIGHT_MAX; bits >>= 2)
        height++;
    return height;
}

/* First node at or after key, or NULL; before[] gets the last node below it on each level. */
static struct node *table_find(struct table *t, struct str key, struct node *before[HEIGHT_MAX])
{
    struct node *n = t->head;
    for (int level = HEIGHT_MAX - 1; level >= 0; level--) {
        while (n->next[level] != NULL && str_cmp(n->next[level]->key, key) < 0)
            n = n->next[level];
        before[level] = n;
    }
    return n->next[0];
}

static void table_set(struct tables *d, enum kv_table table, struct str key, struct str value)
{
    struct table *t = &d->table[table];
    struct node *before[HEIGHT_MAX];
    struct node *n = table_find(t, key, before);
    if (n != NULL && str_eq(n->key, key)) {
        struct str old = n->value;
        n->value = own(value);
        disown(old);
        return;
    }
    struct node *added = node_new(random_height(d), key, value);
    for (int level = 0; level < added->height; level++) {
        added->next[level] = before[level]->next[level];
        before[level]->next[level] = added;
    }
    added->prev = before[0];
    if (added->next[0] != NULL)
        added->next[0]->prev = added;
    else
        t->last = added;
}

static void table_remove(struct tables *d, enum kv_table table, struct str key)
{
    struct table *t = &d->table[table];
    struct node *before[HEIGHT_MAX];
    struct node *n = table_find(t, key, before);
    if (n == NULL || !str_eq(n->key, key))
        return;
    for (int level = 0; level < n->height; level++)
        before[level]->next[level] = n->next[level];
    if (n->next[0] != NULL)
        n->next[0]->prev = n->prev;
    else
        t->last = n->prev;
    node_free(n);
}

/* ---- tables ---- */

static struct tables *tables_new(void)
{
    struct tables *d = mem_alloc(sizeof *d);
    d->refs = 1;
    for (int i = 0; i < KV_TABLES; i++) {
        d->table[i].head = node_new(HEIGHT_MAX, str_of(NULL, 0), str_of(NULL, 0));
        d->table[i].last = d->table[i].head;
    }
    return d;
}

static void tables_unref(struct tables *d)
{
    if (--d->refs > 0)
        return;
    for (int i = 0; i < KV_TABLES; i++)
        for (struct node *n = d->table[i].head, *next; n != NULL; n = next) {
            next = n->next[0];
            node_free(n);
        }
    mem_free(d);
}

static struct tables *tables_clone(const struct tables *from)
{
    struct tables *d = tables_new();
    for (int i = 0; i < KV_TABLES; i++)
        for (struct node *n = from->table[i].head->next[0]; n != NULL; n = n->next[0])
            table_set(d, (enum kv_table)i, n->key, n->value);
    d->generator = from->generator;
    return d;
}

/* ---- undo ---- */

static void undo_free(struct undo *u)
{
    disown(u->key);
    disown(u->value);
    mem_free(u);
}

static void undo_forget(struct list *undos)
{
    for (struct list *n = list_pop(undos); n != NULL; n = list_pop(undos))
        undo_free(container_of(n, struct undo, node));
}

static void undo_run(struct tables *d, struct list *undos)
{
    list_foreach (n, undos) {
        struct undo *u = container_of(n, struct undo, node);
        if (u->existed)
            table_set(d, u->table, u->key, u->value);
        else
            table_remove(d, u->table, u->key);
    }
}

/* Notes how key is now, before a change. */
static void undo_note(struct kv_sim_disk *d, enum kv_table table, struct str key)
{
    struct node *before[HEIGHT_MAX];
    struct node *n = table_find(&d->tables->table[table], key, before);
    struct undo *u = mem_alloc(sizeof *u);
    u->table = table;
    u->key = own(key);
    u->existed = n != NULL && str_eq(n->key, key);
    if (u->existed)
        u->value = own(n->value);
    list_prepend(&d->open_undo, &u->node);
}

/* ---- the vtable ---- */

static struct kv_sim_disk *disk_of(struct kv_txn *t)
{
    return ((struct sim_txn *)t)->disk;
}

static struct tables *tables_of(struct kv_txn *t)
{
    struct sim_txn *sim = (struct sim_txn *)t;
    return t->write ? sim->disk->tables : sim->tables;
}

static struct kv_txn *sim_begin(struct kv *kv, bool write)
{
    struct kv_sim *sim = (struct kv_sim *)kv;
    struct kv_sim_disk *d = sim->disk;
    ASSERT(sim->life == d->life);
    ASSERT(!write || d->writing == NULL);
    struct sim_txn *t = mem_alloc(sizeof *t);
    t->txn = (struct kv_txn){ .kv = kv, .write = write };
    t->disk = d;
    list_init(&t->node);
    if (write && d->tables->refs > 1) {
        struct tables *shared = d->tables;
        d->tables = tables_clone(shared);
        tables_unref(shared);
    }
    if (write) {
        d->writing = &t->txn;
        return &t->txn;
    }
    list_append(&d->readers, &t->node);
    if (d->writing != NULL) {
        t->tables = tables_clone(d->tables);
        undo_run(t->tables, &d->open_undo);
    } else {
        t->tables = d->tables;
        t->tables->refs++;
    }
    return &t->txn;
}

static void sim_commit(struct kv_txn *t)
{
    struct kv_sim_disk *d = disk_of(t);
    ASSERT(d->writing == t);
    undo_forget(&d->last_undo);
    list_foreach_safe (n, &d->open_undo) {
        list_remove(n);
        list_append(&d->last_undo, n);
    }
    d->writing = NULL;
    mem_free(t);
}

static void reader_end(struct sim_txn *t)
{
    list_remove(&t->node);
    tables_unref(t->tables);
    mem_free(t);
}

static void sim_abort(struct kv_txn *t)
{
    struct kv_sim_disk *d = disk_of(t);
    if (!t->write) {
        reader_end((struct sim_txn *)t);
        return;
    }
    undo_run(d->tables, &d->open_undo);
    undo_forget(&d->open_undo);
    d->writing = NULL;
    mem_free(t);
}

static bool sim_get(struct kv_txn *t, enum kv_table table, struct str key, struct str *out)
{
    struct node *before[HEIGHT_MAX];
    struct node *n = table_find(&tables_of(t)->table[table], key, before);
    if (n == NULL || !str_eq(n->key, key))
        return false;
    *out = n->value;
    return true;
}

static void sim_put(struct kv_txn *t, enum kv_table table, struct str key, struct str value,
                    bool append)
{
    struct kv_sim_disk *d = disk_of(t);
    struct table *rows = &d->tables->table[table];
    /* As LMDB's MDB_APPEND refuses keys out of order. */
    ASSERT(!append || rows->last == rows->head || str_cmp(rows->last->key, key) < 0);
    undo_note(d, table, key);
    table_set(d->tables, table, key, value);
}

static bool sim_del(struct kv_txn *t, enum kv_table table, struct str key)
{
    struct str value;
    if (!sim_get(t, table, key, &value))
        return false;
    /* key may be borrowed from the very row. */
    struct str copy = own(key);
    undo_note(disk_of(t), table, copy);
    table_remove(disk_of(t)->tables, table, copy);
    disown(copy);
    return true;
}

static void sim_cursor_open(struct kv_cursor *c)
{
    c->impl = NULL;
}

static void sim_cursor_close(struct kv_cursor *c)
{
    c->impl = NULL;
}

static bool sim_at(struct kv_cursor *c, struct node *n)
{
    if (n == NULL || n == tables_of(c->txn)->table[c->table].head)
        return false;
    c->impl = n;
    c->key = n->key;
    c->value = n->value;
    return true;
}

static bool sim_seek(struct kv_cursor *c, struct str key)
{
    struct node *before[HEIGHT_MAX];
    return sim_at(c, table_find(&tables_of(c->txn)->table[c->table], key, before));
}

static bool sim_last(struct kv_cursor *c)
{
    return sim_at(c, tables_of(c->txn)->table[c->table].last);
}

static bool sim_next(struct kv_cursor *c)
{
    return c->impl != NULL && sim_at(c, ((struct node *)c->impl)->next[0]);
}

static bool sim_prev(struct kv_cursor *c)
{
    return c->impl != NULL && sim_at(c, ((struct node *)c->impl)->prev);
}

static bool sim_room(struct kv *kv)
{
    return !((struct kv_sim *)kv)->disk->full;
}

static void sim_close(struct kv *kv)
{
    mem_free(kv);
}

static const struct kv_ops sim_ops = {
    .begin = sim_begin,
    .commit = sim_commit,
    .abort = sim_abort,
    .get = sim_get,
    .put = sim_put,
    .del = sim_del,
    .cursor_open = sim_cursor_open,
    .cursor_close = sim_cursor_close,
    .seek = sim_seek,
    .last = sim_last,
    .next = sim_next,
    .prev = sim_prev,
    .room = sim_room,
    .close = sim_close,
};

/* ---- the disk ---- */

struct kv_sim_disk *kv_sim_disk_new(void)
{
    struct kv_sim_disk *d = mem_alloc(sizeof *d);
    list_init(&d->open_undo);
    list_init(&d->last_undo);
    list_init(&d->readers);
    d->tables = tables_new();
    return d;
}

void kv_sim_disk_free(struct kv_sim_disk *d)
{
    if (d == NULL)
        return;
    undo_forget(&d->open_undo);
    undo_forget(&d->last_undo);
    ASSERT(list_empty(&d->readers));
    tables_unref(d->tables);
    mem_free(d);
}

struct kv *kv_sim_open(struct kv_sim_disk *d)
{
    struct kv_sim *sim = mem_alloc(sizeof *sim);
    sim->kv.ops = &sim_ops;
    sim->disk = d;
    sim->life = d->life;
    return &sim->kv;
}

bool kv_sim_is(const struct kv *kv)
{
    return kv->ops == &sim_ops;
}

void kv_sim_crash(struct kv_sim_disk *d, bool lose_last_commit)
{
    list_foreach_safe (n, &d->readers)
        reader_end(container_of(n, struct sim_txn, node));
    undo_run(d->tables, &d->open_undo);
    undo_forget(&d->open_undo);
    if (lose_last_commit)
        undo_run(d->tables, &d->last_undo);
    undo_forget(&d->last_undo);
    mem_free(d->writing);
    d->writing = NULL;
    d->life++;
}

static bool flip(struct str value, size_t byte)
{
    if (byte >= value.len)
        return false;
    ((uint8_t *)(uintptr_t)value.data)[byte] ^= 1; /* rows are copies of ours */
    return true;
}

static void flip_undone(struct list *undos, enum kv_table table, struct str key, size_t byte)
{
    list_foreach (n, undos) {
        struct undo *u = container_of(n, struct undo, node);
        if (u->table == table && u->existed && str_eq(u->key, key))
            (void)flip(u->value, byte); /* it may have been shorter then */
    }
}

bool kv_sim_rot(struct kv *kv, enum kv_table table, struct str key, size_t byte)
{
    ASSERT(kv_sim_is(kv));
    struct kv_sim_disk *d = ((struct kv_sim *)kv)->disk;
    struct node *before[HEIGHT_MAX];
    struct node *n = table_find(&d->tables->table[table], key, before);
    if (n == NULL || !str_eq(n->key, key) || !flip(n->value, byte))
        return false;
    flip_undone(&d->open_undo, table, key, byte);
    flip_undone(&d->last_undo, table, key, byte);
    return true;
}

void kv_sim_disk_full(struct kv_sim_disk *d, bool full)
{
    d->full = full;
}
