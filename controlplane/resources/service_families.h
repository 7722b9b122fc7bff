/*
 * Which address families a Service is of: what it asks for against what the cluster has, with
 * upstream's defaults (KEP-563). After validation, before addresses are given.
 */
#ifndef CONTROLPLANE_RESOURCES_SERVICE_FAMILIES_H
#define CONTROLPLANE_RESOURCES_SERVICE_FAMILIES_H

#include <stdbool.h>

struct ServiceSpec;
struct arena;
struct err_list;
struct service_ranges;

/* Fills ipFamilyPolicy and ipFamilies; old NULL: create. What the cluster cannot give goes to out,
 * and then the spec is not whole. */
void service_families_fill(struct arena *a, const struct service_ranges *ranges,
                           struct ServiceSpec *spec, const struct ServiceSpec *old,
                           struct err_list *out);
/* Of one that prefers two families, and of which nothing changes that has to do with addresses: it
 * is left as it is, whatever the cluster has come to have. */
bool service_families_rest(const struct ServiceSpec *spec, const struct ServiceSpec *old);
/* Are their lists of cluster addresses the same? */
bool service_same_ips(const struct ServiceSpec *a, const struct ServiceSpec *b);
/* clusterIP: None. */
bool service_is_headless(const struct ServiceSpec *spec);

#endif
