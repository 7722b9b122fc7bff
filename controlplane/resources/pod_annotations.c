/* Annotations that a pod keeps as it was created with them. */
#include <string.h>

#include "api/meta/labels.h"
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "controlplane/resources/pod.h"

#define APP_ARMOR_PREFIX "container.apparmor.security.beta.kubernetes.io/"

static bool is_app_armor(const char *key)
{
    return strncmp(key, APP_ARMOR_PREFIX, strlen(APP_ARMOR_PREFIX)) == 0;
}

/* One that is kept and is not in others, or is there with another value. */
static void validate_each(const ObjectMeta *m, const ObjectMeta *others, bool by_value,
                          const char *app_armor, const char *mirror, struct err_list *out)
{
    struct field_path metadata = path_field(NULL, "metadata");
    struct field_path annotations = path_field(&metadata, "annotations");
    for (size_t i = 0; i < m->n_annotations; i++) {
        const char *key = entries_key(m->annotations, i);
        const char *other = entries_get(others->annotations, others->n_annotations, key);
        struct field_path p = path_key(&annotations, key);
        if (other != NULL && (!by_value || text_eq(other, entries_value(m->annotations, i))))
            continue;
        if (is_app_armor(key))
            rule_forbidden(out, &p, app_armor);
        if (text_eq(key, POD_MIRROR_ANNOTATION))
            rule_forbidden(out, &p, mirror);
    }
}

void pod_annotations_validate_update(const struct Pod *pod, const struct Pod *old,
                                     struct err_list *out)
{
    validate_each(old->metadata, pod->metadata, true,
                  "may not remove or update AppArmor annotations",
                  "may not remove or update mirror pod annotation", out);
    validate_each(pod->metadata, old->metadata, false, "may not add AppArmor annotations",
                  "may not add mirror pod annotation", out);
}

bool pod_is_mirror(const struct Pod *pod)
{
    return entries_get(pod->metadata->annotations, pod->metadata->n_annotations,
                       POD_MIRROR_ANNOTATION) != NULL;
}
