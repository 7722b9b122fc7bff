/* The pod spec around containers and volumes; templates of workloads. */
#include <string.h>

#include "api/meta/labels.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/metadata.h"
#include "controlplane/resources/pod.h"

static const char *const restart_policies[] = { "Always", "OnFailure", "Never", NULL };
static const char *const dns_policies[] = { "ClusterFirstWithHostNet", "ClusterFirst", "Default",
                                            "None", NULL };
static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute", NULL };
static const char *const operators[] = { "Equal", "Exists", NULL };
static const char *const only_always[] = { "Always", NULL };

static void validate_toleration_key(const Toleration *t, const struct field_path *p,
                                    struct err_list *out)
{
    struct field_path op_path = path_field(p, "operator");
    if (text_empty(t->key) && !text_eq(t->operator_, "Exists"))
        rule_invalid_text(out, &op_path, t->operator_,
                          "operator must be Exists when `key` is empty, which means \"match all "
                          "values and all keys\"");
}

static void validate_toleration_operator(const Toleration *t, const struct field_path *p,
                                         struct err_list *out)
{
    struct field_path op_path = path_field(p, "operator");
    if (text_empty(t->operator_) || text_eq(t->operator_, "Equal"))
        (void)check_name(out, &op_path, text_of(t->value), name_label_value);
    else if (check_one_of(out, &op_path, t->operator_, operators) && !text_empty(t->value))
        rule_invalid_text(out, &op_path, t->value,
                          "value must be empty when `operator` is 'Exists'");
}

static void validate_tolerations(const PodSpec *spec, const struct field_path *path,
                                 struct err_list *out)
{
    struct field_path list = path_field(path, "tolerations");
    for (size_t i = 0; i < spec->n_tolerations; i++) {
        const Toleration *t = spec->tolerations[i];
        struct field_path p = path_index(&list, i);
        struct field_path key = path_field(&p, "key");
        struct field_path effect = path_field(&p, "effect");
        if (!text_empty(t->key))
            (void)check_name(out, &key, t->key, name_qualified);
        validate_toleration_key(t, &p, out);
        if (t->has_toleration_seconds && !text_eq(t->effect, "NoExecute"))
            rule_invalid_text(out, &effect, t->effect,
                              "effect must be 'NoExecute' when `tolerationSeconds` is set");
        validate_toleration_operator(t, &p, out);
        if (!text_empty(t->effect))
            (void)check_one_of(out, &effect, t->effect, effects);
    }
}

struct spec_name {
    const char *field;
    const char *value;
    name_syntax_fn *syntax;
};

static void validate_names(const struct spec_name *names, size_t count,
                           const struct field_path *path, struct err_list *out)
{
    for (size_t i = 0; i < count; i++) {
        struct field_path p = path_field(path, names[i].field);
        if (!text_empty(names[i].value))
            (void)check_name(out, &p, names[i].value, names[i].syntax);
    }
}

static void validate_numbers(const PodSpec *spec, const struct field_path *path,
                             struct err_list *out)
{
    struct field_path deadline = path_field(path, "activeDeadlineSeconds");
    if (spec->has_active_deadline_seconds &&
        (spec->active_deadline_seconds < 1 || spec->active_deadline_seconds > INT32_MAX))
        rule_invalid_number(out, &deadline, spec->active_deadline_seconds,
                            "must be between 1 and 2147483647, inclusive");
}

static void validate_gates(const PodSpec *spec, const struct field_path *path, struct err_list *out)
{
    struct field_path readiness = path_field(path, "readinessGates");
    struct field_path scheduling = path_field(path, "schedulingGates");
    for (size_t i = 0; i < spec->n_readiness_gates; i++) {
        struct field_path p = path_index(&readiness, i);
        struct field_path type = path_field(&p, "conditionType");
        (void)check_name(out, &type, text_of(spec->readiness_gates[i]->condition_type),
                         name_qualified);
    }
    struct keys taken = keys_new(out->arena, spec->n_scheduling_gates);
    for (size_t i = 0; i < spec->n_scheduling_gates; i++)
        keys_add(&taken, (struct key){ .text = spec->scheduling_gates[i]->name });
    keys_sort(&taken);
    for (size_t i = 0; i < spec->n_scheduling_gates; i++) {
        struct field_path p = path_index(&scheduling, i);
        (void)check_name(out, &p, text_of(spec->scheduling_gates[i]->name), name_qualified);
        if (keys_repeated(&taken, i))
            rule_duplicate(out, &p, spec->scheduling_gates[i]->name);
    }
}

static void validate_claim(const PodResourceClaim *c, bool taken, const struct field_path *p,
                           struct err_list *out)
{
    const struct spec_name refs[] = {
        { "resourceClaimName", c->resource_claim_name, name_dns1123_subdomain },
        { "resourceClaimTemplateName", c->resource_claim_template_name, name_dns1123_subdomain }
    };
    struct field_path name = path_field(p, "name");
    if (text_empty(c->name))
        rule_required(out, &name, "");
    else if (taken)
        rule_duplicate(out, &name, c->name);
    else
        (void)check_name(out, &name, c->name, name_dns1123_label);
    if (c->resource_claim_name != NULL && c->resource_claim_template_name != NULL)
        rule_invalid_message(out, p, &schema_PodResourceClaim, c,
                             "at most one of `resourceClaimName` or `resourceClaimTemplateName` "
                             "may be specified");
    if (c->resource_claim_name == NULL && c->resource_claim_template_name == NULL)
        rule_invalid_message(out, p, &schema_PodResourceClaim, c,
                             "must specify one of: `resourceClaimName`, "
                             "`resourceClaimTemplateName`");
    validate_names(refs, 2, p, out);
}

static void validate_claims(const PodSpec *spec, const struct field_path *path,
                            struct err_list *out)
{
    struct field_path list = path_field(path, "resourceClaims");
    struct keys taken = keys_new(out->arena, spec->n_resource_claims);
    for (size_t i = 0; i < spec->n_resource_claims; i++)
        keys_add(&taken, (struct key){ .text = spec->resource_claims[i]->name });
    keys_sort(&taken);
    for (size_t i = 0; i < spec->n_resource_claims; i++) {
        struct field_path p = path_index(&list, i);
        validate_claim(spec->resource_claims[i], keys_repeated(&taken, i), &p, out);
    }
}

static void validate_policies(const PodSpec *spec, const struct field_path *path,
                              struct err_list *out)
{
    struct field_path restart = path_field(path, "restartPolicy");
    struct field_path dns = path_field(path, "dnsPolicy");
    if (text_empty(spec->restart_policy))
        rule_required(out, &restart, "");
    else
        (void)check_one_of(out, &restart, spec->restart_policy, restart_policies);
    if (text_empty(spec->dns_policy))
        rule_required(out, &dns, "");
    else
        (void)check_one_of(out, &dns, spec->dns_policy, dns_policies);
}

static void validate_preemption(const PodSpec *spec, const struct field_path *path,
                                struct err_list *out)
{
    static const char *const policies[] = { "PreemptLowerPriority", "Never", NULL };
    struct field_path p = path_field(path, "preemptionPolicy");
    if (spec->preemption_policy == NULL)
        return;
    if (spec->preemption_policy[0] == '\0')
        rule_required(out, &p, "");
    else
        (void)check_one_of(out, &p, spec->preemption_policy, policies);
}

/* In upstream's order: a client may show only the first. */
static void validate_spec(const PodSpec *spec, bool is_pod, const struct field_path *path,
                          struct err_list *out)
{
    const struct spec_name hosts[] = { { "serviceAccountName", spec->service_account_name,
                                         name_dns1123_subdomain },
                                       { "nodeName", spec->node_name, name_dns1123_subdomain } };
    const struct spec_name pods[] = { { "hostname", spec->hostname, name_dns1123_label },
                                      { "subdomain", spec->subdomain, name_dns1123_label } };
    const struct spec_name classes[] = {
        { "priorityClassName", spec->priority_class_name, name_dns1123_subdomain },
        { "runtimeClassName", spec->runtime_class_name, name_dns1123_subdomain }
    };
    struct field_path selector = path_field(path, "nodeSelector");
    pod_volumes_validate(spec, path, out);
    validate_claims(spec, path, out);
    pod_containers_validate(spec, path, out);
    pod_host_network_validate(spec, is_pod, path, out);
    validate_policies(spec, path, out);
    metadata_validate_labels(spec->node_selector, spec->n_node_selector, &selector, out);
    pod_security_validate(spec, path, out);
    pod_affinity_validate(spec, path, out);
    pod_dns_validate(spec, path, out);
    validate_gates(spec, path, out);
    pod_spread_validate(spec, path, out);
    pod_host_users_validate(spec, path, out);
    validate_names(hosts, 2, path, out);
    validate_numbers(spec, path, out);
    validate_names(pods, 2, path, out);
    validate_tolerations(spec, path, out);
    pod_host_aliases_validate(spec, path, out);
    validate_names(classes, 2, path, out);
    validate_preemption(spec, path, out);
    pod_overhead_validate(spec, path, out);
    pod_os_validate(spec, path, out);
}

void pod_spec_validate(const struct PodSpec *spec, const struct field_path *path,
                       struct err_list *out)
{
    validate_spec(spec, true, path, out);
    pod_images_validate(spec, path, out);
}

void pod_template_validate_any(const struct PodTemplateSpec *t, const struct field_path *path,
                               struct err_list *out)
{
    static const ObjectMeta no_meta = OBJECT_META__INIT;
    static const PodSpec no_spec = POD_SPEC__INIT;
    const ObjectMeta *meta = t->metadata == NULL ? &no_meta : t->metadata;
    struct field_path meta_path = path_field(path, "metadata");
    struct field_path labels = path_field(&meta_path, "labels");
    struct field_path spec_path = path_field(path, "spec");
    metadata_validate_labels(meta->labels, meta->n_labels, &labels, out);
    metadata_validate_annotations(meta, &meta_path, out);
    validate_spec(t->spec == NULL ? &no_spec : t->spec, false, &spec_path, out);
    if (t->spec != NULL && t->spec->n_ephemeral_containers > 0) {
        struct field_path ephemeral = path_field(&spec_path, "ephemeralContainers");
        rule_forbidden(out, &ephemeral, "ephemeral containers not allowed in pod template");
    }
}

void pod_template_validate(const struct PodTemplateSpec *t, const struct field_path *path,
                           struct err_list *out)
{
    static const PodSpec no_spec = POD_SPEC__INIT;
    const PodSpec *spec = t->spec == NULL ? &no_spec : t->spec;
    struct field_path spec_path = path_field(path, "spec");
    struct field_path restart = path_field(&spec_path, "restartPolicy");
    struct field_path deadline = path_field(&spec_path, "activeDeadlineSeconds");
    pod_template_validate_any(t, path, out);
    if (!text_eq(spec->restart_policy, "Always"))
        rule_not_supported(out, &restart, spec->restart_policy, only_always);
    if (spec->has_active_deadline_seconds)
        rule_forbidden(out, &deadline, "activeDeadlineSeconds in ReplicaSet is not Supported");
}
