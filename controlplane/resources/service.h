/* What the spec of a Service may say. Private to controlplane/resources. */
#ifndef CONTROLPLANE_RESOURCES_SERVICE_H
#define CONTROLPLANE_RESOURCES_SERVICE_H

#include <stdbool.h>

struct Service;
struct ServiceSpec;
struct err_list;

void service_spec_validate(const struct Service *service, struct err_list *out);
void service_spec_validate_update(const struct ServiceSpec *spec, const struct ServiceSpec *old,
                                  struct err_list *out);
/* Where a balancer says it listens. */
void service_status_validate(const struct Service *service, struct err_list *out);
/* Is it balanced to nodes with endpoints only, who tell at a port of their own? */
bool service_checks_health(const struct ServiceSpec *spec);
/* Is it of a type that is reached at ports of the nodes? */
bool service_has_node_ports(const struct ServiceSpec *spec);
/* Can it be reached from outside the cluster? */
bool service_is_external(const struct ServiceSpec *spec);

#endif
