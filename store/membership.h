/*
 * From the configuration that a group has to the one that the roster wishes: the next step.
 *
 * membership_next is pure: a leader asks it on every turn, performs the step, and asks again when
 * the configuration shows it. One server changes at a time, and a step is taken only when the group
 * can go on after it:
 *   - a leader that shall not vote hands over before anything else, if somebody can take over;
 *   - a server whose name the roster gives to another id goes before that one comes;
 *   - a wanted member that is missing is added as SPARE, then made STANDBY (it is sent the log);
 *   - a STANDBY that shall vote becomes VOTER once it is at most MEMBERSHIP_LAG entries behind;
 *   - a server whose id is newer than the roster is left alone: the roster is old news;
 *   - a server that is not wanted goes last, when a majority of the voters that remain was heard
 *     of.
 */
#ifndef STORE_MEMBERSHIP_H
#define STORE_MEMBERSHIP_H

#include <stddef.h>
#include <stdint.h>

#include "store/raft_node.h"
#include "store/roster.h"

#define MEMBERSHIP_LAG 1000 /* entries: what a round of catching up leaves under load */

enum membership_kind {
    MEMBERSHIP_NONE,
    MEMBERSHIP_ADD,
    MEMBERSHIP_ASSIGN,
    MEMBERSHIP_REMOVE,
    MEMBERSHIP_TRANSFER
};

struct membership_step {
    enum membership_kind kind;
    uint64_t id;
    const char *name; /* ADD; borrowed from the roster */
    int role;         /* ASSIGN */
    const char *why;  /* static; what the step is for */
};

struct membership_step membership_next(const struct roster *roster,
                                       const struct raft_server_view *servers, size_t count,
                                       uint64_t self_id, uint64_t last_index);

#endif
