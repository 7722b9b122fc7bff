/*
 * What a Service is given: cluster addresses, node ports, a port for health checks. Private to the
 * API server.
 *
 * Each that is taken is a plain row of the store, named by the address or the port, with the uid of
 * its Service. The transaction that writes the Service adds and removes its rows, on condition that
 * what it takes is free: two Services never have one address, whoever writes where at once, and
 * none is lost when one of them goes. A Service that an earlier release stored without an address
 * gets one with its next update.
 */
#ifndef CONTROLPLANE_APISERVER_SERVICE_ADDRESSES_H
#define CONTROLPLANE_APISERVER_SERVICE_ADDRESSES_H

#include "controlplane/apiserver/write.h"

/* Distinct node ports of one Service, its health check's included: a transaction has room for so
 * many conditions. Upstream bounds them by the size of an object only. */
#define SERVICE_NODE_PORTS_MAX 48

/* Gives w->object, a valid Service that takes the place of w->old (NULL: create), what it lacks and
 * asks for, and puts the rows into w. On a dry run nothing is taken, and a new address is the
 * network's own, as upstream answers. -ERR_X with r->status set: 422 in upstream's words for what
 * is taken or out of range. */
int service_addresses_give(struct request *r, struct write *w);
/* Puts into w that the rows of w->old, which goes, go too. */
int service_addresses_take_back(struct request *r, struct write *w);

#endif
