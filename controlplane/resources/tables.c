/* Cells that several kinds share, and the kinds whose rows are a few plain fields. */
#include "controlplane/resources/tables.h"

#include "api/meta/labels.h"
#include "api/meta/selector.h"
#include "api/meta/time.h"
#include "api/proto/autoscaling.pb-c.h"
#include "api/proto/coordination.pb-c.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "controlplane/resources/rules.h"

#define NAME_COLUMN                                                                                \
    {                                                                                              \
        .name = "Name", .type = "string", .format = "name",                                        \
        .description = "Name must be unique within a namespace."                                   \
    }
#define AGE_COLUMN                                                                                 \
    {                                                                                              \
        .name = "Age", .type = "string",                                                           \
        .description = "Time since the object was created, by the server's clock."                 \
    }

struct table_cell cell_text(const char *text)
{
    return (struct table_cell){ .type = CELL_STRING, .text = str_from(text_of(text)) };
}

struct table_cell cell_str(struct str text)
{
    return (struct table_cell){ .type = CELL_STRING, .text = text };
}

struct table_cell cell_number(int64_t number)
{
    return (struct table_cell){ .type = CELL_INTEGER, .number = number };
}

struct table_cell cell_or_none(const char *text)
{
    return cell_text(text_empty(text) ? "<none>" : text);
}

struct table_cell cell_name(const void *object)
{
    const ObjectMeta *meta = resource_meta_const(object);
    return cell_text(meta == NULL ? "" : meta->name);
}

struct table_cell cell_age(const struct resource_context *c, const void *object)
{
    const ObjectMeta *meta = resource_meta_const(object);
    int64_t created = meta == NULL ? 0 : time_seconds(meta->creation_timestamp);
    return cell_str(time_age(c->arena, created, c->now_wall_ns));
}

struct table_cell cell_labels(struct arena *a, const void *entries, size_t count)
{
    struct selector selector;
    if (count == 0)
        return cell_text("<none>");
    selector_from_entries(a, entries, count, &selector);
    return cell_str(selector_text(a, &selector));
}

const struct table_column namespace_columns[] = { NAME_COLUMN,
                                                  { .name = "Status", .type = "string" },
                                                  AGE_COLUMN };

void namespace_cells(const struct resource_context *c, const void *object, struct table_cell *out)
{
    const Namespace *ns = object;
    out[0] = cell_name(object);
    out[1] = cell_text(ns->status == NULL ? "" : ns->status->phase);
    out[2] = cell_age(c, object);
}

const struct table_column config_map_columns[] = { NAME_COLUMN,
                                                   { .name = "Data", .type = "string" },
                                                   AGE_COLUMN };

void config_map_cells(const struct resource_context *c, const void *object, struct table_cell *out)
{
    const ConfigMap *map = object;
    out[0] = cell_name(object);
    out[1] = cell_number((int64_t)(map->n_data + map->n_binary_data));
    out[2] = cell_age(c, object);
}

const struct table_column secret_columns[] = { NAME_COLUMN,
                                               { .name = "Type", .type = "string" },
                                               { .name = "Data", .type = "string" },
                                               AGE_COLUMN };

void secret_cells(const struct resource_context *c, const void *object, struct table_cell *out)
{
    const Secret *secret = object;
    out[0] = cell_name(object);
    out[1] = cell_text(secret->type);
    out[2] = cell_number((int64_t)secret->n_data);
    out[3] = cell_age(c, object);
}

const struct table_column service_account_columns[] = { NAME_COLUMN,
                                                        { .name = "Secrets", .type = "string" },
                                                        AGE_COLUMN };

void service_account_cells(const struct resource_context *c, const void *object,
                           struct table_cell *out)
{
    out[0] = cell_name(object);
    out[1] = cell_number((int64_t)((const ServiceAccount *)object)->n_secrets);
    out[2] = cell_age(c, object);
}

const struct table_column lease_columns[] = { NAME_COLUMN,
                                              { .name = "Holder", .type = "string" },
                                              AGE_COLUMN };

void lease_cells(const struct resource_context *c, const void *object, struct table_cell *out)
{
    const Lease *lease = object;
    out[0] = cell_name(object);
    out[1] = cell_text(lease->spec == NULL ? "" : lease->spec->holder_identity);
    out[2] = cell_age(c, object);
}

/* ---- Scale ---- */

const struct table_column scale_columns[] = { { .name = "Name", .type = "string" },
                                              { .name = "Desired", .type = "integer" },
                                              { .name = "Available", .type = "integer" },
                                              AGE_COLUMN };

void scale_cells(const struct resource_context *c, const void *object, struct table_cell *out)
{
    const Scale *s = object;
    out[0] = cell_name(object);
    out[1] = cell_number(s->spec == NULL ? 0 : s->spec->replicas);
    out[2] = cell_number(s->status == NULL ? 0 : s->status->replicas);
    out[3] = cell_age(c, object);
}
