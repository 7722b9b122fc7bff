/*
 * A group's membership in words: the log's lines about it, and why. The leader says what step it
 * takes and for what (membership.h); every member says what the configuration has become, once that
 * is committed.
 *
 * Thread: the raft loop.
 */
#ifndef STORE_MEMBERSHIP_NEWS_H
#define STORE_MEMBERSHIP_NEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/membership.h"
#include "store/raft_node.h"
#include "store/store.h"

/* The committed configuration that was told last. */
struct membership_news {
    bool known;
    uint64_t index;
    size_t count;
    struct raft_server_view servers[RAFT_SERVERS_MAX];
};

void membership_tell_step(enum store_group_id group, const struct membership_step *step,
                          int status);
/* Is there a newer one? index: of the committed configuration, 0: the newest is not committed. At
 * first true: what a member begins with is in the line that says its group was opened. */
bool membership_news_due(const struct membership_news *m, uint64_t index);
/* Tells how it differs from the one before; leader: who leads now, 0: nobody known. */
void membership_news_tell(struct membership_news *m, enum store_group_id group, uint64_t index,
                          uint64_t leader, const struct raft_server_view *servers, size_t count);
/* Both, of what a node has now. */
void membership_news_look(struct membership_news *m, const struct raft_node *node,
                          enum store_group_id group, uint64_t leader);

#endif
