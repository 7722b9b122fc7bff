/*
 * See writes.h. A batch ends once (answered, or given up) and is freed when its frame has been let
 * go of, too. What another member asked is freed when its answer has.
 */
#include "store/writes.h"

#include "base/arena.h"
#include "base/assert.h"
#include "store/group_metrics.h"
#include "store/links.h"
#include "store/proposer.h"
#include "store/raft_wire.h"
#include "store/replica.h"
#include "store/txn.h"

/* ---- asking ---- */

struct batch {
    struct links_frame frame;
    struct list node;
    struct replica *replica;
    uint64_t leader_id;
    uint64_t call;
    uint64_t deadline_ms;
    bool queued; /* the links hold the frame */
    bool left;   /* it was encoded: who knows how far it came */
    bool ended;
    size_t count;
    struct pending *writes[];
};

static void batch_free_unused(struct batch *b)
{
    if (b->ended && !b->queued)
        mem_free(b);
}

/* The answers are given, or to be given by the proposer. */
static void batch_end(struct batch *b)
{
    list_remove(&b->node);
    b->replica->writes.batches_count--;
    b->ended = true;
    batch_free_unused(b);
}

/* Back to the front of the queue: the last one first keeps their order. */
static void give_back(struct batch *b, struct pending *const *writes, size_t count)
{
    struct proposer *p = &b->replica->proposer;

    for (size_t i = count; i > 0; i--)
        proposer_return(p, writes[i - 1]);
    metric_add(group_metric(group_id(b->replica->group), GROUP_FORWARD_RETURNED), (int64_t)count);
}

/* No answer will come. */
static void give_up(struct batch *b)
{
    if (b->left) {
        metric_add(group_metric(group_id(b->replica->group), GROUP_FORWARD_FAILED),
                   (int64_t)b->count);
        for (size_t i = 0; i < b->count; i++)
            pending_fail(b->writes[i], -ERR_UNKNOWN_OUTCOME);
    } else {
        give_back(b, b->writes, b->count);
    }
    batch_end(b);
}

static void encode_batch(struct links_frame *f, struct buf *out)
{
    struct batch *b = container_of(f, struct batch, frame);
    uint64_t now = env_loop_now_ms(b->replica->loop);
    size_t begun;

    if (b->ended)
        return;
    b->left = true;
    buf_reserve(out, f->bytes);
    begun = wire_writes_begin(WIRE_FORWARD, b->call, (uint32_t)b->count, f->group, out);
    for (size_t i = 0; i < b->count; i++) {
        const struct pending *w = b->writes[i];
        uint64_t wait_ms = w->deadline_ms > now ? w->deadline_ms - now : 0;

        wire_forward_add(buf_str(&w->txn), wait_ms < UINT32_MAX ? (uint32_t)wait_ms : UINT32_MAX,
                         out);
    }
    wire_writes_end(begun, out);
}

static void on_batch_sent(struct links_frame *f, int status)
{
    struct batch *b = container_of(f, struct batch, frame);

    b->queued = false;
    if (b->ended)
        batch_free_unused(b);
    else if (status != 0)
        give_up(b);
}

bool writes_forward(struct replica *r, uint64_t leader_id, struct list *writes)
{
    size_t count = list_count(writes);
    struct batch *b;

    if (r->links == NULL || r->writes.batches_count >= WRITES_BATCHES_MAX)
        return false;
    b = mem_alloc(sizeof(*b) + count * sizeof(b->writes[0]));
    b->frame = (struct links_frame){ .group = group_id(r->group),
                                     .bytes = WIRE_HEADER_BYTES + WIRE_WRITES_HEAD_BYTES,
                                     .encode = encode_batch,
                                     .sent = on_batch_sent };
    list_foreach (node, writes) {
        b->writes[b->count] = container_of(node, struct pending, node);
        b->frame.bytes += WIRE_FORWARD_ITEM_BYTES + b->writes[b->count++]->txn.len;
    }
    if (!links_send_frame(r->links, leader_id, &b->frame)) {
        mem_free(b);
        return false;
    }
    while (list_pop(writes) != NULL)
        ;
    b->replica = r;
    b->leader_id = leader_id;
    b->call = ++r->writes.call;
    b->deadline_ms = env_loop_now_ms(r->loop) + WRITES_CALL_MS;
    b->queued = true;
    list_append(&r->writes.batches, &b->node);
    r->writes.batches_count++;
    return true;
}

static struct batch *batch_of(struct replica *r, uint64_t from, uint64_t call)
{
    list_foreach (node, &r->writes.batches) {
        struct batch *b = container_of(node, struct batch, node);

        if (b->call == call && b->leader_id == from && b->left)
            return b;
    }
    return NULL;
}

static int take_answers(struct replica *r, uint64_t from, struct wire_writes *frame, struct err *e)
{
    struct batch *b = batch_of(r, from, frame->call);
    struct store_result result;
    struct raft_view v;
    size_t returned = 0;

    if (b == NULL)
        return 0; /* given up meanwhile */
    if (frame->count != b->count)
        return err_set(e, ERR_PROTOCOL, "%u answers to %zu writes", frame->count, b->count);
    for (size_t i = 0; wire_forwarded_next(frame, &result); i++)
        if (result.status == -ERR_NOT_LEADER)
            b->writes[returned++] = b->writes[i];
        else
            pending_finish(b->writes[i], &result);
    give_back(b, b->writes, returned);
    batch_end(b);
    /* What was returned waits for the next turn of raft, unless another leader is known already. */
    raft_node_view(r->node, &v);
    if (returned == 0 || v.leader_id != from)
        proposer_kick(&r->proposer);
    return 0;
}

/* ---- answering ---- */

struct served {
    struct links_frame frame;
    struct list node;
    struct replica *replica;
    uint64_t from;
    uint64_t call;
    size_t waiting; /* of writes */
    size_t count;
    struct pending *writes[];
};

static void served_free(struct served *s)
{
    list_remove(&s->node);
    for (size_t i = 0; i < s->count; i++)
        pending_free(s->writes[i]);
    mem_free(s);
}

static void encode_answers(struct links_frame *f, struct buf *out)
{
    struct served *s = container_of(f, struct served, frame);
    size_t begun = wire_writes_begin(WIRE_FORWARDED, s->call, (uint32_t)s->count, f->group, out);

    for (size_t i = 0; i < s->count; i++)
        wire_forwarded_add(&s->writes[i]->result, out);
    wire_writes_end(begun, out);
}

static void on_answers_sent(struct links_frame *f, int status)
{
    (void)status; /* lost: so the asker hears of the connection */
    served_free(container_of(f, struct served, frame));
}

static void on_write_done(struct pending *w)
{
    struct served *s = w->priv;

    buf_deinit(&w->txn); /* the answer may wait for a slow connection */
    buf_init(&w->txn);
    if (--s->waiting > 0)
        return;
    s->frame = (struct links_frame){ .group = group_id(s->replica->group),
                                     .bytes = WIRE_HEADER_BYTES + WIRE_WRITES_HEAD_BYTES +
                                              s->count * WIRE_RESULT_BYTES,
                                     .encode = encode_answers,
                                     .sent = on_answers_sent };
    if (s->replica->links == NULL || !links_send_frame(s->replica->links, s->from, &s->frame))
        served_free(s);
}

static struct pending *new_write(struct served *s, struct str txn, uint32_t wait_ms)
{
    struct env_loop *loop = s->replica->loop;
    struct pending *w = pending_new();

    buf_append_str(&w->txn, txn);
    w->forwarded = true;
    w->loop = loop;
    w->deadline_ms = env_loop_now_ms(loop) +
                     (wait_ms < STORE_WRITE_TIMEOUT_MS ? wait_ms : STORE_WRITE_TIMEOUT_MS);
    w->done = on_write_done;
    w->priv = s;
    return w;
}

/* What goes into the log was checked here: a member cannot halt the others with nonsense. */
static int take_writes(struct served *s, struct wire_writes *frame, struct err *e)
{
    struct arena a;
    struct str bytes;
    uint32_t wait_ms;
    int rv = 0;

    arena_init(&a);
    while (rv == 0 && wire_forward_next(frame, &bytes, &wait_ms)) {
        struct store_txn txn;

        rv = txn_decode(bytes, &a, &txn, e);
        if (rv == 0 && txn_raises_above(&txn, group_level_max(s->replica->group)))
            rv = -ERR_PROTOCOL;
        if (rv == 0) {
            s->writes[s->count] = new_write(s, bytes, wait_ms);
            s->writes[s->count++]->level = txn_level(&txn);
        }
        arena_reset(&a);
    }
    arena_deinit(&a);
    return rv == 0 ? 0
                   : err_set(e, ERR_PROTOCOL,
                             "a forwarded write does not decode, or would halt members");
}

static int serve(struct replica *r, uint64_t from, struct wire_writes *frame, struct err *e)
{
    struct served *s = mem_alloc(sizeof(*s) + frame->count * sizeof(s->writes[0]));
    int rv;

    s->replica = r;
    s->from = from;
    s->call = frame->call;
    list_append(&r->writes.served, &s->node);
    rv = take_writes(s, frame, e);
    if (rv != 0) {
        served_free(s);
        return rv;
    }
    s->waiting = s->count;
    for (size_t i = 0; i < s->count; i++)
        proposer_submit(&r->proposer, s->writes[i]);
    return 0;
}

int writes_receive(struct replica *r, uint64_t from, const struct wire_writes *frame, struct err *e)
{
    struct wire_writes items = *frame;

    /* As a release before does, whose level this member was given (store_config). */
    if (group_level_max(r->group) < STORE_LEVEL_WRITES)
        return err_set(e, ERR_PROTOCOL, "a frame of a later release");
    return frame->type == WIRE_FORWARD ? serve(r, from, &items, e)
                                       : take_answers(r, from, &items, e);
}

/* ---- ends ---- */

void writes_lost(struct replica *r, uint64_t member_id)
{
    list_foreach_safe (node, &r->writes.batches) {
        struct batch *b = container_of(node, struct batch, node);

        if (b->leader_id == member_id && b->left)
            give_up(b);
    }
}

void writes_run(struct replica *r)
{
    uint64_t now = env_loop_now_ms(r->loop);

    list_foreach_safe (node, &r->writes.batches) {
        struct batch *b = container_of(node, struct batch, node);

        if (b->deadline_ms > now)
            break;
        give_up(b);
    }
}

void writes_stop(struct replica *r)
{
    list_foreach_safe (node, &r->writes.batches)
        give_up(container_of(node, struct batch, node));
}

void writes_init(struct writes *w, uint64_t call)
{
    *w = (struct writes){ .call = call };
    list_init(&w->batches);
    list_init(&w->served);
}

void writes_deinit(struct writes *w)
{
    ASSERT(list_empty(&w->batches));
    list_foreach_safe (node, &w->served)
        served_free(container_of(node, struct served, node));
}
