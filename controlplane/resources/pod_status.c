/*
 * What the status of a pod may become. That a container which ended for good runs again is not
 * refused here: upstream's agent holds such a status back, ours starts such containers anew with
 * their pod's sandbox.
 */
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "controlplane/resources/addresses.h"
#include "controlplane/resources/pod.h"

static const char not_negative[] = "must be a non-negative integer";

/* Conditions of others have qualified names. */
static void validate_conditions(const PodStatus *s, const struct field_path *up,
                                struct err_list *out)
{
    struct field_path list = path_field(up, "conditions");
    for (size_t i = 0; i < s->n_conditions; i++) {
        const PodCondition *c = s->conditions[i];
        struct field_path p = path_index(&list, i);
        struct field_path type = path_field(&p, "Type"); /* upstream's case */
        struct field_path generation = path_field(&p, "observedGeneration");
        if (c->observed_generation < 0)
            rule_invalid_number(out, &generation, c->observed_generation, not_negative);
        if (!text_eq(c->type, "PodScheduled") && !text_eq(c->type, "Ready") &&
            !text_eq(c->type, "Initialized"))
            (void)check_name(out, &type, text_of(c->type), name_qualified);
    }
}

/* Only of a pod that has no node may one be nominated. */
static void validate_nominated(const Pod *pod, const PodStatus *was, const struct field_path *up,
                               struct err_list *out)
{
    struct field_path p = path_field(up, "nominatedNodeName");
    const char *name = pod->status->nominated_node_name;
    if (text_empty(name) || text_eq(name, was->nominated_node_name))
        return;
    (void)check_name(out, &p, name, name_dns1123_subdomain);
}

void pod_status_validate(const struct Pod *pod, const struct Pod *old, struct err_list *out)
{
    static const PodStatus none = POD_STATUS__INIT;
    const PodStatus *s = pod->status;
    const PodStatus *was = old->status == NULL ? &none : old->status;
    struct field_path path = path_field(NULL, "status");
    struct field_path generation = path_field(&path, "observedGeneration");
    struct field_path class = path_field(&path, "qosClass");
    pod_annotations_validate_update(pod, old, out);
    if (s == NULL)
        return;
    validate_conditions(s, &path, out);
    validate_nominated(pod, was, &path, out);
    if (s->observed_generation < 0)
        rule_invalid_number(out, &generation, s->observed_generation, not_negative);
    if (!text_empty(was->qos_class) && !text_eq(s->qos_class, was->qos_class))
        rule_invalid_text(out, &class, s->qos_class, "field is immutable");
}
