/* Private to api/schema: what a plain YAML 1.1 scalar means. */
#ifndef API_SCHEMA_YAML_SCALAR_H
#define API_SCHEMA_YAML_SCALAR_H

#include "api/schema/json.h"

/* The node a plain scalar stands for, as go-yaml v2 resolves it. Strings point into text. */
struct json yaml_resolve(struct arena *a, struct str text);
/* Whether a plain text would be read as something other than the string itself. */
bool yaml_needs_quotes(struct str text);

#endif
