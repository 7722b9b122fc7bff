/* One endpoint is drawn while they are read: of n seen, each is kept with the chance 1/n. */
#include "controlplane/apiserver/proxy_endpoints.h"

#include "api/meta/key.h"
#include "api/meta/object.h"
#include "api/proto/endpointslice.pb-c.h"
#include "api/schema/codec.h"
#include "controlplane/apiserver/object.h"
#include "controlplane/apiserver/proxy_target.h"
#include "controlplane/apiserver/write.h"

static void consider(struct endpoint_search *s, const char *address, int port)
{
    struct request *r = s->request;
    uint64_t random;
    if (port <= 0 || !proxy_target_address(address)) {
        return;
    }
    env_random(r->server->config.env, &random, sizeof(random));
    if (random % ++s->seen == 0) {
        s->address = str_copy(&r->arena, str_from(address));
        s->chosen_port = port;
    }
}

static bool is_tcp(const char *protocol)
{
    struct str p = write_text(protocol);
    return p.len == 0 || str_eq_c(p, "TCP");
}

/* ---- slices ---- */

static bool slice_endpoint_ready(const Endpoint *e)
{
    return e->conditions == NULL || !e->conditions->has_ready || e->conditions->ready;
}

static void look_at_slice(struct endpoint_search *s, const EndpointSlice *slice)
{
    int port = 0;
    s->any = true;
    for (size_t i = 0; i < slice->n_ports; i++) {
        const DiscoveryEndpointPort *p = slice->ports[i];
        if (str_eq(write_text(p->name), s->port) && is_tcp(p->protocol)) {
            port = p->port;
        }
    }
    for (size_t i = 0; i < slice->n_endpoints; i++) {
        const Endpoint *e = slice->endpoints[i];
        if (slice_endpoint_ready(e) && e->n_addresses > 0) {
            consider(s, e->addresses[0], port);
        }
    }
}

/* ---- the Endpoints object ---- */

static void look_at_subset(struct endpoint_search *s, const EndpointSubset *subset)
{
    int port = 0;
    s->any = s->any || subset->n_addresses > 0 || subset->n_not_ready_addresses > 0;
    for (size_t i = 0; i < subset->n_ports; i++) {
        if (str_eq(write_text(subset->ports[i]->name), s->port) &&
            is_tcp(subset->ports[i]->protocol)) {
            port = subset->ports[i]->port;
        }
    }
    for (size_t i = 0; i < subset->n_addresses; i++) {
        consider(s, subset->addresses[i]->ip, port);
    }
}

static int look_at_endpoints(struct endpoint_search *s)
{
    struct request *r = s->request;
    struct str name = write_text(s->service->metadata->name);
    struct stored found;
    void *object = NULL;
    int rc = request_read(r, request_key(r, KIND_ENDPOINTS, r->route.ns, name), &found);
    if (rc == -ERR_NOT_FOUND) {
        return 0;
    }
    rc = rc == 0 ? object_unpack(r, kind_info(KIND_ENDPOINTS), found.payload, &object) : rc;
    const Endpoints *all = object;
    for (size_t i = 0; rc == 0 && i < all->n_subsets; i++) {
        look_at_subset(s, all->subsets[i]);
    }
    return rc;
}

/* ---- pods ---- */

static bool pod_ready(const Pod *pod)
{
    const PodStatus *status = pod->status;
    for (size_t i = 0; status != NULL && i < status->n_conditions; i++) {
        if (str_eq_c(write_text(status->conditions[i]->type), "Ready")) {
            return str_eq_c(write_text(status->conditions[i]->status), "True");
        }
    }
    return false;
}

/* What the service's port is called in this pod; 0: the pod has no such port. */
static int pod_port(const struct endpoint_search *s, const Pod *pod)
{
    enum { IS_TEXT = 1 };
    const ServiceSpec *spec = s->service->spec;
    const ServicePort *port = NULL;
    for (size_t i = 0; i < spec->n_ports; i++) {
        if (str_eq(write_text(spec->ports[i]->name), s->port) && is_tcp(spec->ports[i]->protocol)) {
            port = spec->ports[i];
        }
    }
    if (port == NULL || port->target_port == NULL) {
        return port == NULL ? 0 : port->port;
    }
    if (port->target_port->type != IS_TEXT) {
        return port->target_port->int_val != 0 ? port->target_port->int_val : port->port;
    }
    for (size_t i = 0; i < pod->spec->n_containers; i++) {
        const Container *c = pod->spec->containers[i];
        for (size_t k = 0; k < c->n_ports; k++) {
            if (str_eq(write_text(c->ports[k]->name), write_text(port->target_port->str_val)) &&
                is_tcp(c->ports[k]->protocol)) {
                return c->ports[k]->container_port;
            }
        }
    }
    return 0;
}

static void look_at_pod(struct endpoint_search *s, const Pod *pod)
{
    bool wanted = pod_ready(pod) || s->service->spec->publish_not_ready_addresses;
    if (wanted && pod->metadata->deletion_timestamp == NULL && pod->status != NULL) {
        consider(s, pod->status->pod_ip, pod_port(s, pod));
    }
}

/* ---- reading ---- */

static bool visit(void *ctx, const struct store_version *v)
{
    struct endpoint_search *s = ctx;
    struct request *r = s->request;
    struct str payload;
    struct err e;
    s->status = object_payload(v->value, &payload, &e);
    if (s->status == 0 && selection_matches(&s->selection, payload)) {
        struct arena scratch;
        void *object = NULL;
        arena_init(&scratch);
        s->status = schema_unpack(&scratch, s->selection.kind->schema, payload, &object, &e);
        if (s->status == 0 && s->pods) {
            look_at_pod(s, object);
        } else if (s->status == 0) {
            look_at_slice(s, object);
        }
        arena_deinit(&scratch);
    }
    if (s->status != 0) {
        (void)status_internal(&r->arena, &r->status, str_copy(&r->arena, str_from(e.msg)));
        return false;
    }
    s->after = str_copy(&r->arena, v->key);
    return true;
}

/* 1: more follow. */
static int read_slice_of_rows(struct endpoint_search *s)
{
    struct request *r = s->request;
    struct store_read read;
    struct buf walked;
    bool more = false;
    buf_init(&walked);
    int rc = store_read_begin(r->server->config.group, s->revision, &read);
    if (rc == 0) {
        s->revision = read.revision;
        rc = store_read_scan(&read, s->prefix, s->after, visit, s, &walked, &more);
        store_read_end(&read);
        if (walked.len > 0) {
            s->after = str_copy(&r->arena, buf_str(&walked));
        }
    }
    buf_deinit(&walked);
    if (rc != 0) {
        struct err e;
        return status_from_err(
            &r->arena, &r->status, rc,
            (err_set(&e, (enum err_code) - rc, "the store cannot be read: %s", err_name(rc)), &e));
    }
    return s->status != 0 ? s->status : more ? 1 : 0;
}

static void begin(struct endpoint_search *s, enum kind kind)
{
    struct request *r = s->request;
    s->selection = (struct selection){ .kind = kind_info(kind),
                                       .resource = resource_of(kind),
                                       .ns = r->route.ns };
    s->prefix = key_prefix(&r->arena, kind, r->route.ns);
    s->after = str_lit("");
}

static void begin_slices(struct endpoint_search *s)
{
    struct request *r = s->request;
    struct requirement *named = arena_new(&r->arena, struct requirement);
    struct str *name = arena_new(&r->arena, struct str);
    begin(s, KIND_ENDPOINT_SLICE);
    *name = write_text(s->service->metadata->name);
    *named = (struct requirement){ .key = str_lit("kubernetes.io/service-name"),
                                   .operator= SELECTOR_EQUALS,
                                   .values = name,
                                   .values_count = 1 };
    s->selection.labels = (struct selector){ .requirements = named, .count = 1 };
}

static void begin_pods(struct endpoint_search *s)
{
    const ServiceSpec *spec = s->service->spec;
    begin(s, KIND_POD);
    s->pods = true;
    selector_from_entries(&s->request->arena, spec->selector, spec->n_selector,
                          &s->selection.labels);
}

int proxy_endpoints_find(struct endpoint_search *s)
{
    if (s->prefix.len == 0) {
        begin_slices(s);
    }
    int rc = read_slice_of_rows(s);
    if (rc != 0 || s->pods || s->any) {
        return rc;
    }
    rc = look_at_endpoints(s);
    if (rc != 0 || s->any || s->service->spec->n_selector == 0) {
        return rc;
    }
    begin_pods(s);
    return 1;
}
