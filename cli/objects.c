/* See the header. Discovery is the aggregated one: two answers name everything. */
#include "cli/objects.h"

#include "api/schema/json.h"
#include "cli/ask.h"

#define AGGREGATED "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

static bool named(const struct json *resource, struct str word)
{
    const struct json *shorts = json_get_c(resource, "shortNames");
    if (str_eq(json_str(json_get_c(resource, "resource")), word) ||
        str_eq(json_str(json_get_c(resource, "singularResource")), word))
        return true;
    for (uint32_t i = 0; shorts != NULL && shorts->type == JSON_ARRAY && i < shorts->count; i++)
        if (str_eq(json_str(&shorts->u.items[i]), word))
            return true;
    return false;
}

static size_t items_of(const struct json *array, const struct json **out)
{
    if (array == NULL || array->type != JSON_ARRAY)
        return 0;
    *out = array->u.items;
    return array->count;
}

/* "deployments.apps" is "deployments" of group "apps"; a bare word is of any group. */
static bool of_group(struct str word, struct str group, struct str *out_bare)
{
    ptrdiff_t dot = str_find_char(word, '.', 0);
    *out_bare = dot < 0 ? word : str_slice(word, 0, (size_t)dot);
    return dot < 0 || str_eq(str_slice(word, (size_t)dot + 1, word.len), group);
}

static bool match_version(const struct json *version, struct str group, struct str bare,
                          struct objects_resource *out)
{
    const struct json *resources = NULL;
    size_t count = items_of(json_get_c(version, "resources"), &resources);
    for (size_t i = 0; i < count; i++) {
        if (!named(&resources[i], bare))
            continue;
        *out = (struct objects_resource){
            .group = group,
            .version = json_str(json_get_c(version, "version")),
            .plural = json_str(json_get_c(&resources[i], "resource")),
            .namespaced = str_eq_c(json_str(json_get_c(&resources[i], "scope")), "Namespaced")
        };
        return true;
    }
    return false;
}

bool objects_match(const struct json *list, struct str word, struct objects_resource *out)
{
    const struct json *groups = NULL;
    size_t count = items_of(json_get_c(list, "items"), &groups);
    for (size_t i = 0; i < count; i++) {
        const struct json *versions = NULL;
        struct str group = json_str(json_get_c(json_get_c(&groups[i], "metadata"), "name"));
        struct str bare;
        if (!of_group(word, group, &bare))
            continue;
        size_t n = items_of(json_get_c(&groups[i], "versions"), &versions);
        for (size_t j = 0; j < n; j++)
            if (match_version(&versions[j], group, bare, out))
                return true;
    }
    return false;
}

int objects_find(struct cli *c, struct str word, struct objects_resource *out, struct err *e)
{
    static const char *const roots[] = { "/api", "/apis" };
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        const struct json *list;
        struct str body;
        int rc = ask_any(c, roots[i], AGGREGATED, &body, e);
        if (rc == 0)
            rc = json_parse(&c->arena, body, &list, e);
        if (rc != 0)
            return rc;
        if (objects_match(list, word, out))
            return 0;
    }
    return err_set(e, ERR_NOT_FOUND, "the server has no resource '%.*s'", STR_ARG(word));
}

/* A path's segment: what is not plainly allowed there is escaped. */
static struct str segment(struct cli *c, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = arena_alloc(&c->arena, 3 * s.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char b = (unsigned char)s.data[i];
        bool plain = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') ||
                     b == '-' || b == '.' || b == '_' || b == '~' || b == ':';
        if (plain) {
            out[len++] = (char)b;
        } else {
            out[len++] = '%';
            out[len++] = hex[b >> 4];
            out[len++] = hex[b & 15];
        }
    }
    return str_of(out, len);
}

const char *objects_path(struct cli *c, const struct objects_resource *r, struct str ns,
                         struct str name)
{
    struct arena *a = &c->arena;
    struct str root = r->group.len == 0 ? str_printf(a, "/api/%.*s", STR_ARG(r->version))
                                        : str_printf(a, "/apis/%.*s/%.*s", STR_ARG(r->group),
                                                     STR_ARG(r->version));
    struct str in = r->namespaced && ns.len > 0
                        ? str_printf(a, "/namespaces/%.*s", STR_ARG(segment(c, ns)))
                        : str_lit("");
    struct str of = name.len > 0 ? str_printf(a, "/%.*s", STR_ARG(segment(c, name))) : str_lit("");
    return str_printf(a, "%.*s%.*s/%.*s%.*s", STR_ARG(root), STR_ARG(in), STR_ARG(r->plural),
                      STR_ARG(of))
        .data;
}

bool objects_split(struct str word, struct str *out_resource, struct str *io_name)
{
    ptrdiff_t slash = str_find_char(word, '/', 0);
    *out_resource = slash < 0 ? word : str_slice(word, 0, (size_t)slash);
    if (slash < 0)
        return out_resource->len > 0;
    if (io_name->len > 0)
        return false;
    *io_name = str_slice(word, (size_t)slash + 1, word.len);
    return out_resource->len > 0 && io_name->len > 0;
}
