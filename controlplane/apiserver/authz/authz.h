/*
 * May they: one question with the attributes RBAC will need.
 *
 * Until RBAC is built whoever has a certificate of the cluster's CA may do everything, and nobody
 * (system:anonymous) nothing. Who is impersonated has shown no certificate, and may do what
 * upstream's default roles give to the groups: everything to system:masters, discovery, health and
 * questions about themselves to system:authenticated, health and the version to
 * system:unauthenticated, to others nothing. RBAC replaces authz.c and nothing else.
 */
#ifndef CONTROLPLANE_APISERVER_AUTHZ_AUTHZ_H
#define CONTROLPLANE_APISERVER_AUTHZ_AUTHZ_H

#include <stdbool.h>
#include <stddef.h>

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

#define AUTHZ_NAMES_MAX 16

/* One thing that somebody may do; "*" is anything, of paths also at the end of one. */
struct authz_rule {
    bool resource;
    const char *verb;
    const char *group;                      /* of resources */
    const char *names[AUTHZ_NAMES_MAX + 1]; /* plurals, or paths; ended by NULL */
};

/* The rules of an identity, one after another; NULL after the last. */
const struct authz_rule *authz_rule_at(const struct identity *who, size_t i);

#endif
