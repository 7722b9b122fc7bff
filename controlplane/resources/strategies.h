/* The strategy of each kind with rules, defined in the file of that kind; used by registry.c. */
#ifndef CONTROLPLANE_RESOURCES_STRATEGIES_H
#define CONTROLPLANE_RESOURCES_STRATEGIES_H

#include "controlplane/resources/registry.h"

extern const struct resource_strategy namespace_strategy;
extern const struct resource_strategy node_strategy;
extern const struct resource_strategy pod_strategy;
extern const struct resource_strategy binding_strategy;
extern const struct resource_strategy configmap_strategy;
extern const struct resource_strategy secret_strategy;
extern const struct resource_strategy service_strategy;
extern const struct resource_strategy event_strategy;
extern const struct resource_strategy events_event_strategy; /* of events.k8s.io: stricter */
extern const struct resource_strategy lease_strategy;
extern const struct resource_strategy deployment_strategy;
extern const struct resource_strategy replicaset_strategy;
extern const struct resource_strategy controller_revision_strategy;
extern const struct resource_strategy endpoint_slice_strategy;
extern const struct resource_strategy endpoints_strategy;
extern const struct resource_strategy limit_range_strategy;
extern const struct resource_strategy pod_disruption_budget_strategy;
extern const struct resource_strategy pod_template_strategy;
extern const struct resource_strategy replication_controller_strategy;
extern const struct resource_strategy resource_quota_strategy;
extern const struct resource_strategy token_review_strategy;
extern const struct resource_strategy self_subject_review_strategy;
extern const struct resource_strategy local_subject_access_review_strategy;
extern const struct resource_strategy self_subject_access_review_strategy;
extern const struct resource_strategy self_subject_rules_review_strategy;
extern const struct resource_strategy subject_access_review_strategy;

#endif
