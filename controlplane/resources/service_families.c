/* See service_families.h. The order of the checks is upstream's: the first that finds something
 * ends it. */
#include "controlplane/resources/service_families.h"

#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/service_ranges.h"

#define FAMILIES_MAX 2

bool service_is_headless(const struct ServiceSpec *spec)
{
    return spec->n_cluster_ips == 1 && text_eq(spec->cluster_ips[0], "None");
}

static bool is_external_name(const ServiceSpec *spec)
{
    return text_eq(spec->type, "ExternalName");
}

static bool has_policy(const ServiceSpec *spec, const char *policy)
{
    return text_eq(text_of(spec->ip_family_policy), policy);
}

static bool same_texts(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
    bool same = a_count == b_count;
    for (size_t i = 0; same && i < a_count; i++)
        same = text_eq(a[i], b[i]);
    return same;
}

bool service_same_ips(const struct ServiceSpec *a, const struct ServiceSpec *b)
{
    return same_texts(a->cluster_ips, a->n_cluster_ips, b->cluster_ips, b->n_cluster_ips);
}

static bool same_families(const ServiceSpec *a, const ServiceSpec *b)
{
    return same_texts(a->ip_families, a->n_ip_families, b->ip_families, b->n_ip_families);
}

bool service_families_rest(const struct ServiceSpec *spec, const struct ServiceSpec *old)
{
    return old != NULL && spec->n_cluster_ips > 0 && text_eq(spec->type, old->type) &&
           !is_external_name(spec) && has_policy(spec, "PreferDualStack") &&
           (old->ip_family_policy == NULL || has_policy(old, "PreferDualStack")) &&
           service_same_ips(spec, old) && same_families(spec, old);
}

/* Never changed without being told to: a PUT that leaves it out keeps it. */
static void fill_policy(struct arena *a, ServiceSpec *spec, const ServiceSpec *old)
{
    if (spec->ip_family_policy != NULL)
        return;
    if (old != NULL && old->ip_family_policy != NULL)
        spec->ip_family_policy = old->ip_family_policy;
    else
        spec->ip_family_policy =
            text_new(a, service_is_headless(spec) && spec->n_selector == 0 ? "RequireDualStack"
                                                                           : "SingleStack");
}

static void refuse_policy(const ServiceSpec *spec, const char *detail, struct err_list *out)
{
    struct field_path path = path_field(NULL, "spec");
    struct field_path policy = path_field(&path, "ipFamilyPolicy");
    rule_invalid_text(out, &policy, spec->ip_family_policy, detail);
}

/* Who says "one family" and leaves the rest as it was gives the second one back. */
static void reduce(ServiceSpec *spec, const ServiceSpec *old, struct err_list *out)
{
    if (old == NULL)
        return;
    if (has_policy(spec, "SingleStack")) {
        if (service_same_ips(spec, old) && spec->n_cluster_ips > 1)
            spec->n_cluster_ips = 1;
        if (same_families(spec, old) && spec->n_ip_families > 1)
            spec->n_ip_families = 1;
        return;
    }
    if (spec->n_cluster_ips > 0 && spec->n_cluster_ips < old->n_cluster_ips)
        refuse_policy(spec, "must be 'SingleStack' to release the secondary cluster IP", out);
    if (spec->n_ip_families > 0 && spec->n_ip_families < old->n_ip_families)
        refuse_policy(spec, "must be 'SingleStack' to release the secondary IP family", out);
}

static void check_single(const ServiceSpec *spec, struct err_list *out)
{
    if (!has_policy(spec, "SingleStack"))
        return;
    if (spec->n_cluster_ips == FAMILIES_MAX)
        refuse_policy(spec,
                      "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs "
                      "are specified",
                      out);
    if (spec->n_ip_families == FAMILIES_MAX)
        refuse_policy(spec,
                      "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families "
                      "are specified",
                      out);
}

static void add_family(struct arena *a, ServiceSpec *spec, enum address_family family)
{
    spec->ip_families[spec->n_ip_families++] = text_new(a, service_family_name(family));
}

/* An address says of which family it is. */
static void infer(struct arena *a, const struct service_ranges *ranges, ServiceSpec *spec,
                  struct err_list *out)
{
    struct field_path path = path_field(NULL, "spec");
    struct field_path list = path_field(&path, "clusterIPs");
    size_t count = spec->n_cluster_ips < FAMILIES_MAX ? spec->n_cluster_ips : FAMILIES_MAX;
    for (size_t i = spec->n_ip_families; i < count && !service_is_headless(spec); i++) {
        enum address_family family = service_family_of(spec->cluster_ips[i]);
        struct field_path p = path_index(&list, i);
        if (service_range_of(ranges, family) != NULL) {
            add_family(a, spec, family);
            continue;
        }
        struct str detail =
            str_printf(a, "%s is not configured on this cluster", service_family_name(family));
        rule_invalid_list(out, &p, spec->cluster_ips, spec->n_cluster_ips, detail.data);
    }
}

static void add_other(struct arena *a, ServiceSpec *spec)
{
    enum address_family first = service_family_of(spec->ip_families[0]);
    if (spec->n_ip_families == 1 && !has_policy(spec, "SingleStack"))
        add_family(a, spec, first == ADDRESS_IPV4 ? ADDRESS_IPV6 : ADDRESS_IPV4);
}

static void check_configured(const struct service_ranges *ranges, const ServiceSpec *spec,
                             struct err_list *out)
{
    struct field_path path = path_field(NULL, "spec");
    struct field_path list = path_field(&path, "ipFamilies");
    if (has_policy(spec, "RequireDualStack") && ranges->ips_count < FAMILIES_MAX)
        refuse_policy(spec, "this cluster is not configured for dual-stack services", out);
    for (size_t i = 0; i < spec->n_ip_families; i++) {
        struct field_path p = path_index(&list, i);
        if (service_range_of(ranges, service_family_of(spec->ip_families[i])) == NULL)
            rule_invalid_text(out, &p, spec->ip_families[i], "not configured on this cluster");
    }
}

void service_families_fill(struct arena *a, const struct service_ranges *ranges,
                           struct ServiceSpec *spec, const struct ServiceSpec *old,
                           struct err_list *out)
{
    /* Room for two: validation let no more pass. */
    char **families = arena_array(a, FAMILIES_MAX, sizeof(*families));
    if (is_external_name(spec) || service_families_rest(spec, old))
        return;
    if (spec->n_ip_families > FAMILIES_MAX)
        spec->n_ip_families = FAMILIES_MAX;
    for (size_t i = 0; i < spec->n_ip_families; i++)
        families[i] = spec->ip_families[i];
    spec->ip_families = families;
    fill_policy(a, spec, old);
    reduce(spec, old, out);
    check_single(spec, out);
    infer(a, ranges, spec, out);
    if (out->count > 0)
        return;
    bool anywhere = service_is_headless(spec) && spec->n_selector == 0; /* nothing is given */
    if (!anywhere)
        check_configured(ranges, spec, out);
    if (out->count > 0)
        return;
    if (spec->n_ip_families == 0)
        add_family(a, spec, ranges->ips[0].family);
    if (anywhere || ranges->ips_count == FAMILIES_MAX)
        add_other(a, spec);
}
