/* CPU and memory of pods as cgroup values, and the QoS class, by upstream's rules. Pure. */
#ifndef KUBELET_LITE_RESOURCES_H
#define KUBELET_LITE_RESOURCES_H

#include <stdbool.h>
#include <stdint.h>

struct Container;
struct Pod;
struct ResourceRequirements;

#define CGROUP_PERIOD_US  100000
#define CGROUP_SHARES_MIN 2
#define CGROUP_SHARES_MAX 262144
#define CGROUP_QUOTA_MIN  1000

struct amounts {
    int64_t cpu_milli; /* 0: not given */
    int64_t memory;    /* bytes; 0: not given */
};

struct cgroup_values {
    int64_t cpu_shares;
    int64_t cpu_quota_us;  /* 0: no limit */
    int64_t memory_limit;  /* bytes; 0: no limit */
    int64_t oom_score_adj; /* of containers */
};

enum qos { QOS_GUARANTEED, QOS_BURSTABLE, QOS_BEST_EFFORT };

void resource_limits(const struct ResourceRequirements *r, struct amounts *out);
/* Requests; what is not given there is taken from the limits, as the API's defaulting does. */
void resource_requests(const struct ResourceRequirements *r, struct amounts *out);

enum qos pod_qos(const struct Pod *pod);
const char *qos_name(enum qos qos);   /* "BestEffort" */
const char *qos_folder(enum qos qos); /* "besteffort" */

/* memory_capacity: of the node, for the OOM score of burstable pods. */
void container_cgroup(const struct Pod *pod, const struct Container *c, int64_t memory_capacity,
                      struct cgroup_values *out);
/* Of the pod's own cgroup: the sum of its containers; a limit only when all have one. */
void pod_cgroup(const struct Pod *pod, struct cgroup_values *out);

#endif
