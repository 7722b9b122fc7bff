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
/* Can it be reached from outside the cluster? */
bool service_is_external(const struct ServiceSpec *spec);

#endif
