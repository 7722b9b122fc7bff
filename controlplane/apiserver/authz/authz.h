/*
 * May they: one question with the attributes RBAC will need.
 *
 * Until identity is built every certificate of the cluster's CA may do everything, so the answer is
 * yes for whoever authn let through. RBAC replaces the body of authz_allow and nothing else.
 */
#ifndef CONTROLPLANE_APISERVER_AUTHZ_AUTHZ_H
#define CONTROLPLANE_APISERVER_AUTHZ_AUTHZ_H

#include <stdbool.h>

#include "base/str.h"

struct identity;

struct authz_request {
    const struct identity *identity;
    const char *verb; /* "list"; lower-case HTTP method for plain paths */
    bool resource;
    struct str group;
    struct str plural;
    struct str sub;
    struct str ns;
    struct str name;
    struct str path; /* of plain paths */
};

bool authz_allow(const struct authz_request *q);

#endif
