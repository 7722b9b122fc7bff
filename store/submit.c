/*
 * The calls on a group from any loop, which cross into the raft loop: writes, read points, status.
 *
 * Happy path of a write: store_submit encodes on the caller's loop → proposer on the raft loop →
 * (the leader, by forward) → applier answers → done on the caller's loop.
 */
#include "base/arena.h"
#include "store/group.h"
#include "store/group_metrics.h"
#include "store/proposer.h"
#include "store/readindex.h"
#include "store/replica.h"
#include "store/store.h"
#include "store/txn.h"

/* ---- writes ---- */

static uint64_t deadline_of(struct env_loop *loop, uint64_t asked, uint64_t otherwise)
{
    return asked != 0 ? asked : env_loop_now_ms(loop) + otherwise;
}

static void on_write_done(struct pending *p)
{
    struct store_write *w = p->priv;

    w->result = p->result;
    group_count_write(group_id(p->replica->group), p->result.status,
                      env_now_ns(p->replica->env) - p->submitted_ns);
    pending_free(p);
    w->done(w);
}

void store_submit(struct store_group *g, struct store_write *w, const struct store_txn *txn)
{
    struct pending *p = pending_new();
    struct err e;
    int rv = txn_encode(txn, &p->txn, &e);

    p->replica = replica_of(g);
    p->submitted_ns = env_now_ns(p->replica->env);
    p->level = txn_level(txn);
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
