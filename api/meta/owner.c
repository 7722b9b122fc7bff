/* Owner references of protobuf-c structs. */
#include "api/meta/owner.h"

#include <string.h>

#include "api/proto/meta.pb-c.h"
#include "base/arena.h"

const struct OwnerReference *owner_controller(const struct ObjectMeta *meta)
{
    for (size_t i = 0; i < meta->n_owner_references; i++) {
        if (meta->owner_references[i]->controller)
            return meta->owner_references[i];
    }
    return NULL;
}

static bool same_uid(const struct OwnerReference *ref, const char *uid)
{
    return ref->uid != NULL && uid != NULL && strcmp(ref->uid, uid) == 0;
}

bool owner_is_controlled_by(const struct ObjectMeta *meta, const char *uid)
{
    const struct OwnerReference *ref = owner_controller(meta);
    return ref != NULL && same_uid(ref, uid);
}

bool owner_has(const struct ObjectMeta *meta, const char *uid)
{
    for (size_t i = 0; i < meta->n_owner_references; i++) {
        if (same_uid(meta->owner_references[i], uid))
            return true;
    }
    return false;
}

struct OwnerReference *owner_controller_ref(struct arena *a, enum kind kind,
                                            const struct ObjectMeta *owner)
{
    OwnerReference *ref = arena_new(a, OwnerReference);
    owner_reference__init(ref);
    ref->api_version = str_dup(a, str_from(kind_api_version(kind)));
    ref->kind = str_dup(a, str_from(kind_info(kind)->name));
    ref->name = owner->name;
    ref->uid = owner->uid;
    ref->has_controller = 1;
    ref->controller = 1;
    ref->has_block_owner_deletion = 1;
    ref->block_owner_deletion = 1;
    return ref;
}

void owner_append(struct arena *a, struct ObjectMeta *meta, struct OwnerReference *ref)
{
    size_t count = meta->n_owner_references;
    OwnerReference **refs = arena_array(a, count + 1, sizeof(OwnerReference *));
    for (size_t i = 0; i < count; i++)
        refs[i] = meta->owner_references[i];
    refs[count] = ref;
    meta->owner_references = refs;
    meta->n_owner_references = count + 1;
}
