/* Names arrive in lower case. */
#include "controlplane/apiserver/proxy_headers.h"

#include <string.h>

#include "controlplane/apiserver/authn/authn.h"

/* Of one connection, whatever the Connection field says. */
static const char *const hop_names[] = { "connection",
                                         "keep-alive",
                                         "proxy-connection",
                                         "te",
                                         "trailer",
                                         "transfer-encoding",
                                         "upgrade",
                                         "proxy-authenticate",
                                         "proxy-authorization",
                                         "http2-settings" };
/* For this server. Expect was answered by it. */
static const char *const our_names[] = { "authorization", "expect", "gantry-request-id",
                                         "gantry-fence-term", "host" };

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool is_one_of(struct str name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq_c(name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool is_hop(const struct http_headers *all, struct str name, bool upgrade)
{
    if (str_eq_c(name, "upgrade")) {
        return !upgrade;
    }
    if (is_one_of(name, hop_names, COUNT(hop_names))) {
        return true;
    }
    for (size_t i = 0; i < all->count; i++) {
        struct str rest = all->items[i].value;
        struct str token;
        while (str_eq_c(all->items[i].name, "connection") && rest.data != NULL &&
               str_split(&rest, ',', &token)) {
            if (str_eq_nocase(str_trim(token), name)) {
                return true;
            }
        }
    }
    return false;
}

static void add_forwarded_for(struct arena *a, const struct http_exchange *x,
                              struct http_headers *out)
{
    struct str before = http_headers_get(&x->headers, "x-forwarded-for");
    struct str peer = str_from(x->peer->address);
    ptrdiff_t colon = -1;
    for (size_t i = 0; i < peer.len; i++) {
        colon = peer.data[i] == ':' ? (ptrdiff_t)i : colon;
    }
    peer = colon > 0 ? str_slice(peer, 0, (size_t)colon) : peer;
    if (peer.len > 2 && peer.data[0] == '[') {
        peer = str_slice(peer, 1, peer.len - 1);
    }
    http_headers_add(a, out, str_lit("x-forwarded-for"),
                     before.len > 0 ? str_printf(a, "%.*s, %.*s", STR_ARG(before), STR_ARG(peer))
                                    : str_copy(a, peer));
}

void proxy_request_headers(struct arena *a, const struct http_exchange *x,
                           const struct proxy_path *path, bool upgrade, struct http_headers *out)
{
    for (size_t i = 0; i < x->headers.count; i++) {
        struct str name = x->headers.items[i].name;
        if (!is_hop(&x->headers, name, upgrade) && !is_one_of(name, our_names, COUNT(our_names)) &&
            !authn_impersonates(name) && !str_eq_c(name, "x-forwarded-for") &&
            !str_eq_c(name, "x-forwarded-uri")) {
            http_headers_add(a, out, name, x->headers.items[i].value);
        }
    }
    add_forwarded_for(a, x, out);
    http_headers_add(a, out, str_lit("x-forwarded-uri"),
                     str_printf(a, "%.*s%.*s", STR_ARG(path->prefix), STR_ARG(path->tail)));
}

/* ---- URLs ---- */

/* "http://host:1/a?b" in scheme's end, host and rest; a URL without a host is all rest. */
static void split_url(struct str url, struct str *out_host, struct str *out_rest)
{
    *out_host = str_lit("");
    *out_rest = url;
    struct str behind = url;
    static const char *const schemes[] = { "http:", "https:" };
    for (size_t i = 0; i < COUNT(schemes); i++) {
        size_t len = strlen(schemes[i]);
        if (str_eq_nocase(str_slice(url, 0, len), str_from(schemes[i]))) {
            behind = str_slice(url, len, url.len);
        }
    }
    if (!str_starts(behind, str_lit("//"))) {
        return;
    }
    size_t end = 2;
    while (end < behind.len && strchr("/?#", behind.data[end]) == NULL) {
        end++;
    }
    *out_host = str_slice(behind, 2, end);
    *out_rest = str_slice(behind, end, behind.len);
}

struct str proxy_rewrite_url(struct arena *a, struct str url, const struct proxy_path *path,
                             struct str host, struct str authority)
{
    struct str its_host;
    struct str rest;
    split_url(url, &its_host, &rest);
    bool other = its_host.len > 0 && !str_eq(its_host, host) && !str_eq(its_host, authority);
    if (other || rest.len == 0 || rest.data[0] != '/') {
        return url;
    }
    if (str_starts(rest, path->prefix)) {
        return rest;
    }
    return str_printf(a, "%.*s%.*s", STR_ARG(path->prefix), STR_ARG(rest));
}

void proxy_response_headers(struct arena *a, const struct http_headers *in,
                            const struct http_exchange *x, const struct proxy_path *path,
                            struct str host, bool upgrade, struct http_headers *out)
{
    for (size_t i = 0; i < in->count; i++) {
        struct str name = in->items[i].name;
        struct str value = in->items[i].value;
        if (is_hop(in, name, upgrade)) {
            continue;
        }
        if (str_eq_c(name, "location")) {
            value = proxy_rewrite_url(a, value, path, host, x->authority);
        }
        http_headers_add(a, out, name, value);
    }
}

bool proxy_is_page(const struct http_headers *in)
{
    struct str rest = http_headers_get(in, "content-type");
    struct str type = { 0 };
    return http_headers_get(in, "content-encoding").len == 0 && rest.len > 0 &&
           str_split(&rest, ';', &type) && str_eq_nocase(str_trim(type), str_lit("text/html"));
}
