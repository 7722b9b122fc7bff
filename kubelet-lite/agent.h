/* The agent: wires the parts, on one loop. */
#ifndef KUBELET_LITE_AGENT_H
#define KUBELET_LITE_AGENT_H

#include "base/err.h"

struct agent;
struct env_loop;
struct options;

/* Reads files and the machine (blocking), opens the port; nothing runs before the loop does. */
int agent_new(struct env_loop *loop, const struct options *options, struct agent **out,
              struct err *e);
/* Ends what is under way; then stopped is called and the agent is gone. Containers run on. */
void agent_stop(struct agent *a, void (*stopped)(void *ctx), void *ctx);

#endif
