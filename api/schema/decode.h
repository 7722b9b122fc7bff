/* Private to api/schema: what the two halves of the decoder share. */
#ifndef API_SCHEMA_DECODE_H
#define API_SCHEMA_DECODE_H

#include "api/schema/codec.h"
#include "api/schema/path.h"
#include "base/err.h"

struct decoder {
    struct arena *arena;
    enum schema_strictness strictness;
    struct schema_warnings *warnings;
    size_t warned;   /* how often; the same text counts again */
    struct err soft; /* the first problem that Go reads on after; a later hard one counts more */
    struct err *e;
};

/* A value of a message that is no JSON object (schema->form), in a field of owner. JSON null was
 * dealt with. */
int decode_form(struct decoder *d, const struct schema *owner, const struct schema *s,
                const struct json *j, const struct path *path, void *message);

/* A value that is no message, to where a struct or an array holds it. */
int decode_scalar(struct decoder *d, const struct schema *owner, const struct schema_field *f,
                  const struct json *j, const struct path *path, void *at);

/* Notes, and returns 0:
 * 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32'.
 * card says whether the field as a whole or one of its values is meant. */
int decode_type_error(struct decoder *d, const struct schema *owner, const struct schema_field *f,
                      uint8_t card, const struct json *j, const struct path *path);

#endif
