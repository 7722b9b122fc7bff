/* Methods, targets and addresses (see http_target.h). */
#include "api/client/http_target.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"

const char *http_method(enum client_verb verb)
{
    static const char *const methods[] = { [CLIENT_GET] = "GET",
                                           [CLIENT_LIST] = "GET",
                                           [CLIENT_CREATE] = "POST",
                                           [CLIENT_UPDATE] = "PUT",
                                           [CLIENT_PATCH] = "PATCH",
                                           [CLIENT_DELETE] = "DELETE",
                                           [CLIENT_DELETE_COLLECTION] = "DELETE" };

    return methods[verb];
}

static void put_path(struct buf *out, enum kind kind, struct str namespace, struct str name,
                     struct str subresource)
{
    const struct kind_info *info = kind_info(kind);

    if (info->group[0] == 0)
        buf_printf(out, "/api/%s", info->version);
    else
        buf_printf(out, "/apis/%s/%s", info->group, info->version);
    if (info->namespaced && namespace.len > 0) {
        buf_append_c(out, "/namespaces/");
        client_query_escape(out, namespace);
    }
    buf_printf(out, "/%s", info->plural);
    if (name.len > 0) {
        buf_append_byte(out, '/');
        client_query_escape(out, name);
    }
    if (subresource.len > 0) {
        buf_append_byte(out, '/');
        client_query_escape(out, subresource);
    }
}

void http_target_call(struct buf *out, const struct client_call *call)
{
    put_path(out, call->kind, call->namespace, call->name, call->subresource);
    if (call->query.len > 0) {
        buf_append_byte(out, '?');
        buf_append_str(out, call->query);
    }
}

static void put_parameter(struct buf *out, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    buf_printf(out, "&%s=", name);
    client_query_escape(out, value);
}

void http_target_watch(struct buf *out, const struct client_watch *w)
{
    put_path(out, w->kind, w->namespace, str_of(NULL, 0), str_of(NULL, 0));
    buf_append_c(out, "?watch=true");
    if (w->revision > 0)
        buf_printf(out, "&resourceVersion=%llu", (unsigned long long)w->revision);
    if (w->bookmarks)
        buf_append_c(out, "&allowWatchBookmarks=true");
    if (w->timeout_s > 0)
        buf_printf(out, "&timeoutSeconds=%u", w->timeout_s);
    put_parameter(out, "labelSelector", w->label_selector);
    put_parameter(out, "fieldSelector", w->field_selector);
}

struct str http_term_text(uint64_t term, char out[HTTP_TERM_TEXT_MAX])
{
    int n = snprintf(out, HTTP_TERM_TEXT_MAX, "%llu", (unsigned long long)term);

    return str_of(out, (size_t)n);
}

/* Is there a port behind the host? Colons inside brackets belong to an IPv6 address. */
static bool has_port(struct str host)
{
    ptrdiff_t bracket = str_find_char(host, ']', 0);

    return str_find_char(host, ':', bracket < 0 ? 0 : (size_t)bracket) >= 0;
}

int http_endpoint_parse(struct arena *a, struct str url, struct http_endpoint *out, struct err *e)
{
    static const struct str https = STR("https://"), http = STR("http://");
    struct http_endpoint ep = { .secure = str_starts(url, https) };
    struct str host;

    if (!ep.secure && !str_starts(url, http))
        return err_set(e, ERR_INVALID_ARGUMENT, "server \"%.*s\" is no http URL", STR_ARG(url));
    host = str_slice(url, ep.secure ? https.len : http.len, url.len);
    if (host.len > 0 && host.data[host.len - 1] == '/')
        host.len--;
    if (host.len == 0 || str_find_char(host, '/', 0) >= 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "server \"%.*s\" must be a host and a port",
                       STR_ARG(url));
    if (!has_port(host))
        host = str_printf(a, "%.*s:%d", STR_ARG(host), ep.secure ? 443 : 80);
    ep.authority = str_dup(a, host);
    ep.address = str_dup(a, str_printf(a, "tcp:%.*s", STR_ARG(host)));
    *out = ep;
    return 0;
}
