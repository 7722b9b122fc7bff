/*
 * Private to the API server: objects in and out of a request.
 *
 * In: a body in JSON, YAML or protobuf becomes a protobuf-c struct in the request's arena, strictly
 * as fieldValidation asks. Out: stored bytes become the negotiated encoding and transform; the
 * resourceVersion is spliced in on the way. A tree exists only for patches and YAML.
 */
#ifndef CONTROLPLANE_APISERVER_OBJECT_H
#define CONTROLPLANE_APISERVER_OBJECT_H

#include "controlplane/apiserver/request.h"

struct ObjectMeta;

/* What a body must be. */
struct body_type {
    const struct schema *schema;
    const char *kind;        /* "Pod" */
    const char *api_version; /* "v1"; NULL: any (DeleteOptions comes in every group's version) */
    const char *older;       /* another one whose form is the same; may be NULL */
};

struct body_type body_type_of(const struct kind_info *k);

/* Decodes r->body by its Content-Type; an absent kind or apiVersion means the expected one. -ERR_X
 * with r->status set. */
int object_decode_body(struct request *r, const struct body_type *type, void **out);
/* The schema of the structs that a kind's operations work on: of a view, the stored kind's. */
const struct schema *object_schema(const struct kind_info *k);
/* What object_decode_body or _tree made of a body of this kind becomes the struct to work on. */
int object_to_stored(struct request *r, const struct kind_info *k, void **object);
/* Decodes a JSON tree (a patched object) as the request's fieldValidation asks. */
int object_decode_tree(struct request *r, const struct body_type *type, const struct json *tree,
                       void **out);
/* Unpacks stored bytes; they are ours, so a failure is an internal error in r->status. */
int object_unpack(struct request *r, const struct kind_info *k, struct str payload, void **out);

/* The stored form of an object, header included, in the arena; metadata.resourceVersion
 * is cleared in the struct. */
struct str object_pack(struct request *r, const struct kind_info *k, void *object);
/* The payload of what object_pack made. */
struct str object_packed_payload(struct str value);

/* Answers with one object. */
enum request_run object_answer(struct request *r, int status, const struct kind_info *k,
                               struct str payload, uint64_t revision);
/* Answers with what is in r->out (JSON without its newline, or protobuf): the pretty form and YAML
 * are made here. */
enum request_run object_answer_out(struct request *r, int status);
/* Appends one object in a media type and transform, with kind and apiVersion, as an answer or the
 * object of a watch event holds it (protobuf: with its envelope). For watchers and lists too.
 * columns: a table's column definitions are written. */
struct object_style {
    struct media media;
    bool item; /* of a list: without kind and apiVersion, protobuf as field `items` */
    bool columns;
    int include_object; /* enum table_include */
    uint64_t now_wall_ns;
};
int object_write(struct arena *a, struct buf *out, const struct kind_info *k, struct str payload,
                 uint64_t revision, const struct object_style *style, struct err *e);
struct object_style object_style_of(const struct request *r);
/* The resourceVersion text of a revision, in the arena. */
struct str object_rv(struct arena *a, uint64_t revision);

#endif
