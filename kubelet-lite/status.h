/*
 * The status of a pod: phase, conditions and container statuses, with upstream's reasons and forms.
 * Pure.
 */
#ifndef KUBELET_LITE_STATUS_H
#define KUBELET_LITE_STATUS_H

#include "kubelet-lite/plan.h"

struct PodStatus;
struct arena;

struct status_input {
    const struct pod_input *pod;
    const char *host_ip;
    bool host_network;
    uint64_t started_ns; /* wall clock at which this node took the pod; kept when status has one */
};

/* A new status in the arena; parts that the agent does not own (nominatedNodeName, conditions of
 * others) are taken over from the pod's present one. */
struct PodStatus *pod_status(struct arena *a, const struct status_input *in);

/* "Pending", "Running", "Succeeded", "Failed". */
const char *pod_phase(const struct pod_input *in);

#endif
