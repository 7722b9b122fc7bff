/*
 * Who is asking: an identity from what the connection proved.
 *
 * A client certificate of the cluster's CA gives the user (CN) and the groups (O), as upstream's
 * x509 authenticator does. No certificate, or one that does not verify, is nobody: 401. Bearer
 * tokens come with identity (a later issue) and get their place here; until then a request with one
 * is as one without.
 *
 * Who may do so may ask for a request to run as somebody else (impersonation): Impersonate-User,
 * -Group, -Uid and -Extra-KEY, as kubectl's --as and its like send them.
 */
#ifndef CONTROLPLANE_APISERVER_AUTHN_AUTHN_H
#define CONTROLPLANE_APISERVER_AUTHN_AUTHN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct arena;
struct http_headers;
struct http_peer;

/* What else is known of somebody: a key and its values. */
struct identity_extra {
    struct str key;
    struct str *values;
    size_t values_count;
};

struct identity {
    struct str user;
    struct str uid;
    struct str *groups;
    size_t groups_count;
    struct identity_extra *extras;
    size_t extras_count;
    bool impersonated; /* nobody has proved to be this */
};

/*
 * plain_user: the user of connections without TLS, NULL when they are nobody. Strings live in the
 * arena. -ERR_UNAUTHENTICATED with upstream's text.
 */
int authn_identify(struct arena *a, const struct http_peer *peer, const char *plain_user,
                   struct identity *out, struct err *e);

/* Takes bearer tokens out of the subprotocols that a WebSocket offers, where browsers put what is
 * Authorization elsewhere. No token is anybody's yet: as a token in that header it is passed over,
 * and none is spoken, shown or sent on. */
void authn_forget_tokens(struct arena *a, struct http_headers *headers);

/* The identity that the headers ask for, in *out; without a user in it when they ask for none.
 * -ERR_INVALID_ARGUMENT with upstream's text when they ask for anything without a user. */
int authn_impersonate(struct arena *a, const struct http_headers *headers, struct identity *out,
                      struct err *e);
/* Whether a header is about this; name in lower case. */
bool authn_impersonates(struct str name);

#endif
