/* See the header. One function looks; the timer and the turns of raft call it. */
#include "store/handover.h"

#include "base/err.h"
#include "store/raft_node.h"

static void end(struct handover *h, int status)
{
    void (*done)(void *ctx, int status) = h->done;

    env_timer_stop(&h->timer);
    h->done = NULL;
    done(h->ctx, status);
}

static void look(struct handover *h)
{
    struct raft_view v;

    raft_node_view(h->node, &v);
    h->led |= v.leading;
    if (!v.leading && (v.leader_id != 0 || (!h->led && !h->settle))) {
        end(h, 0);
    } else if (v.leading && raft_node_successor(h->node) == 0) {
        end(h, -ERR_NOT_FOUND);
    } else if (env_loop_now_ms(h->loop) - h->began_ms >= HANDOVER_MS) {
        end(h, h->led ? -ERR_TIMEOUT : 0);
    } else {
        raft_node_transfer(h->node, 0); /* nothing happens while one is under way */
        env_timer_start(&h->timer, HANDOVER_POLL_MS);
    }
}

static void on_timer(struct env_timer *t)
{
    look(container_of(t, struct handover, timer));
}

void handover_init(struct handover *h, struct env_loop *loop)
{
    *h = (struct handover){ .loop = loop };
    env_timer_init(loop, &h->timer, on_timer);
}

void handover_deinit(struct handover *h)
{
    h->done = NULL;
    env_timer_deinit(&h->timer);
}

void handover_begin(struct handover *h, struct raft_node *node, bool settle,
                    void (*done)(void *ctx, int status), void *ctx)
{
    struct raft_view v;

    if (h->done != NULL)
        end(h, -ERR_CANCELED);
    raft_node_view(node, &v);
    h->node = node;
    h->led = v.leading;
    h->settle = settle;
    h->began_ms = env_loop_now_ms(h->loop);
    h->done = done;
    h->ctx = ctx;
    env_timer_start(&h->timer, 0);
}

void handover_turn(struct handover *h)
{
    if (h->done != NULL)
        look(h);
}
