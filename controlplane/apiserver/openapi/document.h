/* OpenAPI documents as JSON. They are written anew by each call: callers keep them. */
#ifndef CONTROLPLANE_APISERVER_OPENAPI_DOCUMENT_H
#define CONTROLPLANE_APISERVER_OPENAPI_DOCUMENT_H

#include "base/str.h"

struct arena;
struct buf;
struct group_version;

/* Every kind there is. */
void openapi_write_v2(struct buf *out);
/* The kinds of one group and version, and all they are made of. */
void openapi_write_v3(struct buf *out, const struct group_version *g);
/* "api/v1" or "apis/apps/v1", in the arena: what a v3 document is called. */
struct str openapi_group_path(struct arena *a, const struct group_version *g);

#endif
