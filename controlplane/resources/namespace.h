/*
 * What the finalize subresource of a namespace may change: everything but its status, and so, as
 * the only one, spec.finalizers.
 */
#ifndef CONTROLPLANE_RESOURCES_NAMESPACE_H
#define CONTROLPLANE_RESOURCES_NAMESPACE_H

struct err_list;
struct Namespace;

/* Of a namespace as it would be stored. */
void namespace_validate_finalize(const struct Namespace *ns, struct err_list *out);

#endif
