/* Names and addresses of a pod: its resolver, its hosts file, and ports on the host's network. */
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/addresses.h"
#include "controlplane/resources/pod.h"

/* What libc's resolver reads. */
#define NAMESERVERS_MAX    3
#define SEARCHES_MAX       32
#define SEARCHES_BYTES_MAX 2048 /* with a space between two */
#define NAME_LABEL_FORM    "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* A label of a host name that may also begin with one underscore and have more inside. */
static bool is_label(struct str label)
{
    if (label.len > 0 && label.data[0] == '_')
        label = str_slice(label, 1, label.len);
    for (size_t i = 0; i < label.len; i++) {
        bool edge = i == 0 || i + 1 == label.len;
        if (!is_word(label.data[i]) && (edge || (label.data[i] != '-' && label.data[i] != '_')))
            return false;
    }
    return label.len > 0;
}

static bool is_search_domain(struct str name)
{
    struct str label;
    if (name.len == 0 || name.data[name.len - 1] == '.')
        return false;
    while (str_split(&name, '.', &label)) {
        if (!is_label(label))
            return false;
    }
    return true;
}

static void validate_search(const char *text, const struct field_path *p, struct err_list *out)
{
    struct str name = str_from(text_of(text));
    if (str_eq_c(name, "."))
        return;
    if (name.len > 0 && name.data[name.len - 1] == '.')
        name = str_slice(name, 0, name.len - 1);
    const char *shown = str_dup(out->arena, name);
    if (name.len > NAME_SUBDOMAIN_BYTES_MAX)
        rule_invalid_text(out, p, shown, "must be no more than 253 bytes");
    if (!is_search_domain(name))
        rule_invalid_text(out, p, shown,
                          "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
                          "characters, '_', '-' or '.', and must start and end with an "
                          "alphanumeric character (e.g. 'example.com', regex used for validation "
                          "is '" NAME_LABEL_FORM "(\\." NAME_LABEL_FORM ")*')");
}

static void validate_searches(const PodDNSConfig *dns, const struct field_path *up,
                              struct err_list *out)
{
    struct field_path p = path_field(up, "searches");
    size_t bytes = dns->n_searches > 0 ? dns->n_searches - 1 : 0;
    for (size_t i = 0; i < dns->n_searches; i++)
        bytes += strlen(text_of(dns->searches[i]));
    if (dns->n_searches > SEARCHES_MAX)
        rule_invalid_list(out, &p, dns->searches, dns->n_searches,
                          "must not have more than 32 search paths");
    if (bytes > SEARCHES_BYTES_MAX)
        rule_invalid_list(
            out, &p, dns->searches, dns->n_searches,
            "must not have more than 2048 characters (including spaces) in the search "
            "list");
    for (size_t i = 0; i < dns->n_searches; i++) {
        struct field_path at = path_index(&p, i);
        validate_search(dns->searches[i], &at, out);
    }
}

void pod_dns_validate(const struct PodSpec *spec, const struct field_path *path,
                      struct err_list *out)
{
    const PodDNSConfig *dns = spec->dns_config;
    struct field_path p = path_field(path, "dnsConfig");
    struct field_path servers = path_field(&p, "nameservers");
    struct field_path options = path_field(&p, "options");
    bool none = text_eq(spec->dns_policy, "None");
    if (dns == NULL) {
        if (none)
            rule_required(out, &p, "must provide `dnsConfig` when `dnsPolicy` is None");
        return;
    }
    if (none && dns->n_nameservers == 0) {
        rule_required(out, &servers,
                      "must provide at least one DNS nameserver when `dnsPolicy` is None");
        return;
    }
    if (dns->n_nameservers > NAMESERVERS_MAX)
        rule_invalid_list(out, &servers, dns->nameservers, dns->n_nameservers,
                          "must not have more than 3 nameservers");
    for (size_t i = 0; i < dns->n_nameservers; i++) {
        struct field_path at = path_index(&servers, i);
        check_ip(out, &at, dns->nameservers[i]);
    }
    validate_searches(dns, &p, out);
    for (size_t i = 0; i < dns->n_options; i++) {
        struct field_path at = path_index(&options, i);
        if (text_empty(dns->options[i]->name))
            rule_required(out, &at, "must not be empty");
    }
}

void pod_host_aliases_validate(const struct PodSpec *spec, const struct field_path *path,
                               struct err_list *out)
{
    struct field_path list = path_field(path, "hostAliases");
    for (size_t i = 0; i < spec->n_host_aliases; i++) {
        const HostAlias *alias = spec->host_aliases[i];
        struct field_path p = path_index(&list, i);
        struct field_path ip = path_field(&p, "ip");
        struct field_path names = path_field(&p, "hostnames");
        check_ip(out, &ip, alias->ip);
        for (size_t j = 0; j < alias->n_hostnames; j++) {
            struct field_path at = path_index(&names, j);
            (void)check_name(out, &at, text_of(alias->hostnames[j]), name_dns1123_subdomain);
        }
    }
}

/* A pod's ports have been filled in; a template's may still be open. */
void pod_host_network_validate(const struct PodSpec *spec, bool is_pod,
                               const struct field_path *path, struct err_list *out)
{
    struct field_path list = path_field(path, "containers");
    for (size_t i = 0; spec->host_network && i < spec->n_containers; i++) {
        struct field_path container = path_index(&list, i);
        struct field_path ports = path_field(&container, "ports");
        for (size_t j = 0; j < spec->containers[i]->n_ports; j++) {
            const ContainerPort *port = spec->containers[i]->ports[j];
            struct field_path p = path_index(&ports, j);
            struct field_path host = path_field(&p, "hostPort");
            if ((is_pod || port->host_port != 0) && port->host_port != port->container_port)
                rule_invalid_number(out, &host, port->host_port,
                                    "must match `containerPort` when `hostNetwork` is true");
        }
    }
}
