/*
 * What is asked of all members at once for operators: their views of the groups, and leadership
 * handed to another. Both go over the peer loop; the callee's side is member_service.h.
 */
#ifndef STORE_ADMIN_H
#define STORE_ADMIN_H

#include <stdint.h>

#include "base/env.h"
#include "store/view.h"

struct admin;
struct peers;

struct admin_config {
    struct env_loop *raft_loop;
    struct env_loop *peer_loop;
    uint64_t member_id;
    /* By enum store_group_id; live as long as the admin. */
    struct store_group *const *groups;
    struct catchup *const *catchups;
};

struct admin *admin_new(const struct admin_config *config);
/* Before the loops run, or on the peer loop when the peers go. NULL: none; nobody else is asked. */
void admin_set_peers(struct admin *a, struct peers *peers);
void admin_free(struct admin *a); /* after both loops have stopped */

/* Embedded by the caller and kept until done, which runs once on its loop, never inside the call.
 */
struct view_ask {
    struct env_msg msg;
    struct env_loop *loop;
    void (*done)(struct view_ask *a);
    struct view view; /* of every member that is known; answered or not */
    void *priv;
    /* The admin's. */
    struct admin *admin;
    size_t left;
};
void admin_view(struct admin *a, struct view_ask *ask); /* any thread */

struct transfer_ask {
    struct env_msg msg;
    struct env_loop *loop;
    void (*done)(struct transfer_ask *t);
    enum store_group_id group;
    uint64_t member_id;
    /* 0: the leader was told; -ERR_UNAVAILABLE: none is known, or it does not answer. Whether the
     * member leads then shows in the group's status. */
    int status;
    void *priv;
    struct admin *admin;
    uint64_t leader_id;
};
void admin_transfer(struct admin *a, struct transfer_ask *t); /* any thread */

/* For member_service: this member's own view, and what its own leadership can do. Peer loop; done
 * runs there. */
struct local_ask {
    struct env_msg msg;
    struct admin *admin;
    void (*done)(struct local_ask *l);
    /* 0: only the view. */
    uint64_t transfer_to;
    enum store_group_id group;
    int status; /* of the transfer */
    uint64_t leader_id;
    struct view_member member;
    void *priv;
};
void admin_local(struct admin *a, struct local_ask *l);

/* Of store.c. */
struct admin *store_admin(struct store *s);

#endif
