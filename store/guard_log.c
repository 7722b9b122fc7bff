/* What the guard reads in the library's memory and messages: no state, no effects. */
#include <string.h>

#include "base/assert.h"
#include "store/guard.h"

/* The version this file was written against. A different layout means a different library. */
_Static_assert(offsetof(struct raft, current_term) == 48, "libraft 0.15.0");
_Static_assert(offsetof(struct raft, commit_index) == 184, "libraft 0.15.0");
_Static_assert(offsetof(struct raft, last_stored) == 200, "libraft 0.15.0");
_Static_assert(offsetof(struct raft, state) == 208, "libraft 0.15.0");
_Static_assert(sizeof(struct raft_log) == 72, "libraft 0.15.0");
_Static_assert(sizeof(struct raft_progress) == 56, "libraft 0.15.0");

static size_t log_count(const struct raft_log *l)
{
    if (l->front <= l->back)
        return l->back - l->front;
    return l->size - l->front + l->back;
}

static const struct raft_entry *log_entry(const struct raft_log *l, raft_index index)
{
    size_t count = log_count(l);

    if (index <= l->offset || index > l->offset + count)
        return NULL;
    return &l->entries[(l->front + (size_t)(index - 1 - l->offset)) % l->size];
}

raft_term guard_term_of(const struct raft *r, raft_index index)
{
    const struct raft_entry *entry = log_entry(&r->log, index);

    if (entry != NULL)
        return entry->term;
    return index != 0 && index == r->log.snapshot.last_index ? r->log.snapshot.last_term : 0;
}

uint64_t guard_leader(const struct guard *g)
{
    const struct raft *r = g->raft;

    if (r->state == RAFT_LEADER)
        return r->id;
    return r->state == RAFT_FOLLOWER ? r->follower_state.current_leader.id : 0;
}

unsigned guard_log_tail(const struct raft *r, size_t bytes, unsigned entries)
{
    size_t count = log_count(&r->log);
    size_t sum = 0;
    unsigned taken = 0;

    while (taken < count && taken < entries) {
        const struct raft_entry *entry = log_entry(&r->log, r->log.offset + count - taken);

        ASSERT(entry != NULL);
        sum += entry->buf.len + sizeof(*entry);
        if (sum > bytes)
            break;
        taken++;
    }
    return taken;
}

unsigned guard_rule_named(const char *name)
{
    static const char *const names[] = { "G1", "G2", "G3",  "G4",  "G5",  "G7",
                                         "G8", "G9", "G10", "G11", "G12", "G13" };
    static const unsigned rules[] = { GUARD_ACK_CLAMP,      GUARD_OWN_TERM,    GUARD_COMMIT_MATCH,
                                      GUARD_CANCEL_STALE,   GUARD_WRITE_FATAL, GUARD_VOTE_STORED,
                                      GUARD_SNAPSHOT_ORDER, GUARD_LATE_TICK,   GUARD_EDGES,
                                      GUARD_WINDOW,         GUARD_PROBE_END,   GUARD_TELL_COMMIT };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return rules[i];
    return 0;
}

/* The highest index that a quorum of voters has, were `sender` to match `match`. */
raft_index guard_quorum_match(const struct raft *r, raft_id sender, raft_index match)
{
    raft_index have[GUARD_PEERS_MAX];
    unsigned voters = 0;

    for (unsigned i = 0; i < r->configuration.n; i++) {
        const struct raft_server *server = &r->configuration.servers[i];
        raft_index index = r->leader_state.progress[i].match_index;
        unsigned at;

        if (server->role != RAFT_VOTER || voters == GUARD_PEERS_MAX)
            continue;
        if (server->id == sender && match > index)
            index = match;
        for (at = voters; at > 0 && have[at - 1] < index; at--)
            have[at] = have[at - 1];
        have[at] = index;
        voters++;
    }
    return voters == 0 ? 0 : have[voters / 2];
}

void guard_log_repack(struct raft_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct raft_entry *e = &entries[i];
        void *batch = e->batch;
        void *own;

        if (batch == NULL)
            continue;
        own = raft_malloc(e->buf.len);
        ASSERT(own != NULL);
        memcpy(own, e->buf.base, e->buf.len);
        e->buf.base = own;
        e->batch = NULL;
        /* A batch's entries follow each other. */
        if (i + 1 == count || entries[i + 1].batch != batch)
            raft_free(batch);
    }
}

/* ---- messages ---- */

void guard_drop_message(struct raft_message *m)
{
    if (m->type == RAFT_IO_APPEND_ENTRIES && m->append_entries.entries != NULL) {
        /* All entries of one received message share one batch. */
        if (m->append_entries.n_entries > 0)
            raft_free(m->append_entries.entries[0].batch);
        raft_free(m->append_entries.entries);
    } else if (m->type == RAFT_IO_INSTALL_SNAPSHOT) {
        raft_configuration_close(&m->install_snapshot.conf);
        raft_free(m->install_snapshot.data.base);
    }
}

static bool sender_is_member(const struct raft *r, raft_id id)
{
    for (unsigned i = 0; i < r->configuration.n; i++)
        if (r->configuration.servers[i].id == id)
            return true;
    return r->configuration.n == 0;
}

/* What the library would only have asserted. */
bool guard_message_is_sane(const struct raft *r, const struct raft_message *m)
{
    if (!sender_is_member(r, m->server_id))
        return false;
    if (m->type == RAFT_IO_APPEND_ENTRIES)
        return r->state != RAFT_LEADER || m->append_entries.term != r->current_term;
    if (m->type == RAFT_IO_INSTALL_SNAPSHOT)
        return r->state != RAFT_LEADER || m->install_snapshot.term != r->current_term;
    return true;
}

void guard_tell_commit(struct guard *g)
{
    struct raft *r = g->raft;

    if (g->dead || g->closing || (g->rules & GUARD_TELL_COMMIT) == 0 || r->state != RAFT_LEADER ||
        !g->ready)
        return;
    /* Entries under way carry the commit index themselves. */
    if (r->commit_index == g->told_commit || r->commit_index != raft_last_index(r))
        return;
    g->told_commit = r->commit_index;
    /* A peer that nothing was sent to for a heartbeat gets one in the library's tick. */
    for (unsigned i = 0; i < r->configuration.n; i++)
        r->leader_state.progress[i].last_send = 0;
    g->tick(&g->io);
    guard_check(g);
}
