/*
 * Stored objects: refcounted constant bytes, and cheap reads of their metadata.
 *
 * The stored value is one byte (form), one byte (storage version), then the payload; for built-in
 * kinds that is Kubernetes' protobuf encoding of the message (no `k8s\0` envelope) with an empty
 * metadata.resourceVersion: the revision is the row's and is spliced in on the way out.
 * Objects are shared between threads and never changed; only the count is atomic.
 */
#ifndef API_META_OBJECT_H
#define API_META_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/meta/key.h"
#include "api/meta/labels.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum object_form { OBJECT_PROTOBUF = 0, OBJECT_JSON = 1, OBJECT_SEALED = 2 };

#define OBJECT_HEADER_BYTES    2
#define OBJECT_STORAGE_VERSION 1 /* of every kind so far */

/* Puts the header in front of a payload being built (call before appending the payload). */
void object_put_header(struct buf *out);
/* The payload of a stored value; -ERR_CORRUPT when the header is not one we can read. */
int object_payload(struct str value, struct str *out_payload, struct err *e);

/* What one scan of metadata yields; everything points into the payload. */
struct object_meta {
    struct str bytes; /* the ObjectMeta message itself */
    struct str name;
    struct str generate_name;
    struct str namespace;
    struct str uid;
    int64_t generation;
    int64_t creation_seconds; /* 0: unset */
    bool deleting;            /* deletionTimestamp is set */
    int64_t deletion_seconds;
    bool has_deletion_grace;
    int64_t deletion_grace_seconds;
    size_t finalizers_count;
    size_t owners_count;
};

/* payload: protobuf of any kind whose field 1 is ObjectMeta. Never fails: absent reads as empty. */
void object_meta_scan(struct str payload, struct object_meta *out);
/* Appends an object of the same kind that says who and whose it is, and no more: of metadata all
 * but labels, annotations and managed fields. */
void object_put_identity(struct buf *out, struct str payload);
/* For matching selectors: reads labels straight from the bytes. */
struct labels object_meta_labels(const struct object_meta *m);
/* True and *out_value when the map has the key. */
bool object_meta_label(const struct object_meta *m, struct str key, struct str *out_value);
bool object_meta_annotation(const struct object_meta *m, struct str key, struct str *out_value);
/* Walks finalizers. *at starts at 0. */
bool object_meta_finalizer(const struct object_meta *m, size_t *at, struct str *out);

struct object_owner {
    struct str api_version;
    struct str kind;
    struct str name;
    struct str uid;
    bool controller;
    bool block_owner_deletion;
};

/* Walks ownerReferences. *at starts at 0. */
bool object_meta_owner(const struct object_meta *m, size_t *at, struct object_owner *out);
/* The owner with controller=true. */
bool object_meta_controller(const struct object_meta *m, struct object_owner *out);

/* A version of an object that outlives a read transaction. */
struct object; /* opaque: count, revision, key, value */

/* Copies key and value; count 1. value is the stored form, with header. */
struct object *object_new(struct str key, uint64_t revision, struct str value);
struct object *object_ref(struct object *o);
void object_unref(struct object *o); /* NULL-safe */
struct str object_key(const struct object *o);
uint64_t object_revision(const struct object *o);
struct str object_value(const struct object *o);

#endif
