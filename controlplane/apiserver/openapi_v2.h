/*
 * OpenAPI v2 as gnostic's protobuf Document, as little of it as kubectl up to 1.28 needs before it
 * creates, applies and diffs: for every kind the PATCH operation with the query parameters it
 * takes.
 */
#ifndef CONTROLPLANE_APISERVER_OPENAPI_V2_H
#define CONTROLPLANE_APISERVER_OPENAPI_V2_H

struct buf;

/* What the answer is; Accept spells it "v2@v1.0", which Go's parser refuses in a Content-Type. */
#define OPENAPI_V2_TYPE "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

void openapi_v2_write(struct buf *out);

#endif
