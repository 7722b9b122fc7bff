/*
 * Content negotiation: what an Accept or Content-Type header means here.
 *
 * An Accept header is a list of clauses, ordered by q and by how much of the type they name, as
 * upstream orders them (q=0 is last, not refused). A clause may carry a
 * transform: as=Table or as=PartialObjectMetadata(List) of group meta.k8s.io, and
 * as=APIGroupDiscoveryList of apidiscovery.k8s.io. A clause that an endpoint cannot serve is
 * skipped; 406 only when none is left. Pure functions over borrowed text.
 */
#ifndef CONTROLPLANE_APISERVER_MEDIA_H
#define CONTROLPLANE_APISERVER_MEDIA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define MEDIA_CLAUSES_MAX 32
#define MEDIA_TEXT_MAX    2048 /* longer Accept headers are cut here, at a clause */

enum media_type { MEDIA_JSON, MEDIA_YAML, MEDIA_PROTOBUF, MEDIA_TYPES };

enum transform {
    TRANSFORM_NONE,
    TRANSFORM_PARTIAL, /* PartialObjectMetadata */
    TRANSFORM_PARTIAL_LIST,
    TRANSFORM_TABLE,
    TRANSFORM_COUNT
};

struct media {
    enum media_type type;
    enum transform transform;
    bool v1beta1; /* the transform was asked as meta.k8s.io/v1beta1 */
    bool pretty;  /* asked for in the clause; ?pretty= says it too */
};

struct media_clause {
    struct str type; /* "application/json" */
    struct str group;
    struct str version;
    struct str as;
    struct str stream;
    struct str server_version; /* sv= */
    bool pretty;
    int q; /* thousandths */
};

/* What an endpoint serves besides JSON. */
enum {
    MEDIA_ALLOW_YAML = 1,
    MEDIA_ALLOW_PROTOBUF = 2,
    MEDIA_ALLOW_PARTIAL = 4,
    MEDIA_ALLOW_TABLE = 8,
    MEDIA_ALLOW_OBJECTS = 15
};

/* Clauses of an Accept header in the order of preference; out has room for MEDIA_CLAUSES_MAX. An
 * empty header is one clause "any type". */
size_t media_clauses(struct str accept, struct media_clause *out);
/* Does the clause's type, wildcards included, accept this full type? */
bool media_clause_accepts(const struct media_clause *c, const char *type);

/* -ERR_NOT_ACCEPTABLE with upstream's list of types; stream: of those that a watch has. */
int media_refused(bool stream, struct err *e);
/* The answer's encoding; -ERR_NOT_ACCEPTABLE with upstream's text. */
int media_accept(struct str accept, int allow, struct media *out, struct err *e);
/* Reads the encoding of a request's body (absent: JSON); -ERR_UNSUPPORTED_MEDIA_TYPE with
 * upstream's text. */
int media_content(struct str content_type, enum media_type *out, struct err *e);

/* "application/json"; stream: as the content type of a watch. */
const char *media_name(enum media_type type, bool stream);

/* Is JSON to be written for people? By ?pretty= (empty: not said), else by who asks. */
bool media_pretty(struct str asked, struct str user_agent);
/* Only the plain word counts, as upstream has it: no q, no star. */
bool media_takes_gzip(struct str accept_encoding);

enum patch_type { PATCH_JSON, PATCH_MERGE, PATCH_STRATEGIC, PATCH_APPLY };

/* The patch a Content-Type names; -ERR_UNSUPPORTED_MEDIA_TYPE with upstream's text. */
int media_patch(struct str content_type, enum patch_type *out, struct err *e);

#endif
