/*
 * See raft_disk.h. One function per method of raft_io.
 *
 * Append: the library's entries are described, not copied, and handed to the log; its completion
 * runs libraft's. Send: handed to the links with a request of our own, so that a close can wait for
 * every one. Close: the links let go of the group, the log ends, what it had not finished is
 * canceled newest last (the guard turns the order), and libraft is told a turn later.
 */
#include "store/raft_disk.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/list.h"
#include "store/group_metrics.h"

struct loaded {
    struct raft_entry *entries;
    size_t count;
    size_t capacity;
};

struct raft_disk {
    struct raft_disk_config config;
    struct raft_io io;
    struct wal *wal;
    struct wal_state state;
    struct loaded loaded; /* until libraft takes it */
    struct wal_snapshot snapshot;
    struct links *links;
    struct env_timer ticker;
    unsigned tick_ms;
    raft_io_tick_cb tick;
    raft_io_recv_cb recv;
    raft_index next; /* index of the next entry appended */
    struct list appends;
    struct list puts;
    size_t sends;
    struct env_msg close_msg;
    raft_io_close_cb closed;
};

struct append {
    struct list node;
    struct wal_write write;
    struct raft_disk *disk;
    struct raft_io_append *req;
    raft_io_append_cb cb;
    struct wal_entry entries[];
};

struct put {
    struct list node;
    struct wal_write write;
    struct raft_disk *disk;
    struct raft_io_snapshot_put *req;
    raft_io_snapshot_put_cb cb;
    struct wal_snapshot snapshot;
};

struct get {
    struct env_msg msg;
    struct raft_disk *disk;
    struct raft_io_snapshot_get *req;
    raft_io_snapshot_get_cb cb;
};

struct send {
    struct raft_io_send req;
    struct raft_disk *disk;
    struct raft_io_send *original;
    raft_io_send_cb cb;
};

static struct raft_disk *disk_of(const struct raft_io *io)
{
    return io->impl;
}

static void *must(void *memory)
{
    ASSERT(memory != NULL);
    return memory;
}

static int io_error(struct raft_disk *d, int rc, const struct err *e)
{
    snprintf(d->io.errmsg, sizeof(d->io.errmsg), "%.*s", (int)sizeof(d->io.errmsg) - 1, e->msg);
    if (rc == -ERR_NO_SPACE)
        return RAFT_NOSPACE;
    return rc == -ERR_CORRUPT ? RAFT_CORRUPT : RAFT_IOERR;
}

/* ---- what was loaded ---- */

static void on_loaded(void *ctx, const struct wal_entry *from)
{
    struct loaded *l = ctx;
    struct raft_entry *to;

    if (l->count == l->capacity) {
        l->capacity = l->capacity == 0 ? 256 : l->capacity * 2;
        l->entries = must(raft_realloc(l->entries, l->capacity * sizeof(*l->entries)));
    }
    to = &l->entries[l->count++];
    /* Memory of its own: a long-lived entry must not keep others in memory. */
    *to = (struct raft_entry){ .term = from->term, .type = from->type };
    to->buf.len = from->bytes.len;
    to->buf.base = must(raft_malloc(from->bytes.len > 0 ? from->bytes.len : 1));
    memcpy(to->buf.base, from->bytes.data, from->bytes.len);
}

static void drop_loaded(struct loaded *l)
{
    for (size_t i = 0; i < l->count; i++)
        raft_free(l->entries[i].buf.base);
    raft_free(l->entries);
    *l = (struct loaded){ 0 };
}

/* A snapshot as libraft owns it, NULL: there is none. */
static struct raft_snapshot *snapshot_new(const struct wal_snapshot *from)
{
    struct raft_snapshot *s;

    if (from->index == 0)
        return NULL;
    s = must(raft_calloc(1, sizeof(*s)));
    s->index = from->index;
    s->term = from->term;
    s->configuration_index = from->configuration_index;
    raft_configuration_init(&s->configuration);
    for (size_t i = 0; i < from->servers_count; i++) {
        const struct wal_server *server = &from->servers[i];
        int rv =
            raft_configuration_add(&s->configuration, server->id, server->address, server->role);

        ASSERT(rv == 0);
    }
    s->bufs = must(raft_calloc(1, sizeof(*s->bufs)));
    s->n_bufs = 1;
    s->bufs[0].len = from->manifest_len;
    s->bufs[0].base = must(raft_malloc(from->manifest_len + 1));
    memcpy(s->bufs[0].base, from->manifest, from->manifest_len);
    return s;
}

static int io_load(struct raft_io *io, raft_term *term, raft_id *voted_for,
                   struct raft_snapshot **snapshot, raft_index *start_index,
                   struct raft_entry *entries[], size_t *n_entries)
{
    struct raft_disk *d = disk_of(io);

    *term = d->state.term;
    *voted_for = d->state.vote;
    *snapshot = snapshot_new(&d->snapshot);
    *start_index = d->state.first;
    *entries = d->loaded.entries;
    *n_entries = d->loaded.count;
    d->loaded = (struct loaded){ 0 };
    return 0;
}

/* ---- the log ---- */

static int io_set_term(struct raft_io *io, raft_term term)
{
    struct raft_disk *d = disk_of(io);
    struct err e;
    int rc = wal_set_term(d->wal, term, &e);

    return rc == 0 ? 0 : io_error(d, rc, &e);
}

static int io_set_vote(struct raft_io *io, raft_id id)
{
    struct raft_disk *d = disk_of(io);
    struct err e;
    int rc = wal_set_vote(d->wal, id, &e);

    return rc == 0 ? 0 : io_error(d, rc, &e);
}

static void append_end(struct append *a, int status)
{
    list_remove(&a->node);
    a->cb(a->req, status);
    mem_free(a);
}

static void on_appended(struct wal_write *w)
{
    append_end(container_of(w, struct append, write), 0);
}

static int io_append(struct raft_io *io, struct raft_io_append *req,
                     const struct raft_entry entries[], unsigned n, raft_io_append_cb cb)
{
    struct raft_disk *d = disk_of(io);
    struct append *a = mem_alloc(sizeof(*a) + n * sizeof(a->entries[0]));

    /* The library means the very indexes that the log will write (hole B3 shifted them). */
    ASSERT(raft_last_index(d->config.raft) == d->next + n - 1);
    a->disk = d;
    a->req = req;
    a->cb = cb;
    for (unsigned i = 0; i < n; i++)
        a->entries[i] = (struct wal_entry){ .index = d->next + i,
                                            .term = entries[i].term,
                                            .type = (uint8_t)entries[i].type,
                                            .bytes = { entries[i].buf.base, entries[i].buf.len } };
    d->next += n;
    a->write.done = on_appended;
    list_append(&d->appends, &a->node);
    wal_append(d->wal, &a->write, a->entries, n);
    return 0;
}

static void on_truncated(struct wal_write *w)
{
    mem_free(w);
}

static int io_truncate(struct raft_io *io, raft_index index)
{
    struct raft_disk *d = disk_of(io);
    struct wal_write *w = mem_alloc(sizeof(*w));

    ASSERT(index <= d->next);
    w->done = on_truncated;
    d->next = index;
    wal_truncate(d->wal, w, index);
    return 0;
}

/* ---- snapshots ---- */

static void put_end(struct put *p, int status)
{
    list_remove(&p->node);
    if (status == 0)
        p->disk->snapshot = p->snapshot;
    p->cb(p->req, status);
    mem_free(p);
}

static void on_put(struct wal_write *w)
{
    put_end(container_of(w, struct put, write), 0);
}

static int snapshot_describe(const struct raft_snapshot *from, struct wal_snapshot *to)
{
    *to = (struct wal_snapshot){ .index = from->index,
                                 .term = from->term,
                                 .configuration_index = from->configuration_index };
    if (from->configuration.n > WAL_SERVERS_MAX || from->n_bufs != 1 ||
        from->bufs[0].len > WAL_MANIFEST_BYTES)
        return RAFT_TOOBIG;
    for (unsigned i = 0; i < from->configuration.n; i++) {
        const struct raft_server *server = &from->configuration.servers[i];
        struct wal_server *out = &to->servers[to->servers_count++];

        if (strlen(server->address) >= sizeof(out->address))
            return RAFT_NAMETOOLONG;
        out->id = server->id;
        out->role = server->role;
        memcpy(out->address, server->address, strlen(server->address) + 1);
    }
    to->manifest_len = from->bufs[0].len;
    memcpy(to->manifest, from->bufs[0].base, from->bufs[0].len);
    return 0;
}

/* trailing 0: the snapshot was installed, and the library has emptied its log. */
static int io_snapshot_put(struct raft_io *io, unsigned trailing, struct raft_io_snapshot_put *req,
                           const struct raft_snapshot *snapshot, raft_io_snapshot_put_cb cb)
{
    struct raft_disk *d = disk_of(io);
    struct put *p = mem_alloc(sizeof(*p));
    uint64_t keep = snapshot->index > trailing ? snapshot->index - trailing + 1 : 1;
    int rv = snapshot_describe(snapshot, &p->snapshot);

    if (rv != 0) {
        mem_free(p);
        return rv;
    }
    p->disk = d;
    p->req = req;
    p->cb = cb;
    p->write.done = on_put;
    if (trailing == 0)
        d->next = snapshot->index + 1;
    list_append(&d->puts, &p->node);
    wal_snapshot(d->wal, &p->write, &p->snapshot, keep);
    return 0;
}

static void on_get(struct env_msg *m)
{
    struct get *g = container_of(m, struct get, msg);
    struct raft_snapshot *s = snapshot_new(&g->disk->snapshot);

    g->cb(g->req, s, s != NULL ? 0 : RAFT_NOTFOUND);
    mem_free(g);
}

static int io_snapshot_get(struct raft_io *io, struct raft_io_snapshot_get *req,
                           raft_io_snapshot_get_cb cb)
{
    struct raft_disk *d = disk_of(io);
    struct get *g = mem_alloc(sizeof(*g));

    g->disk = d;
    g->req = req;
    g->cb = cb;
    env_post(d->config.loop, &g->msg, on_get);
    return 0;
}

const struct wal_snapshot *raft_disk_snapshot(const struct raft_disk *d)
{
    return &d->snapshot;
}

/* ---- messages ---- */

static void maybe_closed(struct raft_disk *d);

static void on_sent(struct raft_io_send *req, int status)
{
    struct send *s = container_of(req, struct send, req);
    struct raft_disk *d = s->disk;

    d->sends--;
    if (s->cb != NULL)
        s->cb(s->original, status);
    mem_free(s);
    maybe_closed(d);
}

static int io_send(struct raft_io *io, struct raft_io_send *req, const struct raft_message *m,
                   raft_io_send_cb cb)
{
    struct raft_disk *d = disk_of(io);
    struct send *s;
    int rv;

    if (d->links == NULL)
        return RAFT_NOCONNECTION;
    s = mem_alloc(sizeof(*s));
    s->disk = d;
    s->original = req;
    s->cb = cb;
    req->cb = cb;
    rv = links_send(d->links, d->config.group, &s->req, m, on_sent);
    if (rv != 0)
        mem_free(s);
    else
        d->sends++;
    return rv;
}

void raft_disk_set_links(struct raft_disk *d, struct links *links)
{
    d->links = links;
}

void raft_disk_receive(struct raft_disk *d, struct raft_message *m)
{
    d->recv(&d->io, m);
}

/* ---- the clock ---- */

static void on_tick(struct env_timer *t)
{
    struct raft_disk *d = container_of(t, struct raft_disk, ticker);

    env_timer_start(t, d->tick_ms);
    d->tick(&d->io);
}

static int io_start(struct raft_io *io, unsigned msecs, raft_io_tick_cb tick, raft_io_recv_cb recv)
{
    struct raft_disk *d = disk_of(io);

    d->tick_ms = msecs;
    d->tick = tick;
    d->recv = recv;
    env_timer_start(&d->ticker, msecs);
    return 0;
}

static raft_time io_time(struct raft_io *io)
{
    return env_loop_now_ms(disk_of(io)->config.loop);
}

static int io_random(struct raft_io *io, int min, int max)
{
    uint64_t drawn = env_random_u64(disk_of(io)->config.env);

    return max <= min ? min : min + (int)(drawn % (uint64_t)(max - min));
}

/* ---- the rest of the table ---- */

static int io_init(struct raft_io *io, raft_id id, const char *address)
{
    (void)io;
    (void)id;
    (void)address;
    return 0;
}

/* A new log is made by raft_disk_bootstrap, before it is opened. */
static int io_bootstrap(struct raft_io *io, const struct raft_configuration *conf)
{
    (void)io;
    (void)conf;
    return RAFT_CANTBOOTSTRAP;
}

static int io_recover(struct raft_io *io, const struct raft_configuration *conf)
{
    (void)io;
    (void)conf;
    return RAFT_INVALID;
}

/* ---- closing ---- */

static void on_close(struct env_msg *m)
{
    struct raft_disk *d = container_of(m, struct raft_disk, close_msg);
    raft_io_close_cb closed = d->closed;

    d->closed = NULL;
    closed(&d->io);
}

static void maybe_closed(struct raft_disk *d)
{
    if (d->closed == NULL || d->sends > 0)
        return;
    list_foreach_safe (node, &d->appends)
        append_end(container_of(node, struct append, node), RAFT_CANCELED);
    list_foreach_safe (node, &d->puts)
        put_end(container_of(node, struct put, node), RAFT_CANCELED);
    env_post(d->config.loop, &d->close_msg, on_close);
}

static void io_close(struct raft_io *io, raft_io_close_cb cb)
{
    struct raft_disk *d = disk_of(io);

    env_timer_stop(&d->ticker);
    wal_close(d->wal);
    d->wal = NULL;
    d->closed = cb;
    if (d->links != NULL)
        links_cancel(d->links, d->config.group);
    d->links = NULL;
    maybe_closed(d);
}

void raft_disk_free(struct raft_disk *d)
{
    if (d == NULL)
        return;
    ASSERT(d->sends == 0);
    wal_close(d->wal);
    drop_loaded(&d->loaded);
    env_timer_deinit(&d->ticker);
    mem_free(d);
}

/* ---- opening ---- */

static const struct raft_io methods = {
    .version = 2, /* the guard has async_work */
    .init = io_init,
    .close = io_close,
    .load = io_load,
    .start = io_start,
    .bootstrap = io_bootstrap,
    .recover = io_recover,
    .set_term = io_set_term,
    .set_vote = io_set_vote,
    .send = io_send,
    .append = io_append,
    .truncate = io_truncate,
    .snapshot_put = io_snapshot_put,
    .snapshot_get = io_snapshot_get,
    .time = io_time,
    .random = io_random,
};

/*
 * An entry is applied here only after it was stored here, so a log that ends before what the state
 * holds has lost entries that this member may have acknowledged: rot in its last write looks like a
 * torn tail otherwise. Only a state that came as a copy may be ahead of the log, up to the point
 * that the snapshot's manifest names; the caller knows.
 */
static int check_loss(const struct raft_disk_config *c, const struct wal_state *s, struct err *e)
{
    if (s->last >= c->applied_index)
        return 0;
    return err_set(e, ERR_CORRUPT,
                   "%s ends at entry %llu but this member has applied %llu: entries were lost; "
                   "remove this member and join it again (docs/operating.md)",
                   c->folder, (unsigned long long)s->last, (unsigned long long)c->applied_index);
}

int raft_disk_open(const struct raft_disk_config *config, struct raft_disk **out, struct err *e)
{
    struct raft_disk *d = mem_alloc(sizeof(*d));
    struct wal_config wal = { .env = config->env,
                              .loop = config->loop,
                              .name = config->name,
                              .folder = config->folder,
                              .file_bytes = config->file_bytes,
                              .held = config->held,
                              .failed = config->failed,
                              .reserve_bytes = RAFT_DISK_RESERVE_BYTES,
                              .flush_seconds = group_metric(config->group, GROUP_LOG_FLUSH_SECONDS),
                              .ctx = config->ctx };
    int rc;

    d->config = *config;
    d->io = methods;
    d->io.impl = d;
    list_init(&d->appends);
    list_init(&d->puts);
    rc = wal_open(&wal, &d->wal, &d->state, on_loaded, &d->loaded, e);
    if (rc == 0)
        rc = check_loss(config, &d->state, e);
    if (rc != 0) {
        wal_close(d->wal);
        drop_loaded(&d->loaded);
        mem_free(d);
        return rc;
    }
    env_timer_init(config->loop, &d->ticker, on_tick);
    d->snapshot = d->state.snapshot;
    d->next = d->state.last + 1;
    *out = d;
    return 0;
}

int raft_disk_bootstrap(struct env *env, const char *folder, const struct store_member *members,
                        size_t count, struct err *e)
{
    struct raft_configuration c;
    struct raft_buffer bytes = { NULL, 0 };
    struct wal_entry first = { .index = 1, .term = 1, .type = RAFT_CHANGE };
    int rv = 0;

    raft_configuration_init(&c);
    for (size_t i = 0; rv == 0 && i < count; i++)
        rv = raft_configuration_add(&c, members[i].id, members[i].name, RAFT_VOTER);
    if (rv == 0)
        rv = raft_configuration_encode(&c, &bytes);
    raft_configuration_close(&c);
    if (rv != 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "the first configuration: %s", raft_strerror(rv));
    first.bytes = str_of(bytes.base, bytes.len);
    rv = wal_create(env, folder, 1, NULL, &first, 1, e);
    raft_free(bytes.base);
    return rv;
}

bool raft_disk_is_fresh(struct env *env, const char *folder)
{
    struct arena a;
    struct str *names;
    size_t count = 0;
    int rc;

    arena_init(&a);
    rc = env_dir_list(env, &a, folder, &names, &count, NULL);
    arena_deinit(&a);
    return rc == -ERR_NOT_FOUND || (rc == 0 && count == 0);
}

struct raft_io *raft_disk_io(struct raft_disk *d)
{
    return &d->io;
}

void raft_disk_stats(struct raft_disk *d, struct wal_stats *out)
{
    wal_stats(d->wal, out);
}
