/* Containers: names, images, ports, environment, mounts. After upstream's validateContainers. */
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
static const char *const message_policies[] = { "FallbackToLogsOnError", "File", NULL };
static const char *const field_refs[] = { "metadata.name",
                                          "metadata.namespace",
                                          "metadata.uid",
                                          "spec.nodeName",
                                          "spec.serviceAccountName",
                                          "status.hostIP",
                                          "status.hostIPs",
                                          "status.podIP",
                                          "status.podIPs",
                                          NULL };

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

static void validate_ports(const Container *c, const struct field_path *up, struct host_ports *seen,
                           struct err_list *out)
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
        validate_host_port(seen, port, &p, out);
    }
}

/* metadata.labels['k'] and metadata.annotations['k'] are supported too. */
static bool is_subscript(const char *path)
{
    return strncmp(path, "metadata.labels['", 17) == 0 ||
           strncmp(path, "metadata.annotations['", 22) == 0;
}

static void validate_key_ref(const char *name, const char *key, const struct field_path *p,
                             struct err_list *out)
{
    struct field_path name_path = path_field(p, "name");
    struct field_path key_path = path_field(p, "key");
    if (text_empty(name))
        rule_required(out, &name_path, "");
    if (text_empty(key))
        rule_required(out, &key_path, "");
    else
        (void)check_name(out, &key_path, key, name_config_key);
}

static const char *reference_name(const LocalObjectReference *ref)
{
    return ref == NULL ? "" : text_of(ref->name);
}

static void validate_field_ref(const ObjectFieldSelector *ref, const struct field_path *up,
                               struct err_list *out)
{
    struct field_path p = path_field(up, "fieldRef");
    struct field_path field = path_field(&p, "fieldPath");
    struct field_path version = path_field(&p, "apiVersion");
    if (text_empty(ref->api_version))
        rule_required(out, &version, "");
    if (text_empty(ref->field_path))
        rule_required(out, &field, "");
    else if (!is_subscript(ref->field_path))
        (void)check_one_of(out, &field, ref->field_path, field_refs);
}

static void validate_value_from(const EnvVar *env, const struct field_path *up,
                                struct err_list *out)
{
    const EnvVarSource *from = env->value_from;
    if (from == NULL)
        return;
    struct field_path p = path_field(up, "valueFrom");
    int sources = (from->field_ref != NULL) + (from->resource_field_ref != NULL) +
                  (from->config_map_key_ref != NULL) + (from->secret_key_ref != NULL) +
                  (from->file_key_ref != NULL);
    if (from->field_ref != NULL)
        validate_field_ref(from->field_ref, &p, out);
    if (from->config_map_key_ref != NULL) {
        struct field_path ref = path_field(&p, "configMapKeyRef");
        validate_key_ref(reference_name(from->config_map_key_ref->local_object_reference),
                         from->config_map_key_ref->key, &ref, out);
    }
    if (from->secret_key_ref != NULL) {
        struct field_path ref = path_field(&p, "secretKeyRef");
        validate_key_ref(reference_name(from->secret_key_ref->local_object_reference),
                         from->secret_key_ref->key, &ref, out);
    }
    if (sources == 0)
        rule_invalid_text(out, &p, "",
                          "must specify one of: `fieldRef`, `resourceFieldRef`, "
                          "`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`");
    else if (!text_empty(env->value))
        rule_invalid_text(out, &p, "", "may not be specified when `value` is not empty");
    else if (sources > 1)
        rule_invalid_text(out, &p, "", "may not have more than one field specified at a time");
}

static void validate_env(const Container *c, const struct field_path *up, struct err_list *out)
{
    struct field_path env = path_field(up, "env");
    for (size_t i = 0; i < c->n_env; i++) {
        struct field_path p = path_index(&env, i);
        struct field_path name = path_field(&p, "name");
        if (text_empty(c->env[i]->name))
            rule_required(out, &name, "");
        else
            (void)check_name(out, &name, c->env[i]->name, name_env_var);
        validate_value_from(c->env[i], &p, out);
    }
    struct field_path env_from = path_field(up, "envFrom");
    for (size_t i = 0; i < c->n_env_from; i++) {
        const EnvFromSource *from = c->env_from[i];
        struct field_path p = path_index(&env_from, i);
        if (!from->config_map_ref && !from->secret_ref)
            rule_invalid_text(out, &p, "", "must specify one of: `configMapRef` or `secretRef`");
        else if (from->config_map_ref && from->secret_ref)
            rule_invalid_text(out, &p, "", "may not have more than one field specified at a time");
    }
}

static bool has_dots(const char *path)
{
    struct str rest = str_from(path);
    struct str part;
    while (str_split(&rest, '/', &part)) {
        if (str_eq_c(part, ".."))
            return true;
    }
    return false;
}

static void validate_mounts(const Container *c, const PodSpec *spec, const struct field_path *up,
                            struct err_list *out)
{
    struct field_path mounts = path_field(up, "volumeMounts");
    for (size_t i = 0; i < c->n_volume_mounts; i++) {
        const VolumeMount *m = c->volume_mounts[i];
        struct field_path p = path_index(&mounts, i);
        struct field_path name = path_field(&p, "name");
        struct field_path path = path_field(&p, "mountPath");
        struct field_path sub = path_field(&p, "subPath");
        if (text_empty(m->name))
            rule_required(out, &name, "");
        else if (!pod_has_volume(spec, m->name))
            rule_not_found(out, &name, m->name);
        if (text_empty(m->mount_path))
            rule_required(out, &path, "");
        for (size_t j = 0; j < i; j++) {
            if (text_eq(c->volume_mounts[j]->mount_path, m->mount_path)) {
                rule_invalid_text(out, &path, m->mount_path, "must be unique");
                break;
            }
        }
        if (text_of(m->sub_path)[0] == '/')
            rule_invalid_text(out, &sub, m->sub_path, "must be a relative path");
        else if (has_dots(text_of(m->sub_path)))
            rule_invalid_text(out, &sub, m->sub_path, "must not contain '..'");
    }
}

static void validate_image(const Container *c, const struct field_path *up, struct err_list *out)
{
    struct field_path p = path_field(up, "image");
    const char *image = text_of(c->image);
    size_t len = strlen(image);
    if (len == 0)
        rule_required(out, &p, "");
    else if (strchr(" \t\r\n", image[0]) != NULL || strchr(" \t\r\n", image[len - 1]) != NULL)
        rule_invalid_text(out, &p, image, "must not have leading or trailing whitespace");
}

static void validate_name(const PodSpec *spec, const Container *c, bool init, size_t at,
                          const struct field_path *up, struct err_list *out)
{
    struct field_path p = path_field(up, "name");
    if (text_empty(c->name)) {
        rule_required(out, &p, "");
        return;
    }
    if (!check_name(out, &p, c->name, name_dns1123_label))
        return;
    Container **list = init ? spec->init_containers : spec->containers;
    bool taken = false;
    for (size_t i = 0; i < at; i++)
        taken = taken || text_eq(list[i]->name, c->name);
    /* Init containers share the names of the containers. */
    for (size_t i = 0; init && i < spec->n_containers; i++)
        taken = taken || text_eq(spec->containers[i]->name, c->name);
    if (taken)
        rule_duplicate(out, &p, c->name);
}

static void validate_container(const PodSpec *spec, const Container *c, struct host_ports *seen,
                               const struct field_path *p, struct err_list *out)
{
    struct field_path policy = path_field(p, "imagePullPolicy");
    struct field_path message = path_field(p, "terminationMessagePolicy");
    validate_image(c, p, out);
    validate_ports(c, p, seen, out);
    validate_env(c, p, out);
    validate_mounts(c, spec, p, out);
    if (text_empty(c->image_pull_policy))
        rule_required(out, &policy, "");
    else
        (void)check_one_of(out, &policy, c->image_pull_policy, pull_policies);
    if (text_empty(c->termination_message_policy))
        rule_required(out, &message, "");
    else
        (void)check_one_of(out, &message, c->termination_message_policy, message_policies);
}

static const char *const only_always[] = { "Always", NULL };

static void validate_init(const PodSpec *spec, const struct field_path *path, struct err_list *out)
{
    struct field_path list = path_field(path, "initContainers");
    struct host_ports init_ports = { 0 }; /* they run one after the other: no conflict */
    for (size_t i = 0; i < spec->n_init_containers; i++) {
        const Container *c = spec->init_containers[i];
        struct field_path p = path_index(&list, i);
        struct field_path policy = path_field(&p, "restartPolicy");
        validate_name(spec, c, true, i, &p, out);
        init_ports.count = 0;
        validate_container(spec, c, &init_ports, &p, out);
        pod_container_runtime_validate(c, c->restart_policy == NULL, &p, out);
        if (c->restart_policy != NULL)
            (void)check_one_of(out, &policy, c->restart_policy, only_always);
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

static void validate_ephemeral(const PodSpec *spec, const struct field_path *path,
                               struct err_list *out)
{
    static const EphemeralContainerCommon none = EPHEMERAL_CONTAINER_COMMON__INIT;
    struct field_path list = path_field(path, "ephemeralContainers");
    struct host_ports ports = { 0 };
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
        if (text_empty(c->name))
            rule_required(out, &name, "");
        else if (check_name(out, &name, c->name, name_dns1123_label) && taken)
            rule_duplicate(out, &name, c->name);
        ports.count = 0;
        validate_container(spec, c, &ports, &p, out);
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
        validate_name(spec, c, false, i, &p, out);
        validate_container(spec, c, &seen, &p, out);
        pod_container_runtime_validate(c, false, &p, out);
        if (c->restart_policy != NULL)
            rule_forbidden(out, &policy, "may not be set for non-init containers");
    }
    validate_init(spec, path, out);
    validate_ephemeral(spec, path, out);
}
