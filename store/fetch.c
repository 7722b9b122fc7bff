/*
 * One function, advance, looks at what is so and starts what can be started; every completion
 * (a reply, a piece of work, the timer, a caller's wish) notes its facts and calls it. So nothing
 * depends on the order in which they come.
 *
 *   LOOK   staging is looked into: note, bytes there; a whole copy goes to CHECK      (pool)
 *   ASK    Open, until a copy is ready; the same one goes on, another begins anew
 *   BEGIN  room is looked at, note written, file opened and cut to what is kept       (pool)
 *   READ   chunks in flight -> arrived -> written in order                            (pool)
 *   CHECK  flush, digest; a wrong one goes back to ASK, anew                          (pool)
 *   END    what is in flight is cancelled and waited for; then done
 *
 * One piece of work at a time: it owns file, note and the chunk it writes. A failed call or ask
 * waits `failures` back-offs; the chunk keeps its place and is read again.
 */
#include "store/fetch.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/copy_service.h"
#include "store/fetch_state.h"
#include "store/kv.h"
#include "store/proto/peer.pb-c.h"

/* A copy larger than any map is nonsense. */
#define TOTAL_BYTES_MAX (1ull << 46)

static struct metric fetched_bytes_total = { .name = "store_fetched_bytes_total",
                                             .help = "bytes of copies fetched from other members",
                                             .type = METRIC_COUNTER };
struct metric *const fetch_metrics[] = { &fetched_bytes_total, NULL };

static void advance(struct fetch *f);

static uint64_t now_ms(struct fetch *f)
{
    return env_loop_now_ms(f->config.loop);
}

static void on_poke(struct env_msg *m)
{
    struct fetch *f = container_of(m, struct fetch, poke);
    f->poked = false;
    advance(f);
}

static void poke(struct fetch *f)
{
    if (f->poked)
        return;
    f->poked = true;
    env_post(f->config.loop, &f->poke, on_poke);
}

static void on_timer(struct env_timer *t)
{
    advance(container_of(t, struct fetch, timer));
}

static void wait_ms(struct fetch *f, uint64_t ms)
{
    f->wait_until_ms = now_ms(f) + ms;
    env_timer_start(&f->timer, ms);
}

static bool waiting(struct fetch *f)
{
    return now_ms(f) < f->wait_until_ms;
}

static void end(struct fetch *f, int status, const struct err *e)
{
    f->state = FETCH_END;
    f->status = status;
    if (e != NULL)
        f->err = *e;
}

/* The other side's doing: again, later. */
static void trouble(struct fetch *f, const struct err *e)
{
    uint64_t ms = FETCH_RETRY_MS_MIN;
    if (waiting(f))
        return; /* the others of a window */
    for (unsigned i = 0; i < f->failures && ms < FETCH_RETRY_MS_MAX; i++)
        ms *= 2;
    ms = ms < FETCH_RETRY_MS_MAX ? ms : FETCH_RETRY_MS_MAX;
    ms = ms / 2 + env_random_u64(f->config.env) % (ms / 2 + 1);
    f->failures++;
    if (f->config.trouble != NULL)
        f->config.trouble(f->config.ctx, f->config.member_id, e);
    wait_ms(f, ms);
}

/* ---- work on the pool ---- */

static void on_worked(struct env_work *w)
{
    struct fetch *f = container_of(w, struct fetch, work);
    f->working = false;
    f->ended = true;
    advance(f);
}

static void start_work(struct fetch *f, void (*work)(struct env_work *w))
{
    ASSERT(!f->working);
    f->working = true;
    f->work_status = 0;
    env_work(f->config.loop, &f->work, work, on_worked);
}

/* ---- asking ---- */

/* What a member's answer must be, whoever it is. */
static int read_answer(const CopyOpenResponse *m, uint64_t min_index, struct copy_info *out,
                       struct err *e)
{
    if (!m->has_copy_id || m->copy_id == 0 || !m->has_bytes || m->bytes == 0 ||
        m->bytes > TOTAL_BYTES_MAX || !m->has_sha256 || m->sha256.len != DIGEST_SHA256_BYTES ||
        m->index < min_index)
        return err_set(e, ERR_PROTOCOL, "its answer is no copy at or above index %llu",
                       (unsigned long long)min_index);
    *out = (struct copy_info){ .id = m->copy_id,
                               .bytes = m->bytes,
                               .point = { .index = m->index,
                                          .term = m->term,
                                          .revision = m->revision,
                                          .digest = m->digest,
                                          .compacted = m->compacted,
                                          .level = m->level } };
    memcpy(out->sha256, m->sha256.data, sizeof out->sha256);
    return 0;
}

static bool same_copy(const struct folder_note *note, const struct copy_info *info)
{
    return note->copy_id == info->id && note->bytes == info->bytes &&
           note->point.index == info->point.index &&
           memcmp(note->sha256, info->sha256, sizeof note->sha256) == 0;
}

static void forget_chunks(struct fetch *f)
{
    for (size_t i = 0; i < FETCH_WINDOW; i++) {
        ASSERT(!f->chunks[i].in_flight);
        f->chunks[i].taken = f->chunks[i].arrived = false;
        buf_clear(&f->chunks[i].bytes);
    }
    f->next = f->written;
}

static void take_answer(struct fetch *f, const CopyOpenResponse *m)
{
    struct err e = { 0 };
    struct copy_info info;
    if (!m->ready) {
        uint64_t ms = 20ull << (f->polls < 6 ? f->polls : 6);
        f->polls++;
        f->failures = 0;
        wait_ms(f, ms < FETCH_POLL_MS_MAX ? ms : FETCH_POLL_MS_MAX);
        return;
    }
    if (read_answer(m, f->config.min_index, &info, &e) != 0) {
        trouble(f, &e);
        return;
    }
    f->info = info;
    f->polls = 0;
    if (!f->noted || !same_copy(&f->note, &info)) {
        f->noted = false;
        f->written = 0;
    }
    forget_chunks(f);
    log_debug("fetching a copy", KVN("group", f->config.group), KVN("member", f->asked_member),
              KVN("index", info.point.index), KVN("bytes", info.bytes), KVN("from", f->written));
    f->synced = f->written;
    f->log_bytes = f->written;
    f->log_ms = now_ms(f);
    f->state = FETCH_BEGIN;
    start_work(f, fetch_begin_work);
}

static void on_asked(struct peer_call *c, int status, struct str reply)
{
    struct fetch *f = container_of(c, struct fetch, ask);
    CopyOpenResponse *m = NULL;
    f->asking = false;
    if (f->state == FETCH_ASK && f->asked_member == f->config.member_id) {
        if (status == 0)
            m = copy_open_response__unpack(NULL, reply.len, (const void *)reply.data);
        if (status == 0 && m == NULL)
            (void)err_set(&c->err, ERR_PROTOCOL, "its answer does not decode");
        if (m != NULL)
            take_answer(f, m);
        else
            trouble(f, &c->err);
        if (m != NULL)
            copy_open_response__free_unpacked(m, NULL);
    }
    advance(f);
}

static void send(struct fetch *f, struct peer_call *c, const char *path, const ProtobufCMessage *m,
                 void (*done)(struct peer_call *c, int status, struct str reply))
{
    uint8_t bytes[128];
    ASSERT(protobuf_c_message_get_packed_size(m) <= sizeof bytes);
    size_t len = protobuf_c_message_pack(m, bytes);
    c->done = done;
    c->err = (struct err){ 0 };
    f->config.calls->call(f->config.calls_ctx, f->asked_member, c, path, str_of(bytes, len),
                          FETCH_CALL_MS);
}

static void ask(struct fetch *f)
{
    CopyOpenRequest m = COPY_OPEN_REQUEST__INIT;
    if (f->asking || waiting(f))
        return;
    m.group = f->config.group;
    m.min_index = f->config.min_index;
    m.has_copy_id = f->noted;
    m.copy_id = f->noted ? f->note.copy_id : 0;
    f->asked_member = f->config.member_id;
    f->asking = true;
    send(f, &f->ask, COPY_OPEN_PATH, &m.base, on_asked);
}

/* ---- reading ---- */

static unsigned in_flight(const struct fetch *f)
{
    unsigned n = 0;
    for (size_t i = 0; i < FETCH_WINDOW; i++)
        n += f->chunks[i].in_flight;
    return n;
}

static void on_chunk(struct peer_call *call, int status, struct str reply)
{
    struct chunk *c = (struct chunk *)call;
    struct fetch *f = c->fetch;
    CopyReadResponse *m = NULL;
    c->in_flight = false;
    if (status == 0)
        m = copy_read_response__unpack(NULL, reply.len, (const void *)reply.data);
    if (m != NULL && m->data.len == c->len) {
        buf_clear(&c->bytes);
        buf_append(&c->bytes, m->data.data, m->data.len);
        c->arrived = true;
        f->failures = 0;
    } else if (f->state == FETCH_READ) {
        if (status == 0)
            (void)err_set(&call->err, ERR_PROTOCOL, "a chunk is not what was asked for");
        trouble(f, &call->err);
        if (status == -ERR_NOT_FOUND)
            f->state = FETCH_ASK; /* that copy is gone */
    }
    if (m != NULL)
        copy_read_response__free_unpacked(m, NULL);
    advance(f);
}

/* May len more bytes be asked for now? Else the timer is set for when. */
static bool rate_allows(struct fetch *f, uint32_t len)
{
    uint64_t per_s = f->config.bytes_per_s;
    uint64_t now = now_ms(f);
    uint64_t due_ms = f->rate_since_ms + f->rate_bytes * 1000 / per_s;
    /* What was not used in time is not made up for by a burst. */
    if (f->rate_since_ms == 0 || due_ms + 1000 < now) {
        f->rate_since_ms = due_ms = now;
        f->rate_bytes = 0;
    }
    if (due_ms > now) {
        env_timer_start(&f->timer, due_ms - now);
        return false;
    }
    f->rate_bytes += len;
    return true;
}

static void read_chunk(struct fetch *f, struct chunk *c)
{
    CopyReadRequest m = COPY_READ_REQUEST__INIT;
    if (!c->taken) {
        uint64_t left = f->info.bytes - f->next;
        c->offset = f->next;
        c->len = left < COPY_CHUNK_BYTES ? (uint32_t)left : COPY_CHUNK_BYTES;
    }
    if (!rate_allows(f, c->len))
        return;
    if (!c->taken)
        f->next += c->len;
    c->taken = true;
    c->in_flight = true;
    m.group = f->config.group;
    m.copy_id = f->info.id;
    m.offset = c->offset;
    m.bytes_max = c->len;
    send(f, &c->call, COPY_READ_PATH, &m.base, on_chunk);
}

static void log_progress(struct fetch *f)
{
    uint64_t ms = now_ms(f) - f->log_ms;
    if (ms < FETCH_LOG_MS)
        return;
    log_info("fetching a copy", KVN("group", f->config.group), KVN("member", f->asked_member),
             KVN("percent", f->written * 100 / f->info.bytes),
             KVN("mb_per_s", (f->written - f->log_bytes) / 1000 / ms));
    f->log_ms += ms;
    f->log_bytes = f->written;
}

/* The work that wrote a chunk is done. */
static void chunk_written(struct fetch *f)
{
    struct chunk *c = f->writing;
    f->writing = NULL;
    f->written += c->len;
    if (f->sync)
        f->synced = f->written;
    metric_add(&fetched_bytes_total, c->len);
    c->taken = c->arrived = false;
    buf_clear(&c->bytes);
    log_progress(f);
    if (f->config.progress != NULL)
        f->config.progress(f->config.ctx, f->written, f->info.bytes);
}

static void read_on(struct fetch *f)
{
    for (size_t i = 0; i < FETCH_WINDOW && f->writing == NULL; i++) {
        struct chunk *c = &f->chunks[i];
        if (!c->arrived || c->offset != f->written)
            continue;
        f->writing = c;
        f->sync = c->offset + c->len - f->synced >= FETCH_SYNC_BYTES;
        start_work(f, fetch_write_work);
    }
    if (f->written == f->info.bytes) {
        f->state = FETCH_CHECK;
        start_work(f, fetch_check_work);
        return;
    }
    for (size_t i = 0; i < FETCH_WINDOW && !waiting(f); i++) {
        struct chunk *c = &f->chunks[i];
        if (!c->in_flight && !c->arrived && (c->taken || f->next < f->info.bytes))
            read_chunk(f, c);
    }
}

/* ---- the whole ---- */

static void finish(struct fetch *f)
{
    struct fetch_config config = f->config;
    struct point point = f->info.point;
    struct err e = f->err;
    int status = f->status;
    env_file_close(f->file);
    for (size_t i = 0; i < FETCH_WINDOW; i++)
        buf_deinit(&f->chunks[i].bytes);
    env_timer_deinit(&f->timer);
    mem_free(f);
    config.done(config.ctx, status, status == 0 ? &point : NULL, &e);
}

static void cancel_calls(struct fetch *f)
{
    if (f->asking)
        f->config.calls->cancel(f->config.calls_ctx, &f->ask);
    for (size_t i = 0; i < FETCH_WINDOW; i++)
        if (f->chunks[i].in_flight)
            f->config.calls->cancel(f->config.calls_ctx, &f->chunks[i].call);
}

static void wrong_digest(struct fetch *f)
{
    env_file_close(f->file);
    f->file = NULL;
    log_error("a copy is damaged", KVN("group", f->config.group), KV("reason", f->work_err.msg));
    if (++f->wrong_digests >= FETCH_ANEW_MAX) {
        end(f, f->work_status, &f->work_err);
        return;
    }
    f->noted = false;
    f->written = 0;
    f->state = FETCH_ASK;
    trouble(f, &f->work_err);
}

/* All is there already, from before a restart. */
static void found_whole(struct fetch *f)
{
    f->info =
        (struct copy_info){ .id = f->note.copy_id, .point = f->note.point, .bytes = f->note.bytes };
    memcpy(f->info.sha256, f->note.sha256, sizeof f->info.sha256);
    f->state = FETCH_CHECK;
    start_work(f, fetch_check_work);
}

/* A piece of work has ended. */
static void worked(struct fetch *f)
{
    if (f->state == FETCH_CHECK && f->work_status == -ERR_CORRUPT)
        wrong_digest(f);
    else if (f->work_status != 0)
        end(f, f->work_status, &f->work_err);
    else if (f->writing != NULL)
        chunk_written(f);
    else if (f->state == FETCH_LOOK && f->file != NULL)
        found_whole(f);
    else if (f->state == FETCH_LOOK)
        f->state = FETCH_ASK;
    else if (f->state == FETCH_BEGIN) {
        f->noted = true;
        f->state = FETCH_READ;
    } else if (f->state == FETCH_CHECK)
        end(f, 0, NULL);
}

static void switch_member(struct fetch *f)
{
    f->switched = false;
    if (f->state != FETCH_READ && f->state != FETCH_ASK)
        return;
    f->state = FETCH_ASK;
    f->failures = 0;
    f->wait_until_ms = 0;
    cancel_calls(f);
}

static void advance(struct fetch *f)
{
    if (f->working || f->poked)
        return; /* whose end comes here again */
    if (f->ended) {
        f->ended = false;
        worked(f);
    }
    if (f->poked)
        return; /* the owner's wish came from within a callback */
    if (f->cancelled && f->state != FETCH_END) {
        (void)err_set(&f->err, ERR_CANCELED, "given up");
        end(f, -ERR_CANCELED, NULL);
    }
    if (f->switched)
        switch_member(f);
    if (f->state == FETCH_ASK && in_flight(f) == 0)
        ask(f);
    else if (f->state == FETCH_READ)
        read_on(f);
    else if (f->state == FETCH_END && !f->working && !f->asking && in_flight(f) == 0)
        finish(f);
    else if (f->state == FETCH_END)
        cancel_calls(f);
}

/* ---- the caller's side ---- */

static void call_peer(void *ctx, uint64_t member_id, struct peer_call *c, const char *path,
                      struct str request, uint64_t timeout_ms)
{
    peers_call(ctx, member_id, c, path, request, timeout_ms);
}

static void cancel_peer(void *ctx, struct peer_call *c)
{
    (void)ctx; /* the call knows */
    peers_cancel(c);
}

const struct fetch_calls fetch_peer_calls = { .call = call_peer, .cancel = cancel_peer };

struct fetch *fetch_start(const struct fetch_config *config)
{
    struct fetch *f = mem_alloc(sizeof *f);
    f->config = *config;
    f->config.folder = NULL; /* borrowed for the call */
    if (f->config.bytes_per_s == 0)
        f->config.bytes_per_s = COPY_BYTES_PER_S;
    ASSERT(strlen(config->folder) < sizeof f->folder);
    memcpy(f->folder, config->folder, strlen(config->folder) + 1);
    snprintf(f->path, sizeof f->path, "%s/" KV_FILE, f->folder);
    for (size_t i = 0; i < FETCH_WINDOW; i++) {
        f->chunks[i].fetch = f;
        buf_init(&f->chunks[i].bytes);
    }
    env_timer_init(config->loop, &f->timer, on_timer);
    start_work(f, fetch_look_work);
    return f;
}

void fetch_use(struct fetch *f, uint64_t member_id)
{
    if (f->config.member_id == member_id)
        return;
    f->config.member_id = member_id;
    f->switched = true;
    poke(f);
}

void fetch_cancel(struct fetch *f)
{
    f->cancelled = true;
    poke(f);
}
