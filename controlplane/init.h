/*
 * `gantryd init`: a new cluster's identity, made once, offline.
 *
 * Writes below --out: the cluster's CA; cluster.conf (the members, their raft ids and
 * addresses); one certificate per member and per node; an administrator's kubeconfig with one
 * context per member. Keys are readable by their owner only. Refuses a folder that already holds a
 * CA.
 */
#ifndef CONTROLPLANE_INIT_H
#define CONTROLPLANE_INIT_H

#include "base/err.h"
#include "base/str.h"

struct env;

/* argv after `init`. Prints what it made; -ERR_INVALID_ARGUMENT with usage in e for bad flags. */
int init_command(struct env *env, int argc, char **argv, struct err *e);

#endif
