/*
 * OpenAPI: a message as JSON schema, in the spelling of version 2 or 3.
 *
 * Names, types, lists, merge keys, unions, defaults and words all come from the table. Types that
 * JSON does not write as objects (times, quantities, numbers or strings) are definitions of their
 * own, as upstream has them; lists of strings with a name stand where they are used.
 */
#ifndef API_SCHEMA_OPENAPI_H
#define API_SCHEMA_OPENAPI_H

#include "api/schema/schema.h"

struct buf;

enum openapi_version { OPENAPI_V2, OPENAPI_V3 };

/* Appends the definition of a message: {"description":...,"type":"object",...}. kinds: JSON of its
 * x-kubernetes-group-version-kind, NULL for none. */
void openapi_write_definition(struct buf *out, const struct schema *s, enum openapi_version v,
                              const char *kinds);
/* Appends {"$ref":"..."} to a definition of this name. */
void openapi_write_ref(struct buf *out, const char *model, enum openapi_version v);
/* False: it is written where it is used. */
bool openapi_has_definition(const struct schema *s);

#endif
