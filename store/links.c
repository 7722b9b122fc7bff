/*
 * See links.h. Life, the roster, queues, and what is told back.
 *
 * Everything that is told back (callbacks of messages, lost) goes through one list that one posted
 * message drains, in order: so nothing runs inside a call, and links_set_members may be called from
 * anywhere.
 *
 * On close: queues are finished with RAFT_CANCELED, the listener closes, connections and attempts
 * are cut. links->live counts those and the posted drain; closed runs when it is zero.
 */
#include "store/links.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "store/links_impl.h"
#include "store/peers.h"

const char *link_kind_name(enum link_kind kind)
{
    return kind == LINK_BULK ? "entries" : "urgent";
}

/* ---- gauges ---- */

static void publish(struct link_gauge *g, const struct links_stats *s)
{
    atomic_store_explicit(&g->member_id, s->member_id, memory_order_relaxed);
    atomic_store_explicit(&g->connected, s->connected, memory_order_relaxed);
    atomic_store_explicit(&g->queued_bytes, s->queued_bytes, memory_order_relaxed);
    atomic_store_explicit(&g->sent_bytes, s->sent_bytes, memory_order_relaxed);
    atomic_store_explicit(&g->received_bytes, s->received_bytes, memory_order_relaxed);
    atomic_store_explicit(&g->reconnects, s->reconnects, memory_order_relaxed);
}

void link_peer_publish(struct link_peer *p)
{
    struct links_stats s = { .member_id = p->member.id,
                             .connected = link_slot_is_open(&p->slots[LINK_URGENT]),
                             .sent_bytes = p->sent_bytes,
                             .received_bytes = p->received_bytes,
                             .reconnects = p->reconnects };

    for (int i = 0; i < LINK_KINDS; i++)
        s.queued_bytes += p->slots[i].queued_bytes;
    publish(&p->links->gauges[p->position], &s);
    link_metrics_set(p->metrics, &s);
}

size_t links_stats(struct links *l, struct links_stats out[STORE_MEMBERS_MAX])
{
    size_t count = atomic_load(&l->gauges_count);

    for (size_t i = 0; i < count; i++) {
        struct link_gauge *g = &l->gauges[i];

        out[i] = (struct links_stats){
            .member_id = atomic_load_explicit(&g->member_id, memory_order_relaxed),
            .connected = atomic_load_explicit(&g->connected, memory_order_relaxed),
            .queued_bytes = atomic_load_explicit(&g->queued_bytes, memory_order_relaxed),
            .sent_bytes = atomic_load_explicit(&g->sent_bytes, memory_order_relaxed),
            .received_bytes = atomic_load_explicit(&g->received_bytes, memory_order_relaxed),
            .reconnects = atomic_load_explicit(&g->reconnects, memory_order_relaxed)
        };
    }
    return count;
}

void links_tell_refused(struct links *l, const char *address, struct str who, const char *why)
{
    uint64_t now = env_loop_now_ms(l->config.loop);

    l->refused++;
    if (now < l->refused_quiet_ms)
        return;
    log_warn("connection refused", KV("address", address), KVS("certificate", who),
             KV("reason", why), KVN("refused", l->refused));
    l->refused = 0;
    l->refused_quiet_ms = now + LINKS_QUIET_MS;
}

/* ---- telling back ---- */

void links_unlive(struct links *l)
{
    void (*closed)(void *ctx) = l->closed;
    void *ctx = l->closed_ctx;

    ASSERT(l->live > 0);
    l->live--;
    if (l->live > 0 || !l->closing)
        return;
    ASSERT(list_empty(&l->finished));
    tls_context_unref(l->server_tls);
    tls_context_unref(l->client_tls);
    transport_scratch_deinit(&l->scratch);
    mem_free(l);
    closed(ctx);
}

static void run_finished(struct links *l, const struct link_send *s)
{
    if (s->news == LINK_NO_NEWS && s->frame != NULL)
        s->frame->sent(s->frame, s->status);
    else if (s->news == LINK_NO_NEWS)
        s->cb(s->req, s->status);
    else if (!l->closing)
        (s->news == LINK_GONE   ? l->config.gone
         : s->news == LINK_LOST ? l->config.lost
                                : l->config.lost_from)(l->config.ctx, s->message.server_id);
}

static void on_finished(struct env_msg *m)
{
    struct links *l = container_of(m, struct links, msg);
    struct list now;

    l->posted = false;
    list_init(&now);
    list_move(&now, &l->finished);
    for (struct list *node = list_pop(&now); node != NULL; node = list_pop(&now)) {
        struct link_send *s = container_of(node, struct link_send, node);
        struct link_send now_done = *s;

        mem_free(s);
        run_finished(l, &now_done);
    }
    links_unlive(l);
}

static void post(struct links *l)
{
    if (l->posted)
        return;
    l->posted = true;
    l->live++;
    env_post(l->config.loop, &l->msg, on_finished);
}

void links_finish(struct links *l, struct link_send *s, int status)
{
    if (wire_is_read((uint8_t)s->read.type)) {
        mem_free(s);
        return;
    }
    s->status = status;
    list_append(&l->finished, &s->node);
    post(l);
}

void links_tell(struct links *l, uint64_t member_id, enum link_news news)
{
    struct link_send *s = mem_alloc(sizeof(*s));

    s->message.server_id = member_id;
    s->news = news;
    links_finish(l, s, 0);
}

/* ---- the roster ---- */

static struct link_peer *peer_new(struct links *l, const struct store_member *m, size_t position)
{
    struct link_peer *p = mem_alloc(sizeof(*p));

    p->links = l;
    p->member = *m;
    p->position = position;
    p->metrics = link_metrics_of(m->name);
    (void)snprintf(p->tls_name, sizeof(p->tls_name), "%s%s", LINKS_NAME_PREFIX, m->name);
    for (int i = 0; i < LINK_KINDS; i++)
        link_slot_init(&p->slots[i], p, (enum link_kind)i);
    return p;
}

static void peer_free(struct link_peer *p, int status)
{
    for (int i = 0; i < LINK_KINDS; i++) {
        link_slot_deinit(&p->slots[i], status);
        if (p->in[i] != NULL)
            link_in_forget(p->in[i]);
    }
    mem_free(p);
}

static bool is_same(const struct link_peer *p, const struct store_member *m)
{
    return p != NULL && p->member.id == m->id && strcmp(p->member.name, m->name) == 0 &&
           strcmp(p->member.raft_address, m->raft_address) == 0;
}

/* The peer of the old roster that is this very member, taken out of it. */
static struct link_peer *take_same(struct link_peer *old[STORE_MEMBERS_MAX],
                                   const struct store_member *m)
{
    for (size_t i = 0; i < STORE_MEMBERS_MAX; i++)
        if (is_same(old[i], m)) {
            struct link_peer *p = old[i];

            old[i] = NULL;
            return p;
        }
    return NULL;
}

void links_set_members(struct links *l, const struct store_member *members, size_t count)
{
    struct link_peer *old[STORE_MEMBERS_MAX];

    ASSERT(count <= STORE_MEMBERS_MAX);
    if (l->closing)
        return;
    memcpy(old, l->peers, sizeof(old));
    memset(l->peers, 0, sizeof(l->peers));
    l->peers_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct store_member *m = &members[i];

        if (m->id == l->config.member_id) {
            memcpy(l->own_name, m->name, sizeof(l->own_name));
            publish(&l->gauges[i], &(struct links_stats){ .member_id = m->id });
            continue;
        }
        l->peers[i] = take_same(old, m);
        if (l->peers[i] == NULL)
            l->peers[i] = peer_new(l, m, i);
        l->peers[i]->member = *m; /* what is said outside Raft may have moved */
        l->peers[i]->position = i;
        link_peer_publish(l->peers[i]);
    }
    atomic_store(&l->gauges_count, count);
    for (size_t i = 0; i < STORE_MEMBERS_MAX; i++)
        if (old[i] != NULL) {
            link_metrics_hide(old[i]->metrics);
            peer_free(old[i], RAFT_NOCONNECTION);
        }
}

/* ---- sending ---- */

static bool is_bulk(const struct raft_message *m)
{
    return m->type == RAFT_IO_INSTALL_SNAPSHOT ||
           (m->type == RAFT_IO_APPEND_ENTRIES && m->append_entries.n_entries > 0);
}

/* NULL: nothing can be sent there. */
static struct link_slot *slot_for(struct links *l, uint64_t member_id, enum link_kind kind)
{
    for (size_t i = 0; !l->closing && i < l->peers_count; i++)
        if (l->peers[i] != NULL && l->peers[i]->member.id == member_id)
            return link_slot_is_open(&l->peers[i]->slots[kind]) ? &l->peers[i]->slots[kind] : NULL;
    return NULL;
}

static bool queue(struct link_slot *slot, const struct link_send *send)
{
    size_t bytes_max = slot->kind == LINK_BULK ? LINKS_QUEUE_BYTES_MAX : LINKS_URGENT_BYTES_MAX;
    struct link_send *s;

    if (slot->queued_bytes > 0 && slot->queued_bytes + send->bytes > bytes_max)
        return false;
    s = mem_dup(send, sizeof(*send));
    list_append(&slot->queue[send->group == STORE_CLUSTER ? 0 : 1], &s->node);
    slot->queued_bytes += s->bytes;
    link_peer_publish(slot->peer);
    link_slot_wake(slot);
    return true;
}

int links_send(struct links *l, enum store_group_id group, struct raft_io_send *req,
               const struct raft_message *m, raft_io_send_cb cb)
{
    struct link_slot *slot = slot_for(l, m->server_id, is_bulk(m) ? LINK_BULK : LINK_URGENT);
    struct link_send s = { .req = req, .cb = cb, .group = group, .message = *m };

    ASSERT(group == STORE_CLUSTER || group == STORE_BUS);
    ASSERT(cb != NULL);
    if (slot == NULL || !wire_fits(m))
        return RAFT_NOCONNECTION;
    /* Small messages cost their bookkeeping. */
    s.bytes = wire_bytes(m) + sizeof(s);
    return queue(slot, &s) ? 0 : RAFT_NOCONNECTION;
}

bool links_send_read(struct links *l, enum store_group_id group, uint64_t member_id,
                     const struct wire_read *read)
{
    struct link_slot *slot = slot_for(l, member_id, LINK_URGENT);
    struct link_send s = { .group = group, .read = *read, .bytes = sizeof(s) };

    ASSERT(group == STORE_CLUSTER || group == STORE_BUS);
    ASSERT(wire_is_read((uint8_t)read->type));
    return slot != NULL && queue(slot, &s);
}

bool links_send_frame(struct links *l, uint64_t member_id, struct links_frame *f)
{
    struct link_slot *slot = slot_for(l, member_id, LINK_BULK);
    struct link_send s = { .group = f->group, .frame = f, .bytes = f->bytes + sizeof(s) };

    ASSERT(f->group == STORE_CLUSTER || f->group == STORE_BUS);
    return slot != NULL && queue(slot, &s);
}

/* ---- life ---- */

static int load_tls(struct links *l, struct err *e)
{
    static const char *const alpn[] = { LINKS_ALPN, NULL };
    const struct links_config *c = &l->config;
    const struct peers_tls_files files = { c->env, c->ca_file, c->cert_file, c->key_file };

    return peers_tls(&files, alpn, &l->server_tls, &l->client_tls, e);
}

int links_open(const struct links_config *config, struct links **out, struct err *e)
{
    struct links *l = mem_alloc(sizeof(*l));
    int rv = 0;

    l->config = *config;
    link_metrics_register();
    list_init(&l->ins);
    list_init(&l->finished);
    transport_scratch_init(&l->scratch);
    if (!config->simulated)
        rv = load_tls(l, e);
    if (rv == 0 && config->listen_address != NULL)
        rv = env_listen(config->loop, config->listen_address, false, links_on_accept, l,
                        &l->listener, e);
    if (rv != 0) {
        tls_context_unref(l->server_tls);
        tls_context_unref(l->client_tls);
        transport_scratch_deinit(&l->scratch);
        mem_free(l);
        return err_wrap(e, rv, "raft's connections");
    }
    *out = l;
    return 0;
}

void links_cancel(struct links *l, enum store_group_id group)
{
    for (size_t i = 0; i < STORE_MEMBERS_MAX; i++)
        for (int kind = 0; l->peers[i] != NULL && kind < LINK_KINDS; kind++)
            link_slot_cancel(&l->peers[i]->slots[kind], group);
}

int links_port(const struct links *l)
{
    return l->listener != NULL ? env_listener_port(l->listener) : 0;
}

void links_close(struct links *l, void (*closed)(void *ctx), void *ctx)
{
    struct link_peer *old[STORE_MEMBERS_MAX];

    ASSERT(!l->closing);
    l->closing = true;
    l->closed = closed;
    l->closed_ctx = ctx;
    if (l->listener != NULL)
        env_listener_close(l->listener);
    l->listener = NULL;
    memcpy(old, l->peers, sizeof(old));
    memset(l->peers, 0, sizeof(l->peers));
    links_cut_ins(l);
    for (size_t i = 0; i < STORE_MEMBERS_MAX; i++)
        if (old[i] != NULL)
            peer_free(old[i], RAFT_CANCELED);
    post(l); /* so that closed never runs inside this call */
}
