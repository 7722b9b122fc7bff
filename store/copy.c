/*
 * Happy path: copies_ask finds nothing that serves -> making starts on the pool (room? copy, point,
 * sum, name) -> on_made keeps it, and removes the one before -> the next ask gets it. A failed
 * making is told to the next ask, once. The idle timer removes a copy that nobody asked for or read
 * in keep_ms.
 *
 * A read opens the file, reads one range and closes it: no state is kept per receiver, and a file
 * that was removed meanwhile is an answer like any other.
 */
#include "store/copy.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/fetch.h"
#include "store/folder.h"

#define SUM_STEP_BYTES (1u << 20)
/* Room for the copy and as much again, so that the state itself can go on growing. */
#define ROOM_FACTOR 2
#define ROOM_MIN    (1u << 20)

static struct metric made_total = { .name = "store_copies_made_total",
                                    .help = "copies of a group's state made for other members",
                                    .type = METRIC_COUNTER };
static struct metric read_bytes_total = { .name = "store_copies_read_bytes_total",
                                          .help = "bytes of copies read for other members",
                                          .type = METRIC_COUNTER };
static struct metric *const copy_metrics[] = { &made_total, &read_bytes_total, NULL };

struct copies {
    struct copies_config config;
    char folder[FOLDER_BYTES_MAX];
    bool have;
    struct copy_info info;
    char path[FOLDER_BYTES_MAX + 64];
    uint64_t used_ms;
    struct env_timer idle;

    bool making;
    struct env_work work; /* while making, the pool's, with what follows */
    struct copy_info made;
    char made_path[FOLDER_BYTES_MAX + 64];
    int made_status;
    struct err made_err;

    int failed; /* to be told to who asks next */
    struct err failed_err;
    unsigned reads;
    unsigned live; /* works and messages in flight */
    struct env_msg close_msg;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- summing ---- */

int copy_sum(struct env *env, const char *path, uint64_t *out_bytes,
             uint8_t out_sha256[DIGEST_SHA256_BYTES], struct err *e)
{
    struct env_file *f;
    int rc = env_file_open(env, path, ENV_FILE_READ, 0, &f, e);
    if (rc != 0)
        return rc;
    struct digest *d = digest_new();
    uint8_t *piece = mem_alloc(SUM_STEP_BYTES);
    uint64_t bytes = 0;
    size_t got = 0;
    do {
        rc = env_file_pread(f, bytes, piece, SUM_STEP_BYTES, &got, e);
        if (rc == 0)
            digest_add(d, str_of(piece, got));
        bytes += rc == 0 ? got : 0;
    } while (rc == 0 && got > 0);
    if (rc == 0) {
        digest_get(d, out_sha256);
        *out_bytes = bytes;
    }
    mem_free(piece);
    digest_free(d);
    env_file_close(f);
    return rc;
}

/* ---- making ---- */

static int check_room(struct copies *c, struct err *e)
{
    uint64_t used;
    uint64_t map;
    uint64_t total;
    uint64_t room;
    group_pages(c->config.group, &used, &map);
    int rc = env_disk_space(c->config.env, c->folder, &total, &room, e);
    if (rc == 0 && room / ROOM_FACTOR < used + ROOM_MIN)
        rc = err_set(e, ERR_NO_SPACE,
                     "a copy of %llu bytes needs twice its room in %s, where %llu are free",
                     (unsigned long long)used, c->folder, (unsigned long long)room);
    return rc;
}

static int make(struct copies *c, struct err *e)
{
    struct copy_info *made = &c->made;
    enum store_group_id id = group_id(c->config.group);
    char making[FOLDER_BYTES_MAX + 64];
    snprintf(making, sizeof making, "%s/%u-making", c->folder, (unsigned)id);
    int rc = check_room(c, e);
    if (rc != 0)
        return rc;
    rc = group_copy(c->config.group, making, e);
    if (rc == 0)
        rc = group_copy_point(group_engine(c->config.group), id, making, &made->point, e);
    if (rc == 0)
        rc = group_copy_keys(group_engine(c->config.group), making, &made->keys, e);
    if (rc == 0)
        rc = copy_sum(c->config.env, making, &made->bytes, made->sha256, e);
    if (rc == 0) {
        /* A name that says what it is; the id tells two of the same index apart. */
        snprintf(c->made_path, sizeof c->made_path, "%s/%u-%llu.mdb", c->folder, (unsigned)id,
                 (unsigned long long)made->point.index);
        rc = env_path_rename(c->config.env, making, c->made_path, e);
    }
    if (rc != 0)
        (void)env_path_remove(c->config.env, making, NULL); /* the reason is told already */
    return rc;
}

static void make_work(struct env_work *w)
{
    struct copies *c = container_of(w, struct copies, work);
    c->made_status = make(c, &c->made_err);
}

/* ---- removing ---- */

/* Letting go of a large file takes its time: on the pool. */
struct removal {
    struct env_work work;
    struct copies *copies;
    char path[FOLDER_BYTES_MAX + 64];
};

static void settle(struct copies *c);

static void remove_work(struct env_work *w)
{
    struct removal *r = container_of(w, struct removal, work);
    struct err e;
    if (env_path_remove(r->copies->config.env, r->path, &e) != 0)
        log_warn("a copy was not removed: the next start does", KV("error", e.msg));
}

static void on_removed(struct env_work *w)
{
    struct removal *r = container_of(w, struct removal, work);
    struct copies *c = r->copies;
    mem_free(r);
    settle(c);
}

static void drop(struct copies *c)
{
    if (!c->have)
        return;
    struct removal *r = mem_alloc(sizeof *r);
    r->copies = c;
    memcpy(r->path, c->path, sizeof r->path);
    c->have = false;
    c->live++;
    env_work(c->config.loop, &r->work, remove_work, on_removed);
}

/* ---- keeping ---- */

static void on_made(struct env_work *w)
{
    struct copies *c = container_of(w, struct copies, work);
    c->making = false;
    if (c->made_status == 0) {
        /* Of the same index it was renamed over the one before. */
        if (strcmp(c->path, c->made_path) != 0)
            drop(c);
        c->have = true; /* and closing drops it at once */
        c->info = c->made;
        env_random(c->config.env, &c->info.id, sizeof c->info.id);
        c->info.id |= 1; /* never 0 */
        memcpy(c->path, c->made_path, sizeof c->path);
        c->used_ms = env_loop_now_ms(c->config.loop);
        env_timer_start(&c->idle, c->config.keep_ms);
        metric_add(&made_total, 1);
        log_info("a copy is made", KVN("group", group_id(c->config.group)),
                 KVN("index", c->info.point.index), KVN("bytes", c->info.bytes));
    } else {
        c->failed = c->made_status;
        c->failed_err = c->made_err;
        log_warn("no copy is made", KVN("group", group_id(c->config.group)),
                 KV("reason", c->made_err.msg));
    }
    settle(c);
}

static void on_idle(struct env_timer *t)
{
    struct copies *c = container_of(t, struct copies, idle);
    uint64_t idle_ms = env_loop_now_ms(c->config.loop) - c->used_ms;
    if (idle_ms >= c->config.keep_ms && c->reads == 0)
        drop(c);
    else
        env_timer_start(&c->idle, idle_ms < c->config.keep_ms ? c->config.keep_ms - idle_ms
                                                              : c->config.keep_ms);
}

static int start_making(struct copies *c, uint64_t min_index, struct err *e)
{
    struct point now;
    group_point(c->config.group, &now);
    if (now.index < min_index)
        return err_set(e, ERR_UNAVAILABLE, "this member is at index %llu, not yet at %llu",
                       (unsigned long long)now.index, (unsigned long long)min_index);
    c->making = true;
    c->live++;
    group_pin(c->config.group, now.index);
    env_work(c->config.loop, &c->work, make_work, on_made);
    return -ERR_AGAIN;
}

int copies_ask(struct copies *c, uint64_t min_index, uint64_t want_id, struct copy_info *out,
               struct err *e)
{
    if (c->closed != NULL)
        return err_set(e, ERR_UNAVAILABLE, "this member is stopping");
    if (c->have && c->info.point.index >= min_index && (want_id == c->info.id || !c->making)) {
        c->used_ms = env_loop_now_ms(c->config.loop);
        group_pin(c->config.group, c->info.point.index);
        *out = c->info;
        return 0;
    }
    if (c->failed != 0) {
        int rc = c->failed;
        c->failed = 0;
        if (e != NULL)
            *e = c->failed_err;
        return rc;
    }
    return c->making ? -ERR_AGAIN : start_making(c, min_index, e);
}

bool copies_path(struct copies *c, uint64_t id, char *out, size_t len)
{
    if (!c->have || c->info.id != id)
        return false;
    c->used_ms = env_loop_now_ms(c->config.loop);
    int n = snprintf(out, len, "%s", c->path);
    return n >= 0 && (size_t)n < len;
}

void copies_lost(struct copies *c, uint64_t id)
{
    if (!c->have || c->info.id != id)
        return; /* another took its place */
    log_warn("a copy was taken away: another is made for who asks",
             KVN("group", group_id(c->config.group)), KV("path", c->path));
    drop(c);
}

/* ---- reading ---- */

static void read_work(struct env_work *w)
{
    struct copy_read *r = container_of(w, struct copy_read, work);
    struct env *env = r->copies->config.env;
    struct env_file *f;
    r->status = env_file_open(env, r->path, ENV_FILE_READ, 0, &f, &r->err);
    if (r->status != 0)
        return;
    buf_reserve(&r->bytes, r->bytes_max);
    while (r->status == 0 && r->bytes.len < r->bytes_max) {
        size_t got = 0;
        r->status = env_file_pread(f, r->offset + r->bytes.len, r->bytes.data + r->bytes.len,
                                   r->bytes_max - r->bytes.len, &got, &r->err);
        if (got == 0)
            break;
        r->bytes.len += got;
    }
    if (r->status == 0 && r->bytes.len < r->bytes_max)
        r->status = err_set(&r->err, ERR_CORRUPT, "%s is shorter than it was", r->path);
    env_file_close(f);
}

static void on_read(struct env_work *w)
{
    struct copy_read *r = container_of(w, struct copy_read, work);
    struct copies *c = r->copies;
    mem_free(r->path);
    c->reads--;
    c->used_ms = env_loop_now_ms(c->config.loop);
    group_pin(c->config.group, c->info.point.index);
    metric_add(&read_bytes_total, (int64_t)r->bytes.len);
    if (r->status != 0)
        copies_lost(c, r->id); /* else who asks again is given the same for ever */
    r->done(r);
    settle(c);
}

static void on_not_read(struct env_msg *m)
{
    struct copy_read *r = container_of(m, struct copy_read, msg);
    struct copies *c = r->copies;
    r->done(r);
    settle(c);
}

static int check_read(struct copies *c, struct copy_read *r)
{
    if (c->closed != NULL || !c->have || r->id != c->info.id)
        return err_set(&r->err, ERR_NOT_FOUND, "that copy is gone");
    if (c->reads >= COPY_READS_MAX)
        return err_set(&r->err, ERR_TOO_MANY_REQUESTS, "%d reads are in flight", COPY_READS_MAX);
    if (r->offset >= c->info.bytes || r->bytes_max == 0)
        return err_set(&r->err, ERR_INVALID_ARGUMENT, "the copy has %llu bytes",
                       (unsigned long long)c->info.bytes);
    return 0;
}

void copies_read(struct copies *c, struct copy_read *r)
{
    buf_init(&r->bytes);
    r->copies = c;
    r->status = check_read(c, r);
    c->live++;
    if (r->status != 0) {
        env_post(c->config.loop, &r->msg, on_not_read);
        return;
    }
    uint64_t left = c->info.bytes - r->offset;
    if (r->bytes_max > COPY_CHUNK_BYTES)
        r->bytes_max = COPY_CHUNK_BYTES;
    if (r->bytes_max > left)
        r->bytes_max = (uint32_t)left;
    c->reads++;
    r->path = mem_dup(c->path, strlen(c->path) + 1);
    env_work(c->config.loop, &r->work, read_work, on_read);
}

/* ---- life ---- */

/* Files of this group that an earlier process left. */
static int remove_leftovers(struct copies *c, struct err *e)
{
    struct arena a;
    struct str *names;
    size_t count = 0;
    char prefix[32];
    char path[FOLDER_BYTES_MAX + 300];
    arena_init(&a);
    snprintf(prefix, sizeof prefix, "%u-", (unsigned)group_id(c->config.group));
    int rc = env_dir_list(c->config.env, &a, c->folder, &names, &count, e);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (!str_starts(names[i], str_from(prefix)))
            continue;
        snprintf(path, sizeof path, "%s/%.*s", c->folder, STR_ARG(names[i]));
        rc = env_path_remove(c->config.env, path, e);
    }
    arena_deinit(&a);
    return rc;
}

int copies_open(const struct copies_config *config, struct copies **out, struct err *e)
{
    struct copies *c = mem_alloc(sizeof *c);
    int rc = 0;
    c->config = *config;
    if (c->config.keep_ms == 0)
        c->config.keep_ms = COPY_KEEP_MS;
    if (strlen(config->folder) >= sizeof c->folder)
        rc = err_set(e, ERR_INVALID_ARGUMENT, "%.64s...: the path is too long", config->folder);
    if (rc == 0) {
        memcpy(c->folder, config->folder, strlen(config->folder) + 1);
        rc = env_dir_make(config->env, c->folder, 0700, e);
    }
    if (rc == 0)
        rc = remove_leftovers(c, e);
    if (rc != 0) {
        mem_free(c);
        return rc;
    }
    c->config.folder = NULL; /* borrowed for the call */
    metrics_register(copy_metrics);
    metrics_register(fetch_metrics); /* a fetch starts when threads run already */
    env_timer_init(config->loop, &c->idle, on_idle);
    *out = c;
    return 0;
}

/* Something in flight ended: the last one ends a keeper that is closing. */
static void settle(struct copies *c)
{
    ASSERT(c->live > 0);
    c->live--;
    if (c->closed != NULL)
        drop(c);
    if (c->closed == NULL || c->live > 0)
        return;
    void (*closed)(void *) = c->closed;
    void *ctx = c->closed_ctx;
    env_timer_deinit(&c->idle);
    mem_free(c);
    closed(ctx);
}

static void on_close(struct env_msg *m)
{
    settle(container_of(m, struct copies, close_msg));
}

void copies_close(struct copies *c, void (*closed)(void *ctx), void *ctx)
{
    c->closed = closed;
    c->closed_ctx = ctx;
    c->live++;
    env_post(c->config.loop, &c->close_msg, on_close);
}
