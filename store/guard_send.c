/* See guard.h: what the library sends (G1, G4, G7, G11 to G14, G20). */
#include <string.h>

#include "base/list.h"
#include "store/guard_parts.h"

struct guarded_send {
    struct raft_io_send req;
    struct raft_io_send *original; /* NULL: the guard's own message */
    struct guard *guard;
    struct guard_reference reference; /* of the library's own message, cut or not */
    raft_id peer;
    size_t bytes;
};

/* ---- peers ---- */

static struct guard_peer *find_peer(struct guard *g, raft_id id)
{
    for (size_t i = 0; i < GUARD_SERVERS_MAX; i++)
        if (g->peers[i].id == id)
            return &g->peers[i];
    return NULL;
}

/* Marks are of one leadership; bytes under way are whatever they are. */
static void begin_leadership(struct guard *g)
{
    if (g->peers_term == g->raft->current_term)
        return;
    g->peers_term = g->raft->current_term;
    for (size_t i = 0; i < GUARD_SERVERS_MAX; i++)
        g->peers[i] = (struct guard_peer){ .id = g->peers[i].id, .bytes = g->peers[i].bytes };
}

/* NULL when as many as there can be have bytes under way: ids are never used again. */
static struct guard_peer *peer_of(struct guard *g, raft_id id)
{
    struct guard_peer *p = find_peer(g, id);

    begin_leadership(g);
    if (p != NULL)
        return p;
    for (size_t i = 0; i < GUARD_SERVERS_MAX; i++) {
        p = &g->peers[i];
        if (p->id == 0 || (p->bytes == 0 && guard_server(g->raft, p->id) == NULL)) {
            *p = (struct guard_peer){ .id = id };
            return p;
        }
    }
    return NULL;
}

/* Something sent is still on its way, as far as one can tell. */
static bool is_under_way(struct guard *g, struct guard_peer *p,
                         const struct raft_progress *progress)
{
    raft_time now = g->backend->time(g->backend);

    if (progress->match_index > p->match) {
        p->match = progress->match_index;
        p->moved = now;
    }
    return p->sent > p->match && now - p->moved < g->raft->election_timeout;
}

void guard_peer_replied(struct guard *g, raft_id id, bool rejected)
{
    struct guard_peer *p = find_peer(g, id);

    if (p != NULL && rejected)
        p->sent = 0;
}

void guard_peer_lost(struct guard *g, uint64_t peer_id)
{
    struct guard_peer *p = find_peer(g, peer_id);

    if (p != NULL)
        p->sent = 0;
}

void guard_restore_cuts(struct guard *g)
{
    for (size_t i = 0; i < GUARD_SERVERS_MAX; i++) {
        struct guard_peer *p = &g->peers[i];
        struct raft_progress *progress;

        if (p->cut == 0)
            continue;
        progress = g->peers_term == g->raft->current_term ? guard_progress(g->raft, p->id) : NULL;
        if (progress != NULL && progress->state == GUARD_PIPELINE && progress->next_index > p->cut)
            progress->next_index = p->cut;
        p->cut = 0;
    }
}

/* ---- sending ---- */

/* G12. After a failed send the library probes from match + 1: from 1 when this leader has heard
 * nothing of the peer yet, and for that it would offer its snapshot though its log reaches back far
 * enough. The end of the log is where a new leader begins to probe anyway. */
static void probe_from_end(struct guard *g, raft_id peer)
{
    struct raft_progress *p = guard_progress(g->raft, peer);

    if (p != NULL && p->match_index == 0 && p->next_index == 1)
        p->next_index = raft_last_index(g->raft) + 1;
}

static void note_sent(struct guard *g, const struct guarded_send *s, int status)
{
    struct guard_peer *p = find_peer(g, s->peer);

    if (p == NULL || s->bytes == 0)
        return;
    p->bytes -= s->bytes;
    if (status != 0)
        p->sent = 0;
    else
        p->moved = g->backend->time(g->backend);
}

static void on_sent(struct raft_io_send *req, int status)
{
    struct guarded_send *s = container_of(req, struct guarded_send, req);
    struct guard *g = s->guard;
    guard_unrefer(g, &s->reference);
    note_sent(g, s, status);
    if (!g->dead && s->original != NULL && s->original->cb != NULL) {
        s->original->cb(s->original, status);
        if (status != 0 && guard_rule(g, GUARD_PROBE_END))
            probe_from_end(g, s->peer);
    }
    raft_free(s);
}

/* original NULL: the guard's own; else held says what the library holds for it. */
static int send_guarded(struct guard *g, struct raft_io_send *original,
                        const struct raft_message *m, const struct raft_append_entries *held,
                        size_t bytes)
{
    struct guarded_send *s = raft_malloc(sizeof(*s));
    int rv;

    if (s == NULL)
        return RAFT_NOMEM;
    *s = (struct guarded_send){
        .original = original, .guard = g, .peer = m->server_id, .bytes = bytes
    };
    rv = g->backend->send(g->backend, &s->req, m, on_sent);
    if (rv != 0)
        raft_free(s);
    else if (held != NULL)
        guard_refer(g, &s->reference, held->prev_log_index + 1, held->entries, held->n_entries);
    else
        guard_refer(g, &s->reference, 0, NULL, 0);
    return rv;
}

/* ---- G14 ---- */

/* A heartbeat that asks for what the peer has confirmed, or for nothing. */
static void ask_for_confirmed(struct guard *g, const struct raft_progress *progress,
                              struct raft_append_entries *a)
{
    raft_term term = guard_term_of(g->raft, progress->match_index);

    a->entries = NULL;
    a->n_entries = 0;
    a->prev_log_index = term != 0 ? progress->match_index : 0;
    a->prev_log_term = term;
    if (a->leader_commit > a->prev_log_index)
        a->leader_commit = a->prev_log_index;
}

static void mind_what_is_under_way(struct guard *g, struct guard_peer *p,
                                   const struct raft_progress *progress,
                                   struct raft_append_entries *a)
{
    bool under_way = is_under_way(g, p, progress);

    if (a->n_entries > 0) {
        /* Probing sends the whole end of the log with each heartbeat. */
        if (progress->state == GUARD_PROBE && under_way)
            ask_for_confirmed(g, progress, a);
        return;
    }
    /* While a snapshot is fetched the library asks for its last entry, and takes the rejection of
     * one at the snapshot's index for a failed install. */
    if ((under_way || progress->state == GUARD_SNAPSHOT) &&
        a->prev_log_index > progress->match_index)
        ask_for_confirmed(g, progress, a);
}

static void send_beat(struct guard *g, struct guard_peer *p, const struct raft_server *server)
{
    const struct raft *r = g->raft;
    const struct raft_progress *progress = guard_progress(r, server->id);
    struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES,
                              .server_id = server->id,
                              .server_address = server->address };
    struct raft_append_entries *a = &m.append_entries;

    a->term = r->current_term;
    a->leader_commit = r->commit_index;
    a->prev_log_index = progress->next_index - 1;
    a->prev_log_term = guard_term_of(r, a->prev_log_index);
    if (progress->state != GUARD_PIPELINE || a->prev_log_term == 0 || is_under_way(g, p, progress))
        ask_for_confirmed(g, progress, a);
    if (send_guarded(g, NULL, &m, NULL, 0) == 0)
        p->beat = g->backend->time(g->backend);
}

/* The i'th server as a peer that the library sends to, or NULL. */
static struct guard_peer *served(struct guard *g, unsigned i)
{
    const struct raft *r = g->raft;
    const struct raft_server *server = &r->configuration.servers[i];

    if (server->id == r->id ||
        (server->role == RAFT_SPARE && server->id != r->leader_state.promotee_id))
        return NULL;
    return peer_of(g, server->id);
}

void guard_send_beats(struct guard *g)
{
    const struct raft *r = g->raft;
    raft_time now = g->backend->time(g->backend);

    if (g->dead || !guard_rule(g, GUARD_URGENT) || r->state != RAFT_LEADER)
        return;
    for (unsigned i = 0; i < r->configuration.n; i++) {
        struct guard_peer *p = served(g, i);

        if (p != NULL && now - p->beat >= r->heartbeat_timeout)
            send_beat(g, p, &r->configuration.servers[i]);
    }
}

bool guard_tell_commit(struct guard *g)
{
    struct raft *r = g->raft;
    bool told = false;

    /* Entries to come carry the commit index themselves. */
    if (g->dead || g->closing || !guard_rule(g, GUARD_TELL_COMMIT) || r->state != RAFT_LEADER ||
        !g->ready || r->commit_index != raft_last_index(r))
        return false;
    guard_restore_cuts(g);
    for (unsigned i = 0; i < r->configuration.n; i++) {
        struct guard_peer *p = served(g, i);

        if (p == NULL || p->told == r->commit_index ||
            r->leader_state.progress[i].match_index < r->commit_index)
            continue;
        p->told = r->commit_index;
        send_beat(g, p, &r->configuration.servers[i]);
        told = true;
    }
    return told;
}

/* ---- G11 ---- */

/* How many of the entries may leave now; *bytes of them. One always may when nothing is under way:
 * a peer that is slow gets what it can take, never nothing. */
static unsigned fitting(const struct guard *g, const struct guard_peer *p,
                        const struct raft_append_entries *a, size_t *bytes)
{
    size_t room = g->window_bytes > p->bytes ? g->window_bytes - p->bytes : 0;
    unsigned n = 0;

    *bytes = 0;
    while (n < a->n_entries) {
        size_t len = a->entries[n].buf.len;

        if (guard_rule(g, GUARD_WINDOW) && *bytes + len > room && (n > 0 || p->bytes > 0))
            break;
        *bytes += len;
        n++;
    }
    /* No crumbs: what does not fit whole waits until half the window is free. */
    if (n < a->n_entries && p->bytes > g->window_bytes / 2)
        return 0;
    return n;
}

static int send_entries(struct guard *g, struct raft_io_send *req, const struct raft_message *m,
                        raft_io_send_cb cb)
{
    struct raft_message copy = *m;
    struct raft_append_entries *a = &copy.append_entries;
    const struct raft_progress *progress = guard_progress(g->raft, m->server_id);
    struct guard_peer *p = peer_of(g, m->server_id);
    raft_time now = g->backend->time(g->backend);
    size_t bytes = 0;
    unsigned n;
    int rv;

    if (p == NULL)
        return RAFT_NOCONNECTION;
    if (guard_rule(g, GUARD_URGENT) && progress != NULL)
        mind_what_is_under_way(g, p, progress, a);
    n = fitting(g, p, a, &bytes);
    if (a->n_entries > 0 && n == 0)
        return RAFT_NOCONNECTION;
    req->cb = cb;
    if (n < a->n_entries) {
        a->n_entries = n;
        if (a->leader_commit > a->prev_log_index + n)
            a->leader_commit = a->prev_log_index + n;
    }
    rv = send_guarded(g, req, &copy, &m->append_entries, bytes);
    if (rv != 0)
        return rv;
    if (n == 0) {
        p->beat = now;
        return 0;
    }
    p->bytes += bytes;
    if (p->sent <= p->match)
        p->moved = now;
    if (a->prev_log_index + n > p->sent)
        p->sent = a->prev_log_index + n;
    if (n < m->append_entries.n_entries)
        p->cut = a->prev_log_index + n + 1;
    return 0;
}

/* ---- the rest ---- */

/* The library gives its request's memory back to whoever asked for the transfer while the message
 * may still wait for its connection: the guard sends one of its own. */
void guard_send_timeout_now(struct guard *g)
{
    const struct raft *r = g->raft;
    const struct raft_server *server = guard_server(r, g->transferee);
    const struct raft_progress *progress = guard_progress(r, g->transferee);
    struct raft_message m = { .type = RAFT_IO_TIMEOUT_NOW };

    if (g->transferee == 0)
        return;
    if (server == NULL || progress == NULL || r->transfer == NULL ||
        r->transfer->id != g->transferee) {
        g->transferee = 0;
        return;
    }
    if (guard_rule(g, GUARD_URGENT) && progress->match_index < raft_last_index(g->raft))
        return;
    /* Who asked for what is uncommitted would never hear what became of it. */
    if (guard_rule(g, GUARD_URGENT) && !g->held && r->last_applied < raft_last_index(g->raft))
        return;
    m.server_id = server->id;
    m.server_address = server->address;
    m.timeout_now.term = r->current_term;
    m.timeout_now.last_log_index = raft_last_index(g->raft);
    m.timeout_now.last_log_term = guard_term_of(r, m.timeout_now.last_log_index);
    g->transferee = 0;
    (void)send_guarded(g, NULL, &m, NULL, 0); /* best effort, as the transfer is */
}

int guard_send(struct raft_io *io, struct raft_io_send *req, const struct raft_message *m,
               raft_io_send_cb cb)
{
    struct guard *g = guard_of(io);
    struct raft_message copy = *m;
    int rv;

    /* The library answers a leader it has forgotten meanwhile: id 0, no address. */
    if (g->dead || m->server_id == 0 || m->server_address == NULL)
        return RAFT_CANCELED;
    if (m->type == RAFT_IO_APPEND_ENTRIES)
        return send_entries(g, req, m, cb);
    if (m->type == RAFT_IO_TIMEOUT_NOW) {
        g->transferee = m->server_id;
        return 0; /* guard_check sends it */
    }
    if (m->type == RAFT_IO_APPEND_ENTRIES_RESULT && m->append_entries_result.rejected == 0) {
        if (guard_rule(g, GUARD_CANCEL_STALE) && g->suppress)
            return RAFT_CANCELED;
        if (guard_rule(g, GUARD_ACK_CLAMP) && g->in_append &&
            copy.append_entries_result.last_log_index > g->append_last)
            copy.append_entries_result.last_log_index = g->append_last;
    }
    if (guard_rule(g, GUARD_VOTE_STORED) && m->type == RAFT_IO_REQUEST_VOTE &&
        copy.request_vote.last_log_index > g->raft->last_stored) {
        copy.request_vote.last_log_index = g->raft->last_stored;
        copy.request_vote.last_log_term = guard_term_of(g->raft, g->raft->last_stored);
    }
    rv = g->backend->send(g->backend, req, &copy, cb);
    if (rv == 0 || !guard_rule(g, GUARD_LOST_SENDS) || m->type == RAFT_IO_INSTALL_SNAPSHOT)
        return rv;
    cb(req, rv); /* only frees it */
    return 0;
}
