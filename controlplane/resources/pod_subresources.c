/* See the header. Texts and order are upstream's ValidatePodEphemeralContainersUpdate and
 * ValidatePodResize; the difference that upstream appends to some is left out. */
#include "controlplane/resources/pod_subresources.h"

#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/pod.h"
#include "controlplane/resources/quantities.h"

/* The old pod under the client's idea of its identity, with a spec of its own to change. */
static Pod *old_pod(struct arena *a, const Pod *pod, const Pod *old)
{
    Pod *made = arena_copy(a, old, sizeof(*old));
    made->metadata = arena_copy(a, old->metadata, sizeof(*old->metadata));
    made->metadata->name = pod->metadata->name;
    made->metadata->namespace_ = pod->metadata->namespace_;
    made->metadata->uid = pod->metadata->uid;
    made->metadata->resource_version = pod->metadata->resource_version;
    made->spec = arena_copy(a, old->spec, sizeof(*old->spec));
    return made;
}

/* ---- ephemeralcontainers ---- */

static const char *ephemeral_name(const EphemeralContainer *c)
{
    return c->ephemeral_container_common == NULL ? ""
                                                 : text_of(c->ephemeral_container_common->name);
}

struct Pod *pod_take_ephemeral(struct arena *a, const struct Pod *pod, const struct Pod *old)
{
    Pod *made = old_pod(a, pod, old);
    made->spec->n_ephemeral_containers = pod->spec == NULL ? 0 : pod->spec->n_ephemeral_containers;
    made->spec->ephemeral_containers = pod->spec == NULL ? NULL : pod->spec->ephemeral_containers;
    return made;
}

void pod_validate_ephemeral(const struct Pod *pod, const struct Pod *old, struct err_list *out)
{
    struct field_path spec = path_field(NULL, "spec");
    struct field_path p = path_field(&spec, "ephemeralContainers");
    struct keys names = keys_new(out->arena, pod->spec->n_ephemeral_containers);
    for (size_t i = 0; i < pod->spec->n_ephemeral_containers; i++)
        keys_add(&names,
                 (struct key){ .text = ephemeral_name(pod->spec->ephemeral_containers[i]) });
    keys_sort(&names);
    for (size_t i = 0; i < old->spec->n_ephemeral_containers; i++) {
        const EphemeralContainer *was = old->spec->ephemeral_containers[i];
        ptrdiff_t at = keys_find(&names, (struct key){ .text = ephemeral_name(was) });
        const EphemeralContainer *is = at < 0 ? NULL : pod->spec->ephemeral_containers[at];
        if (is != NULL && schema_equal(&schema_EphemeralContainer, is, was))
            continue;
        struct str detail =
            str_printf(out->arena, "existing ephemeral containers \"%s\" may not be %s",
                       ephemeral_name(was), is == NULL ? "removed" : "changed");
        rule_forbidden(out, &p, str_dup(out->arena, detail));
    }
}

/* ---- resize ---- */

static Container **resized(struct arena *a, Container **list, size_t count, Container **wanted,
                           size_t wanted_count)
{
    Container **made = arena_array(a, count, sizeof(*made));
    struct keys names = keys_new(a, wanted_count);
    for (size_t i = wanted_count; i > 0; i--) /* of equal names the last one counts */
        keys_add(&names, (struct key){ .text = wanted[i - 1]->name });
    keys_sort(&names);
    for (size_t i = 0; i < count; i++) {
        ptrdiff_t at = keys_find(&names, (struct key){ .text = list[i]->name });
        made[i] = list[i];
        if (at < 0)
            continue;
        const Container *by = wanted[wanted_count - 1 - (size_t)at];
        made[i] = arena_copy(a, list[i], sizeof(Container));
        made[i]->resources = by->resources;
        made[i]->n_resize_policy = by->n_resize_policy;
        made[i]->resize_policy = by->resize_policy;
    }
    return made;
}

struct Pod *pod_take_resize(struct arena *a, const struct Pod *pod, const struct Pod *old)
{
    static const PodSpec none = POD_SPEC__INIT;
    Pod *made = old_pod(a, pod, old);
    const PodSpec *wanted = pod->spec == NULL ? &none : pod->spec;
    PodSpec *spec = made->spec;
    spec->containers =
        resized(a, spec->containers, spec->n_containers, wanted->containers, wanted->n_containers);
    spec->init_containers = resized(a, spec->init_containers, spec->n_init_containers,
                                    wanted->init_containers, wanted->n_init_containers);
    return made;
}

static bool is_resizable(const char *name)
{
    return text_eq(name, "cpu") || text_eq(name, "memory");
}

/* What there was must still be there; other resources than cpu and memory stay as they are: false
 * when they do not. */
static bool check_amounts(const struct quantities *is, const struct quantities *was,
                          const char *what, const struct field_path *p, struct err_list *out)
{
    struct quantity now;
    struct quantity then;
    bool fits = true;
    struct keys names = quantities_names(out->arena, is);
    struct keys old_names = quantities_names(out->arena, was);
    for (size_t i = 0; i < was->count; i++) {
        const char *name = quantities_key(was, i);
        bool present = quantities_find(is, &names, name, &now);
        if (is_resizable(name) && !present) {
            struct field_path at = path_field(p, what);
            struct str detail = str_printf(out->arena, "resource %s cannot be removed", what);
            rule_forbidden(out, &at, str_dup(out->arena, detail));
        }
        fits = fits && (is_resizable(name) || (present && quantities_value(was, i, &then) &&
                                               quantity_cmp(&now, &then) == 0));
    }
    for (size_t i = 0; i < is->count; i++) {
        const char *name = quantities_key(is, i);
        fits = fits && (is_resizable(name) || quantities_find(was, &old_names, name, &then));
    }
    return fits;
}

static bool check_container(const Container *is, const Container *was, const struct field_path *p,
                            struct err_list *out)
{
    static const ResourceRequirements none = RESOURCE_REQUIREMENTS__INIT;
    const ResourceRequirements *n = is->resources == NULL ? &none : is->resources;
    const ResourceRequirements *o = was->resources == NULL ? &none : was->resources;
    const struct quantities requests = { n->requests, n->n_requests };
    const struct quantities limits = { n->limits, n->n_limits };
    const struct quantities old_requests = { o->requests, o->n_requests };
    const struct quantities old_limits = { o->limits, o->n_limits };
    struct field_path resources = path_field(p, "resources");
    bool fits = check_amounts(&requests, &old_requests, "requests", &resources, out);
    return check_amounts(&limits, &old_limits, "limits", &resources, out) && fits;
}

void pod_validate_resize(const struct Pod *pod, const struct Pod *old, struct err_list *out)
{
    struct field_path spec = path_field(NULL, "spec");
    struct field_path list = path_field(&spec, "containers");
    const char *class = pod_qos_class(pod->spec);
    bool fits = true;
    if (!text_eq(class, pod_qos_class(old->spec)))
        rule_invalid_text(out, &spec, class,
                          "Pod QOS Class may not change as a result of resizing");
    for (size_t i = 0; i < old->spec->n_containers; i++) {
        struct field_path p = path_index(&list, i);
        fits = check_container(pod->spec->containers[i], old->spec->containers[i], &p, out) && fits;
    }
    if (!fits)
        rule_forbidden(out, &spec, "only cpu and memory resources are mutable");
}
