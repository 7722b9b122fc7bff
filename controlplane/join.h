/*
 * `gantryd join`: one command on a new machine, and it can start as a member.
 *
 * The server is believed because its chain leads to a CA whose key has the hash that the operator
 * brought along; the machine's own key is made here and never leaves it. Writes the cluster folder
 * (ca.crt, cluster.conf, members/NAME/) and marks the data folder as joined; both must be new.
 * With --run it then is `gantryd run`, and the same command again only runs: one command for a
 * supervisor.
 */
#ifndef CONTROLPLANE_JOIN_H
#define CONTROLPLANE_JOIN_H

#include "base/err.h"

struct buf;
struct env;

/* argv after `join`. out: text for people, the command that starts the member. With --run it
 * returns when the member has stopped. */
int join_command(struct env *env, int argc, char **argv, struct buf *out, struct err *e);

extern const char join_usage[];

#endif
