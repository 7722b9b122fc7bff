/*
 * What an update of a pod may change: images, activeDeadlineSeconds (set or shortened), tolerations
 * (added), a negative grace to 1, scheduling gates (removed), and of a pod with gates where it may
 * be placed. Everything else is compared as a whole, after putting the old value where a change is
 * allowed; the refusal shows what is left of the difference then.
 */
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/pod.h"
#include "controlplane/resources/pod_shown.h"

static Container **with_old_images(struct arena *a, Container **list, Container **old, size_t count)
{
    Container **made = arena_array(a, count, sizeof(*made));
    for (size_t i = 0; i < count; i++) {
        made[i] = arena_copy(a, list[i], sizeof(Container));
        made[i]->image = old[i]->image;
    }
    return made;
}

static void validate_images(Container **list, size_t count, const struct field_path *path,
                            struct err_list *out)
{
    for (size_t i = 0; i < count; i++) {
        struct field_path p = path_index(path, i);
        struct field_path image = path_field(&p, "image");
        struct str name = str_from(text_of(list[i]->image));
        if (name.len == 0)
            rule_required(out, &image, "");
        else if (text_trimmed(name).len != name.len)
            rule_invalid_text(out, &image, list[i]->image,
                              "must not have leading or trailing whitespace");
    }
}

/* False: upstream looks no further. */
static bool validate_deadline(const PodSpec *spec, const PodSpec *old,
                              const struct field_path *path, struct err_list *out)
{
    struct field_path p = path_field(path, "activeDeadlineSeconds");
    int64_t seconds = spec->active_deadline_seconds;
    if (!spec->has_active_deadline_seconds) {
        if (old->has_active_deadline_seconds)
            rule_invalid(out, &p, "null", "must not update from a positive integer to nil value");
        return true;
    }
    bool in_range = seconds >= 0 && seconds <= INT32_MAX;
    bool shortened = !old->has_active_deadline_seconds || seconds <= old->active_deadline_seconds;
    if (!in_range)
        rule_invalid_number(out, &p, seconds, "must be between 0 and 2147483647, inclusive");
    else if (!shortened)
        rule_invalid_number(out, &p, seconds, "must be less than or equal to previous value");
    return in_range && shortened;
}

/* All but its seconds: a line each, which no valid part has. */
static struct key toleration_key(struct arena *a, const Toleration *t)
{
    struct str text =
        str_printf(a, "%s\n%s\n%s", text_of(t->key), text_of(t->operator_), text_of(t->effect));
    return (struct key){ .text = str_dup(a, text), .more = t->value };
}

/* Every old toleration must still be there, but for its seconds. */
static void validate_tolerations(const PodSpec *spec, const PodSpec *old,
                                 const struct field_path *path, struct err_list *out)
{
    struct field_path p = path_field(path, "tolerations");
    struct keys now = keys_new(out->arena, spec->n_tolerations);
    for (size_t i = 0; i < spec->n_tolerations; i++)
        keys_add(&now, toleration_key(out->arena, spec->tolerations[i]));
    keys_sort(&now);
    for (size_t i = 0; i < old->n_tolerations; i++) {
        if (keys_find(&now, toleration_key(out->arena, old->tolerations[i])) < 0) {
            rule_forbidden(out, &p,
                           "existing toleration can not be modified except its "
                           "tolerationSeconds");
            return;
        }
    }
}

/* A spec that changed, with the old values where it may. */
static const PodSpec *without_allowed(const PodSpec *spec, const PodSpec *old,
                                      const struct field_path *path, struct err_list *out)
{
    struct arena *a = out->arena;
    PodSpec *munged = arena_copy(a, spec, sizeof(*spec));
    munged->containers = with_old_images(a, spec->containers, old->containers, spec->n_containers);
    munged->init_containers =
        with_old_images(a, spec->init_containers, old->init_containers, spec->n_init_containers);
    munged->has_active_deadline_seconds = old->has_active_deadline_seconds;
    munged->active_deadline_seconds = old->active_deadline_seconds;
    munged->tolerations = old->tolerations;
    munged->n_tolerations = old->n_tolerations;
    munged->scheduling_gates = old->scheduling_gates;
    munged->n_scheduling_gates = old->n_scheduling_gates;
    if (old->has_termination_grace_period_seconds && old->termination_grace_period_seconds < 0 &&
        spec->termination_grace_period_seconds == 1)
        munged->termination_grace_period_seconds = old->termination_grace_period_seconds;
    pod_placement_validate_update(munged, old, path, out);
    return munged;
}

static void refuse_change(const PodSpec *munged, const PodSpec *old, const struct field_path *path,
                          struct err_list *out)
{
    static const char detail[] =
        "pod updates may not change fields other than `spec.containers[*].image`,"
        "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
        "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow "
        "it to be set to 1 if it was previously negative)";
    size_t steps = POD_SHOWN_STEPS_MAX;
    rule_forbidden(out, path,
                   pod_shown_difference(out->arena, detail, &schema_PodSpec, old, munged, &steps));
}

void pod_validate_update(const struct Pod *pod, const struct Pod *old, struct err_list *out)
{
    const PodSpec *spec = pod->spec;
    const PodSpec *was = old->spec;
    struct field_path path = path_field(NULL, "spec");
    struct field_path containers = path_field(&path, "containers");
    struct field_path init = path_field(&path, "initContainers");
    pod_annotations_validate_update(pod, old, out);
    if (spec == NULL || was == NULL)
        return; /* defaults and storage give both a spec */
    if (spec->n_containers != was->n_containers) {
        rule_forbidden(out, &containers, "pod updates may not add or remove containers");
        return;
    }
    if (spec->n_init_containers != was->n_init_containers) {
        rule_forbidden(out, &init, "pod updates may not add or remove containers");
        return;
    }
    validate_images(spec->containers, spec->n_containers, &containers, out);
    validate_images(spec->init_containers, spec->n_init_containers, &init, out);
    if (!validate_deadline(spec, was, &path, out))
        return;
    validate_tolerations(spec, was, &path, out);
    pod_gates_validate_update(spec, was, &path, out);
    const PodSpec *munged = without_allowed(spec, was, &path, out);
    if (!schema_equal(&schema_PodSpec, munged, was))
        refuse_change(munged, was, &path, out);
}
