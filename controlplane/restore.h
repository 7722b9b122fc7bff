/* `gantryd restore`: a new member's data folder made from a backup, offline. */
#ifndef CONTROLPLANE_RESTORE_H
#define CONTROLPLANE_RESTORE_H

#include "base/err.h"

struct buf;
struct env;

/* argv after `restore`. What was restored is appended to out, for a person. */
int restore_command(struct env *env, int argc, char **argv, struct buf *out, struct err *e);

extern const char restore_usage[];

#endif
