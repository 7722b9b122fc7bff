/* A gRPC service for the interop scripts: test.Echo. */
#ifndef TESTS_INTEROP_NET_ECHO_H
#define TESTS_INTEROP_NET_ECHO_H

#include "net/grpc.h"

extern const struct grpc_service net_echo_service;

#endif
