/*
 * Services as data: they are defaulted, validated and stored, but nothing allocates addresses or
 * node ports yet. A clusterIP or nodePort is kept as given and stays empty when it was not given;
 * no proxy serves it.
 */
#include <arpa/inet.h>
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/metadata.h"
#include "controlplane/resources/strategies.h"

static const char *const types[] = { "ClusterIP", "ExternalName", "LoadBalancer", "NodePort",
                                     NULL };
static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };
static const char *const affinities[] = { "ClientIP", "None", NULL };

static bool is_type(const ServiceSpec *spec, const char *type)
{
    return text_eq(spec->type, type);
}

static void port_defaults(struct arena *a, ServicePort *port)
{
    const IntOrString *target = port->target_port;
    if (target == NULL || (!int_or_string_is_text(target) && target->int_val == 0) ||
        (int_or_string_is_text(target) && text_empty(target->str_val)))
        port->target_port = int_or_string_of_int(a, port->port);
}

/* clusterIP is clusterIPs[0], whichever was given. */
static void cluster_ip_defaults(struct arena *a, ServiceSpec *spec)
{
    if (text_empty(spec->cluster_ip) && spec->n_cluster_ips > 0) {
        spec->cluster_ip = spec->cluster_ips[0];
    } else if (!text_empty(spec->cluster_ip) && spec->n_cluster_ips == 0) {
        spec->cluster_ips = arena_array(a, 1, sizeof(*spec->cluster_ips));
        spec->cluster_ips[0] = spec->cluster_ip;
        spec->n_cluster_ips = 1;
    }
}

static void affinity_defaults(struct arena *a, ServiceSpec *spec)
{
    if (!text_eq(spec->session_affinity, "ClientIP"))
        return;
    SessionAffinityConfig *config =
        message_ensure(a, &spec->session_affinity_config, &session_affinity_config__descriptor);
    ClientIPConfig *client = message_ensure(a, &config->client_ip, &client_ipconfig__descriptor);
    if (!client->has_timeout_seconds) {
        client->has_timeout_seconds = 1;
        client->timeout_seconds = 10800;
    }
}

static void defaults(struct arena *a, void *object)
{
    Service *service = object;
    ServiceSpec *spec = message_ensure(a, &service->spec, &service_spec__descriptor);
    ServiceStatus *status = message_ensure(a, &service->status, &service_status__descriptor);
    (void)message_ensure(a, &status->load_balancer, &load_balancer_status__descriptor);
    affinity_defaults(a, spec);
    for (size_t i = 0; i < spec->n_ports; i++)
        port_defaults(a, spec->ports[i]);
    if (!is_type(spec, "ExternalName")) {
        text_default(a, &spec->internal_traffic_policy, "Cluster");
        cluster_ip_defaults(a, spec);
    }
    if (is_type(spec, "NodePort") || is_type(spec, "LoadBalancer"))
        text_default(a, &spec->external_traffic_policy, "Cluster");
    if (is_type(spec, "LoadBalancer") && !spec->has_allocate_load_balancer_node_ports) {
        spec->has_allocate_load_balancer_node_ports = 1;
        spec->allocate_load_balancer_node_ports = 1;
    }
}

static void prepare_create(const struct resource_context *c, void *object)
{
    Service *service = object;
    service->status = arena_new(c->arena, ServiceStatus);
    service_status__init(service->status);
    (void)message_ensure(c->arena, &service->status->load_balancer,
                         &load_balancer_status__descriptor);
}

static bool has_node_ports(const ServiceSpec *spec)
{
    return is_type(spec, "NodePort") || is_type(spec, "LoadBalancer");
}

static bool is_external(const ServiceSpec *spec)
{
    return has_node_ports(spec) || (is_type(spec, "ClusterIP") && spec->n_external_ips > 0);
}

static bool same_node_ports(const ServiceSpec *spec, const ServiceSpec *was)
{
    bool same = spec->n_ports == was->n_ports;
    for (size_t i = 0; i < spec->n_ports && same; i++)
        same = spec->ports[i]->node_port == was->ports[i]->node_port;
    return same;
}

/* A client that changes the type only means the old type's fields to go. */
static void drop_old_type(ServiceSpec *spec, const ServiceSpec *was)
{
    if (has_node_ports(was) && !has_node_ports(spec) && same_node_ports(spec, was)) {
        for (size_t i = 0; i < spec->n_ports; i++)
            spec->ports[i]->node_port = 0;
    }
    if (is_external(was) && !is_external(spec) &&
        text_eq(spec->external_traffic_policy, text_of(was->external_traffic_policy)))
        spec->external_traffic_policy = NULL;
    if (is_type(was, "LoadBalancer") && !is_type(spec, "LoadBalancer")) {
        spec->has_allocate_load_balancer_node_ports = 0;
        spec->allocate_load_balancer_node_ports = 0;
    }
    if (!is_type(was, "ExternalName") && is_type(spec, "ExternalName") &&
        text_eq(spec->cluster_ip, text_of(was->cluster_ip))) {
        spec->cluster_ip = NULL;
        spec->n_cluster_ips = 0;
    }
    if (is_type(was, "ExternalName") && !is_type(spec, "ExternalName") &&
        text_eq(spec->external_name, text_of(was->external_name)))
        spec->external_name = NULL;
}

static void prepare_update(const struct resource_context *c, void *object, const void *old)
{
    ServiceSpec *spec = ((Service *)object)->spec;
    const ServiceSpec *was = ((const Service *)old)->spec;
    (void)c;
    ((Service *)object)->status = ((const Service *)old)->status;
    if (was != NULL)
        drop_old_type(spec, was);
    /* A client that leaves the address out keeps the one there is. */
    if (was != NULL && text_empty(spec->cluster_ip) && spec->n_cluster_ips == 0 &&
        !is_type(spec, "ExternalName") && !is_type(was, "ExternalName")) {
        spec->cluster_ip = was->cluster_ip;
        spec->cluster_ips = was->cluster_ips;
        spec->n_cluster_ips = was->n_cluster_ips;
    }
}

static void prepare_status(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((Service *)object)->spec = ((const Service *)old)->spec;
}

static void validate_port(const ServiceSpec *spec, size_t i, const struct field_path *p,
                          struct err_list *out)
{
    const ServicePort *port = spec->ports[i];
    struct field_path name = path_field(p, "name");
    struct field_path number = path_field(p, "port");
    struct field_path target = path_field(p, "targetPort");
    struct field_path protocol = path_field(p, "protocol");
    struct field_path node_port = path_field(p, "nodePort");
    if (text_empty(port->name)) {
        if (spec->n_ports > 1)
            rule_required(out, &name, "");
    } else if (check_name(out, &name, port->name, name_dns1123_label)) {
        for (size_t j = 0; j < i; j++) {
            if (text_eq(spec->ports[j]->name, port->name))
                rule_duplicate(out, &name, port->name);
        }
    }
    (void)check_port(out, &number, port->port);
    (void)check_one_of(out, &protocol, port->protocol, protocols);
    if (int_or_string_is_text(port->target_port))
        (void)check_name(out, &target, text_of(port->target_port->str_val), name_port);
    else
        (void)check_port(out, &target, port->target_port->int_val);
    if (port->node_port != 0 && is_type(spec, "ClusterIP"))
        rule_forbidden(out, &node_port, "may not be used when `type` is 'ClusterIP'");
    else if (port->node_port != 0)
        (void)check_port(out, &node_port, port->node_port);
    for (size_t j = 0; j < i; j++) {
        if (spec->ports[j]->port == port->port &&
            text_eq(spec->ports[j]->protocol, port->protocol)) {
            struct str shown = str_printf(out->arena, "%s/%d", text_of(port->protocol), port->port);
            rule_duplicate(out, p, str_dup(out->arena, shown));
            break;
        }
    }
}

static bool is_ip(const char *text)
{
    unsigned char address[16];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static void validate_cluster_ip(const ServiceSpec *spec, const struct field_path *up,
                                struct err_list *out)
{
    struct field_path ip = path_field(up, "clusterIP");
    struct field_path ips = path_field(up, "clusterIPs");
    struct field_path first = path_index(&ips, 0);
    bool none = text_eq(spec->cluster_ip, "None");
    if (is_type(spec, "ExternalName")) {
        if (!text_empty(spec->cluster_ip))
            rule_invalid_text(out, &ips, spec->cluster_ip,
                              "may not be set for ExternalName services");
        return;
    }
    if (none && !is_type(spec, "ClusterIP"))
        rule_invalid_text(out, &ip, "None",
                          "may not be set to 'None' for NodePort or LoadBalancer services");
    if (!text_empty(spec->cluster_ip) && !none && !is_ip(spec->cluster_ip))
        rule_invalid_text(out, &first, spec->cluster_ip,
                          "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    if (spec->n_cluster_ips > 0 && !text_eq(spec->cluster_ips[0], spec->cluster_ip))
        rule_invalid_text(out, &ips, spec->cluster_ips[0], "first value must match `clusterIP`");
}

static void validate_affinity(const ServiceSpec *spec, const struct field_path *up,
                              struct err_list *out)
{
    struct field_path affinity = path_field(up, "sessionAffinity");
    struct field_path config = path_field(up, "sessionAffinityConfig");
    (void)check_one_of(out, &affinity, spec->session_affinity, affinities);
    if (text_eq(spec->session_affinity, "None") && spec->session_affinity_config != NULL)
        rule_forbidden(out, &config, "must not be set when session affinity is None");
}

static void validate_policies(const ServiceSpec *spec, const struct field_path *up,
                              struct err_list *out)
{
    static const char *const policies[] = { "Cluster", "Local", NULL };
    struct field_path external = path_field(up, "externalTrafficPolicy");
    struct field_path internal = path_field(up, "internalTrafficPolicy");
    bool given = !text_empty(spec->external_traffic_policy);
    if (given && !is_external(spec))
        rule_invalid_text(out, &external, spec->external_traffic_policy,
                          "may only be set for externally-accessible services");
    else if (given)
        (void)check_one_of(out, &external, spec->external_traffic_policy, policies);
    if (!text_empty(spec->internal_traffic_policy))
        (void)check_one_of(out, &internal, spec->internal_traffic_policy, policies);
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const ServiceSpec *spec = ((const Service *)object)->spec;
    struct field_path path = path_field(NULL, "spec");
    struct field_path ports = path_field(&path, "ports");
    struct field_path type = path_field(&path, "type");
    struct field_path selector = path_field(&path, "selector");
    struct field_path external = path_field(&path, "externalName");
    (void)c;
    if (spec->n_ports == 0 && !is_type(spec, "ExternalName") && !text_eq(spec->cluster_ip, "None"))
        rule_required(out, &ports, "");
    if (is_type(spec, "ExternalName")) {
        if (text_empty(spec->external_name))
            rule_required(out, &external, "");
        else
            (void)check_name(out, &external, spec->external_name, name_dns1123_subdomain);
    }
    for (size_t i = 0; i < spec->n_ports; i++) {
        struct field_path p = path_index(&ports, i);
        validate_port(spec, i, &p, out);
    }
    metadata_validate_labels(spec->selector, spec->n_selector, &selector, out);
    (void)check_one_of(out, &type, spec->type, types);
    validate_affinity(spec, &path, out);
    validate_cluster_ip(spec, &path, out);
    validate_policies(spec, &path, out);
}

static void validate_update(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const ServiceSpec *spec = ((const Service *)object)->spec;
    const ServiceSpec *was = ((const Service *)old)->spec;
    struct field_path path = path_field(NULL, "spec");
    struct field_path ips = path_field(&path, "clusterIPs");
    struct field_path first = path_index(&ips, 0);
    (void)c;
    if (was == NULL || text_empty(was->cluster_ip) || is_type(spec, "ExternalName") ||
        is_type(was, "ExternalName"))
        return;
    if (!text_eq(was->cluster_ip, spec->cluster_ip))
        rule_invalid_text(out, &first, spec->cluster_ip, "may not change once set");
}

/* A text of its own. */
static void warn(struct resource_warnings *out, const char *text)
{
    if (out->count < RESOURCE_WARNINGS_MAX)
        out->texts[out->count++] = text;
}

static void warnings(const struct resource_context *c, const void *object, const void *old,
                     struct resource_warnings *out)
{
    const Service *service = object;
    const ServiceSpec *spec = service->spec;
    bool headless = is_type(spec, "ClusterIP") && text_eq(spec->cluster_ip, "None");
    (void)c;
    (void)old;
    for (size_t i = 0; i < service->metadata->n_annotations; i++) {
        if (text_eq(service->metadata->annotations[i]->key,
                    "service.kubernetes.io/topology-aware-hints"))
            warn(out, "annotation service.kubernetes.io/topology-aware-hints is deprecated, please "
                      "use service.kubernetes.io/topology-mode instead");
    }
    if (headless && !text_empty(spec->load_balancer_ip))
        warn(out, "spec.loadBalancerIP is ignored for headless services");
    if (headless && spec->n_external_ips > 0)
        warn(out, "spec.externalIPs is ignored for headless services");
    if (headless && !text_eq(spec->session_affinity, "None"))
        warn(out, "spec.SessionAffinity is ignored for headless services");
    if (is_type(spec, "ExternalName") && spec->n_external_ips > 0)
        warn(out, "spec.externalIPs is ignored when spec.type is \"ExternalName\"");
    if (!is_type(spec, "ExternalName") && !text_empty(spec->external_name))
        warn(out, "spec.externalName is ignored when spec.type is not \"ExternalName\"");
}

const struct resource_strategy service_strategy = { .defaults = defaults,
                                                    .prepare_create = prepare_create,
                                                    .prepare_update = prepare_update,
                                                    .prepare_status = prepare_status,
                                                    .warnings = warnings,
                                                    .validate = validate,
                                                    .validate_update = validate_update };
