/*
 * What the ephemeralcontainers and resize subresources of a pod may change.
 *
 * Both take a whole pod and use one part of it. pod_take_* makes the pod to store: the old one with
 * that part, and with what the client says of the object's identity (validation looks at it). The
 * pod's agent acts on neither yet: they are data. Pure; what is made lives in the arena.
 */
#ifndef CONTROLPLANE_RESOURCES_POD_SUBRESOURCES_H
#define CONTROLPLANE_RESOURCES_POD_SUBRESOURCES_H

struct arena;
struct err_list;
struct Pod;
struct PodSpec;

struct Pod *pod_take_ephemeral(struct arena *a, const struct Pod *pod, const struct Pod *old);
/* Containers may be added; present ones may not change or go. */
void pod_validate_ephemeral(const struct Pod *pod, const struct Pod *old, struct err_list *out);

struct Pod *pod_take_resize(struct arena *a, const struct Pod *pod, const struct Pod *old);
/* cpu and memory of containers may change, within the QoS class. */
void pod_validate_resize(const struct Pod *pod, const struct Pod *old, struct err_list *out);

#endif
