/*
 * What a request asks for, read from its method, path and query alone.
 *
 * Grammar: /api/v1 (the core group) or /apis/GROUP/VERSION, then [/namespaces/NS]/RESOURCE
 * [/NAME[/SUBRESOURCE[/TAIL]]]. What follows the subresource "proxy" of a core resource, and its
 * query, are for another server: they are neither decoded nor checked. "namespaces/NS/status" and
 * "namespaces/NS/finalize" are subresources of the namespace. /api/v1/watch/... and
 * /apis/G/V/watch/... are the old spelling of a watch. Everything else is a plain path (discovery,
 * health, openapi). The route knows no kinds: whether the resource exists is decided by who looks
 * it up.
 *
 * Pure functions over borrowed bytes; what is percent-decoded lives in the arena.
 */
#ifndef CONTROLPLANE_APISERVER_ROUTE_H
#define CONTROLPLANE_APISERVER_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct arena;

/* More parameters are refused with 400, before any is read. Each argument of an exec is one, so the
 * subresources exec and attach may have more than others. A path of more segments is a plain one:
 * nothing is served there. A target of more bytes (HTTP_URI_BYTES_MAX) HTTP refuses itself. */
#define ROUTE_SEGMENTS_MAX       32
#define ROUTE_PARAMS_MAX         128
#define ROUTE_COMMAND_PARAMS_MAX 16384

enum verb {
    VERB_NONE, /* no such verb here: 405 */
    VERB_GET,
    VERB_LIST,
    VERB_WATCH,
    VERB_CREATE,
    VERB_UPDATE,
    VERB_PATCH,
    VERB_DELETE,
    VERB_DELETECOLLECTION,
    VERB_COUNT
};

const char *verb_name(enum verb verb);

struct param {
    struct str name;
    struct str value;
};

struct route {
    bool resource;      /* else a plain path: only path, method and params are set */
    struct str path;    /* as sent, without the query */
    struct str method;  /* "GET" */
    enum verb verb;     /* of resource requests */
    struct str group;   /* "" for core */
    struct str version; /* "v1" */
    struct str ns;      /* "" for cluster scope and for all namespaces */
    struct str plural;  /* "pods" */
    struct str name;    /* "" for collections */
    struct str sub;     /* "status"; "" for the object itself */
    struct str tail;    /* what follows the subresource; of a proxy as sent, "/" included */
    const struct param *params;
    size_t params_count;
};

/* Reads method and target ("/api/v1/pods?limit=5"); -ERR_INVALID_ARGUMENT when the target is
 * malformed or too long. */
int route_parse(struct arena *a, struct str method, struct str target, struct route *out,
                struct err *e);

/* The first value of a parameter, or an absent str (data NULL). */
struct str route_param(const struct route *r, const char *name);
bool route_has_param(const struct route *r, const char *name);
/* Upstream's reading of a boolean parameter: present and not one of "false", "0" -> true. */
bool route_param_bool(const struct route *r, const char *name);
/* Absent or empty: *out untouched; not a number: -ERR_INVALID_ARGUMENT. */
int route_param_i64(const struct route *r, const char *name, int64_t *out, struct err *e);

#endif
