/* Keys are text so that byte order is list order; the resource part picks the kind. */
#include "api/meta/key.h"

#include "base/arena.h"

/* Of a view: the resource its rows belong to. */
static const char *resource_of_kind(enum kind kind)
{
    enum kind store = kind_store(kind);
    return kind_resource_group(store == KIND_NONE ? kind : store);
}

struct str key_text(struct arena *a, const struct key *k)
{
    return str_printf(a, "%s/%.*s/%.*s", resource_of_kind(k->kind), STR_ARG(k->namespace),
                      STR_ARG(k->name));
}

struct str key_prefix(struct arena *a, enum kind kind, struct str namespace)
{
    if (namespace.len == 0)
        return str_printf(a, "%s/", resource_of_kind(kind));
    return str_printf(a, "%s/%.*s/", resource_of_kind(kind), STR_ARG(namespace));
}

static enum kind kind_of_resource(struct str resource)
{
    for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++) {
        if (kind_info(k)->stored && str_eq_c(resource, kind_resource_group(k)))
            return k;
    }
    return KIND_NONE;
}

int key_parse(struct str text, struct key *out, struct err *e)
{
    struct str rest = text;
    struct str resource;
    struct str namespace;
    struct key k = { 0 };
    if (!str_split(&rest, '/', &resource) || !str_split(&rest, '/', &namespace) ||
        rest.data == NULL || rest.len == 0 || str_find_char(rest, '/', 0) >= 0)
        return err_set(e, ERR_PARSE, "key \"%.*s\": not resource/namespace/name",
                       STR_ARG(str_slice(text, 0, 128)));
    k.kind = kind_of_resource(resource);
    k.namespace = namespace;
    k.name = rest;
    if (k.kind == KIND_NONE)
        return err_set(e, ERR_PARSE, "key \"%.*s\": unknown resource",
                       STR_ARG(str_slice(text, 0, 128)));
    if (kind_info(k.kind)->namespaced != (namespace.len > 0))
        return err_set(e, ERR_PARSE, "key \"%.*s\": wrong scope", STR_ARG(str_slice(text, 0, 128)));
    *out = k;
    return 0;
}

bool key_eq(const struct key *a, const struct key *b)
{
    return a->kind == b->kind && str_eq(a->namespace, b->namespace) && str_eq(a->name, b->name);
}

struct key key_copy(struct arena *a, const struct key *k)
{
    return (struct key){ k->kind, str_copy(a, k->namespace), str_copy(a, k->name) };
}

struct str key_display(struct arena *a, const struct key *k)
{
    if (k->namespace.len == 0)
        return str_copy(a, k->name);
    return str_printf(a, "%.*s/%.*s", STR_ARG(k->namespace), STR_ARG(k->name));
}
