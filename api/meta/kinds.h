/*
 * The kinds Gantry knows: one constant row each.
 *
 * This table holds what every process needs to name a kind (API server, controllers, agent, CLI).
 * What only the API server needs (subresources, strategies, columns) is the registry's row in
 * controlplane/resources. All functions here are pure; rows live forever; any thread.
 */
#ifndef API_META_KINDS_H
#define API_META_KINDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct schema;

enum kind {
    KIND_NONE = 0,
    KIND_NAMESPACE,
    KIND_NODE,
    KIND_POD,
    KIND_BINDING, /* not stored: create only */
    KIND_CONFIG_MAP,
    KIND_SECRET,
    KIND_SERVICE_ACCOUNT,
    KIND_SERVICE,
    KIND_EVENT,
    KIND_LEASE,
    KIND_DEPLOYMENT,
    KIND_REPLICA_SET,
    KIND_SCALE, /* not stored: a view of what has replicas */
    KIND_ENDPOINTS,
    KIND_LIMIT_RANGE,
    KIND_POD_TEMPLATE,
    KIND_REPLICATION_CONTROLLER,
    KIND_RESOURCE_QUOTA,
    KIND_CONTROLLER_REVISION,
    KIND_ENDPOINT_SLICE,
    /* Not stored: questions, answered at once. */
    KIND_TOKEN_REVIEW,
    KIND_SELF_SUBJECT_REVIEW,
    KIND_LOCAL_SUBJECT_ACCESS_REVIEW,
    KIND_SELF_SUBJECT_ACCESS_REVIEW,
    KIND_SELF_SUBJECT_RULES_REVIEW,
    KIND_SUBJECT_ACCESS_REVIEW,
    KIND_EVICTION,     /* not stored: a delete that may be refused */
    KIND_EVENTS_EVENT, /* events.k8s.io's: a view of KIND_EVENT */
    KIND_DISRUPTION_BUDGET,
    KIND_COUNT
};

struct kind_info {
    enum kind kind;
    bool namespaced;
    bool stored;             /* false: exists only as a request, an answer or a view */
    const char *group;       /* "" for the core group */
    const char *version;     /* "v1" */
    const char *name;        /* "Deployment" */
    const char *list_name;   /* "DeploymentList" */
    const char *plural;      /* "deployments" */
    const char *singular;    /* "deployment" */
    const char *short_names; /* space separated, "" for none */
    const char *categories;  /* space separated, "" for none */
    const struct schema *schema;
    const struct schema *list_schema; /* NULL: it has no list */
};

/* The row of a kind; KIND_NONE and out-of-range values are a programming error (asserted). */
const struct kind_info *kind_info(enum kind kind);

/* The kind under which objects of this one lie in the store: itself, of a view (api/meta/view.h)
 * another, KIND_NONE when nothing does. */
enum kind kind_store(enum kind kind);

/* By URL: group ("" core), version, plural. NULL when unknown. */
const struct kind_info *kind_by_resource(struct str group, struct str version, struct str plural);
/* By apiVersion ("v1", "apps/v1") and kind ("Pod"). NULL when unknown. */
const struct kind_info *kind_by_type(struct str api_version, struct str name);

/* "v1" or "apps/v1"; "pods" or "deployments.apps"; "Pod" or "Deployment.apps". Constant text. */
const char *kind_api_version(enum kind kind);
const char *kind_resource_group(enum kind kind);
const char *kind_name_group(enum kind kind);

#endif
