/*
 * Discovery: which groups, versions and resources there are, in both shapes kubectl knows.
 *
 * Legacy: /api, /apis, /apis/GROUP and one APIResourceList per group and version. Aggregated: /api
 * and /apis again, as APIGroupDiscoveryList, where Accept asks for it (v2, then v2beta1); the
 * answer's Content-Type repeats the parameters, or clients would take it for the legacy form. All
 * documents are made from the registry. Written as JSON into a buf.
 */
#ifndef CONTROLPLANE_APISERVER_DISCOVERY_H
#define CONTROLPLANE_APISERVER_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct buf;

void discovery_write_core(struct buf *out, struct str server); /* /api */
void discovery_write_groups(struct buf *out);                  /* /apis */
/* False: no such group. */
bool discovery_write_group(struct buf *out, struct str group); /* /apis/G */
bool discovery_write_resources(struct buf *out, struct str group, struct str version);
/* core: the document of /api, else of /apis. */
void discovery_write_aggregated(struct buf *out, bool core, const char *version);

#endif
