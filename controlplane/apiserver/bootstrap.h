/*
 * What a new cluster needs before anyone can use it: the namespaces default, kube-system,
 * kube-public and kube-node-lease. The member that leads creates those that are missing, as a
 * client of its own API server, whenever its leadership begins; it tries again until they exist.
 */
#ifndef CONTROLPLANE_APISERVER_BOOTSTRAP_H
#define CONTROLPLANE_APISERVER_BOOTSTRAP_H

#include <stdbool.h>

struct apiserver;
struct bootstrap;

struct bootstrap *bootstrap_new(struct apiserver *s);
void bootstrap_free(struct bootstrap *b); /* NULL-safe */
/* Do all of them exist here? Any thread. */
bool bootstrap_complete(const struct apiserver *s);

#endif
