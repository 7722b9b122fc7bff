/*
 * Keeps everybody's idea of who the members are like the roster in the cluster group's state
 * (roster.h): the peer loop's clients, the raft loop's links, the leader's next step.
 *
 * It reads the rows when a commit touched one, on the peer loop, and tells the raft loop. The first
 * leader of a new cluster writes the configured members as rows. A member whose own row does not
 * name the addresses that it was configured with has moved: it corrects its row, and announces
 * itself to the others (announce.h), any of which corrects it in its stead: it may know no leader.
 *
 * A leader drops the row of a member that was to go once no group's configuration holds it. So a
 * row that is not there, of an id that was given away, means: removed, and for ever.
 *
 * After a disaster (recover.h) the only survivor's wish counts: everybody else is GONE, in its eyes
 * from the start and in the rows as soon as it leads, once for each recovery.
 *
 * A member that was away may come back to a leader that joined meanwhile, whose connections it
 * refuses, for its own state does not name it. When it has known no leader for a while it asks the
 * members that it knows, one after the other, who the members are, and believes what is newer than
 * its state until its state is as new. Nobody left whom it knows: it must be removed and join anew.
 *
 * Thread: the peer loop; members_open blocks, before the loops run.
 */
#ifndef STORE_MEMBERS_H
#define STORE_MEMBERS_H

#include "base/env.h"
#include "base/err.h"
#include "store/roster.h"
#include "store/store.h"

struct admin;
struct members_keeper;
struct peers;

#define MEMBERS_RETRY_MS 1000
#define MEMBERS_WRITE_MS 2000 /* then the rows are looked at anew */
#define MEMBERS_DROP_MS  300  /* a leader asks so often whether somebody is gone from everywhere */
/* The key that says that a recovery has been written: RECOVERIES_PREFIX and its name. */
#define MEMBERS_RECOVERIES_PREFIX "recoveries.gantry/"
/* How often a member looks whether it knows a leader; without one twice in a row it asks around. */
#define MEMBERS_LOST_MS 2000

struct members_config {
    const struct store_config *store; /* borrowed */
    struct store_group *cluster;
    struct env_loop *raft_loop;
    struct env_loop *peer_loop;
    struct peers *peers;
    struct admin *admin;
    /* The roster changed; borrowed for the call, on the raft loop. */
    void (*changed)(void *ctx, const struct roster *roster);
    void (*removed)(void *ctx); /* this member is none any more; peer loop, perhaps again */
    void *ctx;
};

/* The roster as it is now: from the state, or as configured. */
int members_read(struct store_group *cluster, const struct store_config *config, struct roster *out,
                 struct err *e);
int members_open(const struct members_config *config, struct members_keeper **out, struct err *e);
/* Another member says where it is. false: it was removed. Its row is corrected if it has to be. */
bool members_heard(struct members_keeper *k, const struct store_member *who);
/* Peer loop: nothing more is written or told. */
void members_stop(struct members_keeper *k);
void members_free(struct members_keeper *k); /* after both loops have stopped */

#endif
