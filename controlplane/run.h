/* `gantryd run`: one control-plane member, until a signal ends it. */
#ifndef CONTROLPLANE_RUN_H
#define CONTROLPLANE_RUN_H

#include "base/err.h"

struct env;

/* argv after `run`. Returns when the member has stopped in good order. */
int run_command(struct env *env, int argc, char **argv, struct err *e);

/* -ERR_INVALID_ARGUMENT: run_command would refuse these; nothing is opened. */
int run_check_flags(int argc, char **argv, struct err *e);

extern const char run_usage[];

#endif
