/* Turns of the log's loop: gather, write, flush, tell. */
#include "store/wal_writer.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/metrics.h"

#define WAL_LOOK_NS      (50 * ENV_MS)
#define WAL_SLOW_NS      (1 * ENV_S)
#define WAL_SLOW_TOLD_NS (10 * ENV_S)

static void post_turn(struct wal_writer *w);

static struct wal_write *write_of(struct list *queued)
{
    return container_of(queued, struct wal_write, queued);
}

static void count_bytes(struct wal_writer *w)
{
    atomic_store(&w->bytes, wal_disk_bytes(&w->disk) + w->files.spares_count * w->files.file_bytes);
    atomic_store(&w->files_count,
                 w->disk.files_count + (w->disk.next != NULL ? 1 : 0) + w->files.spares_count);
}

/* ---- what the owner hears ---- */

static void hold(struct wal_writer *w, const struct err *why)
{
    if (w->held)
        return;
    w->held = true;
    w->why = *why;
    atomic_store(&w->is_held, true);
    w->changed(w);
}

static void unhold(struct wal_writer *w)
{
    if (!w->held)
        return;
    w->held = false;
    atomic_store(&w->is_held, false);
    w->changed(w);
}

static void fail(struct wal_writer *w, const struct err *why)
{
    if (w->failed)
        return;
    w->failed = true;
    w->why = *why;
    w->changed(w);
}

/* ---- gathering ---- */

static int add_mark(struct wal_writer *w, enum wal_kind kind, uint64_t index, uint64_t term)
{
    return wal_disk_add(&w->disk, kind, &(struct wal_entry){ .index = index, .term = term });
}

static int gather_entries(struct wal_writer *w, const struct wal_write *write)
{
    int rc = 0;
    while (w->part < write->count && rc == 0) {
        rc = wal_disk_add(&w->disk, WAL_ENTRY, &write->entries[w->part]);
        if (rc == 0)
            w->part++;
    }
    return rc;
}

/* What was submitted before it is durable first; and a log has a first file before a snapshot, so
 * that one without a log is known to have lost it. */
static int gather_snapshot(struct wal_writer *w, const struct wal_write *write, struct err *e)
{
    const struct wal_snapshot *s = &write->snapshot;
    int rc = 0;
    if (wal_disk_gathered(&w->disk))
        return -ERR_LIMIT;
    if (w->disk.tail.sequence == 0) {
        rc = add_mark(w, WAL_RESET, 0, 0);
        return rc == 0 ? -ERR_LIMIT : rc;
    }
    if (w->part == 0)
        rc = wal_snapshot_write(w->env, w->folder, w->disk.id, s, e);
    if (rc != 0)
        return rc;
    w->part = 1;
    if (write->kind == WAL_WRITE_INSTALL)
        rc = add_mark(w, WAL_RESET, s->index, s->term);
    if (rc == 0 && write->keep_from > w->release_from)
        w->release_from = write->keep_from;
    return rc;
}

static int gather_one(struct wal_writer *w, const struct wal_write *write, struct err *e)
{
    if (write->kind == WAL_WRITE_ENTRIES)
        return gather_entries(w, write);
    if (write->kind == WAL_WRITE_TRUNCATE)
        return add_mark(w, WAL_TRUNCATE, write->index, 0);
    return gather_snapshot(w, write, e);
}

static int gather(struct wal_writer *w, struct err *e)
{
    int rc = 0;
    if (w->resets && w->at != &w->queue) {
        rc = add_mark(w, WAL_RESET, w->reset.index, w->reset.term);
        w->resets = rc != 0;
    }
    while (w->at != &w->queue && rc == 0) {
        rc = gather_one(w, write_of(w->at), e);
        if (rc != 0)
            break;
        w->at = w->at->next;
        w->part = 0;
    }
    return rc == -ERR_LIMIT ? 0 : rc;
}

/* ---- a group ---- */

/* One line in a while: a disk that is slow is slow again. */
static void tell_slow(struct wal_writer *w, uint64_t now, uint64_t took)
{
    if (took < WAL_SLOW_NS || (w->slow_told_ns != 0 && now - w->slow_told_ns < WAL_SLOW_TOLD_NS))
        return;
    w->slow_told_ns = now;
    log_warn("slow flush of the log: writes wait for this disk", KV("folder", w->folder),
             KVN("ms", took / ENV_MS), KVN("longest_ms", atomic_load(&w->flush_ns_max) / ENV_MS));
}

static int flush(struct wal_writer *w, struct err *e)
{
    uint64_t begin = env_now_ns(w->env);
    int rc = wal_disk_flush(&w->disk, e);
    uint64_t took = env_now_ns(w->env) - begin;
    atomic_fetch_add(&w->flushes, 1);
    atomic_store(&w->flush_ns, took);
    if (took > atomic_load(&w->flush_ns_max))
        atomic_store(&w->flush_ns_max, took);
    if (w->flush_seconds != NULL)
        metric_observe(w->flush_seconds, (double)took / (double)ENV_S);
    tell_slow(w, begin + took, took);
    if (rc == 0)
        return 0;
    fail(w, e); /* whatever the reason, space too: the kernel may have dropped what it had */
    return -ERR_IO;
}

/* What was gathered is durable: hand it back. */
static void complete(struct wal_writer *w)
{
    uint64_t before = w->through;
    while (w->queue.next != w->at) {
        struct wal_write *write = write_of(w->queue.next);
        w->through = write->ticket;
        list_remove(&write->queued);
    }
    if (w->through != before)
        w->changed(w);
}

/* The log writes into files it has, and would not notice: who cannot go on without space (LMDB,
 * which grows by what is committed here) must not meet the end of the disk first. */
static bool is_low(struct wal_writer *w, struct err *e)
{
    uint64_t now = env_now_ns(w->env);
    uint64_t total = 0;
    uint64_t room = 0;
    if (w->reserve_bytes == 0)
        return false;
    if (w->looked_ns == 0 || now - w->looked_ns >= WAL_LOOK_NS) {
        w->looked_ns = now;
        w->low =
            env_disk_space(w->env, w->folder, &total, &room, NULL) == 0 && room < w->reserve_bytes;
    }
    if (w->low)
        (void)err_set(e, ERR_NO_SPACE, "no space left but the reserve of %llu MiB at %s",
                      (unsigned long long)(w->reserve_bytes >> 20), w->folder);
    return w->low;
}

/* -ERR_AGAIN: a file is needed first. -ERR_NO_SPACE: call again later. Else it is over. */
static int step(struct wal_writer *w, struct err *e)
{
    int rc = wal_disk_gathered(&w->disk) ? 0 : gather(w, e);
    if (!wal_disk_gathered(&w->disk)) {
        complete(w); /* snapshots leave nothing to write */
        return rc;
    }
    ASSERT(rc == 0);
    rc = is_low(w, e) ? -ERR_NO_SPACE : wal_disk_write(&w->disk, e);
    if (rc == 0)
        rc = flush(w, e);
    if (rc == 0)
        complete(w);
    return rc;
}

/* ---- files, on the pool ---- */

static void on_work(struct env_work *work)
{
    struct wal_writer *w = container_of(work, struct wal_writer, work);
    w->work_rc = wal_files_run(&w->files, &w->work_err);
}

static void take_prepared(struct wal_writer *w)
{
    if (w->files.prepared == NULL)
        return;
    wal_disk_give_next(&w->disk, w->files.prepared, w->files.file_bytes);
    w->files.prepared = NULL;
    w->wants_file = false;
}

static void keep_files(struct wal_writer *w);

static void on_worked(struct env_work *work)
{
    struct wal_writer *w = container_of(work, struct wal_writer, work);
    w->working = false;
    take_prepared(w);
    if (w->closing)
        return;
    count_bytes(w);
    if (w->work_rc == 0) {
        keep_files(w); /* more may have come up meanwhile */
        post_turn(w);
    } else if (w->work_rc == -ERR_NO_SPACE) {
        if (w->wants_file)
            hold(w, &w->work_err);
        env_timer_start(&w->retry, WAL_RETRY_MS);
    } else {
        fail(w, &w->work_err);
    }
}

/* Between groups only: a file is prepared when the last one is begun and durable, so that at most
 * one file without a head is ever there. */
static void keep_files(struct wal_writer *w)
{
    if (w->working || w->failed || wal_disk_gathered(&w->disk) || env_timer_active(&w->retry))
        return;
    wal_disk_release(&w->disk, w->release_from, &w->files);
    w->files.prepare = w->disk.next == NULL ? wal_disk_next_sequence(&w->disk) : 0;
    if (w->files.prepare == 0 && w->files.release_count == 0)
        return;
    w->working = true;
    env_work(w->loop, &w->work, on_work, on_worked);
}

/* ---- turns ---- */

static void on_turn(struct env_msg *m)
{
    struct wal_writer *w = container_of(m, struct wal_writer, turn);
    struct err e = { 0 };
    w->turn_posted = false;
    if (w->failed || w->full || (w->wants_file && w->disk.next == NULL))
        return;
    w->wants_file = false;
    int rc = step(w, &e);
    if (rc == -ERR_AGAIN) {
        w->wants_file = true;
        if (env_timer_active(&w->retry))
            hold(w, &w->work_err); /* preparing it has just failed */
    } else if (rc == -ERR_NO_SPACE) {
        w->full = true;
        hold(w, &e);
        env_timer_start(&w->retry, WAL_RETRY_MS);
    } else if (rc != 0) {
        fail(w, &e);
        return;
    } else {
        unhold(w);
        if (w->at != &w->queue)
            post_turn(w);
    }
    keep_files(w);
    if (!w->working)
        count_bytes(w);
}

static void post_turn(struct wal_writer *w)
{
    if (w->turn_posted || w->closing)
        return;
    w->turn_posted = true;
    env_post(w->loop, &w->turn, on_turn);
}

static void on_retry(struct env_timer *t)
{
    struct wal_writer *w = container_of(t, struct wal_writer, retry);
    w->full = false;
    keep_files(w);
    post_turn(w);
}

void wal_writer_start(struct wal_writer *w)
{
    post_turn(w);
}

void wal_writer_submit(struct wal_writer *w, struct wal_write *write)
{
    bool all_gathered = w->at == &w->queue;
    list_append(&w->queue, &write->queued);
    if (all_gathered)
        w->at = &write->queued;
    post_turn(w);
}

/* ---- life ---- */

/* A prepared file of a smaller size would not take every entry. */
static int take_next(struct wal_writer *w, uint64_t sequence, struct err *e)
{
    char path[WAL_PATH_BYTES];
    struct env_file *file = NULL;
    struct env_stat st;
    wal_path_of(path, w->folder, WAL_LOG_NAME, sequence);
    int rc = env_path_stat(w->env, path, &st, e);
    if (rc != 0)
        return rc;
    if (st.size < w->file_bytes) {
        rc = env_path_remove(w->env, path, e);
        return rc != 0 ? rc : env_dir_sync(w->env, w->folder, e);
    }
    rc = env_file_open(w->env, path, ENV_FILE_READ | ENV_FILE_WRITE, 0, &file, e);
    if (rc == 0)
        wal_disk_give_next(&w->disk, file, st.size);
    return rc;
}

int wal_writer_init(struct wal_writer *w, struct env *env, struct env_loop *loop,
                    const char *folder, uint64_t file_bytes, const struct wal_loaded *loaded,
                    struct err *e)
{
    *w =
        (struct wal_writer){ .env = env, .loop = loop, .folder = folder, .file_bytes = file_bytes };
    list_init(&w->queue);
    w->at = &w->queue;
    int rc = wal_disk_init(&w->disk, env, folder, loaded->slot.id, &loaded->tail, e);
    if (rc != 0)
        return rc;
    wal_files_init(&w->files, env, folder, file_bytes);
    for (size_t i = 0; i < loaded->spares_count; i++)
        w->files.spares[w->files.spares_count++] = loaded->spares[i];
    for (size_t i = 0; i < loaded->files_count; i++)
        wal_disk_add_file(&w->disk, &loaded->files[i]);
    w->resets = loaded->reset;
    w->reset = (struct wal_entry){ .index = loaded->state.snapshot.index,
                                   .term = loaded->state.snapshot.term };
    if (loaded->next != 0)
        rc = take_next(w, loaded->next, e);
    if (rc != 0) {
        wal_disk_deinit(&w->disk);
        wal_files_deinit(&w->files);
        return rc;
    }
    count_bytes(w);
    if (loop != NULL)
        env_timer_init(loop, &w->retry, on_retry);
    return 0;
}

void wal_writer_deinit(struct wal_writer *w)
{
    wal_disk_deinit(&w->disk);
    wal_files_deinit(&w->files);
}

static int prepare_now(struct wal_writer *w, struct err *e)
{
    w->files.prepare = wal_disk_next_sequence(&w->disk);
    int rc = wal_files_run(&w->files, e);
    take_prepared(w);
    return rc;
}

void wal_writer_finish(struct wal_writer *w)
{
    struct err e = { 0 };
    int rc = 0;
    while (!w->failed && rc == 0 && (w->at != &w->queue || wal_disk_gathered(&w->disk))) {
        rc = step(w, &e);
        if (rc == -ERR_AGAIN)
            rc = prepare_now(w, &e);
    }
}
