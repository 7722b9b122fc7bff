/* Node ports: rows named by their numbers. All that are taken are read at once: a range has few. */
#include "api/proto/core.pb-c.h"
#include "base/assert.h"
#include "controlplane/apiserver/service_giving.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/service.h"
#include "controlplane/resources/service_ranges.h"

#define PORT_PREFIX "service/port/"

#define PORTS       65536

/* Each port of two protocols may share one node port. */
#define PORTS_GIVEN_MAX (2 * SERVICE_NODE_PORTS_MAX)

/* What is known of a port: bits. */
enum {
    PORT_MINE = 1,
    PORT_OTHERS = 2,
    PORT_HAD = 4,    /* by the old object */
    PORT_WANTED = 8, /* by the new one */
    PORT_GONE = 16   /* its row is being removed */
};

struct port_map {
    uint8_t known[PORTS];
    uint64_t last; /* the row that was read last */
};

/* ---- rows ---- */

static struct str port_key(struct request *r, uint32_t port)
{
    return str_printf(&r->arena, PORT_PREFIX "%05u", (unsigned)port);
}

struct port_visit {
    struct port_map *map;
    struct str uid;
};

static bool note_port(void *ctx, struct str key, struct str value)
{
    struct port_visit *v = ctx;
    size_t skip = sizeof(PORT_PREFIX) - 1;
    uint64_t port;
    if (str_to_u64(str_of(key.data + skip, key.len - skip), &port) == 0 && port < PORTS) {
        v->map->known[port] = str_eq(value, v->uid) ? PORT_MINE : PORT_OTHERS;
        v->map->last = port;
    }
    return true;
}

/* All node ports there are: as many as a range of them has. */
static struct port_map *read_ports(struct request *r, struct str uid)
{
    struct port_map *map = arena_new(&r->arena, struct port_map);
    struct port_visit visit = { map, uid };
    struct str after = str_of(NULL, 0);
    bool more = true;
    while (more) {
        struct store_read read;
        if (giving_read(r, &read) != 0) {
            return NULL;
        }
        (void)store_read_rows(&read, str_lit(PORT_PREFIX), after, note_port, &visit, &more);
        store_read_end(&read);
        after = port_key(r, (uint32_t)map->last);
    }
    return map;
}

/* ---- node ports ---- */

static bool gives_node_ports(const ServiceSpec *spec)
{
    return text_eq(spec->type, "NodePort") ||
           (text_eq(spec->type, "LoadBalancer") && spec->allocate_load_balancer_node_ports);
}

static bool needs_ports(const ServiceSpec *spec)
{
    return spec != NULL && (service_has_node_ports(spec) || service_checks_health(spec));
}

static bool is(const struct port_map *map, int64_t port, int bits)
{
    return port > 0 && port < PORTS && (map->known[port] & bits) != 0;
}

static void want(struct giving *g, int64_t port)
{
    uint8_t *known = &g->ports->known[port];
    g->ports_wanted += (*known & PORT_WANTED) == 0;
    *known |= PORT_WANTED;
}

static bool in_range(const struct giving *g, int64_t port)
{
    return port >= g->ranges->ports_first &&
           port < (int64_t)g->ranges->ports_first + g->ranges->ports_count;
}

/* NULL: it is this Service's now; else why not. */
static const char *take_port(struct giving *g, int64_t port)
{
    if (!in_range(g, port)) {
        return str_printf(&g->request->arena,
                          "provided port is not in the valid range. The range of valid ports is "
                          "%s",
                          g->ranges->ports_text)
            .data;
    }
    if (is(g->ports, port, PORT_WANTED | PORT_OTHERS)) {
        return "provided port is already allocated";
    }
    want(g, port);
    g->ports_new++;
    return NULL;
}

/* One that it had: of an earlier release it may have no row, and may be out of the range. */
static void keep_port(struct giving *g, int64_t port)
{
    if (port > 0 && port < PORTS) {
        want(g, port);
    }
}

static int64_t free_port(const struct giving *g, uint32_t first, uint32_t count)
{
    uint32_t start;
    env_random(g->request->server->config.env, &start, sizeof(start));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t port = g->ranges->ports_first + first + (start % count + i) % count;
        if (!is(g->ports, port, PORT_MINE | PORT_OTHERS | PORT_HAD | PORT_WANTED)) {
            return port;
        }
    }
    return 0;
}

/* 0: none is left. */
static int64_t next_port(struct giving *g)
{
    const struct service_ranges *s = g->ranges;
    int64_t port = free_port(g, s->ports_reserved, s->ports_count - s->ports_reserved);
    if (port == 0) {
        port = free_port(g, 0, s->ports_reserved);
    }
    if (port > 0) {
        want(g, port);
        g->ports_new++;
    }
    return port;
}

static int refuse_port(struct giving *g, size_t i, int64_t port, const char *why)
{
    struct field_path path = path_field(NULL, "spec");
    struct field_path list = path_field(&path, "ports");
    struct field_path item = path_index(&list, i);
    struct field_path p = path_field(&item, "nodePort");
    rule_invalid_number(&g->errors, &p, port, why);
    return giving_invalid(g);
}

/* The i-th port gets this one, 0: any. */
static int give_port(struct giving *g, size_t i, int64_t port)
{
    ServicePort *to = g->spec->ports[i];
    if (port == 0) {
        port = next_port(g);
        if (port == 0) {
            return giving_internal(g, "failed to allocate a nodePort", "range is full");
        }
    } else {
        const char *why = take_port(g, port);
        if (why != NULL) {
            return refuse_port(g, i, port, why);
        }
    }
    to->has_node_port = 1;
    to->node_port = (int32_t)port;
    return 0;
}

static bool passes(const ServiceSpec *spec, const ServicePort *port)
{
    return port->node_port == 0 && !gives_node_ports(spec);
}

/* Of a new Service: ports of one number, of several protocols, share a node port. */
static int give_new(struct giving *g, size_t i)
{
    ServiceSpec *spec = g->spec;
    ServicePort *to = spec->ports[i];
    for (size_t j = 0; j < i; j++) {
        if (spec->ports[j]->port != to->port || spec->ports[j]->node_port == 0) {
            continue;
        }
        if (to->node_port != 0 && to->node_port != spec->ports[j]->node_port) {
            return give_port(g, i, to->node_port);
        }
        to->has_node_port = 1;
        to->node_port = spec->ports[j]->node_port;
        return 0;
    }
    for (size_t j = i; j < spec->n_ports; j++) {
        if (spec->ports[j]->port == to->port && spec->ports[j]->node_port != 0) {
            return give_port(g, i, spec->ports[j]->node_port);
        }
    }
    return give_port(g, i, 0);
}

static int give_changed(struct giving *g, size_t i)
{
    int32_t port = g->spec->ports[i]->node_port;
    if (is(g->ports, port, PORT_HAD)) {
        keep_port(g, port);
        return 0;
    }
    /* Twice in one Service, of two protocols, it is taken once. */
    return is(g->ports, port, PORT_WANTED) ? 0 : give_port(g, i, port);
}

static int too_many(struct giving *g, size_t count)
{
    err_list_addf(&g->errors, "spec.ports", FIELD_TOO_MANY,
                  "%zu: must have at most %d different node ports", count, SERVICE_NODE_PORTS_MAX);
    return giving_invalid(g);
}

static int give_node_ports(struct giving *g)
{
    ServiceSpec *spec = g->spec;
    size_t count = 0;
    int rc = 0;
    if (!service_has_node_ports(spec)) {
        return 0;
    }
    for (size_t i = 0; i < spec->n_ports; i++) {
        count +=
            !passes(spec, spec->ports[i]) && !is(g->ports, spec->ports[i]->node_port, PORT_HAD);
    }
    if (count > PORTS_GIVEN_MAX) {
        return too_many(g, count);
    }
    for (size_t i = 0; rc == 0 && i < spec->n_ports; i++) {
        if (!passes(spec, spec->ports[i])) {
            rc = g->old == NULL ? give_new(g, i) : give_changed(g, i);
        }
    }
    return rc;
}

static int give_health_port(struct giving *g)
{
    ServiceSpec *spec = g->spec;
    int64_t port = spec->health_check_node_port;
    if (!service_checks_health(spec)) {
        return 0;
    }
    if (g->old != NULL && service_checks_health(g->old) && port != 0) {
        keep_port(g, port);
        return 0;
    }
    if (port == 0) {
        port = next_port(g);
        if (port == 0) {
            return giving_internal(g, "failed to allocate a HealthCheck NodePort 0",
                                   "range is full");
        }
    } else {
        const char *why = take_port(g, port);
        struct str what = str_printf(
            &g->request->arena, "failed to allocate requested HealthCheck NodePort %d", (int)port);
        if (why != NULL) {
            return giving_internal(g, what.data, why);
        }
    }
    spec->has_health_check_node_port = 1;
    spec->health_check_node_port = (int32_t)port;
    return 0;
}

static void drop_port(struct request *r, struct write *w, struct port_map *map, int64_t port)
{
    if (!is(map, port, PORT_MINE) || is(map, port, PORT_WANTED | PORT_GONE)) {
        return;
    }
    map->known[port] |= PORT_GONE;
    giving_drop_row(r, w, port_key(r, (uint32_t)port));
}

static void drop_ports(struct request *r, struct write *w, struct port_map *map,
                       const ServiceSpec *old)
{
    for (size_t i = 0; i < old->n_ports; i++) {
        drop_port(r, w, map, old->ports[i]->node_port);
    }
    drop_port(r, w, map, old->health_check_node_port);
}

/* New ones have room (too_many). Of those that an earlier release left without a row, so many get
 * one that what a Service gives back is never more than a transaction holds. */
static void take_ports(struct giving *g)
{
    const struct port_map *map = g->ports;
    size_t rows = 0;
    for (uint32_t port = 1; port < PORTS; port++) {
        rows += is(map, port, PORT_WANTED) && is(map, port, PORT_MINE);
    }
    for (uint32_t port = 1; port < PORTS && rows < SERVICE_NODE_PORTS_MAX; port++) {
        if (is(map, port, PORT_WANTED) && !is(map, port, PORT_MINE | PORT_OTHERS)) {
            giving_take_row(g, port_key(g->request, port));
            rows++;
        }
    }
}

static void note_had(struct port_map *map, const ServiceSpec *old)
{
    for (size_t i = 0; i < old->n_ports; i++) {
        if (old->ports[i]->node_port > 0 && old->ports[i]->node_port < PORTS) {
            map->known[old->ports[i]->node_port] |= PORT_HAD;
        }
    }
}

int service_ports_give(struct giving *g)
{
    if (!needs_ports(g->spec) && !needs_ports(g->old)) {
        return 0;
    }
    g->ports = read_ports(g->request, g->uid);
    if (g->ports == NULL) {
        return -ERR_UNAVAILABLE;
    }
    if (g->old != NULL) {
        note_had(g->ports, g->old);
    }
    int rc = give_node_ports(g);
    rc = rc == 0 ? give_health_port(g) : rc;
    if (rc == 0 && g->ports_new > 0 && g->ports_wanted > SERVICE_NODE_PORTS_MAX) {
        rc = too_many(g, g->ports_wanted);
    }
    if (rc == 0) {
        take_ports(g);
    }
    if (rc == 0 && g->old != NULL) {
        drop_ports(g->request, g->write, g->ports, g->old);
    }
    return rc;
}

int service_ports_take_back(struct request *r, struct write *w, const struct ServiceSpec *old,
                            struct str uid)
{
    if (!needs_ports(old)) {
        return 0;
    }
    struct port_map *map = read_ports(r, uid);
    if (map == NULL) {
        return -ERR_UNAVAILABLE;
    }
    drop_ports(r, w, map, old);
    return 0;
}
