/* Services of namespace default, made, changed and removed: for the tests of what they are given.
 */
#ifndef TESTS_UNIT_CONTROLPLANE_APISERVER_SERVICE_CALLS_H
#define TESTS_UNIT_CONTROLPLANE_APISERVER_SERVICE_CALLS_H

#include "tests/unit/controlplane/apiserver/harness.h"

#define SERVICES "/api/v1/namespaces/default/services"

/* spec: the members of the JSON object. */
struct reply service_create(struct harness *h, const char *name, const char *spec);
/* A merge patch. */
struct reply service_patch(struct harness *h, const char *name, const char *patch);
void service_remove(struct harness *h, const char *name);

#endif
