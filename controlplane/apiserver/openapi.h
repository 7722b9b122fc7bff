/*
 * OpenAPI, as little of it as makes kubectl's create and apply validate: for every kind the POST
 * and PATCH operations with the query parameters they take. Schemas of the kinds come with a later
 * issue.
 */
#ifndef CONTROLPLANE_APISERVER_OPENAPI_H
#define CONTROLPLANE_APISERVER_OPENAPI_H

#include <stdbool.h>

#include "base/str.h"

struct arena;
struct buf;

/* /openapi/v3: where the documents are. */
void openapi_write_root(struct arena *a, struct buf *out);
/* The document of "api/v1" or "apis/apps/v1"; false: there is none. */
bool openapi_write_group(struct buf *out, struct str path);
/* The hash that a document is known by, in the arena. */
struct str openapi_hash(struct arena *a, struct str document);

#endif
