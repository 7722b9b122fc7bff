/* Rows of nodes. */
#include <string.h>

#include "api/meta/condition.h"
#include "api/meta/labels.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/tables.h"

#define ROLE_PREFIX "node-role.kubernetes.io/"

const struct table_column node_columns[] = {
    { .name = "Name", .type = "string", .format = "name" },
    { .name = "Status", .type = "string" },
    { .name = "Roles", .type = "string" },
    { .name = "Age", .type = "string" },
    { .name = "Version", .type = "string" },
    { .name = "Internal-IP", .type = "string", .priority = 1 },
    { .name = "External-IP", .type = "string", .priority = 1 },
    { .name = "OS-Image", .type = "string", .priority = 1 },
    { .name = "Kernel-Version", .type = "string", .priority = 1 },
    { .name = "Container-Runtime", .type = "string", .priority = 1 }
};

static const char *ready_text(const NodeStatus *status)
{
    const char *ready = condition_status(status->conditions, status->n_conditions, "Ready");
    if (ready == NULL)
        return "Unknown";
    return text_eq(ready, "True") ? "Ready" : "NotReady";
}

/* The role a label names, or NULL. */
static const char *role_of(const ObjectMeta *meta, size_t i)
{
    const char *key = entries_key(meta->labels, i);
    if (strncmp(key, ROLE_PREFIX, strlen(ROLE_PREFIX)) == 0)
        return key + strlen(ROLE_PREFIX);
    if (text_eq(key, "kubernetes.io/role"))
        return entries_value(meta->labels, i);
    return NULL;
}

/* Roles sorted and without duplicates, joined by commas. */
static struct table_cell roles_cell(struct arena *a, const ObjectMeta *meta)
{
    struct buf b;
    buf_init(&b);
    const char *previous = "";
    for (;;) {
        const char *next = NULL;
        for (size_t i = 0; meta != NULL && i < meta->n_labels; i++) {
            const char *role = role_of(meta, i);
            if (role != NULL && strcmp(role, previous) > 0 &&
                (next == NULL || strcmp(role, next) < 0))
                next = role;
        }
        if (next == NULL)
            break;
        buf_append_c(&b, b.len > 0 ? "," : "");
        buf_append_c(&b, next);
        previous = next;
    }
    struct str roles = b.len == 0 ? str_lit("<none>") : str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return cell_str(roles);
}

static struct table_cell address_cell(const NodeStatus *status, const char *type)
{
    for (size_t i = 0; i < status->n_addresses; i++) {
        if (text_eq(status->addresses[i]->type, type))
            return cell_text(text_of(status->addresses[i]->address));
    }
    return cell_text("<none>");
}

static struct table_cell or_unknown(const char *text)
{
    return cell_text(text_empty(text) ? "<unknown>" : text);
}

void node_cells(const struct resource_context *c, const void *object, struct table_cell *out)
{
    static const NodeStatus no_status = NODE_STATUS__INIT;
    static const NodeSystemInfo no_info = NODE_SYSTEM_INFO__INIT;
    const Node *node = object;
    const NodeStatus *status = node->status == NULL ? &no_status : node->status;
    const NodeSystemInfo *info = status->node_info == NULL ? &no_info : status->node_info;
    bool cordoned = node->spec != NULL && node->spec->unschedulable;
    out[0] = cell_name(object);
    out[1] = cell_str(
        str_printf(c->arena, "%s%s", ready_text(status), cordoned ? ",SchedulingDisabled" : ""));
    out[2] = roles_cell(c->arena, node->metadata);
    out[3] = cell_age(c, object);
    out[4] = cell_text(info->kubelet_version);
    out[5] = address_cell(status, "InternalIP");
    out[6] = address_cell(status, "ExternalIP");
    out[7] = or_unknown(info->os_image);
    out[8] = or_unknown(info->kernel_version);
    out[9] = or_unknown(info->container_runtime_version);
}
