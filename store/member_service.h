/*
 * The callee's side of MemberService (store/proto/peer.proto), on the peer loop: views and
 * transfers for members, announcements from whoever has a member's certificate.
 *
 * An announcement tells where a member is now. It needs no row to be let in: a member that was
 * removed, and knows nothing of it, is told so. A row that is gone says exactly that: ids are never
 * given twice, and a row goes only when no configuration holds its member any more.
 */
#ifndef STORE_MEMBER_SERVICE_H
#define STORE_MEMBER_SERVICE_H

#include "base/env.h"
#include "net/grpc.h"
#include "store/store.h"

struct admin;
struct member_service;
struct members_keeper;
struct peers;

#define MEMBER_SERVICE_MEMBERS  "/MemberService/Members"
#define MEMBER_SERVICE_TRANSFER "/MemberService/Transfer"
#define MEMBER_SERVICE_ANNOUNCE "/MemberService/Announce"

struct member_service *member_service_new(struct admin *admin);
/* Before the loops run. */
void member_service_set_peers(struct member_service *s, struct peers *peers);
void member_service_set_keeper(struct member_service *s, struct members_keeper *keeper);
const struct grpc_service *member_service_grpc(struct member_service *s);
void member_service_free(struct member_service *s); /* after both loops have stopped */

#endif
