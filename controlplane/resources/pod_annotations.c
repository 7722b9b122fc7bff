/* Annotations that a pod keeps as it was created with them. */
#include <string.h>

#include "api/meta/labels.h"
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/keys.h"
#include "controlplane/resources/pod.h"

#define APP_ARMOR_PREFIX "container.apparmor.security.beta.kubernetes.io/"

static bool is_app_armor(const char *key)
{
    return strncmp(key, APP_ARMOR_PREFIX, strlen(APP_ARMOR_PREFIX)) == 0;
}

static bool is_kept(const char *key)
{
    return is_app_armor(key) || text_eq(key, POD_MIRROR_ANNOTATION);
}

/* The annotations that are kept, to be found by their keys. */
struct kept {
    struct keys keys;
    const char **values;
};

static struct kept kept_of(struct arena *a, const ObjectMeta *m)
{
    struct kept kept = { .keys = keys_new(a, m->n_annotations) };
    if (m->n_annotations > 0)
        kept.values = arena_array(a, m->n_annotations, sizeof(*kept.values));
    for (size_t i = 0; i < m->n_annotations; i++) {
        const char *key = entries_key(m->annotations, i);
        if (!is_kept(key))
            continue;
        kept.values[kept.keys.count] = entries_value(m->annotations, i);
        keys_add(&kept.keys, (struct key){ .text = key });
    }
    keys_sort(&kept.keys);
    return kept;
}

/* One that is kept and is not in others, or is there with another value. */
static void validate_each(const ObjectMeta *m, const struct kept *others, bool by_value,
                          const char *app_armor, const char *mirror, struct err_list *out)
{
    struct field_path metadata = path_field(NULL, "metadata");
    struct field_path annotations = path_field(&metadata, "annotations");
    for (size_t i = 0; i < m->n_annotations; i++) {
        const char *key = entries_key(m->annotations, i);
        if (!is_kept(key))
            continue;
        struct field_path p = path_key(&annotations, key);
        ptrdiff_t at = keys_find(&others->keys, (struct key){ .text = key });
        if (at >= 0 && (!by_value || text_eq(others->values[at], entries_value(m->annotations, i))))
            continue;
        rule_forbidden(out, &p, is_app_armor(key) ? app_armor : mirror);
    }
}

void pod_annotations_validate_update(const struct Pod *pod, const struct Pod *old,
                                     struct err_list *out)
{
    const struct kept now = kept_of(out->arena, pod->metadata);
    const struct kept was = kept_of(out->arena, old->metadata);
    validate_each(old->metadata, &now, true, "may not remove or update AppArmor annotations",
                  "may not remove or update mirror pod annotation", out);
    validate_each(pod->metadata, &was, false, "may not add AppArmor annotations",
                  "may not add mirror pod annotation", out);
}

bool pod_is_mirror(const struct Pod *pod)
{
    return entries_get(pod->metadata->annotations, pod->metadata->n_annotations,
                       POD_MIRROR_ANNOTATION) != NULL;
}
