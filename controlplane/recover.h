/*
 * `gantryd recover`: a cluster whose majority is lost for good goes on from one member alone
 * (store/recover.h). Loud: it prints what it found and what it will do, and does it only when told
 * that the caller knows what that means. Offline: the member must be stopped.
 */
#ifndef CONTROLPLANE_RECOVER_H
#define CONTROLPLANE_RECOVER_H

#include "base/err.h"

struct buf;
struct env;

/* argv after `recover`. out: text for people, also after a failure. -ERR_INVALID_ARGUMENT when it
 * was not told to do it. */
int recover_command(struct env *env, int argc, char **argv, struct buf *out, struct err *e);

extern const char recover_usage[];

#endif
