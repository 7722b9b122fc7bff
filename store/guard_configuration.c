/*
 * See guard.h: the membership (G15 to G18).
 *
 * The guard keeps its own copies of the newest configuration in the log and of the one before it.
 * More are never needed: a leader appends a configuration only when the one before is committed.
 */
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "store/guard_parts.h"

#define ENCODING_FORMAT 1

/* ---- libraft's encoding: {u8 format, le64 n, n times {le64 id, string, u8 role}} ---- */

static bool decode_server(const uint8_t **at, const uint8_t *end, struct raft_configuration *out)
{
    const char *address;
    const uint8_t *zero;
    raft_id id;

    if (end - *at < 8)
        return false;
    id = load_le64(*at);
    address = (const char *)*at + 8;
    zero = memchr(address, 0, (size_t)(end - *at) - 8);
    if (id == 0 || zero == NULL || end - zero < 2 ||
        zero - (const uint8_t *)address >= GUARD_ADDRESS_BYTES_MAX)
        return false;
    *at = zero + 2;
    return raft_configuration_add(out, id, address, zero[1]) == 0;
}

bool guard_configuration_decode(const struct raft_buffer *buf, struct raft_configuration *out)
{
    const uint8_t *at = buf->base;
    const uint8_t *end = at + buf->len;
    uint64_t n;

    raft_configuration_init(out);
    if (buf->len < 9 || at[0] != ENCODING_FORMAT)
        return false;
    n = load_le64(at + 1);
    at += 9;
    for (uint64_t i = 0; i < n; i++) {
        if (i < GUARD_SERVERS_MAX && decode_server(&at, end, out))
            continue;
        raft_configuration_close(out);
        raft_configuration_init(out);
        return false;
    }
    return n > 0;
}

/* ---- G16 ---- */

static void copy_servers(const struct raft_configuration *from, struct raft_configuration *to)
{
    raft_configuration_init(to);
    for (unsigned i = 0; i < from->n; i++) {
        int rv = raft_configuration_add(to, from->servers[i].id, from->servers[i].address,
                                        from->servers[i].role);

        ASSERT(rv == 0);
    }
}

static void forget(struct guard_configuration *c)
{
    if (c->known)
        raft_configuration_close(&c->servers);
    *c = (struct guard_configuration){ 0 };
}

void guard_configuration_close(struct guard *g)
{
    forget(&g->newest);
    forget(&g->before);
}

static void begin_with(struct guard *g, raft_index index, const struct raft_configuration *servers)
{
    guard_configuration_close(g);
    if (servers->n == 0)
        return;
    g->newest.known = true;
    g->newest.index = index;
    copy_servers(servers, &g->newest.servers);
}

static void push(struct guard *g, raft_index index, const struct raft_buffer *buf)
{
    struct raft_configuration servers;

    if (!guard_configuration_decode(buf, &servers)) {
        guard_fatal(g, "the log holds a configuration that is none", RAFT_MALFORMED);
        return;
    }
    if (g->newest.known && index <= g->newest.index) {
        /* A snapshot's entries behind it: the configuration is the snapshot's already. */
        raft_configuration_close(&servers);
        return;
    }
    forget(&g->before);
    g->before = g->newest;
    g->newest = (struct guard_configuration){ .known = true, .index = index, .servers = servers };
}

void guard_configuration_appended(struct guard *g, raft_index first,
                                  const struct raft_entry *entries, unsigned n)
{
    for (unsigned i = 0; i < n && !g->dead; i++)
        if (entries[i].type == RAFT_CHANGE)
            push(g, first + i, &entries[i].buf);
}

void guard_configuration_loaded(struct guard *g, const struct raft_snapshot *snapshot,
                                raft_index start, const struct raft_entry *entries, size_t count)
{
    if (snapshot != NULL)
        begin_with(g, snapshot->configuration_index, &snapshot->configuration);
    for (size_t i = 0; i < count && !g->dead; i++)
        if (entries[i].type == RAFT_CHANGE)
            push(g, start + i, &entries[i].buf);
}

/* What is not known to be committed may be rolled back. */
void guard_configuration_started(struct guard *g)
{
    struct raft *r = g->raft;

    if (!g->newest.known || g->newest.index <= r->commit_index)
        return;
    r->configuration_uncommitted_index = g->newest.index;
    r->configuration_index = g->before.index;
}

void guard_configuration_truncated(struct guard *g, raft_index index)
{
    if (!g->newest.known || g->newest.index < index)
        return;
    forget(&g->newest);
    g->newest = g->before;
    g->before = (struct guard_configuration){ 0 };
}

/* The library's own uncommitted mark is of a log that is gone. */
void guard_configuration_installed(struct guard *g)
{
    struct raft *r = g->raft;

    if (guard_rule(g, GUARD_CONFIGURATION))
        r->configuration_uncommitted_index = 0;
    begin_with(g, r->configuration_index, &r->configuration);
}

/* Where the library will truncate its log for these entries; 0: nowhere. A leader will too, having
 * stepped down for the message's term. */
static raft_index conflict_of(const struct raft *r, const struct raft_append_entries *a)
{
    if (a->term < r->current_term ||
        (a->prev_log_index != 0 && guard_term_of(r, a->prev_log_index) != a->prev_log_term))
        return 0;
    for (unsigned i = 0; i < a->n_entries; i++) {
        raft_index index = a->prev_log_index + 1 + i;
        raft_term term = guard_term_of(r, index);

        if (term == 0)
            return 0;
        if (term != a->entries[i].term)
            return index;
    }
    return 0;
}

void guard_configuration_conflict(struct guard *g, const struct raft_append_entries *a)
{
    struct raft *r = g->raft;
    raft_index index = r->configuration_uncommitted_index != 0 ? conflict_of(r, a) : 0;

    if (index == 0 || r->configuration_uncommitted_index < index)
        return;
    raft_configuration_close(&r->configuration);
    copy_servers(&g->before.servers, &r->configuration);
    r->configuration_index = g->before.index;
    r->configuration_uncommitted_index = 0;
}

/* ---- votes ---- */

bool guard_is_sole_voter(const struct raft *r)
{
    unsigned voters = 0;
    bool self = false;

    for (unsigned i = 0; i < r->configuration.n; i++) {
        const struct raft_server *server = &r->configuration.servers[i];

        voters += server->role == RAFT_VOTER ? 1 : 0;
        self = self || (server->role == RAFT_VOTER && server->id == r->id);
    }
    return self && voters == 1;
}

bool guard_will_elect_itself(const struct guard *g)
{
    const struct raft *r = g->raft;

    return r->state == RAFT_FOLLOWER && guard_is_sole_voter(r) &&
           g->backend->time(g->backend) - r->election_timer_start >=
               r->follower_state.randomized_election_timeout;
}

void guard_begin_term(struct guard *g)
{
    struct raft *r = g->raft;

    if (guard_set_term(&g->io, r->current_term + 1) != 0 || guard_set_vote(&g->io, r->id) != 0)
        return;
    r->current_term++;
    r->voted_for = r->id;
}

/* G15: the vote of this term is given, but the library would give it again to a transferee. */
static bool would_vote_twice(const struct raft *r, const struct raft_request_vote *v)
{
    return !v->pre_vote && v->term == r->current_term && r->voted_for != 0 &&
           r->voted_for != v->candidate_id && r->transfer != NULL;
}

static struct raft_server *own_server(struct raft *r)
{
    for (unsigned i = 0; i < r->configuration.n; i++)
        if (r->configuration.servers[i].id == r->id)
            return &r->configuration.servers[i];
    return NULL;
}

void guard_receive_vote(struct guard *g, struct raft_message *m)
{
    struct raft *r = g->raft;
    struct raft_server *self = own_server(r);
    int role;

    if (guard_rule(g, GUARD_ONE_VOTE) && would_vote_twice(r, &m->request_vote))
        return;
    if (!guard_rule(g, GUARD_VOTE_ANYWAY) || self == NULL || self->role == RAFT_VOTER ||
        r->state != RAFT_FOLLOWER) {
        g->recv(&g->io, m);
        return;
    }
    /* Who does not campaign does not forget its leader either. */
    if (g->backend->time(g->backend) - r->election_timer_start >= r->election_timeout)
        r->follower_state.current_leader.id = 0;
    role = self->role;
    self->role = RAFT_VOTER;
    g->recv(&g->io, m);
    self->role = role;
}
