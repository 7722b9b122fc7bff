/* Rules that Deployments, ReplicaSets and ReplicationControllers share. Private to
 * controlplane/resources. */
#ifndef CONTROLPLANE_RESOURCES_WORKLOAD_H
#define CONTROLPLANE_RESOURCES_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/resources/rules.h"

struct LabelSelector;
struct selector;
struct PodTemplateSpec;

/* Selector present and not empty, template matching it and valid. path: "spec". */
void workload_validate_template(const struct LabelSelector *selector,
                                const struct PodTemplateSpec *t, const struct field_path *path,
                                struct err_list *out);
/* The template's labels match; an empty selector has nothing to say. path: "spec". */
void workload_validate_match(const struct selector *selector, const struct PodTemplateSpec *t,
                             const struct field_path *path, struct err_list *out);

/* Of a status; what a kind has not is 0. */
struct workload_counts {
    int32_t replicas;
    int32_t fully_labeled;
    int32_t updated;
    int32_t ready;
    int32_t available;
    int32_t unavailable;
    int32_t terminating;
    int64_t observed_generation;
    int32_t collisions;
};

/* Not negative; no part above replicas; none available that is not ready. */
void workload_validate_counts(const struct workload_counts *counts, struct err_list *out);
/* A selector never changes. */
void workload_validate_selector_update(const struct LabelSelector *selector,
                                       const struct LabelSelector *old, struct err_list *out);
/* The number of a percentage, or -1 when it is no percent string. */
int64_t workload_percent(const char *text);
/* A number that is not negative, or a percentage; NULL is fine. */
void workload_validate_amount(const struct IntOrString *v, const char *name, bool at_most_all,
                              const struct field_path *up, struct err_list *out);
/* A LabelSelector's own syntax. */
void workload_validate_selector(const struct LabelSelector *selector, const struct field_path *p,
                                struct err_list *out);

#endif
