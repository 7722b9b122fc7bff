/*
 * Who the members shall be: one row each in the cluster group's state.
 *
 * The rows are the wish; libraft's configuration of each group is what is. A group's leader takes
 * one step at a time from the one to the other (membership.h). A row is an ordinary key under
 * ROSTER_PREFIX, so it is guarded, replicated, watched and part of the digest. Ids are never given
 * twice: ROSTER_NEXT_KEY holds the next one, in the same transaction as the row that takes it. A
 * member that is to go keeps its row (want GONE, which is final) until no group's configuration
 * holds it; then the leader drops it.
 *
 * A row's value is text: "1 ID WANT RAFT-ADDRESS PEER-ADDRESS".
 */
#ifndef STORE_ROSTER_H
#define STORE_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "store/store.h"

#define ROSTER_PREFIX   "members.gantry/"
#define ROSTER_NEXT_KEY "member-ids.gantry/next"
/* Rows, those of members that are going included. */
#define ROSTER_MAX STORE_MEMBERS_MAX

enum roster_want { ROSTER_VOTER = 1, ROSTER_STANDBY = 2, ROSTER_GONE = 3 };

struct roster_row {
    struct store_member member;
    enum roster_want want;
    uint64_t revision; /* of the row, for a guard; 0: not in the state yet */
};

struct roster {
    struct roster_row rows[ROSTER_MAX]; /* by name */
    size_t count;
    uint64_t next_id;
    uint64_t next_revision; /* of ROSTER_NEXT_KEY */
};

const char *roster_want_name(enum roster_want want);
/* The row's key and value, appended. */
void roster_row_key(const char *name, struct buf *out);
void roster_row_encode(const struct roster_row *row, struct buf *out);
/* name from the key. -ERR_CORRUPT with the reason; every field is bounded. */
int roster_row_decode(struct str key, struct str value, struct roster_row *out, struct err *e);
/* Lower-case letters, digits and inner '-', at most 63: a DNS label, as it is in certificates. */
bool roster_name_is_good(struct str name);
/* "tcp:" and something printable without spaces, short enough for a row; whether it leads anywhere
 * shows when it is used. */
bool roster_address_is_good(struct str address);

/* All rows at the newest revision; count 0: none were written yet. Any thread. */
int roster_read(struct store_group *cluster, struct roster *out, struct err *e);
/* What is wished before any row was written: the configured members, all of them voters. */
void roster_from_members(struct roster *r, const struct store_member *members, size_t count);
const struct roster_row *roster_by_id(const struct roster *r, uint64_t id);
/* The rows were written, the id was given away, and there is no row of it: that member was removed
 * from every group's configuration, for ever. True of newer rows if it is of these. */
bool roster_removed(const struct roster *r, uint64_t id);
/* Who is to be linked with and called: everybody who has a row, also who shall go, whose row goes
 * when no group has it any more. Until then it may lead one, and only what it says brings a member
 * that was away up to date, or takes a change back that did not come about. A member's own
 * configurations cannot say whether it does: they may be older than its coming. Returns how many.
 */
size_t roster_members(const struct roster *r, struct store_member out[ROSTER_MAX]);
const struct roster_row *roster_by_name(const struct roster *r, struct str name);

#endif
