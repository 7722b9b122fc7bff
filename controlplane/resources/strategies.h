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
extern const struct resource_strategy lease_strategy;
extern const struct resource_strategy deployment_strategy;
extern const struct resource_strategy replicaset_strategy;

#endif
