/* describe of a service (see describe.h). */
#include "api/schema/json.h"
#include "cli/describe.h"
#include "cli/tree.h"

/* Addresses shown of one port. */
#define ENDPOINTS_SHOWN 3

static struct str joined(struct page *p, const struct json *array)
{
    struct buf b;
    buf_init(&b);
    for (size_t i = 0; i < tree_count(array); i++)
        buf_printf(&b, "%s%.*s", i > 0 ? "," : "", STR_ARG(json_str(tree_item(array, i))));
    struct str out = str_copy(&p->cli->arena, buf_str(&b));
    buf_deinit(&b);
    return out;
}

struct endpoints {
    struct buf text;
    size_t count;
};

static void add_endpoints(struct endpoints *e, const struct json *slice, const struct json *port)
{
    const struct json *items = json_get_c(slice, "endpoints");
    for (size_t i = 0; i < tree_count(items); i++) {
        const struct json *one = tree_item(items, i);
        const struct json *ready = tree_at(one, "conditions", "ready", NULL);
        struct str address = json_str(tree_item(json_get_c(one, "addresses"), 0));
        bool six = str_find_char(address, ':', 0) >= 0;
        if (ready != NULL && ready->type == JSON_BOOL && !ready->u.boolean)
            continue;
        if (e->count++ >= ENDPOINTS_SHOWN)
            continue;
        if (e->text.len > 0)
            buf_append_byte(&e->text, ',');
        if (port == NULL)
            buf_append_str(&e->text, address);
        else
            buf_printf(&e->text, "%s%.*s%s:%lld", six ? "[" : "", STR_ARG(address), six ? "]" : "",
                       (long long)tree_int(port, "port", 0));
    }
}

static void write_endpoints(struct page *p, const struct json *slices, struct str name)
{
    struct endpoints e = { .count = 0 };
    buf_init(&e.text);
    for (size_t i = 0; i < tree_count(slices); i++) {
        const struct json *slice = tree_item(slices, i);
        const struct json *ports = json_get_c(slice, "ports");
        if (tree_count(ports) == 0)
            add_endpoints(&e, slice, NULL);
        for (size_t k = 0; k < tree_count(ports); k++)
            if (str_eq(tree_text(tree_item(ports, k), "name", NULL), name))
                add_endpoints(&e, slice, tree_item(ports, k));
    }
    if (e.count > ENDPOINTS_SHOWN)
        buf_printf(&e.text, " + %zu more...", e.count - ENDPOINTS_SHOWN);
    struct str text = buf_str(&e.text);
    page_write(p, 0, "Endpoints:\t%.*s\n",
               STR_ARG(tree_count(slices) == 0 ? str_lit("<none>") : text));
    buf_deinit(&e.text);
}

static void write_port(struct page *p, const struct json *port, const struct json *slices)
{
    struct str name = tree_text(port, "name", NULL);
    struct str shown = name.len > 0 ? name : str_lit("<unset>");
    struct str protocol = tree_text(port, "protocol", NULL);
    struct str target = tree_scalar(&p->cli->arena, json_get_c(port, "targetPort"));
    struct str application = tree_text(port, "appProtocol", NULL);
    int64_t node = tree_int(port, "nodePort", 0);
    page_write(p, 0, "Port:\t%.*s\t%lld/%.*s\n", STR_ARG(shown),
               (long long)tree_int(port, "port", 0), STR_ARG(protocol));
    page_write(p, 0, "TargetPort:\t%.*s/%.*s\n", STR_ARG(target.len > 0 ? target : str_lit("0")),
               STR_ARG(protocol));
    if (application.len > 0)
        page_write(p, 0, "AppProtocol:\t%.*s\n", STR_ARG(application));
    if (node != 0)
        page_write(p, 0, "NodePort:\t%.*s\t%lld/%.*s\n", STR_ARG(shown), (long long)node,
                   STR_ARG(protocol));
    write_endpoints(p, slices, name);
}

static void write_if(struct page *p, const char *title, struct str value)
{
    if (value.len > 0)
        page_write(p, 0, "%s:\t%.*s\n", title, STR_ARG(value));
}

static void write_addresses(struct page *p, const struct json *spec)
{
    struct str families = joined(p, json_get_c(spec, "ipFamilies"));
    struct str ips = joined(p, json_get_c(spec, "clusterIPs"));
    write_if(p, "IP Family Policy", tree_text(spec, "ipFamilyPolicy", NULL));
    page_write(p, 0, "IP Families:\t%.*s\n",
               STR_ARG(families.len > 0 ? families : str_lit("<none>")));
    page_write(p, 0, "IP:\t%.*s\n", STR_ARG(tree_text(spec, "clusterIP", NULL)));
    page_write(p, 0, "IPs:\t%.*s\n", STR_ARG(ips.len > 0 ? ips : str_lit("<none>")));
    write_if(p, "External IPs", joined(p, json_get_c(spec, "externalIPs")));
    write_if(p, "Desired LoadBalancer IP", tree_text(spec, "loadBalancerIP", NULL));
    write_if(p, "External Name", tree_text(spec, "externalName", NULL));
}

void describe_service(struct page *p)
{
    struct arena *a = &p->cli->arena;
    const struct json *spec = json_get_c(p->object, "spec");
    const struct json *ports = json_get_c(spec, "ports");
    struct str ns = tree_text(p->object, "metadata", "namespace", NULL);
    struct str path =
        str_printf(a, "/apis/discovery.k8s.io/v1/namespaces/%.*s/endpointslices", STR_ARG(ns));
    struct str query = str_printf(a, "labelSelector=kubernetes.io%%2Fservice-name%%3D%.*s",
                                  STR_ARG(tree_text(p->object, "metadata", "name", NULL)));
    const struct json *slices = page_list(p, path.data, query.data);
    page_head(p);
    page_meta(p);
    page_write(p, 0, "Selector:\t%.*s\n", STR_ARG(tree_labels(a, json_get_c(spec, "selector"))));
    page_write(p, 0, "Type:\t%.*s\n", STR_ARG(tree_text(spec, "type", NULL)));
    write_addresses(p, spec);
    for (size_t i = 0; i < tree_count(ports); i++)
        write_port(p, tree_item(ports, i), slices);
    page_write(p, 0, "Session Affinity:\t%.*s\n",
               STR_ARG(tree_text(spec, "sessionAffinity", NULL)));
    write_if(p, "External Traffic Policy", tree_text(spec, "externalTrafficPolicy", NULL));
    write_if(p, "Internal Traffic Policy", tree_text(spec, "internalTrafficPolicy", NULL));
    write_if(p, "Traffic Distribution", tree_text(spec, "trafficDistribution", NULL));
    page_events(p, true);
}
