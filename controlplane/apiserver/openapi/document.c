/* A document is its paths and the definitions that are reached from its kinds. */
#include "controlplane/apiserver/openapi/document.h"

#include <string.h>

#include "api/meta/kinds.h"
#include "api/proto/schemas.h"
#include "api/schema/openapi.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/apiserver/openapi/paths.h"
#include "controlplane/resources/registry.h"

#define VERSION "v1.35.0"

struct str openapi_group_path(struct arena *a, const struct group_version *g)
{
    return g->group[0] == '\0' ? str_printf(a, "api/%s", g->version)
                               : str_printf(a, "apis/%s/%s", g->group, g->version);
}

/* ---- what is reached ---- */

struct reach {
    struct arena arena;
    bool *has; /* by place in schema_all */
};

static size_t place_of(const struct schema *s)
{
    size_t low = 0;
    size_t high = schema_all_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(schema_all[middle]->name, s->name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Bounded by the nesting of messages, which schemagen checks. names has the fields of inline
 * messages too, which need no definition. */
static void reach_add(struct reach *r, const struct schema *s)
{
    size_t at = place_of(s);
    if (r->has[at]) {
        return;
    }
    r->has[at] = true;
    for (size_t i = 0; s->form == SCHEMA_FORM_OBJECT && i < s->name_count; i++) {
        if (s->names[i].field->type == SCHEMA_MESSAGE) {
            reach_add(r, s->names[i].field->message);
        }
    }
}

static void reach_resource(struct reach *r, const struct resource *resource)
{
    const struct kind_info *k = kind_info(resource->kind);
    reach_add(r, k->schema);
    if (k->list_schema != NULL) {
        reach_add(r, k->list_schema);
    }
    for (size_t i = 0; i < subresource_count; i++) {
        const struct subresource *s = &subresource_table[i];
        if ((resource->subresources & s->bit) != 0 && s->kind != KIND_NONE) {
            reach_add(r, kind_info(s->kind)->schema);
        }
    }
}

static bool is_of(const struct resource *resource, const struct group_version *g)
{
    const struct kind_info *k = kind_info(resource->kind);
    return g == NULL || (strcmp(k->group, g->group) == 0 && strcmp(k->version, g->version) == 0);
}

/* g NULL: everything. */
static void reach_init(struct reach *r, const struct group_version *g)
{
    arena_init(&r->arena);
    r->has = arena_array(&r->arena, schema_all_count, sizeof(*r->has));
    reach_add(r, &schema_DeleteOptions);
    reach_add(r, &schema_Status);
    reach_add(r, &schema_APIResourceList);
    for (size_t i = 0; i < resource_count(); i++) {
        if (is_of(resource_at(i), g)) {
            reach_resource(r, resource_at(i));
        }
    }
}

/* ---- definitions ---- */

static void write_kind(struct buf *out, const char *group, struct str version, const char *kind)
{
    buf_printf(out, "%s{\"group\":\"%s\",\"kind\":\"%s\",\"version\":\"%.*s\"}",
               out->len > 1 ? "," : "", group, kind, STR_ARG(version));
}

/* The kinds that are written as this message: its own, or one of every group. */
static const char *kinds_of(struct arena *a, const struct schema *s)
{
    struct group_version groups[GROUPS_MAX];
    struct str version = str_from(s->api_version);
    struct str group = str_lit("");
    struct buf b;
    if (!s->type_meta) {
        return NULL;
    }
    buf_init(&b);
    buf_append_c(&b, "[");
    if (s == &schema_DeleteOptions) {
        size_t count = resource_groups(groups);
        for (size_t i = 0; i < count; i++) {
            write_kind(&b, groups[i].group, str_from(groups[i].version), schema_kind(s));
        }
    } else {
        ptrdiff_t slash = str_find_char(version, '/', 0);
        if (slash > 0) {
            group = str_slice(version, 0, (size_t)slash);
            version = str_slice(version, (size_t)slash + 1, version.len);
        }
        write_kind(&b, str_dup(a, group), version, schema_kind(s));
    }
    buf_append_c(&b, "]");
    const char *kinds = str_dup(a, buf_str(&b));
    buf_deinit(&b);
    return kinds;
}

static void write_definitions(struct buf *out, const struct group_version *g,
                              enum openapi_version v)
{
    struct reach r;
    reach_init(&r, g);
    for (size_t i = 0; i < schema_all_count; i++) {
        const struct schema *s = schema_all[i];
        if (!r.has[i] || !openapi_has_definition(s)) {
            continue;
        }
        buf_printf(out, "\"%s\":", s->model);
        openapi_write_definition(out, s, v, kinds_of(&r.arena, s));
        buf_append_c(out, ",");
    }
    buf_append_c(out, "\"" OPENAPI_PATCH_MODEL "\":{\"type\":\"object\",\"description\":\"Changes "
                      "to an object, in the form that the Content-Type names.\"}");
    arena_deinit(&r.arena);
}

/* ---- documents ---- */

static void write_all_paths(struct buf *out, const struct group_version *g, enum openapi_version v)
{
    struct openapi_paths p = { .out = out, .version = v };
    openapi_write_group_paths(&p, g);
    for (size_t i = 0; i < resource_count(); i++) {
        if (is_of(resource_at(i), g)) {
            openapi_write_resource_paths(&p, resource_at(i));
        }
    }
}

void openapi_write_v3(struct buf *out, const struct group_version *g)
{
    buf_append_c(out,
                 "{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"Kubernetes\",\"version\":\"" VERSION
                 "\"},\"paths\":{");
    write_all_paths(out, g, OPENAPI_V3);
    buf_append_c(out, "},\"components\":{\"schemas\":{");
    write_definitions(out, g, OPENAPI_V3);
    buf_append_c(out, "}}}");
}

void openapi_write_v2(struct buf *out)
{
    struct group_version groups[GROUPS_MAX];
    size_t count = resource_groups(groups);
    buf_append_c(out,
                 "{\"swagger\":\"2.0\",\"info\":{\"title\":\"Kubernetes\",\"version\":\"" VERSION
                 "\"},\"paths\":{");
    for (size_t i = 0; i < count; i++) {
        buf_append_c(out, i > 0 ? "," : "");
        write_all_paths(out, &groups[i], OPENAPI_V2);
    }
    buf_append_c(out, "},\"definitions\":{");
    write_definitions(out, NULL, OPENAPI_V2);
    buf_append_c(out, "}}");
}
