/* See the header. Texts and order are upstream's ValidatePodEphemeralContainersUpdate and
 * ValidatePodResize. */
#include "controlplane/resources/pod_subresources.h"

#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/pod.h"
#include "controlplane/resources/pod_shown.h"
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

/* Nothing else is told then; of the whole object: "[]". */
static void refuse_all(struct err_list *out, const char *detail)
{
    struct field_path whole = path_key(NULL, "");
    out->count = 0;
    out->dropped = 0;
    rule_forbidden(out, &whole, detail);
}

void pod_validate_ephemeral(const struct Pod *pod, const struct Pod *old, struct err_list *out)
{
    struct field_path spec = path_field(NULL, "spec");
    struct field_path p = path_field(&spec, "ephemeralContainers");
    pod_annotations_validate_update(pod, old, out);
    if (pod_is_mirror(old)) {
        refuse_all(out, "static pods do not support ephemeral containers");
        return;
    }
    struct keys names = keys_new(out->arena, pod->spec->n_ephemeral_containers);
    for (size_t i = 0; i < pod->spec->n_ephemeral_containers; i++)
        keys_add(&names,
                 (struct key){ .text = ephemeral_name(pod->spec->ephemeral_containers[i]) });
    keys_sort(&names);
    size_t steps = POD_SHOWN_STEPS_MAX;
    for (size_t i = 0; i < old->spec->n_ephemeral_containers; i++) {
        const EphemeralContainer *was = old->spec->ephemeral_containers[i];
        ptrdiff_t at = keys_find(&names, (struct key){ .text = ephemeral_name(was) });
        const EphemeralContainer *is = at < 0 ? NULL : pod->spec->ephemeral_containers[at];
        if (is != NULL && schema_equal(&schema_EphemeralContainer, is, was))
            continue;
        struct str detail =
            str_printf(out->arena, "existing ephemeral containers \"%s\" may not be %s",
                       ephemeral_name(was), is == NULL ? "removed\n" : "changed");
        const char *text = str_dup(out->arena, detail);
        if (is != NULL)
            text =
                pod_shown_difference(out->arena, text, &schema_EphemeralContainer, was, is, &steps);
        rule_forbidden(out, &p, text);
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

static struct quantities requests_of(const Container *c)
{
    const ResourceRequirements *r = c->resources;
    return (struct quantities){ r == NULL ? NULL : r->requests, r == NULL ? 0 : r->n_requests };
}

static struct quantities limits_of(const Container *c)
{
    const ResourceRequirements *r = c->resources;
    return (struct quantities){ r == NULL ? NULL : r->limits, r == NULL ? 0 : r->n_limits };
}

/* What there was must still be there. */
static void check_kept(struct quantities is, struct quantities was, const char *list,
                       const char *detail, const struct field_path *up, struct err_list *out)
{
    struct field_path resources = path_field(up, "resources");
    struct field_path p = path_field(&resources, list);
    struct quantity ignored;
    struct keys names = quantities_names(out->arena, &is);
    bool kept = is.count >= was.count;
    for (size_t i = 0; kept && i < was.count; i++)
        kept = quantities_find(&is, &names, quantities_key(&was, i), &ignored);
    if (!kept)
        rule_forbidden(out, &p, detail);
}

static void check_all_kept(const Container *is, const Container *was, const struct field_path *p,
                           struct err_list *out)
{
    check_kept(requests_of(is), requests_of(was), "requests", "resource requests cannot be removed",
               p, out);
    check_kept(limits_of(is), limits_of(was), "limits", "resource limits cannot be removed", p,
               out);
}

/* Each of one list that is not cpu or memory is in the other, and as much. */
static bool others_in(struct arena *a, struct quantities list, struct quantities other)
{
    struct quantity x;
    struct quantity y;
    struct keys names = quantities_names(a, &other);
    bool same = true;
    for (size_t i = 0; same && i < list.count; i++) {
        const char *name = quantities_key(&list, i);
        same = is_resizable(name) ||
               (quantities_value(&list, i, &x) && quantities_find(&other, &names, name, &y) &&
                quantity_cmp(&x, &y) == 0);
    }
    return same;
}

/* But for its cpu and memory. */
static bool is_same(struct arena *a, const Container *is, const Container *was)
{
    Container without = *is;
    without.resources = was->resources;
    return others_in(a, requests_of(is), requests_of(was)) &&
           others_in(a, requests_of(was), requests_of(is)) &&
           others_in(a, limits_of(is), limits_of(was)) &&
           others_in(a, limits_of(was), limits_of(is)) &&
           schema_equal(&schema_Container, &without, was);
}

static void resize_containers(const PodSpec *spec, const PodSpec *old, struct err_list *out)
{
    struct field_path path = path_field(NULL, "spec");
    struct field_path list = path_field(&path, "containers");
    for (size_t i = 0; i < old->n_containers; i++) {
        struct field_path p = path_index(&list, i);
        check_all_kept(spec->containers[i], old->containers[i], &p, out);
    }
    for (size_t i = 0; i < old->n_containers; i++) {
        if (!is_same(out->arena, spec->containers[i], old->containers[i]))
            rule_forbidden(out, &path, "only cpu and memory resources are mutable");
    }
}

/* Of init containers only those that go on running. */
static void resize_init(const PodSpec *spec, const PodSpec *old, struct err_list *out)
{
    struct field_path path = path_field(NULL, "spec");
    struct field_path list = path_field(&path, "initContainers");
    for (size_t i = 0; i < old->n_init_containers; i++) {
        const Container *is = spec->init_containers[i];
        const Container *was = old->init_containers[i];
        struct field_path p = path_index(&list, i);
        bool sidecar = text_eq(was->restart_policy, "Always");
        if (sidecar)
            check_all_kept(is, was, &p, out);
        if (sidecar && !is_same(out->arena, is, was))
            rule_forbidden(out, &path,
                           "only cpu and memory resources for sidecar containers are mutable");
        else if (!sidecar && !schema_equal(&schema_Container, is, was))
            rule_forbidden(out, &path, "resources for non-sidecar init containers are immutable");
    }
}

/* Agents that can resize tell what a running container has. */
static bool node_resizes(const Pod *pod)
{
    for (size_t i = 0; pod->status != NULL && i < pod->status->n_container_statuses; i++) {
        const ContainerStatus *s = pod->status->container_statuses[i];
        if (s->state != NULL && s->state->running != NULL)
            return s->resources != NULL;
    }
    return true;
}

static const char *class_of(const Pod *pod)
{
    const char *class = pod->status == NULL ? NULL : pod->status->qos_class;
    return text_empty(class) ? pod_qos_class(pod->spec) : class;
}

void pod_validate_resize(const struct Pod *pod, const struct Pod *old, struct err_list *out)
{
    struct field_path spec = path_field(NULL, "spec");
    if (pod_is_mirror(old)) {
        refuse_all(out, "static pods cannot be resized");
        return;
    }
    if (old->spec->os != NULL && text_eq(old->spec->os->name, "windows")) {
        refuse_all(out, "windows pods cannot be resized");
        return;
    }
    /* Upstream shows the class that the status has. */
    if (!text_eq(pod_qos_class(pod->spec), class_of(old)))
        rule_invalid_text(out, &spec, pod->status == NULL ? "" : pod->status->qos_class,
                          "Pod QOS Class may not change as a result of resizing");
    if (!node_resizes(old))
        rule_forbidden(out, &spec, "Pod running on node without support for resize");
    resize_containers(pod->spec, old->spec, out);
    resize_init(pod->spec, old->spec, out);
}
