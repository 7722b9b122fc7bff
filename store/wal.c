/*
 * The owner's half of the log: order and terms are checked where requests are made, then they cross
 * to the log's loop (wal_writer.c), and what is durable comes back.
 *
 * How far the log is durable crosses as a number and one posted message: the owner takes the mark
 * off before it reads the number, so nothing is posted back, and the log's loop sleeps on. Edges
 * (held, failed) are rare and carry a reason: they cross in a struct that only one side uses at a
 * time: the writer fills and posts it, the owner reads it and posts it back. What happens meanwhile
 * goes with the next one. An edge is posted after the number, so it overtakes nothing. All that is
 * apart from struct wal because it may still lie in the owner's inbox when the log is closed.
 */
#include "store/wal.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/wal_load.h"
#include "store/wal_meta.h"
#include "store/wal_writer.h"

/* Room for the names the log and its temporary files have in the folder. */
#define NAME_BYTES_MAX 64
#define FOLDER_MODE    0700

struct news {
    struct wal *wal; /* NULL: closed */
    unsigned left;   /* then: messages still in the inbox */
    struct env_msg msg;
    atomic_bool posted;
    _Atomic uint64_t through;
    struct env_msg edge_msg;
    bool edge_arrived;
    bool held;
    bool failed;
    struct err why;
};

struct wal {
    struct wal_config config;
    char *folder;
    /* The owner's. */
    struct wal_meta meta;
    struct list submitted;
    uint64_t tickets;
    uint64_t last;      /* index of the last entry submitted */
    uint64_t base;      /* the snapshot's index */
    uint64_t base_term; /* and its term */
    struct wal_terms terms;
    bool held;
    bool failed;
    bool calling; /* back into the owner */
    _Atomic uint64_t queued;
    /* The log's loop's. */
    struct env_loop *loop;
    struct wal_writer writer;
    uint64_t taken; /* the last ticket that arrived */
    struct news *news;
    struct env_msg edge_back;
    bool edge_away;
    bool told_held;
    bool told_failed;
    struct env_msg start;
};

/* ---- news: from the log's loop to the owner's, and back ---- */

static void on_durable(struct env_msg *m);
static void on_edge(struct env_msg *m);

static void tell_edge(struct wal *w)
{
    struct wal_writer *from = &w->writer;
    struct news *n = w->news;
    if (w->edge_away || (w->told_held == from->held && w->told_failed == from->failed))
        return;
    w->told_held = n->held = from->held;
    w->told_failed = n->failed = from->failed;
    n->why = from->why;
    n->edge_arrived = false;
    w->edge_away = true;
    env_post(w->config.loop, &n->edge_msg, on_edge);
}

static void on_changed(struct wal_writer *writer)
{
    struct wal *w = container_of(writer, struct wal, writer);
    struct news *n = w->news;
    if (atomic_load(&n->through) != writer->through) {
        atomic_store(&n->through, writer->through);
        if (!atomic_exchange(&n->posted, true))
            env_post(w->config.loop, &n->msg, on_durable);
    }
    tell_edge(w);
}

static void on_edge_back(struct env_msg *m)
{
    struct wal *w = container_of(m, struct wal, edge_back);
    w->edge_away = false;
    tell_edge(w);
}

static void complete_through(struct wal *w, uint64_t through)
{
    while (!list_empty(&w->submitted)) {
        struct wal_write *write = container_of(w->submitted.next, struct wal_write, node);
        if (write->ticket > through)
            break;
        list_remove(&write->node);
        atomic_fetch_sub(&w->queued, 1);
        if (write->done != NULL)
            write->done(write);
    }
}

/* A message that found the log closed. */
static void arrive_late(struct news *n)
{
    if (--n->left == 0)
        mem_free(n);
}

static void on_durable(struct env_msg *m)
{
    struct news *n = container_of(m, struct news, msg);
    struct wal *w = n->wal;
    if (w == NULL) {
        arrive_late(n);
        return;
    }
    atomic_store(&n->posted, false); /* before reading: what comes after it is posted again */
    w->calling = true;
    complete_through(w, atomic_load(&n->through));
    w->calling = false;
}

static void on_edge(struct env_msg *m)
{
    struct news *n = container_of(m, struct news, edge_msg);
    struct wal *w = n->wal;
    if (w == NULL) {
        arrive_late(n);
        return;
    }
    struct err why = n->why;
    bool held = n->held;
    bool failed = n->failed;
    n->edge_arrived = true;
    env_post(w->loop, &w->edge_back, on_edge_back);
    w->calling = true;
    if (held != w->held) {
        w->held = held;
        w->config.held(w->config.ctx, held, &why);
    }
    if (failed && !w->failed) {
        w->failed = true;
        w->config.failed(w->config.ctx, &why);
    }
    w->calling = false;
}

/* ---- requests ---- */

static void on_request(struct env_msg *m)
{
    struct wal_write *write = container_of(m, struct wal_write, msg);
    write->wal->taken = write->ticket;
    wal_writer_submit(&write->wal->writer, write);
}

static void submit(struct wal *w, struct wal_write *write)
{
    write->wal = w;
    write->ticket = ++w->tickets;
    list_append(&w->submitted, &write->node);
    atomic_fetch_add(&w->queued, 1);
    env_post(w->loop, &write->msg, on_request);
}

void wal_append(struct wal *w, struct wal_write *write, const struct wal_entry *entries,
                size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct wal_entry *entry = &entries[i];
        ASSERT(entry->index == w->last + 1);
        ASSERT(entry->term <= w->meta.now.term);
        ASSERT(entry->bytes.len <= WAL_ENTRY_BYTES_MAX);
        ASSERT(WAL_BLOCK_BYTES + wal_record_span(entry->bytes.len) <= w->writer.file_bytes);
        wal_terms_add(&w->terms, entry->index, entry->term);
        w->last = entry->index;
    }
    write->kind = WAL_WRITE_ENTRIES;
    write->entries = entries;
    write->count = count;
    submit(w, write);
}

void wal_truncate(struct wal *w, struct wal_write *write, uint64_t index)
{
    ASSERT(index > w->base);
    ASSERT(index <= w->last + 1);
    wal_terms_cut(&w->terms, index);
    w->last = index - 1;
    write->kind = WAL_WRITE_TRUNCATE;
    write->index = index;
    submit(w, write);
}

/* The same question wal_load.c asks of the log on disk. */
static bool outruns(const struct wal *w, const struct wal_snapshot *s)
{
    if (s->index > w->last)
        return true;
    uint64_t term = s->index == w->base ? w->base_term : wal_terms_at(&w->terms, s->index);
    return term != s->term;
}

void wal_snapshot(struct wal *w, struct wal_write *write, const struct wal_snapshot *snapshot,
                  uint64_t keep_from)
{
    ASSERT(snapshot->index > 0);
    ASSERT(snapshot->index >= w->base);
    ASSERT(snapshot->term <= w->meta.now.term);
    ASSERT(keep_from <= snapshot->index + 1);
    write->kind = outruns(w, snapshot) ? WAL_WRITE_INSTALL : WAL_WRITE_SNAPSHOT;
    write->snapshot = *snapshot;
    write->keep_from = keep_from;
    if (write->kind == WAL_WRITE_INSTALL) {
        wal_terms_cut(&w->terms, 0);
        w->last = snapshot->index;
    }
    wal_terms_drop(&w->terms, snapshot->index);
    w->base = snapshot->index;
    w->base_term = snapshot->term;
    submit(w, write);
}

int wal_set_term(struct wal *w, uint64_t term, struct err *e)
{
    ASSERT(term > w->meta.now.term);
    return wal_meta_set(&w->meta, term, 0, e);
}

int wal_set_vote(struct wal *w, uint64_t vote, struct err *e)
{
    ASSERT(w->meta.now.vote == 0 || w->meta.now.vote == vote);
    return wal_meta_set(&w->meta, w->meta.now.term, vote, e);
}

void wal_stats(struct wal *w, struct wal_stats *out)
{
    *out = (struct wal_stats){ .bytes = atomic_load(&w->writer.bytes),
                               .files = atomic_load(&w->writer.files_count),
                               .queued = atomic_load(&w->queued),
                               .flushes = atomic_load(&w->writer.flushes),
                               .flush_ns = atomic_load(&w->writer.flush_ns),
                               .flush_ns_max = atomic_load(&w->writer.flush_ns_max),
                               .held = atomic_load(&w->writer.is_held) };
}

/* ---- life ---- */

static void on_start(struct env_msg *m)
{
    wal_writer_start(&container_of(m, struct wal, start)->writer);
}

/* A folder without a log becomes an empty one: its id is drawn. */
static int prepare_folder(const struct wal_config *config, struct wal_loaded *l, struct err *e)
{
    int rc = 0;
    if (l->slot.id == 0) {
        rc = wal_sync_above(config->env, config->folder, e);
        l->slot = (struct wal_slot){ .version = 1, .id = env_random_u64(config->env) | 1 };
        if (rc == 0)
            rc = wal_meta_make(config->env, config->folder, &l->slot, e);
    }
    return rc != 0 ? rc : wal_mend(config->env, config->folder, l, e);
}

static int open_parts(struct wal *w, const struct wal_loaded *l, struct err *e)
{
    uint64_t file_bytes = w->config.file_bytes != 0 ? w->config.file_bytes : WAL_FILE_BYTES;
    struct env *env = w->config.env;
    ASSERT(file_bytes <= WAL_FILE_BYTES_MAX);
    ASSERT(file_bytes % WAL_BLOCK_BYTES == 0);
    int rc = wal_meta_open(&w->meta, env, w->folder, &l->slot, e);
    if (rc != 0)
        return rc;
    w->loop = env_loop_new(env, w->config.name);
    rc = wal_writer_init(&w->writer, env, w->loop, w->folder, file_bytes, l, e);
    if (rc != 0) {
        env_loop_free(w->loop);
        wal_meta_close(&w->meta);
    }
    return rc;
}

static struct wal *make_wal(const struct wal_config *config, struct wal_loaded *l)
{
    struct wal *w = mem_alloc(sizeof *w);
    w->config = *config;
    w->folder = mem_strdup(config->folder);
    w->last = l->state.last;
    w->base = l->state.snapshot.index;
    w->base_term = l->state.snapshot.term;
    w->terms = l->terms; /* taken over */
    wal_terms_init(&l->terms);
    list_init(&w->submitted);
    return w;
}

static void free_wal(struct wal *w)
{
    wal_terms_deinit(&w->terms);
    mem_free(w->folder);
    mem_free(w);
}

static int open_loaded(const struct wal_config *config, struct wal_loaded *l, struct wal **out,
                       struct err *e)
{
    struct wal *w = make_wal(config, l);
    int rc = open_parts(w, l, e);
    if (rc != 0) {
        free_wal(w);
        return rc;
    }
    w->writer.changed = on_changed;
    w->writer.flush_seconds = config->flush_seconds;
    w->writer.reserve_bytes = config->reserve_bytes;
    w->news = mem_alloc(sizeof *w->news);
    w->news->wal = w;
    w->news->edge_arrived = true;
    env_loop_start(w->loop);
    env_post(w->loop, &w->start, on_start);
    *out = w;
    return 0;
}

int wal_open(const struct wal_config *config, struct wal **out, struct wal_state *out_state,
             void (*visit)(void *ctx, const struct wal_entry *entry), void *ctx, struct err *e)
{
    struct wal_loaded l;
    if (strlen(config->folder) + NAME_BYTES_MAX > WAL_PATH_BYTES)
        return err_set(e, ERR_INVALID_ARGUMENT, "%.64s...: the path is too long", config->folder);
    int rc = env_dir_make(config->env, config->folder, FOLDER_MODE, e);
    if (rc == 0)
        rc = wal_load(config->env, config->folder, visit, ctx, &l, e);
    if (rc != 0)
        return rc;
    rc = prepare_folder(config, &l, e);
    if (rc == 0)
        rc = open_loaded(config, &l, out, e);
    if (rc == 0)
        *out_state = l.state;
    wal_loaded_deinit(&l);
    return rc;
}

/* What was submitted and did not reach the log's loop. */
static void submit_rest(struct wal *w)
{
    list_foreach (node, &w->submitted) {
        struct wal_write *write = container_of(node, struct wal_write, node);
        if (write->ticket > w->taken)
            wal_writer_submit(&w->writer, write);
    }
}

static void no_news(struct wal_writer *writer)
{
    (void)writer; /* the owner closes */
}

void wal_close(struct wal *w)
{
    if (w == NULL)
        return;
    ASSERT(!w->calling);
    env_loop_stop(w->loop);
    env_loop_join(w->loop);
    w->writer.closing = true;
    w->writer.changed = no_news;
    env_loop_free(w->loop); /* ends the pool's work */
    submit_rest(w);
    wal_writer_finish(&w->writer);
    wal_writer_deinit(&w->writer);
    wal_meta_close(&w->meta);
    w->news->wal = NULL;
    w->news->left = atomic_load(&w->news->posted) ? 1 : 0;
    w->news->left += w->edge_away && !w->news->edge_arrived ? 1 : 0;
    if (w->news->left == 0 || !env_on_loop(w->config.loop))
        mem_free(w->news); /* else the last message does */
    free_wal(w);
}
