/*
 * Rules of pods and pod templates: defaults, validation by part of the spec (a file each, see the
 * README), and updates. A path is of the spec ("spec", "spec.template.spec") or of one container.
 * Private to controlplane/resources.
 */
#ifndef CONTROLPLANE_RESOURCES_POD_H
#define CONTROLPLANE_RESOURCES_POD_H

#include <stdbool.h>

#include "controlplane/resources/keys.h"
#include "controlplane/resources/rules.h"

struct Container;
struct PodSpec;
struct PodTemplateSpec;
struct Pod;
struct ObjectFieldSelector;
struct ResourceFieldSelector;

/* Of a template or of a pod. */
void pod_spec_defaults(struct arena *a, struct PodSpec *spec);
void pod_template_defaults(struct arena *a, struct PodTemplateSpec *t);
void pod_defaults(struct arena *a, void *pod);
/* Of a pod that is made: its matchLabelKeys become part of their selectors. */
void pod_label_keys_apply(struct arena *a, struct Pod *pod);

/* Of a pod: all of it. */
void pod_spec_validate(const struct PodSpec *spec, const struct field_path *path,
                       struct err_list *out);

/* The parts that pods and templates share. */
void pod_volumes_validate(const struct PodSpec *spec, const struct field_path *path,
                          struct err_list *out);
void pod_containers_validate(const struct PodSpec *spec, const struct field_path *path,
                             struct err_list *out);
/* is_pod: ports have been filled in; a template's may still be open. */
void pod_host_network_validate(const struct PodSpec *spec, bool is_pod,
                               const struct field_path *path, struct err_list *out);
void pod_security_validate(const struct PodSpec *spec, const struct field_path *path,
                           struct err_list *out);
void pod_host_users_validate(const struct PodSpec *spec, const struct field_path *path,
                             struct err_list *out);
void pod_affinity_validate(const struct PodSpec *spec, const struct field_path *path,
                           struct err_list *out);
void pod_spread_validate(const struct PodSpec *spec, const struct field_path *path,
                         struct err_list *out);
void pod_dns_validate(const struct PodSpec *spec, const struct field_path *path,
                      struct err_list *out);
void pod_host_aliases_validate(const struct PodSpec *spec, const struct field_path *path,
                               struct err_list *out);
void pod_overhead_validate(const struct PodSpec *spec, const struct field_path *path,
                           struct err_list *out);
void pod_os_validate(const struct PodSpec *spec, const struct field_path *path,
                     struct err_list *out);
/* Images of a pod, which (other than a template's) may have no space around them. */
void pod_images_validate(const struct PodSpec *spec, const struct field_path *path,
                         struct err_list *out);

/* What the containers of a pod refer to, by name. */
struct pod_names {
    const struct PodSpec *spec;
    struct keys volumes;
    struct keys claims;
    struct keys containers; /* then init containers */
};

struct pod_names pod_names_of(struct arena *a, const struct PodSpec *spec);

/* The parts of one container. */
void pod_container_env_validate(const struct Container *c, const struct field_path *up,
                                struct err_list *out);
void pod_container_mounts_validate(const struct Container *c, const struct pod_names *names,
                                   const struct field_path *up, struct err_list *out);
void pod_container_resources_validate(const struct Container *c, const struct pod_names *names,
                                      const struct field_path *up, struct err_list *out);
void pod_container_security_validate(const struct Container *c, const struct PodSpec *spec,
                                     const struct field_path *up, struct err_list *out);
/* Probes and lifecycle hooks; none for what runs to completion. */
void pod_container_runtime_validate(const struct Container *c, const struct PodSpec *spec,
                                    bool run_to_completion, const struct field_path *p,
                                    struct err_list *out);

/* References to the pod's own fields and resources; volume: from a volume, not a variable. */
void pod_field_ref_validate(const struct ObjectFieldSelector *ref, bool volume,
                            const struct field_path *p, struct err_list *out);
void pod_resource_ref_validate(const struct ResourceFieldSelector *ref, bool volume,
                               const struct field_path *p, struct err_list *out);

bool path_has_dots(const char *path); /* a step of it is .. */
/* Relative, and no way out. */
void check_local_path(struct err_list *out, const struct field_path *p, const char *path);
/* The same of a file inside a volume: given, and no name that the kubelet keeps for itself. */
void check_inner_path(struct err_list *out, const struct field_path *p, const char *path);

/* A template that nothing runs: any restart policy. */
void pod_template_validate_any(const struct PodTemplateSpec *t, const struct field_path *path,
                               struct err_list *out);
/* A workload's template: labels must match the selector, restartPolicy Always. */
void pod_template_validate(const struct PodTemplateSpec *t, const struct field_path *path,
                           struct err_list *out);
/* Which fields of a pod's spec an update may change. */
void pod_validate_update(const struct Pod *pod, const struct Pod *old, struct err_list *out);

/* Gates may only go. */
void pod_gates_validate_update(const struct PodSpec *spec, const struct PodSpec *old,
                               const struct field_path *path, struct err_list *out);
/* Of a pod with gates: what nodes it may have, which may only become fewer. Of munged, a copy of
 * the new spec, that part becomes the old one's. */
void pod_placement_validate_update(struct PodSpec *munged, const struct PodSpec *old,
                                   const struct field_path *path, struct err_list *out);

/* Of a pod that a node's agent made of a file of its own. */
#define POD_MIRROR_ANNOTATION "kubernetes.io/config.mirror"
bool pod_is_mirror(const struct Pod *pod);
/* Annotations that stay as they are: of any update of a pod. */
void pod_annotations_validate_update(const struct Pod *pod, const struct Pod *old,
                                     struct err_list *out);
/* What the status of a pod may become. */
void pod_status_validate(const struct Pod *pod, const struct Pod *old, struct err_list *out);

/* "Guaranteed", "Burstable" or "BestEffort". */
const char *pod_qos_class(const struct PodSpec *spec);

#endif
