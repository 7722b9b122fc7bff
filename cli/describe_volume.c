/* The volumes of a pod, or of a pod's template (see describe.h). */
#include "api/meta/quantity.h"
#include "api/schema/json.h"
#include "cli/describe.h"
#include "cli/tree.h"

static const char *optional(const struct json *source)
{
    return tree_true(source, "optional") ? "true" : "false";
}

static void write_host_path(struct page *p, const struct json *v)
{
    const struct json *type = json_get_c(v, "type");
    page_write(p, 2, "Type:\tHostPath (bare host directory volume)\n");
    page_write(p, 2, "Path:\t%.*s\n", STR_ARG(tree_text(v, "path", NULL)));
    page_write(p, 2, "HostPathType:\t%.*s\n",
               STR_ARG(type != NULL ? json_str(type) : str_lit("<none>")));
}

static void write_empty_dir(struct page *p, const struct json *v)
{
    struct str limit = page_quantity(p, json_get_c(v, "sizeLimit"));
    page_write(p, 2, "Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)\n");
    page_write(p, 2, "Medium:\t%.*s\n", STR_ARG(tree_text(v, "medium", NULL)));
    page_write(p, 2, "SizeLimit:\t%.*s\n",
               STR_ARG(str_eq_c(limit, "0") ? str_lit("<unset>") : limit));
}

static void write_secret(struct page *p, const struct json *v)
{
    page_write(p, 2, "Type:\tSecret (a volume populated by a Secret)\n");
    page_write(p, 2, "SecretName:\t%.*s\n", STR_ARG(tree_text(v, "secretName", NULL)));
    page_write(p, 2, "Optional:\t%s\n", optional(v));
}

static void write_config_map(struct page *p, const struct json *v)
{
    page_write(p, 2, "Type:\tConfigMap (a volume populated by a ConfigMap)\n");
    page_write(p, 2, "Name:\t%.*s\n", STR_ARG(tree_text(v, "name", NULL)));
    page_write(p, 2, "Optional:\t%s\n", optional(v));
}

static void write_claim(struct page *p, const struct json *v)
{
    page_write(p, 2,
               "Type:\tPersistentVolumeClaim (a reference to a PersistentVolumeClaim in the "
               "same namespace)\n");
    page_write(p, 2, "ClaimName:\t%.*s\n", STR_ARG(tree_text(v, "claimName", NULL)));
    page_write(p, 2, "ReadOnly:\t%s\n", tree_true(v, "readOnly") ? "true" : "false");
}

static void write_downward(struct page *p, const struct json *v)
{
    const struct json *items = json_get_c(v, "items");
    page_write(p, 2, "Type:\tDownwardAPI (a volume populated by information about the pod)\n");
    page_write(p, 2, "Items:\n");
    for (size_t i = 0; i < tree_count(items); i++) {
        const struct json *item = tree_item(items, i);
        struct str field = tree_text(item, "fieldRef", "fieldPath", NULL);
        struct str resource = tree_text(item, "resourceFieldRef", "resource", NULL);
        struct str path = tree_text(item, "path", NULL);
        if (field.len > 0)
            page_write(p, 3, "%.*s -> %.*s\n", STR_ARG(field), STR_ARG(path));
        if (resource.len > 0)
            page_write(p, 3, "%.*s -> %.*s\n", STR_ARG(resource), STR_ARG(path));
    }
}

static void write_projection(struct page *p, const struct json *source)
{
    const struct json *secret = json_get_c(source, "secret");
    const struct json *map = json_get_c(source, "configMap");
    const struct json *token = json_get_c(source, "serviceAccountToken");
    const struct json *named = secret != NULL ? secret : map;
    bool downward = json_get_c(source, "downwardAPI") != NULL;
    if (downward && secret == NULL) {
        page_write(p, 2, "DownwardAPI:\ttrue\n");
    } else if (named != NULL) {
        page_write(p, 2, "%s:\t%.*s\n", secret != NULL ? "SecretName" : "ConfigMapName",
                   STR_ARG(tree_text(named, "name", NULL)));
        page_write(p, 2, "Optional:\t%s\n", optional(named));
    } else if (token != NULL) {
        page_write(p, 2, "TokenExpirationSeconds:\t%lld\n",
                   (long long)tree_int(token, "expirationSeconds", 3600));
    }
}

static void write_projected(struct page *p, const struct json *v)
{
    const struct json *sources = json_get_c(v, "sources");
    page_write(p, 2,
               "Type:\tProjected (a volume that contains injected data from multiple sources)\n");
    for (size_t i = 0; i < tree_count(sources); i++)
        write_projection(p, tree_item(sources, i));
}

static const struct {
    const char *name;
    void (*write)(struct page *p, const struct json *source);
} sources[] = { { "hostPath", write_host_path },
                { "emptyDir", write_empty_dir },
                { "secret", write_secret },
                { "configMap", write_config_map },
                { "persistentVolumeClaim", write_claim },
                { "downwardAPI", write_downward },
                { "projected", write_projected } };

void page_volumes(struct page *p, const char *space, const struct json *volumes)
{
    page_write(p, 0, "%sVolumes:%s\n", space, tree_count(volumes) == 0 ? "\t<none>" : "");
    for (size_t i = 0; i < tree_count(volumes); i++) {
        const struct json *v = tree_item(volumes, i);
        size_t which = 0;
        page_write(p, 1, "%s%.*s:\n", space[0] != '\0' ? " " : "",
                   STR_ARG(tree_text(v, "name", NULL)));
        while (which < sizeof sources / sizeof sources[0] &&
               json_get_c(v, sources[which].name) == NULL)
            which++;
        if (which < sizeof sources / sizeof sources[0])
            sources[which].write(p, json_get_c(v, sources[which].name));
        else
            page_write(p, 1, "<unknown>\n");
    }
}
