/*
 * Services: their defaults, rules and updates. What they are given (addresses, node ports) comes
 * later, with the transaction that writes them (apiserver/service_addresses.h). Nothing routes to
 * them but the API server's proxy.
 */
#include "controlplane/resources/service.h"

#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "controlplane/resources/keys.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/service_families.h"
#include "controlplane/resources/strategies.h"

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

/* What a balancer's address is for: to be the service's own on each node. */
static void balancer_defaults(struct arena *a, const LoadBalancerStatus *s)
{
    for (size_t i = 0; i < s->n_ingress; i++) {
        if (!text_empty(s->ingress[i]->ip) && s->ingress[i]->ip_mode == NULL)
            s->ingress[i]->ip_mode = text_new(a, "VIP");
    }
}

static void defaults(struct arena *a, void *object)
{
    Service *service = object;
    ServiceSpec *spec = message_ensure(a, &service->spec, &service_spec__descriptor);
    ServiceStatus *status = message_ensure(a, &service->status, &service_status__descriptor);
    (void)message_ensure(a, &status->load_balancer, &load_balancer_status__descriptor);
    if (is_type(spec, "LoadBalancer"))
        balancer_defaults(a, status->load_balancer);
    affinity_defaults(a, spec);
    for (size_t i = 0; i < spec->n_ports; i++)
        port_defaults(a, spec->ports[i]);
    if (!is_type(spec, "ExternalName"))
        text_default(a, &spec->internal_traffic_policy, "Cluster");
    if (service_is_external(spec))
        text_default(a, &spec->external_traffic_policy, "Cluster");
    if (is_type(spec, "LoadBalancer") && !spec->has_allocate_load_balancer_node_ports) {
        spec->has_allocate_load_balancer_node_ports = 1;
        spec->allocate_load_balancer_node_ports = 1;
    }
}

/* The list follows the one address. */
static void follow_cluster_ip(struct arena *a, ServiceSpec *spec)
{
    spec->cluster_ips = arena_array(a, 1, sizeof(*spec->cluster_ips));
    spec->cluster_ips[0] = spec->cluster_ip;
    spec->n_cluster_ips = 1;
}

/* An old client knows the one address only. */
static void prepare_create(const struct resource_context *c, void *object)
{
    Service *service = object;
    if (!text_empty(service->spec->cluster_ip) && service->spec->n_cluster_ips == 0)
        follow_cluster_ip(c->arena, service->spec);
    service->status = arena_new(c->arena, ServiceStatus);
    service_status__init(service->status);
    (void)message_ensure(c->arena, &service->status->load_balancer,
                         &load_balancer_status__descriptor);
}

static bool same_node_ports(const ServiceSpec *spec, const ServiceSpec *was)
{
    bool same = spec->n_ports == was->n_ports;
    for (size_t i = 0; same && i < spec->n_ports; i++)
        same = spec->ports[i]->node_port == was->ports[i]->node_port;
    return same;
}

static void drop_addresses(ServiceSpec *spec, const ServiceSpec *was)
{
    if (text_eq(spec->cluster_ip, was->cluster_ip)) {
        spec->cluster_ip = NULL;
        spec->n_cluster_ips = 0;
    }
    if (spec->n_ip_families == was->n_ip_families)
        spec->n_ip_families = 0;
    if (text_eq(spec->ip_family_policy, was->ip_family_policy))
        spec->ip_family_policy = NULL;
}

/* What only the old type had, and what the client did not change too: it goes with the type. */
static void drop_of_old_type(ServiceSpec *spec, const ServiceSpec *was)
{
    bool ports = service_has_node_ports(spec);
    bool balanced = is_type(spec, "LoadBalancer");
    bool was_balanced = is_type(was, "LoadBalancer");
    if (is_type(spec, "ExternalName") && !is_type(was, "ExternalName"))
        drop_addresses(spec, was);
    bool drop_ports = !ports && same_node_ports(spec, was);
    for (size_t i = 0; drop_ports && i < spec->n_ports; i++)
        spec->ports[i]->node_port = 0;
    if (was_balanced && !balanced) {
        if (spec->health_check_node_port == was->health_check_node_port)
            spec->health_check_node_port = 0;
        if (spec->allocate_load_balancer_node_ports == was->allocate_load_balancer_node_ports)
            spec->has_allocate_load_balancer_node_ports = 0;
        if (text_eq(spec->load_balancer_class, was->load_balancer_class))
            spec->load_balancer_class = NULL;
    }
    if (service_is_external(was) && !service_is_external(spec) &&
        text_eq(spec->external_traffic_policy, was->external_traffic_policy))
        spec->external_traffic_policy = NULL;
}

/* Node ports by the names of their ports; of several of a name the last one's is found. */
static struct keys names_backwards(struct arena *a, const ServiceSpec *spec)
{
    struct keys names = keys_new(a, spec->n_ports);
    for (size_t i = spec->n_ports; i > 0; i--)
        keys_add(&names, (struct key){ .text = spec->ports[i - 1]->name });
    keys_sort(&names);
    return names;
}

static struct keys node_ports_of(struct arena *a, const ServiceSpec *spec)
{
    struct keys used = keys_new(a, spec->n_ports);
    for (size_t i = 0; i < spec->n_ports; i++)
        keys_add(&used, (struct key){ .number = spec->ports[i]->node_port });
    keys_sort(&used);
    return used;
}

/* A port whose node port is left out keeps it, by its name, unless the client gave it to another
 * one. Two that shared a number (of TCP and of UDP) share it on. */
static void keep_node_ports(struct arena *a, ServiceSpec *spec, const ServiceSpec *was)
{
    const struct keys names = names_backwards(a, was);
    const struct keys used = node_ports_of(a, spec);
    for (size_t i = 0; i < spec->n_ports; i++) {
        ServicePort *port = spec->ports[i];
        ptrdiff_t at = keys_find(&names, (struct key){ .text = port->name });
        if (port->node_port != 0 || at < 0)
            continue;
        int32_t kept = was->ports[was->n_ports - 1 - (size_t)at]->node_port;
        if (kept != 0 && keys_find(&used, (struct key){ .number = kept }) < 0) {
            port->has_node_port = 1;
            port->node_port = kept;
        }
    }
    if (service_checks_health(spec) && service_checks_health(was) &&
        spec->health_check_node_port == 0) {
        spec->has_health_check_node_port = was->has_health_check_node_port;
        spec->health_check_node_port = was->health_check_node_port;
    }
}

/* A client that leaves addresses out keeps them; to one that changes the one address alone, the
 * list follows. */
static void keep_cluster_ips(struct arena *a, ServiceSpec *spec, const ServiceSpec *was)
{
    bool both = !is_type(spec, "ExternalName") && !is_type(was, "ExternalName");
    if (both && text_empty(spec->cluster_ip))
        spec->cluster_ip = was->cluster_ip;
    bool changed = !text_eq(text_of(spec->cluster_ip), text_of(was->cluster_ip));
    if (spec->n_cluster_ips == 0 && (both || !changed)) {
        spec->cluster_ips = was->cluster_ips;
        spec->n_cluster_ips = was->n_cluster_ips;
    }
    if (!changed || !service_same_ips(spec, was))
        return;
    if (text_empty(spec->cluster_ip))
        spec->n_cluster_ips = 0;
    else
        follow_cluster_ip(a, spec);
}

static void prepare_update(const struct resource_context *c, void *object, const void *old)
{
    ServiceSpec *spec = ((Service *)object)->spec;
    const ServiceSpec *was = ((const Service *)old)->spec;
    ((Service *)object)->status = ((const Service *)old)->status;
    if (was != NULL)
        keep_cluster_ips(c->arena, spec, was);
    if (was != NULL && service_has_node_ports(spec) && service_has_node_ports(was))
        keep_node_ports(c->arena, spec, was);
    if (was != NULL)
        drop_of_old_type(spec, was);
}

static void prepare_status(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((Service *)object)->spec = ((const Service *)old)->spec;
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    (void)c;
    service_spec_validate(object, out);
}

static void validate_update(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    (void)c;
    service_spec_validate_update(((const Service *)object)->spec, ((const Service *)old)->spec,
                                 out);
}

static void validate_status(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    (void)c;
    (void)old;
    service_status_validate(object, out);
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
                                                    .validate_update = validate_update,
                                                    .validate_status = validate_status };
