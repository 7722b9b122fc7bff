/* Containers: names, images, ports, and their parts in upstream's order (validateContainers). */
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "base/assert.h"
#include "controlplane/resources/pod.h"

static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };
static const char *const pull_policies[] = { "Always", "IfNotPresent", "Never", NULL };
static const char *const message_policies[] = { "File", "FallbackToLogsOnError", NULL };
/* Ports of all containers of a pod so far, for conflicts on the host. */
struct host_ports {
    const ContainerPort **ports;
    size_t count;
    size_t capacity;
};

static void validate_host_port(struct host_ports *seen, const ContainerPort *port,
                               const struct field_path *p, struct err_list *out)
{
    if (port->host_port == 0)
        return;
    for (size_t i = 0; i < seen->count; i++) {
        if (seen->ports[i]->host_port != port->host_port ||
            !text_eq(seen->ports[i]->protocol, port->protocol) ||
            !text_eq(seen->ports[i]->host_ip, port->host_ip))
            continue;
        struct field_path at = path_field(p, "hostPort");
        struct str shown = str_printf(out->arena, "%s/%s/%d", text_of(port->protocol),
                                      text_of(port->host_ip), port->host_port);
        rule_duplicate(out, &at, str_dup(out->arena, shown));
        return;
    }
    seen->ports =
        arena_grow(out->arena, seen->ports, seen->count, &seen->capacity, sizeof(*seen->ports));
    seen->ports[seen->count++] = port;
}

static bool port_name_taken(const Container *c, size_t before)
{
    for (size_t i = 0; i < before; i++) {
        if (text_eq(c->ports[i]->name, c->ports[before]->name))
            return true;
    }
    return false;
}

static void validate_ports(const Container *c, const struct field_path *up, struct err_list *out)
{
    struct field_path ports = path_field(up, "ports");
    for (size_t i = 0; i < c->n_ports; i++) {
        const ContainerPort *port = c->ports[i];
        struct field_path p = path_index(&ports, i);
        struct field_path name = path_field(&p, "name");
        struct field_path number = path_field(&p, "containerPort");
        struct field_path host = path_field(&p, "hostPort");
        struct field_path protocol = path_field(&p, "protocol");
        if (!text_empty(port->name) && check_name(out, &name, port->name, name_port) &&
            port_name_taken(c, i))
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

static void validate_host_ports(const Container *c, const struct field_path *up,
                                struct host_ports *seen, struct err_list *out)
{
    struct field_path ports = path_field(up, "ports");
    for (size_t i = 0; i < c->n_ports; i++) {
        struct field_path p = path_index(&ports, i);
        validate_host_port(seen, c->ports[i], &p, out);
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

/* Init containers share the names of the containers. */
static void validate_unique(const PodSpec *spec, const Container *c, bool init, size_t at,
                            const struct field_path *up, struct err_list *out)
{
    struct field_path p = path_field(up, "name");
    Container **list = init ? spec->init_containers : spec->containers;
    bool taken = false;
    for (size_t i = 0; i < at; i++)
        taken = taken || text_eq(list[i]->name, c->name);
    for (size_t i = 0; init && i < spec->n_containers; i++)
        taken = taken || text_eq(spec->containers[i]->name, c->name);
    if (taken)
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

static void validate_container(const PodSpec *spec, const Container *c, const struct field_path *p,
                               struct err_list *out)
{
    validate_name(c, p, out);
    validate_policies(c, p, out);
    validate_ports(c, p, out);
    pod_container_env_validate(c, p, out);
    pod_container_mounts_validate(c, spec, p, out);
    validate_pull(c, p, out);
    pod_container_resources_validate(c, spec, p, out);
    pod_container_security_validate(c, spec, p, out);
}

static const char *const only_always[] = { "Always", NULL };

static void validate_init(const PodSpec *spec, const struct field_path *path, struct err_list *out)
{
    struct field_path list = path_field(path, "initContainers");
    struct host_ports ports = { 0 }; /* they run one after the other: no conflict */
    for (size_t i = 0; i < spec->n_init_containers; i++) {
        const Container *c = spec->init_containers[i];
        struct field_path p = path_index(&list, i);
        struct field_path policy = path_field(&p, "restartPolicy");
        validate_container(spec, c, &p, out);
        if (c->restart_policy != NULL)
            (void)check_one_of(out, &policy, c->restart_policy, only_always);
        validate_unique(spec, c, true, i, &p, out);
        ports.count = 0;
        validate_host_ports(c, &p, &ports, out);
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

static bool has_container(const PodSpec *spec, const char *name)
{
    for (size_t i = 0; i < spec->n_containers; i++) {
        if (text_eq(spec->containers[i]->name, name))
            return true;
    }
    for (size_t i = 0; i < spec->n_init_containers; i++) {
        if (text_eq(spec->init_containers[i]->name, name))
            return true;
    }
    return false;
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
    const char *image = text_of(c->image);
    size_t len = strlen(image);
    if (len > 0 &&
        (strchr(" \t\r\n", image[0]) != NULL || strchr(" \t\r\n", image[len - 1]) != NULL))
        rule_invalid_text(out, &p, image, "must not have leading or trailing whitespace");
}

static void validate_ephemeral(const PodSpec *spec, const struct field_path *path,
                               struct err_list *out)
{
    static const EphemeralContainerCommon none = EPHEMERAL_CONTAINER_COMMON__INIT;
    struct field_path list = path_field(path, "ephemeralContainers");
    const char **names = arena_array(out->arena, spec->n_ephemeral_containers, sizeof(*names));
    for (size_t i = 0; i < spec->n_ephemeral_containers; i++) {
        const EphemeralContainer *e = spec->ephemeral_containers[i];
        struct field_path p = path_index(&list, i);
        struct field_path name = path_field(&p, "name");
        struct field_path target = path_field(&p, "targetContainerName");
        const Container *c = as_container(out->arena, e->ephemeral_container_common == NULL
                                                          ? &none
                                                          : e->ephemeral_container_common);
        bool taken = has_container(spec, c->name);
        names[i] = text_of(c->name);
        for (size_t j = 0; j < i; j++)
            taken = taken || text_eq(names[j], c->name);
        validate_container(spec, c, &p, out);
        validate_image(c, &p, out);
        if (taken)
            rule_duplicate(out, &name, c->name);
        if (!text_empty(e->target_container_name) && !has_container(spec, e->target_container_name))
            rule_not_found(out, &target, e->target_container_name);
        forbid_promises(c, &p, out);
    }
}

void pod_containers_validate(const struct PodSpec *spec, const struct field_path *path,
                             struct err_list *out)
{
    struct field_path list = path_field(path, "containers");
    struct host_ports seen = { 0 };
    if (spec->n_containers == 0)
        rule_required(out, &list, "");
    for (size_t i = 0; i < spec->n_containers; i++) {
        const Container *c = spec->containers[i];
        struct field_path p = path_index(&list, i);
        struct field_path policy = path_field(&p, "restartPolicy");
        validate_container(spec, c, &p, out);
        validate_unique(spec, c, false, i, &p, out);
        pod_container_runtime_validate(c, spec, false, &p, out);
        if (c->restart_policy != NULL)
            rule_forbidden(out, &policy, "may not be set for non-init containers");
    }
    for (size_t i = 0; i < spec->n_containers; i++) {
        struct field_path p = path_index(&list, i);
        validate_host_ports(spec->containers[i], &p, &seen, out);
    }
    validate_init(spec, path, out);
    validate_ephemeral(spec, path, out);
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
