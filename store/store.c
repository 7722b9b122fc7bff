/*
 * A member's store: its loops and groups, and the public calls that cross into the raft loop.
 *
 * Happy path of a write: store_submit encodes on the caller's loop → proposer on the raft loop →
 * (the leader, by forward) → applier answers → done on the caller's loop. Nothing here waits,
 * except store_open and store_close, which their callers expect to.
 */
#include "store/store.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/forward.h"
#include "store/group.h"
#include "store/peer_service.h"
#include "store/peers.h"
#include "store/proposer.h"
#include "store/readindex.h"
#include "store/replica.h"
#include "store/txn.h"

#define LOCK_PATH_BYTES 1024

struct store {
    struct store_config config;
    struct env_file *lock;
    struct env_loop *raft_loop;
    struct env_loop *peer_loop;
    struct forwarder *forwarder;
    struct peers *peers;
    struct peer_service *service;
    struct replica *replicas[STORE_BUS + 1];
    struct store_group *groups[STORE_BUS + 1];
    struct env_msg quiesce;
    struct env_msg close_raft;
    struct env_msg close_peers;
    unsigned closing;
};

/* ---- writes ---- */

static uint64_t deadline_of(struct env_loop *loop, uint64_t asked, uint64_t otherwise)
{
    return asked != 0 ? asked : env_loop_now_ms(loop) + otherwise;
}

static void on_write_done(struct pending *p)
{
    struct store_write *w = p->priv;

    w->result = p->result;
    pending_free(p);
    w->done(w);
}

void store_submit(struct store_group *g, struct store_write *w, const struct store_txn *txn)
{
    struct pending *p = pending_new();
    struct err e;
    int rv = txn_encode(txn, &p->txn, &e);

    p->loop = w->loop;
    p->done = on_write_done;
    p->priv = w;
    p->deadline_ms = deadline_of(w->loop, w->deadline_ms, STORE_WRITE_TIMEOUT_MS);
    if (rv != 0)
        pending_fail(p, rv);
    else
        proposer_submit(&replica_of(g)->proposer, p);
}

/* ---- read points ---- */

struct barrier_wait {
    struct read_point point;
    struct store_barrier *barrier;
    struct store_group *group;
};

static void on_read_point(struct read_point *r)
{
    struct barrier_wait *wait = container_of(r, struct barrier_wait, point);
    struct store_barrier *b = wait->barrier;

    b->status = r->status;
    b->revision = r->status == 0 ? store_published(wait->group) : 0;
    mem_free(wait);
    b->done(b);
}

static void submit_barrier(struct store_group *g, struct store_barrier *b, uint64_t revision)
{
    struct barrier_wait *wait = mem_alloc(sizeof(*wait));

    wait->barrier = b;
    wait->group = g;
    wait->point.loop = b->loop;
    wait->point.done = on_read_point;
    wait->point.revision = revision;
    wait->point.deadline_ms = deadline_of(b->loop, b->deadline_ms, STORE_WRITE_TIMEOUT_MS);
    readindex_submit(&replica_of(g)->readindex, &wait->point);
}

void store_barrier(struct store_group *g, struct store_barrier *b)
{
    submit_barrier(g, b, 0);
}

void store_wait_revision(struct store_group *g, struct store_barrier *b, uint64_t revision)
{
    /* Revision 0 is published always; 1 stands for it, and is below every written one. */
    submit_barrier(g, b, revision != 0 ? revision : 1);
}

/* ---- status ---- */

void store_status(struct store_group *g, struct store_status *out)
{
    replica_status(replica_of(g), out);
}

void store_on_leadership(struct store_group *g, struct store_leadership *l)
{
    replica_add_listener(replica_of(g), l);
}

struct store_group *store_group(struct store *s, enum store_group_id id)
{
    return s->groups[id];
}

/* ---- opening ---- */

static int check_config(const struct store_config *c, struct err *e)
{
    bool found = false;

    if (c->members_count == 0 || c->members_count > STORE_MEMBERS_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "%zu members", c->members_count);
    for (size_t i = 0; i < c->members_count; i++) {
        found = found || c->members[i].id == c->member_id;
        if (c->members[i].id == 0 || c->members[i].id > STORE_MEMBERS_MAX ||
            c->members[i].name[0] == '\0')
            return err_set(e, ERR_INVALID_ARGUMENT, "member %zu has no good id or name", i);
        for (size_t j = 0; j < i; j++)
            if (c->members[i].id == c->members[j].id ||
                strcmp(c->members[i].name, c->members[j].name) == 0)
                return err_set(e, ERR_INVALID_ARGUMENT, "two members are %s", c->members[i].name);
    }
    return found ? 0
                 : err_set(e, ERR_INVALID_ARGUMENT, "member id %llu is not configured",
                           (unsigned long long)c->member_id);
}

static int lock_folder(struct store *s, struct err *e)
{
    char path[LOCK_PATH_BYTES];
    int rv = env_dir_make(s->config.env, s->config.folder, 0700, e);

    if (rv != 0)
        return rv;
    snprintf(path, sizeof(path), "%s/LOCK", s->config.folder);
    rv = env_file_lock(s->config.env, path, &s->lock, e);
    return rv != 0 ? err_wrap(e, rv, "another process uses %s", s->config.folder) : 0;
}

static int open_groups(struct store *s, struct err *e)
{
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++) {
        struct replica_config c = { .env = s->config.env,
                                    .raft_loop = s->raft_loop,
                                    .store = &s->config,
                                    .id = id,
                                    .forwarder = s->forwarder };
        int rv = replica_open(&c, &s->replicas[id], e);

        if (rv != 0)
            return rv;
        s->groups[id] = s->replicas[id]->group;
    }
    return 0;
}

static int open_peers(struct store *s, struct err *e)
{
    struct peers_config c = { .env = s->config.env,
                              .loop = s->peer_loop,
                              .member_id = s->config.member_id,
                              .members = s->config.members,
                              .members_count = s->config.members_count,
                              .ca_file = s->config.ca_file,
                              .cert_file = s->config.cert_file,
                              .key_file = s->config.key_file,
                              .listen_fd = s->config.peer_listen_fd };
    int rv;

    if (s->forwarder == NULL)
        return 0;
    s->service = peer_service_new(s->raft_loop, s->peer_loop, s->groups);
    c.service = peer_service_grpc(s->service);
    rv = peers_open(&c, &s->peers, e);
    if (rv != 0)
        return rv;
    peer_service_set_peers(s->service, s->peers);
    forwarder_set_peers(s->forwarder, s->peers);
    return 0;
}

int store_open(const struct store_config *config, struct store **out, struct err *e)
{
    struct store *s;
    int rv = check_config(config, e);

    if (rv != 0)
        return rv;
    s = mem_alloc(sizeof(*s));
    s->config = *config;
    rv = lock_folder(s, e);
    if (rv != 0) {
        mem_free(s);
        return rv;
    }
    s->raft_loop = env_loop_new(config->env, "raft");
    s->peer_loop = env_loop_new(config->env, "peers");
    if (config->members_count > 1)
        s->forwarder = forwarder_new(s->raft_loop, s->peer_loop, &s->config);
    rv = open_groups(s, e);
    if (rv == 0)
        rv = open_peers(s, e);
    if (rv != 0) {
        /* The process ends on a failed open: what is half open is not taken apart. */
        return rv;
    }
    env_loop_start(s->raft_loop);
    env_loop_start(s->peer_loop);
    *out = s;
    return 0;
}

/* ---- closing ---- */

static void on_replica_closed(void *ctx)
{
    struct store *s = ctx;

    if (--s->closing == 0)
        env_loop_stop(s->raft_loop);
}

static void close_raft(struct env_msg *m)
{
    struct store *s = container_of(m, struct store, close_raft);

    s->closing = STORE_BUS;
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        replica_close(s->replicas[id], on_replica_closed, s);
}

static void on_peers_closed(void *ctx)
{
    env_loop_stop(((struct store *)ctx)->peer_loop);
}

static void close_peers(struct env_msg *m)
{
    struct store *s = container_of(m, struct store, close_peers);

    if (s->peers == NULL)
        on_peers_closed(s);
    else
        peers_close(s->peers, on_peers_closed, s);
}

static void quiesce(struct env_msg *m)
{
    struct store *s = container_of(m, struct store, quiesce);

    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        replica_quiesce(s->replicas[id]);
    env_post(s->peer_loop, &s->close_peers, close_peers);
}

/* First nothing new is asked of peers; then the peer loop goes, while the raft loop still takes
 * what comes back of its calls; then the raft loop. */
void store_close(struct store *s)
{
    if (s == NULL)
        return;
    env_post(s->raft_loop, &s->quiesce, quiesce);
    env_loop_join(s->peer_loop);
    env_post(s->raft_loop, &s->close_raft, close_raft);
    env_loop_join(s->raft_loop);
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        replica_free(s->replicas[id]);
    env_loop_free(s->raft_loop);
    env_loop_free(s->peer_loop);
    peer_service_free(s->service);
    forwarder_free(s->forwarder);
    env_file_close(s->lock);
    mem_free(s);
}
