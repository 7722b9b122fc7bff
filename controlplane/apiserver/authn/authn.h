/*
 * Who is asking: an identity from what the connection proved.
 *
 * A client certificate of the cluster's CA gives the user (CN) and the groups (O), as upstream's
 * x509 authenticator does. No certificate, or one that does not verify, is nobody: 401. Bearer
 * tokens come with identity (a later issue) and get their place here.
 */
#ifndef CONTROLPLANE_APISERVER_AUTHN_AUTHN_H
#define CONTROLPLANE_APISERVER_AUTHN_AUTHN_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct arena;
struct http_peer;

struct identity {
    struct str user;
    struct str *groups;
    size_t groups_count;
};

/*
 * plain_user: the user of connections without TLS, NULL when they are nobody. Strings live in the
 * arena. -ERR_UNAUTHENTICATED with upstream's text.
 */
int authn_identify(struct arena *a, const struct http_peer *peer, const char *plain_user,
                   struct identity *out, struct err *e);

#endif
