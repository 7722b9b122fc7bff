/*
 * `gantryd init`: a new cluster's identity, made once, offline.
 *
 * Writes below --out: the cluster's CA; cluster.conf (the members, their raft ids and peer
 * addresses); one certificate per member and per node; an administrator's kubeconfig with one
 * context per member. Keys are readable by their owner only. Refuses a folder that already holds a
 * CA.
 */
#ifndef CONTROLPLANE_INIT_H
#define CONTROLPLANE_INIT_H

#include "base/err.h"

struct env;
struct store_config;
struct arena;

/* Members' port for what they say to each other. */
#define MEMBER_PEER_PORT 2380
#define MEMBER_API_PORT  6443

/* argv after `init`. Prints what it made; -ERR_INVALID_ARGUMENT with usage in e for bad flags. */
int init_command(struct env *env, int argc, char **argv, struct err *e);

/* Reads <folder>/cluster.conf into config->members; strings go to the arena. -ERR_PARSE names the
 * line; -ERR_NOT_FOUND says to run init. */
int init_read_members(struct env *env, struct arena *a, const char *folder,
                      struct store_config *config, struct err *e);

#endif
