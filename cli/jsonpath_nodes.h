/* A parsed template: between cli/jsonpath_parse.c, which makes it, and cli/jsonpath.c. */
#ifndef CLI_JSONPATH_NODES_H
#define CLI_JSONPATH_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/schema/json.h"
#include "base/str.h"

enum jsonpath_type {
    JSONPATH_VALUE, /* text, a number, true or false: it stands for itself */
    JSONPATH_FIELD,
    JSONPATH_WORD, /* range, end */
    JSONPATH_SLICE,
    JSONPATH_FILTER,
    JSONPATH_RECURSIVE,
    JSONPATH_WILDCARD,
    JSONPATH_UNION,
    JSONPATH_LIST /* an action */
};

struct jsonpath_param {
    bool known;
    bool derived; /* [3] is [3:4] */
    int64_t value;
};

struct jsonpath_list {
    struct jsonpath_node *items;
    size_t count;
    size_t capacity;
};

struct jsonpath_node {
    enum jsonpath_type type;
    struct json value;
    struct str name; /* of a field or a word; a filter's operator, "exists" without one */
    struct jsonpath_param params[3];
    struct jsonpath_list **lists; /* an action's one, a union's; a filter's left and right side */
    size_t list_count;
};

struct jsonpath {
    struct jsonpath_list root;
};

#endif
