/* See membership.h. */
#include "store/membership.h"

#include <raft.h>
#include <string.h>

static const struct raft_server_view *server_by_id(const struct raft_server_view *servers,
                                                   size_t count, uint64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (servers[i].id == id)
            return &servers[i];
    return NULL;
}

static enum roster_want wish(const struct roster *roster, uint64_t id)
{
    const struct roster_row *row = roster_by_id(roster, id);

    if (row != NULL)
        return row->want;
    /* An id that these rows do not know of yet is of newer ones. */
    return id < roster->next_id ? ROSTER_GONE : 0;
}

/* Would the voters without `id` still have a majority that was heard of? */
static bool can_do_without(const struct raft_server_view *servers, size_t count, uint64_t id)
{
    size_t voters = 0;
    size_t heard = 0;

    for (size_t i = 0; i < count; i++) {
        if (servers[i].role != RAFT_VOTER || servers[i].id == id)
            continue;
        voters++;
        heard += servers[i].heard ? 1 : 0;
    }
    return voters > 0 && heard > voters / 2;
}

/* A voter other than self that could lead at once, 0: none. */
static uint64_t successor(const struct roster *roster, const struct raft_server_view *servers,
                          size_t count, uint64_t self_id)
{
    uint64_t best = 0;
    uint64_t match = 0;

    for (size_t i = 0; i < count; i++) {
        const struct raft_server_view *s = &servers[i];

        if (s->id == self_id || s->role != RAFT_VOTER || !s->heard || s->match_index < match ||
            wish(roster, s->id) != ROSTER_VOTER)
            continue;
        best = s->id;
        match = s->match_index;
    }
    return best;
}

/* A leader that shall not vote hands over before anything else, so that who decides is who stays. A
 * leader of one group that is out of the other already could not go on: it does not hear whether
 * that one is rid of the rest (see may_remove in store.c). */
static struct membership_step hand_over(const struct roster *roster,
                                        const struct raft_server_view *servers, size_t count,
                                        uint64_t self_id)
{
    enum roster_want want = wish(roster, self_id);
    struct membership_step step = { .kind = MEMBERSHIP_NONE };

    if (want != ROSTER_GONE && want != ROSTER_STANDBY)
        return step;
    step.id = successor(roster, servers, count, self_id);
    if (step.id == 0)
        return step;
    step.kind = MEMBERSHIP_TRANSFER;
    step.why = want == ROSTER_GONE ? "the leader was removed from this cluster"
                                   : "the leader shall not vote any more";
    return step;
}

/* Takes a server's vote away, or the server itself; the leader's own only from another leader. */
static struct membership_step reduce(const struct raft_server_view *servers, size_t count,
                                     uint64_t self_id, const struct raft_server_view *s,
                                     struct membership_step step)
{
    if (s->id == self_id || (s->role == RAFT_VOTER && !can_do_without(servers, count, s->id)))
        return (struct membership_step){ .kind = MEMBERSHIP_NONE };
    return step;
}

/* The server that has a name which the roster gives to another id. */
static const struct raft_server_view *namesake(const struct roster *roster,
                                               const struct raft_server_view *servers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct roster_row *row = roster_by_name(roster, str_from(servers[i].name));

        if (row != NULL && row->member.id != servers[i].id && row->want != ROSTER_GONE)
            return &servers[i];
    }
    return NULL;
}

static struct membership_step raise(const struct roster *roster,
                                    const struct raft_server_view *servers, size_t count,
                                    uint64_t last_index)
{
    for (size_t i = 0; i < roster->count; i++) {
        const struct roster_row *row = &roster->rows[i];
        const struct raft_server_view *s = server_by_id(servers, count, row->member.id);

        if (row->want == ROSTER_GONE)
            continue;
        if (s == NULL)
            return (struct membership_step){ .kind = MEMBERSHIP_ADD,
                                             .id = row->member.id,
                                             .name = row->member.name,
                                             .why = "it is a member of this cluster" };
        if (s->role == RAFT_SPARE)
            return (struct membership_step){ .kind = MEMBERSHIP_ASSIGN,
                                             .id = s->id,
                                             .role = RAFT_STANDBY,
                                             .why = "it was added: it is sent the log" };
        if (s->role == RAFT_STANDBY && row->want == ROSTER_VOTER && s->heard &&
            s->match_index + MEMBERSHIP_LAG >= last_index && s->match_index > 0)
            return (struct membership_step){ .kind = MEMBERSHIP_ASSIGN,
                                             .id = s->id,
                                             .role = RAFT_VOTER,
                                             .why = "it has caught up, and shall vote" };
    }
    return (struct membership_step){ .kind = MEMBERSHIP_NONE };
}

struct membership_step membership_next(const struct roster *roster,
                                       const struct raft_server_view *servers, size_t count,
                                       uint64_t self_id, uint64_t last_index)
{
    const struct membership_step none = { .kind = MEMBERSHIP_NONE };
    const struct raft_server_view *old;
    struct membership_step step;

    if (roster->count == 0)
        return none;
    step = hand_over(roster, servers, count, self_id);
    if (step.kind != MEMBERSHIP_NONE)
        return step;
    old = namesake(roster, servers, count);
    if (old != NULL)
        return reduce(servers, count, self_id, old,
                      (struct membership_step){ .kind = MEMBERSHIP_REMOVE,
                                                .id = old->id,
                                                .why = "another member has its name now" });
    step = raise(roster, servers, count, last_index);
    if (step.kind != MEMBERSHIP_NONE)
        return step;
    for (size_t i = 0; i < count; i++) {
        const struct raft_server_view *s = &servers[i];
        enum roster_want want = wish(roster, s->id);

        if (want == ROSTER_STANDBY && s->role == RAFT_VOTER)
            step = reduce(servers, count, self_id, s,
                          (struct membership_step){ .kind = MEMBERSHIP_ASSIGN,
                                                    .id = s->id,
                                                    .role = RAFT_STANDBY,
                                                    .why = "it shall not vote any more" });
        else if (want == ROSTER_GONE)
            step = reduce(servers, count, self_id, s,
                          (struct membership_step){ .kind = MEMBERSHIP_REMOVE,
                                                    .id = s->id,
                                                    .why = "it was removed from this cluster" });
        if (step.kind != MEMBERSHIP_NONE)
            return step;
    }
    return none;
}
