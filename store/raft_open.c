/* Opening a raft node: its log, a first configuration where there was nothing, libraft's start. */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "store/raft_node_state.h"

#define INSTALL_RETRY_MS 2000 /* a manifest was offered: then probe again */

static void on_held(void *ctx, bool held, const struct err *why)
{
    struct raft_node *n = ctx;

    uint64_t now = env_loop_now_ms(n->config.loop);

    if (held)
        log_error("the disk is full: log writes are held until there is room",
                  KVN("group", group_id(n->config.group)), KV("reason", why->msg));
    else
        log_info("there is room again: log writes go on", KVN("group", group_id(n->config.group)),
                 KVN("held_ms", now - n->held_ms));
    n->log_held = held;
    n->held_ms = now;
    raft_node_look_at_held(n);
}

static void on_disk_failed(void *ctx, const struct err *why)
{
    struct raft_node *n = ctx;

    log_error("the log cannot be written: this member stops rather than go on in doubt",
              KVN("group", group_id(n->config.group)), KV("reason", why->msg));
    env_die(n->config.env, "log write failed", __FILE__, __LINE__, __func__);
}

static int open_disk(struct raft_node *n, struct err *e)
{
    const struct raft_node_config *c = &n->config;
    struct point have;
    struct raft_disk_config disk = { .env = c->env,
                                     .loop = c->loop,
                                     .group = group_id(c->group),
                                     .name = group_id(c->group) == STORE_BUS ? "log-bus" : "log",
                                     .folder = c->folder,
                                     .file_bytes =
                                         c->simulation != NULL ? c->simulation->log_file_bytes : 0,
                                     .raft = &n->raft,
                                     .held = on_held,
                                     .failed = on_disk_failed,
                                     .ctx = n };

    group_point(c->group, &have);
    disk.applied_index = have.index > group_installed(c->group) ? have.index : 0;
    return raft_disk_open(&disk, &n->disk, e);
}

/* A folder without a log is a first start, or that of a member that lost everything it had
 * promised: only a state that is as empty, and a caller that says so, make it the first. */
static int found_or_refuse(struct raft_node *n, struct err *e)
{
    const struct raft_node_config *c = &n->config;
    struct point have;

    if (!raft_disk_is_fresh(c->env, c->folder))
        return 0;
    group_point(c->group, &have);
    if (have.index > 0)
        return err_set(e, ERR_CORRUPT,
                       "%s holds no log but this member has applied entries: it lost its log; "
                       "remove this member and join it again (docs/operating.md)",
                       c->folder);
    if (c->joining)
        return 0;
    if (c->found_count == 0)
        return err_set(e, ERR_CORRUPT,
                       "%s holds no log, and this is not the member's first start: a member that "
                       "forgot its votes must not vote; remove it and join it again "
                       "(docs/operating.md)",
                       c->folder);
    return raft_disk_bootstrap(c->env, c->folder, c->found_members, c->found_count, e);
}

static int raft_error(struct raft_node *n, const char *what, int rv, struct err *e)
{
    return err_set(e, rv == RAFT_CORRUPT || rv == RAFT_MALFORMED ? ERR_CORRUPT : ERR_IO,
                   "%s %s: %s (%s)", what, n->config.folder, raft_strerror(rv),
                   n->raft.errmsg[0] != '\0' ? n->raft.errmsg : raft_disk_io(n->disk)->errmsg);
}

static void set_parameters(struct raft_node *n)
{
    const struct raft_node_config *c = &n->config;

    raft_set_heartbeat_timeout(&n->raft,
                               c->heartbeat_ms != 0 ? c->heartbeat_ms : RAFT_HEARTBEAT_MS);
    raft_set_election_timeout(&n->raft, c->election_ms != 0 ? c->election_ms : RAFT_ELECTION_MS);
    raft_set_pre_vote(&n->raft, true);
    raft_set_install_snapshot_timeout(&n->raft, INSTALL_RETRY_MS);
    raft_set_snapshot_threshold(&n->raft, RAFT_SNAPSHOT_NEVER);
}

static void tell_start(struct raft_node *n)
{
    const struct raft *r = &n->raft;
    struct point have;
    unsigned voters = 0;

    for (unsigned i = 0; i < r->configuration.n; i++)
        voters += r->configuration.servers[i].role == RAFT_VOTER ? 1 : 0;
    group_point(n->config.group, &have);
    log_info("group opened", KVN("group", group_id(n->config.group)), KVN("term", r->current_term),
             KVN("voted_for", r->voted_for), KVN("first", r->log.offset + 1),
             KVN("last", raft_last_index((struct raft *)r)),
             KVN("snapshot", r->log.snapshot.last_index), KVN("applied", have.index),
             KVN("revision", have.revision), KVN("members", r->configuration.n),
             KVN("voters", voters));
}

static int start(struct raft_node *n, struct err *e)
{
    int rv;

    guard_init(&n->guard, &n->raft, raft_disk_io(n->disk), GUARD_ALL_RULES, &raft_node_events, n);
    rv = raft_init(&n->raft, &n->guard.io, &n->fsm, n->config.member_id, n->config.member_name);
    if (rv != 0)
        return raft_error(n, "init", rv, e);
    set_parameters(n);
    n->leadership.group = group_id(n->config.group);
    n->leadership.seen.state = RAFT_FOLLOWER;
    n->leadership.leaderless_ms = env_loop_now_ms(n->config.loop);
    rv = raft_start(&n->raft);
    if (rv != 0)
        return raft_error(n, "load", rv, e);
    tell_start(n);
    guard_check(&n->guard);
    return 0;
}

int raft_node_open(const struct raft_node_config *config, struct raft_node **out, struct err *e)
{
    struct raft_node *n = mem_alloc(sizeof(*n));
    int rv;

    n->config = *config;
    if (n->config.retain_bytes == 0)
        n->config.retain_bytes = RAFT_RETAIN_BYTES;
    if (n->config.retain_entries == 0)
        n->config.retain_entries = RAFT_RETAIN_ENTRIES;
    list_init(&n->flights);
    raft_node_fsm(n);
    rv = found_or_refuse(n, e);
    if (rv == 0)
        rv = open_disk(n, e);
    if (rv == 0)
        rv = start(n, e);
    if (rv != 0) {
        /* What libraft took stays: an open that fails ends the process. */
        raft_disk_free(n->disk);
        mem_free(n);
        return rv;
    }
    env_timer_init(config->loop, &n->tell, raft_node_on_tell);
    *out = n;
    return 0;
}
