/*
 * See replica.h. Everything meets in on_turn: after libraft, the applier or a peer moved something,
 * gauges are set, leadership is told, and proposer and readers look again.
 */
#include "store/replica.h"

#include <raft.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "store/catchup.h"
#include "store/forward.h"
#include "store/fsm.h"
#include "store/membership.h"
#include "store/quarantine.h"
#include "store/reads.h"
#include "store/txn.h"

#define PATH_BYTES_MAX 768

/* ---- what proposer and readers see of the rest ---- */

static void op_view(void *ctx, struct raft_view *out)
{
    raft_node_view(((struct replica *)ctx)->node, out);
}

static int op_propose(void *ctx, struct buf *entry, struct proposal *p,
                      void (*lost)(struct proposal *p))
{
    return raft_node_propose(((struct replica *)ctx)->node, entry, p, lost);
}

static unsigned op_inflight(void *ctx)
{
    return raft_node_inflight(((struct replica *)ctx)->node);
}

static uint64_t op_applier_bytes(void *ctx)
{
    return group_queue_bytes(((struct replica *)ctx)->group);
}

static uint32_t op_level(void *ctx)
{
    struct point p;

    group_point(((struct replica *)ctx)->group, &p);
    return p.level;
}

static bool op_forward(void *ctx, uint64_t leader_id, struct list *writes)
{
    struct replica *r = ctx;

    return op_level(r) >= STORE_LEVEL_WRITES ? writes_forward(r, leader_id, writes)
                                             : forward_writes(r->forwarder, r, leader_id, writes);
}

static const struct proposer_ops proposer_ops = { .view = op_view,
                                                  .propose = op_propose,
                                                  .inflight = op_inflight,
                                                  .applier_bytes = op_applier_bytes,
                                                  .level = op_level,
                                                  .forward = op_forward };

static unsigned op_voters(void *ctx, bool *out_self)
{
    struct replica *r = ctx;
    struct raft_server_view servers[RAFT_SERVERS_MAX];
    size_t count = raft_node_servers(r->node, servers, RAFT_SERVERS_MAX);
    unsigned voters = 0;

    *out_self = false;
    for (size_t i = 0; i < count; i++) {
        if (servers[i].role != RAFT_VOTER)
            continue;
        voters++;
        *out_self = *out_self || servers[i].id == r->member_id;
    }
    return voters;
}

static bool op_pair(void *ctx, uint64_t member_id)
{
    struct replica *r = ctx;
    struct raft_server_view servers[RAFT_SERVERS_MAX];
    size_t count = raft_node_servers(r->node, servers, RAFT_SERVERS_MAX);
    unsigned voters = 0;
    unsigned pair = 0;

    for (size_t i = 0; i < count; i++) {
        if (servers[i].role != RAFT_VOTER)
            continue;
        voters++;
        pair += servers[i].id == r->member_id || servers[i].id == member_id ? 1 : 0;
    }
    return pair == 2 && pair > voters / 2;
}

static unsigned op_confirm(void *ctx, uint64_t term, uint64_t round, unsigned most)
{
    return reads_confirm(ctx, term, round, most);
}

static bool op_ask(void *ctx, uint64_t leader_id, uint64_t term, uint64_t round)
{
    return reads_ask(ctx, leader_id, term, round);
}

static bool op_covers(void *ctx, uint64_t index)
{
    struct replica *r = ctx;
    struct raft_view v;

    raft_node_view(r->node, &v);
    return v.applied_index >= index && group_covers(r->group, index);
}

static uint64_t op_published(void *ctx)
{
    return store_published(((struct replica *)ctx)->group);
}

static const struct readindex_ops readindex_ops = { .view = op_view,
                                                    .voters = op_voters,
                                                    .pair = op_pair,
                                                    .confirm = op_confirm,
                                                    .ask = op_ask,
                                                    .covers = op_covers,
                                                    .published = op_published };

/* ---- leadership ---- */

static void run_changed(struct env_msg *m)
{
    struct store_leadership *l = container_of(m, struct store_leadership, msg);
    uint64_t news = atomic_exchange(&l->pending, 0);

    l->changed(l, (news & 2) != 0, news >> 2);
}

/* Only the newest counts: a listener that was slow sees the last edge. */
static void tell(struct store_leadership *l, bool leading, uint64_t term)
{
    if (atomic_exchange(&l->pending, term << 2 | (leading ? 2u : 0u) | 1u) == 0)
        env_post(l->loop, &l->msg, run_changed);
}

static void tell_all(struct replica *r, bool leading, uint64_t term)
{
    for (struct store_leadership *l = r->listeners; l != NULL; l = l->next)
        tell(l, leading, term);
}

static void check_leadership(struct replica *r, const struct raft_view *v)
{
    if (r->told != 0 && (!v->ready || v->term != r->told)) {
        tell_all(r, false, r->told);
        r->told = 0;
    }
    if (r->told == 0 && v->ready && group_covers(r->group, v->barrier_index)) {
        r->told = v->term;
        tell_all(r, true, v->term);
    }
}

struct add_listener {
    struct env_msg msg;
    struct replica *replica;
    struct store_leadership *listener;
};

static void on_add_listener(struct env_msg *m)
{
    struct add_listener *a = container_of(m, struct add_listener, msg);

    a->listener->next = a->replica->listeners;
    a->replica->listeners = a->listener;
    if (a->replica->told != 0)
        tell(a->listener, true, a->replica->told);
    mem_free(a);
}

void replica_add_listener(struct replica *r, struct store_leadership *l)
{
    struct add_listener *a = mem_alloc(sizeof(*a));

    a->replica = r;
    a->listener = l;
    env_post(r->loop, &a->msg, on_add_listener);
}

/* ---- housekeeping ---- */

static bool op_leading(void *ctx)
{
    return ((struct replica *)ctx)->told != 0;
}

static size_t op_members(void *ctx, struct housekeeping_member out[STORE_MEMBERS_MAX])
{
    struct raft_server_view servers[RAFT_SERVERS_MAX];
    size_t count = raft_node_servers(((struct replica *)ctx)->node, servers, RAFT_SERVERS_MAX);

    count = count < STORE_MEMBERS_MAX ? count : STORE_MEMBERS_MAX;
    for (size_t i = 0; i < count; i++)
        out[i] = (struct housekeeping_member){ servers[i].id, servers[i].role == RAFT_VOTER };
    return count;
}

static void op_ask_status(void *ctx, uint64_t member, uint64_t digest_index)
{
    struct replica *r = ctx;

    forward_status(r->forwarder, r, member, digest_index);
}

static void op_propose_own(void *ctx, const struct store_op *ops, size_t count)
{
    struct replica *r = ctx;

    housekeeping_submit(&r->proposer, r->loop, ops, count);
}

/* Nothing is applied while it lasts: not by a leader with somebody to take over. */
static bool op_defragment(void *ctx, bool hand_over)
{
    struct replica *r = ctx;
    bool self;

    if (r->told != 0 && op_voters(r, &self) > 1) {
        if (hand_over)
            raft_node_transfer(r->node, 0);
        return false;
    }
    group_defragment(r->group);
    return true;
}

static uint64_t op_wall_ms(void *ctx)
{
    return env_wall_ns(((struct replica *)ctx)->env) / ENV_MS;
}

static const struct housekeeping_ops housekeeping_ops = {
    .leading = op_leading,
    .members = op_members,
    .ask = op_ask_status,
    .propose = op_propose_own,
    .wall_ms = op_wall_ms,
    .defragment = op_defragment,
};

/* ---- membership ---- */

static int take_step(struct replica *r, const struct membership_step *step)
{
    switch (step->kind) {
    case MEMBERSHIP_ADD:
        return raft_node_add(r->node, step->id, step->name);
    case MEMBERSHIP_ASSIGN:
        return raft_node_assign(r->node, step->id, step->role);
    case MEMBERSHIP_REMOVE:
        return raft_node_remove(r->node, step->id);
    case MEMBERSHIP_TRANSFER:
        raft_node_transfer(r->node, step->id);
        return 0;
    case MEMBERSHIP_NONE:
        break;
    }
    return 0;
}

/* One step towards what the roster wishes, when this member leads and none is under way. */
static void keep_members(struct replica *r)
{
    struct raft_server_view servers[RAFT_SERVERS_MAX];
    uint64_t now = env_loop_now_ms(r->loop);
    struct membership_step step;
    size_t count;

    if (r->told == 0 || now < r->members_ms || !raft_node_may_change(r->node))
        return;
    r->members_ms = now + REPLICA_MEMBERS_MS;
    count = raft_node_servers(r->node, servers, RAFT_SERVERS_MAX);
    step = membership_next(r->roster, servers, count, r->member_id, raft_node_last_index(r->node));
    if (step.kind == MEMBERSHIP_NONE || (step.kind == MEMBERSHIP_REMOVE && r->may_remove != NULL &&
                                         !r->may_remove(r->ctx, r, step.id)))
        return;
    membership_tell_step(group_id(r->group), &step, take_step(r, &step));
}

void replica_poke(struct replica *r)
{
    r->members_ms = 0;
    raft_node_durable(r->node);
}

void replica_caught_up(struct replica *r, int status)
{
    raft_node_caught_up(r->node, status);
}

void replica_fetch_trouble(struct replica *r)
{
    raft_node_behind_trouble(r->node);
}

static void on_behind(void *ctx, uint64_t leader_id, uint64_t index)
{
    struct replica *r = ctx;

    r->fetch(r->ctx, r, leader_id, index);
}

/* ---- turns ---- */

static void set_gauges(struct replica *r, const struct raft_view *v)
{
    bool ready = v->leader_id != 0 && !v->behind && !v->held &&
                 (v->leading ? r->told != 0 : v->applied_index >= v->commit_index) &&
                 v->commit_index > 1;

    atomic_store(&r->gauges[REPLICA_LEADER], v->leader_id);
    atomic_store(&r->gauges[REPLICA_TERM], v->term);
    atomic_store(&r->gauges[REPLICA_COMMIT], v->commit_index);
    atomic_store(&r->gauges[REPLICA_READY], ready ? 1 : 0);
    atomic_store(&r->gauges[REPLICA_HELD], v->held ? 1 : 0);
    atomic_store(&r->gauges[REPLICA_BEHIND], v->behind ? 1 : 0);
}

uint64_t replica_gauge(const struct replica *r, enum replica_gauge which)
{
    return atomic_load(&r->gauges[which]);
}

static void on_turn(void *ctx)
{
    struct replica *r = ctx;
    struct raft_view v;

    handover_turn(&r->handover);
    if (r->closing)
        return;
    raft_node_view(r->node, &v);
    check_leadership(r, &v);
    set_gauges(r, &v);
    replica_measure(r, &v);
    housekeeping_run(&r->house, env_loop_now_ms(r->loop));
    membership_news_look(&r->news, r->node, group_id(r->group), v.leader_id);
    keep_members(r);
    writes_run(r);
    proposer_run(&r->proposer);
    readindex_run(&r->readindex);
}

static void on_durable(void *ctx, const struct point *point)
{
    struct replica *r = ctx;

    (void)point;
    if (r->node != NULL && !r->closing)
        raft_node_durable(r->node);
}

static void on_room(void *ctx, bool room)
{
    struct replica *r = ctx;

    if (r->node != NULL && !r->closing)
        raft_node_state_held(r->node, !room);
}

/* Damaged or different state must not come back with the next start. */
static void quarantine(struct replica *r, enum group_halt why, const char *message)
{
    struct quarantine q = { .group = group_id(r->group), .why = message };
    struct fsm_mismatch differ = { 0 };
    struct err e = { 0 };

    if (why == GROUP_HALT_DIVERGED)
        group_mismatch(r->group, &differ);
    q.index = differ.index;
    q.digest = differ.digest;
    q.agreed = differ.agreed;
    if (quarantine_write(r->env, r->config->folder, &q, &e) != 0)
        log_error("the quarantine of this member is not on disk", KV("error", e.msg));
}

static void on_halt(void *ctx, enum group_halt why, const char *message)
{
    struct replica *r = ctx;

    log_error(group_halt_text(why), KVN("group", group_id(r->group)), KV("reason", message));
    if (why != GROUP_HALT_UPGRADE)
        quarantine(r, why, message);
    env_die(r->env, "the group halted", __FILE__, __LINE__, __func__);
}

void replica_set_links(struct replica *r, struct links *links)
{
    r->links = links;
    raft_node_set_links(r->node, links);
}

struct replica *replica_of(struct store_group *g)
{
    return group_raft(g);
}

/* ---- life ---- */

static const char *group_name(enum store_group_id id)
{
    return id == STORE_CLUSTER ? "cluster" : "bus";
}

void replica_state_folder(const struct store_config *config, enum store_group_id id, char *out,
                          size_t len)
{
    snprintf(out, len, "%s/lmdb-%s", config->folder, group_name(id));
}

static int open_state(struct replica *r, const struct replica_config *c, struct err *e)
{
    char folder[PATH_BYTES_MAX];
    struct group_config group = { .env = c->env,
                                  .id = c->id,
                                  .folder = folder,
                                  .map_bytes = c->store->map_bytes,
                                  .quota_bytes = c->store->quota_bytes,
                                  .level_max = c->store->feature_level_max,
                                  .ring_bytes = c->store->ring_bytes,
                                  .retain_revisions = c->store->retain_revisions,
                                  .retain_ms = c->store->retain_ms,
                                  .short_history_prefixes = c->store->short_history_prefixes,
                                  .raft_loop = c->raft_loop,
                                  .on_durable = on_durable,
                                  .on_halt = on_halt,
                                  .on_room = on_room,
                                  .ctx = r };
    int rv;

    if (c->store->simulation != NULL) {
        group.engine = c->store->simulation->engine;
        group.scrub_ms = c->store->simulation->scrub_ms;
    }
    replica_state_folder(c->store, c->id, folder, sizeof(folder));
    rv = env_dir_make(c->env, folder, 0700, e);
    return rv != 0 ? rv : group_open(&group, &r->group, e);
}

static int open_log(struct replica *r, const struct replica_config *c, const char *name,
                    struct err *e)
{
    char folder[PATH_BYTES_MAX];
    struct raft_node_config node = { .env = c->env,
                                     .loop = c->raft_loop,
                                     .group = r->group,
                                     .folder = folder,
                                     .member_id = c->store->member_id,
                                     .member_name = r->name,
                                     .found_members = c->store->members,
                                     .found_count = c->store->start == STORE_START_FOUND
                                                        ? c->store->members_count
                                                        : 0,
                                     .joining = c->store->start == STORE_START_JOIN,
                                     .heartbeat_ms = c->store->heartbeat_ms,
                                     .election_ms = c->store->election_ms,
                                     .retain_bytes = c->store->log_retain_bytes,
                                     .retain_entries = c->store->log_retain_entries,
                                     .simulation = c->store->simulation,
                                     .on_turn = on_turn,
                                     .on_behind = on_behind,
                                     .ctx = r };

    snprintf(folder, sizeof(folder), "%s/log-%s", c->store->folder, name);
    return raft_node_open(&node, &r->node, e);
}

int replica_open(const struct replica_config *c, struct replica **out, struct err *e)
{
    const char *name = group_name(c->id);
    struct replica *r;
    int rv;

    if (strlen(c->store->folder) + 32 > PATH_BYTES_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "data folder %s is too long", c->store->folder);
    r = mem_alloc(sizeof(*r));
    r->env = c->env;
    r->loop = c->raft_loop;
    r->member_id = c->store->member_id;
    r->forwarder = c->forwarder;
    r->roster = c->roster;
    r->fetch = c->fetch;
    r->may_remove = c->may_remove;
    r->ctx = c->ctx;
    for (size_t i = 0; i < c->store->members_count; i++)
        if (c->store->members[i].id == r->member_id)
            r->name = c->store->members[i].name;
    r->config = c->store;
    handover_init(&r->handover, r->loop);
    rv = open_state(r, c, e);
    if (rv != 0) {
        handover_deinit(&r->handover);
        mem_free(r);
        return rv;
    }
    group_set_raft(r->group, r);
    housekeeping_init(&r->house, r->group, r->member_id, &housekeeping_ops, r);
    housekeeping_pace(&r->house, c->store->simulation);
    proposer_init(&r->proposer, r->loop, &proposer_ops, r);
    readindex_init(&r->readindex, r->loop, env_random_u64(r->env), &readindex_ops, r);
    r->proposer.group = r->readindex.group = c->id;
    writes_init(&r->writes, env_random_u64(r->env));
    rv = open_log(r, c, name, e);
    if (rv != 0) {
        readindex_stop(&r->readindex);
        group_close(r->group);
        handover_deinit(&r->handover);
        mem_free(r);
        return err_wrap(e, rv, "group %s", name);
    }
    *out = r;
    return 0;
}

static void on_handed_over(void *ctx, int status)
{
    struct replica *r = ctx;

    if (status == -ERR_TIMEOUT)
        log_warn("leadership was not handed over: the others will elect a leader after a timeout",
                 KVN("group", group_id(r->group)), KV("reason", err_name(status)));
    r->handed_over(r->handed_over_ctx);
}

void replica_hand_over(struct replica *r, void (*done)(void *ctx), void *ctx)
{
    r->handed_over = done;
    r->handed_over_ctx = ctx;
    handover_begin(&r->handover, r->node, true, on_handed_over, r);
}

void replica_quiesce(struct replica *r)
{
    if (r->told != 0)
        tell_all(r, false, r->told);
    r->told = 0;
    r->closing = true;
    proposer_stop(&r->proposer);
    writes_stop(r);
    readindex_stop(&r->readindex);
}

static void on_node_closed(void *ctx)
{
    struct replica *r = ctx;

    r->links = NULL; /* they close next */
    r->closed(r->closed_ctx);
}

static void on_close(void *ctx, int status)
{
    struct replica *r = ctx;

    (void)status;
    handover_deinit(&r->handover);
    raft_node_close(r->node, on_node_closed, r);
}

void replica_close(struct replica *r, void (*closed)(void *ctx), void *ctx)
{
    r->closed = closed;
    r->closed_ctx = ctx;
    handover_begin(&r->handover, r->node, false, on_close, r);
}

void replica_free(struct replica *r)
{
    if (r == NULL)
        return;
    raft_node_free(r->node);
    group_close(r->group);
    writes_deinit(&r->writes);
    mem_free(r);
}
