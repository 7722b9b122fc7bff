/*
 * How many items an object has in its lists, before anything is made of it.
 *
 * A body of three million bytes holds a million empty items: as structs they are hundreds of
 * megabytes, and whatever walks, compares or checks them holds up everybody else. Upstream has no
 * such bound but the size of what it stores. Strings in maps are not counted: they are bytes.
 */
#ifndef API_SCHEMA_ITEMS_H
#define API_SCHEMA_ITEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "api/schema/json.h"
#include "api/schema/schema.h"
#include "base/str.h"

struct arena;

/* Items of all lists of one object together, and entries of its maps of messages. An EndpointSlice
 * may have a thousand endpoints, and a Service with all ports of a media server has ten thousand
 * ports. */
#define SCHEMA_ITEMS_MAX 20000

struct schema_surplus {
    struct str path; /* of the list with which they are too many, in the arena */
    size_t count;    /* with those of this list */
};

/* False and *out: there are more than most. What does not fit the schema is for the decoder to
 * tell. */
bool schema_items_fit(struct arena *a, const struct schema *s, const struct json *j, size_t most,
                      struct schema_surplus *out);
/* How many there are. */
size_t schema_items_count(const struct schema *s, const struct json *j);
/* Of a message on the wire, against SCHEMA_ITEMS_MAX; count is with the field that is too much. */
bool schema_items_fit_wire(struct arena *a, const struct schema *s, struct str bytes,
                           struct schema_surplus *out);

#endif
