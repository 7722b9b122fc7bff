/*
 * Pod cgroups. The runtime makes and removes the containers' own; the pod's folder in every
 * hierarchy is the agent's: made before the sandbox, removed after it. cgroup v1 (several
 * hierarchies) and v2 (one). Blocking: on a pool thread.
 */
#ifndef KUBELET_LITE_CGROUP_H
#define KUBELET_LITE_CGROUP_H

#include "base/err.h"
#include "kubelet-lite/resources.h"

struct env;

#define CGROUP_MOUNT "/sys/fs/cgroup"

/* path: below the hierarchy's root, "/gantry/burstable/pod<uid>". */
int cgroup_make(struct env *env, const char *path, const struct cgroup_values *v, struct err *e);
/* A missing one is fine; one still in use is -ERR_X of rmdir. */
int cgroup_remove(struct env *env, const char *path, struct err *e);
/* cpu.weight of v2 for cpu.shares of v1. Pure. */
int64_t cgroup_weight(int64_t shares);

#endif
