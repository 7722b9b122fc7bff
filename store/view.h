/*
 * What members see of their groups' configurations, and what each has come to: for operators, and
 * for whoever must know that a member is gone from everywhere.
 *
 * Every member answers for itself; who leads a group knows how far the others are. view_leader
 * picks that answer.
 */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/str.h"
#include "store/store.h"

struct catchup;
struct replica;

#define VIEW_SERVERS_MAX 16
#define VIEW_ASK_MS      1000 /* a member that does not answer by then is not waited for */

enum view_role { VIEW_NONE = 0, VIEW_SPARE = 1, VIEW_STANDBY = 2, VIEW_VOTER = 3 };

struct view_server {
    uint64_t id;
    enum view_role role;
    uint64_t match_index; /* as its leader knows it, as is heard */
    bool heard;
};

struct view_group {
    uint64_t leader_id; /* 0: none known */
    uint64_t term;
    bool leads;   /* and is ready to */
    bool settled; /* its configuration is committed, and no change is under way */
    uint64_t last_index;
    uint64_t applied_index;
    uint64_t got_bytes; /* of the copy it is fetching, 0 of 0: none */
    uint64_t total_bytes;
    struct view_server servers[VIEW_SERVERS_MAX];
    size_t servers_count;
};

struct view_member {
    uint64_t id;
    bool answered;
    struct view_group groups[STORE_BUS + 1]; /* by enum store_group_id */
};

struct view {
    struct view_member members[STORE_MEMBERS_MAX];
    size_t count;
};

const char *view_role_name(enum view_role role);
/* Raft loop. c may be NULL. */
void view_fill(struct replica *r, const struct catchup *c, struct view_group *out);

/* MemberService's Members reply; unpack: -ERR_PARSE for what is not one. */
void view_pack(const struct view_member *m, struct buf *out);
int view_unpack(struct str bytes, struct view_member *out);

const struct view_member *view_of(const struct view *v, uint64_t id);
/* The group as its leader sees it: of those that say they lead, the newest term's. NULL: no leader
 * answered. */
const struct view_group *view_leader(const struct view *v, enum store_group_id id);
const struct view_server *view_server_of(const struct view_group *g, uint64_t id);
/* Both groups' leaders say that no configuration holds the member, and none is changing. */
bool view_is_out(const struct view *v, uint64_t id);

#endif
