/*
 * An API server and what its proxies lead to: one server in plain HTTP and over TLS, which is also
 * the agent of node "n". By path:
 *   .../echo     what it was asked: method, target, then a line per header
 *   .../back     the body comes back as it comes
 *   .../flood    writes as long as it is taken
 *   .../half     announces 100 bytes, writes "half" and is gone
 *   .../page     a page with a link to /x
 *   .../moved    a redirect to /elsewhere
 *   .../waits    never answers
 *   .../tunnel   agrees to an upgrade, sends back what it gets and ends with the client
 *   .../short    agrees, writes "bye" and is gone
 *   others       404
 * Pod "web" of the namespace "default" is at 10.0.0.1 and declares the plain port.
 */
#ifndef TESTS_UNIT_CONTROLPLANE_APISERVER_PROXY_BACKEND_H
#define TESTS_UNIT_CONTROLPLANE_APISERVER_PROXY_BACKEND_H

#include <stdatomic.h>

#include "tests/unit/controlplane/apiserver/harness.h"

#define PROXY_PODS "/api/v1/namespaces/default/pods"

/* Written by "flood", and exchanges that are not over yet. */
extern _Atomic size_t proxy_backend_flooded;
extern _Atomic int proxy_backend_open;
extern int proxy_backend_port;
extern int proxy_backend_tls_port;

int proxy_backend_setup(void **state);
int proxy_backend_teardown(void **state);

/* A pod whose status has this address; ports and labels: JSON, or "". */
void proxy_backend_pod(struct harness *h, const char *name, const char *address, bool ready,
                       const char *labels, const char *ports);

#endif
