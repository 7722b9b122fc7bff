/* See guard.h: log writes, terms and votes (G4, G5, G7), and who refers to the log (G21). */
#include <string.h>

#include "base/list.h"
#include "store/guard_parts.h"

struct guarded_append {
    struct raft_io_append req;
    struct list node; /* guard.canceled, when a close cut it off */
    struct raft_io_append *original;
    raft_io_append_cb cb;
    struct guard *guard;
    struct guard_reference reference;
    raft_index first;
    size_t bytes;
    raft_term term;
    bool follower;
};

/* ---- G21 ---- */

void guard_refer(struct guard *g, struct guard_reference *reference, raft_index first,
                 const struct raft_entry *entries, unsigned n)
{
    *reference = (struct guard_reference){ .entries = entries, .first = first, .n = n, .kept = n };
    list_append(&g->references, &reference->node);
}

void guard_unrefer(struct guard *g, struct guard_reference *reference)
{
    list_remove(&reference->node);
    if (reference->kept < reference->n)
        g->stale_references--;
}

void guard_references_truncated(struct guard *g, raft_index index)
{
    list_foreach (node, &g->references) {
        struct guard_reference *r = container_of(node, struct guard_reference, node);

        if (r->first + r->kept <= index)
            continue;
        if (r->kept == r->n)
            g->stale_references++;
        r->kept = index > r->first ? (unsigned)(index - r->first) : 0;
    }
}

/* A truncated entry of that term and index is still referred to. */
static bool is_referred_to(const struct guard *g, raft_index index, raft_term term)
{
    list_foreach (node, &g->references) {
        const struct guard_reference *r = container_of(node, struct guard_reference, node);

        if (index >= r->first + r->kept && index < r->first + r->n &&
            r->entries[index - r->first].term == term)
            return true;
    }
    return false;
}

unsigned guard_referable(const struct guard *g, const struct raft_append_entries *a)
{
    if (g->stale_references == 0)
        return a->n_entries;
    for (unsigned i = 0; i < a->n_entries; i++)
        if (is_referred_to(g, a->prev_log_index + 1 + i, a->entries[i].term))
            return i;
    return a->n_entries;
}

/* ---- writes ---- */

static void finish(struct guarded_append *a, int status)
{
    struct guard *g = a->guard;
    g->suppress = a->term != g->raft->current_term;
    a->cb(a->original, status);
    g->suppress = false;
    raft_free(a);
    guard_check(g);
}

static void on_appended(struct raft_io_append *req, int status)
{
    struct guarded_append *a = container_of(req, struct guarded_append, req);
    struct guard *g = a->guard;
    guard_unrefer(g, &a->reference);
    g->writes_count--;
    g->write_bytes -= a->bytes;
    if (a->follower)
        g->follower_writes--;
    if (status != 0 && !g->closing && guard_rule(g, GUARD_WRITE_FATAL))
        guard_fatal(g, "log write failed", status);
    if (g->dead && !g->closing) {
        raft_free(a);
        return;
    }
    if (g->closing && status != 0) {
        list_prepend(&g->canceled, &a->node);
        return;
    }
    finish(a, status);
}

int guard_append(struct raft_io *io, struct raft_io_append *req, const struct raft_entry entries[],
                 unsigned n, raft_io_append_cb cb)
{
    struct guard *g = guard_of(io);
    struct guarded_append *a;
    int rv;

    if (g->dead)
        return RAFT_IOERR;
    a = raft_calloc(1, sizeof(*a));
    if (a == NULL)
        return guard_fatal(g, "out of memory for a log write", RAFT_NOMEM);
    a->original = req;
    a->cb = cb;
    a->guard = g;
    a->term = g->raft->current_term;
    a->follower = g->raft->state != RAFT_LEADER;
    a->first = raft_last_index(g->raft) + 1 - n;
    for (unsigned i = 0; i < n; i++)
        a->bytes += entries[i].buf.len;
    rv = guard_checked(g, "log write refused",
                       g->backend->append(g->backend, &a->req, entries, n, on_appended));
    if (rv != 0)
        return rv; /* a backend may still hold the request: its memory is given up on purpose */
    guard_refer(g, &a->reference, a->first, entries, n);
    g->writes_count++;
    g->write_bytes += a->bytes;
    if (a->follower)
        g->follower_writes++;
    guard_configuration_appended(g, a->first, entries, n);
    return 0;
}

int guard_truncate(struct raft_io *io, raft_index index)
{
    struct guard *g = guard_of(io);

    if (g->dead)
        return RAFT_IOERR;
    guard_references_truncated(g, index);
    guard_configuration_truncated(g, index);
    return guard_checked(g, "log truncation failed", g->backend->truncate(g->backend, index));
}

/* Where the process does not end at once, the library of a dead member is told that its term and
 * vote are written, and nothing that it does then has an effect: an election that cannot begin for
 * an error leaves it a follower whose leader's address is what its votes were, to be freed. */
static int unless_dead(const struct guard *g, int rv)
{
    return g->dead ? 0 : rv;
}

int guard_set_term(struct raft_io *io, raft_term term)
{
    struct guard *g = guard_of(io);
    int rv = 0;

    if (!g->dead)
        rv = guard_checked(g, "writing the term failed", g->backend->set_term(g->backend, term));
    return unless_dead(g, rv);
}

int guard_set_vote(struct raft_io *io, raft_id id)
{
    struct guard *g = guard_of(io);
    int rv = 0;

    if (!g->dead)
        rv = guard_checked(g, "writing the vote failed", g->backend->set_vote(g->backend, id));
    return unless_dead(g, rv);
}

/* Newest first: the library truncates its log at each, and never looks whether that index is still
 * there. */
void guard_cancel_writes(struct guard *g)
{
    struct list *node;

    while ((node = list_pop(&g->canceled)) != NULL) {
        struct guarded_append *a = container_of(node, struct guarded_append, node);

        if (a->follower || a->first <= raft_last_index(g->raft))
            a->cb(a->original, RAFT_CANCELED);
        raft_free(a);
    }
}
