/* The paths of OpenAPI documents: one operation per verb that discovery names. */
#ifndef CONTROLPLANE_APISERVER_OPENAPI_PATHS_H
#define CONTROLPLANE_APISERVER_OPENAPI_PATHS_H

#include "api/schema/openapi.h"

struct buf;
struct group_version;
struct resource;

/* The definition of a patch's body; no message of ours. */
#define OPENAPI_PATCH_MODEL "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"

struct openapi_paths {
    struct buf *out;
    enum openapi_version version;
};

/* The first path of a group and version: the list of its resources. */
void openapi_write_group_paths(struct openapi_paths *p, const struct group_version *g);
/* Appends ,"/path":{...} for the resource and its subresources. */
void openapi_write_resource_paths(struct openapi_paths *p, const struct resource *r);

#endif
