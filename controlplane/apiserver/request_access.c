/* Who sends a request, as whom it runs, and whether it may. */
#include "controlplane/apiserver/authz/authz.h"
#include "controlplane/apiserver/request.h"
#include "controlplane/resources/rules.h"

/* Upstream's words for what somebody may not do. */
static struct str denial(struct request *r, const struct authz_request *q)
{
    struct arena *a = &r->arena;
    const char *user = text_quoted(a, str_dup(a, q->identity->user));
    if (!q->resource) {
        return str_printf(a, "User %s cannot %s path %s", user, q->verb,
                          text_quoted(a, str_dup(a, q->path)));
    }
    struct str what = str_printf(
        a, "User %s cannot %s resource \"%.*s%s%.*s\" in API group \"%.*s\"", user, q->verb,
        STR_ARG(q->plural), q->sub.len > 0 ? "/" : "", STR_ARG(q->sub), STR_ARG(q->group));
    return q->ns.len == 0
               ? str_printf(a, "%.*s at the cluster scope", STR_ARG(what))
               : str_printf(a, "%.*s in the namespace \"%.*s\"", STR_ARG(what), STR_ARG(q->ns));
}

/* Whatever is named, there or not. */
static int forbid(struct request *r, const struct authz_request *q)
{
    struct str text = denial(r, q);
    bool named = q->resource && q->name.len > 0;
    r->status = (struct status){ .code = err_http_status(ERR_FORBIDDEN),
                                 .reason = str_from(err_reason(ERR_FORBIDDEN)),
                                 .details = true };
    if (!q->resource) {
        r->status.message = str_printf(&r->arena, "forbidden: %.*s", STR_ARG(text));
        return -ERR_FORBIDDEN;
    }
    r->status.name = q->name;
    r->status.group = q->group;
    r->status.kind = q->plural;
    r->status.message =
        str_printf(&r->arena, "%.*s%s%.*s%s%.*s%s is forbidden: %.*s", STR_ARG(q->plural),
                   q->group.len > 0 ? "." : "", STR_ARG(q->group), named ? " \"" : "",
                   STR_ARG(q->name), named ? "\"" : "", STR_ARG(text));
    return -ERR_FORBIDDEN;
}

static const char *lower(struct arena *a, struct str text)
{
    char *out = str_dup(a, text);
    for (char *c = out; *c != '\0'; c++) {
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    }
    return out;
}

int request_check_verb(struct request *r, const char *verb)
{
    const struct route *route = &r->route;
    bool space = str_eq_c(route->plural, "namespaces") && route->group.len == 0;
    const struct authz_request q = {
        .identity = &r->identity,
        .verb = route->resource ? verb : lower(&r->arena, route->method),
        .resource = route->resource,
        .group = route->group,
        .plural = route->plural,
        .sub = route->sub,
        .ns = space ? route->name : route->ns, /* a namespace is in itself */
        .name = route->name,
        .path = route->path,
    };
    return authz_allow(&q) ? 0 : forbid(r, &q);
}

int request_identify(struct request *r)
{
    struct err e;
    struct identity other = { 0 };
    authn_forget_tokens(&r->arena, &r->x->headers);
    int rc = authn_identify(&r->arena, r->x->peer, r->server->config.plain_user, &r->identity, &e);
    rc = rc == 0 ? authn_impersonate(&r->arena, &r->x->headers, &other, &e) : rc;
    if (rc != 0) {
        return status_from_err(&r->arena, &r->status, rc, &e);
    }
    if (!other.impersonated) {
        return 0;
    }
    const struct authz_request q = { .identity = &r->identity,
                                     .verb = "impersonate",
                                     .resource = true,
                                     .plural = str_lit("users"),
                                     .name = other.user };
    if (!authz_allow(&q)) {
        return forbid(r, &q);
    }
    r->identity = other;
    return 0;
}
