/* The table of (subresource, verb) and the lookup of a route in it. */
#include "controlplane/apiserver/operations.h"

#include <string.h>

struct operation_row {
    const char *sub;
    unsigned bit; /* of resource.subresources; 0: the object itself */
    enum verb verb;
    const struct operation *operation;
};

static const struct operation_row rows[] = {
    { "", 0, VERB_GET, &operation_get },
    { "", 0, VERB_LIST, &operation_list },
    { "", 0, VERB_WATCH, &operation_watch },
    { "", 0, VERB_CREATE, &operation_create },
    { "", 0, VERB_UPDATE, &operation_update },
    { "", 0, VERB_PATCH, &operation_patch },
    { "", 0, VERB_DELETE, &operation_delete },
    { "", 0, VERB_DELETECOLLECTION, &operation_delete_collection },
    { "status", SUBRESOURCE_STATUS, VERB_GET, &operation_get },
    { "status", SUBRESOURCE_STATUS, VERB_UPDATE, &operation_status_update },
    { "status", SUBRESOURCE_STATUS, VERB_PATCH, &operation_status_patch },
    { "scale", SUBRESOURCE_SCALE, VERB_GET, &operation_scale_get },
    { "scale", SUBRESOURCE_SCALE, VERB_UPDATE, &operation_scale_update },
    { "scale", SUBRESOURCE_SCALE, VERB_PATCH, &operation_scale_patch },
    { "binding", SUBRESOURCE_BINDING, VERB_CREATE, &operation_bind },
    { "eviction", SUBRESOURCE_EVICTION, VERB_CREATE, &operation_evict },
    { "ephemeralcontainers", SUBRESOURCE_EPHEMERAL_CONTAINERS, VERB_GET, &operation_get },
    { "ephemeralcontainers", SUBRESOURCE_EPHEMERAL_CONTAINERS, VERB_UPDATE,
      &operation_ephemeral_update },
    { "ephemeralcontainers", SUBRESOURCE_EPHEMERAL_CONTAINERS, VERB_PATCH,
      &operation_ephemeral_patch },
    { "resize", SUBRESOURCE_RESIZE, VERB_GET, &operation_get },
    { "resize", SUBRESOURCE_RESIZE, VERB_UPDATE, &operation_resize_update },
    { "resize", SUBRESOURCE_RESIZE, VERB_PATCH, &operation_resize_patch },
    { "log", SUBRESOURCE_LOG, VERB_GET, &operation_log },
    { "exec", SUBRESOURCE_STREAMS, VERB_GET, &operation_exec },
    { "exec", SUBRESOURCE_STREAMS, VERB_CREATE, &operation_exec },
    { "attach", SUBRESOURCE_STREAMS, VERB_GET, &operation_attach },
    { "attach", SUBRESOURCE_STREAMS, VERB_CREATE, &operation_attach },
    { "portforward", SUBRESOURCE_STREAMS, VERB_GET, &operation_portforward },
    { "portforward", SUBRESOURCE_STREAMS, VERB_CREATE, &operation_portforward },
    { "proxy", SUBRESOURCE_PROXY, VERB_GET, &operation_proxy },
    { "proxy", SUBRESOURCE_PROXY, VERB_CREATE, &operation_proxy },
    { "proxy", SUBRESOURCE_PROXY, VERB_UPDATE, &operation_proxy },
    { "proxy", SUBRESOURCE_PROXY, VERB_PATCH, &operation_proxy },
    { "proxy", SUBRESOURCE_PROXY, VERB_DELETE, &operation_proxy },
    { "finalize", SUBRESOURCE_FINALIZE, VERB_UPDATE, &operation_finalize },
};

/* What the create of a kind that is not stored does. */
static const struct {
    enum kind kind;
    const struct operation *operation;
} unstored[] = {
    { KIND_BINDING, &operation_bind },
    { KIND_TOKEN_REVIEW, &operation_review },
    { KIND_SELF_SUBJECT_REVIEW, &operation_review },
    { KIND_LOCAL_SUBJECT_ACCESS_REVIEW, &operation_review },
    { KIND_SELF_SUBJECT_ACCESS_REVIEW, &operation_review },
    { KIND_SELF_SUBJECT_RULES_REVIEW, &operation_review },
    { KIND_SUBJECT_ACCESS_REVIEW, &operation_review },
};

static const struct operation *unstored_operation(enum kind kind)
{
    for (size_t i = 0; i < sizeof(unstored) / sizeof(unstored[0]); i++) {
        if (unstored[i].kind == kind) {
            return unstored[i].operation;
        }
    }
    return NULL;
}

static int no_method(struct request *r)
{
    return status_no_method(&r->status);
}

/* Does the path have the parts this verb works on? */
static bool shape_fits(const struct request *r)
{
    const struct route *t = &r->route;
    bool all_namespaces = r->kind->namespaced && t->ns.len == 0;
    switch (t->verb) {
    case VERB_LIST:
    case VERB_WATCH:
        return true;
    case VERB_CREATE:
        return !all_namespaces && (t->sub.len > 0 || t->name.len == 0);
    case VERB_DELETECOLLECTION:
        return !all_namespaces && !r->resource->no_delete_collection;
    default:
        return !all_namespaces && t->name.len > 0;
    }
}

/* Only what has namespaces is in one, and all of its names are. */
static bool misplaced(const struct request *r)
{
    const struct route *t = &r->route;
    return r->kind->namespaced ? t->ns.len == 0 && t->name.len > 0 : t->ns.len > 0;
}

/* An empty segment names nothing. */
static bool has_gap(struct str path)
{
    return str_find(path, str_lit("//")) >= 0;
}

static int find_resource(struct request *r)
{
    const struct route *t = &r->route;
    r->kind = kind_by_resource(t->group, t->version, t->plural);
    bool tail = t->tail.len > 0 && !str_eq_c(t->sub, "proxy");
    if (r->kind == NULL || tail || misplaced(r)) {
        return status_no_route(&r->status);
    }
    r->resource = resource_of(r->kind->kind);
    bool kept = kind_store(r->kind->kind) != KIND_NONE;
    if (!kept && r->resource != NULL && t->sub.len == 0) {
        r->operation = unstored_operation(r->kind->kind);
        if (t->name.len > 0 || (t->ns.len > 0) != r->kind->namespaced) {
            return status_no_route(&r->status); /* there is nothing to name or to list */
        }
        return t->verb == VERB_CREATE && r->operation != NULL ? 0 : no_method(r);
    }
    if (r->resource == NULL || !kept) {
        return status_no_route(&r->status);
    }
    bool known = false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct operation_row *row = &rows[i];
        if (!str_eq_c(t->sub, row->sub) ||
            (row->bit != 0 && (r->resource->subresources & row->bit) == 0)) {
            continue;
        }
        known = true;
        if (row->verb == t->verb) {
            r->operation = row->operation;
            return shape_fits(r) ? 0 : no_method(r);
        }
    }
    return known ? no_method(r) : status_no_route(&r->status);
}

int operation_find(struct request *r)
{
    bool definitions = r->route.verb == VERB_LIST && str_eq_c(r->route.path, PATHS_DEFINITIONS);
    if (r->route.resource && !definitions) {
        return find_resource(r);
    }
    r->operation = has_gap(r->route.path) ? NULL : paths_find(&r->route);
    if (r->operation == NULL) {
        return status_no_route(&r->status);
    }
    if (!str_eq_c(r->route.method, "GET") && !str_eq_c(r->route.method, "HEAD")) {
        return no_method(r);
    }
    return 0;
}

int operation_find_history(struct request *r)
{
    int rc = r->route.resource ? find_resource(r) : status_no_route(&r->status);
    if (rc == 0 && (r->operation != &operation_get || r->route.sub.len > 0)) {
        rc = str_eq_c(r->route.method, "GET") ? status_no_route(&r->status) : no_method(r);
    }
    r->operation = rc == 0 ? &operation_history : NULL;
    return rc;
}
