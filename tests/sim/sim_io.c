/*
 * libraft's raft_io in memory, but for the network (sim_net.c): a disk whose writes finish in order
 * and later, and an allocator that remembers which member asked, so that a crash takes its memory.
 * No completion ever runs inside the call that asked for it.
 */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "tests/sim/sim.h"

/* ---- memory ---- */

#define FREED_BYTE 0xdd

struct block {
    struct list node;
    size_t size;
};

static struct sim_node *heap_owner;

static void *heap_malloc(void *data, size_t size)
{
    struct block *b = mem_alloc(sizeof(*b) + size);

    (void)data;
    b->size = size;
    ASSERT(heap_owner != NULL);
    list_append(&heap_owner->heap, &b->node);
    return b + 1;
}

static void heap_free(void *data, void *ptr)
{
    struct block *b;

    (void)data;
    if (ptr == NULL)
        return;
    b = (struct block *)ptr - 1;
    list_remove(&b->node);
    memset(ptr, FREED_BYTE, b->size); /* who still reads it shall notice */
    mem_free(b);
}

static void *heap_calloc(void *data, size_t count, size_t size)
{
    return heap_malloc(data, count * size);
}

static void *heap_realloc(void *data, void *ptr, size_t size)
{
    void *new = heap_malloc(data, size);
    struct block *old;

    if (ptr == NULL)
        return new;
    old = (struct block *)ptr - 1;
    memcpy(new, ptr, old->size < size ? old->size : size);
    heap_free(data, ptr);
    return new;
}

static void *heap_aligned(void *data, size_t alignment, size_t size)
{
    (void)alignment;
    return heap_malloc(data, size);
}

static void heap_aligned_free(void *data, size_t alignment, void *ptr)
{
    (void)alignment;
    heap_free(data, ptr);
}

static struct raft_heap sim_heap = { NULL,         heap_malloc,  heap_free,        heap_calloc,
                                     heap_realloc, heap_aligned, heap_aligned_free };

void sim_heap_enter(struct sim_node *n)
{
    raft_heap_set(&sim_heap);
    heap_owner = n;
}

void sim_heap_free_all(struct sim_node *n)
{
    struct list *node;

    while ((node = list_pop(&n->heap)) != NULL)
        mem_free(container_of(node, struct block, node));
}

/* ---- disk ---- */

#define FULL_RETRY_MS 200

void sim_disk_append(struct sim_disk *d, const struct raft_entry *entry)
{
    struct sim_entry *e;

    if (d->count == d->capacity) {
        d->capacity = d->capacity == 0 ? 64 : d->capacity * 2;
        d->entries = mem_realloc(d->entries, d->capacity * sizeof(*d->entries));
    }
    e = &d->entries[d->count++];
    e->term = entry->term;
    e->type = entry->type;
    e->len = entry->buf.len;
    e->data = mem_dup(entry->buf.base, entry->buf.len);
}

void sim_disk_truncate(struct sim_disk *d, raft_index index)
{
    while (d->count > 0 && sim_disk_last(d) >= index)
        mem_free(d->entries[--d->count].data);
}

raft_index sim_disk_last(const struct sim_disk *d)
{
    return d->start + d->count - 1;
}

static raft_term disk_term_of(const struct sim_disk *d, raft_index index)
{
    if (index < d->start || index > sim_disk_last(d))
        return 0;
    return d->entries[index - d->start].term;
}

/* As wal_snapshot: the snapshot is there, and what is older than its trailing entries is not, or
 * nothing when the log does not hold the snapshot's own entry. */
static void disk_snapshot(struct sim_disk *d, const struct sim_disk_op *op)
{
    bool replaces = disk_term_of(d, op->snapshot_index) != op->snapshot_term;
    size_t gone = 0;

    d->snapshot_index = op->snapshot_index;
    d->snapshot_term = op->snapshot_term;
    d->snapshot_state = op->snapshot_state;
    d->snapshot_servers = op->snapshot_servers;
    while (gone < d->count && (replaces || d->start + gone + op->trailing <= op->snapshot_index))
        mem_free(d->entries[gone++].data);
    if (gone > 0)
        memmove(d->entries, d->entries + gone, (d->count - gone) * sizeof(*d->entries));
    d->count -= gone;
    d->start = replaces ? op->snapshot_index + 1 : d->start + gone;
}

/* What is appended lands at the end of what is there, whatever index raft had in mind; an earlier
 * failed write leaves a shifted log. */
static void disk_write(struct sim_node *n, const struct sim_disk_op *op, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        sim_disk_append(&n->disk, &op->entries[i]);
        sim_check_stored(n);
    }
}

static struct sim_node *node_of(const struct raft_io *io)
{
    return io->impl;
}

static void disk_submit(struct sim_node *n, struct sim_disk_op *op)
{
    struct sim *s = n->sim;
    uint64_t due = s->now + (op->req == NULL && op->put == NULL ? 0 : n->disk_ms);

    if (due < n->disk_due)
        due = n->disk_due;
    n->disk_due = due;
    list_append(&n->disk_ops, &op->node);
    sim_post(s, SIM_DISK, n->index, due);
}

void sim_io_disk_done(struct sim_node *n)
{
    struct list *node;
    struct sim_disk_op *op;

    if (n->full) {
        sim_post(n->sim, SIM_DISK, n->index, n->sim->now + FULL_RETRY_MS);
        return;
    }
    node = list_pop(&n->disk_ops);
    ASSERT(node != NULL);
    op = container_of(node, struct sim_disk_op, node);
    if (op->put != NULL)
        disk_snapshot(&n->disk, op);
    else if (op->req == NULL)
        sim_disk_truncate(&n->disk, op->first);
    else if (op->status == 0)
        disk_write(n, op, op->n);
    if (op->put != NULL)
        op->put->cb(op->put, 0);
    else if (op->req != NULL)
        op->req->cb(op->req, op->status);
    mem_free(op);
}

void sim_io_crash(struct sim_node *n)
{
    struct list *node;
    /* Everything before this one is on disk. One write is under way at a time: after one that
     * failed none was begun. */
    bool reached = !n->fatal;

    while ((node = list_pop(&n->disk_ops)) != NULL) {
        struct sim_disk_op *op = container_of(node, struct sim_disk_op, node);
        unsigned kept = op->req == NULL ? 1 : sim_draw(n->sim, op->n + 1);

        if (reached && op->put != NULL)
            disk_snapshot(&n->disk, op);
        else if (reached && op->req == NULL)
            sim_disk_truncate(&n->disk, op->first);
        else if (reached && op->status == 0)
            disk_write(n, op, kept);
        n->sim->counters.torn += reached && op->req != NULL && kept < op->n;
        if (op->status != 0 || kept < op->n || sim_draw(n->sim, 2) == 0)
            reached = false;
        mem_free(op);
    }
    n->disk_due = 0;
}

static int io_append(struct raft_io *io, struct raft_io_append *req,
                     const struct raft_entry entries[], unsigned count, raft_io_append_cb cb)
{
    struct sim_node *n = node_of(io);
    struct sim_disk_op *op = mem_alloc(sizeof(*op));

    req->cb = cb;
    op->req = req;
    op->entries = entries;
    op->n = count;
    if (n->fail_writes > 0) {
        n->fail_writes--;
        n->sim->counters.failed++;
        op->status = RAFT_IOERR;
    }
    disk_submit(n, op);
    return 0;
}

static int io_truncate(struct raft_io *io, raft_index index)
{
    struct sim_node *n = node_of(io);
    struct sim_disk_op *op = mem_alloc(sizeof(*op));

    op->first = index;
    disk_submit(n, op);
    return 0;
}

static int io_set_term(struct raft_io *io, raft_term term)
{
    node_of(io)->disk.term = term;
    node_of(io)->disk.vote = 0;
    return 0;
}

static int io_set_vote(struct raft_io *io, raft_id id)
{
    node_of(io)->disk.vote = id;
    return 0;
}

static int io_snapshot_put(struct raft_io *io, unsigned trailing, struct raft_io_snapshot_put *req,
                           const struct raft_snapshot *snapshot, raft_io_snapshot_put_cb cb)
{
    struct sim_node *n = node_of(io);
    struct sim_disk_op *op = mem_alloc(sizeof(*op));

    req->cb = cb;
    op->put = req;
    op->snapshot_index = snapshot->index;
    op->snapshot_term = snapshot->term;
    ASSERT(snapshot->n_bufs == 1 && snapshot->bufs[0].len == sizeof(op->snapshot_state));
    memcpy(&op->snapshot_state, snapshot->bufs[0].base, sizeof(op->snapshot_state));
    sim_servers_note(&op->snapshot_servers, &snapshot->configuration);
    op->snapshot_servers.index = snapshot->configuration_index;
    op->trailing = trailing;
    disk_submit(n, op);
    return 0;
}

static struct raft_snapshot *load_snapshot(struct sim_node *n)
{
    struct raft_snapshot *s;

    if (n->disk.snapshot_index == 0)
        return NULL;
    s = raft_calloc(1, sizeof(*s));
    s->index = n->disk.snapshot_index;
    s->term = n->disk.snapshot_term;
    sim_servers_make(&n->disk.snapshot_servers, &s->configuration);
    s->configuration_index = n->disk.snapshot_servers.index;
    s->bufs = raft_calloc(1, sizeof(*s->bufs));
    s->n_bufs = 1;
    s->bufs[0].base = raft_calloc(1, sizeof(n->disk.snapshot_state));
    s->bufs[0].len = sizeof(n->disk.snapshot_state);
    memcpy(s->bufs[0].base, &n->disk.snapshot_state, sizeof(n->disk.snapshot_state));
    return s;
}

static int io_snapshot_get(struct raft_io *io, struct raft_io_snapshot_get *req,
                           raft_io_snapshot_get_cb cb)
{
    struct sim_node *n = node_of(io);

    req->cb = cb;
    sim_post(n->sim, SIM_GET, n->index, n->sim->now + 1)->get = req;
    return 0;
}

void sim_io_got(struct sim_node *n, struct sim_event *e)
{
    struct raft_snapshot *snapshot = load_snapshot(n);

    e->get->cb(e->get, snapshot, snapshot != NULL ? 0 : RAFT_NOTFOUND);
}

static int io_load(struct raft_io *io, raft_term *term, raft_id *voted_for,
                   struct raft_snapshot **snapshot, raft_index *start_index,
                   struct raft_entry *entries[], size_t *n_entries)
{
    const struct sim_disk *d = &node_of(io)->disk;
    size_t bytes = 0;
    uint8_t *at;

    *term = d->term;
    *voted_for = d->vote;
    *snapshot = load_snapshot(node_of(io));
    *start_index = d->start;
    *n_entries = d->count;
    *entries = NULL;
    if (d->count == 0)
        return 0;
    for (size_t i = 0; i < d->count; i++)
        bytes += d->entries[i].len;
    *entries = raft_malloc(d->count * sizeof(**entries));
    at = raft_malloc(bytes);
    for (size_t i = 0; i < d->count; i++) {
        (*entries)[i] = (struct raft_entry){ .term = d->entries[i].term,
                                             .type = d->entries[i].type,
                                             .buf = { at, d->entries[i].len },
                                             .batch = i == 0 ? at : (*entries)[0].batch };
        memcpy(at, d->entries[i].data, d->entries[i].len);
        at += d->entries[i].len;
    }
    return 0;
}

/* ---- the rest ---- */

static int io_init(struct raft_io *io, raft_id id, const char *address)
{
    (void)io;
    (void)id;
    (void)address;
    return 0;
}

static void io_close(struct raft_io *io, raft_io_close_cb cb)
{
    cb(io);
}

static int io_start(struct raft_io *io, unsigned msecs, raft_io_tick_cb tick, raft_io_recv_cb recv)
{
    struct sim_node *n = node_of(io);

    n->tick = tick;
    n->recv = recv;
    sim_post(n->sim, SIM_TICK, n->index, n->sim->now + msecs);
    return 0;
}

static raft_time io_time(struct raft_io *io)
{
    return node_of(io)->sim->now;
}

static int io_random(struct raft_io *io, int min, int max)
{
    struct sim_node *n = node_of(io);

    if (n->election_ms != 0)
        return (int)n->election_ms;
    return min + (int)sim_draw(n->sim, (uint32_t)(max - min));
}

void sim_io_init(struct sim_node *n)
{
    memset(&n->backend, 0, sizeof(n->backend));
    n->backend.version = 2;
    n->backend.impl = n;
    n->backend.init = io_init;
    n->backend.close = io_close;
    n->backend.load = io_load;
    n->backend.start = io_start;
    n->backend.set_term = io_set_term;
    n->backend.set_vote = io_set_vote;
    n->backend.send = sim_net_send;
    n->backend.append = io_append;
    n->backend.truncate = io_truncate;
    n->backend.snapshot_put = io_snapshot_put;
    n->backend.snapshot_get = io_snapshot_get;
    n->backend.time = io_time;
    n->backend.random = io_random;
}
