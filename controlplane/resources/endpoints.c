/* Endpoints: addresses and ports of a service, in subsets. */
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/addresses.h"
#include "controlplane/resources/strategies.h"

static void defaults(struct arena *a, void *object)
{
    Endpoints *e = object;
    for (size_t i = 0; i < e->n_subsets; i++) {
        for (size_t j = 0; j < e->subsets[i]->n_ports; j++)
            text_default(a, &e->subsets[i]->ports[j]->protocol, "TCP");
    }
}

static void validate_addresses(EndpointAddress *const *all, size_t count,
                               const struct field_path *list, struct err_list *out)
{
    for (size_t i = 0; i < count; i++) {
        struct field_path p = path_index(list, i);
        struct field_path ip = path_field(&p, "ip");
        struct field_path hostname = path_field(&p, "hostname");
        struct field_path node = path_field(&p, "nodeName");
        check_address(out, &ip, all[i]->ip, ADDRESS_ANY);
        if (!text_empty(all[i]->hostname))
            (void)check_name(out, &hostname, all[i]->hostname, name_dns1123_label);
        if (all[i]->node_name != NULL)
            (void)check_name(out, &node, all[i]->node_name, name_dns1123_subdomain);
    }
}

static void validate_port(const EndpointPort *port, bool needs_name, const struct field_path *p,
                          struct err_list *out)
{
    struct field_path name = path_field(p, "name");
    struct field_path number = path_field(p, "port");
    struct field_path protocol = path_field(p, "protocol");
    struct field_path app = path_field(p, "appProtocol");
    if (text_empty(port->name) && needs_name)
        rule_required(out, &name, "");
    else if (!text_empty(port->name))
        (void)check_name(out, &name, port->name, name_dns1123_label);
    (void)check_port(out, &number, port->port);
    check_protocol(out, &protocol, port->protocol);
    if (port->app_protocol != NULL)
        (void)check_name(out, &app, port->app_protocol, name_qualified);
}

static void validate_subset(const EndpointSubset *s, const struct field_path *p,
                            struct err_list *out)
{
    struct field_path addresses = path_field(p, "addresses");
    struct field_path not_ready = path_field(p, "notReadyAddresses");
    struct field_path ports = path_field(p, "ports");
    if (s->n_addresses == 0 && s->n_not_ready_addresses == 0)
        rule_required(out, p, "must specify `addresses` or `notReadyAddresses`");
    validate_addresses(s->addresses, s->n_addresses, &addresses, out);
    validate_addresses(s->not_ready_addresses, s->n_not_ready_addresses, &not_ready, out);
    for (size_t i = 0; i < s->n_ports; i++) {
        struct field_path at = path_index(&ports, i);
        validate_port(s->ports[i], s->n_ports > 1, &at, out);
    }
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const Endpoints *e = object;
    struct field_path subsets = path_field(NULL, "subsets");
    (void)c;
    for (size_t i = 0; i < e->n_subsets; i++) {
        struct field_path p = path_index(&subsets, i);
        validate_subset(e->subsets[i], &p, out);
    }
}

const struct resource_strategy endpoints_strategy = { .defaults = defaults, .validate = validate };
