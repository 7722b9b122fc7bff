/*
 * The members of the cluster over HTTP, beside the Kubernetes API:
 *
 *   GET  /gantry/v1/members                 every row, and what each group's leader knows of it;
 *                                           answers without a leader, with less
 *   POST /gantry/v1/members                 {name, raftAddress, peerAddress}: a row, and a token
 *   POST /gantry/v1/members/NAME/token      another token, for one that has not joined
 *   POST /gantry/v1/members/NAME/promote    {wait}: it shall vote
 *   POST /gantry/v1/members/NAME/demote     {force}: it shall only follow
 *   POST /gantry/v1/members/NAME/remove     {force}: it shall go
 *   POST /gantry/v1/members/NAME/transfer   {group}: it shall lead; NAME "-": whoever is best
 *   POST /gantry/v1/join                    {token, csr, address}: join_api.c
 *
 * Writes are transactions over the rows (roster_txn.h), answered when committed; what they wish
 * comes about one safe step at a time (membership.h). force sets a wish that is refused otherwise
 * because the voters that remain, and answer, would be no majority; the step still waits for one.
 *
 * All but join need a client certificate of the cluster. Errors are {"error": TEXT}, for people.
 */
#ifndef CONTROLPLANE_MEMBERS_API_H
#define CONTROLPLANE_MEMBERS_API_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct env;
struct http_exchange;
struct members_api;
struct store;

struct members_api_config {
    struct env *env;
    struct store *store;
    const char *folder; /* the cluster's: ca.key is looked for there when somebody joins */
    struct str ca_pem;
    const char *cluster;  /* its id */
    uint32_t tries_per_s; /* of joining, on this member; 0: JOIN_TRIES_PER_S */
};

#define JOIN_TRIES_PER_S 10

/* Everything is borrowed and outlives the api. */
int members_api_new(const struct members_api_config *config, struct members_api **out,
                    struct err *e);
void members_api_free(struct members_api *api); /* NULL-safe; when nothing is under way */

/* true when the request was ours. On the exchange's loop. */
bool members_api_serve(struct members_api *api, struct http_exchange *x);

#endif
