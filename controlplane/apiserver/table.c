/* Tables are written as text: a cell can be of any type and no protobuf form exists. */
#include "controlplane/apiserver/table.h"

#include "api/schema/codec.h"
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/apiserver/object.h"
#include "controlplane/resources/registry.h"

int table_include_parse(struct str text, int *out, struct err *e)
{
    if (text.len == 0 || str_eq_c(text, "Metadata")) {
        *out = TABLE_METADATA;
    } else if (str_eq_c(text, "Object")) {
        *out = TABLE_OBJECT;
    } else if (str_eq_c(text, "None")) {
        *out = TABLE_NONE;
    } else {
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "Unable to convert to Table as requested: includeObject: Invalid value: "
                       "\"%.*s\": must be 'Metadata', 'Object', 'None', or empty",
                       STR_ARG(text));
    }
    return 0;
}

void list_meta_write(struct buf *out, const struct list_meta *meta)
{
    buf_append_c(out, "{\"resourceVersion\":");
    json_write_string(out, meta->resource_version, true);
    if (meta->continue_token.len > 0) {
        buf_append_c(out, ",\"continue\":");
        json_write_string(out, meta->continue_token, true);
    }
    if (meta->remaining >= 0) {
        buf_append_c(out, ",\"remainingItemCount\":");
        json_write_int(out, meta->remaining);
    }
    buf_append_c(out, "}");
}

static void write_member(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "\"%s\":", name);
    json_write_string(out, str_from(value), true);
}

static void write_columns(struct buf *out, const struct resource *r)
{
    buf_append_c(out, "[");
    for (size_t i = 0; i < r->columns_count; i++) {
        const struct table_column *c = &r->columns[i];
        buf_append_c(out, i > 0 ? ",{" : "{");
        write_member(out, "name", c->name);
        buf_append_c(out, ",");
        write_member(out, "type", c->type);
        buf_append_c(out, ",");
        write_member(out, "format", c->format == NULL ? "" : c->format);
        buf_append_c(out, ",");
        write_member(out, "description", c->description == NULL ? "" : c->description);
        buf_printf(out, ",\"priority\":%d}", c->priority);
    }
    buf_append_c(out, "]");
}

void table_begin(struct buf *out, const struct kind_info *k, const struct list_meta *meta,
                 const struct object_style *style)
{
    buf_append_c(out, "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/");
    buf_append_c(out, style->media.v1beta1 ? "v1beta1" : "v1");
    buf_append_c(out, "\",\"metadata\":");
    list_meta_write(out, meta);
    buf_append_c(out, ",\"columnDefinitions\":");
    if (style->columns) {
        write_columns(out, resource_table_of(k->kind));
    } else {
        buf_append_c(out, "null");
    }
    buf_append_c(out, ",\"rows\":[");
}

void table_end(struct buf *out)
{
    buf_append_c(out, "]}");
}

static void write_cell(struct buf *out, const struct table_cell *cell)
{
    switch (cell->type) {
    case CELL_INTEGER:
        json_write_int(out, cell->number);
        break;
    case CELL_BOOLEAN:
        buf_append_c(out, cell->number != 0 ? "true" : "false");
        break;
    case CELL_STRING:
    default:
        json_write_string(out, cell->text, true);
        break;
    }
}

/* The one row condition upstream has: a pod that ended, by its phase. */
static void write_conditions(struct buf *out, const struct resource *r, const void *object,
                             struct str payload)
{
    if (r->completed == NULL || !r->completed(object)) {
        return;
    }
    bool failed = str_eq_c(resource_field_value(r, payload, str_lit("status.phase")), "Failed");
    buf_append_c(out, ",\"conditions\":[{\"type\":\"Completed\",\"status\":\"True\",\"reason\":\"");
    buf_append_c(out, failed ? "Failed\",\"message\":\"The pod failed.\"}]"
                             : "Succeeded\",\"message\":\"The pod has completed "
                               "successfully.\"}]");
}

int table_row(struct arena *a, struct buf *out, const struct kind_info *k, struct str payload,
              uint64_t revision, const struct object_style *style, struct err *e)
{
    const struct resource *r = resource_table_of(k->kind);
    const struct resource_context context = { .arena = a, .now_wall_ns = style->now_wall_ns };
    struct table_cell cells[TABLE_COLUMNS_MAX] = { 0 };
    void *object = NULL;
    int rc = schema_unpack(a, object_schema(k), payload, &object, e);
    if (rc != 0) {
        return rc;
    }
    resource_cells(r, &context, object, cells);
    buf_append_c(out, "{\"cells\":[");
    for (size_t i = 0; i < r->columns_count; i++) {
        buf_append_c(out, i > 0 ? "," : "");
        write_cell(out, &cells[i]);
    }
    buf_append_c(out, "]");
    write_conditions(out, r, object, payload);
    buf_append_c(out, ",\"object\":");
    if (style->include_object == TABLE_NONE) {
        buf_append_c(out, "null");
    } else {
        struct object_style inner = *style;
        inner.item = false;
        inner.media.type = MEDIA_JSON;
        inner.media.transform =
            style->include_object == TABLE_OBJECT ? TRANSFORM_NONE : TRANSFORM_PARTIAL;
        rc = object_write(a, out, k, payload, revision, &inner, e);
    }
    buf_append_c(out, "}");
    return rc;
}
