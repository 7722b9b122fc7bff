/*
 * Private to the API server: documents that never change while it runs (OpenAPI, until there are
 * custom resources). Each is made when it is first asked for, hashed and compressed once, and kept
 * compressed: whoever cannot take gzip has it unpacked.
 *
 * Any thread may ask. Two that ask at once make it twice, and one of the two is kept. Documents
 * live as long as the struct documents.
 */
#ifndef CONTROLPLANE_APISERVER_DOCUMENTS_H
#define CONTROLPLANE_APISERVER_DOCUMENTS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/cell.h"
#include "controlplane/resources/registry.h"

/* Two hexadecimal digits a byte of SHA-256. */
#define DOCUMENT_HASH_BYTES 64

struct document {
    char hash[DOCUMENT_HASH_BYTES + 1]; /* upper case */
    struct buf packed;                  /* gzip */
    size_t plain_bytes;
};

enum document_form { DOCUMENT_JSON, DOCUMENT_PROTOBUF, DOCUMENT_FORMS };

struct documents {
    struct cell v2[DOCUMENT_FORMS];
    struct cell v3[GROUPS_MAX][DOCUMENT_FORMS]; /* in the order of resource_groups */
    struct cell root;                           /* of v3: where the others are */
};

/* What a document of these bytes is known by. */
void document_hash(struct str bytes, char out[DOCUMENT_HASH_BYTES + 1]);

void documents_deinit(struct documents *d);
const struct document *documents_v2(struct documents *d, enum document_form form);
/* path: "api/v1", "apis/apps/v1"; NULL: there is none. */
const struct document *documents_v3(struct documents *d, struct str path, enum document_form form);
const struct document *documents_root(struct documents *d);

#endif
