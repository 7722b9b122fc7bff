/* Discovery documents, written straight from the registry; they are small and rarely asked for. */
#include "controlplane/apiserver/discovery.h"

#include <string.h>

#include "api/meta/kinds.h"
#include "api/schema/json.h"
#include "base/assert.h"
#include "base/buf.h"
#include "controlplane/resources/registry.h"

static void write_string(struct buf *out, const char *s)
{
    json_write_string(out, str_from(s), true);
}

/* ["a","b"] from "a b". */
static void write_words(struct buf *out, const char *words)
{
    struct str rest = str_from(words);
    struct str word;
    bool first = true;
    buf_append_c(out, "[");
    while (rest.len > 0 && str_split(&rest, ' ', &word)) {
        if (word.len > 0) {
            buf_append_c(out, first ? "" : ",");
            json_write_string(out, word, true);
            first = false;
        }
    }
    buf_append_c(out, "]");
}

static void write_words_member(struct buf *out, const char *name, const char *words)
{
    if (words != NULL && words[0] != '\0') {
        buf_printf(out, ",\"%s\":", name);
        write_words(out, words);
    }
}

static bool in_group(const struct kind_info *k, struct str group, struct str version)
{
    return str_eq_c(group, k->group) && (version.len == 0 || str_eq_c(version, k->version));
}

/* What the kind of a subresource has behind the parent's name. */
static const char *suffix(const struct subresource *s)
{
    return s->options != NULL ? s->options : "";
}

/* ---- legacy ---- */

void discovery_write_core(struct buf *out, struct str server)
{
    buf_append_c(out, "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],"
                      "\"serverAddressByClientCIDRs\":[{\"clientCIDR\":\"0.0.0.0/0\","
                      "\"serverAddress\":");
    json_write_string(out, server, true);
    buf_append_c(out, "}]}");
}

static void write_group_body(struct buf *out, const struct group_version *g)
{
    buf_append_c(out, "\"name\":");
    write_string(out, g->group);
    buf_printf(out,
               ",\"versions\":[{\"groupVersion\":\"%s/%s\",\"version\":\"%s\"}],"
               "\"preferredVersion\":{\"groupVersion\":\"%s/%s\",\"version\":\"%s\"}}",
               g->group, g->version, g->version, g->group, g->version, g->version);
}

void discovery_write_groups(struct buf *out)
{
    struct group_version groups[GROUPS_MAX];
    size_t count = resource_groups(groups);
    bool first = true;
    buf_append_c(out, "{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[");
    for (size_t i = 0; i < count; i++) {
        if (groups[i].group[0] != '\0') {
            buf_append_c(out, first ? "{" : ",{");
            write_group_body(out, &groups[i]);
            first = false;
        }
    }
    buf_append_c(out, "]}");
}

bool discovery_write_group(struct buf *out, struct str group)
{
    struct group_version groups[GROUPS_MAX];
    size_t count = resource_groups(groups);
    for (size_t i = 0; i < count; i++) {
        if (group.len > 0 && str_eq_c(group, groups[i].group)) {
            buf_append_c(out, "{\"kind\":\"APIGroup\",\"apiVersion\":\"v1\",");
            write_group_body(out, &groups[i]);
            return true;
        }
    }
    return false;
}

static void write_legacy_resource(struct buf *out, const struct resource *r,
                                  const struct kind_info *k)
{
    buf_printf(out,
               "{\"name\":\"%s\",\"singularName\":\"%s\",\"namespaced\":%s,\"kind\":\"%s\","
               "\"verbs\":",
               k->plural, k->singular, k->namespaced ? "true" : "false", k->name);
    write_words(out, resource_verbs(r));
    write_words_member(out, "shortNames", k->short_names);
    write_words_member(out, "categories", k->categories);
    buf_append_c(out, "}");
    for (size_t i = 0; i < subresource_count; i++) {
        const struct subresource *s = &subresource_table[i];
        if ((r->subresources & s->bit) == 0) {
            continue;
        }
        const struct kind_info *own = s->kind == KIND_NONE ? k : kind_info(s->kind);
        buf_printf(out, ",{\"name\":\"%s/%s\",\"singularName\":\"\",\"namespaced\":%s,", k->plural,
                   s->name, k->namespaced ? "true" : "false");
        if (strcmp(own->group, k->group) != 0) {
            buf_printf(out, "\"group\":\"%s\",\"version\":\"%s\",", own->group, own->version);
        }
        buf_printf(out, "\"kind\":\"%s%s\",\"verbs\":", own->name, suffix(s));
        write_words(out, s->verbs);
        buf_append_c(out, "}");
    }
}

bool discovery_write_resources(struct buf *out, struct str group, struct str version)
{
    bool first = true;
    buf_append_c(out, "{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"");
    buf_printf(out, "%.*s%s%.*s\",\"resources\":[", STR_ARG(group), group.len > 0 ? "/" : "",
               STR_ARG(version));
    for (size_t i = 0; i < resource_count(); i++) {
        const struct kind_info *k = kind_info(resource_at(i)->kind);
        if (version.len > 0 && in_group(k, group, version)) {
            buf_append_c(out, first ? "" : ",");
            write_legacy_resource(out, resource_at(i), k);
            first = false;
        }
    }
    buf_append_c(out, "]}");
    return !first;
}

/* ---- aggregated ---- */

static void write_response_kind(struct buf *out, const struct kind_info *k, const char *end)
{
    buf_printf(out, "\"responseKind\":{\"group\":\"%s\",\"version\":\"%s\",\"kind\":\"%s%s\"}",
               k->group, k->version, k->name, end);
}

static void write_aggregated_resource(struct buf *out, const struct resource *r,
                                      const struct kind_info *k)
{
    bool first = true;
    buf_printf(out, "{\"resource\":\"%s\",", k->plural);
    write_response_kind(out, k, "");
    buf_printf(out, ",\"scope\":\"%s\",\"singularResource\":\"%s\",\"verbs\":",
               k->namespaced ? "Namespaced" : "Cluster", k->singular);
    write_words(out, resource_verbs(r));
    write_words_member(out, "shortNames", k->short_names);
    write_words_member(out, "categories", k->categories);
    for (size_t i = 0; i < subresource_count; i++) {
        const struct subresource *s = &subresource_table[i];
        if ((r->subresources & s->bit) == 0) {
            continue;
        }
        buf_append_c(out, first ? ",\"subresources\":[{" : ",{");
        buf_printf(out, "\"subresource\":\"%s\",", s->name);
        const struct kind_info *own = s->kind == KIND_NONE ? k : kind_info(s->kind);
        write_response_kind(out, own, suffix(s));
        buf_append_c(out, ",\"verbs\":");
        write_words(out, s->verbs);
        buf_append_c(out, "}");
        first = false;
    }
    buf_append_c(out, first ? "}" : "]}");
}

static void write_aggregated_group(struct buf *out, const struct group_version *g)
{
    bool first = true;
    if (g->group[0] == '\0') {
        buf_append_c(out, "{\"metadata\":{},\"versions\":[{\"version\":\"");
    } else {
        buf_printf(out, "{\"metadata\":{\"name\":\"%s\"},\"versions\":[{\"version\":\"", g->group);
    }
    buf_printf(out, "%s\",\"resources\":[", g->version);
    for (size_t i = 0; i < resource_count(); i++) {
        const struct kind_info *k = kind_info(resource_at(i)->kind);
        if (in_group(k, str_from(g->group), str_from(g->version))) {
            buf_append_c(out, first ? "" : ",");
            write_aggregated_resource(out, resource_at(i), k);
            first = false;
        }
    }
    buf_append_c(out, "],\"freshness\":\"Current\"}]}");
}

void discovery_write_aggregated(struct buf *out, bool core, const char *version)
{
    struct group_version groups[GROUPS_MAX];
    size_t count = resource_groups(groups);
    bool first = true;
    buf_printf(out,
               "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/%s\","
               "\"metadata\":{},\"items\":[",
               version);
    for (size_t i = 0; i < count; i++) {
        if ((groups[i].group[0] == '\0') == core) {
            buf_append_c(out, first ? "" : ",");
            write_aggregated_group(out, &groups[i]);
            first = false;
        }
    }
    buf_append_c(out, "]}");
}
