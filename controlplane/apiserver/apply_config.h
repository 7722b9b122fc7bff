/* Private to the API server: the configuration that an apply request brings. */
#ifndef CONTROLPLANE_APISERVER_APPLY_CONFIG_H
#define CONTROLPLANE_APISERVER_APPLY_CONFIG_H

#include "controlplane/apiserver/object.h"

struct json;

/* The rules of PatchOptions that depend on the kind of patch. -ERR_X with r->status set. */
int apply_config_check_type(struct request *r, enum patch_type type);
/* The configuration as a tree, of the kind that the request is for; -ERR_X with r->status set. */
int apply_config_read(struct request *r, const struct body_type *type, const struct json **out);

#endif
