/* Which fields of a pod this node does not support yet. Pure. */
#ifndef KUBELET_LITE_SUPPORT_H
#define KUBELET_LITE_SUPPORT_H

#include <stdbool.h>

#include "base/str.h"

struct Pod;
struct arena;

/* true: everything asked for can be done. false: *out_message names the first field that cannot,
 * "spec.containers[0].livenessProbe is not supported by this node yet". */
bool pod_supported(struct arena *a, const struct Pod *pod, const char **out_message);

#endif
