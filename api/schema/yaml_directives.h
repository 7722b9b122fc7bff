/* Private to api/schema: directives of YAML, before libyaml has the text. */
#ifndef API_SCHEMA_YAML_DIRECTIVES_H
#define API_SCHEMA_YAML_DIRECTIVES_H

#include <stdbool.h>

#include "base/str.h"

/* More than YAML_DIRECTIVES_MAX lines begin with '%', with nothing but comments and blank lines
 * between them. libyaml compares each with all before it says anything. */
bool yaml_has_many_directives(struct str text);

#endif
