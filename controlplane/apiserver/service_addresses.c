/* See service_addresses.h. What is given when is upstream's (pkg/registry/core/service/storage);
 * how it is kept is ours: rows beside the object, in its transaction. */
#include "controlplane/apiserver/service_addresses.h"

#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/schema/err_list.h"
#include "base/assert.h"
#include "controlplane/apiserver/service_giving.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/service_families.h"
#include "controlplane/resources/service_ranges.h"

#define IP_PREFIX "service/ip/"

/* How many addresses of a range are looked at before it counts as full, and how many in one read.
 */
#define PROBES_MAX      65536
#define PROBES_PER_READ 500

/* Rows of one Service: what one write takes at most, and what it gives back. */
#define TAKEN_MAX   (SERVICE_RANGES_MAX + SERVICE_NODE_PORTS_MAX)
#define ROW_OPS_MAX (2 * TAKEN_MAX)

enum owner { OWNER_NOBODY, OWNER_SELF, OWNER_OTHER };

/* ---- rows ---- */

/* Whoever writes it how: an address has one row. */
static struct str ip_key(struct request *r, const char *ip)
{
    char usual[SERVICE_IP_TEXT_BYTES];
    (void)service_ip_usual(ip, usual); /* "None": a row that nobody has */
    return str_printf(&r->arena, IP_PREFIX "%s", usual);
}

static void add_op(struct request *r, struct write *w, const struct store_op *op)
{
    if (w->row_ops == NULL) {
        w->row_ops = arena_array(&r->arena, ROW_OPS_MAX, sizeof(*w->row_ops));
        w->row_guards = arena_array(&r->arena, TAKEN_MAX, sizeof(*w->row_guards));
    }
    ASSERT(w->row_ops_count < ROW_OPS_MAX);
    w->row_ops[w->row_ops_count++] = *op;
}

void giving_take_row(struct giving *g, struct str key)
{
    struct write *w = g->write;
    const struct store_op op = { .type = STORE_OP_ROW_PUT, .key = key, .value = g->uid };
    ASSERT(w->row_guards_count < TAKEN_MAX);
    add_op(g->request, w, &op);
    w->row_guards[w->row_guards_count++] =
        (struct store_guard){ .type = STORE_GUARD_ROW_ABSENT, .key = key };
}

void giving_drop_row(struct request *r, struct write *w, struct str key)
{
    const struct store_op op = { .type = STORE_OP_ROW_DELETE, .key = key };
    add_op(r, w, &op);
}

static enum owner owner_of(struct store_read *read, struct str key, struct str uid)
{
    struct str row;
    if (store_read_row(read, key, &row) != 0) {
        return OWNER_NOBODY;
    }
    return str_eq(row, uid) ? OWNER_SELF : OWNER_OTHER;
}

int giving_read(struct request *r, struct store_read *read)
{
    struct err e;
    int rc = store_read_begin(r->server->config.group, 0, read);
    r->looked = true;
    if (rc != 0) {
        (void)err_set(&e, (enum err_code) - rc, "the store cannot be read: %s", err_name(rc));
        (void)status_from_err(&r->arena, &r->status, rc, &e);
    }
    return rc;
}

static int ip_owner(struct request *r, const char *ip, struct str uid, enum owner *out)
{
    struct store_read read;
    int rc = giving_read(r, &read);
    if (rc == 0) {
        *out = owner_of(&read, ip_key(r, ip), uid);
        store_read_end(&read);
    }
    return rc;
}

/* ---- failures ---- */

int giving_internal(struct giving *g, const char *what, const char *why)
{
    struct request *r = g->request;
    return status_internal(&r->arena, &r->status, str_printf(&r->arena, "%s: %s", what, why));
}

int giving_invalid(struct giving *g)
{
    struct request *r = g->request;
    return write_check(r, r->kind, write_text(resource_meta(g->write->object)->name), &g->errors);
}

/* ---- addresses ---- */

static bool among(char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (text_eq(list[i], text)) {
            return true;
        }
    }
    return false;
}

static bool is_external(const ServiceSpec *spec)
{
    return text_eq(spec->type, "ExternalName");
}

static bool had_ip(const struct giving *g, const char *ip)
{
    return g->old != NULL && !is_external(g->old) &&
           among(g->old->cluster_ips, g->old->n_cluster_ips, ip);
}

static int refuse_ip(struct giving *g, const char *ip, const char *why)
{
    struct field_path path = path_field(NULL, "spec");
    struct field_path list = path_field(&path, "clusterIPs");
    struct str detail = str_printf(&g->request->arena, "failed to allocate IP %s: %s", ip, why);
    rule_invalid_list(&g->errors, &list, g->spec->cluster_ips, g->spec->n_cluster_ips, detail.data);
    return giving_invalid(g);
}

/* The one that was asked for, or was there before. */
static int take_ip(struct giving *g, const struct service_range *range, const char *ip)
{
    enum owner owner = OWNER_NOBODY;
    bool kept = had_ip(g, ip);
    if (range == NULL || !service_range_has(range, ip)) {
        return kept ? 0 : refuse_ip(g, ip, "the provided network does not match the current range");
    }
    if (write_is_dry_run(g->request)) {
        return 0;
    }
    int rc = ip_owner(g->request, ip, g->uid, &owner);
    if (rc == 0 && owner == OWNER_NOBODY) {
        giving_take_row(g, ip_key(g->request, ip));
    } else if (rc == 0 && owner == OWNER_OTHER && !kept) {
        rc = refuse_ip(g, ip, "provided IP is already allocated");
    }
    return rc;
}

/* The first free one from a random place of a part of the range on; *out 0: there is none. */
static int find_free(struct giving *g, const struct service_range *range, uint64_t first,
                     uint64_t count, uint64_t *out)
{
    struct request *r = g->request;
    char key[sizeof(IP_PREFIX) + SERVICE_IP_TEXT_BYTES] = IP_PREFIX;
    struct store_read read;
    uint64_t start;
    uint64_t probes = count < PROBES_MAX ? count : PROBES_MAX;
    env_random(r->server->config.env, &start, sizeof(start));
    *out = 0;
    for (uint64_t i = 0; *out == 0 && i < probes;) {
        int rc = giving_read(r, &read);
        if (rc != 0) {
            return rc;
        }
        for (uint64_t n = 0; *out == 0 && n < PROBES_PER_READ && i < probes; n++, i++) {
            uint64_t at = first + (start % count + i) % count;
            service_range_at(range, at, key + sizeof(IP_PREFIX) - 1);
            *out = owner_of(&read, str_from(key), g->uid) == OWNER_NOBODY ? at : 0;
        }
        store_read_end(&read);
    }
    return 0;
}

static int next_ip(struct giving *g, const struct service_range *range, char **out)
{
    char ip[SERVICE_IP_TEXT_BYTES];
    uint64_t at = 0;
    bool dry = write_is_dry_run(g->request);
    int rc =
        dry ? 0 : find_free(g, range, range->reserved + 1, range->count - range->reserved, &at);
    if (rc == 0 && at == 0 && !dry && range->reserved > 0) {
        rc = find_free(g, range, 1, range->reserved, &at);
    }
    if (rc != 0) {
        return rc;
    }
    if (at == 0 && !dry) {
        return giving_internal(g, "failed to allocate a serviceIP", "range is full");
    }
    service_range_at(range, at, ip);
    *out = text_new(&g->request->arena, ip);
    if (!dry) {
        giving_take_row(g, ip_key(g->request, ip));
    }
    return 0;
}

static int give_ips(struct giving *g)
{
    ServiceSpec *spec = g->spec;
    int rc = 0;
    if (is_external(spec) || service_is_headless(spec) || service_families_rest(spec, g->old)) {
        return 0;
    }
    char **ips = arena_array(&g->request->arena, SERVICE_RANGES_MAX, sizeof(*ips));
    size_t count = spec->n_ip_families;
    ASSERT(count <= SERVICE_RANGES_MAX);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct service_range *range =
            service_range_of(g->ranges, service_family_of(spec->ip_families[i]));
        if (i < spec->n_cluster_ips) {
            ips[i] = spec->cluster_ips[i];
            rc = take_ip(g, range, ips[i]);
        } else {
            rc = next_ip(g, range, &ips[i]);
        }
    }
    if (rc == 0) {
        spec->cluster_ips = ips;
        spec->n_cluster_ips = count;
        spec->cluster_ip = ips[0];
    }
    return rc;
}

static int drop_ips(struct request *r, struct write *w, const ServiceSpec *old,
                    const ServiceSpec *spec, struct str uid)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < old->n_cluster_ips && i < SERVICE_RANGES_MAX; i++) {
        const char *ip = old->cluster_ips[i];
        enum owner owner = OWNER_NOBODY;
        if (spec == NULL || !among(spec->cluster_ips, spec->n_cluster_ips, ip)) {
            rc = ip_owner(r, ip, uid, &owner);
        }
        if (rc == 0 && owner == OWNER_SELF) {
            giving_drop_row(r, w, ip_key(r, ip));
        }
    }
    return rc;
}

/* ---- both ---- */

static int old_spec(struct request *r, struct write *w, const ServiceSpec **out)
{
    void *object = NULL;
    int rc = object_unpack(r, w->kind, w->old->payload, &object);
    if (rc == 0) {
        resource_defaults(r->resource, &r->arena, object);
        *out = ((const Service *)object)->spec;
    }
    return rc;
}

/* Is it the object as a whole that is written, rather than its status or that it is to go? */
static bool writes_spec(const struct request *r)
{
    return r->route.sub.len == 0 && (r->route.verb == VERB_CREATE || r->route.verb == VERB_UPDATE ||
                                     r->route.verb == VERB_PATCH);
}

int service_addresses_give(struct request *r, struct write *w)
{
    Service *service = w->object;
    struct giving g = { .request = r,
                        .write = w,
                        .ranges = &r->server->services,
                        .uid = write_text(service->metadata->uid),
                        .spec = service->spec };
    if (!writes_spec(r)) {
        return 0;
    }
    int rc = w->old == NULL ? 0 : old_spec(r, w, &g.old);
    if (rc != 0) {
        return rc;
    }
    err_list_init(&g.errors, &r->arena);
    service_families_fill(&r->arena, g.ranges, g.spec, g.old, &g.errors);
    rc = giving_invalid(&g);
    rc = rc == 0 ? give_ips(&g) : rc;
    if (rc == 0 && g.old != NULL) {
        rc = drop_ips(r, w, g.old, g.spec, g.uid);
    }
    return rc == 0 ? service_ports_give(&g) : rc;
}

int service_addresses_take_back(struct request *r, struct write *w)
{
    void *object = NULL;
    int rc = object_unpack(r, w->kind, w->old->payload, &object);
    const Service *service = object;
    if (rc != 0 || service->spec == NULL) {
        return rc;
    }
    struct str uid = write_text(service->metadata->uid);
    rc = drop_ips(r, w, service->spec, NULL, uid);
    return rc == 0 ? service_ports_take_back(r, w, service->spec, uid) : rc;
}
