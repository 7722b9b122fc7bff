/*
 * The ordered map of the simulation: skip lists in memory, one per table, and a log of what the
 * last commit and the open transaction changed, so that a crash can take them back.
 *
 * One thread. A read transaction sees the map as it is: none may be open while a write transaction
 * is (asserted), which holds because both begin and end inside one function. Heights come from a
 * fixed generator: the same operations build the same map.
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

struct kv_sim_disk {
    struct table tables[KV_TABLES];
    struct list open_undo; /* newest first */
    struct list last_undo;
    uint64_t generator;
    uint64_t life; /* counts crashes: transactions of an earlier life are dead */
    int readers;
    struct kv_txn *writing; /* the open write transaction */
};

struct kv_sim {
    struct kv kv;
    struct kv_sim_disk *disk;
    uint64_t life;
};

struct sim_txn {
    struct kv_txn txn;
    struct kv_sim_disk *disk;
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

static int random_height(struct kv_sim_disk *d)
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

static void table_set(struct kv_sim_disk *d, enum kv_table table, struct str key, struct str value)
{
    struct table *t = &d->tables[table];
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

static void table_remove(struct kv_sim_disk *d, enum kv_table table, struct str key)
{
    struct table *t = &d->tables[table];
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

static void undo_run(struct kv_sim_disk *d, struct list *undos)
{
    for (struct list *n = list_pop(undos); n != NULL; n = list_pop(undos)) {
        struct undo *u = container_of(n, struct undo, node);
        if (u->existed)
            table_set(d, u->table, u->key, u->value);
        else
            table_remove(d, u->table, u->key);
        undo_free(u);
    }
}

/* Notes how key is now, before a change. */
static void undo_note(struct kv_sim_disk *d, enum kv_table table, struct str key)
{
    struct node *before[HEIGHT_MAX];
    struct node *n = table_find(&d->tables[table], key, before);
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

static struct kv_txn *sim_begin(struct kv *kv, bool write)
{
    struct kv_sim *sim = (struct kv_sim *)kv;
    struct kv_sim_disk *d = sim->disk;
    ASSERT(sim->life == d->life);
    ASSERT(d->writing == NULL);
    ASSERT(!write || d->readers == 0);
    struct sim_txn *t = mem_alloc(sizeof *t);
    t->txn = (struct kv_txn){ .kv = kv, .write = write };
    t->disk = d;
    if (write)
        d->writing = &t->txn;
    else
        d->readers++;
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

static void sim_abort(struct kv_txn *t)
{
    struct kv_sim_disk *d = disk_of(t);
    if (t->write) {
        undo_run(d, &d->open_undo);
        d->writing = NULL;
    } else {
        d->readers--;
    }
    mem_free(t);
}

static bool sim_get(struct kv_txn *t, enum kv_table table, struct str key, struct str *out)
{
    struct node *before[HEIGHT_MAX];
    struct node *n = table_find(&disk_of(t)->tables[table], key, before);
    if (n == NULL || !str_eq(n->key, key))
        return false;
    *out = n->value;
    return true;
}

static void sim_put(struct kv_txn *t, enum kv_table table, struct str key, struct str value,
                    bool append)
{
    struct kv_sim_disk *d = disk_of(t);
    struct table *rows = &d->tables[table];
    /* As LMDB's MDB_APPEND refuses keys out of order. */
    ASSERT(!append || rows->last == rows->head || str_cmp(rows->last->key, key) < 0);
    undo_note(d, table, key);
    table_set(d, table, key, value);
}

static bool sim_del(struct kv_txn *t, enum kv_table table, struct str key)
{
    struct str value;
    if (!sim_get(t, table, key, &value))
        return false;
    /* key may be borrowed from the very row. */
    struct str copy = own(key);
    undo_note(disk_of(t), table, copy);
    table_remove(disk_of(t), table, copy);
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
    if (n == NULL || n == disk_of(c->txn)->tables[c->table].head)
        return false;
    c->impl = n;
    c->key = n->key;
    c->value = n->value;
    return true;
}

static bool sim_seek(struct kv_cursor *c, struct str key)
{
    struct node *before[HEIGHT_MAX];
    return sim_at(c, table_find(&disk_of(c->txn)->tables[c->table], key, before));
}

static bool sim_last(struct kv_cursor *c)
{
    return sim_at(c, disk_of(c->txn)->tables[c->table].last);
}

static bool sim_next(struct kv_cursor *c)
{
    return c->impl != NULL && sim_at(c, ((struct node *)c->impl)->next[0]);
}

static bool sim_prev(struct kv_cursor *c)
{
    return c->impl != NULL && sim_at(c, ((struct node *)c->impl)->prev);
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
    .close = sim_close,
};

/* ---- the disk ---- */

struct kv_sim_disk *kv_sim_disk_new(void)
{
    struct kv_sim_disk *d = mem_alloc(sizeof *d);
    list_init(&d->open_undo);
    list_init(&d->last_undo);
    for (int i = 0; i < KV_TABLES; i++) {
        d->tables[i].head = node_new(HEIGHT_MAX, str_of(NULL, 0), str_of(NULL, 0));
        d->tables[i].last = d->tables[i].head;
    }
    return d;
}

void kv_sim_disk_free(struct kv_sim_disk *d)
{
    if (d == NULL)
        return;
    undo_forget(&d->open_undo);
    undo_forget(&d->last_undo);
    for (int i = 0; i < KV_TABLES; i++)
        for (struct node *n = d->tables[i].head, *next; n != NULL; n = next) {
            next = n->next[0];
            node_free(n);
        }
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

void kv_sim_crash(struct kv_sim_disk *d, bool lose_last_commit)
{
    undo_run(d, &d->open_undo);
    if (lose_last_commit)
        undo_run(d, &d->last_undo);
    undo_forget(&d->last_undo);
    mem_free(d->writing);
    d->writing = NULL;
    d->readers = 0;
    d->life++;
}
