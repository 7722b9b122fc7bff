/*
 * How much an object may be, before anything is made of it: 422 when its lists have more items than
 * api/schema/items.h allows. -ERR_X with r->status set.
 */
#ifndef CONTROLPLANE_APISERVER_BODY_ITEMS_H
#define CONTROLPLANE_APISERVER_BODY_ITEMS_H

#include "base/str.h"

struct body_type;
struct json;
struct request;

/* An object that is stored with more of them already (NULL: there is none) may keep as many. */
int body_check_items(struct request *r, const struct body_type *type, const struct json *stored,
                     const struct json *tree);
/* The same of protobuf. */
int body_check_items_wire(struct request *r, const struct body_type *type, struct str message);

#endif
