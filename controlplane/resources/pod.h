/*
 * Rules of pods and pod templates, in four files: defaults, validation of containers, validation of
 * volumes and of the rest of the spec, and updates. Private to controlplane/resources.
 */
#ifndef CONTROLPLANE_RESOURCES_POD_H
#define CONTROLPLANE_RESOURCES_POD_H

#include <stdbool.h>

#include "controlplane/resources/rules.h"

struct Container;
struct PodSpec;
struct PodTemplateSpec;
struct Volume;
struct Pod;

/* Of a template or of a pod. */
void pod_spec_defaults(struct arena *a, struct PodSpec *spec);
void pod_template_defaults(struct arena *a, struct PodTemplateSpec *t);
void pod_defaults(struct arena *a, void *pod);

/* path: "spec", or "spec.template.spec". */
void pod_spec_validate(const struct PodSpec *spec, const struct field_path *path,
                       struct err_list *out);
/* containers and initContainers, against the volumes' names. */
void pod_containers_validate(const struct PodSpec *spec, const struct field_path *path,
                             struct err_list *out);
/* resources, probes and lifecycle of one container. */
void pod_container_runtime_validate(const struct Container *c, bool run_to_completion,
                                    const struct field_path *p, struct err_list *out);
void pod_volumes_validate(const struct PodSpec *spec, const struct field_path *path,
                          struct err_list *out);
bool pod_has_volume(const struct PodSpec *spec, const char *name);
/* A template that nothing runs: any restart policy. */
void pod_template_validate_any(const struct PodTemplateSpec *t, const struct field_path *path,
                               struct err_list *out);
/* A workload's template: labels must match the selector, restartPolicy Always. */
void pod_template_validate(const struct PodTemplateSpec *t, const struct field_path *path,
                           struct err_list *out);
/* Which fields of a pod's spec an update may change. */
void pod_validate_update(const struct Pod *pod, const struct Pod *old, struct err_list *out);

/* "Guaranteed", "Burstable" or "BestEffort". */
const char *pod_qos_class(const struct PodSpec *spec);

#endif
