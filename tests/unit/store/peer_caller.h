/* A gRPC client of member 1's peer loop with whatever certificate a test likes. */
#ifndef TESTS_UNIT_STORE_PEER_CALLER_H
#define TESTS_UNIT_STORE_PEER_CALLER_H

#include "base/str.h"
#include "net/grpc.h"
#include "tests/unit/store/store_world.h"

/* Calls member 1 with member `as`'s certificate (0..), or with none (-1). */
enum grpc_code peer_caller_call(struct store_world *w, int as, const char *path,
                                struct str request);
/* A plain GET, no gRPC: the HTTP status, 0 without an answer. */
int peer_caller_get(struct store_world *w, int as, const char *path);

#endif
