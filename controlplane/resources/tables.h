/* Columns and cells of each kind, as `kubectl get` shows them; used by registry.c. */
#ifndef CONTROLPLANE_RESOURCES_TABLES_H
#define CONTROLPLANE_RESOURCES_TABLES_H

#include "controlplane/resources/registry.h"

struct Time;
struct PodSpec;
struct LabelSelector;

enum {
    NAMESPACE_COLUMNS = 3,
    NODE_COLUMNS = 10,
    POD_COLUMNS = 9,
    CONFIG_MAP_COLUMNS = 3,
    SECRET_COLUMNS = 4,
    SERVICE_ACCOUNT_COLUMNS = 3,
    SERVICE_COLUMNS = 7,
    EVENT_COLUMNS = 10,
    LEASE_COLUMNS = 3,
    DEPLOYMENT_COLUMNS = 8,
    REPLICA_SET_COLUMNS = 8,
    CONTROLLER_REVISION_COLUMNS = 4,
    ENDPOINTS_COLUMNS = 3,
    ENDPOINT_SLICE_COLUMNS = 5,
    LIMIT_RANGE_COLUMNS = 2,
    POD_DISRUPTION_BUDGET_COLUMNS = 5,
    POD_TEMPLATE_COLUMNS = 4,
    RESOURCE_QUOTA_COLUMNS = 4,
    SCALE_COLUMNS = 4
};

extern const struct table_column namespace_columns[NAMESPACE_COLUMNS];
extern const struct table_column node_columns[NODE_COLUMNS];
extern const struct table_column pod_columns[POD_COLUMNS];
extern const struct table_column config_map_columns[CONFIG_MAP_COLUMNS];
extern const struct table_column secret_columns[SECRET_COLUMNS];
extern const struct table_column service_account_columns[SERVICE_ACCOUNT_COLUMNS];
extern const struct table_column service_columns[SERVICE_COLUMNS];
extern const struct table_column event_columns[EVENT_COLUMNS];
extern const struct table_column lease_columns[LEASE_COLUMNS];
extern const struct table_column deployment_columns[DEPLOYMENT_COLUMNS];
extern const struct table_column
    replica_set_columns[REPLICA_SET_COLUMNS]; /* and of ReplicationControllers */
extern const struct table_column controller_revision_columns[CONTROLLER_REVISION_COLUMNS];
extern const struct table_column endpoints_columns[ENDPOINTS_COLUMNS];
extern const struct table_column endpoint_slice_columns[ENDPOINT_SLICE_COLUMNS];
extern const struct table_column limit_range_columns[LIMIT_RANGE_COLUMNS];
extern const struct table_column pod_disruption_budget_columns[POD_DISRUPTION_BUDGET_COLUMNS];
extern const struct table_column pod_template_columns[POD_TEMPLATE_COLUMNS];
extern const struct table_column resource_quota_columns[RESOURCE_QUOTA_COLUMNS];
extern const struct table_column scale_columns[SCALE_COLUMNS];

table_cells_fn namespace_cells, node_cells, pod_cells, config_map_cells, secret_cells,
    service_account_cells, service_cells, event_cells, lease_cells, deployment_cells,
    replica_set_cells, controller_revision_cells, endpoints_cells, endpoint_slice_cells,
    limit_range_cells, pod_disruption_budget_cells, pod_template_cells,
    replication_controller_cells, resource_quota_cells, scale_cells;

bool pod_completed(const void *object);

/* For cells. */
struct table_cell cell_text(const char *text);
struct table_cell cell_str(struct str text);
struct table_cell cell_number(int64_t number);
struct table_cell cell_or_none(const char *text); /* "<none>" when empty */
struct table_cell cell_name(const void *object);
/* Age of the object since its creation. */
struct table_cell cell_age(const struct resource_context *c, const void *object);
/* Sorted "k=v,l=w", "<none>" when empty; entries of a protobuf-c map<string, string>. */
struct table_cell cell_labels(struct arena *a, const void *entries, size_t count);

#endif
