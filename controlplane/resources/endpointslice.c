/* EndpointSlices: bounded lists of endpoints of one address type. */
#include "api/proto/core.pb-c.h"
#include "api/proto/endpointslice.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/addresses.h"
#include "controlplane/resources/metadata.h"
#include "controlplane/resources/strategies.h"

/* Upstream's bounds. */
enum { ENDPOINTS_MAX = 1000, ADDRESSES_MAX = 100, PORTS_MAX = 100, HINTS_MAX = 8 };

static void defaults(struct arena *a, void *object)
{
    EndpointSlice *slice = object;
    for (size_t i = 0; i < slice->n_ports; i++) {
        DiscoveryEndpointPort *port = slice->ports[i];
        if (port->name == NULL)
            port->name = text_new(a, "");
        if (port->protocol == NULL)
            port->protocol = text_new(a, "TCP");
    }
}

static void check_each_address(const EndpointSlice *slice, const Endpoint *e,
                               const struct field_path *list, struct err_list *out)
{
    for (size_t i = 0; i < e->n_addresses; i++) {
        struct field_path p = path_index(list, i);
        if (text_eq(slice->address_type, "IPv4"))
            check_address(out, &p, e->addresses[i], ADDRESS_IPV4);
        else if (text_eq(slice->address_type, "IPv6"))
            check_address(out, &p, e->addresses[i], ADDRESS_IPV6);
        else if (text_eq(slice->address_type, "FQDN"))
            check_domain(out, &p, e->addresses[i]);
    }
}

static void validate_hints(const EndpointHints *hints, const struct field_path *up,
                           struct err_list *out)
{
    struct field_path p = path_field(up, "hints");
    struct field_path zones = path_field(&p, "forZones");
    struct field_path nodes = path_field(&p, "forNodes");
    (void)check_count(out, &zones, hints->n_for_zones, HINTS_MAX);
    (void)check_count(out, &nodes, hints->n_for_nodes, HINTS_MAX);
    for (size_t i = 0; i < hints->n_for_zones; i++) {
        struct field_path at = path_index(&zones, i);
        struct field_path name = path_field(&at, "name");
        (void)check_name(out, &name, text_of(hints->for_zones[i]->name), name_label_value);
    }
}

static void validate_endpoint(const EndpointSlice *slice, const Endpoint *e,
                              const struct field_path *p, struct err_list *out)
{
    struct field_path addresses = path_field(p, "addresses");
    struct field_path hostname = path_field(p, "hostname");
    struct field_path node = path_field(p, "nodeName");
    if (e->n_addresses == 0)
        rule_required(out, &addresses, "must contain at least 1 address");
    (void)check_count(out, &addresses, e->n_addresses, ADDRESSES_MAX);
    check_each_address(slice, e, &addresses, out);
    if (e->node_name != NULL)
        (void)check_name(out, &node, e->node_name, name_dns1123_subdomain);
    if (e->hostname != NULL)
        (void)check_name(out, &hostname, e->hostname, name_dns1123_label);
    if (e->hints != NULL)
        validate_hints(e->hints, p, out);
}

static void validate_ports(const EndpointSlice *slice, struct err_list *out)
{
    struct field_path ports = path_field(NULL, "ports");
    if (!check_count(out, &ports, slice->n_ports, PORTS_MAX))
        return;
    for (size_t i = 0; i < slice->n_ports; i++) {
        const DiscoveryEndpointPort *port = slice->ports[i];
        struct field_path p = path_index(&ports, i);
        struct field_path name = path_field(&p, "name");
        struct field_path protocol = path_field(&p, "protocol");
        struct field_path app = path_field(&p, "appProtocol");
        if (!text_empty(port->name))
            (void)check_name(out, &name, port->name, name_dns1123_label);
        for (size_t j = 0; j < i; j++) {
            if (text_eq(slice->ports[j]->name, port->name)) {
                rule_duplicate(out, &name, port->name);
                break;
            }
        }
        check_protocol(out, &protocol, port->protocol);
        if (port->app_protocol != NULL)
            (void)check_name(out, &app, port->app_protocol, name_qualified);
    }
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    static const char *const types[] = { "FQDN", "IPv4", "IPv6", NULL };
    const EndpointSlice *slice = object;
    struct field_path type = path_field(NULL, "addressType");
    struct field_path endpoints = path_field(NULL, "endpoints");
    (void)c;
    if (text_empty(slice->address_type))
        rule_required(out, &type, "");
    else
        (void)check_one_of(out, &type, slice->address_type, types);
    if (check_count(out, &endpoints, slice->n_endpoints, ENDPOINTS_MAX)) {
        for (size_t i = 0; i < slice->n_endpoints; i++) {
            struct field_path p = path_index(&endpoints, i);
            validate_endpoint(slice, slice->endpoints[i], &p, out);
        }
    }
    validate_ports(slice, out);
}

static void validate_update(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const EndpointSlice *slice = object;
    struct field_path type = path_field(NULL, "addressType");
    (void)c;
    if (!text_eq(slice->address_type, ((const EndpointSlice *)old)->address_type))
        rule_invalid_text(out, &type, slice->address_type, "field is immutable");
}

/* Labels count: they say which service the slice is of. */
static bool generation_changed(const void *object, const void *old)
{
    EndpointSlice now = *(const EndpointSlice *)object;
    EndpointSlice was = *(const EndpointSlice *)old;
    ObjectMeta now_labels = OBJECT_META__INIT;
    ObjectMeta was_labels = OBJECT_META__INIT;
    now_labels.n_labels = now.metadata->n_labels;
    now_labels.labels = now.metadata->labels;
    was_labels.n_labels = was.metadata->n_labels;
    was_labels.labels = was.metadata->labels;
    now.metadata = &now_labels;
    was.metadata = &was_labels;
    return !schema_equal(&schema_EndpointSlice, &now, &was);
}

const struct resource_strategy endpoint_slice_strategy = { .defaults = defaults,
                                                           .validate = validate,
                                                           .validate_update = validate_update,
                                                           .generation_changed =
                                                               generation_changed };
