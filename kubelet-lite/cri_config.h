/* Pod and container as the runtime wants them told: pure builders of CRI messages. */
#ifndef KUBELET_LITE_CRI_CONFIG_H
#define KUBELET_LITE_CRI_CONFIG_H

#include "api/proto/runtime.pb-c.h"
#include "kubelet-lite/env_vars.h"

struct Container;
struct Pod;

/* What the node adds to the pod. */
struct pod_place {
    const char *cgroup_parent; /* "/gantry/burstable/pod<uid>" */
    const char *log_dir;       /* the pod's */
    const char *hosts_path;    /* the pod's /etc/hosts on the node; NULL: the node's own is seen */
    const char *node_name;
    int64_t node_memory; /* capacity */
};

/* Everything in the arena or borrowed from the pod. */
Runtime__V1__PodSandboxConfig *sandbox_config(struct arena *a, const struct Pod *pod,
                                              const struct pod_place *place, uint32_t attempt);

struct container_place {
    const char *image_ref; /* what the image service knows it by */
    bool image_has_uid;    /* the image names a user by number */
    int64_t image_uid;
    const char *image_user; /* or by name; "" */
    const char **mounts;    /* host path of each volumeMount, in order */
    const struct env_vars *vars;
    uint32_t attempt;
    uint32_t backoff_level;
};
/* -ERR_INVALID_ARGUMENT when the pod asks for what cannot be said. */
int container_config(struct arena *a, const struct Pod *pod, const struct Container *c,
                     const struct pod_place *place, const struct container_place *where,
                     Runtime__V1__ContainerConfig **out, struct err *e);

/* Helpers of both builders: a zeroed message ready to pack; an appended entry of two strings. */
void *cri_message(struct arena *a, const ProtobufCMessageDescriptor *d);
void *cri_entry_add(struct arena *a, const ProtobufCMessageDescriptor *d, void *entries,
                    size_t *count, const char *key, const char *value);
Runtime__V1__Int64Value *cri_int64(struct arena *a, bool has, int64_t n);
Runtime__V1__NamespaceOption *cri_namespaces(struct arena *a, const struct Pod *pod);
struct SeccompProfile;
Runtime__V1__SecurityProfile *cri_seccomp(struct arena *a, const struct SeccompProfile *profile);

/* The pod's host name: spec.hostname, else its name, at most 63 bytes. */
const char *pod_hostname(struct arena *a, const struct Pod *pod);
/* The pod's /etc/hosts. */
struct str pod_hosts(struct arena *a, const struct Pod *pod, const char *pod_ip);
/* "<container>/<attempt>.log", below the pod's log folder. */
const char *container_log_path(struct arena *a, const char *container, uint32_t attempt);

#endif
