/* What the finalize subresource of a namespace may say. */
#ifndef CONTROLPLANE_RESOURCES_NAMESPACE_H
#define CONTROLPLANE_RESOURCES_NAMESPACE_H

struct err_list;
struct Namespace;

/* Names of spec.finalizers. */
void namespace_validate_finalize(const struct Namespace *ns, struct err_list *out);

#endif
