/*
 * gnostic's protobuf form of OpenAPI documents, made from their JSON.
 *
 * gnostic has a message per kind of object of the specification. A table says for a message which
 * JSON member is which field and how it is put; a map becomes a list of {1: name, 2: value}; what
 * begins with x- is an extension, its value kept as YAML text, which JSON is. The numbers are those
 * of OpenAPIv2.proto and OpenAPIv3.proto of google/gnostic-models.
 */
#ifndef CONTROLPLANE_APISERVER_OPENAPI_GNOSTIC_H
#define CONTROLPLANE_APISERVER_OPENAPI_GNOSTIC_H

#include <stddef.h>
#include <stdint.h>

#include "api/schema/json.h"

struct buf;

/* Appends one field with this number. */
typedef void gnostic_put(struct buf *out, uint32_t number, const struct json *j);

struct gnostic_field {
    const char *key;
    uint32_t number;
    gnostic_put *put;
};

struct gnostic_message {
    const struct gnostic_field *fields;
    size_t count;
    uint32_t extension; /* number of its extensions; 0: it has none */
};

/* The members of a JSON object as the fields of a message, without tag and length. */
void gnostic_write(struct buf *out, const struct gnostic_message *m, const struct json *j);
/* The same as one field; path: the field it is in, in its parent's only field, and so on, innermost
 * first, ended by 0. */
void gnostic_put_message(struct buf *out, const uint32_t *path, const struct gnostic_message *m,
                         const struct json *j);
/* Each member as {1: name, 2: value}, number repeated. */
void gnostic_put_named(struct buf *out, uint32_t number, const struct json *j, gnostic_put *value);
/* Wraps the tail of out that begins at `from` as one field. */
void gnostic_wrap(struct buf *out, size_t from, uint32_t number);

gnostic_put gnostic_string;
gnostic_put gnostic_strings; /* repeated */
gnostic_put gnostic_bool;
gnostic_put gnostic_anys; /* repeated Any */
gnostic_put gnostic_any;

/* Documents. */
void gnostic_write_v2(struct buf *out, const struct json *document);
void gnostic_write_v3(struct buf *out, const struct json *document);

#endif
