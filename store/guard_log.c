/* What the guard reads in the library's memory and messages: no state, no effects. */
#include <string.h>

#include "base/assert.h"
#include "store/guard_parts.h"

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

size_t guard_log_size(const struct raft *r, size_t *out_bytes)
{
    size_t count = log_count(&r->log);

    *out_bytes = 0;
    for (size_t i = 0; i < count; i++)
        *out_bytes += r->log.entries[(r->log.front + i) % r->log.size].buf.len;
    return count;
}

unsigned guard_rule_named(const char *name)
{
    static const struct {
        const char *name;
        unsigned rule;
    } rules[] = {
        { "G1", GUARD_ACK_CLAMP },    { "G2", GUARD_OWN_TERM },    { "G3", GUARD_COMMIT_MATCH },
        { "G4", GUARD_CANCEL_STALE }, { "G5", GUARD_WRITE_FATAL }, { "G6", GUARD_INSTALL },
        { "G7", GUARD_VOTE_STORED },  { "G9", GUARD_LATE_TICK },   { "G10", GUARD_EDGES },
        { "G11", GUARD_WINDOW },      { "G12", GUARD_PROBE_END },  { "G13", GUARD_TELL_COMMIT },
        { "G14", GUARD_URGENT },      { "G15", GUARD_ONE_VOTE },   { "G16", GUARD_CONFIGURATION },
        { "G17", GUARD_VOTE_ANYWAY }, { "G18", GUARD_SOLE_TERM },  { "G19", GUARD_SKIP_COMPACTED },
        { "G20", GUARD_LOST_SENDS },  { "G21", GUARD_REFERENCES }
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (strcmp(name, rules[i].name) == 0)
            return rules[i].rule;
    return 0;
}

raft_index guard_quorum_match(const struct raft *r, raft_id sender, raft_index match)
{
    raft_index have[GUARD_SERVERS_MAX];
    unsigned voters = 0;

    for (unsigned i = 0; i < r->configuration.n; i++) {
        const struct raft_server *server = &r->configuration.servers[i];
        raft_index index = r->leader_state.progress[i].match_index;
        unsigned at;

        if (server->role != RAFT_VOTER || voters == GUARD_SERVERS_MAX)
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
    if (m->type == RAFT_IO_APPEND_ENTRIES) {
        guard_drop_entries(&m->append_entries);
    } else if (m->type == RAFT_IO_INSTALL_SNAPSHOT) {
        raft_configuration_close(&m->install_snapshot.conf);
        raft_free(m->install_snapshot.data.base);
    }
}

void guard_keep_entries(struct raft_append_entries *a, unsigned n)
{
    if (n == 0)
        guard_drop_entries(a);
    else
        a->n_entries = n;
}

/* All entries of one received message share one batch. */
void guard_drop_entries(struct raft_append_entries *a)
{
    if (a->n_entries > 0)
        raft_free(a->entries[0].batch);
    raft_free(a->entries);
    a->entries = NULL;
    a->n_entries = 0;
}

void guard_skip_compacted(const struct raft *r, struct raft_append_entries *a)
{
    raft_index base = r->log.snapshot.last_index;
    unsigned skipped;
    if (a->prev_log_index >= base || a->term < r->current_term ||
        guard_term_of(r, a->prev_log_index) != 0 || (a->prev_log_index == 0 && a->n_entries == 0))
        return;
    skipped = base - a->prev_log_index < a->n_entries ? (unsigned)(base - a->prev_log_index)
                                                      : a->n_entries;
    if (skipped == a->n_entries) {
        guard_drop_entries(a);
    } else {
        a->n_entries -= skipped;
        memmove(a->entries, a->entries + skipped, a->n_entries * sizeof(*a->entries));
    }
    a->prev_log_index = base;
    a->prev_log_term = r->log.snapshot.last_term;
}

static bool entries_are_sane(const struct raft_append_entries *a)
{
    for (unsigned i = 0; i < a->n_entries; i++) {
        const struct raft_entry *e = &a->entries[i];
        struct raft_configuration c;

        if (e->term == 0 || e->term > a->term || e->type < RAFT_COMMAND || e->type > RAFT_CHANGE)
            return false;
        if (e->type != RAFT_CHANGE)
            continue;
        if (!guard_configuration_decode(&e->buf, &c))
            return false;
        raft_configuration_close(&c);
    }
    return true;
}

bool guard_message_is_sane(const struct raft *r, const struct raft_message *m)
{
    if (m->server_id == 0 || m->server_id == r->id)
        return false;
    if (m->type == RAFT_IO_APPEND_ENTRIES)
        return (r->state != RAFT_LEADER || m->append_entries.term != r->current_term) &&
               entries_are_sane(&m->append_entries);
    if (m->type == RAFT_IO_INSTALL_SNAPSHOT)
        return r->state != RAFT_LEADER || m->install_snapshot.term != r->current_term;
    return true;
}

const struct raft_server *guard_server(const struct raft *r, raft_id id)
{
    for (unsigned i = 0; i < r->configuration.n; i++)
        if (r->configuration.servers[i].id == id)
            return &r->configuration.servers[i];
    return NULL;
}

struct raft_progress *guard_progress(const struct raft *r, raft_id id)
{
    for (unsigned i = 0; r->state == RAFT_LEADER && i < r->configuration.n; i++)
        if (r->configuration.servers[i].id == id)
            return &r->leader_state.progress[i];
    return NULL;
}
