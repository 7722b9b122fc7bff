/* ownerReferences of unpacked objects: who controls an object, and making a reference. */
#ifndef API_META_OWNER_H
#define API_META_OWNER_H

#include <stdbool.h>

#include "api/meta/kinds.h"

struct arena;
struct ObjectMeta;
struct OwnerReference;

/* The reference with controller=true, or NULL. Borrowed from meta. */
const struct OwnerReference *owner_controller(const struct ObjectMeta *meta);
bool owner_is_controlled_by(const struct ObjectMeta *meta, const char *uid);
bool owner_has(const struct ObjectMeta *meta, const char *uid);
/* A controller reference (controller and blockOwnerDeletion true) to an object; strings are
 * borrowed from owner. In the arena. */
struct OwnerReference *owner_controller_ref(struct arena *a, enum kind kind,
                                            const struct ObjectMeta *owner);
/* Appends ref to meta's list (a new array in the arena). */
void owner_append(struct arena *a, struct ObjectMeta *meta, struct OwnerReference *ref);

#endif
