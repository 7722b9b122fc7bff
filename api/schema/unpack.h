/* Private to api/schema: unpack without checks, for bytes that schema_pack just made. */
#ifndef API_SCHEMA_UNPACK_H
#define API_SCHEMA_UNPACK_H

#include "api/schema/schema.h"

/* NULL when protobuf-c refuses. */
void *unpack_trusted(struct arena *a, const struct schema *s, struct str bytes);

#endif
