/*
 * See raft_node.h. From the library's side: the FSM's functions and the guard's events, which only
 * note and post. From the loop's side: on_turn, where a waiting snapshot goes on and the owner is
 * told that something moved.
 */
#include "store/raft_node.h"

#include <raft.h>
#include <raft/uv.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_uv.h"
#include "base/list.h"
#include "base/log.h"
#include "store/guard.h"
#include "store/raft_segment.h"
#include "store/raft_transport.h"

#define SNAPSHOT_NEVER        (1u << 31)
#define SNAPSHOT_ENTRIES      (RAFT_RETAIN_ENTRIES / 4)
#define TRAILING_MIN          64u
#define INSTALL_RETRY_MS      2000 /* a manifest was offered: then probe again */
#define CONNECT_RETRY_MS      100
#define METADATA_BYTES        32 /* raft_uv: le64 format, version, term, vote */
#define RAFT_FOLDER_BYTES_MAX 800

/* One proposed entry until the library is done with its request. */
struct flight {
    struct list node;
    struct raft_apply req;
    struct raft_node *owner;
    struct proposal *proposal; /* NULL once handed over or lost */
    void (*lost)(struct proposal *p);
};

struct raft_node {
    struct raft_node_config config;
    struct raft raft;
    struct raft_io uv;
    struct raft_fsm fsm;
    struct guard guard;
    struct raft_transport *transport;
    struct raft_transfer transfer; /* the library may touch it late: lives as long as the node */
    struct list flights;
    unsigned flights_count;
    struct env_msg turn;
    bool turn_posted;
    bool behind;
    bool opened;              /* raft_init has run */
    raft_index handed;        /* newest command handed over */
    raft_index barrier_index; /* of the own-term barrier, once ready */
    /* A snapshot waits for the applier (see on_snapshot_work). */
    struct raft_io_async_work *snapshot_work;
    raft_io_async_work_cb snapshot_done;
    raft_index snapshot_index;
    bool snapshot_covered;
    struct point snapshot_point;
    struct raft_buffer snapshot_buf;
    uint8_t manifest[MANIFEST_BYTES];
    size_t bytes_since_snapshot;
    unsigned entries_since_snapshot;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- turns ---- */

static void advance_snapshot(struct raft_node *n)
{
    struct raft_io_async_work *work = n->snapshot_work;
    struct point now;

    if (work == NULL || !group_covers(n->config.group, n->snapshot_index))
        return;
    group_point(n->config.group, &now);
    if (!n->snapshot_covered) {
        n->snapshot_covered = true;
        n->snapshot_point = now;
    }
    /* The last commit may be lost in a power cut: only one that another followed counts. */
    if (now.index <= n->snapshot_point.index)
        return;
    n->snapshot_work = NULL;
    n->snapshot_done(work, work->work(work));
}

static void on_turn(struct env_msg *m)
{
    struct raft_node *n = container_of(m, struct raft_node, turn);

    n->turn_posted = false;
    if (n->guard.dead || n->guard.closing)
        return;
    advance_snapshot(n);
    n->config.on_turn(n->config.ctx);
    guard_tell_commit(&n->guard);
}

static void post_turn(struct raft_node *n)
{
    if (n->turn_posted)
        return;
    n->turn_posted = true;
    env_post(n->config.loop, &n->turn, on_turn);
}

void raft_node_durable(struct raft_node *n)
{
    post_turn(n);
}

/* ---- the FSM ---- */

static struct flight *flight_at(struct raft_node *n, raft_index index)
{
    list_foreach (node, &n->flights) {
        struct flight *f = container_of(node, struct flight, node);

        if (f->req.index == index)
            return f;
    }
    return NULL;
}

static int on_apply(struct raft_fsm *fsm, const struct raft_buffer *buf, void **result)
{
    struct raft_node *n = fsm->data;
    raft_index index = raft_last_applied(&n->raft) + 1;
    struct flight *f = n->raft.state == RAFT_LEADER ? flight_at(n, index) : NULL;
    struct proposal *p = f != NULL ? f->proposal : NULL;

    *result = NULL;
    if (f != NULL)
        f->proposal = NULL;
    group_apply(n->config.group, index, guard_term_of(&n->raft, index), str_of(buf->base, buf->len),
                p);
    n->handed = index;
    n->bytes_since_snapshot += buf->len;
    n->entries_since_snapshot++;
    if (n->bytes_since_snapshot >= RAFT_SNAPSHOT_BYTES ||
        n->entries_since_snapshot >= SNAPSHOT_ENTRIES)
        raft_set_snapshot_threshold(&n->raft, 1);
    return 0;
}

static int on_snapshot(struct raft_fsm *fsm, struct raft_buffer *bufs[], unsigned *n_bufs)
{
    struct raft_node *n = fsm->data;
    unsigned trailing = guard_log_tail(&n->raft, RAFT_RETAIN_BYTES, RAFT_RETAIN_ENTRIES);

    *bufs = NULL;
    *n_bufs = 0;
    n->bytes_since_snapshot = 0;
    n->entries_since_snapshot = 0;
    raft_set_snapshot_threshold(&n->raft, SNAPSHOT_NEVER);
    raft_set_snapshot_trailing(&n->raft, trailing < TRAILING_MIN ? TRAILING_MIN : trailing);
    return 0;
}

static int on_snapshot_bytes(struct raft_fsm *fsm, struct raft_buffer *bufs[], unsigned *n_bufs)
{
    struct raft_node *n = fsm->data;

    manifest_encode(&n->snapshot_point, group_id(n->config.group), n->manifest);
    n->snapshot_buf.base = n->manifest;
    n->snapshot_buf.len = MANIFEST_BYTES;
    *bufs = &n->snapshot_buf;
    *n_bufs = 1;
    return 0;
}

static int on_snapshot_finalize(struct raft_fsm *fsm, struct raft_buffer *bufs[], unsigned *n_bufs)
{
    (void)fsm;
    *bufs = NULL;
    *n_bufs = 0;
    return 0;
}

/* At start: everything up to the manifest must be in the state already; the log behind it need not
 * reach back that far. */
static int on_restore(struct raft_fsm *fsm, struct raft_buffer *buf)
{
    struct raft_node *n = fsm->data;
    struct point saved;
    struct point have;
    struct err e;

    if (manifest_decode(str_of(buf->base, buf->len), group_id(n->config.group), &saved, &e) != 0)
        return RAFT_MALFORMED;
    group_point(n->config.group, &have);
    if (have.index < saved.index)
        return RAFT_CORRUPT;
    raft_free(buf->base);
    return 0;
}

/* ---- the guard's events ---- */

static void on_edge(void *ctx, int state, uint64_t term, uint64_t leader_id)
{
    (void)state;
    (void)term;
    (void)leader_id;
    post_turn(ctx);
}

static void on_ready(void *ctx, uint64_t term)
{
    struct raft_node *n = ctx;

    (void)term;
    n->barrier_index = raft_last_applied(&n->raft) + 1;
    post_turn(n);
}

/* raft_strerror does not know the one code that an operator can do something about. */
static const char *fatal_text(int raft_code)
{
    return raft_code == RAFT_NOSPACE ? "no space left where the data folder is"
                                     : raft_strerror(raft_code);
}

static void on_fatal(void *ctx, const char *what, int raft_code)
{
    struct raft_node *n = ctx;

    log_error("raft member cannot go on", KV("reason", what),
              KVN("group", group_id(n->config.group)), KV("code", fatal_text(raft_code)),
              KV("backend", n->guard.io.errmsg), KV("raft", raft_errmsg(&n->raft)));
    assert_fail(what, __FILE__, __LINE__, __func__);
}

static void on_behind(void *ctx, uint64_t snapshot_index)
{
    struct raft_node *n = ctx;

    if (!n->behind)
        log_error("this member is too far behind to catch up: copy another member's data folder",
                  KVN("group", group_id(n->config.group)),
                  KVN("last_index", raft_last_index(&n->raft)),
                  KVN("leader_log_starts_after", snapshot_index));
    n->behind = true;
    post_turn(n);
}

static int on_snapshot_work(void *ctx, struct raft_io_async_work *req, raft_io_async_work_cb cb)
{
    struct raft_node *n = ctx;

    ASSERT(n->snapshot_work == NULL);
    n->snapshot_work = req;
    n->snapshot_done = cb;
    n->snapshot_index = n->raft.snapshot.pending.index;
    n->snapshot_covered = false;
    post_turn(n);
    return 0;
}

static void on_guard_turn(void *ctx)
{
    post_turn(ctx);
}

static const struct guard_events node_events = { .edge = on_edge,
                                                 .ready = on_ready,
                                                 .fatal = on_fatal,
                                                 .behind = on_behind,
                                                 .async_work = on_snapshot_work,
                                                 .turn = on_guard_turn };

/* ---- proposing ---- */

static void on_proposed(struct raft_apply *req, int status, void *result)
{
    struct flight *f = container_of(req, struct flight, req);
    struct raft_node *n = f->owner;

    (void)result;
    list_remove(&f->node);
    n->flights_count--;
    if (f->proposal != NULL) {
        ASSERT(status != 0);
        f->lost(f->proposal);
    }
    mem_free(f);
    post_turn(n);
}

int raft_node_propose(struct raft_node *n, struct buf *entry, struct proposal *p,
                      void (*lost)(struct proposal *p))
{
    struct flight *f;
    struct raft_buffer buf;
    int rv;

    ASSERT(entry->len % 8 == 0);
    if (!guard_ready(&n->guard)) {
        buf_deinit(entry);
        return -ERR_NOT_LEADER;
    }
    buf.base = raft_malloc(entry->len);
    buf.len = entry->len;
    ASSERT(buf.base != NULL);
    memcpy(buf.base, entry->data, entry->len);
    buf_deinit(entry);
    f = mem_alloc(sizeof(*f));
    f->owner = n;
    f->proposal = p;
    f->lost = lost;
    list_append(&n->flights, &f->node);
    n->flights_count++;
    rv = raft_apply(&n->raft, &f->req, &buf, 1, on_proposed);
    if (rv != 0) {
        list_remove(&f->node);
        n->flights_count--;
        mem_free(f);
        raft_free(buf.base);
        return -ERR_NOT_LEADER;
    }
    guard_check(&n->guard);
    return 0;
}

unsigned raft_node_inflight(const struct raft_node *n)
{
    return n->flights_count;
}

static void on_transferred(struct raft_transfer *req)
{
    (void)req; /* the edge tells */
}

void raft_node_transfer(struct raft_node *n)
{
    if (!guard_ready(&n->guard))
        return;
    (void)raft_transfer(&n->raft, &n->transfer, 0, on_transferred); /* best effort */
    guard_check(&n->guard);
}

void raft_node_view(const struct raft_node *n, struct raft_view *out)
{
    const struct raft *r = &n->raft;

    out->term = r->current_term;
    out->leader_id = guard_leader(&n->guard);
    out->commit_index = r->commit_index;
    out->applied_index = r->last_applied;
    out->following = r->state == RAFT_FOLLOWER;
    out->leading = r->state == RAFT_LEADER;
    out->ready = guard_ready(&n->guard);
    out->behind = n->behind;
    out->barrier_index = n->barrier_index;
}

/* ---- opening ---- */

static bool name_is_log(struct str name)
{
    return str_starts(name, str_lit("open-")) || str_starts(name, str_lit("snapshot-")) ||
           (name.len > 0 && name.data[0] >= '0' && name.data[0] <= '9');
}

/* A crash between bootstrap's two writes leaves term 1, no vote and no log: begin again. Anything
 * else that lost its log must not vote as if it had never promised anything. */
static int check_folder(const struct raft_node_config *c, bool *out_fresh, struct err *e)
{
    struct arena a;
    struct str *names;
    struct point have;
    size_t count;
    bool log = false;
    bool promised = false;
    char path[RAFT_FOLDER_BYTES_MAX + 16];
    int rv;

    arena_init(&a);
    group_point(c->group, &have);
    rv = env_dir_list(c->env, &a, c->folder, &names, &count, e);
    for (size_t i = 0; rv == 0 && i < count; i++) {
        struct str bytes;

        log = log || name_is_log(names[i]);
        if (!str_starts(names[i], str_lit("metadata")))
            continue;
        snprintf(path, sizeof(path), "%s/%.*s", c->folder, STR_ARG(names[i]));
        if (env_file_read(c->env, &a, path, METADATA_BYTES, &bytes, NULL) != 0 ||
            bytes.len != METADATA_BYTES)
            continue;
        promised = promised || load_le64(bytes.data + 16) > 1 || load_le64(bytes.data + 24) != 0;
    }
    arena_deinit(&a);
    if (rv != 0)
        return rv;
    if (!log && (promised || have.index > 0))
        return err_set(e, ERR_CORRUPT, "%s has no log but this member has voted or applied entries",
                       c->folder);
    *out_fresh = !log;
    return 0;
}

static int bootstrap(struct raft_node *n, struct err *e)
{
    struct raft_configuration c;
    int rv = 0;

    raft_configuration_init(&c);
    for (size_t i = 0; rv == 0 && i < n->config.members_count; i++)
        rv = raft_configuration_add(&c, n->config.members[i].id, n->config.members[i].name,
                                    RAFT_VOTER);
    if (rv == 0)
        rv = raft_bootstrap(&n->raft, &c);
    raft_configuration_close(&c);
    return rv == 0 ? 0
                   : err_set(e, ERR_IO, "bootstrap %s: %s", n->config.folder, raft_strerror(rv));
}

static int raft_error(struct raft_node *n, const char *what, int rv, struct err *e)
{
    return err_set(e, rv == RAFT_CORRUPT || rv == RAFT_MALFORMED ? ERR_CORRUPT : ERR_IO,
                   "%s %s: %s (%s)", what, n->config.folder, raft_strerror(rv),
                   n->raft.errmsg[0] != '\0' ? n->raft.errmsg : n->uv.errmsg);
}

static const struct store_member *self(const struct raft_node_config *c)
{
    for (size_t i = 0; i < c->members_count; i++)
        if (c->members[i].id == c->member_id)
            return &c->members[i];
    return NULL;
}

static void set_parameters(struct raft_node *n)
{
    const struct raft_node_config *c = &n->config;

    raft_set_heartbeat_timeout(&n->raft,
                               c->heartbeat_ms != 0 ? c->heartbeat_ms : RAFT_HEARTBEAT_MS);
    raft_set_election_timeout(&n->raft, c->election_ms != 0 ? c->election_ms : RAFT_ELECTION_MS);
    raft_set_pre_vote(&n->raft, true);
    raft_set_install_snapshot_timeout(&n->raft, INSTALL_RETRY_MS);
    raft_set_snapshot_threshold(&n->raft, SNAPSHOT_NEVER);
    raft_uv_set_auto_recovery(&n->uv, false);
    (void)raft_uv_set_snapshot_compression(&n->uv, false); /* a manifest: nothing to compress */
    raft_uv_set_connect_retry_delay(&n->uv, CONNECT_RETRY_MS);
}

static int start(struct raft_node *n, bool fresh, struct err *e)
{
    const char *name = self(&n->config)->name;
    int rv;

    raft_segment_prepare();
    rv = raft_uv_init(&n->uv, env_uv_loop(n->config.loop), n->config.folder,
                      raft_transport_uv(n->transport));

    if (rv != 0)
        return raft_error(n, "open", rv, e);
    guard_init(&n->guard, &n->raft, &n->uv, GUARD_ALL_RULES, &node_events, n);
    rv = raft_init(&n->raft, &n->guard.io, &n->fsm, n->config.member_id, name);
    if (rv != 0)
        return raft_error(n, "init", rv, e);
    n->opened = true;
    set_parameters(n);
    rv = fresh ? bootstrap(n, e) : 0;
    if (rv != 0)
        return rv;
    rv = raft_start(&n->raft);
    if (rv != 0)
        return raft_error(n, "load", rv, e);
    guard_check(&n->guard);
    return 0;
}

static int remove_metadata(const struct raft_node_config *c, struct err *e)
{
    struct err ignored;

    for (int i = 1; i <= 2; i++) {
        char path[RAFT_FOLDER_BYTES_MAX + 16];

        snprintf(path, sizeof(path), "%s/metadata%d", c->folder, i);
        if (env_path_exists(c->env, path) && env_path_remove(c->env, path, &ignored) != 0)
            return err_set(e, ERR_IO, "remove %s: %s", path, ignored.msg);
    }
    return 0;
}

int raft_node_open(const struct raft_node_config *config, struct raft_node **out, struct err *e)
{
    struct raft_transport_config transport = { .loop = env_uv_loop(config->loop),
                                               .folder = config->socket_folder,
                                               .group = group_id(config->group),
                                               .members = config->members,
                                               .members_count = config->members_count };
    struct raft_node *n;
    bool fresh = false;
    int rv;

    if (self(config) == NULL || strlen(config->folder) >= RAFT_FOLDER_BYTES_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "member %llu or folder %s",
                       (unsigned long long)config->member_id, config->folder);
    rv = env_dir_make(config->env, config->folder, 0700, e);
    if (rv == 0)
        rv = env_dir_make(config->env, config->socket_folder, 0700, e);
    if (rv == 0)
        rv = env_path_chmod(config->env, config->socket_folder, 0700, e);
    if (rv == 0)
        rv = check_folder(config, &fresh, e);
    if (rv == 0 && fresh)
        rv = remove_metadata(config, e);
    if (rv != 0)
        return rv;
    n = mem_alloc(sizeof(*n));
    n->config = *config;
    list_init(&n->flights);
    n->fsm = (struct raft_fsm){ .version = 3,
                                .data = n,
                                .apply = on_apply,
                                .snapshot = on_snapshot,
                                .restore = on_restore,
                                .snapshot_finalize = on_snapshot_finalize,
                                .snapshot_async = on_snapshot_bytes };
    rv = raft_transport_new(&transport, &n->transport, e);
    if (rv == 0)
        rv = start(n, fresh, e);
    if (rv != 0) {
        /* What raft_uv holds open is given up with the process: an open that fails ends it. */
        return rv;
    }
    *out = n;
    return 0;
}

/* ---- closing ---- */

static void on_raft_closed(struct raft *r)
{
    struct raft_node *n = container_of(r, struct raft_node, raft);

    n->closed(n->closed_ctx);
}

void raft_node_close(struct raft_node *n, void (*closed)(void *ctx), void *ctx)
{
    n->closed = closed;
    n->closed_ctx = ctx;
    guard_closing(&n->guard);
    if (n->snapshot_work != NULL) {
        /* The library gives the snapshot up and frees the request. */
        struct raft_io_async_work *work = n->snapshot_work;

        n->snapshot_work = NULL;
        n->snapshot_done(work, RAFT_CANCELED);
    }
    raft_close(&n->raft, on_raft_closed);
}

void raft_node_free(struct raft_node *n)
{
    if (n == NULL)
        return;
    /* Not before: its handles may still end in the turn of the loop that said "closed". */
    raft_uv_close(&n->uv);
    raft_transport_free(n->transport);
    mem_free(n);
}
