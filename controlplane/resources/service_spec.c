/* Validation of a Service's spec, after upstream's ValidateService and in its order. */
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/addresses.h"
#include "controlplane/resources/keys.h"
#include "controlplane/resources/metadata.h"
#include "controlplane/resources/service.h"
#include "controlplane/resources/service_families.h"
#include "controlplane/resources/strategies.h"

#define AFFINITY_SECONDS_MAX 86400
#define AGENT_PORT           10250
#define CLUSTER_IPS_MAX      2

static const char only_balanced[] = "may only be used when `type` is 'LoadBalancer'";
static const char not_external_name[] = "may not be set for ExternalName services";

static bool is_type(const ServiceSpec *spec, const char *type)
{
    return text_eq(spec->type, type);
}

bool service_has_node_ports(const struct ServiceSpec *spec)
{
    return is_type(spec, "LoadBalancer") || is_type(spec, "NodePort");
}

bool service_is_external(const struct ServiceSpec *spec)
{
    return service_has_node_ports(spec) || (is_type(spec, "ClusterIP") && spec->n_external_ips > 0);
}

/* ---- what goes with a type ---- */

static void validate_external_name(const ServiceSpec *spec, const struct field_path *path,
                                   struct err_list *out)
{
    struct field_path ips = path_field(path, "clusterIPs");
    struct field_path families = path_field(path, "ipFamilies");
    struct field_path policy = path_field(path, "ipFamilyPolicy");
    struct field_path name = path_field(path, "externalName");
    struct str host = str_from(text_of(spec->external_name));
    if (!text_empty(spec->cluster_ip) || spec->n_cluster_ips > 0)
        rule_forbidden(out, &ips, not_external_name);
    if (spec->n_ip_families > 0)
        rule_forbidden(out, &families, not_external_name);
    if (spec->ip_family_policy != NULL)
        rule_forbidden(out, &policy, not_external_name);
    if (host.len > 0 && host.data[host.len - 1] == '.')
        host.len--;
    if (host.len == 0)
        rule_required(out, &name, "");
    else
        (void)check_name(out, &name, str_dup(out->arena, host), name_dns1123_subdomain);
}

static void validate_of_type(const ServiceSpec *spec, const struct field_path *path,
                             struct err_list *out)
{
    struct field_path ips = path_field(path, "clusterIPs");
    struct field_path first = path_index(&ips, 0);
    struct field_path ports = path_field(path, "ports");
    if (is_type(spec, "ExternalName"))
        validate_external_name(spec, path, out);
    for (size_t i = 0; is_type(spec, "LoadBalancer") && i < spec->n_ports; i++) {
        struct field_path p = path_index(&ports, i);
        if (spec->ports[i]->port == AGENT_PORT)
            rule_invalid_number(out, &p, AGENT_PORT,
                                "may not expose port 10250 externally since it is used by kubelet");
    }
    if (service_is_headless(spec) && is_type(spec, "LoadBalancer"))
        rule_invalid_text(out, &first, "None",
                          "may not be set to 'None' for LoadBalancer services");
    if (service_is_headless(spec) && is_type(spec, "NodePort"))
        rule_invalid_text(out, &first, "None", "may not be set to 'None' for NodePort services");
}

/* ---- ports ---- */

/* By name. */
static struct key name_key(const ServicePort *port)
{
    return (struct key){ .text = port->name };
}

static void validate_port(const ServiceSpec *spec, size_t i, bool taken, const struct field_path *p,
                          struct err_list *out)
{
    const ServicePort *port = spec->ports[i];
    struct field_path name = path_field(p, "name");
    struct field_path number = path_field(p, "port");
    struct field_path target = path_field(p, "targetPort");
    struct field_path protocol = path_field(p, "protocol");
    struct field_path application = path_field(p, "appProtocol");
    if (!text_empty(port->name)) {
        (void)check_name(out, &name, port->name, name_dns1123_label);
        if (taken)
            rule_duplicate(out, &name, port->name);
    } else if (spec->n_ports > 1) {
        rule_required(out, &name, "");
    }
    (void)check_port(out, &number, port->port);
    check_protocol(out, &protocol, port->protocol);
    if (int_or_string_is_text(port->target_port))
        (void)check_name(out, &target, text_of(port->target_port->str_val), name_port);
    else
        (void)check_port(out, &target, port->target_port->int_val);
    if (port->app_protocol != NULL)
        (void)check_name(out, &application, port->app_protocol, name_qualified);
}

static struct key node_port_key(const ServicePort *port)
{
    return (struct key){ .text = port->protocol, .number = port->node_port };
}

static void validate_node_port(const ServiceSpec *spec, size_t i, bool taken,
                               const struct field_path *up, struct err_list *out)
{
    const ServicePort *port = spec->ports[i];
    struct field_path p = path_field(up, "nodePort");
    if (port->node_port == 0)
        return;
    if (is_type(spec, "ClusterIP"))
        rule_forbidden(out, &p, "may not be used when `type` is 'ClusterIP'");
    else
        (void)check_port(out, &p, port->node_port);
    if (taken) {
        struct str shown = str_printf(out->arena, "%d", port->node_port);
        err_list_add(out, path_text(out->arena, &p), FIELD_DUPLICATE, str_dup(out->arena, shown));
    }
}

static struct key number_key(const ServicePort *port)
{
    return (struct key){ .text = port->protocol, .number = port->port };
}

/* Shown as upstream's own type for a port. */
static void validate_distinct(const ServiceSpec *spec, size_t i, bool taken,
                              const struct field_path *p, struct err_list *out)
{
    const ServicePort *port = spec->ports[i];
    if (!taken || err_list_full(out))
        return;
    struct str shown = str_printf(out->arena,
                                  "{\"Name\":\"\",\"Protocol\":%s,\"AppProtocol\":null,"
                                  "\"Port\":%d,\"TargetPort\":0,\"NodePort\":0}",
                                  text_quoted(out->arena, port->protocol), port->port);
    err_list_add(out, path_text(out->arena, p), FIELD_DUPLICATE, str_dup(out->arena, shown));
}

/* taken: an earlier port has the same key. */
static void for_ports(const ServiceSpec *spec, const struct field_path *path, struct err_list *out,
                      struct key (*key)(const ServicePort *port),
                      void (*check)(const ServiceSpec *spec, size_t i, bool taken,
                                    const struct field_path *p, struct err_list *out))
{
    struct field_path ports = path_field(path, "ports");
    struct keys keys = keys_new(out->arena, spec->n_ports);
    for (size_t i = 0; i < spec->n_ports; i++)
        keys_add(&keys, key(spec->ports[i]));
    keys_sort(&keys);
    for (size_t i = 0; i < spec->n_ports; i++) {
        struct field_path p = path_index(&ports, i);
        check(spec, i, keys_repeated(&keys, i), &p, out);
    }
}

/* ---- affinity ---- */

static void validate_affinity(const ServiceSpec *spec, const struct field_path *path,
                              struct err_list *out)
{
    static const char *const affinities[] = { "ClientIP", "None", NULL };
    const SessionAffinityConfig *config = spec->session_affinity_config;
    struct field_path affinity = path_field(path, "sessionAffinity");
    struct field_path p = path_field(path, "sessionAffinityConfig");
    struct field_path client = path_field(&p, "clientIP");
    struct field_path seconds = path_field(&client, "timeoutSeconds");
    (void)check_one_of(out, &affinity, text_of(spec->session_affinity), affinities);
    if (text_eq(spec->session_affinity, "None") && config != NULL)
        rule_forbidden(out, &p, "must not be set when session affinity is None");
    if (!text_eq(spec->session_affinity, "ClientIP") || config == NULL || config->client_ip == NULL)
        return; /* defaults have given it a config */
    int32_t timeout = config->client_ip->timeout_seconds;
    if (timeout <= 0 || timeout > AFFINITY_SECONDS_MAX)
        rule_invalid_number(out, &seconds, timeout, "must be greater than 0 and less than 86400");
}

/* ---- addresses ---- */

static void validate_families(const ServiceSpec *spec, const struct field_path *path,
                              struct err_list *out)
{
    static const char *const families[] = { "IPv4", "IPv6", NULL };
    static const char *const policies[] = { "PreferDualStack", "RequireDualStack", "SingleStack",
                                            NULL };
    struct field_path list = path_field(path, "ipFamilies");
    struct field_path policy = path_field(path, "ipFamilyPolicy");
    struct keys taken = keys_new(out->arena, spec->n_ip_families);
    for (size_t i = 0; i < spec->n_ip_families; i++)
        keys_add(&taken, (struct key){ .text = spec->ip_families[i] });
    keys_sort(&taken);
    for (size_t i = 0; i < spec->n_ip_families; i++) {
        struct field_path p = path_index(&list, i);
        (void)check_one_of(out, &p, text_of(spec->ip_families[i]), families);
        if (keys_repeated(&taken, i))
            rule_duplicate(out, &p, spec->ip_families[i]);
    }
    if (spec->ip_family_policy != NULL)
        (void)check_one_of(out, &policy, spec->ip_family_policy, policies);
}

/* Of a valid address. */
static bool is_ipv6(const char *text)
{
    return strchr(text_of(text), ':') != NULL;
}

/* The addresses of a list that are all valid, against each other and against the families. */
static void match_families(const ServiceSpec *spec, const struct field_path *list,
                           struct err_list *out)
{
    size_t of_6 = 0;
    for (size_t i = 0; i < spec->n_cluster_ips; i++)
        of_6 += is_ipv6(spec->cluster_ips[i]);
    if (spec->n_cluster_ips > 1 && (of_6 == 0 || of_6 == spec->n_cluster_ips))
        rule_invalid_list(out, list, spec->cluster_ips, spec->n_cluster_ips,
                          "may specify no more than one IP for each IP family");
    for (size_t i = 0;
         !service_is_headless(spec) && i < spec->n_cluster_ips && i < spec->n_ip_families; i++) {
        const char *family = text_of(spec->ip_families[i]);
        struct field_path p = path_index(list, i);
        if (!text_eq(family, is_ipv6(spec->cluster_ips[i]) ? "IPv4" : "IPv6"))
            continue;
        struct str detail = str_printf(
            out->arena, "expected an %s value as indicated by `ipFamilies[%zu]`", family, i);
        rule_invalid_text(out, &p, spec->cluster_ips[i], str_dup(out->arena, detail));
    }
}

static void validate_cluster_ips(const ServiceSpec *spec, const struct field_path *path,
                                 struct err_list *out)
{
    struct field_path list = path_field(path, "clusterIPs");
    size_t count = spec->n_cluster_ips;
    if (text_empty(spec->cluster_ip)) {
        if (count > 0)
            rule_invalid_list(out, &list, spec->cluster_ips, count,
                              "must be empty when `clusterIP` is not specified");
    } else if (count == 0) {
        rule_required(out, &list, "");
    } else if (!text_eq(spec->cluster_ips[0], spec->cluster_ip)) {
        rule_invalid_list(out, &list, spec->cluster_ips, count,
                          "first value must match `clusterIP`");
    }
    validate_families(spec, path, out);
    bool valid = true;
    for (size_t i = 0; i < count; i++) {
        struct field_path p = path_index(&list, i);
        if (i > 0 || !text_eq(spec->cluster_ips[i], "None")) {
            valid = check_ip(out, &p, spec->cluster_ips[i]) && valid;
        } else if (count > 1) {
            valid = false;
            rule_invalid_list(out, &list, spec->cluster_ips, count,
                              "'None' must be the first and only value");
        }
    }
    if (count > CLUSTER_IPS_MAX)
        rule_invalid_list(out, &list, spec->cluster_ips, count, "may only hold up to 2 values");
    if (valid)
        match_families(spec, &list, out);
}

static void validate_external_ips(const ServiceSpec *spec, const struct field_path *path,
                                  struct err_list *out)
{
    struct field_path list = path_field(path, "externalIPs");
    for (size_t i = 0; i < spec->n_external_ips; i++) {
        struct field_path p = path_index(&list, i);
        check_address(out, &p, spec->external_ips[i], ADDRESS_ANY);
    }
}

/* ---- load balancers and policies ---- */

static void validate_balancer(const ServiceSpec *spec, const struct field_path *path,
                              struct err_list *out)
{
    bool balanced = is_type(spec, "LoadBalancer");
    struct field_path ranges = path_field(path, "LoadBalancerSourceRanges"); /* upstream's case */
    struct field_path allocate = path_field(path, "allocateLoadBalancerNodePorts");
    struct field_path class = path_field(path, "loadBalancerClass");
    if (spec->n_load_balancer_source_ranges > 0 && !balanced)
        rule_forbidden(out, &ranges, only_balanced);
    for (size_t i = 0; i < spec->n_load_balancer_source_ranges; i++) {
        struct field_path p = path_index(&ranges, i);
        struct str range = text_trimmed(str_from(text_of(spec->load_balancer_source_ranges[i])));
        check_cidr(out, &p, str_dup(out->arena, range));
    }
    if (spec->has_allocate_load_balancer_node_ports && !balanced)
        rule_forbidden(out, &allocate, only_balanced);
    if (spec->load_balancer_class != NULL && !balanced)
        rule_forbidden(out, &class, only_balanced);
    else if (spec->load_balancer_class != NULL)
        (void)check_name(out, &class, spec->load_balancer_class, name_qualified);
}

bool service_checks_health(const struct ServiceSpec *spec)
{
    return is_type(spec, "LoadBalancer") && text_eq(spec->external_traffic_policy, "Local");
}

static void validate_policies(const ServiceSpec *spec, const struct field_path *path,
                              struct err_list *out)
{
    static const char *const policies[] = { "Cluster", "Local", NULL };
    static const char *const distributions[] = { "PreferClose", "PreferSameZone", "PreferSameNode",
                                                 NULL };
    struct field_path external = path_field(path, "externalTrafficPolicy");
    struct field_path health = path_field(path, "healthCheckNodePort");
    struct field_path internal = path_field(path, "internalTrafficPolicy");
    struct field_path distribution = path_field(path, "trafficDistribution");
    if (service_is_external(spec))
        (void)check_one_of(out, &external, text_of(spec->external_traffic_policy), policies);
    else if (!text_empty(spec->external_traffic_policy))
        rule_invalid_text(out, &external, spec->external_traffic_policy,
                          "may only be set for externally-accessible services");
    /* Nobody gives out such ports here, so one that is needed may be missing. */
    if (spec->health_check_node_port != 0 && service_checks_health(spec))
        (void)check_port(out, &health, spec->health_check_node_port);
    else if (spec->health_check_node_port != 0)
        rule_invalid_number(out, &health, spec->health_check_node_port,
                            "may only be set when `type` is 'LoadBalancer' and "
                            "`externalTrafficPolicy` is 'Local'");
    if (spec->internal_traffic_policy != NULL)
        (void)check_one_of(out, &internal, spec->internal_traffic_policy, policies);
    if (spec->traffic_distribution != NULL)
        (void)check_one_of(out, &distribution, spec->traffic_distribution, distributions);
}

void service_spec_validate(const struct Service *service, struct err_list *out)
{
    static const char *const types[] = { "ClusterIP", "ExternalName", "LoadBalancer", "NodePort",
                                         NULL };
    const ServiceSpec *spec = service->spec;
    struct field_path path = path_field(NULL, "spec");
    struct field_path ports = path_field(&path, "ports");
    struct field_path type = path_field(&path, "type");
    struct field_path selector = path_field(&path, "selector");
    if (spec->n_ports == 0 && !is_type(spec, "ExternalName") && !service_is_headless(spec))
        rule_required(out, &ports, "");
    validate_of_type(spec, &path, out);
    for_ports(spec, &path, out, name_key, validate_port);
    metadata_validate_labels(spec->selector, spec->n_selector, &selector, out);
    validate_affinity(spec, &path, out);
    if (!is_type(spec, "ExternalName"))
        validate_cluster_ips(spec, &path, out);
    validate_external_ips(spec, &path, out);
    (void)check_one_of(out, &type, text_of(spec->type), types);
    for_ports(spec, &path, out, node_port_key, validate_node_port);
    for_ports(spec, &path, out, number_key, validate_distinct);
    validate_balancer(spec, &path, out);
    validate_policies(spec, &path, out);
}
