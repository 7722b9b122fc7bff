/*
 * Private to the API server: what a proxy changes of the headers that pass it. Pure functions; the
 * results live in the arena or point into what was given.
 */
#ifndef CONTROLPLANE_APISERVER_PROXY_HEADERS_H
#define CONTROLPLANE_APISERVER_PROXY_HEADERS_H

#include "net/http.h"

/* The path that was asked for, as sent, up to and with "/proxy". */
struct proxy_path {
    struct str prefix; /* "/api/v1/namespaces/default/pods/web/proxy" */
    struct str tail;   /* what follows, "" or from "/" on */
};

/* What is sent on: without what belongs to this connection (RFC 9110 section 7.6.1) or to this
 * server (credentials), with X-Forwarded-For and -Uri as upstream sets them. upgrade: an upgrade is
 * asked for and shall pass. */
void proxy_request_headers(struct arena *a, const struct http_exchange *x,
                           const struct proxy_path *path, bool upgrade, struct http_headers *out);

/* What is answered: the same rules; a Location that leads to the server behind the proxy leads
 * through it. host: of the server, as "10.0.0.1:80". */
void proxy_response_headers(struct arena *a, const struct http_headers *in,
                            const struct http_exchange *x, const struct proxy_path *path,
                            struct str host, bool upgrade, struct http_headers *out);

/* Is the answer text/html without a content coding? */
bool proxy_is_page(const struct http_headers *in);

/* A URL that the server meant for itself (no host, host, or what the client called it: authority,
 * with an absolute path), as a path through the proxy; any other as it is. */
struct str proxy_rewrite_url(struct arena *a, struct str url, const struct proxy_path *path,
                             struct str host, struct str authority);

#endif
