/* The pod spec around containers and volumes; templates of workloads. */
#include <string.h>

#include "api/meta/labels.h"
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/metadata.h"
#include "controlplane/resources/pod.h"

static const char *const restart_policies[] = { "Always", "OnFailure", "Never", NULL };
static const char *const dns_policies[] = { "ClusterFirst", "ClusterFirstWithHostNet", "Default",
                                            "None", NULL };
static const char *const effects[] = { "NoExecute", "NoSchedule", "PreferNoSchedule", NULL };
static const char *const operators[] = { "Equal", "Exists", NULL };
static const char *const only_always[] = { "Always", NULL };

static void validate_toleration_operator(const Toleration *t, const struct field_path *p,
                                         struct err_list *out)
{
    struct field_path op_path = path_field(p, "operator");
    bool exists = text_eq(t->operator_, "Exists");
    if (text_empty(t->key) && !exists)
        rule_invalid_text(out, &op_path, t->operator_,
                          "operator must be Exists when `key` is empty, which means \"match all "
                          "values and all keys\"");
    if (exists && !text_empty(t->value))
        rule_invalid_text(out, &op_path, t->value,
                          "value must be empty when `operator` is 'Exists'");
    else if (text_empty(t->operator_) || text_eq(t->operator_, "Equal"))
        (void)check_name(out, &op_path, text_of(t->value), name_label_value);
    else
        (void)check_one_of(out, &op_path, t->operator_, operators);
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
        validate_toleration_operator(t, &p, out);
        if (t->has_toleration_seconds && !text_eq(t->effect, "NoExecute"))
            rule_invalid_text(out, &effect, t->effect,
                              "effect must be 'NoExecute' when `tolerationSeconds` is set");
        if (!text_empty(t->effect))
            (void)check_one_of(out, &effect, t->effect, effects);
    }
}

static void validate_names(const PodSpec *spec, const struct field_path *path, struct err_list *out)
{
    const struct {
        const char *field;
        const char *value;
        name_syntax_fn *syntax;
    } names[] = { { "serviceAccountName", spec->service_account_name, name_dns1123_subdomain },
                  { "nodeName", spec->node_name, name_dns1123_subdomain },
                  { "hostname", spec->hostname, name_dns1123_label },
                  { "subdomain", spec->subdomain, name_dns1123_label },
                  { "priorityClassName", spec->priority_class_name, name_dns1123_subdomain },
                  { "runtimeClassName", spec->runtime_class_name, name_dns1123_subdomain } };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
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

static void validate_host_network(const PodSpec *spec, const struct field_path *path,
                                  struct err_list *out)
{
    struct field_path list = path_field(path, "containers");
    for (size_t i = 0; spec->host_network && i < spec->n_containers; i++) {
        struct field_path container = path_index(&list, i);
        struct field_path ports = path_field(&container, "ports");
        for (size_t j = 0; j < spec->containers[i]->n_ports; j++) {
            const ContainerPort *port = spec->containers[i]->ports[j];
            struct field_path p = path_index(&ports, j);
            struct field_path number = path_field(&p, "containerPort");
            if (port->host_port != port->container_port)
                rule_invalid_number(out, &number, port->container_port,
                                    "must match `hostPort` when `hostNetwork` is true");
        }
    }
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
    for (size_t i = 0; i < spec->n_scheduling_gates; i++) {
        struct field_path p = path_index(&scheduling, i);
        (void)check_name(out, &p, text_of(spec->scheduling_gates[i]->name), name_qualified);
        for (size_t j = 0; j < i; j++) {
            if (text_eq(spec->scheduling_gates[i]->name, spec->scheduling_gates[j]->name))
                rule_duplicate(out, &p, spec->scheduling_gates[i]->name);
        }
    }
}

void pod_spec_validate(const struct PodSpec *spec, const struct field_path *path,
                       struct err_list *out)
{
    struct field_path restart = path_field(path, "restartPolicy");
    struct field_path dns = path_field(path, "dnsPolicy");
    struct field_path selector = path_field(path, "nodeSelector");
    pod_volumes_validate(spec, path, out);
    pod_containers_validate(spec, path, out);
    if (text_empty(spec->restart_policy))
        rule_required(out, &restart, "");
    else
        (void)check_one_of(out, &restart, spec->restart_policy, restart_policies);
    if (text_empty(spec->dns_policy))
        rule_required(out, &dns, "");
    else
        (void)check_one_of(out, &dns, spec->dns_policy, dns_policies);
    metadata_validate_labels(spec->node_selector, spec->n_node_selector, &selector, out);
    validate_names(spec, path, out);
    validate_numbers(spec, path, out);
    validate_tolerations(spec, path, out);
    validate_host_network(spec, path, out);
    validate_gates(spec, path, out);
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
    pod_spec_validate(t->spec == NULL ? &no_spec : t->spec, &spec_path, out);
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
