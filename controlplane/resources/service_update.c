/*
 * What an update of a service may change of its addresses, and what its status may say: a second
 * one may come and go, the first one stays, unless the service was or becomes a name of another
 * domain.
 */
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "controlplane/resources/addresses.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/service.h"
#include "controlplane/resources/service_families.h"

static const char once[] = "may not change once set";

static bool is_type(const ServiceSpec *spec, const char *type)
{
    return text_eq(spec->type, type);
}

static void refuse_text(struct err_list *out, const struct field_path *p, const char *value,
                        const char *detail)
{
    if (value == NULL)
        rule_invalid(out, p, "null", detail);
    else
        rule_invalid_text(out, p, value, detail);
}

/* Who gives the second one back says so. */
static void validate_release(const ServiceSpec *spec, const char *detail, struct err_list *out)
{
    struct field_path path = path_field(NULL, "spec");
    struct field_path policy = path_field(&path, "ipFamilyPolicy");
    if (!text_eq(spec->ip_family_policy, "SingleStack"))
        refuse_text(out, &policy, spec->ip_family_policy, detail);
}

static void validate_ips(const ServiceSpec *spec, const ServiceSpec *old, struct err_list *out)
{
    struct field_path path = path_field(NULL, "spec");
    struct field_path list = path_field(&path, "clusterIPs");
    struct field_path first = path_index(&list, 0);
    size_t count = spec->n_cluster_ips;
    size_t was = old->n_cluster_ips;
    for (size_t i = 0; count == was && i < count; i++) {
        struct field_path p = path_index(&list, i);
        if (!text_eq(spec->cluster_ips[i], old->cluster_ips[i]))
            rule_invalid_list(out, &p, spec->cluster_ips, count, once);
    }
    if (count == was)
        return;
    if (count == 0)
        rule_invalid_list(out, &first, spec->cluster_ips, count,
                          "primary clusterIP can not be unset");
    else if (was > 0 && !text_eq(spec->cluster_ips[0], old->cluster_ips[0]))
        rule_invalid_list(out, &first, spec->cluster_ips, count, once);
    if (was > count && count == 1)
        validate_release(
            spec, "must be set to 'SingleStack' when releasing the secondary clusterIP", out);
}

/* Upstream shows the addresses where it compares the first families. */
static void validate_families(const ServiceSpec *spec, const ServiceSpec *old, struct err_list *out)
{
    struct field_path path = path_field(NULL, "spec");
    struct field_path list = path_field(&path, "ipFamilies");
    struct field_path first = path_index(&list, 0);
    size_t count = spec->n_ip_families;
    size_t was = old->n_ip_families;
    for (size_t i = 0; count == was && i < count; i++) {
        if (!text_eq(spec->ip_families[i], old->ip_families[i]))
            rule_invalid_list(out, &first, spec->ip_families, count, once);
    }
    if (count == was || count == 0 || was == 0)
        return;
    if (!text_eq(spec->ip_families[0], old->ip_families[0]))
        rule_invalid_list(out, &first, spec->cluster_ips, spec->n_cluster_ips, once);
    if (was > count && count == 1)
        validate_release(spec, "must be set to 'SingleStack' when releasing the secondary ipFamily",
                         out);
}

static void validate_addresses(const ServiceSpec *spec, const ServiceSpec *old,
                               struct err_list *out)
{
    bool headless = service_is_headless(spec);
    if (is_type(spec, "ExternalName") || is_type(old, "ExternalName"))
        return;
    if (!headless || !service_is_headless(old))
        validate_ips(spec, old, out);
    if (!headless && !service_is_headless(old))
        validate_families(spec, old, out);
}

void service_spec_validate_update(const struct ServiceSpec *spec, const struct ServiceSpec *old,
                                  struct err_list *out)
{
    struct field_path path = path_field(NULL, "spec");
    struct field_path class = path_field(&path, "loadBalancerClass");
    struct field_path health = path_field(&path, "healthCheckNodePort");
    if (old == NULL)
        return;
    validate_addresses(spec, old, out);
    if (is_type(spec, "LoadBalancer") && is_type(old, "LoadBalancer") &&
        ((spec->load_balancer_class == NULL) != (old->load_balancer_class == NULL) ||
         !text_eq(text_of(spec->load_balancer_class), text_of(old->load_balancer_class))))
        refuse_text(out, &class, spec->load_balancer_class, once);
    if (service_checks_health(spec) && service_checks_health(old) &&
        old->health_check_node_port != 0 &&
        spec->health_check_node_port != old->health_check_node_port)
        rule_forbidden(out, &health, "field is immutable");
}

/* ---- status ---- */

static void validate_mode(const LoadBalancerIngress *in, const struct field_path *up,
                          struct err_list *out)
{
    static const char *const modes[] = { "Proxy", "VIP", NULL };
    struct field_path p = path_field(up, "ipMode");
    if (in->ip_mode == NULL) {
        if (!text_empty(in->ip))
            rule_required(out, &p, "must be specified when `ip` is set");
    } else if (text_empty(in->ip)) {
        rule_forbidden(out, &p, "may not be specified when `ip` is not set");
    } else {
        (void)check_one_of(out, &p, in->ip_mode, modes);
    }
}

static bool is_ip(struct arena *a, const char *text)
{
    struct err_list ignored;
    err_list_init(&ignored, a);
    return check_ip(&ignored, NULL, text);
}

static void validate_ingress(const LoadBalancerIngress *in, const struct field_path *p,
                             struct err_list *out)
{
    struct field_path ip = path_field(p, "ip");
    struct field_path host = path_field(p, "hostname");
    if (!text_empty(in->ip))
        (void)check_ip(out, &ip, in->ip);
    validate_mode(in, p, out);
    if (text_empty(in->hostname))
        return;
    (void)check_name(out, &host, in->hostname, name_dns1123_subdomain);
    if (is_ip(out->arena, in->hostname))
        rule_invalid_text(out, &host, in->hostname, "must be a DNS name, not an IP address");
}

void service_status_validate(const struct Service *service, struct err_list *out)
{
    const LoadBalancerStatus *s = service->status == NULL ? NULL : service->status->load_balancer;
    struct field_path status = path_field(NULL, "status");
    struct field_path balancer = path_field(&status, "loadBalancer");
    struct field_path list = path_field(&balancer, "ingress");
    if (s == NULL || s->n_ingress == 0)
        return;
    if (!is_type(service->spec, "LoadBalancer")) {
        rule_forbidden(out, &list, "may only be used when `spec.type` is 'LoadBalancer'");
        return;
    }
    for (size_t i = 0; i < s->n_ingress; i++) {
        struct field_path p = path_index(&list, i);
        validate_ingress(s->ingress[i], &p, out);
    }
}
