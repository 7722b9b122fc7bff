/*
 * Bodies of requests: text or protobuf to a struct, and upstream's words for what is wrong.
 *
 * fieldValidation says what becomes of unknown and duplicate fields: Strict refuses them all in one
 * error, Warn (the default) tells each in a Warning header, Ignore is silent. A body that cannot be
 * read is 400; a patch whose result cannot be read is 422 and shows that result. The functions that
 * decode a whole body are object_decode_body and object_decode_tree of object.h.
 */
#ifndef CONTROLPLANE_APISERVER_BODY_H
#define CONTROLPLANE_APISERVER_BODY_H

#include "controlplane/apiserver/media.h"
#include "controlplane/apiserver/object.h"

struct json;

/* What upstream echoes of a patched object is cut here. */
#define BODY_SHOWN_BYTES_MAX (32u << 10)

/* The JSON of a patch; kept in r->patch too. -ERR_X with r->status set. */
int body_parse_patch(struct request *r, enum patch_type type, const struct json **out);
/* The struct of what a patch made of the current object, after body_parse_patch. -ERR_X with
 * r->status set. */
int body_decode_patched(struct request *r, enum patch_type type, const struct body_type *body,
                        const struct json *current, const struct json *patched, void **out);
/* The struct of what an apply of config made of live. -ERR_X with r->status set. */
int body_decode_applied(struct request *r, const struct body_type *type, const struct json *config,
                        const struct json *live, const struct json *applied, void **out);
/* What goes wrong inside a configuration, for which upstream has no better code than 500. format
 * has the object's name and type, then why, as "%.*s" each. */
int body_refuse_applied(struct request *r, const char *format, const struct json *config,
                        struct str why);

#endif
