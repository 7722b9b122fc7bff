/*
 * See the header. Copies (store_save) -> head -> piece by piece: read on the pool, written to the
 * exchange, and the next one read when the exchange has room. The struct lives until the exchange
 * is closed and nothing of its own is in flight.
 */
#include "controlplane/snapshot_api.h"

#include <string.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/log.h"
#include "net/http.h"
#include "net/tls.h"
#include "store/backup.h"
#include "store/save.h"

#define ADMINISTRATORS "system:masters"

struct sending {
    struct store *store;
    struct http_exchange *x; /* NULL: closed */
    struct env_loop *loop;
    struct store_save save;
    struct backup backup;
    struct backup_source *source;
    struct env_work work;
    struct env_timer stall;
    struct buf piece;
    struct err err;
    int status;
    bool busy; /* a save or a read is in flight */
    bool full; /* the exchange has enough: go on when drained */
};

static void settle(struct sending *s)
{
    if (s->busy || s->x != NULL)
        return;
    store_save_end(s->store, &s->save);
    backup_source_free(s->source);
    env_timer_deinit(&s->stall);
    buf_deinit(&s->piece);
    mem_free(s);
}

/* ---- pieces ---- */

static void read_next(struct sending *s);

static void read_work(struct env_work *w)
{
    struct sending *s = container_of(w, struct sending, work);
    s->status = backup_source_next(s->source, &s->piece, &s->err);
}

static void on_read(struct env_work *w)
{
    struct sending *s = container_of(w, struct sending, work);
    s->busy = false;
    if (s->x == NULL) {
        settle(s);
    } else if (s->status != 0) {
        log_error("a backup is broken off", KV("reason", s->err.msg));
        http_reset(s->x, s->status);
    } else if (s->piece.len == 0) {
        env_timer_stop(&s->stall);
        http_end(s->x);
    } else {
        http_write(s->x, buf_str(&s->piece));
        s->full = http_queued(s->x) > HTTP_QUEUE_HIGH_BYTES;
        env_timer_start(&s->stall, SNAPSHOT_STALL_MS);
        if (!s->full)
            read_next(s);
    }
}

static void read_next(struct sending *s)
{
    s->busy = true;
    env_work(s->loop, &s->work, read_work, on_read);
}

static void on_stall(struct env_timer *t)
{
    struct sending *s = container_of(t, struct sending, stall);
    log_warn("a client that takes a backup has stopped reading: it is given up");
    http_reset(s->x, ERR_TIMEOUT);
}

/* ---- the exchange ---- */

static void on_drained(struct http_exchange *x)
{
    struct sending *s = x->user;
    if (!s->full)
        return;
    s->full = false;
    if (!s->busy)
        read_next(s);
}

static void on_closed(struct http_exchange *x, int status)
{
    struct sending *s = x->user;
    if (status == 0)
        log_info("a backup is sent", KVN("bytes", backup_bytes(&s->backup)));
    env_timer_stop(&s->stall);
    s->x = NULL;
    settle(s);
}

static void refused_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
}

static const struct http_exchange_events sending_events = { .drained = on_drained,
                                                            .closed = on_closed };
static const struct http_exchange_events refused_events = { .closed = refused_closed };

static void send_head(struct sending *s)
{
    uint64_t bytes = backup_bytes(&s->backup);
    const struct http_header headers[] = {
        { str_lit("content-type"), str_lit("application/octet-stream") },
        { str_lit("content-length"), str_printf(&s->x->arena, "%llu", (unsigned long long)bytes) },
    };
    http_respond(s->x, 200, headers, sizeof headers / sizeof headers[0]);
    s->source = backup_source_new(&s->backup);
    read_next(s);
}

static void refuse(struct http_exchange *x, int status, const char *why)
{
    http_reply(x, status, "text/plain; charset=utf-8", str_printf(&x->arena, "%s\n", why));
}

static void on_saved(struct store_save *save)
{
    struct sending *s = container_of(save, struct sending, save);
    s->busy = false;
    if (s->x == NULL) {
        settle(s);
        return;
    }
    if (save->status != 0) {
        /* Said, and then closed like any other. */
        s->x->events = &refused_events;
        refuse(s->x, err_http_status(save->status), save->err.msg);
        s->x = NULL;
        settle(s);
        return;
    }
    memcpy(s->backup.groups, save->groups, sizeof save->groups);
    s->backup.groups_count = save->groups_count;
    send_head(s);
}

static bool is_administrator(const struct tls_identity *identity)
{
    bool found = false;
    for (size_t i = 0; identity->verified && i < identity->organization_count; i++)
        found = found || str_eq_c(identity->organizations[i], ADMINISTRATORS);
    return found;
}

/* Text of a header or a file, cut to what a backup's header holds. */
static void set_text(char out[BACKUP_TEXT_BYTES_MAX + 1], const char *text)
{
    size_t len = strlen(text);
    if (len > BACKUP_TEXT_BYTES_MAX)
        len = BACKUP_TEXT_BYTES_MAX;
    memcpy(out, text, len);
    out[len] = '\0';
}

void snapshot_serve(struct store *store, const char *cluster_id, const char *version,
                    struct http_exchange *x)
{
    x->events = &refused_events;
    if (!is_administrator(x->peer->identity)) {
        refuse(x, x->peer->identity->verified ? 403 : 401,
               "a backup holds every secret: a certificate of " ADMINISTRATORS " is needed");
        return;
    }
    if (!str_eq_c(x->method, "GET")) {
        refuse(x, 405, "only GET");
        return;
    }
    struct str local = http_query_get(&x->arena, x->query, "local");
    struct sending *s = mem_alloc(sizeof *s);
    s->store = store;
    s->x = x;
    s->loop = x->loop;
    s->backup.wall_ns = env_wall_ns(env_of(x->loop));
    set_text(s->backup.cluster_id, cluster_id);
    set_text(s->backup.version, version);
    buf_init(&s->piece);
    env_timer_init(x->loop, &s->stall, on_stall);
    x->events = &sending_events;
    x->user = s;
    s->busy = true;
    s->save =
        (struct store_save){ .loop = x->loop, .done = on_saved, .local = str_eq_c(local, "true") };
    store_save_begin(store, &s->save);
}
