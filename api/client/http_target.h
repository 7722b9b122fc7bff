/* Inside api/client: calls and watches as HTTP methods and targets, and server URLs as addresses.
 */
#ifndef API_CLIENT_HTTP_TARGET_H
#define API_CLIENT_HTTP_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "api/client/client.h"

struct arena;
struct buf;

const char *http_method(enum client_verb verb);
/* "/api/v1/namespaces/default/pods/web/status?dryRun=All" */
void http_target_call(struct buf *out, const struct client_call *call);
void http_target_watch(struct buf *out, const struct client_watch *w);

#define HTTP_TERM_TEXT_MAX 24
struct str http_term_text(uint64_t term, char out[HTTP_TERM_TEXT_MAX]);

struct http_endpoint {
    const char *address;   /* "tcp:127.0.0.1:6443" */
    const char *authority; /* "127.0.0.1:6443" */
    bool secure;
};

/* "https://127.0.0.1:6443", "http://..." (tests); port 443 or 80 when none is named. A path is
 * refused. Strings live in the arena. */
int http_endpoint_parse(struct arena *a, struct str url, struct http_endpoint *out, struct err *e);

#endif
