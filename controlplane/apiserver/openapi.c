/* OpenAPI v3 documents from the registry. */
#include "controlplane/apiserver/openapi.h"

#include "api/meta/kinds.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/apiserver/discovery.h"
#include "controlplane/resources/registry.h"

static const char parameters[] =
    "\"parameters\":["
    "{\"name\":\"dryRun\",\"in\":\"query\",\"schema\":{\"type\":\"string\",\"uniqueItems\":true}},"
    "{\"name\":\"fieldManager\",\"in\":\"query\",\"schema\":{\"type\":\"string\","
    "\"uniqueItems\":true}},"
    "{\"name\":\"fieldValidation\",\"in\":\"query\",\"schema\":{\"type\":\"string\","
    "\"uniqueItems\":true}}]";

struct str openapi_hash(struct arena *a, struct str document)
{
    return str_printf(a, "%016llX%08zX", (unsigned long long)str_hash(document), document.len);
}

static void write_operation(struct buf *out, const char *method, const char *action,
                            const struct kind_info *k)
{
    buf_printf(out, "\"%s\":{%s,\"responses\":{\"200\":{\"description\":\"OK\"}},", method,
               parameters);
    buf_printf(out,
               "\"x-kubernetes-action\":\"%s\",\"x-kubernetes-group-version-kind\":{\"group\":"
               "\"%s\",\"version\":\"%s\",\"kind\":\"%s\"}}",
               action, k->group, k->version, k->name);
}

static void write_paths(struct buf *out, struct str prefix, const struct kind_info *k)
{
    const char *scope = k->namespaced ? "/namespaces/{namespace}" : "";
    buf_printf(out, "\"/%.*s%s/%s\":{", STR_ARG(prefix), scope, k->plural);
    write_operation(out, "post", "post", k);
    buf_append_c(out, "}");
    if (k->stored) {
        buf_printf(out, ",\"/%.*s%s/%s/{name}\":{", STR_ARG(prefix), scope, k->plural);
        write_operation(out, "patch", "patch", k);
        buf_append_c(out, ",");
        write_operation(out, "put", "put", k);
        buf_append_c(out, "}");
    }
}

static struct str group_path(struct arena *a, const struct group_version *g)
{
    return g->group[0] == '\0' ? str_printf(a, "api/%s", g->version)
                               : str_printf(a, "apis/%s/%s", g->group, g->version);
}

bool openapi_write_group(struct buf *out, struct str path)
{
    struct group_version groups[GROUPS_MAX];
    size_t count = discovery_groups(groups);
    bool first = true;
    struct arena a;
    arena_init(&a);
    buf_append_c(out, "{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"Kubernetes\",\"version\":"
                      "\"v1.35.0\"},\"paths\":{");
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(path, group_path(&a, &groups[i]))) {
            continue;
        }
        for (size_t j = 0; j < resource_count(); j++) {
            const struct kind_info *k = kind_info(resource_at(j)->kind);
            if (str_eq_c(str_from(k->group), groups[i].group) &&
                str_eq_c(str_from(k->version), groups[i].version)) {
                buf_append_c(out, first ? "" : ",");
                write_paths(out, path, k);
                first = false;
            }
        }
    }
    buf_append_c(out, "},\"components\":{\"schemas\":{}}}");
    arena_deinit(&a);
    return !first;
}

void openapi_write_root(struct arena *a, struct buf *out)
{
    struct group_version groups[GROUPS_MAX];
    size_t count = discovery_groups(groups);
    struct buf document;
    buf_init(&document);
    buf_append_c(out, "{\"paths\":{");
    for (size_t i = 0; i < count; i++) {
        struct str path = group_path(a, &groups[i]);
        buf_clear(&document);
        (void)openapi_write_group(&document, path);
        struct str hash = openapi_hash(a, buf_str(&document));
        buf_printf(out, "%s\"%.*s\":{\"serverRelativeURL\":\"/openapi/v3/%.*s?hash=%.*s\"}",
                   i > 0 ? "," : "", STR_ARG(path), STR_ARG(path), STR_ARG(hash));
    }
    buf_append_c(out, "}}");
    buf_deinit(&document);
}
