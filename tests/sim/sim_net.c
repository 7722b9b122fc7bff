/* Connections between members: order, latency, rate, loss. See sim.h. */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "tests/sim/sim.h"

#define FRAME_BYTES 64 /* of a message without its entries */
#define LOST_MS_MAX 300

const char *sim_address(raft_id id)
{
    static const char *const addresses[] = { "1", "2", "3", "4",  "5",  "6",
                                             "7", "8", "9", "10", "11", "12" };

    ASSERT(id >= 1 && id <= SIM_NODES_MAX);
    return addresses[id - 1];
}

void sim_servers_note(struct sim_configuration *to, const struct raft_configuration *from)
{
    ASSERT(from->n <= SIM_NODES_MAX);
    to->n = from->n;
    for (unsigned i = 0; i < from->n; i++) {
        to->ids[i] = from->servers[i].id;
        to->roles[i] = from->servers[i].role;
    }
}

void sim_servers_make(const struct sim_configuration *from, struct raft_configuration *to)
{
    raft_configuration_init(to);
    for (unsigned i = 0; i < from->n; i++) {
        int rv =
            raft_configuration_add(to, from->ids[i], sim_address(from->ids[i]), from->roles[i]);

        ASSERT(rv == 0);
    }
}

/* ---- links ---- */

static void lose_link(struct sim *s, unsigned from, unsigned to, enum sim_channel channel)
{
    struct sim_link *link = &s->links[from][to][channel];

    link->life++;
    link->busy = s->now;
    link->due = s->now;
    if (channel == SIM_BULK)
        sim_post(s, SIM_LOST, from, s->now + 1 + sim_draw(s, LOST_MS_MAX))->from = to;
}

void sim_net_reset(struct sim *s)
{
    for (unsigned i = 0; i < s->n; i++)
        for (unsigned j = 0; j < s->n; j++)
            lose_link(s, i, j, SIM_BULK);
}

/* ---- sending ---- */

/* The event owns its copies until delivery. */
static void copy_entries(struct raft_append_entries *to, const struct raft_append_entries *from)
{
    *to = *from;
    to->entries = NULL;
    if (from->n_entries == 0)
        return;
    to->entries = mem_alloc(from->n_entries * sizeof(*to->entries));
    for (unsigned i = 0; i < from->n_entries; i++) {
        to->entries[i] = from->entries[i];
        to->entries[i].batch = NULL;
        to->entries[i].buf.base = mem_dup(from->entries[i].buf.base, from->entries[i].buf.len);
    }
}

void sim_event_free(struct sim_event *e)
{
    struct raft_append_entries *a = &e->message.append_entries;

    if (e->type == SIM_DELIVER && e->message.type == RAFT_IO_APPEND_ENTRIES) {
        for (unsigned i = 0; i < a->n_entries; i++)
            mem_free(a->entries[i].buf.base);
        mem_free(a->entries);
    }
    mem_free(e);
}

static bool has_entries(const struct raft_message *m)
{
    return m->type == RAFT_IO_APPEND_ENTRIES && m->append_entries.n_entries > 0;
}

static size_t size_of(const struct raft_message *m)
{
    size_t bytes = FRAME_BYTES;

    if (has_entries(m))
        for (unsigned i = 0; i < m->append_entries.n_entries; i++)
            bytes += m->append_entries.entries[i].buf.len;
    return bytes;
}

static void check_message(struct sim_node *n, const struct raft_message *m)
{
    struct sim *s = n->sim;

    if (m->type == RAFT_IO_REQUEST_VOTE && !s->harm_only &&
        m->request_vote.last_log_index > sim_disk_last(&n->disk))
        sim_fail(s, "member %u asks for votes with index %llu but has stored %llu", n->index + 1,
                 m->request_vote.last_log_index, sim_disk_last(&n->disk));
    if (m->type == RAFT_IO_INSTALL_SNAPSHOT && s->no_offers)
        sim_fail(s, "member %u offers a snapshot although its log holds what is missing",
                 n->index + 1);
    if (has_entries(m))
        s->entries_sent += m->append_entries.n_entries;
}

static void post_message(struct sim_node *n, unsigned to, enum sim_channel channel,
                         const struct raft_message *m, uint64_t due)
{
    struct sim *s = n->sim;
    struct sim_event *e = sim_post(s, SIM_DELIVER, to, due);

    e->from = n->index;
    e->channel = channel;
    e->life = s->links[n->index][to][channel].life;
    e->message = *m;
    if (m->type == RAFT_IO_APPEND_ENTRIES)
        copy_entries(&e->message.append_entries, &m->append_entries);
    if (m->type == RAFT_IO_INSTALL_SNAPSHOT) {
        sim_servers_note(&e->servers, &m->install_snapshot.conf);
        memcpy(&e->manifest, m->install_snapshot.data.base, sizeof(e->manifest));
    }
}

static void post_delivery(struct sim_node *n, unsigned to, enum sim_channel channel,
                          const struct raft_message *m)
{
    struct sim *s = n->sim;
    struct sim_link *link = &s->links[n->index][to][channel];
    uint64_t due = link->busy + n->net_ms + (channel == SIM_BULK ? n->bulk_ms : 0);

    if (due < link->due)
        due = link->due;
    link->due = due;
    post_message(n, to, channel, m, due);
    if (s->doubles == 0 || sim_draw(s, 100) >= s->doubles)
        return;
    s->counters.doubled++;
    post_message(n, to, channel, m, due + sim_draw(s, s->double_ms + 1));
}

int sim_net_send(struct raft_io *io, struct raft_io_send *req, const struct raft_message *m,
                 raft_io_send_cb cb)
{
    struct sim_node *n = io->impl;
    struct sim *s = n->sim;
    unsigned to = (unsigned)(m->server_id - 1);
    bool bulk = has_entries(m) || m->type == RAFT_IO_INSTALL_SNAPSHOT;
    enum sim_channel channel = bulk ? SIM_BULK : SIM_URGENT;
    struct sim_link *link;
    size_t bytes = size_of(m);
    struct sim_event *sent;

    ASSERT(m->server_id >= 1 && to < s->n);
    if (n->fail_sends > 0) {
        n->fail_sends--;
        s->counters.refused++;
        return RAFT_IOERR;
    }
    if (s->refuses && (!s->nodes[to].up || s->cut[n->index][to])) {
        s->counters.refused++;
        return RAFT_NOCONNECTION;
    }
    check_message(n, m);
    s->counters.messages++;
    req->cb = cb;
    link = &s->links[n->index][to][channel];
    if (link->busy < s->now)
        link->busy = s->now;
    if (bulk && n->bulk_rate != 0)
        link->busy += bytes / n->bulk_rate;
    sent = sim_post(s, SIM_SENT, n->index, s->nodes[to].up ? link->busy : s->now);
    sent->sent = req;
    sent->status = s->nodes[to].up ? 0 : RAFT_NOCONNECTION;
    sent->from = to;
    sent->channel = channel;
    sent->life = link->life;
    sent->bytes = bytes - FRAME_BYTES;
    link->queued += sent->bytes;
    if (bulk && link->queued > s->queued_max)
        s->queued_max = link->queued;
    /* Now and then a message is lost although its connection lives. */
    if (sent->status == 0 && ((n->lose_to & 1u << to) == 0 || !has_entries(m)))
        post_delivery(n, to, channel, m);
    else
        s->counters.lost++;
    return 0;
}

void sim_net_sent(struct sim_node *n, struct sim_event *e)
{
    struct sim_link *link = &n->sim->links[n->index][e->from][e->channel];

    if (e->life != link->life && e->status == 0)
        e->status = RAFT_NOCONNECTION;
    if (e->sent->cb != NULL)
        e->sent->cb(e->sent, e->status);
}

/* ---- receiving ---- */

/* Entries reach libraft as links.h gives them: one array, one batch, both its own from here on. */
static void own_entries(struct raft_append_entries *a)
{
    const struct raft_entry *from = a->entries;
    size_t bytes = 0;
    uint8_t *at;

    if (a->n_entries == 0)
        return;
    for (unsigned i = 0; i < a->n_entries; i++)
        bytes += from[i].buf.len;
    a->entries = raft_malloc(a->n_entries * sizeof(*a->entries));
    at = raft_malloc(bytes);
    for (unsigned i = 0; i < a->n_entries; i++) {
        a->entries[i] = from[i];
        a->entries[i].batch = i == 0 ? at : a->entries[0].batch;
        a->entries[i].buf.base = at;
        memcpy(at, from[i].buf.base, from[i].buf.len);
        at += from[i].buf.len;
    }
}

void sim_net_deliver(struct sim_node *n, struct sim_event *e)
{
    struct sim *s = n->sim;
    struct raft_message m = e->message;

    if (e->life != s->links[e->from][n->index][e->channel].life) {
        s->counters.lost++;
        return;
    }
    if (!n->up || s->cut[e->from][n->index]) {
        s->counters.lost++;
        lose_link(s, e->from, n->index, e->channel);
        return;
    }
    m.server_id = e->from + 1;
    m.server_address = sim_address(m.server_id);
    if (m.type == RAFT_IO_APPEND_ENTRIES)
        own_entries(&m.append_entries);
    if (m.type == RAFT_IO_INSTALL_SNAPSHOT) {
        sim_servers_make(&e->servers, &m.install_snapshot.conf);
        m.install_snapshot.data.base = raft_malloc(sizeof(e->manifest));
        m.install_snapshot.data.len = sizeof(e->manifest);
        memcpy(m.install_snapshot.data.base, &e->manifest, sizeof(e->manifest));
    }
    n->recv(&n->backend, &m);
}
