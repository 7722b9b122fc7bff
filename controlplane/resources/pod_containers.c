/* Containers: names, images, ports, and their parts in upstream's order (validateContainers). */
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "base/assert.h"
#include "controlplane/resources/pod.h"

/* Upstream's. */
#define RESTART_RULES_MAX 20
#define EXIT_CODES_MAX    255

static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };
static const char *const pull_policies[] = { "Always", "IfNotPresent", "Never", NULL };
static const char *const message_policies[] = { "File", "FallbackToLogsOnError", NULL };

static const char *common_name(const EphemeralContainer *e)
{
    return e->ephemeral_container_common == NULL ? NULL : e->ephemeral_container_common->name;
}

struct pod_names pod_names_of(struct arena *a, const struct PodSpec *spec)
{
    struct pod_names n = { .spec = spec,
                           .volumes = keys_new(a, spec->n_volumes),
                           .claims = keys_new(a, spec->n_resource_claims),
                           .containers =
                               keys_new(a, spec->n_containers + spec->n_init_containers) };
    for (size_t i = 0; i < spec->n_volumes; i++)
        keys_add(&n.volumes, (struct key){ .text = spec->volumes[i]->name });
    for (size_t i = 0; i < spec->n_resource_claims; i++)
        keys_add(&n.claims, (struct key){ .text = spec->resource_claims[i]->name });
    for (size_t i = 0; i < spec->n_containers; i++)
        keys_add(&n.containers, (struct key){ .text = spec->containers[i]->name });
    for (size_t i = 0; i < spec->n_init_containers; i++)
        keys_add(&n.containers, (struct key){ .text = spec->init_containers[i]->name });
    keys_sort(&n.volumes);
    keys_sort(&n.claims);
    keys_sort(&n.containers);
    return n;
}

/* ---- ports ---- */

static void validate_ports(const Container *c, const struct field_path *up, struct err_list *out)
{
    struct field_path ports = path_field(up, "ports");
    struct keys names = keys_new(out->arena, c->n_ports);
    for (size_t i = 0; i < c->n_ports; i++)
        keys_add(&names, (struct key){ .text = c->ports[i]->name });
    keys_sort(&names);
    for (size_t i = 0; i < c->n_ports; i++) {
        const ContainerPort *port = c->ports[i];
        struct field_path p = path_index(&ports, i);
        struct field_path name = path_field(&p, "name");
        struct field_path number = path_field(&p, "containerPort");
        struct field_path host = path_field(&p, "hostPort");
        struct field_path protocol = path_field(&p, "protocol");
        if (!text_empty(port->name) && check_name(out, &name, port->name, name_port) &&
            keys_repeated(&names, i))
            rule_duplicate(out, &name, port->name);
        if (port->container_port == 0)
            rule_required(out, &number, "");
        else
            (void)check_port(out, &number, port->container_port);
        if (port->host_port != 0)
            (void)check_port(out, &host, port->host_port);
        if (text_empty(port->protocol))
            rule_required(out, &protocol, "");
        else
            (void)check_one_of(out, &protocol, port->protocol, protocols);
    }
}

/* "TCP/10.0.0.1/80", and "TCP//80" where it is any address. */
static const char *host_port_shown(struct arena *a, const ContainerPort *port)
{
    return str_dup(a, str_printf(a, "%s/%s/%d", text_of(port->protocol), text_of(port->host_ip),
                                 port->host_port));
}

/* Ports on the host of containers that run side by side. */
static void validate_host_ports(Container *const *list, size_t count, size_t first,
                                const struct field_path *path, struct err_list *out)
{
    size_t all = 0;
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
        all += list[i]->n_ports;
    struct keys keys = keys_new(out->arena, all);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < list[i]->n_ports; k++) {
            const ContainerPort *port = list[i]->ports[k];
            keys_add(&keys, (struct key){ port->protocol, port->host_ip, port->host_port, 0 });
        }
    keys_sort(&keys);
    for (size_t i = 0; i < count; i++) {
        struct field_path container = path_index(path, first + i);
        struct field_path ports = path_field(&container, "ports");
        for (size_t k = 0; k < list[i]->n_ports; k++, at++) {
            struct field_path p = path_index(&ports, k);
            struct field_path host = path_field(&p, "hostPort");
            const ContainerPort *port = list[i]->ports[k];
            if (port->host_port != 0 && keys_repeated(&keys, at) && !err_list_full(out))
                rule_duplicate(out, &host, host_port_shown(out->arena, port));
        }
    }
}

static void validate_name(const Container *c, const struct field_path *up, struct err_list *out)
{
    struct field_path p = path_field(up, "name");
    struct field_path image = path_field(up, "image");
    if (text_empty(c->name))
        rule_required(out, &p, "");
    else
        (void)check_name(out, &p, c->name, name_dns1123_label);
    if (text_empty(c->image))
        rule_required(out, &image, "");
}

/* at: among the pod's names, where init containers follow the containers. */
static void validate_unique(const struct pod_names *names, const Container *c, size_t at,
                            const struct field_path *up, struct err_list *out)
{
    struct field_path p = path_field(up, "name");
    if (keys_repeated(&names->containers, at))
        rule_duplicate(out, &p, c->name);
}

static void validate_policies(const Container *c, const struct field_path *p, struct err_list *out)
{
    struct field_path message = path_field(p, "terminationMessagePolicy");
    if (text_empty(c->termination_message_policy))
        rule_required(out, &message, "");
    else
        (void)check_one_of(out, &message, c->termination_message_policy, message_policies);
}

static void validate_pull(const Container *c, const struct field_path *p, struct err_list *out)
{
    struct field_path policy = path_field(p, "imagePullPolicy");
    if (text_empty(c->image_pull_policy))
        rule_required(out, &policy, "");
    else
        (void)check_one_of(out, &policy, c->image_pull_policy, pull_policies);
}

static void validate_container(const struct pod_names *names, const Container *c,
                               const struct field_path *p, struct err_list *out)
{
    validate_name(c, p, out);
    validate_policies(c, p, out);
    validate_ports(c, p, out);
    pod_container_env_validate(c, p, out);
    pod_container_mounts_validate(c, names, p, out);
    validate_pull(c, p, out);
    pod_container_resources_validate(c, names, p, out);
    pod_container_security_validate(c, names->spec, p, out);
}

static void validate_restart_rule(const ContainerRestartRule *rule, const struct field_path *p,
                                  struct err_list *out)
{
    static const char *const actions[] = { "Restart", NULL };
    static const char *const operators[] = { "In", "NotIn", NULL };
    struct field_path action = path_field(p, "action");
    struct field_path codes = path_field(p, "exitCodes");
    struct field_path operator= path_field(&codes, "operator");
    struct field_path values = path_field(&codes, "values");
    (void)check_one_of(out, &action, text_of(rule->action), actions);
    if (rule->exit_codes == NULL) {
        rule_required(out, &codes, "must be specified");
        return;
    }
    (void)check_one_of(out, &operator, text_of(rule->exit_codes->operator_), operators);
    (void)check_count(out, &values, rule->exit_codes->n_values, EXIT_CODES_MAX);
}

/* A container's own, which goes before the pod's. */
static void validate_restart(const Container *c, const struct field_path *up, struct err_list *out)
{
    static const char *const policies[] = { "Always", "Never", "OnFailure", NULL };
    struct field_path policy = path_field(up, "restartPolicy");
    struct field_path rules = path_field(up, "restartPolicyRules");
    if (c->restart_policy != NULL)
        (void)check_one_of(out, &policy, c->restart_policy, policies);
    else if (c->n_restart_policy_rules > 0)
        rule_required(out, &policy, "must specify restartPolicy when restart rules are used");
    (void)check_count(out, &rules, c->n_restart_policy_rules, RESTART_RULES_MAX);
    for (size_t i = 0; i < c->n_restart_policy_rules; i++) {
        struct field_path at = path_index(&rules, i);
        validate_restart_rule(c->restart_policy_rules[i], &at, out);
    }
}

static void validate_init(const struct pod_names *names, const struct field_path *path,
                          struct err_list *out)
{
    const PodSpec *spec = names->spec;
    struct field_path list = path_field(path, "initContainers");
    for (size_t i = 0; i < spec->n_init_containers; i++) {
        const Container *c = spec->init_containers[i];
        struct field_path p = path_index(&list, i);
        validate_container(names, c, &p, out);
        validate_restart(c, &p, out);
        validate_unique(names, c, spec->n_containers + i, &p, out);
        /* They run one after the other: no conflict with another's. */
        validate_host_ports(&spec->init_containers[i], 1, i, &list, out);
        pod_container_runtime_validate(c, spec, !text_eq(c->restart_policy, "Always"), &p, out);
    }
}

/* The same fields under the same numbers; the structs are two. */
static Container *as_container(struct arena *a, const EphemeralContainerCommon *c)
{
    struct err e;
    void *made = NULL;
    int rc = schema_unpack(a, &schema_Container,
                           schema_pack_arena(a, &schema_EphemeralContainerCommon, c), &made, &e);
    ASSERT(rc == 0); /* packed a moment ago */
    return made;
}

static void forbid_ephemeral(bool given, const char *name, const struct field_path *p,
                             struct err_list *out)
{
    struct field_path at = path_field(p, name);
    if (given)
        rule_forbidden(out, &at, "cannot be set for an Ephemeral Container");
}

/* Nobody counts on it: what promises something is not for it. */
static void forbid_promises(const Container *c, const struct field_path *p, struct err_list *out)
{
    const ResourceRequirements *r = c->resources;
    struct field_path mounts = path_field(p, "volumeMounts");
    forbid_ephemeral(c->n_ports > 0, "ports", p, out);
    forbid_ephemeral(r != NULL && r->n_limits + r->n_requests + r->n_claims > 0, "resources", p,
                     out);
    forbid_ephemeral(c->n_resize_policy > 0, "resizePolicy", p, out);
    forbid_ephemeral(c->restart_policy != NULL, "restartPolicy", p, out);
    forbid_ephemeral(c->n_restart_policy_rules > 0, "restartPolicyRules", p, out);
    forbid_ephemeral(c->liveness_probe != NULL, "livenessProbe", p, out);
    forbid_ephemeral(c->readiness_probe != NULL, "readinessProbe", p, out);
    forbid_ephemeral(c->startup_probe != NULL, "startupProbe", p, out);
    forbid_ephemeral(c->lifecycle != NULL, "lifecycle", p, out);
    for (size_t i = 0; i < c->n_volume_mounts; i++) {
        struct field_path at = path_index(&mounts, i);
        forbid_ephemeral(!text_empty(c->volume_mounts[i]->sub_path), "subPath", &at, out);
        forbid_ephemeral(!text_empty(c->volume_mounts[i]->sub_path_expr), "subPathExpr", &at, out);
    }
}

static void validate_image(const Container *c, const struct field_path *up, struct err_list *out)
{
    struct field_path p = path_field(up, "image");
    struct str image = str_from(text_of(c->image));
    if (text_trimmed(image).len != image.len)
        rule_invalid_text(out, &p, c->image, "must not have leading or trailing whitespace");
}

static void validate_ephemeral(const struct pod_names *names, const struct field_path *path,
                               struct err_list *out)
{
    static const EphemeralContainerCommon none = EPHEMERAL_CONTAINER_COMMON__INIT;
    const PodSpec *spec = names->spec;
    struct field_path list = path_field(path, "ephemeralContainers");
    struct keys taken = keys_new(out->arena, spec->n_ephemeral_containers);
    for (size_t i = 0; i < spec->n_ephemeral_containers; i++)
        keys_add(&taken, (struct key){ .text = common_name(spec->ephemeral_containers[i]) });
    keys_sort(&taken);
    for (size_t i = 0; i < spec->n_ephemeral_containers; i++) {
        const EphemeralContainer *e = spec->ephemeral_containers[i];
        struct field_path p = path_index(&list, i);
        struct field_path name = path_field(&p, "name");
        struct field_path target = path_field(&p, "targetContainerName");
        const Container *c = as_container(out->arena, e->ephemeral_container_common == NULL
                                                          ? &none
                                                          : e->ephemeral_container_common);
        validate_container(names, c, &p, out);
        validate_image(c, &p, out);
        if (keys_repeated(&taken, i) || keys_have(&names->containers, c->name))
            rule_duplicate(out, &name, c->name);
        if (!text_empty(e->target_container_name) &&
            !keys_have(&names->containers, e->target_container_name))
            rule_not_found(out, &target, e->target_container_name);
        forbid_promises(c, &p, out);
    }
}

void pod_containers_validate(const struct PodSpec *spec, const struct field_path *path,
                             struct err_list *out)
{
    struct field_path list = path_field(path, "containers");
    const struct pod_names names = pod_names_of(out->arena, spec);
    if (spec->n_containers == 0)
        rule_required(out, &list, "");
    for (size_t i = 0; i < spec->n_containers; i++) {
        const Container *c = spec->containers[i];
        struct field_path p = path_index(&list, i);
        validate_container(&names, c, &p, out);
        validate_unique(&names, c, i, &p, out);
        pod_container_runtime_validate(c, spec, false, &p, out);
        validate_restart(c, &p, out);
    }
    validate_host_ports(spec->containers, spec->n_containers, 0, &list, out);
    validate_init(&names, path, out);
    validate_ephemeral(&names, path, out);
}

void pod_images_validate(const struct PodSpec *spec, const struct field_path *path,
                         struct err_list *out)
{
    struct field_path containers = path_field(path, "containers");
    struct field_path init = path_field(path, "initContainers");
    for (size_t i = 0; i < spec->n_containers; i++) {
        struct field_path p = path_index(&containers, i);
        validate_image(spec->containers[i], &p, out);
    }
    for (size_t i = 0; i < spec->n_init_containers; i++) {
        struct field_path p = path_index(&init, i);
        validate_image(spec->init_containers[i], &p, out);
    }
}
