/* Texts of refusals are upstream's. */
#include "controlplane/apiserver/proxy_target.h"

#include <arpa/inet.h>

#include "controlplane/apiserver/object.h"
#include "controlplane/apiserver/pod_target.h"
#include "controlplane/apiserver/write.h"

enum { HTTP_PORT = 80, HTTPS_PORT = 443, PORT_MAX = 65535 };

/* ---- names and addresses ---- */

bool proxy_target_split(struct str id, struct str *out_scheme, struct str *out_name,
                        struct str *out_port)
{
    struct str parts[3] = { { 0 }, { 0 }, { 0 } };
    struct str rest = id;
    struct str part;
    size_t count = 0;
    while (rest.data != NULL && str_split(&rest, ':', &part)) {
        if (count == 3) {
            return false;
        }
        parts[count++] = part;
    }
    *out_scheme = count == 3 ? parts[0] : str_lit("");
    *out_name = count == 3 ? parts[1] : parts[0];
    *out_port = count == 3 ? parts[2] : count == 2 ? parts[1] : str_lit("");
    bool known =
        out_scheme->len == 0 || str_eq_c(*out_scheme, "http") || str_eq_c(*out_scheme, "https");
    return known && out_name->len > 0;
}

static bool global_v4(const unsigned char a[4])
{
    bool special = a[0] == 127 || (a[0] == 169 && a[1] == 254) || (a[0] >= 224 && a[0] < 240);
    bool all = a[0] == 255 && a[1] == 255 && a[2] == 255 && a[3] == 255;
    bool none = a[0] == 0 && a[1] == 0 && a[2] == 0 && a[3] == 0;
    return !special && !all && !none;
}

static bool global_v6(const struct in6_addr *a)
{
    if (IN6_IS_ADDR_V4MAPPED(a)) {
        return global_v4(a->s6_addr + 12);
    }
    return !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_LOOPBACK(a) && !IN6_IS_ADDR_MULTICAST(a) &&
           !IN6_IS_ADDR_LINKLOCAL(a);
}

bool proxy_target_address(const char *text)
{
    unsigned char v4[4];
    struct in6_addr v6;
    if (text == NULL) {
        return false;
    }
    if (inet_pton(AF_INET, text, v4) == 1) {
        return global_v4(v4);
    }
    return inet_pton(AF_INET6, text, &v6) == 1 && global_v6(&v6);
}

/* 0 for none and for what is no port. */
static int port_number(struct str text)
{
    uint64_t number = 0;
    return str_to_u64(text, &number) == 0 && number <= PORT_MAX ? (int)number : 0;
}

/* "error trying to reach service: ..." for a port that is a word: only a service has those. */
static int unknown_port(struct request *r, struct str port)
{
    return pod_target_unavailable(
        r, str_printf(&r->arena,
                      "error trying to reach service: dial tcp: lookup tcp/%.*s: unknown port",
                      STR_ARG(port)));
}

static int read_object(struct request *r, enum kind kind, struct str name, void *out)
{
    struct stored found;
    struct str ns = kind_info(kind)->namespaced ? r->route.ns : str_lit("");
    int rc = request_read(r, request_key(r, kind, ns, name), &found);
    if (rc == -ERR_NOT_FOUND) {
        return status_not_found(&r->arena, &r->status, kind_info(kind), name);
    }
    return rc == 0 ? object_unpack(r, kind_info(kind), found.payload, out) : rc;
}

/* ---- nodes, pods ---- */

static int find_node(struct request *r, struct proxy_target *t)
{
    struct backend agent;
    int rc = pod_target_node(r, t->name, &agent);
    if (rc != 0) {
        return rc;
    }
    int port = port_number(t->port);
    if (t->port.len == 0 || port == agent.port) {
        t->to = agent;
        return 0;
    }
    if (port == 0) {
        return unknown_port(r, t->port);
    }
    if (!proxy_target_address(str_dup(&r->arena, agent.address))) {
        return status_bad_request(&r->status, str_lit("address not allowed"));
    }
    t->to.address = agent.address;
    t->to.port = port;
    return 0;
}

static int default_port(const struct proxy_target *t)
{
    return t->to.kind == BACKEND_HTTPS ? HTTPS_PORT : HTTP_PORT;
}

static int find_pod(struct request *r, struct proxy_target *t)
{
    void *object = NULL;
    int rc = read_object(r, KIND_POD, t->name, &object);
    if (rc != 0) {
        return rc;
    }
    const Pod *pod = object;
    const char *address = pod->status != NULL ? pod->status->pod_ip : NULL;
    if (!proxy_target_address(address)) {
        return status_bad_request(&r->status, str_lit("address not allowed"));
    }
    t->to.address = str_from(address);
    t->to.port = port_number(t->port);
    for (size_t i = 0; t->port.len == 0 && t->to.port == 0 && i < pod->spec->n_containers; i++) {
        const Container *c = pod->spec->containers[i];
        t->to.port = c->n_ports > 0 ? c->ports[0]->container_port : 0;
    }
    if (t->to.port == 0 && t->port.len > 0) {
        return unknown_port(r, t->port);
    }
    t->to.port = t->to.port == 0 ? default_port(t) : t->to.port;
    return 0;
}

/* ---- services ---- */

static int no_endpoints(struct request *r)
{
    return pod_target_unavailable(r, str_printf(&r->arena,
                                                "no endpoints available for service \"%.*s\"",
                                                STR_ARG(r->route.name)));
}

/* A number means the port of the service that has it; its name is what endpoints know. */
static int find_service_port(struct request *r, struct proxy_target *t, const Service *service)
{
    int number = port_number(t->port);
    t->search.port = t->port;
    if (number == 0) {
        return 0;
    }
    for (size_t i = 0; i < service->spec->n_ports; i++) {
        if (service->spec->ports[i]->port == number) {
            t->search.port = write_text(service->spec->ports[i]->name);
            return 0;
        }
    }
    return pod_target_unavailable(r, str_printf(&r->arena,
                                                "no service port %d found for service \"%.*s\"",
                                                number, STR_ARG(t->name)));
}

static int find_service(struct request *r, struct proxy_target *t)
{
    if (t->search.service == NULL) {
        void *object = NULL;
        int rc = read_object(r, KIND_SERVICE, t->name, &object);
        rc = rc == 0 ? find_service_port(r, t, object) : rc;
        if (rc != 0) {
            return rc;
        }
        t->search.request = r;
        t->search.service = object;
    }
    int rc = proxy_endpoints_find(&t->search);
    if (rc != 0) {
        return rc;
    }
    if (t->search.seen == 0) {
        return no_endpoints(r);
    }
    t->to.address = t->search.address;
    t->to.port = t->search.chosen_port;
    return 0;
}

int proxy_target_find(struct request *r, struct proxy_target *t)
{
    struct str scheme;
    if (!proxy_target_split(r->route.name, &scheme, &t->name, &t->port)) {
        return status_bad_request(&r->status,
                                  str_printf(&r->arena, "invalid %s request \"%.*s\"",
                                             r->kind->singular, STR_ARG(r->route.name)));
    }
    t->to.kind = str_eq_c(scheme, "https") ? BACKEND_HTTPS : BACKEND_HTTP;
    switch (r->kind->kind) {
    case KIND_NODE:
        return find_node(r, t);
    case KIND_POD:
        return find_pod(r, t);
    default:
        return find_service(r, t);
    }
}
