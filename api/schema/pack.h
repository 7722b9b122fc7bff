/* Private to api/schema: packing what the schema knows of a message. */
#ifndef API_SCHEMA_PACK_H
#define API_SCHEMA_PACK_H

#include "api/schema/schema.h"

/* The message without its unknown fields, at any depth: equal bytes say the same in JSON. message
 * may be NULL: the zero message. */
struct str pack_known(struct arena *a, const struct schema *s, const void *message);

#endif
