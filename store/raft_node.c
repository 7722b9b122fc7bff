/*
 * See raft_node.h. From the library's side: the FSM's functions and the guard's events, which only
 * note and post. From the loop's side: on_turn, where a waiting snapshot goes on and the owner is
 * told that something moved.
 */
#include "store/raft_node.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/list.h"
#include "base/log.h"
#include "store/applier.h"
#include "store/group_metrics.h"
#include "store/raft_node_state.h"

/* Of the log behind a snapshot, whatever the bounds: what a follower lags by in good times. */
#define TRAILING_MIN 64u
/* Followers are told of a commit by itself so often, while writes go on. */
#define TELL_EVERY_MS 5

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

/* The offer that the guard holds: ask for a copy once, then let the library go on. */
static void advance_install(struct raft_node *n)
{
    struct point have;

    if (!n->behind)
        return;
    group_point(n->config.group, &have);
    if (have.index >= n->behind_index) {
        if (!n->continued)
            guard_install_continue(&n->guard);
        n->continued = true;
    } else if (n->caught_up) {
        n->behind = false;
        log_debug("no copy of the state was had: the leader will offer again",
                  KVN("group", group_id(n->config.group)),
                  KV("status", err_name(n->caught_status)));
        guard_install_abort(&n->guard);
    } else if (!n->behind_asked) {
        n->behind_asked = true;
        n->config.on_behind(n->config.ctx, n->behind_leader, n->behind_index);
    }
}

/* What is committed is told at once, or at the end of a stream of writes: their entries tell it,
 * too, and telling costs each follower a message and an answer. */
static void tell_commit(struct raft_node *n)
{
    if (env_timer_active(&n->tell) && n->raft.commit_index != n->told_index)
        return;
    if (guard_tell_commit(&n->guard) && !env_timer_active(&n->tell))
        env_timer_start(&n->tell, TELL_EVERY_MS);
    n->told_index = n->raft.commit_index;
}

void raft_node_on_tell(struct env_timer *t)
{
    raft_node_post_turn(container_of(t, struct raft_node, tell));
}

void raft_node_tell_commit(struct raft_node *n)
{
    env_timer_stop(&n->tell);
    tell_commit(n);
}

static void on_turn(struct env_msg *m)
{
    struct raft_node *n = container_of(m, struct raft_node, turn);

    n->turn_posted = false;
    if (n->guard.dead || n->guard.closing)
        return;
    guard_full(&n->guard, group_queue_bytes(n->config.group) > APPLIER_QUEUE_BYTES_MAX);
    advance_snapshot(n);
    advance_install(n);
    n->config.on_turn(n->config.ctx);
    tell_commit(n);
}

void raft_node_post_turn(struct raft_node *n)
{
    if (n->turn_posted)
        return;
    n->turn_posted = true;
    env_post(n->config.loop, &n->turn, on_turn);
}

void raft_node_durable(struct raft_node *n)
{
    raft_node_post_turn(n);
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
    const struct store_simulation *s = n->config.simulation;

    *result = NULL;
    if (f != NULL) {
        metric_observe(group_metric(group_id(n->config.group), GROUP_QUORUM_SECONDS),
                       (double)(env_now_ns(n->config.env) - f->proposed_ns) / ENV_S);
        f->proposal = NULL;
    }
    if (s != NULL && s->committed != NULL)
        s->committed(s->ctx, group_id(n->config.group), index, guard_term_of(&n->raft, index),
                     str_of(buf->base, buf->len));
    group_apply(n->config.group, index, guard_term_of(&n->raft, index), str_of(buf->base, buf->len),
                p);
    n->handed = index;
    n->bytes_since_snapshot += buf->len;
    n->entries_since_snapshot++;
    if (n->bytes_since_snapshot >= n->config.retain_bytes / 4 ||
        n->entries_since_snapshot >= n->config.retain_entries / 4)
        raft_set_snapshot_threshold(&n->raft, 1);
    return 0;
}

/* How many of the newest entries somebody who fetches a copy will need. */
static unsigned pinned_tail(const struct raft_node *n)
{
    uint64_t last = raft_node_last_index(n);
    uint64_t pinned = group_pinned(n->config.group);
    unsigned most;

    if (pinned == 0 || pinned >= last)
        return 0;
    most = guard_log_tail(&n->raft, RAFT_PINNED_BYTES, UINT32_MAX);
    return last - pinned < most ? (unsigned)(last - pinned) : most;
}

static int on_snapshot(struct raft_fsm *fsm, struct raft_buffer *bufs[], unsigned *n_bufs)
{
    struct raft_node *n = fsm->data;
    unsigned least =
        n->config.retain_entries < TRAILING_MIN ? n->config.retain_entries : TRAILING_MIN;
    unsigned trailing = guard_log_tail(&n->raft, n->config.retain_bytes, n->config.retain_entries);
    unsigned pinned = pinned_tail(n);

    *bufs = NULL;
    *n_bufs = 0;
    n->bytes_since_snapshot = 0;
    n->entries_since_snapshot = 0;
    raft_set_snapshot_threshold(&n->raft, RAFT_SNAPSHOT_NEVER);
    if (trailing < least)
        trailing = least;
    raft_set_snapshot_trailing(&n->raft, trailing < pinned ? pinned : trailing);
    return 0;
}

static int on_snapshot_bytes(struct raft_fsm *fsm, struct raft_buffer *bufs[], unsigned *n_bufs)
{
    struct raft_node *n = fsm->data;

    log_info("snapshot taken: the log before it may go", KVN("group", group_id(n->config.group)),
             KVN("index", n->snapshot_index), KVN("revision", n->snapshot_point.revision));
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
    if (have.index < saved.index) {
        snprintf(n->raft.errmsg, sizeof(n->raft.errmsg),
                 "its snapshot holds entry %llu but the state ends at %llu: the state was lost; "
                 "remove this member and join it again (docs/operating.md)",
                 (unsigned long long)saved.index, (unsigned long long)have.index);
        return RAFT_CORRUPT;
    }
    raft_free(buf->base);
    return 0;
}

void raft_node_fsm(struct raft_node *n)
{
    n->fsm = (struct raft_fsm){ .version = 3,
                                .data = n,
                                .apply = on_apply,
                                .snapshot = on_snapshot,
                                .restore = on_restore,
                                .snapshot_finalize = on_snapshot_finalize,
                                .snapshot_async = on_snapshot_bytes };
}

static void on_transferred(struct raft_transfer *req)
{
    (void)req; /* the edge tells */
}

/* ---- the guard's events ---- */

static void on_edge(void *ctx, int state, uint64_t term, uint64_t leader_id)
{
    struct raft_node *n = ctx;
    const struct raft *r = &n->raft;
    struct leadership_edge e = { .member_id = r->id,
                                 .to = { state, term, leader_id },
                                 .successor = r->transfer != NULL ? r->transfer->id : 0,
                                 .voted_for = r->voted_for,
                                 .held = n->held };

    leadership_note(&n->leadership, &e,
                    state == RAFT_CANDIDATE && r->candidate_state.disrupt_leader,
                    env_loop_now_ms(n->config.loop));
    raft_node_post_turn(n);
}

static void on_ready(void *ctx, uint64_t term)
{
    struct raft_node *n = ctx;

    (void)term;
    n->barrier_index = raft_last_applied(&n->raft) + 1;
    raft_node_post_turn(n);
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
    env_die(n->config.env, what, __FILE__, __LINE__, __func__);
}

static void on_install(void *ctx, uint64_t index, uint64_t term, struct str manifest,
                       uint64_t leader_id)
{
    struct raft_node *n = ctx;
    struct point offered;
    struct err e;

    if (manifest_decode(manifest, group_id(n->config.group), &offered, &e) != 0) {
        log_error("a snapshot was offered that cannot be installed",
                  KVN("group", group_id(n->config.group)), KV("reason", e.msg));
        guard_install_abort(&n->guard);
        return;
    }
    if (log_pace(&n->behind_said, env_loop_now_ms(n->config.loop)))
        log_info("this member is behind the leader's log: fetching a copy of the state",
                 KVN("group", group_id(n->config.group)), KVN("leader", leader_id),
                 KVN("index", index), KVN("term", term),
                 KVN("last_index", raft_last_index(&n->raft)), KVN("times", n->behind_said.times));
    n->behind = true;
    n->behind_asked = false;
    n->caught_up = false;
    n->behind_index = offered.index;
    n->behind_leader = leader_id;
    n->continued = false;
    raft_node_post_turn(n);
}

void raft_node_caught_up(struct raft_node *n, int status)
{
    n->caught_up = true;
    n->caught_status = status;
    raft_node_post_turn(n);
}

void raft_node_behind_trouble(struct raft_node *n)
{
    uint64_t leader_id = guard_leader(&n->guard);

    if (!n->behind || leader_id == 0 || leader_id == n->behind_leader)
        return;
    n->behind_leader = leader_id;
    n->behind_asked = false;
    raft_node_post_turn(n);
}

static bool on_covers(void *ctx, struct str manifest)
{
    struct raft_node *n = ctx;
    struct point offered;
    struct point have;

    group_point(n->config.group, &have);
    return manifest_decode(manifest, group_id(n->config.group), &offered, NULL) == 0 &&
           have.index >= offered.index;
}

static void on_installed(void *ctx, uint64_t index)
{
    struct raft_node *n = ctx;

    if (index != 0) {
        n->behind_said = (struct log_pace){ 0 };
        log_info("a copy of the state is installed: the log goes on from there",
                 KVN("group", group_id(n->config.group)), KVN("index", index));
    }
    n->behind = false;
    raft_node_post_turn(n);
}

void raft_node_look_at_held(struct raft_node *n)
{
    bool held = n->log_held || n->state_held;

    if (held == n->held)
        return;
    n->held = held;
    guard_held(&n->guard, held);
    raft_node_post_turn(n);
}

void raft_node_state_held(struct raft_node *n, bool held)
{
    if (held && !n->state_held)
        log_error("the disk is full: nothing is applied until there is room",
                  KVN("group", group_id(n->config.group)));
    else if (!held && n->state_held)
        log_info("there is room again: applying goes on", KVN("group", group_id(n->config.group)));
    n->state_held = held;
    raft_node_look_at_held(n);
}

/* The guard has waited an election timeout for room on the disk. */
static void on_step_aside(void *ctx)
{
    struct raft_node *n = ctx;

    if (n->raft.state != RAFT_LEADER)
        return;
    log_warn("the disk is full: another member is asked to lead",
             KVN("group", group_id(n->config.group)));
    (void)raft_transfer(&n->raft, &n->transfer, guard_successor(&n->guard),
                        on_transferred); /* asked again if in vain */
}

static int on_snapshot_work(void *ctx, struct raft_io_async_work *req, raft_io_async_work_cb cb)
{
    struct raft_node *n = ctx;

    ASSERT(n->snapshot_work == NULL);
    n->snapshot_work = req;
    n->snapshot_done = cb;
    n->snapshot_index = n->raft.snapshot.pending.index;
    n->snapshot_covered = false;
    raft_node_post_turn(n);
    return 0;
}

static void on_cancel_work(void *ctx)
{
    struct raft_node *n = ctx;

    n->snapshot_work = NULL;
}

static void on_guard_turn(void *ctx)
{
    raft_node_post_turn(ctx);
}

const struct guard_events raft_node_events = { .edge = on_edge,
                                               .ready = on_ready,
                                               .fatal = on_fatal,
                                               .install = on_install,
                                               .covers = on_covers,
                                               .installed = on_installed,
                                               .step_aside = on_step_aside,
                                               .async_work = on_snapshot_work,
                                               .cancel_work = on_cancel_work,
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
    raft_node_post_turn(n);
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
    f->proposed_ns = env_now_ns(n->config.env);
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

void raft_node_load(const struct raft_node *n, struct raft_node_load *out)
{
    const struct raft *r = &n->raft;

    *out =
        (struct raft_node_load){ .last_index = raft_last_index((struct raft *)r), /* only reads */
                                 .snapshot_index = r->log.snapshot.last_index };
    out->entries = guard_log_size(r, &out->bytes);
}

unsigned raft_node_inflight(const struct raft_node *n)
{
    return n->flights_count;
}

void raft_node_transfer(struct raft_node *n, uint64_t member_id)
{
    if (!guard_ready(&n->guard))
        return;
    if (member_id == 0)
        member_id = guard_successor(&n->guard);
    (void)raft_transfer(&n->raft, &n->transfer, member_id, on_transferred); /* best effort */
    guard_check(&n->guard);
}

uint64_t raft_node_successor(const struct raft_node *n)
{
    return guard_successor(&n->guard);
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
    out->held = n->held;
    out->barrier_index = n->barrier_index;
}

/* ---- messages ---- */

void raft_node_set_links(struct raft_node *n, struct links *links)
{
    raft_disk_set_links(n->disk, links);
}

void raft_node_receive(struct raft_node *n, struct raft_message *m)
{
    raft_disk_receive(n->disk, m);
}

void raft_node_peer_lost(struct raft_node *n, uint64_t member_id)
{
    guard_peer_lost(&n->guard, member_id);
}

void raft_node_peer_gone(struct raft_node *n, uint64_t member_id)
{
    guard_peer_gone(&n->guard, member_id);
}

void raft_node_log_stats(struct raft_node *n, struct wal_stats *out)
{
    raft_disk_stats(n->disk, out);
}

/* ---- closing ---- */

static void on_raft_closed(struct raft *r)
{
    struct raft_node *n = container_of(r, struct raft_node, raft);

    env_timer_deinit(&n->tell);
    n->closed(n->closed_ctx);
}

void raft_node_close(struct raft_node *n, void (*closed)(void *ctx), void *ctx)
{
    log_info("group closes", KVN("group", group_id(n->config.group)),
             KVN("term", n->raft.current_term), KVN("last", raft_last_index(&n->raft)),
             KVN("commit", n->raft.commit_index), KVN("in_flight", n->flights_count));
    n->closed = closed;
    n->closed_ctx = ctx;
    guard_closing(&n->guard);
    env_timer_stop(&n->tell);
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
    raft_disk_free(n->disk);
    mem_free(n);
}
