/* Objects' paths and names in text (see objects.h). */
#include "cli/objects.h"

struct str objects_escape(struct cli *c, struct str s)
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
                        ? str_printf(a, "/namespaces/%.*s", STR_ARG(objects_escape(c, ns)))
                        : str_lit("");
    struct str of =
        name.len > 0 ? str_printf(a, "/%.*s", STR_ARG(objects_escape(c, name))) : str_lit("");
    return str_printf(a, "%.*s%.*s/%.*s%.*s", STR_ARG(root), STR_ARG(in), STR_ARG(r->plural),
                      STR_ARG(of))
        .data;
}

struct str objects_title(struct cli *c, const struct objects_resource *r, struct str name)
{
    char *kind = str_dup(&c->arena, r->kind);
    for (size_t i = 0; i < r->kind.len; i++)
        if (kind[i] >= 'A' && kind[i] <= 'Z')
            kind[i] = (char)(kind[i] - 'A' + 'a');
    return str_printf(&c->arena, "%s%s%.*s/%.*s", kind, r->group.len > 0 ? "." : "",
                      STR_ARG(r->group), STR_ARG(name));
}

struct str objects_group_resource(struct cli *c, const struct objects_resource *r)
{
    return r->group.len == 0
               ? r->plural
               : str_printf(&c->arena, "%.*s.%.*s", STR_ARG(r->plural), STR_ARG(r->group));
}

struct str objects_api_version(struct cli *c, const struct objects_resource *r)
{
    return r->group.len == 0
               ? r->version
               : str_printf(&c->arena, "%.*s/%.*s", STR_ARG(r->group), STR_ARG(r->version));
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
