/* A server engine without a network, and a handler that does something for every path. */
#ifndef TESTS_FUZZ_NET_ENGINE_NET_ENGINE_H
#define TESTS_FUZZ_NET_ENGINE_NET_ENGINE_H

#include "net/engine.h"

/* Feeds the bytes in pieces of every size to a new engine, with turns between, and ends it; aborts
 * when an exchange was not closed exactly once. */
void net_engine_serve(struct http_engine *(*make)(struct http_link *link), struct str bytes,
                      size_t piece);

#endif
